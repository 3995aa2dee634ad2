"""A queue's day hour by hour: what came in, what became of it, how long it waited and talked.

Source of the rules: a call is one interaction, known by its call id and queue; it belongs to the
hour in which it entered the queue, or in which it was first seen when it never entered; one turned
away at the door (closed, full, nobody there, diverted) was received all the same; the answered rate
leaves out what came while the queue was closed. Durations are whole seconds, cut down.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import peewee

from dashboard import clock
from dashboard.access.scope import Scope
from dashboard.clock import Slot, Span
from dashboard.db import rows
from dashboard.models import Interaction, Queue, Source
from dashboard.tracing.bounds import EndReason

CLOSED = "closed"
BLOCKED = frozenset({"full", "joinempty", "divert_ca_ratio", "divert_holdtime"})
DAY_MS = 86_400_000  # nothing enters a queue later than a day after its first event


class QueueRow(NamedTuple):
    """A queue as its figures name it; `sla_seconds` is its service level."""

    id: int
    name: str
    label: str
    channel: str
    sla_seconds: int


class Call(NamedTuple):
    """An interaction of a queue; `at` is the second in which it counts, `entered` whether it queued."""

    at: int
    entered: bool
    outcome: str
    reason: str
    wait_s: int | None
    talk_s: int
    timeouts: int = 0  # of its earlier stays in the queue
    without_end: bool = False  # no end was recorded, and it is not ongoing
    moved_on: bool = False  # it left for another queue, without a result in this one


@dataclass(frozen=True)
class QueueFigures:
    """Counts and seconds of the calls of one hour or day.

    received = answered + abandoned + unfinished + moved_on + all of `lost`, which counts by reason what ended
    untaken otherwise. `wait` is the sum over the `wait_known` calls whose wait is known.
    """

    received: int = 0
    entered: int = 0
    answered: int = 0
    abandoned: int = 0
    unfinished: int = 0
    moved_on: int = 0  # left for another queue, without a result in this one
    without_end: int = 0  # calls whose end was never recorded, in the other counts too
    timeouts: int = 0  # earlier stays that timed out; the call counts by its last one
    wait: int = 0
    wait_known: int = 0
    longest: int | None = None
    talk: int = 0
    in_level: int = 0
    lost: Mapping[str, int] | None = None

    @property
    def closed(self) -> int:
        return (self.lost or {}).get(CLOSED, 0)

    @property
    def blocked(self) -> int:
        return sum(count for reason, count in (self.lost or {}).items() if reason in BLOCKED)

    @property
    def other_lost(self) -> int:
        """Lost for another reason than a closed or blocked queue: time ran out, a key was pressed …"""
        return sum((self.lost or {}).values()) - self.closed - self.blocked

    @property
    def answered_pct(self) -> int | None:
        """Answered of those received while the queue was open, in whole percent, cut down."""
        came = self.received - self.closed
        return self.answered * 100 // came if came else None

    @property
    def average_wait(self) -> int | None:
        return self.wait // self.wait_known if self.wait_known else None

    @property
    def level(self) -> float | None:
        """Share, 0 to 1, answered in level of those received while open and by now answered or lost."""
        done = self.received - self.closed - self.unfinished - self.moved_on
        return self.in_level / done if done else None


@dataclass(frozen=True)
class QueueDay:
    """A queue's period in the hours of a zone."""

    queue: QueueRow
    span: Span
    zone: str
    slots: Sequence[Slot]
    hours: Sequence[QueueFigures]
    total: QueueFigures


def queues(scope: Scope, deactivated: bool = False) -> list[QueueRow]:
    """Return the queues whose content the viewer may see, by label."""
    q = Queue
    wanted = scope.allows_queue(q.id)
    if not deactivated:
        wanted &= q.deactivated_ts.is_null()
    query = q.select(q.id, q.name, q.label, q.channel, q.sla_seconds).where(wanted).order_by(q.label, q.id)
    return rows(query, QueueRow)


def queue(scope: Scope, name: str) -> QueueRow | None:
    """Return the queue that events call `name`; None when there is none or not for this viewer."""
    q = Queue
    query = q.select(q.id, q.name, q.label, q.channel, q.sla_seconds)
    found = rows(query.where((q.name == name) & scope.allows_queue(q.id)), QueueRow)
    return found[0] if found else None


