"""Demo data: people are at work at any hour; repeated runs are idempotent and later runs add new events."""

from __future__ import annotations

import dataclasses
import json
import re
from collections import Counter

import peewee
import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from dashboard import clock, demo
from dashboard.access import scope
from dashboard.demo import cast, present, work
from dashboard.models import (
    Activity,
    AuditEntry,
    Event,
    Interaction,
    Interval,
    Job,
    Notification,
    PauseType,
    Rule,
    Run,
    Source,
    User,
)
from dashboard.pages.home.queries import Board
from dashboard.tracing import projection
from dashboard.tracing.types import Kind

pytestmark = pytest.mark.dated

ZONE = "Europe/Prague"
SUNDAY_NIGHT = 1_795_309_200  # 2026-11-22 02:00 in Prague
MOMENTS = [
    pytest.param(SUNDAY_NIGHT, id="Sunday night"),
    pytest.param(SUNDAY_NIGHT + 32 * 3600, id="Monday morning"),
    pytest.param(SUNDAY_NIGHT - 4 * 3600 + 60, id="when the late shift goes home"),
    pytest.param(1_792_890_000, id="the hour that comes twice"),
]


@pytest.fixture
def stage(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Flask:
    """The application in Prague's time; two days of history are enough to try the rules."""
    app.config["STOPA"] = dataclasses.replace(app.config["STOPA"], timezone=ZONE)
    monkeypatch.setattr(demo, "DAYS", 1)
    return app


def play(app: Flask, moment: int) -> list[str]:
    """Start the demonstration at `moment` (UTC seconds); everything it records is recorded at that time."""
    with app.app_context(), time_machine.travel(moment, tick=False):
        return list(demo.make(moment))


@pytest.mark.parametrize("moment", MOMENTS)
def test_calls_chats_pauses_and_waiting_contacts_at_any_hour(stage: Flask, moment: int) -> None:
    play(stage, moment)
    board = Board(scope.whole(), moment, ZONE, "en")
    now = [row.status for row in board.team().rows]
    assert any(one.calls for one in now)
    assert any(one.chats >= 3 for one in now)
    assert any(one.emails for one in now)
    assert any(row.over for row in board.team().rows)
    assert {kind for kind, count in board.figures().waiting if count} >= {"call", "chat", "email"}
    assert len([one for one in now if one.here]) >= present.CREW
    assert board.attention().queues
    assert not Job.select().where(Job.kind == "digest").exists()


def test_repeated_run_adds_nothing_and_later_run_adds_new_events(stage: Flask) -> None:
    first = play(stage, SUNDAY_NIGHT)
    theirs = Event.source_id == Source.get(Source.name == demo.SOURCE).id
    before = {row[0] for row in Event.select(Event.external_id).where(theirs).tuples()}
    assert play(stage, SUNDAY_NIGHT)[1:] == first[1:]
    assert {row[0] for row in Event.select(Event.external_id).where(theirs).tuples()} == before
    later = SUNDAY_NIGHT + 3 * 3600
    play(stage, later)
    after = Event.select(Event.external_id, Event.time_ms)
    assert before < {row[0] for row in after.tuples()}
    assert later - 900 < max(row[1] for row in after.tuples()) // 1000 <= later
    assert still_open(SUNDAY_NIGHT) == 0


def still_open(until: int) -> int:
    """Count work that began before `until` and never ended."""
    begun = Interval.start_ts < until
    return int(
        Interval.select().where((Interval.kind == Kind.HANDLING) & Interval.end_ts.is_null() & begun).count()
    )


def test_demo_data_comes_only_from_events(stage: Flask) -> None:
    play(stage, SUNDAY_NIGHT)
    folded = counts()
    with time_machine.travel(SUNDAY_NIGHT, tick=False):  # by now, much of it would be bounded
        projection.rebuild()
    assert counts() == folded
    assert AuditEntry.select().where(AuditEntry.action == "import.run").count() == 1


def counts() -> tuple[int, int, int, int]:
    talk = Activity.select(peewee.fn.SUM(Activity.handling_s)).scalar()
    return (Interaction.select().count(), Activity.select().count(), Interval.select().count(), int(talk))


def test_the_printed_sign_ins_work(stage: Flask, client: FlaskClient) -> None:
    lines = "\n".join(play(stage, SUNDAY_NIGHT))
    found = re.findall(r"Sign in as (\S+) with the password (\S+) ", lines)
    assert [login for login, _ in found] == ["admin", "lead", "novakova"]
    for login, password in found:
        answer = stage.test_client().post("/sign-in", data={"login": login, "password": password})
        assert answer.status_code == 302
        assert answer.headers["Location"] == "/"


def test_two_weeks_contain_every_kind_of_activity(stage: Flask) -> None:
    dates = [clock.local_date(SUNDAY_NIGHT - back * 86_400, ZONE) for back in range(14)]
    shifts = [shift for date in dates for shift in work.shifts(date, ZONE)]
    pieces = [piece for shift in shifts for piece in work.work(shift)]
    pieces += [piece for date in dates for piece in work.untaken(date, ZONE)]
    seen = Counter(event.type for piece in pieces for event in piece.events)
    assert set(seen) >= {
        "call.queued",
        "call.accepted",
        "call.held",
        "call.resumed",
        "call.rejected",
        "call.ignored",
        "call.transferred",
        "call.abandoned",
        "call.missed",
        "call.dialled",
        "call.unreached",
        "email.postponed",
        "email.reopened",
        "chat.closed",
        "ticket.updated",
        "ticket.closed",
        "agent.pause_started",
    }
    assert {json.loads(event.data).get("channel") for piece in pieces for event in piece.events} >= set(
        cast.CHAT_CHANNELS
    )
    assert any(clock.local_date(shift.start, ZONE) < clock.local_date(shift.end, ZONE) for shift in shifts)
    assert most_at_once(pieces) == 6


def most_at_once(pieces: list[work.Piece]) -> int:
    """Return the most chats that anybody had at one time."""
    edges: dict[str, list[tuple[int, int]]] = {}
    for piece in pieces:
        if any(event.type == "chat.accepted" for event in piece.events):
            edges.setdefault(piece.login, []).extend([(piece.start + 6, 1), (piece.end, -1)])
    most = 0
    for found in edges.values():
        running = 0
        for _, step in sorted(found):
            running += step
            most = max(most, running)
    return most


def test_deactivated_user_keeps_history_and_gets_no_new_work(
    stage: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo, "DAYS", 2)
    monkeypatch.setattr(demo, "LEFT_S", 86_400)
    play(stage, SUNDAY_NIGHT)
    gone = User.get(User.login == "benes")
    assert gone.deactivated_ts == SUNDAY_NIGHT - demo.LEFT_S
    times = [row[0] // 1000 for row in Event.select(Event.time_ms).where(Event.user_id == gone.id).tuples()]
    assert times
    assert max(times) <= gone.deactivated_ts
    assert Activity.select().where(Activity.inferred).count() > 0
    assert PauseType.select().where(PauseType.paid).count() >= 2


def test_rules_are_on_in_dry_run_and_off_and_created_once(stage: Flask) -> None:
    play(stage, SUNDAY_NIGHT + 40 * 3600)
    rules = [(rule.name, rule.state, rule.owner_id) for rule in Rule.select().order_by(Rule.id)]
    assert {state for _name, state, _owner in rules} == {"on", "shadow", "off"}
    assert len({owner for _name, _state, owner in rules}) == 3
    told = Notification.select().count()
    assert {run.outcome for run in Run.select()} >= {"done"}
    assert told > 0
    play(stage, SUNDAY_NIGHT + 40 * 3600)
    assert [(rule.name, rule.state, rule.owner_id) for rule in Rule.select().order_by(Rule.id)] == rules
    assert Notification.select().count() == told
