"""Demo data: people are at work at any hour; repeated runs are idempotent and later runs add new events."""

from __future__ import annotations

import dataclasses
import json
import re
import threading
from collections import Counter
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import peewee
import pytest
import time_machine
from flask import Flask

from dashboard import clock, demo
from dashboard.access import scope
from dashboard.demo import cast, finds, life, plan, present, work
from dashboard.jobs import worker
from dashboard.models import (
    Activity,
    AuditEntry,
    Event,
    Interaction,
    Interval,
    Job,
    Notification,
    PauseType,
    Queue,
    Rule,
    Run,
    Source,
    User,
)
from dashboard.pages.home.queries import Board
from dashboard.tracing import projection
from dashboard.tracing.types import Kind
from dashboard.web.status import PAUSE
from tests.test_start import until

pytestmark = pytest.mark.dated

ZONE = "Europe/Prague"
SUNDAY_NIGHT = 1_795_309_200  # 2026-11-22 02:00 in Prague
LIVELY = {
    *("agent.signed_in", "agent.signed_out", "agent.pause_started", "agent.pause_ended"),
    *("call.queued", "call.offered", "call.accepted", "call.closed", "call.abandoned"),
    *("chat.queued", "chat.accepted", "chat.message_received", "chat.message_sent", "chat.closed"),
    *("email.queued", "email.accepted", "email.closed", "ticket.created", "ticket.updated", "ticket.closed"),
}
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
    lively(moment)
    assert not Job.select().where(Job.kind == "digest").exists()


def lively(moment: int) -> None:
    """Check that there is something to see on Home."""
    board = Board(scope.whole(), moment, ZONE, "en")
    now = [row.status for row in board.team().rows]
    assert any(one.calls for one in now)
    assert any(one.chats >= 3 for one in now)
    assert any(one.emails for one in now)
    assert any(row.over for row in board.team().rows)
    assert {kind for kind, count in board.figures().waiting if count} >= {"call", "chat", "email"}
    assert len([one for one in now if one.here]) >= present.CREW
    assert board.attention().queues


def test_repeated_run_adds_nothing_and_later_run_adds_new_events(stage: Flask) -> None:
    """The sign-ins that each of them prints work."""
    first = play(stage, SUNDAY_NIGHT)
    theirs = Event.source_id == Source.get(Source.name == demo.SOURCE).id
    before = {row[0] for row in Event.select(Event.external_id).where(theirs).tuples()}
    assert play(stage, SUNDAY_NIGHT)[1:] == first[1:]
    assert {row[0] for row in Event.select(Event.external_id).where(theirs).tuples()} == before
    later = SUNDAY_NIGHT + 3 * 3600
    lines = play(stage, later)
    after = Event.select(Event.external_id, Event.time_ms)
    assert before < {row[0] for row in after.tuples()}
    assert later - 900 < max(row[1] for row in after.tuples()) // 1000 <= later
    assert still_open(SUNDAY_NIGHT) == 0
    sign_in(stage, lines)


