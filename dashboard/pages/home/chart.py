"""The chart of interactions by hour. Pure but for the language of its texts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from flask_babel import gettext as _

from dashboard.clock import Slot
from dashboard.i18n.message import N_
from dashboard.tracing.team import Arrivals
from dashboard.tracing.types import ACTIVITY_TYPES, type_of
from dashboard.web import charts
from dashboard.web.charts import Chart, Row, Series

LEAST_HOURS = 8
NAMES = {"call": N_("Calls"), "email": N_("Emails"), "chat": N_("Chats"), "ticket": N_("Tickets")}


class Hours(NamedTuple):
    """The bars of the hours, and the number of the busiest one, None without interactions."""

    drawn: Chart
    busiest: tuple[str, float] | None


def chart(slots: Sequence[Slot], found: Sequence[Arrivals], as_of: int) -> Hours:
    """Return the chart from the hour of the first arrival to now, of at least LEAST_HOURS of `slots`."""
    hours = [_hour(slot, found) for slot in slots]
    now = next((n for n, slot in enumerate(slots) if slot.end > as_of), len(slots) - 1)
    first = next((n for n, hour in enumerate(hours) if hour.total), now)
    first = max(0, min(first, now + 1 - LEAST_HOURS))
    shown = hours[first : max(now + 1, min(LEAST_HOURS, len(hours)))]
    drawn = charts.bars(shown, [Series(_(NAMES[kind]), kind) for kind in ACTIVITY_TYPES])
    most, label = max(((hour.total, hour.label) for hour in shown), key=lambda each: each[0])
    return Hours(drawn, (label, most) if most else None)


def _hour(slot: Slot, found: Sequence[Arrivals]) -> Row:
    """Count the arrivals of an hour; a quarter of an hour belongs to the hour in which it starts."""
    inside = [each for each in found if slot.start <= each.start < slot.end]
    counts = tuple(sum(a.number for a in inside if type_of(a.channel) == kind) for kind in ACTIVITY_TYPES)
    return Row(f"{slot.label}:00 ({slot.offset})" if slot.offset else f"{slot.label}:00", counts)
