"""Days and weeks as an address names them. Pure."""

from __future__ import annotations

import re
from datetime import date, timedelta

from dashboard import clock
from dashboard.clock import Span

UNITS = ("day", "week")
FIRST, LAST = date(1970, 1, 2), date(2100, 12, 31)  # what events may carry, with room for any zone


def parse_date(text: str, default: date) -> date | None:
    """Return the date of YYYY-MM-DD, `default` for an empty text, None for anything else."""
    if not text:
        return default
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        return None
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    return found if FIRST <= found <= LAST else None


def span(unit: str, day: date, zone: str) -> Span:
    """Return the local day, or the ISO week that holds it."""
    return clock.week(day, zone) if unit == "week" else clock.day(day, zone)


def shift(unit: str, day: date, by: int) -> date:
    """Return the same place in the day or week that lies `by` units on, kept within the calendar."""
    moved = day + timedelta(days=by * (7 if unit == "week" else 1))
    return min(max(moved, FIRST), LAST)
