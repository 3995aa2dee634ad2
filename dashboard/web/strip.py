"""Geometry of the strip of a day: presence above, work below, x in percent of a shared axis. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from dashboard.clock import Slot
from dashboard.intervals import Pair, clip, union
from dashboard.tracing.types import ACTIVITY_TYPES, IntervalRow, Kind, type_of

LEAST_HOURS = 10
CROWDED = 14  # with more hours, only every sixth hour has a label
GAP_SHARE = 0.002  # of the axis; marks of one kind that are closer are merged
THIN = 0.3  # minimum width of a mark in percent
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


def axis(slots: Sequence[Slot], rows: Iterable[IntervalRow], as_of: int) -> Axis:
    """Return the axis from the first interval to one hour after now, of at least LEAST_HOURS.

    `slots` are the hours of the local day. Positions are elapsed time, so a repeated hour has its own space.
    Every second hour has a label; the label at the end is the following hour.
    """
    first = min((max(row.start, slots[0].start) for row in rows), default=as_of)
    begin = max((n for n, slot in enumerate(slots) if slot.start <= first), default=0)
    finish = next((n for n, slot in enumerate(slots) if slot.end > as_of), len(slots) - 1) + 2
    finish = min(max(finish, begin + LEAST_HOURS), len(slots))
    shown = slots[max(0, min(begin, finish - LEAST_HOURS)) : finish]
    start, end = shown[0].start, shown[-1].end
    step = 2 if len(shown) <= CROWDED else 6
    labels = [(_percent(slot.start, start, end), slot.label) for slot in shown[::step]]
    following = slots[finish].label if finish < len(slots) else "24"
    if len(shown) % step == 0:
        labels.append((100.0, following))
    anchors = {0.0: "start", 100.0: "end"}
    return Axis(start, end, tuple((x, text, anchors.get(x, "middle")) for x, text in labels))


def marks(rows: Iterable[IntervalRow], span: Axis, as_of: int) -> list[Mark]:
    """Return the marks of presence and of work by kind; open intervals end at `as_of`."""
    kept = list(rows)
    found: list[Mark] = []
    for css, kind, paid in PRESENT:
        chosen = [row for row in kept if row.kind == kind and paid in (None, row.paid)]
        for x, width in _drawn(chosen, span, as_of):
            found.append(Mark(css, x, width, STATUS_TOP, STATUS_HEIGHT, bool(paid)))
    for css in ACTIVITY_TYPES:
        chosen = [row for row in kept if row.kind == Kind.HANDLING and type_of(row.channel) == css]
        found += [Mark(css, x, width, WORK_TOP, WORK_HEIGHT) for x, width in _drawn(chosen, span, as_of)]
    return found


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
