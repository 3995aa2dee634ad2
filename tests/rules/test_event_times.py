"""Events that come in days late, or ahead of the clock: at work, in shadow and in a backtest alike."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import time_machine

from dashboard.events import record
from dashboard.models import Event, RuleCount, RuleLimit, Source, Subject, Timer
from dashboard.rules import active_rules, event_rows, explain, occurrences
from tests import make
from tests.rules import engine
from tests.rules.agree import alike, both
from tests.rules.engine import NOON, event, notices, notify, rule
from tests.rules.time import DAY, HOUR, MINUTE, Site

pytestmark = [pytest.mark.both_databases, pytest.mark.usefixtures("db")]

PLAIN = {"types": ["chat.queued"]}
WAIT = {"types": ["chat.queued"], "wait": {"seconds": 5}}
LONG_WAIT = {"types": ["chat.queued"], "wait": {"seconds": 3 * DAY}}
IDLE = {"types": ["chat.idle"], "after": {"seconds": HOUR}}
LONG_IDLE = {"types": ["chat.idle"], "after": {"seconds": 3 * DAY}}
COUNT = {"types": ["chat.count_reached"], "count": {"number": 1, "clear": 0, "by": "queue"}}


@pytest.fixture
def site() -> Iterator[Site]:
    with time_machine.travel(NOON / 1000, tick=False) as travel:
        yield Site(travel)


@pytest.mark.parametrize(
    ("definition", "late_s", "outcome"),
    [
        (PLAIN, 0, "done"),
        (PLAIN, DAY, "done"),
        (PLAIN, DAY + 0.5, "expired"),
        (PLAIN, 30 * DAY, "expired"),
        (WAIT, DAY, "done"),
        (WAIT, 25 * HOUR, "expired"),
        (WAIT, 10 * DAY, "expired"),
        (WAIT, 30 * DAY, "expired"),
        (LONG_WAIT, 2 * DAY, "done"),  # it falls due after the event came in
        (LONG_WAIT, 10 * DAY, "expired"),
        (IDLE, 20 * HOUR, "done"),
        (IDLE, 10 * DAY, "expired"),
        (LONG_IDLE, 2 * DAY, "done"),
        (LONG_IDLE, 10 * DAY, "expired"),
        (COUNT, 20 * HOUR, "done"),
        (COUNT, 10 * DAY, "expired"),
    ],
)
def test_what_was_due_when_an_event_came_in_a_day_late_expires(
    site: Site, definition: dict[str, Any], late_s: float, outcome: str
) -> None:
    reader = make.user("reader")
    live, shadow = both(then=[notify(reader)], **definition)
    site.at(late_s)
    engine.send(event("chat.queued", 0, interaction="C-1", queue="web"))
    engine.digest()
    site.wake(late_s)
    site.wake(max(late_s, 3 * DAY))
    assert alike(live, shadow) == [outcome]
    assert len(notices(reader)) == (1 if outcome == "done" else 0)


@pytest.mark.parametrize("definition", [PLAIN, WAIT, IDLE, COUNT])
def test_events_of_a_file_that_is_imported_with_rules_do_not_expire(
    site: Site, definition: dict[str, Any]
) -> None:
    record.source("pbx", is_file=True)
    live, shadow = both(**definition)
    site.at(10 * DAY)
    engine.send(event("chat.queued", 0, interaction="C-1", queue="web"))
    engine.digest()
    site.wake(10 * DAY)
    assert alike(live, shadow) == ["done"]
    assert Source.get(Source.name == "pbx").is_file


AHEAD = 20 * 365 * DAY


def test_an_event_up_to_five_minutes_ahead_counts_as_any_other(site: Site) -> None:
    live, shadow = both(types=["call.missed"], times={"number": 2, "seconds": 600, "by": "rule"})
    for seconds in (5 * MINUTE, 0):
        engine.send(event("call.missed", seconds, interaction=f"A-{seconds}"))
    engine.digest()
    assert alike(live, shadow) == ["done"]


@pytest.mark.parametrize("ahead", [5 * MINUTE + 0.5, HOUR, AHEAD])
def test_an_event_ahead_of_the_clock_moves_no_window(site: Site, ahead: float) -> None:
    live, shadow = both(types=["call.missed"], times={"number": 3, "seconds": 600, "by": "rule"})
    engine.send(event("call.missed", ahead, interaction="future"))
    engine.digest()
    assert RuleCount.select().count() == 0
    for n in range(4):
        site.comes("call.missed", n, f"A-{n}")
    assert alike(live, shadow) == ["done"]
    assert Event.select().where(Event.interaction == "future").count() == 1


def test_an_event_ahead_of_the_clock_takes_a_limit_when_it_was_recorded(site: Site) -> None:
    reader = make.user("reader")
    limited = notify(reader, limit={"often": "period", "seconds": 300, "by": "rule"})
    live, shadow = both(types=["call.missed"], then=[limited])
    engine.send(event("call.missed", 9 * HOUR, interaction="future"))
    engine.digest()
    assert RuleLimit.get(~RuleLimit.shadow).next_ts == NOON // 1000 + 300
    site.comes("call.missed", MINUTE, "A-1")
    site.comes("call.missed", 5 * MINUTE, "A-2")
    assert alike(live, shadow) == ["done", "throttled", "done"]


@pytest.mark.parametrize("definition", [WAIT, IDLE, COUNT])
def test_an_event_ahead_of_the_clock_begins_no_timer_and_no_count(
    site: Site, definition: dict[str, Any]
) -> None:
    live, shadow = both(**definition)
    engine.send(event("chat.queued", HOUR, interaction="C-1", queue="web"))
    engine.digest()
    assert Timer.select().count() == 0
    assert Subject.select().count() == 0
    site.wake(9 * HOUR)
    assert alike(live, shadow) == []


def test_an_event_ahead_of_the_clock_is_no_activity_and_no_state_of_its_subject(site: Site) -> None:
    idle = both(types=["ticket.idle"], after={"seconds": HOUR})
    is_changed = {"if": {"all": [{"field": "data.status", "op": "changed"}]}}
    changed = both(types=["ticket.updated"], **is_changed)
    site.comes("ticket.created", 0, data={"status": "open"})
    engine.send(event("ticket.updated", AHEAD, interaction="T-1", user="jana", data={"status": "closed"}))
    engine.digest()
    site.comes("ticket.updated", MINUTE, data={"status": "open"})
    assert alike(*changed) == []
    site.wake(2 * HOUR)
    assert alike(*idle) == ["done"]
    assert Subject.get().last_ms == NOON + MINUTE * 1000


def test_an_event_ahead_of_the_clock_calls_off_no_wait(site: Site) -> None:
    waits = {"types": ["chat.queued"], "wait": {"seconds": HOUR, "unless": ["chat.accepted"]}}
    live, shadow = both(**waits)
    site.comes("chat.queued", 0, "C-1", user=None)
    engine.send(event("chat.accepted", 50 * MINUTE, interaction="C-1", user="jana"))
    engine.digest()
    site.wake(HOUR)
    assert alike(live, shadow) == ["done"]


@pytest.mark.parametrize(
    ("definition", "seconds", "now", "said"),
    [
        (PLAIN, 0, 30 * DAY, [explain.EXPIRED]),
        (WAIT, 0, 30 * DAY, [explain.EXPIRED]),
        (WAIT, HOUR, 0, [occurrences.CLOCK_AHEAD]),
    ],
)
def test_why_not_names_the_time_of_the_event(
    site: Site, definition: dict[str, Any], seconds: float, now: float, said: list[str]
) -> None:
    live = rule(**definition)
    site.at(now)
    engine.send(event("chat.queued", seconds, interaction="C-1", queue="web"))
    engine.digest()
    site.wake(now)
    ready = active_rules.load(live)
    row = event_rows.rows(event_rows.columns().where(Event.type == "chat.queued"))[0]
    assert ready is not None
    occurrence = occurrences.of_event(ready, row, "UTC")
    assert occurrence is not None
    answer = explain.ask(ready, occurrence, row.recorded_ms, "UTC")
    assert [reason.text for reason in answer.reasons] == said
