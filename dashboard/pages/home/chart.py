"""The chart of interactions by hour. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from dashboard.clock import Slot
from dashboard.tracing.team import Arrivals
from dashboard.tracing.types import ACTIVITY_TYPES, type_of
from dashboard.web import charts
from dashboard.web.charts import Box

LEAST_HOURS = 8


class Hour(NamedTuple):
    """The counts of an hour in the order of ACTIVITY_TYPES; `offset` is set only if the hour occurs twice."""

    label: str
    offset: str
    counts: tuple[int, ...]

    @property
    def total(self) -> int:
        return sum(self.counts)


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
    drawn = charts.stacked([charts.Bar(hour.label, hour.counts) for hour in shown], ACTIVITY_TYPES)
    totals = tuple((kind, sum(hour.counts[n] for hour in shown)) for n, kind in enumerate(ACTIVITY_TYPES))
    return Chart(
        shown,
        totals,
        *drawn,
        max(shown, key=lambda hour: hour.total) if any(hour.total for hour in shown) else None,
    )


def _hour(slot: Slot, found: Sequence[Arrivals]) -> Hour:
    """Count the arrivals of an hour; a quarter of an hour belongs to the hour in which it starts."""
    inside = [each for each in found if slot.start <= each.start < slot.end]
    counts = (sum(a.number for a in inside if type_of(a.channel) == kind) for kind in ACTIVITY_TYPES)
    return Hour(slot.label, slot.offset, tuple(counts))
