"""My data: who looked at what is recorded about a user, and the monitoring policy they acknowledge."""

from __future__ import annotations

import csv
import io

import pytest
from flask.testing import FlaskClient

from dashboard.access.permissions import Permission
from dashboard.models import AuditEntry, AuditSubject, Policy, PolicyReading, User
from tests import make
from tests.pages import trail
from tests.pages.trail import DAY

P = Permission
pytestmark = pytest.mark.both_databases


@pytest.fixture
def jana(client: FlaskClient) -> User:
    trail.store(trail.ordinary())
    found: User = User.get(User.login == "jana")
    found.access = make.access([])
    found.save()
    return found


def looks(client: FlaskClient, whose: User) -> list[dict[str, str]]:
    make.sign_in(client, whose)
    text = client.get("/my-data.csv?columns=actor,action,start,end").data.decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


def lead(client: FlaskClient, *permissions: Permission) -> User:
    access = make.access([P.TRACING_VIEW, *permissions], ["all_users", "all_queues"])
    viewer = make.user("eva", access=access)
    make.sign_in(client, viewer)
    return viewer


def test_every_look_and_file_of_others_is_listed_once_with_its_period(
    client: FlaskClient, jana: User
) -> None:
    lead(client, P.TRACING_EXPORT_DATA)
    for _again in range(2):
        client.get(f"/tracing?user=jana&date={DAY}&tz=UTC")
        client.get(f"/team?date={DAY}")
        client.get(f"/attendance?from={DAY}&to={DAY}&tz=UTC")
        client.get(f"/compare?user=jana&date={DAY}&tz=UTC")
    client.get(f"/tracing.csv?user=jana&date={DAY}&tz=UTC")
    client.get(f"/attendance.csv?from={DAY}&to={DAY}&tz=UTC")
    found = looks(client, jana)
    assert {row["What was seen"] for row in found} == {
        "User tracing viewed",
        "Team day viewed",
        "Attendance viewed",
        "Comparison of users viewed",
        "User tracing exported",
        "List or figures exported",
    }
    assert len(found) == 6
    assert {row["Viewer"] for row in found} == {"eva"}
    assert all(row["From"].startswith(DAY) for row in found)


def test_what_one_sees_of_oneself_is_no_look(client: FlaskClient, jana: User) -> None:
    make.sign_in(client, jana)
    client.get(f"/tracing?date={DAY}")
    assert AuditEntry.select().where(AuditEntry.action == "tracing.viewed").count() == 1
    assert looks(client, jana) == []


def test_nobody_sees_the_looks_at_others(client: FlaskClient, jana: User) -> None:
    viewer = lead(client, *P)
    client.get(f"/tracing?user=jana&date={DAY}")
    assert AuditSubject.select().where(AuditSubject.user_id == jana.id).count() == 1
    assert looks(client, viewer) == []
    for query in ("?user=jana", "?subject=jana", "?filter=1"):
        assert client.get(f"/my-data{query}").status_code == 400


def test_a_policy_is_shown_until_it_is_acknowledged_and_again_when_it_changes(
    client: FlaskClient, jana: User
) -> None:
    make.sign_in(client, make.administrator())
    assert client.post("/settings/policy/new", data={"en": "  "}).status_code == 422
    for text in ("Why: shifts.\n\nWho: your lead.", "Why: shifts and wages."):
        assert client.post("/settings/policy/new", data={"en": text, "ja": "目的"}).status_code == 302
    first, second = Policy.select().order_by(Policy.id)
    assert first.texts == {"en": "Why: shifts.\n\nWho: your lead.", "cs": "", "ja": "目的"}
    make.sign_in(client, jana)
    due = "Please read the monitoring policy"
    assert due in client.get("/").text
    page = client.get("/my-data").text
    assert "Why: shifts and wages." in page
    assert due not in page
    client.post("/my-data/policy", data={"number": first.id})
    assert due in client.get("/").text  # an earlier version does not count
    for _again in range(2):
        client.post("/my-data/policy", data={"number": second.id})
    assert due not in client.get("/").text
    assert PolicyReading.select().count() == 1
    assert AuditEntry.select().where(AuditEntry.action == "policy.acknowledged").count() == 1
    assert f"Version {second.id}, read on" in client.get("/my-data").text
    assert client.post("/my-data/policy", data={"number": "x"}).status_code == 422


def test_a_version_that_somebody_has_read_is_not_deleted(client: FlaskClient, jana: User) -> None:
    make.sign_in(client, make.administrator())
    for text in ("One", "Two"):
        client.post("/settings/policy/new", data={"en": text})
    first, second = (row.id for row in Policy.select().order_by(Policy.id))
    make.sign_in(client, jana)
    client.post("/my-data/policy", data={"number": second})
    make.sign_in(client, User.get(User.login == "admin"))
    assert client.post(f"/settings/policy/{first}/delete").status_code == 302
    assert client.post(f"/settings/policy/{second}/delete").status_code == 422
    assert [row.id for row in Policy.select()] == [second]