def day(scope: Scope, name: str, span: Span, zone: str) -> QueueDay | None:
    """Return the figures of the queue called `name` for each hour of `span`; None outside the scope."""
    found = queue(scope, name)
    if found is None:
        return None
    calls = _calls(found.id, span)
    slots = clock.hours(span, zone)
    by_hour = [[call for call in calls if slot.start <= call.at < slot.end] for slot in slots]
    return QueueDay(
        found,
        span,
        zone,
        slots,
        [count(each, found.sla_seconds) for each in by_hour],
        count(calls, found.sla_seconds),
    )


def count(calls: Iterable[Call], sla_seconds: int) -> QueueFigures:
    """Return the figures of these calls; pure."""
    chosen = list(calls)
    lost: dict[str, int] = {}
    for call in chosen:
        if call.outcome == "missed":
            lost[call.reason] = lost.get(call.reason, 0) + 1
    waits = [call.wait_s for call in chosen if call.wait_s is not None]
    answered = [call for call in chosen if call.outcome == "answered"]
    return QueueFigures(
        received=len(chosen),
        entered=sum(call.entered for call in chosen),
        answered=len(answered),
        abandoned=sum(call.outcome == "abandoned" for call in chosen),
        unfinished=sum(not call.outcome and not call.moved_on for call in chosen),
        moved_on=sum(not call.outcome and call.moved_on for call in chosen),
        without_end=sum(call.without_end and not call.moved_on for call in chosen),
        timeouts=sum(call.timeouts for call in chosen),
        wait=sum(waits),
        wait_known=len(waits),
        longest=max(waits, default=None),
        talk=sum(call.talk_s for call in chosen),
        in_level=sum(call.wait_s is not None and call.wait_s <= sla_seconds for call in answered),
        lost=dict(sorted(lost.items())),
    )


def as_json(figures: QueueFigures) -> dict[str, Any]:
    """Return the figures as the interface gives them: counts, seconds, percent; null without a figure."""
    return {
        "received": figures.received,
        "entered": figures.entered,
        "answered": figures.answered,
        "abandoned": figures.abandoned,
        "lost": dict(figures.lost or {}),
        "closed": figures.closed,
        "blocked": figures.blocked,
        "unfinished": figures.unfinished,
        "moved_on": figures.moved_on,
        "without_end": figures.without_end,
        "timeouts": figures.timeouts,
        "answered_pct": figures.answered_pct,
        "wait": figures.wait,
        "wait_known": figures.wait_known,
        "average_wait": figures.average_wait,
        "longest_wait": figures.longest,
        "talk": figures.talk,
        "in_level": figures.in_level,
        "level": figures.level,
    }


def _calls(queue_id: int, span: Span) -> list[Call]:
    """Return the queue's interactions of the span (an index range on the first event), by time."""
    i = Interaction
    at = peewee.fn.COALESCE(i.queued_ts, i.first_ms / 1000)
    received = i.queued_ts.is_null(False) | (i.outcome != "")
    near = (i.first_ms >= span.start * 1000 - DAY_MS) & (i.first_ms < span.end * 1000)
    bounded = i.end_bound.is_null(False) | Source.is_file
    bounded |= i.expires_ts.is_null(False) & (i.expires_ts <= clock.now_s())
    query = (
        i.select(
            at,
            i.queued_ts.is_null(False),
            i.outcome,
            i.reason,
            i.wait_s,
            i.talk_s,
            peewee.fn.COALESCE(i.timeouts, 0),
            i.ended_ts.is_null() & bounded,
            peewee.fn.COALESCE(i.end_reason, "") == EndReason.MOVED_ON,
        )
        .join(Source, on=(Source.id == i.source))
        .where((i.queue_id == queue_id) & near & received & (at >= span.start) & (at < span.end))
        .order_by(at, i.id)
    )
    return [
        Call._make((int(when), bool(entered), *facts, bool(endless), bool(moved)))
        for when, entered, *facts, endless, moved in query.tuples()
    ]
