"""One user's day or week whole: what page, API and files show, from one set of reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from dashboard.access.scope import Scope
from dashboard.clock import Span
from dashboard.tracing import corrections, load, people
from dashboard.tracing.corrections import Correction
from dashboard.tracing.load import ActivityRow
from dashboard.tracing.ongoing import AsOf
from dashboard.tracing.people import Person
from dashboard.tracing.statistics import Figures, figures
from dashboard.tracing.types import ClosedRow, IntervalRow, Kind


@dataclass(frozen=True)
class Trace:
    """Everything known about `person` in `span`, in the scope it was read with, as of one instant."""

    scope: Scope
    person: Person
    span: Span
    zone: str
    as_of: int
    intervals: Sequence[IntervalRow]
    closed: Sequence[ClosedRow]
    events: Mapping[str, int]
    horizons: Mapping[int, int]
    never_signed_in: bool

    @cached_property
    def figures(self) -> Figures:
        return self.figures_of(self.span)

    def figures_of(self, span: Span) -> Figures:
        """Return the figures of a part of the period, such as one day of the week."""
        part = self.part(span)
        return figures(
            part.intervals,
            part.closed,
            span,
            self.as_of,
            self.horizons,
            self.never_signed_in,
            (self.person.created_ts, self.person.deactivated_ts),
            self.events,
        )

    def part(self, span: Span) -> Trace:
        """Return the trace of a part of the period from what has been read, but with all its events."""
        rows = [
            row
            for row in self.intervals
            if row.start < span.end and (row.end is None or row.end > span.start or row.start >= span.start)
        ]
        closed = [row for row in self.closed if span.start <= row.at < span.end]
        return replace(self, span=span, intervals=rows, closed=closed)

    @cached_property
    def activities(self) -> list[ActivityRow]:
        """All activities of the period, oldest first."""
        return load.activities(self.scope, self.person.id, self.span, at=self.at)

    @cached_property
    def corrections(self) -> list[Correction]:
        """The corrections of time in the period, those that were taken back included."""
        return corrections.of_users(self.scope, [self.person.id], self.span).get(self.person.id, [])

    @property
    def at(self) -> AsOf:
        return AsOf(self.as_of, self.horizons)

    @cached_property
    def proved(self) -> dict[tuple[int | None, int], int]:
        """(activity, kind) → proved seconds of a segment that was cut as of this instant."""
        cut = [row for row in self.intervals if row.was_open and row.end is not None]
        return {(row.activity_id, row.kind): (row.end or 0) - row.start for row in cut}

    @cached_property
    def seconds(self) -> dict[int, int]:
        """Activity → seconds of handling inside the period."""
        return load.clipped(self.intervals, self.span, self.as_of, self.horizons)

    @cached_property
    def open_since(self) -> dict[tuple[int | None, int], int]:
        """(activity, kind) → when the segment that is still open began."""
        return {(row.activity_id, row.kind): row.start for row in self.intervals if row.end is None}

    def last(self, source_id: int) -> int:
        """Return the instant up to which an open stretch of this source is known."""
        return min(self.as_of, self.horizons.get(source_id, self.as_of))


def read(scope: Scope, login: str, span: Span, zone: str, as_of: int) -> Trace | None:
    """Return the trace of the user of that login; None when the viewer may not see one."""
    found = people.traced(scope, login, zone)
    if found is None:
        return None
    person, at = found.person, load.as_of(as_of)
    return Trace(
        scope,
        person,
        span,
        zone,
        as_of,
        load.intervals(scope, person.id, span, at),
        load.closed(scope, person.id, span),
        load.event_counts(scope, person.id, span),
        at.horizons,
        found.never_signed_in,
    )


def length(trace: Trace, row: ActivityRow, kind: Kind) -> int:
    """Return the whole ringing, handling, talk or hold of an activity in seconds; open ones run to now."""
    ended = {
        Kind.RINGING: row.ringing_s,
        Kind.HANDLING: row.handling_s,
        Kind.TALK: row.talk_s,
        Kind.HOLD: row.hold_s,
    }[kind]
    begun = trace.open_since.get((row.id, kind))
    ended += trace.proved.get((row.id, kind), 0)
    return ended if begun is None else ended + max(0, trace.last(row.source_id) - begun)
