"""Periods by name, and the local buckets of a period. Pure.

Days, weeks, months and hours are those of a zone's clock: a day of 25 hours has 25 hours, the repeated one
twice with its offset. Instants are integer UTC epoch seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date, timedelta
from enum import StrEnum
from itertools import pairwise
from typing import NamedTuple

from dashboard import clock
from dashboard.clock import Span

HOUR_S, DAY_S = 3600, 86_400
MAX_BUCKETS = 10_000
EPOCH = date(1970, 1, 1)
ALL_TIME = "all_time"  # of the lists that have no other period by default


class Bucket(StrEnum):
    """How rows are grouped by the moment to which the period applies."""

    HOUR = "hour"
    DAY = "day"
    WEEK = "week"  # from Monday
    MONTH = "month"
    WEEKDAY = "weekday"  # 1 is Monday
    HOUR_OF_DAY = "hour_of_day"
    HOUR_OF_WEEK = "hour_of_week"  # 0 is Monday, 00:00

    @property
    def is_cyclic(self) -> bool:
        """Whether it comes again and again, so that its rows are of different times."""
        return self in (Bucket.WEEKDAY, Bucket.HOUR_OF_DAY, Bucket.HOUR_OF_WEEK)


CYCLIC = {"weekday": range(1, 8), "hour_of_day": range(24), "hour_of_week": range(168)}  # their numbers


class TooManyBuckets(Exception):  # noqa: N818
    """A period has more than MAX_BUCKETS buckets."""


def _month(first: date, months: int) -> date:
    """Return the first day of the month that is `months` after that of `first`."""
    number = first.year * 12 + first.month - 1 + months
    return date(number // 12, number % 12 + 1, 1)


def _days(before: int, count: int) -> Callable[[date], tuple[date, date]]:
    return lambda today: (today - timedelta(before), today - timedelta(before - count))


def _weeks(before: int) -> Callable[[date], tuple[date, date]]:
    def bounds(today: date) -> tuple[date, date]:
        monday = today - timedelta(today.weekday() + 7 * before)
        return monday, monday + timedelta(7)

    return bounds


def _months(before: int, size: int) -> Callable[[date], tuple[date, date]]:
    """Return the bounds of the period of `size` months that lies `before` such periods back."""

    def bounds(today: date) -> tuple[date, date]:
        first = _month(today, -((today.month - 1) % size) - size * before)
        return first, _month(first, size)

    return bounds


# Today's date → the first date of the period and the first date after it.
NAMED: dict[str, Callable[[date], tuple[date, date]]] = {
    "today": _days(0, 1),
    "yesterday": _days(1, 1),
    "this_week": _weeks(0),
    "last_week": _weeks(1),
    "this_month": _months(0, 1),
    "last_month": _months(1, 1),
    "this_quarter": _months(0, 3),
    "last_quarter": _months(1, 3),
    "this_year": _months(0, 12),
    "last_7_days": _days(6, 7),
    "last_30_days": _days(29, 30),
    "last_90_days": _days(89, 90),
}
_EVERY: dict[str, Callable[[date], tuple[date, date]]] = {
    **NAMED,
    ALL_TIME: lambda today: (EPOCH - timedelta(1), today + timedelta(1)),
}

# The same for any date: the day, week … that holds it.
UNITS = {"day": "today", "week": "this_week", "month": "this_month", "quarter": "this_quarter"}


def unit(name: str, on: date, zone: str) -> Span:
    """Return the day, week, month or quarter (`name`, one of UNITS) that holds a date."""
    return of_dates(*NAMED[UNITS[name]](on), zone)


def unit_of(span: Span, zone: str) -> str:
    """Return the unit, one of UNITS, that a period is; "" for any other period."""
    first = clock.local_date(span.start, zone)
    return next((name for name in UNITS if unit(name, first, zone) == span), "")


def named(name: str, zone: str, now_s: int) -> Span:
    """Return the period `name`, one of NAMED or ALL_TIME, of the zone's clock at the instant `now_s`."""
    first, after = _EVERY[name](clock.local_date(now_s, zone))
    return of_dates(first, after, zone)


