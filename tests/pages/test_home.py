"""Home: who sees what of today, that its numbers are those of the trace, and at what cost."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from dashboard import clock
from dashboard.access import scope
from dashboard.access.permissions import Permission
from dashboard.access.scope import Scope
from dashboard.db import database
from dashboard.events import record
from dashboard.ingest.schema import NewEvent
from dashboard.jobs import worker
from dashboard.models import Interaction, Job, PauseType, User
from dashboard.pages.home.queries import Board
from dashboard.tracing import trace
from dashboard.tracing.types import IntervalRow, Kind
from dashboard.web import strip
from dashboard.web.status import Status, status
from tests import make

pytestmark = pytest.mark.dated

NOON = 1_795_172_400  # Friday 2026-11-20 12:00 in Prague
ZONE = "Europe/Prague"
BLOCKS = ("attention", "figures", "team", "queues")


def at(hours: float) -> int:
    return NOON + int(hours * 3600)


def send(*events: tuple[float, str, str, dict[str, Any]]) -> None:
    """Store and fold events given as (hours from noon, type, user, rest); `rest` may name queue and call."""
    source = record.source("live").id
    made = []
    for hours, kind, user, rest in events:
        queue, call = rest.pop("queue", None), rest.pop("call", None)
        ident, moment = f"{kind}{user}{hours}{call}", at(hours) * 1000
        made.append(NewEvent(ident, kind, moment, user or None, queue, call, data=json.dumps(rest)))
    record.append(source, made)
    worker.drain(["digest"])


def at_work(login: str, since: float = -4) -> list[tuple[float, str, str, dict[str, Any]]]:
    return [(since, "agent.signed_in", login, {}), (since + 0.1, "agent.ready", login, {})]


@pytest.fixture
def noon(app: Flask) -> Iterator[Flask]:
    """The application at noon of a Friday in Prague."""
    app.config["STOPA"] = dataclasses.replace(app.config["STOPA"], timezone=ZONE)
    with time_machine.travel(NOON, tick=False):
        yield app


def board(viewer: Scope | None = None) -> Board:
    return Board(viewer or scope.whole(), NOON, ZONE, "en")


@pytest.fixture
def office(noon: Flask) -> dict[str, User]:
    """Three at work: one on a call, one on a pause over its limit, one free; two calls wait."""
    line = make.queue("line", sla_seconds=20)
    PauseType.create(name="tea", label="Tea <b>", paid=True, max_seconds=600)
    people = {name: make.user(name) for name in ("ann", "bob", "eve", "gone")}
    User.update(deactivated_ts=NOON - 60).where(User.login == "gone").execute()
    send(
        *at_work("ann"),
        *at_work("bob"),
        *at_work("eve"),
        *at_work("gone"),
        (-2, "call.queued", "", {"queue": line.name, "call": "c1"}),
        (-1.999, "call.accepted", "eve", {"queue": line.name, "call": "c1", "connected": True}),
        (-1.9, "call.closed", "eve", {"queue": line.name, "call": "c1"}),
        (-1, "call.queued", "", {"queue": line.name, "call": "c2"}),
        (-0.9, "call.abandoned", "", {"queue": line.name, "call": "c2"}),
        (-0.1, "call.queued", "", {"queue": line.name, "call": "c3"}),
        (-0.05, "call.accepted", "ann", {"queue": line.name, "call": "c3", "connected": True}),
        (-0.5, "agent.pause_started", "bob", {"pause": "tea", "paid": True}),
        (-0.02, "call.queued", "", {"queue": line.name, "call": "c4"}),
        (-0.01, "call.queued", "", {"queue": line.name, "call": "c5"}),
    )
    return people


def row(kind: Kind, start: float, end: float | None = None, channel: str = "", **more: Any) -> IntervalRow:
    return IntervalRow(kind, at(start), None if end is None else at(end), channel, **more)


HERE = [row(Kind.LOGIN, -4), row(Kind.READY, -3)]
STATUSES = [
    pytest.param([], Status("out"), id="nothing known: out"),
    pytest.param([row(Kind.LOGIN, -4, -1)], Status("out", since=at(-1)), id="signed out since the sign-out"),
    pytest.param([row(Kind.LOGIN, -4)], Status("idle", since=at(-4)), id="signed in, not ready"),
    pytest.param(HERE, Status("ready", since=at(-3)), id="free since ready"),
    pytest.param(
        [*HERE, row(Kind.HANDLING, -2, -1, "call")],
        Status("ready", since=at(-1)),
        id="free since the last work",
    ),
    pytest.param(
        [*HERE, row(Kind.HANDLING, -1, None, "call")], Status("ready", calls=1, since=at(-1)), id="on call"
    ),
    pytest.param(
        [*HERE, row(Kind.HANDLING, -1, None, "viber"), row(Kind.HANDLING, -2, None, "sms")],
        Status("ready", chats=2, since=at(-2)),
        id="on two chats since the older",
    ),
    pytest.param(
        [*HERE, row(Kind.RINGING, 0, None, "call")],
        Status("ready", ringing=True, since=NOON),
        id="ringing is not yet work",
    ),
    pytest.param(
        [*HERE, row(Kind.PAUSE, -1, label="tea", paid=True), row(Kind.HANDLING, -2, None, "email")],
        Status("pause", emails=1, since=at(-1), label="tea", paid=True),
        id="a pause wins over work",
    ),
    pytest.param([row(Kind.READY, -3)], Status("ready", since=at(-3)), id="ready without a sign-in is here"),
    pytest.param(
        [*HERE, row(Kind.HANDLING, 1, 2, "call")], Status("ready", since=at(-3)), id="the future is not now"
    ),
]


@pytest.mark.parametrize(("rows", "expected"), STATUSES)
def test_status_follows_from_the_intervals(rows: list[IntervalRow], expected: Status) -> None:
    assert status(rows, NOON) == expected


def test_the_strip_places_work_by_elapsed_time() -> None:
    span = clock.day(date(2026, 10, 25), ZONE)
    today = clock.hours(span, ZONE)
    rows = [IntervalRow(Kind.HANDLING, today[3].start, today[4].start, "call")]
    axis = strip.axis(span, ZONE, rows, today[-1].end - 1)
    assert (axis.start, axis.end) == (today[3].start, today[-1].end)
    (mark,) = strip.marks(rows, axis, today[-1].end - 1)
    assert (mark.css, mark.x, mark.width) == ("call", 0, pytest.approx(100 / 22, abs=0.001))


def test_key_numbers_are_counted_by_definition(office: dict[str, User]) -> None:
    found = board().figures()
    assert (found.interactions, found.interactions_before) == (5, 0)
    assert dict(found.waiting)["call"] == 2
    assert (found.in_level, found.done) == (1, 3)  # c1 in 4 s; c3 after 180 s; c2 lost
    assert (found.here, found.members, found.ready, found.paused) == (3, 3, 2, 1)
    assert found.handling == int(0.099 * 3600)


def test_team_shows_each_members_status(office: dict[str, User]) -> None:
    rows = {each.member.login: each for each in board().team().rows}
    assert list(rows) == ["bob", "ann", "eve"]  # whoever was deactivated is not of the team
    assert (rows["ann"].status.calls, rows["ann"].for_s) == (1, 180)
    assert (rows["bob"].pause, rows["bob"].is_too_long) == (("Tea <b>", 600), True)
    assert (rows["eve"].handled, rows["eve"].status.work) == (1, 0)


def test_handled_and_status_agree_with_the_trace(office: dict[str, User]) -> None:
    shown = board()
    for each in shown.team().rows:
        found = trace.read(scope.whole(), each.member.login, shown.span, ZONE, NOON)
        assert found is not None
        assert each.handled == found.figures.calls.closed
        assert status(found.intervals, NOON)._replace(label=each.status.label) == each.status


def test_attention_block_lists_problems(office: dict[str, User]) -> None:
    Job.create(kind="export", state="failed", due_ms=0, created_ms=0, error="disk full")
    found = board().attention()
    assert [each.member.login for each in found.pauses] == ["bob"]
    assert [(line.queue.name, line.waiting, line.longest) for line in found.queues] == [("line", 2, 72)]
    assert found.queues[0].first == Interaction.get(Interaction.external_id == "c4").id  # the one before c5
    assert found.jobs == (("export", 1, "disk full"),)


def test_board_respects_the_scope(office: dict[str, User]) -> None:
    narrow = Scope(
        office["eve"].id, frozenset({Permission.HOME_VIEW}), frozenset({office["ann"].id}), frozenset()
    )
    found = board(narrow)
    assert [each.member.login for each in found.team().rows] == ["ann", "eve"]
    assert found.queues() == []
    assert (found.figures().interactions, found.figures().done) == (0, 0)
    assert found.attention().jobs == ()


def test_work_left_open_by_a_file_is_not_current(noon: Flask) -> None:
    make.user("old")
    source = record.source("file", is_file=True)
    rows = ((-3, "agent.signed_in", None), (-2, "call.accepted", "f1"))
    record.append(
        source.id,
        [
            NewEvent(id=kind, type=kind, time_ms=at(hours) * 1000, user="old", interaction=call)
            for hours, kind, call in rows
        ],
    )
    worker.drain(["digest"])
    assert [each.status.state for each in board().team().rows] == ["out"]


def queries(login: str) -> int:
    """Return how many statements the whole board of `login` takes."""
    count = 0
    execute = database.obj.execute_sql

    def counting(*args: Any, **kwargs: Any) -> Any:
        nonlocal count
        count += 1
        return execute(*args, **kwargs)

    database.obj.execute_sql = counting
    try:
        shown = board(scope.of_user(User.get(User.login == login)))
        for name in ("figures", "team", "attention", "queues"):
            getattr(shown, name)()
    finally:
        del database.obj.execute_sql
    return count


def test_number_of_queries_does_not_depend_on_team_size(office: dict[str, User]) -> None:
    make.administrator("boss")
    with_three = queries("boss")
    for number in range(9):
        make.user(f"more{number}")
        send(*at_work(f"more{number}"))
        make.queue(f"line{number}")
    assert len(board().day.rows) == 12
    assert queries("boss") == with_three <= 21


def test_lead_sees_every_block_with_escaped_names(office: dict[str, User], client: FlaskClient) -> None:
    make.sign_in(client, make.administrator("boss"))
    page = client.get("/")
    assert page.status_code == 200
    for block in BLOCKS:
        assert f'id="{block}"' in page.text
    assert "Tea &lt;b&gt;" in page.text
    assert "Tea <b>" not in page.text


@pytest.mark.parametrize("block", BLOCKS)
def test_fragment_equals_the_block_of_the_page(
    block: str, office: dict[str, User], client: FlaskClient
) -> None:
    make.sign_in(client, make.administrator("boss"))
    page = client.get("/").text
    alone = client.get("/", headers={"HX-Request": "true", "HX-Target": block})
    start = re.sub(r'<p class="sub" id="updated" hx-swap-oob.*?</p>', "", alone.text, flags=re.S).strip()
    assert start in page
    (mark,) = re.findall(r'"seen":"([0-9a-f]+)"', start)
    again = client.get(f"/?seen={mark}", headers={"HX-Request": "true", "HX-Target": block})
    assert (again.status_code, again.text) == (204, "")


def test_agent_sees_only_the_own_day(office: dict[str, User], client: FlaskClient) -> None:
    access = make.access()
    User.update(access=access).where(User.login == "ann").execute()
    make.sign_in(client, User.get(User.login == "ann"))
    page = client.get("/")
    assert page.status_code == 200
    assert 'id="own"' in page.text
    assert 'id="team"' not in page.text
    assert "bob" not in page.text.lower()
    asked = client.get("/", headers={"HX-Request": "true", "HX-Target": "team"})
    assert "bob" not in asked.text.lower()


def test_signed_out_user_is_redirected_to_sign_in(client: FlaskClient) -> None:
    assert client.get("/").status_code == 302
    assert client.get("/", headers={"HX-Request": "true"}).status_code == 401


def test_home_is_read_only(noon: Flask, client: FlaskClient) -> None:
    make.sign_in(client, make.administrator("boss"))
    assert client.post("/").status_code == 405


def test_every_figure_and_alarm_leads_to_its_rows(office: dict[str, User], client: FlaskClient) -> None:
    make.sign_in(client, make.administrator("boss"))
    page = client.get("/").text
    first = Interaction.get(Interaction.external_id == "c4").id
    for url in (
        f"/interactions/{first}",
        "/tracing?user=bob&amp;date=2026-11-20",
        "/interactions?from=2026-11-20&amp;to=2026-11-20",
        "/figures?by=queue&amp;from=2026-11-20&amp;to=2026-11-20",
        "/tracing?user=eve&amp;unit=day&amp;date=2026-11-20&amp;state=closed#activities",
    ):
        assert f'href="{url}"' in page, url
        assert client.get(url.replace("&amp;", "&")).status_code == 200, url
    assert page.index('id="attention"') < page.index('id="figures"') < page.index('id="team"')


def test_people_who_are_signed_out_fold_to_their_number(office: dict[str, User], client: FlaskClient) -> None:
    send((-0.2, "agent.signed_out", "eve", {}))
    make.sign_in(client, make.administrator("boss"))
    page = client.get("/").text
    assert (">1 signed out</a>" in page, 'id="u-eve"' in page) == (True, False)
    assert 'id="u-eve"' in client.get("/?gone=1").text


def test_a_lead_without_a_team_reads_where_it_is_set(noon: Flask, client: FlaskClient) -> None:
    access = make.access([Permission.HOME_VIEW, Permission.TRACING_VIEW], ["led_teams"])
    make.sign_in(client, make.user("lead", access=access))
    for url in ("/", "/team"):
        assert "You lead no team" in client.get(url).text, url
