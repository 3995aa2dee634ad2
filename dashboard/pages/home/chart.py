"""Geometry of the chart of interactions by hour: stacked bars, x in percent, y in pixels. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from dashboard.clock import Slot
from dashboard.tracing.team import Arrivals
from dashboard.tracing.types import ACTIVITY_TYPES, type_of

TOP, BASE, LABELS = 14, 126, 144  # y in pixels; the chart is 150 pixels high
LEFT, WIDE = 7.0, 93.0  # percent; the labels of the scale are on the left
LEAST_HOURS = 8
MOST_LABELS = 8
STEPS = (1, 2, 5)


class Hour(NamedTuple):
    """The counts of an hour in the order of ACTIVITY_TYPES; `offset` is set only if the hour occurs twice."""

    label: str
    offset: str
    counts: tuple[int, ...]

    @property
    def total(self) -> int:
        return sum(self.counts)


class Box(NamedTuple):
    css: str
    x: float
    y: float
    width: float
    height: float


class Chart(NamedTuple):
    """`totals` by type; `lines` (pixel, number) of the scale; `labels` (percent, text)."""

    hours: tuple[Hour, ...]
    totals: tuple[tuple[str, int], ...]
    boxes: tuple[Box, ...]
    lines: tuple[tuple[float, int], ...]
    labels: tuple[tuple[float, str], ...]
    busiest: Hour | None


def chart(slots: Sequence[Slot], found: Sequence[Arrivals], as_of: int) -> Chart:
    """Return the chart from the hour of the first arrival to now, of at least LEAST_HOURS of `slots`."""
    hours = [_hour(slot, found) for slot in slots]
    now = next((n for n, slot in enumerate(slots) if slot.end > as_of), len(slots) - 1)
    first = next((n for n, hour in enumerate(hours) if hour.total), now)
    first = max(0, min(first, now + 1 - LEAST_HOURS))
    shown = tuple(hours[first : max(now + 1, min(LEAST_HOURS, len(hours)))])
    step, top = _scale(max((hour.total for hour in shown), default=0))
    pitch = WIDE / len(shown)
    every = -(-len(shown) // MOST_LABELS)
    boxes = [box for n, hour in enumerate(shown) for box in _stack(hour, LEFT + n * pitch, pitch, top)]
    labels = [
        (round(LEFT + (n + 0.5) * pitch, 3), hour.label) for n, hour in enumerate(shown) if n % every == 0
    ]
    totals = tuple((kind, sum(hour.counts[n] for hour in shown)) for n, kind in enumerate(ACTIVITY_TYPES))
    return Chart(
        shown,
        totals,
        tuple(boxes),
        tuple((round(BASE - n * (BASE - TOP) / top, 1), n) for n in range(0, top + 1, step)),
        tuple(labels),
        max(shown, key=lambda hour: hour.total) if any(hour.total for hour in shown) else None,
    )


def _hour(slot: Slot, found: Sequence[Arrivals]) -> Hour:
    """Count the arrivals of an hour; a quarter of an hour belongs to the hour in which it starts."""
    inside = [each for each in found if slot.start <= each.start < slot.end]
    counts = (sum(a.number for a in inside if type_of(a.channel) == kind) for kind in ACTIVITY_TYPES)
    return Hour(slot.label, slot.offset, tuple(counts))


def _scale(most: int) -> tuple[int, int]:
    """Return the step of the scale (1, 2 or 5 times a power of ten) and its top, three to five steps up."""
    power = 1
    while True:
        for step in STEPS:
            if step * power * 4 >= most:
                step *= power
                return step, max(step, -(-most // step) * step)
        power *= 10


def _stack(hour: Hour, left: float, pitch: float, top: int) -> list[Box]:
    """Return the segments of an hour's bar from bottom to top, separated by one pixel."""
    width = min(6.0, pitch * 0.7)
    x, y, found = round(left + (pitch - width) / 2, 3), float(BASE), []
    for kind, count in zip(ACTIVITY_TYPES, hour.counts, strict=True):
        high = count * (BASE - TOP) / top
        if count:
            found.append(Box(kind, x, round(y - high, 1), round(width, 3), round(max(0.5, high - 1), 1)))
        y -= high
    return found