def before(span: Span, zone: str, now_s: int) -> Span:
    """Return the period to compare with: the same number of months for whole months, else of days before.

    Of a period that goes on, only the part that has passed is compared.
    """
    first, after = clock.local_date(span.start, zone), clock.local_date(span.end, zone)
    if of_dates(first, after, zone) != span:
        found = Span(2 * span.start - span.end, span.start)
    elif first.day == after.day == 1:
        months = (after.year - first.year) * 12 + after.month - first.month
        found = of_dates(_month(first, -months), first, zone)
    else:
        found = of_dates(first - (after - first), first, zone)
    passed = now_s - span.start
    return Span(found.start, min(found.end, found.start + passed)) if 0 < passed < span.seconds else found


def of_dates(first: date, after: date, zone: str) -> Span:
    """Return the period from the first instant of `first` to the first one of `after`."""
    return Span(clock.day(first, zone).start, clock.day(after, zone).start)


def parameters(span: Span, zone: str) -> dict[str, str]:
    """Return a period as the parameters from and to: dates for whole days, else times."""
    first, after = clock.local_date(span.start, zone), clock.local_date(span.end, zone)
    if of_dates(first, after, zone) == span:
        return {"from": first.isoformat(), "to": (after - timedelta(1)).isoformat()}
    return {"from": clock.iso(span.start, zone), "to": clock.iso(span.end, zone)}


class Offset(NamedTuple):
    """From `start` on, and up to the next one, local time is UTC plus `seconds`."""

    start: int
    seconds: int


def offsets(span: Span, zone: str) -> list[Offset]:
    """Return the offsets of a zone within a period, the first one from the period's start."""
    found = [Offset(span.start, clock.offset_s(span.start, zone))]
    for before, after in pairwise([*range(span.start, span.end, DAY_S), span.end]):
        if clock.offset_s(after, zone) != found[-1].seconds:
            changed = clock.offset_change(before, after, zone)
            found.append(Offset(changed, clock.offset_s(changed, zone)))
    return found


def local_sql(seconds: str, span: Span, zone: str) -> str:
    """Return the expression of local seconds of the UTC seconds of the expression `seconds`.

    The offsets are written as constants: the databases' own time functions cost two to four times as much.
    """
    first, *later = offsets(span, zone)
    offset = str(first.seconds)
    for before, each in pairwise([first, *later]):
        start = "CASE " if before is first else ""
        part = f"{start}WHEN {seconds} < {each.start} THEN {before.seconds} "
        offset = part if before is first else offset + part
    if later:
        offset += f"ELSE {later[-1].seconds} END"
    return f"({seconds} + {offset})"


def bucket_sql(bucket: Bucket, seconds: str, span: Span, zone: str) -> str:
    """Return the expression of the bucket's number, see `keys`, of the UTC seconds of `seconds`."""
    local = local_sql(seconds, span, zone)
    match bucket:
        case Bucket.HOUR:
            return f"({seconds} - ({local} % {HOUR_S}))"
        case Bucket.DAY:
            return f"({local} / {DAY_S})"
        case Bucket.WEEK:
            return f"(({local} / {DAY_S} + 3) / 7)"
        case Bucket.WEEKDAY:
            return f"(({local} / {DAY_S} + 3) % 7 + 1)"
        case Bucket.HOUR_OF_DAY:
            return f"({local} / {HOUR_S} % 24)"
        case Bucket.HOUR_OF_WEEK:
            return f"(({local} / {HOUR_S} + 72) % 168)"
        case Bucket.MONTH:
            return _month_sql(seconds, span, zone)


def _month_sql(seconds: str, span: Span, zone: str) -> str:
    """Return a comparison with the bounds of each month: months have no arithmetic."""
    firsts = list(_month_firsts(span, zone))
    later = [
        f"WHEN {seconds} < {clock.day(after, zone).start} THEN {_month_number(first)}"
        for first, after in pairwise(firsts)
    ]
    last = _month_number(firsts[-1])
    return f"CASE {' '.join(later)} ELSE {last} END" if later else f"({last} + 0 * {seconds})"


def _month_number(first: date) -> int:
    return first.year * 12 + first.month - 1


def _month_firsts(span: Span, zone: str) -> Iterator[date]:
    first = clock.local_date(span.start, zone).replace(day=1)
    last = clock.local_date(max(span.end - 1, span.start), zone)
    while first <= last:
        yield first
        first = _month(first, 1)


