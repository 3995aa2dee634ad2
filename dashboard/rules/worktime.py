"""The site's calendars of working time, out of their tables."""

from __future__ import annotations

from typing import Any

from dashboard.models import Calendar, CalendarDay
from dashboard.rulelang.working_time import WorkCalendar, of_stored


def load() -> dict[str, WorkCalendar]:
    """Return every calendar by name, as conditions and deadlines ask for it."""
    days: dict[int, list[tuple[str, Any]]] = {}
    query = CalendarDay.select(CalendarDay.calendar, CalendarDay.on, CalendarDay.hours)
    for calendar, on, hours in query.tuples():
        days.setdefault(calendar, []).append((on, hours))
    query = Calendar.select(Calendar.id, Calendar.name, Calendar.zone, Calendar.hours).tuples()
    return {name: of_stored(zone, hours, days.get(ident, ())) for ident, name, zone, hours in query}
