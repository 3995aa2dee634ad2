"""Timers of what waits, and of pauses: what begins and ends them, at work, in shadow and in backtests."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import time_machine

from dashboard.models import Rule
from dashboard.rules import active_rules, event_rows, explain, occurrences
from dashboard.rules.timing import backfill
from tests import make
from tests.rules import engine
from tests.rules.agree import alike, both
from tests.rules.engine import NOON, notices, notify, rule
from tests.rules.time import HOUR, MINUTE, Site, fired, pending

pytestmark = [pytest.mark.both_databases, pytest.mark.usefixtures("db")]

Told = tuple[str, float, dict[str, Any]]


@pytest.fixture
def site() -> Iterator[Site]:
    with time_machine.travel(NOON / 1000, tick=False) as travel:
        yield Site(travel)


def told(type_: str, seconds: float, **more: Any) -> Told:
    return type_, seconds, more


QUEUED = told("chat.queued", 0, queue="web", user=None)
SECOND = told("chat.queued", 60, queue="sales", user=None)
CREATED = told("ticket.created", 0, user=None)
PAUSED = told("agent.pause_started", 0.4, data={"pause": "Lunch"}, name=None)
SIGNED_IN = told("agent.signed_in", -60, name=None)
# By name: the type of the deadline, the events, and when it falls due with a wait of two minutes.
CASES: dict[str, tuple[str, list[Told], list[float]]] = {
    "a chat that nobody takes": ("chat.waiting", [QUEUED], [120]),
    "a chat taken in time": ("chat.waiting", [QUEUED, told("chat.accepted", 119)], []),
    "a chat taken later": ("chat.waiting", [QUEUED, told("chat.accepted", 121)], [120]),
    "abandoned": ("chat.waiting", [QUEUED, told("chat.abandoned", 60, user=None)], []),
    "missed": ("chat.waiting", [QUEUED, told("chat.missed", 60, user=None)], []),
    "closed": ("chat.waiting", [QUEUED, told("chat.closed", 60, user=None)], []),
    "rejected by one agent": (
        "chat.waiting",
        [QUEUED, told("chat.offered", 30), told("chat.rejected", 50)],
        [120],
    ),
    "moved to another queue": ("chat.waiting", [QUEUED, SECOND], [120]),
    "missed in one of two queues": (
        "chat.waiting",
        [QUEUED, SECOND, told("chat.missed", 90, queue="web", user=None)],
        [120],
    ),
    "queued again after the end": (
        "chat.waiting",
        [QUEUED, told("chat.missed", 60, user=None), told("chat.queued", 300, queue="web", user=None)],
        [420],
    ),
    "a chat that rings at once": ("chat.waiting", [told("chat.offered", 0)], []),
    "a call": ("call.waiting", [told("call.queued", 0, queue="line", user=None)], [120]),
    "a call taken": (
        "call.waiting",
        [told("call.queued", 0, queue="line", user=None), told("call.accepted", 5)],
        [],
    ),
    "a ticket that nobody takes": ("ticket.waiting", [CREATED], [120]),
    "a ticket created for somebody": (
        "ticket.waiting",
        [told("ticket.created", 0, data={"assignee": "jana"})],
        [],
    ),
    "a ticket assigned": ("ticket.waiting", [CREATED, told("ticket.assigned", 60)], []),
    "a ticket assigned by an update": (
        "ticket.waiting",
        [CREATED, told("ticket.updated", 60, data={"assignee": "jana"})],
        [],
    ),
    "a ticket answered": ("ticket.waiting", [CREATED, told("ticket.message_sent", 60)], []),
    "a ticket that is changed only": (
        "ticket.waiting",
        [CREATED, told("ticket.updated", 60, data={"status": "open"})],
        [120],
    ),
    "a ticket closed": ("ticket.waiting", [CREATED, told("ticket.closed", 60)], []),
    "a ticket that comes back": (
        "ticket.waiting",
        [CREATED, told("ticket.message_sent", 60), told("ticket.closed", 90), told("ticket.reopened", 300)],
        [420],
    ),
    "a pause": ("agent.pause_limit_reached", [SIGNED_IN, PAUSED], [120]),
    "a pause that ends": (
        "agent.pause_limit_reached",
        [SIGNED_IN, PAUSED, told("agent.pause_ended", 100, name=None)],
        [],
    ),
    "signed out on the pause": (
        "agent.pause_limit_reached",
        [SIGNED_IN, PAUSED, told("agent.signed_out", 100, name=None)],
        [],
    ),
    "a second pause": (
        "agent.pause_limit_reached",
        [
            SIGNED_IN,
            PAUSED,
            told("agent.pause_ended", 100, name=None),
            told("agent.pause_started", 200, data={"pause": "Break"}, name=None),
        ],
        [320],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_waiting_falls_due_unless_something_ends_it(site: Site, case: str) -> None:
    type_, events, expected = CASES[case]
    live, shadow = both(types=[type_], after={"seconds": 120})
    for name, seconds, more in events:
        site.comes(name, seconds, **{"name": "W-1", **more})
    site.wake(HOUR)
    assert [at for rule_id, _outcome, at in fired() if rule_id == live.id] == expected
    assert alike(live, shadow) == ["done"] * len(expected)
    assert pending() == []


def test_conditions_and_texts_see_how_long_and_which_pause(site: Site) -> None:
    boss = make.administrator("boss")
    rule(
        notify(boss, title="{{ data.pause }} {{ data.state_s }} {{ data.paid }}"),
        types=["agent.pause_limit_reached"],
        after={"seconds": 30 * MINUTE},
        **{"if": {"all": [{"field": "data.pause", "op": "is", "value": "Lunch"}]}},
    )
    rule(
        notify(boss, title="{{ data.wait_s }} {{ queue.name }}"),
        types=["chat.waiting"],
        after={"seconds": 120},
    )
    for name, seconds, more in (SIGNED_IN, PAUSED, QUEUED):
        site.comes(name, max(seconds, 0), **{"name": "W-1", **more})
    site.wake(HOUR)
    assert sorted(notices(boss)) == ["0:02:00 web", "Lunch 0:30:00 No"]


@pytest.mark.parametrize(
    ("type_", "events"),
    [("chat.waiting", [QUEUED]), ("ticket.waiting", [CREATED]), ("agent.pause_limit_reached", [PAUSED])],
)
def test_a_rule_finds_what_waits_already_if_it_is_to(site: Site, type_: str, events: list[Told]) -> None:
    for name, seconds, more in events:
        site.comes(name, seconds, **{"name": "W-1", **more})
    one = rule(types=[type_], after={"seconds": 120})
    ready = active_rules.load(one)
    assert ready is not None
    assert backfill.count_existing(ready.definition) == 1
    site.at(60)
    backfill.arm_existing(one.id)
    engine.worker.drain()
    site.wake(HOUR)
    assert [outcome for _rule, outcome in engine.outcomes(one)] == ["done"]


def test_why_not_says_when_a_wait_falls_due_and_what_ended_it(site: Site) -> None:
    one = rule(types=["chat.waiting"], after={"seconds": 120})
    site.comes("chat.queued", 0, "W-1", queue="web", user=None)
    assert _reasons(one) == [occurrences.NOT_DUE]
    site.comes("chat.accepted", 60, "W-1")
    assert _reasons(one) == [occurrences.ENDED]


def _reasons(one: Rule) -> list[str]:
    ready = active_rules.load(one)
    row = max(event_rows.rows(event_rows.columns()))
    assert ready is not None
    occurrence = occurrences.of_event(ready, row, "UTC")
    assert occurrence is not None
    return [reason.text for reason in explain.ask(ready, occurrence, row.recorded_ms, "UTC").reasons]
