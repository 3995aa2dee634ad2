"""When a rule that runs by the calendar runs: local times of day on weekdays, or on working days. Pure.

A time that the clock skips is run at the next valid minute, one that comes twice is run once, the first
time. Source: semantics 9.6 and 9.7.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta

from dashboard import clock
from dashboard.rulelang.parts import Schedule
from dashboard.rulelang.working_time import WorkCalendar

AHEAD = 400  # days to look for the next run: over a year, so that one weekday's holidays never hide it


def next_run(schedule: Schedule, zone: str, calendar: WorkCalendar | None, after: int) -> int | None:
    """Return the first planned instant later than `after`; None where none lies within AHEAD days.

    Instants are UTC epoch seconds. With a `calendar` only its working days count.
    """
    first = clock.local_date(after, zone)
    for n in range(AHEAD):
        for planned in of_date(schedule, zone, calendar, first + timedelta(days=n)):
            if planned > after:
                return planned
    return None


def runs(schedule: Schedule, zone: str, calendar: WorkCalendar | None, start: int, end: int) -> Iterator[int]:
    """Yield the planned instants within [start, end), rising: what a backtest asks for."""
    planned = next_run(schedule, zone, calendar, start - 1)
    while planned is not None and planned < end:
        yield planned
        planned = next_run(schedule, zone, calendar, planned)


def of_date(schedule: Schedule, zone: str, calendar: WorkCalendar | None, on: date) -> list[int]:
    """Return the planned instants of a local date, rising, each once."""
    if on.isoweekday() not in schedule.days or (calendar is not None and not calendar.is_working_day(on)):
        return []
    times = (time.fromisoformat(each) for each in schedule.at)
    return sorted({clock.resolve(datetime.combine(on, at), zone) for at in times})
