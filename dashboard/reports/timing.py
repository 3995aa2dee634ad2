"""When a schedule is due: daily, weekly or monthly at a time of a zone's clock. Pure.

A time that the clock skips is due at the next instant there is, a repeated one at its first. A day that a
month does not have is its last day. On a date that a zone skipped nothing is due.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from itertools import islice
from typing import NamedTuple

from dashboard import clock

LAST_DAY = 31  # of the month, whatever its length


class Frequency(StrEnum):
    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"


class Timing(NamedTuple):
    """When to send: `weekdays` (1 is Monday) are for WEEKLY, `month_day` (1 to 31) for MONTHLY."""

    frequency: Frequency
    at: time
    zone: str
    weekdays: frozenset[int] = frozenset()
    month_day: int = 1

    def on(self, day: date) -> bool:
        """Is the schedule due on this date?"""
        if self.frequency is Frequency.WEEKLY:
            return day.isoweekday() in self.weekdays
        if self.frequency is Frequency.MONTHLY:
            return day.day == min(self.month_day, monthrange(day.year, day.month)[1])
        return True


def due_times(timing: Timing, after: int) -> Iterator[int]:
    """Yield the instants after `after` at which a schedule is due, in order; UTC epoch seconds.

    A weekly schedule without a weekday would never be due; a form refuses it.
    """
    day = clock.local_date(after, timing.zone)
    while True:
        if timing.on(day) and clock.day(day, timing.zone).seconds:
            due = clock.resolve(datetime.combine(day, timing.at), timing.zone)
            if due > after:
                after = due
                yield due
        day += timedelta(days=1)


def upcoming(timing: Timing, after: int, count: int) -> list[int]:
    """Return the next `count` instants after `after` at which a schedule is due."""
    return list(islice(due_times(timing, after), count))


class Due(NamedTuple):
    """What is due: the latest instant, the number of earlier ones that were missed, and the next one."""

    at: int
    missed: int
    following: int


def due(timing: Timing, since: int, now: int) -> Due:
    """Return what is due at `now` of a schedule that has been due since the instant `since` <= `now`.

    Times that passed while nothing ran become one: the latest.
    """
    at, missed = since, 0
    for each in due_times(timing, since):
        if each > now:
            return Due(at, missed, each)
        at, missed = each, missed + 1
    raise AssertionError("a schedule has no end")