def test_the_centre_goes_on_by_events_alone_and_a_short_stop_changes_nothing(stage: Flask) -> None:
    """Nothing lies in the future, states are what the events say, and all planned events are there."""
    play(stage, SUNDAY_NIGHT)
    running, end, stop = life.Life(stage), SUNDAY_NIGHT + 4 * 3600, SUNDAY_NIGHT + 2 * 3600
    for moment in range(SUNDAY_NIGHT + 600, end + 1, 600):
        with stage.app_context(), time_machine.travel(moment, tick=False):
            if moment == stop:  # for nine minutes
                list(demo.make(moment - 60))
                running = life.Life(stage)
            assert running.step() > 0
            assert running.step() == 0
            worker.drain(["digest"])
            assert Event.select(peewee.fn.MAX(Event.time_ms)).scalar() <= moment * 1000
            assert states(moment + 1) == said_states()
    dates = [clock.local_date(SUNDAY_NIGHT, ZONE) + timedelta(days=back) for back in (-1, 0, 1)]
    left = {"benes": SUNDAY_NIGHT - demo.LEFT_S}
    centre = plan.Centre(ZONE, left, {}).extended(plan.moments((), 0, SUNDAY_NIGHT))
    events = [event for piece in centre.pieces(dates) for event in piece.events]
    planned = {event.id: event.type for event in events if SUNDAY_NIGHT < event.time_ms // 1000 <= end}
    since = (Event.source_id == source_id()) & (Event.time_ms > SUNDAY_NIGHT * 1000)
    since &= Event.type != "contact.created"  # which Stopa records itself
    assert dict(Event.select(Event.external_id, Event.type).where(since).tuples()) == planned
    assert set(planned.values()) >= LIVELY
    assert still_open(SUNDAY_NIGHT) == 0
    assert AuditEntry.select().where(AuditEntry.action == "import.run").count() == 2
    folded = counts()
    with time_machine.travel(end, tick=False):  # by now, much of it would be bounded
        projection.rebuild()
    assert counts() == folded


def source_id() -> int:
    return int(Source.get(Source.name == demo.SOURCE).id)


def states(moment: int) -> dict[str, tuple[bool, bool, int]]:
    """Return for each person on Home: signed in, on a pause, number of open calls."""
    rows = Board(scope.whole(), moment, ZONE, "en").team().rows
    found = {row.member.login: (row.status.here, row.status.state == PAUSE, row.status.calls) for row in rows}
    return {login: state for login, state in found.items() if any(state)}


def said_states() -> dict[str, tuple[bool, bool, int]]:
    """Return the same from the stored events alone, in the order of their times."""
    columns = (User.login, Event.type, Event.interaction)
    query = Event.select(*columns).join(User, peewee.JOIN.LEFT_OUTER, on=(User.id == Event.user_id))
    query = query.where(Event.source_id == source_id()).order_by(Event.time_ms, Event.id)
    here: dict[str, bool] = {}
    paused: dict[str, bool] = {}
    calls: dict[str, set[str]] = {}
    for login, type_, call in (
        query.where(Event.source_id == source_id()).order_by(Event.time_ms, Event.id).tuples()
    ):
        if type_ in ("agent.signed_in", "agent.signed_out"):
            here[login] = type_ == "agent.signed_in"
        if type_ in ("agent.pause_started", "agent.pause_ended"):
            paused[login] = type_ == "agent.pause_started"
        if type_ in ("call.accepted", "call.dialled"):
            calls.setdefault(login, set()).add(call)
        if type_ in ("call.closed", "call.transferred", "call.unreached"):
            for each in calls.values():
                each.discard(call)
    logins = here | paused | calls
    found = {one: (here.get(one, False), paused.get(one, False), len(calls.get(one, ()))) for one in logins}
    return {login: state for login, state in found.items() if any(state)}


def test_after_a_long_stop_all_has_ended_and_a_new_scene_plays(stage: Flask) -> None:
    play(stage, SUNDAY_NIGHT)
    play(stage, SUNDAY_NIGHT + 11 * 3600)
    assert still_open(SUNDAY_NIGHT + 10 * 3600) == 0
    assert len(states(SUNDAY_NIGHT + 11 * 3600)) >= present.CREW
    lively(SUNDAY_NIGHT + 11 * 3600)


def test_the_thread_stores_what_happens_until_it_is_stopped(
    stage: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    play(stage, SUNDAY_NIGHT)
    monkeypatch.setattr(life, "STEP_S", 0.01)
    count = Event.select().count()
    running = life.Life(stage)
    with time_machine.travel(SUNDAY_NIGHT + 60, tick=False):
        running.start()
        until(lambda: Event.select().count() > count)
        running.end()
    assert not [thread for thread in threading.enumerate() if thread.name == "demo"]


def still_open(until: int) -> int:
    """Count work that began before `until` and never ended."""
    begun = Interval.start_ts < until
    return int(
        Interval.select().where((Interval.kind == Kind.HANDLING) & Interval.end_ts.is_null() & begun).count()
    )


def counts() -> tuple[int, int, int, int]:
    talk = Activity.select(peewee.fn.SUM(Activity.handling_s)).scalar()
    return (Interaction.select().count(), Activity.select().count(), Interval.select().count(), int(talk))


def sign_in(app: Flask, lines: list[str]) -> None:
    """Sign in as everybody whom the lines name."""
    found = re.findall(r"Sign in as (\S+) with the password (\S+) ", "\n".join(lines))
    assert [login for login, _ in found] == ["admin", "lead", "novakova"]
    for login, password in found:
        answer = app.test_client().post("/sign-in", data={"login": login, "password": password})
        assert (answer.status_code, answer.headers["Location"]) == (302, "/")


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


def test_a_week_with_something_to_find_and_rules_that_find_it(
    stage: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo, "DAYS", 7)
    now = SUNDAY_NIGHT + 40 * 3600
    play(stage, now)
    afternoons = {
        day: Interaction.select()
        .join(Queue, on=(Queue.id == Interaction.queue_id))
        .where((Queue.name == "billing") & (Interaction.outcome == "abandoned"))
        .where(Interaction.queued_ts.between(local(day, 13), local(day, 16)))
        .count()
        for day in range(17, 23)
    }
    assert max(afternoons, key=lambda day: afternoons[day]) == 18
    assert afternoons.pop(18) > 4 * max(afternoons.values())
    length = Interval.end_ts - Interval.start_ts
    breaks = Interval.select(User.login, Interval.start_ts).join(User, on=(User.id == Interval.user_id))
    long = breaks.where((Interval.kind == Kind.PAUSE) & (length > 3600)).tuples()
    assert [(login, clock.local_date(start, ZONE).day) for login, start in long] == [("svoboda", 19)]
    old = (Interaction.channel == "ticket") & Interaction.ended_ts.is_null()
    idle = Interaction.select().where(old & (Interaction.first_ms < 1000 * (now - 86_400)))
    assert [each.external_id for each in idle] == [finds.IDLE_TICKET.name]
    with stage.app_context(), time_machine.travel(now, tick=False):
        worker.drain()
    assert {"A ticket has been idle for three days", "A VIP gave up"} <= set(titles())
    rules = [(rule.name, rule.state, rule.owner_id) for rule in Rule.select().order_by(Rule.id)]
    assert {state for _name, state, _owner in rules} == {"on", "shadow", "off"}
    assert len({owner for _name, _state, owner in rules}) == 3
    assert {run.outcome for run in Run.select()} >= {"done"}
    before = titles()
    play(stage, now)
    assert [(rule.name, rule.state, rule.owner_id) for rule in Rule.select().order_by(Rule.id)] == rules
    assert titles() == before
    gone = User.get(User.login == "benes")
    assert gone.deactivated_ts == now - demo.LEFT_S
    last_ms = Event.select(peewee.fn.MAX(Event.time_ms)).where(Event.user_id == gone.id).scalar()
    assert now - 7 * 86_400 < last_ms // 1000 <= gone.deactivated_ts
    assert Activity.select().where(Activity.inferred).count() > 0
    assert PauseType.select().where(PauseType.paid).count() >= 2


def local(day: int, hour: int) -> int:
    return int(datetime(2026, 11, day, hour, tzinfo=ZoneInfo(ZONE)).timestamp())


def titles() -> list[str]:
    return [row[0] for row in Notification.select(Notification.title).order_by(Notification.id).tuples()]
