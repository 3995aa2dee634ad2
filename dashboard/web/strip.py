"""Geometry of the strip of a day: presence above, work below, x in percent of a shared axis. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from dashboard import clock
from dashboard.clock import Span
from dashboard.i18n import formats
from dashboard.intervals import Pair, clip, union
from dashboard.tracing.ongoing import signed_in
from dashboard.tracing.types import ACTIVITY_TYPES, IntervalRow, Kind, type_of

LEAST_HOURS = 10
CROWDED = 14  # with more hours, only every sixth hour has a label
GAP_SHARE = 0.002  # of the axis; marks of one kind that are closer are merged
THIN = 0.3  # minimum width of a mark in percent
MISS = "miss"  # a cross at x
PRESENT = (("ready", Kind.READY, None), ("pause", Kind.PAUSE, True), ("pause", Kind.PAUSE, False))
STATUS_TOP, STATUS_HEIGHT, WORK_TOP, WORK_HEIGHT = 0, 5, 7, 11


class Axis(NamedTuple):
    """Whole hours [start, end) in UTC epoch seconds, with labels (percent, text, anchor)."""

    start: int
    end: int
    labels: tuple[tuple[float, str, str], ...]

    @property
    def first(self) -> str:
        return self.labels[0][1] if self.labels else ""

    @property
    def last(self) -> str:
        return self.labels[-1][1] if self.labels else ""


class Mark(NamedTuple):
    """A rectangle: CSS class, x and width in percent, y and height in pixels."""

    css: str
    x: float
    width: float
    y: int
    height: int
    paid: bool = False


def axis(span: Span, zone: str, rows: Iterable[IntervalRow], as_of: int) -> Axis:
    """Return the axis of a day, from the first interval to one hour after now, of at least LEAST_HOURS, or
    of all days of a longer span.

    Positions are elapsed time, so a repeated hour has its own space. Every second hour or each day has a
    label; the label at the end is the following hour.
    """
    days = clock.local_dates(span, zone)
    if len(days) > 1:
        starts = [max(clock.day(on, zone).start, span.start) for on in days]
        return _axis(span.start, span.end, zip(starts, map(formats.weekday, days), strict=True))
    slots = clock.hours(span, zone)
    first = min((max(row.start, slots[0].start) for row in rows), default=as_of)
    begin = max((n for n, slot in enumerate(slots) if slot.start <= first), default=0)
    finish = next((n for n, slot in enumerate(slots) if slot.end > as_of), len(slots) - 1) + 2
    finish = min(max(finish, begin + LEAST_HOURS), len(slots))
    shown = slots[max(0, min(begin, finish - LEAST_HOURS)) : finish]
    step = 2 if len(shown) <= CROWDED else 6
    labels = [(slot.start, slot.label) for slot in shown[::step]]
    if len(shown) % step == 0:
        labels.append((shown[-1].end, slots[finish].label if finish < len(slots) else "24"))
    return _axis(shown[0].start, shown[-1].end, labels)


def _axis(start: int, end: int, labels: Iterable[tuple[int, str]]) -> Axis:
    anchors = {start: "start", end: "end"}
    placed = [(_percent(at, start, end), text, anchors.get(at, "middle")) for at, text in labels]
    return Axis(start, end, tuple(placed))


def marks(rows: Iterable[IntervalRow], span: Axis, as_of: int, misses: Iterable[int] = ()) -> list[Mark]:
    """Return the marks of presence, of work by kind and of what was not taken at the instants `misses`;
    open intervals end at `as_of`."""
    kept = signed_in(rows, as_of)
    found: list[Mark] = []
    for css, kind, paid in PRESENT:
        chosen = [row for row in kept if row.kind == kind and paid in (None, row.paid)]
        for x, width in _drawn(chosen, span, as_of):
            found.append(Mark(css, x, width, STATUS_TOP, STATUS_HEIGHT, bool(paid)))
    for css in ACTIVITY_TYPES:
        chosen = [row for row in kept if row.kind == Kind.HANDLING and type_of(row.channel) == css]
        found += [Mark(css, x, width, WORK_TOP, WORK_HEIGHT) for x, width in _drawn(chosen, span, as_of)]
    seen = sorted({_percent(at, span.start, span.end) for at in misses if span.start <= at < span.end})
    return found + [Mark(MISS, x, 0, WORK_TOP, WORK_HEIGHT) for x in seen]


def place(at: int, span: Axis) -> float:
    """Return where an instant is on the axis, in percent."""
    return _percent(at, span.start, span.end)


def _drawn(rows: Iterable[IntervalRow], span: Axis, as_of: int) -> list[tuple[float, float]]:
    whole = ((row.start, as_of if row.end is None else row.end) for row in rows)
    pairs = union(clip(whole, span.start, span.end))
    joined: list[Pair] = []
    gap = (span.end - span.start) * GAP_SHARE
    for start, end in pairs:
        if joined and start - joined[-1][1] <= gap:
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    placed = [(_percent(a, span.start, span.end), _percent(b, span.start, span.end)) for a, b in joined]
    return [(x, max(THIN, round(until - x, 3))) for x, until in placed]


def _percent(at: int, start: int, end: int) -> float:
    return round((at - start) / (end - start) * 100, 3)
