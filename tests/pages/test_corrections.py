"""Corrections on pages: who makes them, what is refused, and that both values stand on pages and in files."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from dashboard import clock
from dashboard.access.permissions import Permission
from dashboard.models import AuditEntry, PauseType, User
from dashboard.tracing import corrections
from tests import make
from tests.api import Api
from tests.ingest.day import DATE, DAY, ZONE

P = Permission
HERE = f"/tracing/correct?user=jana&date={DATE}"
RIGHTS = (P.TRACING_VIEW, P.TRACING_CORRECT, P.TRACING_EXPORT_DATA, P.TRACING_EXPORT_PDF)


@pytest.fixture
def day(app: Flask, client: FlaskClient) -> User:
    """The ordinary day of jana: signed in 8:00 to 16:30, pauses at 10:00 and 12:00."""
    PauseType.create(name="lunch", label="Lunch", paid=False)
    Api(client).take(DAY)
    user = make.user("boss", timezone=ZONE, access=make.access(RIGHTS, ["all_users", "all_queues"]))
    make.sign_in(client, user)
    return User.get(User.login == "jana")


def send(client: FlaskClient, **fields: Any) -> Any:
    data = {
        "user": "jana",
        "date": DATE,
        "kind": "login",
        "was": login(),
        "from": f"{DATE}T08:00:00",
        "to": f"{DATE}T15:00:00",
        "reason": "Left at three",
        "act": "save",
    }
    return client.post("/tracing/correct", data=data | fields)


def second(time: str) -> int:
    return clock.resolve(clock.datetime.fromisoformat(f"{DATE}T{time}"), ZONE)


def login(end: str = "16:30") -> str:
    return f"login-{second('08:00')}-{second(end)}"


def lines(client: FlaskClient, url: str) -> list[list[str]]:
    answer = client.get(url)
    assert answer.status_code == 200, answer.text
    return list(csv.reader(io.StringIO(answer.data.decode("utf-8-sig"))))


def test_a_correction_shows_both_values_on_pages_and_in_files(client: FlaskClient, day: User) -> None:
    assert login() in client.get(HERE).text
    answer = send(client)
    assert (answer.status_code, answer.headers["Location"]) == (302, HERE)
    for url in (HERE, f"/tracing?user=jana&date={DATE}", f"/attendance?from={DATE}&to={DATE}&user=jana"):
        page = client.get(url).text
        assert "<del>2 Mar 2026 08:00:00 – 16:30:00</del>" in page, url
        assert "<ins>2 Mar 2026 08:00:00 – 15:00:00</ins>" in page, url
        assert "Left at three" in page, url
    assert "1 day corrected" in client.get(f"/attendance?from={DATE}&to={DATE}").text
    for url in (
        f"/attendance.csv?from={DATE}&to={DATE}",
        f"/team.csv?date={DATE}",
        f"/compare.csv?date={DATE}&user=jana",
    ):
        (row,) = [line for line in lines(client, url) if "jana" in line]
        assert (
            row[-1]
            == "Signed in: 2 Mar 2026 08:00:00 – 16:30:00 → 2 Mar 2026 08:00:00 – 15:00:00 (Left at three)"
        )
        assert str(7 * 3600) in row, url
    for url in (f"/tracing.xlsx?user=jana&date={DATE}", f"/attendance.pdf?from={DATE}&to={DATE}"):
        assert client.get(url).status_code == 200, url
    entry = AuditEntry.get(AuditEntry.action == "session.corrected")
    assert entry.target_id == str(day.id)


def test_a_correction_is_taken_back_with_a_reason(client: FlaskClient, day: User) -> None:
    send(client)
    (made,) = corrections.of_user(day.id)
    data = {"user": "jana", "date": DATE, "correction": made.id}
    assert client.post("/tracing/correct/take-back", data=data | {"reason": ""}).status_code == 422
    assert client.post("/tracing/correct/take-back", data=data | {"reason": "Was right"}).status_code == 302
    page = client.get(HERE).text
    assert "Taken back by " in page
    assert login() in page
    assert client.post("/tracing/correct/take-back", data=data | {"reason": "again"}).status_code == 404


def test_a_missing_pause_is_added_and_a_wrong_one_removed(client: FlaskClient, day: User) -> None:
    times = {"from": f"{DATE}T14:00", "to": f"{DATE}T14:30:00"}
    assert send(client, kind="pause", was="", pause="lunch", **times).status_code == 302
    assert "14:00:00 – 14:30:00 Lunch" in client.get(HERE).text
    key = f"pause-{second('14:00')}-{second('14:30')}"
    assert f"was={key}" in client.get(HERE).text
    assert send(client, kind="pause", was=key, pause="lunch", act="remove", **times).status_code == 302
    assert f"was={key}" not in client.get(HERE).text


REFUSED = [
    ({"to": f"{DATE}T07:00:00"}, "to"),
    ({"from": "x"}, "from"),
    ({"from": "9999-12-31T23:59:59"}, "from"),
    ({"from": f"{DATE}T08:00:00+01:00"}, "from"),
    ({"reason": ""}, "reason"),
    ({"reason": "x" * 201}, "reason"),
    ({"was": ""}, "from"),  # as a further sign-in it overlaps
    ({"was": "login-1-2"}, "was"),
    ({"kind": "pause", "was": "", "pause": "unknown"}, "pause"),
    ({"to": "2090-01-01T00:00:00"}, "to"),
]


@pytest.mark.parametrize(("changes", "field"), REFUSED)
def test_what_is_wrong_is_named_with_its_field(
    client: FlaskClient, day: User, changes: dict[str, str], field: str
) -> None:
    page = send(client, **changes)
    assert page.status_code == 422
    assert f'href="#f-{field}"' in page.text
    assert corrections.of_user(day.id) == []


@pytest.mark.parametrize("url", [f"/tracing/correct?user=nobody&date={DATE}"])
def test_nobody_else_is_corrected(client: FlaskClient, day: User, url: str) -> None:
    assert client.get(url).status_code == 404
    assert client.get(f"{HERE}x").status_code == 400


def test_it_takes_the_permission_and_the_scope(client: FlaskClient, day: User) -> None:
    for rights, grants, status in (
        ((P.TRACING_VIEW,), ["all_users"], 403),
        ((P.TRACING_VIEW, P.TRACING_CORRECT), [], 404),
    ):
        make.sign_in(client, make.user(access=make.access(rights, grants)))
        assert client.get(HERE).status_code == status
        assert send(client).status_code == status
        assert (
            client.post("/tracing/correct/take-back", data={"user": "jana", "date": DATE}).status_code
            == status
        )
    assert corrections.of_user(day.id) == []
