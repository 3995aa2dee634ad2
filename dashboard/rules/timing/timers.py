"""Pending deadlines: a timer row is created by the event that begins a period, then left alone.

Later events of the subject touch no timer: when one is due, `deadline_worker` reads the log and either
fires or moves it. A subject has one row per type of deadline, however many rules wait for it. All of it
happens in the evaluating transaction, under its lock. Source: semantics 9.6.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import NamedTuple

from dashboard.db import dialect
from dashboard.jobs.work import RUNNING, WAITING
from dashboard.models import Timer
from dashboard.rulelang import subjects
from dashboard.rulelang.fields import EventFacts
from dashboard.rulelang.rate_limits import By, limit_key
from dashboard.rules import event_facts, event_rows
from dashboard.rules.active_rules import Live, LiveRule
from dashboard.rules.event_rows import EventRow
from dashboard.rules.timing import deadlines, state_periods
from dashboard.rules.timing.deadline_index import DeadlineIndex, current
from dashboard.rules.timing.deadlines import wait_episode
from dashboard.rules.timing.state_periods import OF_AGENTS, StatePeriod

SUBJECT_MAX = 300


class TimerKind(StrEnum):
    """What a timer is for."""

    DEADLINE = "deadline"  # of a subject, shared by all rules of its type
    WAIT = "wait"  # of a rule, after an event
    SCHEDULE = "schedule"  # the next run of a rule that runs by the calendar
    DEFERRED = "deferred"  # a deadline that came for a rule while its group was paused


class TimerState(StrEnum):
    """The state of a timer. The first two are those of jobs.work."""

    WAITING = WAITING
    RUNNING = RUNNING
    HELD = "held"  # while the group of its rule is paused, however long it has been due
    CANCELLED = "cancelled"  # by an edit of its rule


class New(NamedTuple):
    """A row to store, in the order of the columns."""

    type: str
    subject: str
    source_id: int | None
    interaction: str | None
    user_id: int | None
    event_id: int | None
    base_ms: int
    due_ms: int
    kind: str = TimerKind.DEADLINE.value
    rule_id: int | None = None
    version: int = 0
    begun_ms: int | None = None
    state: str = TimerState.WAITING.value
    error: str = ""
    attempts: int = 0
    worker: str = ""


def arm(live: Live, events: Sequence[EventRow]) -> None:
    """Start the deadlines of the subjects on which these new events may begin a period.

    A subject whose deadline is pending keeps it, unless an event that comes late makes an earlier one.
    """
    waiting = current(live)
    found: dict[tuple[str, str], New] = {}
    for event in event_rows.in_time(events):
        for type_ in _begun_by(event.type, waiting):
            row = _of_event(type_, event, waiting)
            if row is not None:
                place = (row.type, row.subject)
                found[place] = min(found.get(place, row), row, key=lambda each: each.due_ms)
    put(found.values())


def put(rows: Iterable[New]) -> None:
    """Store shared rows; where one of the subject is pending, the earlier deadline of the two stays."""
    key = ("type", "subject")
    dialect.insert_earliest("timer", New._fields, key, "due_ms", list(rows), among='"rule_id" IS NULL')


def add(row: New) -> None:
    """Store the row of one rule, unless the same is pending."""
    dialect.insert_many("timer", New._fields, [row], ignore_repeats=True)


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
    add(
        New(
            "",
            limit_key(By.SUBJECT, rule.id, facts)[:SUBJECT_MAX],
            facts.get("source_id"),
            facts.get("interaction"),
            facts.get("user"),
            facts["id"],
            facts["time"],
            due,
            TimerKind.WAIT.value,
            rule.id,
            rule.version,
        )
    )


def defer(row: Timer, rule: LiveRule, period: StatePeriod, at_ms: int) -> None:
    """Hold the deadline of a rule whose group is paused, due at `at_ms`, in a row of its own."""
    add(
        New(
            row.type,
            row.subject,
            row.source_id,
            row.interaction,
            row.user_id,
            period.event_id,
            at_ms,
            at_ms,
            TimerKind.DEFERRED.value,
            rule.id,
            rule.version,
            period.begun_ms,
            TimerState.HELD.value,
        )
    )


def firing_of(row: Timer) -> str:
    """Return what names the run of a timer of one rule."""
    return wait_episode(row.event_id or 0) if row.kind == TimerKind.WAIT else f"{row.type}:{row.begun_ms}"


def subject_of(type_: str, event: EventRow) -> str | None:
    """Return the name of what a deadline of `type_` is about; None where the event names none."""
    if type_ in OF_AGENTS:
        return None if event.user_id is None else subjects.of_user(event.user_id)
    if event.interaction is None:
        return None
    return subjects.of_interaction(event.source_id, event.interaction)


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
        base = state_periods.named_ms(type_, event.data)
    else:
        base = state_periods.kept_ms(type_, event.time_ms)
    if subject is None or base is None:
        return None
    due = waiting.earliest(type_, base)
    if due is None:
        return None
    own = type_ in OF_AGENTS
    return New(
        type_,
        subject,
        event.source_id,
        None if own else event.interaction,
        event.user_id if own else None,
        event.id,
        event.time_ms,
        max(due, event.time_ms),
    )
