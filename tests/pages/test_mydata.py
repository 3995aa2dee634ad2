"""My data: who looked at what is recorded about a user, and the monitoring policy they acknowledge."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Callable

import pytest
from flask import g
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from dashboard import clock
from dashboard.access import keys
from dashboard.access import scope as scopes
from dashboard.access.permissions import Permission
from dashboard.jobs import worker
from dashboard.models import (
    Activity,
    AuditEntry,
    AuditSubject,
    Event,
    LookGroup,
    Policy,
    PolicyReading,
    Team,
    TeamMember,
    User,
)
from dashboard.pages.mydata import own, panels
from dashboard.sources import answer, run
from dashboard.sources.declared.looks import LOOKS
from dashboard.sources.parameters import parse
from tests import make
from tests.pages import trail
from tests.pages.files import text_of
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
    viewer = lead(client, P.TRACING_EXPORT_DATA, P.USERS_VIEW)
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
    assert {row["Viewer"] for row in found} == {"Eva (eva)"}
    assert all(row["From"].startswith(DAY) for row in found)
    make.sign_in(client, viewer)
    client.get("/users")
    (of_all_time,) = [row for row in looks(client, jana) if row["What was seen"] == "List viewed"]
    assert of_all_time["From"] == ""


def test_what_one_sees_of_oneself_is_no_look(client: FlaskClient, jana: User) -> None:
    make.sign_in(client, jana)
    client.get(f"/tracing?date={DAY}")
    assert AuditEntry.select().where(AuditEntry.action == "tracing.viewed").count() == 1
    assert looks(client, jana) == []


SHOWN = [  # address → whose data it shows
    ("/events?user=jana", "jana"),
    ("/events?user=petr", "petr"),
    ("/interactions/user-events?user=jana&user=petr", "jana petr"),
    ("/interactions/user-events?team.name=second", "petr"),
    ("/interactions/user-events?team.name=second&user=jana", ""),
    ("/interactions/user-events?queue.name=support", "jana petr"),
    ("/interactions/user-events.csv?user=petr", "petr"),
    ("/interactions/user-events.json?team.name=second", "petr"),
    ("/figures?by=user", "jana petr"),
    ("/figures?by=user&user=jana", "jana"),
    ("/figures?by=queue", ""),
    ("/figures.csv?by=team", "jana petr"),
    ("/reports/talk-by-user?user=jana", "jana"),
    ("/reports/calls-by-queue", ""),
    ("/reports/talk-by-user.csv?user=petr", "petr"),
    ("/reports/talk-by-user.json", "jana petr"),
]
OF_KEYS = [
    ("/api/v1/events?user=jana", "jana"),
    ("/api/v1/events", "jana petr"),
    ("/api/v1/activities?user=petr", "petr"),
    ("/api/v1/activities?user=jana", "jana"),
    ("/api/v1/activities?group=queue&measures=count", ""),
]


def seen_by(address: str, look: Callable[[str], TestResponse], hours: bool = False) -> str:
    """Return the users whose looks grow by an answer."""
    first, last = (f"{DAY}{time if hours else ''}" for time in ("T00:00:00Z", "T23:00:00Z"))
    before = {user.login: number_of_looks(user) for user in User.select()}
    got = look(f"{address}{'&' if '?' in address else '?'}from={first}&to={last}")
    assert got.status_code == 200, address
    grown = [user.login for user in User.select() if number_of_looks(user) > before[user.login]]
    return " ".join(sorted({"jana", "petr"} & set(grown)))


def number_of_looks(user: User) -> int:
    scope = scopes.of_user(user)
    query = parse(LOOKS, {}, "UTC", clock.now_s(), answer.names(scope))
    return len(run.rows(scope, query).rows)


def test_lists_figures_reports_files_and_keys_are_looks_at_those_whom_they_show(
    client: FlaskClient, jana: User
) -> None:
    trail.store(trail.ordinary("petr"))
    team = Team.create(name="second", created_ts=0)
    TeamMember.create(team=team, user=User.get(User.login == "petr"))
    viewer = lead(client, *P)
    assert {address: seen_by(address, client.get) for address, _whose in SHOWN} == dict(SHOWN)
    key = keys.make("payroll", "pbx", "read", maker_id=viewer.id)
    header = {"Authorization": f"Bearer {key}"}
    by_key = lambda address: client.get(address, headers=header)  # noqa: E731
    assert {address: seen_by(address, by_key, hours=True) for address, _whose in OF_KEYS} == dict(OF_KEYS)


def test_a_look_at_many_is_on_the_page_of_each_who_was_among_them(client: FlaskClient, jana: User) -> None:
    """A group is stored once; who joins later was not seen."""
    team = [make.user(f"agent{n}", created_ts=clock.now_s()) for n in range(6)]
    access = make.access([P.EVENTS_VIEW], [("users", each.id) for each in team])
    for login in ("lead1", "lead1b"):
        viewer = make.user(login, access=access)
        make.sign_in(client, viewer)
        client.get("/events")
    assert [number_of_looks(each) for each in (team[0], team[5], jana)] == [2, 2, 0]
    assert LookGroup.select().count() == 1
    lead(client, P.EVENTS_VIEW)
    client.get("/events")
    later = make.user("later", created_ts=clock.now_s() + 60)
    assert [number_of_looks(each) for each in (team[0], jana, later)] == [3, 1, 0]
    assert AuditSubject.select().count() == 3


def test_nobody_sees_the_looks_at_others(client: FlaskClient, jana: User) -> None:
    viewer = lead(client, *P)
    client.get(f"/tracing?user=jana&date={DAY}")
    assert AuditSubject.select().where(AuditSubject.user_id == jana.id).count() == 1
    assert looks(client, viewer) == []
    for query in ("?user=jana", "?subject=jana", "?filter=1"):
        assert client.get(f"/my-data{query}").status_code == 400


def test_the_export_of_ones_own_data_holds_all_of_them_and_nobody_elses(
    client: FlaskClient, jana: User
) -> None:
    trail.store(trail.ordinary("petr"))
    lead(client, P.TRACING_EXPORT_DATA)
    client.get(f"/tracing?user=jana&date={DAY}&tz=UTC")
    make.sign_in(client, jana)
    answer = client.post("/my-data/export")
    assert client.post("/my-data/export").headers["Location"] == answer.headers["Location"]
    worker.drain(["export"])
    assert "<h1>My data · ZIP archive</h1>" in client.get(answer.headers["Location"]).text
    page = client.get("/my-data").text
    assert answer.headers["Location"] in page
    got = client.get(f"{answer.headers['Location']}/file")
    assert (got.status_code, got.mimetype) == (200, "application/zip")
    with zipfile.ZipFile(io.BytesIO(got.data)) as archive:
        names = archive.namelist()
        tables = {name: json.loads(archive.read(name)) for name in names if name.endswith(".json")}
        paper = text_of(archive.read("overview.pdf"))
    assert names == [f"{name}.json" for name in own.CONTENTS] + ["overview.pdf"]
    assert len(tables["activities.json"]) == Activity.select().where(Activity.user_id == jana.id).count() == 5
    before = (Event.user_id == jana.id) & (Event.type != "export.downloaded")
    assert len(tables["events.json"]) == Event.select().where(before).count() > 20
    assert any("Invoice" in each["data"] for each in tables["event_data.json"])
    assert [look["actor"] for look in tables["looks.json"]] == ["Eva (eva)"]
    assert {"field": "Username", "value": "jana"} in tables["account.json"]
    assert tables["actions.json"][0]["action"] == "List or figures exported"
    assert all(each["time"].startswith("20") for each in tables["events.json"])
    assert [word for word in ("petr", "+420601234567") if word in json.dumps(tables)] == []
    assert "jana" in paper
    make.sign_in(client, User.get(User.login == "eva"))
    assert client.get(f"{answer.headers['Location']}/file").status_code == 404


def test_the_page_counts_looks_and_what_is_kept(client: FlaskClient, jana: User) -> None:
    lead(client, P.TRACING_EXPORT_DATA)
    client.get(f"/tracing?user=jana&date={DAY}&tz=UTC")
    client.get(f"/tracing.csv?user=jana&date={DAY}&tz=UTC")
    make.sign_in(client, jana)
    with client.application.test_request_context():
        g.user, g.scope = jana, scopes.of_user(jana)
        found = panels.looks()
        kept = {each.label: each.rows for each in panels.stock()}
    assert found[:6] == (2, 1, 1, 0, "Eva (eva)", 2)
    assert found.last_by == "Eva (eva)"
    assert (kept["Activities"], kept["Looks by name"], kept["Exported files"]) == (5, 2, 0)
    assert "Eva (eva) most often: 2" in client.get("/my-data").text


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
