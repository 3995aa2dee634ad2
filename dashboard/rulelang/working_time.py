"""Working time: calendars of opening hours, scheduled times of day and quiet hours. Pure.

Opening ranges are in local time and do not cross midnight; one up to 24:00 and one from 00:00 make a night.
Calculations are exact over clock changes: a skipped range is empty, a repeated hour counts twice. A
scheduled time that the clock skips runs at the next valid minute, one that comes twice runs once, the first
time. Instants are UTC epoch seconds unless a name ends in `_ms`. Source: semantics 9.6 and 9.7.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from typing import Any, Protocol

from dashboard import clock
from dashboard.intervals import union
from dashboard.rulelang.triggers import Schedule

DAY_MINUTES = 1440
MOST_RANGES = 3  # of one day
# No period is longer, so that a date of the year 1 in an event costs no more than one of ten years ago.
MOST_DAYS = 3660
_TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d|24:00")

Range = tuple[int, int]  # minutes after midnight, [first, second)
Ranges = tuple[Range, ...]
Span = tuple[int, int]  # instants, [first, second)


@dataclass(frozen=True, slots=True)
class WorkCalendar:
    """Opening hours of one place, as `compare.Calendar` asks for them.

    `hours` maps a weekday (1 Monday to 7) to its ranges; a weekday without any is closed. `days` holds
    the dates that are not like their weekday: closed without ranges, else open in these alone.
    """

    zone: str
    hours: Mapping[int, Ranges]
    days: Mapping[date, Ranges] = field(default_factory=dict)
    _known: dict[date, tuple[Span, ...]] = field(
        init=False, repr=False, compare=False, default_factory=dict
    )  # the instants of each date once computed

    def is_open(self, ts: int) -> bool:
        """Say whether the instant lies in a range of its date."""
        return any(start <= ts < end for start, end in self.spans(clock.local_date(ts, self.zone)))

    def is_holiday(self, ts: int) -> bool:
        """Say whether the instant lies on a date that is closed though its weekday may be open."""
        return self.days.get(clock.local_date(ts, self.zone)) == ()

    def is_working_day(self, on: date) -> bool:
        """Say whether the calendar opens at all on a date."""
        return bool(self.spans(on))

    def open_seconds(self, start: int, end: int) -> int:
        """Return how long the calendar is open within [start, end); 0 when they are the wrong way round.

        Of a period longer than MOST_DAYS only its last part is looked at.
        """
        start = max(start, end - MOST_DAYS * 86_400)
        if end <= start:
            return 0
        last = clock.local_date(end - 1, self.zone)
        total = 0
        for on in _dates(clock.local_date(start, self.zone), last):
            for first, second in self.spans(on):
                total += max(0, min(end, second) - max(start, first))
        return total

    def add(self, ts: int, seconds: int) -> int | None:
        """Return the first instant at which the calendar has been open for `seconds` since `ts`.

        No seconds give `ts` itself. None where ten years do not hold that much working time.
        """
        if seconds <= 0:
            return ts
        first = clock.local_date(ts, self.zone)
        for on in _dates(first, first + timedelta(days=MOST_DAYS)):
            for start, end in self.spans(on):
                length = end - max(start, ts)
                if length >= seconds:
                    return max(start, ts) + seconds
                seconds -= max(0, length)
        return None

    def spans(self, on: date) -> tuple[Span, ...]:
        """Return when the calendar is open on a date, in order, not touching each other."""
        found = self._known.get(on)
        if found is None:
            found = self._known[on] = self._spans(on)
        return found

    def _spans(self, on: date) -> tuple[Span, ...]:
        ranges = self.days.get(on)
        if ranges is None:
            ranges = self.hours.get(on.isoweekday(), ())
        if not ranges:
            return ()
        day = clock.day(on, self.zone)
        made = [(_instant(on, a, day, self.zone), _instant(on, b, day, self.zone, True)) for a, b in ranges]
        return tuple((start, end) for start, end in union(made) if start < end)


def _instant(on: date, minute: int, day: clock.Span, zone: str, end: bool = False) -> int:
    if minute >= DAY_MINUTES:
        return day.end
    local = datetime.combine(on, time(minute // 60, minute % 60))
    return min(max(clock.resolve(local, zone, end), day.start), day.end)


def _dates(first: date, last: date) -> Iterator[date]:
    return (first + timedelta(days=n) for n in range((last - first).days + 1))


def of_stored(zone: str, hours: Any, days: Iterable[tuple[str, Any]]) -> WorkCalendar:
    """Return the calendar of what the tables hold: `{"1": [["08:00", "17:00"]]}` and (date, ranges).

    Raises ValueError for what no form could have stored.
    """
    return WorkCalendar(
        zone,
        {int(day): ranges(found) for day, found in dict(hours).items()},
        {date.fromisoformat(on): ranges(found) for on, found in days},
    )


def ranges(stored: Any) -> Ranges:
    """Return ranges of "HH:MM" texts as minutes, rising. Raises ValueError where `range_problem` has one."""
    made = tuple((minute(start), minute(end)) for start, end in stored)
    if any(start >= end for start, end in made) or any(a[1] > b[0] for a, b in pairwise(made)):
        raise ValueError(f"ranges out of order: {stored!r}")
    return made


def minute(text: str) -> int:
    """Return the minutes after midnight of "HH:MM"; "24:00" is 1,440. Raises ValueError for other texts."""
    if not _TIME.fullmatch(text):
        raise ValueError(f"no time of day: {text!r}")
    return int(text[:2]) * 60 + int(text[3:])


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


AHEAD_DAYS = 8  # a week of quiet days and the night that follows


class Hours(Protocol):
    """What a profile says: local times "20:00" (both or neither), and whole days, 1 Monday to 7."""

    @property
    def quiet_from(self) -> str: ...
    @property
    def quiet_to(self) -> str: ...
    @property
    def quiet_days(self) -> Sequence[int]: ...


def quiet_until(profile: Hours, now_ms: int, zone: str) -> int | None:
    """Return the UTC epoch milliseconds at which the quiet that holds at `now_ms` ends; None outside it.

    Hours that end before they begin go over midnight; hours and days that meet are one quiet. A time
    that the clock skips is the next valid one; of a time that comes twice, quiet begins with the first
    and ends with the second. Nothing waits longer than eight days, so a week of quiet days is no grave.
    """
    now = now_ms // 1000
    today = clock.local_date(now, zone)
    until: int | None = None
    for span in sorted(_spans(profile, today, zone)):
        if span.start <= (now if until is None else until) < span.end:
            until = span.end
    return None if until is None else until * 1000


def _spans(profile: Hours, today: date, zone: str) -> Iterator[clock.Span]:
    """Yield the stretches of quiet that begin yesterday or later, in no order."""
    for offset in range(-1, AHEAD_DAYS):
        on = today + timedelta(days=offset)
        if on.isoweekday() in profile.quiet_days:
            yield clock.day(on, zone)
        if profile.quiet_from and profile.quiet_to and profile.quiet_from != profile.quiet_to:
            over = timedelta(days=profile.quiet_to <= profile.quiet_from)
            end = _at(on + over, profile.quiet_to, zone, end=True)
            yield clock.Span(_at(on, profile.quiet_from, zone), end)


def _at(on: date, text: str, zone: str, end: bool = False) -> int:
    return clock.resolve(datetime.combine(on, time.fromisoformat(text)), zone, end)
