"""The current time, and local days, weeks and hours. The only module that handles days of 23 and 25 hours.

Instants are integer UTC epoch seconds; spans are half-open [start, end); zones are IANA names. Offsets come
from the zone database through `zoneinfo` and are never stored.
"""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

HOUR_S = 3600
DAY_S = 24 * HOUR_S
DAY_MS = 1000 * DAY_S
# Files of the zone database that are no zones: the machine's own, a placeholder, and copies of all others.
NO_ZONES = ("localtime", "posixrules", "Factory", "posix/", "right/")


class Span(NamedTuple):
    """A period [start, end) in UTC epoch seconds."""

    start: int
    end: int

    @property
    def seconds(self) -> int:
        """Length in seconds; 82,800 or 90,000 for days on which the clocks change by an hour."""
        return self.end - self.start


class Slot(NamedTuple):
    """One hour of the local clock: [start, end) in UTC epoch seconds and its label, such as "02".

    `offset`, such as "+02:00", is set only if the hour occurs twice on its date.
    """

    start: int
    end: int
    label: str
    offset: str


def now() -> datetime:
    """Return the current time as an aware datetime in UTC."""
    return datetime.now(UTC)


def now_s() -> int:
    """Return the current time in UTC epoch seconds, rounded down."""
    return now_ms() // 1000


def now_ms() -> int:
    """Return the current time in UTC epoch milliseconds, rounded down."""
    return (now() - datetime.fromtimestamp(0, UTC)) // timedelta(milliseconds=1)


@lru_cache(maxsize=1024)
def zone(name: str) -> ZoneInfo:
    """Return the time zone with an IANA name such as "Europe/Prague"; the check of every zone that is typed.

    Raises ValueError for a name that is not in the zone database, or that depends on the machine.
    """
    try:
        if name.startswith(NO_ZONES):
            raise KeyError(name)
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError(f"unknown time zone: {name!r}") from error


def day(on: date, zone: str) -> Span:
    """Return the span of the local date `on`, from its first instant to that of the next date.

    The first instant is not always 00:00 (2024-04-26 in Cairo starts at 01:00). A date that the zone skipped
    is an empty span. The days of a zone are contiguous and do not overlap. Raises ValueError for an unknown
    zone and OverflowError at the limits of the calendar (years 1 and 9999).
    """
    return Span(_first_instant(on, zone), _first_instant(on + timedelta(days=1), zone))


def week(on: date, zone: str) -> Span:
    """Return the span of the ISO week (starting on Monday) of the local date `on`; 167 to 169 h in Prague."""
    monday = on - timedelta(days=on.weekday())
    return Span(_first_instant(monday, zone), _first_instant(monday + timedelta(days=7), zone))


def hours(span: Span, zone: str) -> list[Slot]:
    """Return the local clock hours of `span`, in order, contiguous and without overlap.

    A repeated hour gives two slots, a skipped hour none. The first and the last slot are clipped to `span`.
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
    """Return the date whose `day` contains the instant `ts`.

    This is the date on the local clock, except where clocks were set back across midnight (St. John's until
    2011): the repeated minutes belong to the later date.
    """
    on = _local(ts, zone).date()
    following = on + timedelta(days=1)
    return following if ts >= _first_instant(following, zone) else on


def local_dates(span: Span, zone: str) -> list[date]:
    """Return the dates whose `day` overlaps `span`, in order; [] for an empty span."""
    if span.end <= span.start:
        return []
    first = local_date(span.start, zone)
    count = (local_date(span.end - 1, zone) - first).days + 1
    dates = [first + timedelta(days=n) for n in range(count)]
    return [on for on in dates if day(on, zone).seconds > 0]


def iso(ts: int, zone: str) -> str:
    """Return an instant as RFC 3339 text with the offset of the zone."""
    return _local(ts, zone).isoformat()


def offset_s(ts: int, zone: str) -> int:
    """Return the offset from UTC in seconds that a zone has at an instant."""
    offset = _local(ts, zone).utcoffset()
    assert offset is not None  # noqa: S101 - every zone of the database has one
    return int(offset.total_seconds())


def resolve(local: datetime, zone: str, end: bool = False) -> int:
    """Return the instant of a naive local time entered by a user.

    A time that occurs twice is resolved to the earlier instant, or to the later one if `end`. A skipped time
    is resolved to the next valid instant. Raises ValueError for an aware time or an unknown zone.
    """
    found = instants(local, zone)
    if found:
        return found[-1] if end else found[0]
    early, late = sorted(_as_if(local, fold, zone) for fold in (0, 1))
    return offset_change(early, late, zone)


def instants(local: datetime, zone: str) -> tuple[int, ...]:
    """Return the instants of a naive local time: two, in order, if it is repeated, none if it is skipped.

    Raises ValueError for an aware time or an unknown zone.
    """
    if local.tzinfo is not None:
        raise ValueError("a local time has no zone of its own")
    early, late = sorted(_as_if(local, fold, zone) for fold in (0, 1))
    if early == late:
        return (early,)
    return (early, late) if _local(late, zone).replace(tzinfo=None) == local.replace(microsecond=0) else ()


@lru_cache(maxsize=4096)
def _first_instant(on: date, zone: str) -> int:
    return resolve(datetime.combine(on, time()), zone)


def _local(ts: int, name: str) -> datetime:
    return datetime.fromtimestamp(ts, zone(name))


def _as_if(local: datetime, fold: int, name: str) -> int:
    aware = local.replace(microsecond=0, tzinfo=zone(name), fold=fold)
    return int((aware - datetime.fromtimestamp(0, UTC)) // timedelta(seconds=1))


def _next_hour(ts: int, zone: str) -> int:
    """Return the next instant at which the local hour or the offset changes."""
    local = _local(ts, zone)
    following = ts + HOUR_S - local.minute * 60 - local.second
    if _local(following - 1, zone).utcoffset() == local.utcoffset():
        return following
    return offset_change(ts, following - 1, zone)


def offset_change(before: int, after: int, zone: str) -> int:
    """Return the instant in (before, after] at which the offset changes, by binary search."""
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
