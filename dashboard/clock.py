"""Now, and what a local day, week or hour is. The only module that knows a day can have 23 or 25 hours.

All instants are integer UTC epoch seconds; spans are half-open [start, end); zones are IANA names.
Source of the rules: the zone database, read through `zoneinfo`; no offset is ever kept or computed with.
"""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

HOUR_S = 3600


class Span(NamedTuple):
    """A period [start, end) in UTC epoch seconds."""

    start: int
    end: int

    @property
    def seconds(self) -> int:
        """Length of the period; 82,800 and 90,000 on the days when the clocks change by an hour."""
        return self.end - self.start


class Slot(NamedTuple):
    """One hour of the local clock: [start, end) in UTC seconds, its label "02" and, only when that
    hour comes twice on its date, the offset "+02:00" that tells the two apart."""

    start: int
    end: int
    label: str
    offset: str


def now() -> datetime:
    """Return the present instant, aware, in UTC."""
    return datetime.now(UTC)


def now_s() -> int:
    """Return the present instant in whole UTC epoch seconds, floored."""
    return now_ms() // 1000


def now_ms() -> int:
    """Return the present instant in UTC epoch milliseconds, floored."""
    return (now() - datetime.fromtimestamp(0, UTC)) // timedelta(milliseconds=1)


@lru_cache(maxsize=1024)
def zone(name: str) -> ZoneInfo:
    """Return the zone of an IANA name such as "Europe/Prague".

    Raises ValueError, naming the zone, for a name the zone database does not have.
    """
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError(f"unknown time zone: {name!r}") from error


def day(on: date, zone: str) -> Span:
    """Return the local date `on`: its first instant to the first instant of the next date.

    The first instant is not always 00:00 (Cairo 2024-04-26 starts at 01:00). A date that a zone
    skipped altogether is an empty span. Days of one zone follow each other without gap or overlap.
    Raises ValueError for an unknown zone, OverflowError at the ends of the calendar (years 1 and 9999).
    """
    return Span(_first_instant(on, zone), _first_instant(on + timedelta(days=1), zone))


def week(on: date, zone: str) -> Span:
    """Return the ISO week, Monday first, that holds the local date `on`; 167 to 169 h in Prague."""
    monday = on - timedelta(days=on.weekday())
    return Span(_first_instant(monday, zone), _first_instant(monday + timedelta(days=7), zone))


def hours(span: Span, zone: str) -> list[Slot]:
    """Return the local clock hours that make up `span`, in order, without gap or overlap.

    Buckets are told apart by their UTC start: a repeated hour gives two slots, a skipped one none.
    The first and the last slot are cut at the span's bounds.
    """
    bounds = [span.start]
    while bounds[-1] < span.end:
        bounds.append(min(_next_hour(bounds[-1], zone), span.end))
    starts = [(begin, _local(begin, zone)) for begin in bounds[:-1]]
    seen = Counter((local.date(), local.hour) for _, local in starts)
    return [
        Slot(begin, end, f"{local:%H}", _offset(local) if seen[local.date(), local.hour] > 1 else "")
        for (begin, local), end in zip(starts, bounds[1:], strict=True)
    ]


def local_date(ts: int, zone: str) -> date:
    """Return the date whose `day` holds the instant `ts`.

    That is the date on the local clock, but for clocks once put back over midnight (St. John's
    until 2011): the minutes lived twice belong to the date that had begun.
    """
    on = _local(ts, zone).date()
    following = on + timedelta(days=1)
    return following if ts >= _first_instant(following, zone) else on


def local_dates(span: Span, zone: str) -> list[date]:
    """Return the dates, in order, whose `day` shares time with `span`; [] for an empty span."""
    if span.end <= span.start:
        return []
    first = local_date(span.start, zone)
    count = (local_date(span.end - 1, zone) - first).days + 1
    dates = [first + timedelta(days=n) for n in range(count)]
    return [on for on in dates if day(on, zone).seconds > 0]


def resolve(local: datetime, zone: str, end: bool = False) -> int:
    """Return the instant of a naive local time, as typed by a person.

    A time that comes twice is the earlier instant for a start, the later for an end; one that the
    clock skips is the next valid instant. Raises ValueError for an aware time or an unknown zone.
    """
    if local.tzinfo is not None:
        raise ValueError("a local time has no zone of its own")
    early, late = sorted(_as_if(local, fold, zone) for fold in (0, 1))
    if _local(late, zone).replace(tzinfo=None) != local.replace(microsecond=0):
        return early if early == late else _change(early, late, zone)
    return late if end else early


@lru_cache(maxsize=4096)
def _first_instant(on: date, zone: str) -> int:
    return resolve(datetime.combine(on, time()), zone)


def _local(ts: int, name: str) -> datetime:
    return datetime.fromtimestamp(ts, zone(name))


def _as_if(local: datetime, fold: int, name: str) -> int:
    aware = local.replace(microsecond=0, tzinfo=zone(name), fold=fold)
    return int((aware - datetime.fromtimestamp(0, UTC)) // timedelta(seconds=1))


def _next_hour(ts: int, zone: str) -> int:
    """Return the instant at which the local clock next shows another hour or changes its offset."""
    local = _local(ts, zone)
    following = ts + HOUR_S - local.minute * 60 - local.second
    if _local(following - 1, zone).utcoffset() == local.utcoffset():
        return following
    return _change(ts, following - 1, zone)


def _change(before: int, after: int, zone: str) -> int:
    """Return the instant in (before, after] at which the offset changes, by halving."""
    old = _local(before, zone).utcoffset()
    while after - before > 1:
        middle = (before + after) // 2
        if _local(middle, zone).utcoffset() == old:
            before = middle
        else:
            after = middle
    return after


def _offset(local: datetime) -> str:
    text = f"{local:%z}"
    return f"{text[:3]}:{text[3:5]}"