def numbers(bucket: Bucket, span: Span, zone: str) -> list[int]:
    """Return the numbers of all buckets of a period, in order, also of those without a row.

    Raises TooManyBuckets.
    """
    if bucket is Bucket.HOUR and span.seconds // HOUR_S > MAX_BUCKETS:
        raise TooManyBuckets
    match bucket:
        case Bucket.HOUR:
            return [_hour_start(slot.start, zone) for slot in clock.hours(span, zone)]
        case Bucket.DAY:
            found = [(on - EPOCH).days for on in clock.local_dates(span, zone)]
        case Bucket.WEEK:
            found = list(dict.fromkeys(((on - EPOCH).days + 3) // 7 for on in clock.local_dates(span, zone)))
        case Bucket.MONTH:
            found = [_month_number(first) for first in _month_firsts(span, zone)]
        case _:
            found = list(CYCLIC[bucket])
    if len(found) > MAX_BUCKETS:
        raise TooManyBuckets
    return found


def span(bucket: Bucket, number: int, within: Span, zone: str) -> Span:
    """Return the part of a period that an hour, day, week or month is, by its number, see `numbers`."""
    match bucket:
        case Bucket.HOUR:
            found = Span(*clock.hours(Span(number, number + HOUR_S), zone)[0][:2])
        case Bucket.MONTH:
            first = date(number // 12, number % 12 + 1, 1)
            found = of_dates(first, _month(first, 1), zone)
        case _:
            size = 7 if bucket is Bucket.WEEK else 1
            first = date.fromisoformat(str(key(bucket, number, zone)))
            found = of_dates(first, first + timedelta(size), zone)
    return Span(max(found.start, within.start), min(found.end, within.end))


def _hour_start(ts: int, zone: str) -> int:
    """Return the number of the hour that holds `ts`; the first one of a period may begin before it."""
    return ts - (ts + clock.offset_s(ts, zone)) % HOUR_S


def aligned(bucket: Bucket, before: Span, span: Span, zone: str) -> dict[int, int]:
    """Return for each bucket of the period `before` the one in the same place of `span`, if there is one.

    The place of a day is its number, in whole months that of the month and of the day in it; an hour is in
    the same place of its day by the clock. Raises TooManyBuckets.
    """
    then, now = numbers(bucket, before, zone), numbers(bucket, span, zone)
    if bucket.is_cyclic:
        return dict(zip(then, now, strict=True))
    first, after = clock.local_date(span.start, zone), clock.local_date(span.end, zone)
    whole = of_dates(first, after, zone) == span
    if whole and bucket in (Bucket.DAY, Bucket.HOUR):
        months = first.day == after.day == 1
        found = dict(zip(_places(bucket, now, months, zone), now, strict=True))
        places = _places(bucket, then, months, zone)
        return {number: found[place] for number, place in zip(then, places, strict=True) if place in found}
    return dict(zip(then, now, strict=False))


def _places(bucket: Bucket, ordered: Sequence[int], months: bool, zone: str) -> list[tuple[int, ...]]:
    """Return the places of days or hours: month or 0, day, second of the day, and 1 for a repeated hour."""
    found: dict[tuple[int, ...], None] = {}
    first: date | None = None
    for number in ordered:
        day, second = number, 0
        if bucket is Bucket.HOUR:
            day, second = divmod(number + clock.offset_s(number, zone), DAY_S)
        on = EPOCH + timedelta(day)
        first = first or on
        place = (
            (_month_number(on) - _month_number(first), on.day, second)
            if months
            else (0, (on - first).days, second)
        )
        found[(*place, int((*place, 0) in found))] = None
    return list(found)


def key(bucket: Bucket, number: int, zone: str) -> str | int:
    """Return how results name a bucket: an instant with its offset, a date, a month or the number."""
    match bucket:
        case Bucket.HOUR:
            return clock.iso(number, zone)
        case Bucket.DAY:
            return (EPOCH + timedelta(number)).isoformat()
        case Bucket.WEEK:
            return (EPOCH + timedelta(number * 7 - 3)).isoformat()
        case Bucket.MONTH:
            return f"{number // 12:04}-{number % 12 + 1:02}"
        case _:
            return number
