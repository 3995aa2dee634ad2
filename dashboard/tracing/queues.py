"""A queue's period hour by hour: what came in, what became of it, how long it waited and talked.

An interaction counts as the data source of interactions says: in the hour in which it entered the queue, or
in which it was first seen when it never entered; one turned away at the door (closed, full, nobody there,
diverted) was received all the same; the answered rate leaves out what came while the queue was closed.
Durations are whole seconds, cut down.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from dashboard import clock
from dashboard.access.scope import Scope
from dashboard.clock import Slot, Span
from dashboard.db import rows
from dashboard.models import Queue
from dashboard.sources import answer, run
from dashboard.sources.catalogue import INTERACTIONS
from dashboard.sources.derived import Values
from dashboard.sources.parameters import parse

SUMS = {
    "received": "count",
    **{
        name: f"sum:is_{name}"
        for name in (
            "entered",
            "answered",
            "abandoned",
            "closed",
            "blocked",
            "unfinished",
            "moved_on",
            "without_end",
        )
    },
    "timeouts": "sum:timeouts",
    "wait": "sum:wait",
    "wait_known": "sum:is_wait_known",
    "longest": "max:wait",
    "talk": "sum:talk",
    "in_level": "sum:in_level",
    "level": "service_level",
}


class QueueRow(NamedTuple):
    """A queue as its figures name it; `sla_seconds` is its service level."""

    id: int
    name: str
    label: str
    channel: str
    sla_seconds: int


@dataclass(frozen=True)
class QueueFigures:
    """Counts and seconds of the interactions of one hour or period.

    received = answered + abandoned + unfinished + moved_on + all of `lost`, which counts by reason what ended
    untaken otherwise. `wait` is the sum over the `wait_known` interactions whose wait is known. `level` is
    the share, 0 to 1, answered in level of those received while open and by now answered or lost.
    """

    received: int
    entered: int
    answered: int
    abandoned: int
    closed: int
    blocked: int
    unfinished: int
    moved_on: int  # left for another queue, without a result in this one
    without_end: int  # whose end was never recorded, in the other counts too
    timeouts: int  # earlier stays that timed out; the interaction counts by its last one
    wait: int
    wait_known: int
    longest: int | None
    talk: int
    in_level: int
    level: float | None
    lost: Mapping[str, int] = field(default_factory=dict)

    @property
    def answered_pct(self) -> int | None:
        """Answered of those received while the queue was open, in whole percent, cut down."""
        came = self.received - self.closed
        return self.answered * 100 // came if came else None

    @property
    def average_wait(self) -> int | None:
        return self.wait // self.wait_known if self.wait_known else None


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
    """Return the figures of the queue called `name` for each hour of `span`; None outside the scope.

    Raises run.TooLong.
    """
    found = queue(scope, name)
    if found is None:
        return None
    given = {
        "from": [clock.iso(span.start, zone)],
        "to": [clock.iso(span.end, zone)],
        "queue": [name],
        "is_received": ["1"],
    }
    hours = _figures(scope, zone, {**given, "group": ["hour"], "measures": list(SUMS.values())})
    lost = _figures(
        scope,
        zone,
        {**given, "group": ["hour", "reason"], "measures": ["count"], "outcome": ["missed"]},
    )
    by_hour: dict[int, dict[str, int]] = {}
    for (hour, reason), values in lost.rows:
        if values["count"]:
            by_hour.setdefault(hour, {})[reason] = values["count"]
    total: dict[str, int] = {}
    for reasons in by_hour.values():
        for reason, count in reasons.items():
            total[reason] = total.get(reason, 0) + count
    return QueueDay(
        found,
        span,
        zone,
        clock.hours(span, zone),
        [_of(values, by_hour.get(key[0], {})) for key, values in hours.rows],
        _of(hours.total, total),
    )


def _figures(scope: Scope, zone: str, given: Mapping[str, Sequence[str]]) -> run.Figures:
    return run.figures(scope, parse(INTERACTIONS, given, zone, clock.now_s(), answer.names(scope)))


def _of(values: Values, lost: Mapping[str, int]) -> QueueFigures:
    figures = {name: values[measure] for name, measure in SUMS.items()}
    return QueueFigures(**figures, lost=dict(sorted(lost.items())))


def as_json(figures: QueueFigures) -> dict[str, Any]:
    """Return the figures as the interface gives them: counts, seconds, percent; null without a figure."""
    return {
        "received": figures.received,
        "entered": figures.entered,
        "answered": figures.answered,
        "abandoned": figures.abandoned,
        "lost": dict(figures.lost),
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
