"""Pending deadlines: a timer row is created by the event that begins a period, then left alone.

Later events of the subject touch no timer: when one is due, `deadline_worker` reads the log and either
fires or moves it. A subject has one row per type of deadline, however many rules wait for it. All of it
happens in the evaluating transaction, under its lock. Source: semantics 9.6.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from dashboard.db import dialect
from dashboard.jobs.work import WAITING
from dashboard.models import Timer
from dashboard.rulelang.fields import EventFacts
from dashboard.rulelang.rate_limits import By, limit_key
from dashboard.rules import deadlines, event_facts, event_rows, state_periods
from dashboard.rules.active_rules import Live, LiveRule
from dashboard.rules.deadline_index import DeadlineIndex, current
from dashboard.rules.deadlines import wait_episode
from dashboard.rules.event_rows import EventRow
from dashboard.rules.state_periods import OF_AGENTS, StatePeriod

HELD = "held:"  # begins the kind of what fell due while a rule's group paused
HELD_MS = 2**62  # when that is due: not by itself
SUBJECT_MAX = 300

COLUMNS = (
    "rule_id",
    "version",
    "kind",
    "subject",
    "source_id",
    "interaction",
    "user_id",
    "event_id",
    "base_ms",
    "due_ms",
    "error",
    "state",
    "attempts",
    "worker",
)


class New(NamedTuple):
    """A row of the table, in the order of COLUMNS."""

    rule_id: int
    version: int
    kind: str
    subject: str
    source_id: int | None
    interaction: str | None
    user_id: int | None
    event_id: int | None
    base_ms: int
    due_ms: int
    error: str = ""
    state: str = WAITING
    attempts: int = 0
    worker: str = ""


def arm(live: Live, events: Sequence[EventRow]) -> None:
    """Start the deadlines of the subjects on which these new events may begin a stretch.

    A subject whose deadline is pending keeps it, unless an event that comes late makes an earlier one.
    """
    waiting = current(live)
    found: dict[tuple[str, str], New] = {}
    for event in event_rows.in_time(events):
        for type_ in _begun_by(event.type, waiting):
            row = _of_event(type_, event, waiting)
            if row is not None:
                place = (row.kind, row.subject)
                found[place] = min(found.get(place, row), row, key=lambda each: each.due_ms)
    put(found.values())


def put(rows: Iterable[New]) -> None:
    """Store shared rows; where one of the subject is pending, the earlier deadline of the two stays."""
    dialect.insert_earliest("timer", COLUMNS, ("kind", "subject", "rule_id"), "due_ms", list(rows))


def wait(rule: LiveRule, facts: EventFacts) -> None:
    """Wait after the event that a rule matched; `deadline_worker` evaluates it when the wait is over.

    After an event ahead of the server's clock it does not wait.
    """
    waiting = rule.definition.wait
    if waiting is None or event_facts.is_clock_ahead(facts):
        return
    calendars = current().calendars
    due = deadlines.later(facts["time"], waiting.seconds, waiting.calendar, calendars)
    if due is None:
        return
    subject = limit_key(By.SUBJECT, rule.id, facts)[:SUBJECT_MAX]
    put(
        [
            New(
                rule.id,
                rule.version,
                wait_episode(facts["id"]),
                subject,
                facts.get("source_id"),
                facts.get("interaction"),
                facts.get("user"),
                facts["id"],
                facts["time"],
                due,
            )
        ]
    )


def hold(row: Timer, rule: LiveRule, stretch: StatePeriod, at_ms: int) -> None:
    """Keep what fell due at `at_ms` for a rule whose group pauses, in a row of its own."""
    kind = f"{HELD}{row.kind}:{stretch.begun_ms}"
    put(
        [
            New(
                rule.id,
                rule.version,
                kind,
                row.subject,
                row.source_id,
                row.interaction,
                row.user_id,
                stretch.event_id,
                at_ms,
                HELD_MS,
            )
        ]
    )


def held_of(row: Timer) -> tuple[str, int]:
    """Return the deadline type and the beginning of the stretch that a row of hold() is about."""
    _held, type_, begun_ms = row.kind.split(":")
    return type_, int(begun_ms)


def subject_of(type_: str, event: EventRow) -> str | None:
    """Return the name of what a deadline of `type_` is about; None where the event names none."""
    if type_ in OF_AGENTS:
        return None if event.user_id is None else f"user:{event.user_id}"
    return None if event.interaction is None else interaction(event.source_id, event.interaction)


def interaction(source_id: int, name: str) -> str:
    """Return the timers' name of an interaction."""
    return f"interaction:{source_id}:{name}"


def _begun_by(event_type: str, waiting: DeadlineIndex) -> list[str]:
    kind = state_periods.kind_of(event_type)
    return [
        type_
        for type_ in waiting.groups
        if state_periods.kind_of(type_) == kind and deadlines.begins(type_, event_type)
    ]


def _of_event(type_: str, event: EventRow, waiting: DeadlineIndex) -> New | None:
    subject = subject_of(type_, event)
    if state_periods.is_dated(type_):
        base = state_periods.told(type_, event.data)
    else:
        base = state_periods.kept_ms(type_, event.time_ms)
    if subject is None or base is None:
        return None
    due = waiting.earliest(type_, base)
    if due is None:
        return None
    own = type_ in OF_AGENTS
    return New(
        0,
        0,
        type_,
        subject,
        event.source_id,
        None if own else event.interaction,
        event.user_id if own else None,
        event.id,
        event.time_ms,
        max(due, event.time_ms),
    )
