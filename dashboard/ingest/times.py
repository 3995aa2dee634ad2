"""Times as sources write them, to UTC milliseconds. Pure."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from dashboard import clock
from dashboard.i18n.message import N_, Message, message

FIRST_YEAR, LAST_YEAR = 1970, 2100
FIRST_MS = 0
LAST_MS = 4_133_980_800_000  # 2101-01-01T00:00:00Z: later times are clocks gone wrong, and break calendars
_DAY_MS = 86_400_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.\d{1,30})?(?:[Zz]|[+-]\d\d:\d\d)?", re.ASCII)
_SECOND = slice(17, 19)  # of the text of an RFC 3339 time
_EPOCH_TIME = re.compile(r"(\d{1,11})(?:\.(\d{1,30}))?|(\d{12,13})", re.ASCII)
_CLOCK = r"(?P<hour>\d\d?):(?P<minute>\d\d)(?::(?P<second>\d\d)(?:[.,](?P<fraction>\d{1,30}))?)?"
_DATES = (
    r"(?P<year>\d{4})-(?P<month>\d\d?)-(?P<day>\d\d?)(?:T| +)",
    r"(?P<year>\d{4})/(?P<month>\d\d?)/(?P<day>\d\d?) +",
    r"(?P<day>\d\d?)\.(?P<month>\d\d?)\.(?P<year>\d{4}) +",
    r"(?P<year>\d{4})(?P<month>\d\d)(?P<day>\d\d) +",
    r"(?P<year>\d\d)(?P<month>\d\d)(?P<day>\d\d) +",
)
_CIVIL = tuple(re.compile(date + _CLOCK, re.ASCII) for date in _DATES)
_CENTURY = 70  # two digits from here on are 19.., the others 20..

NOT_A_TIME = N_("Must be a time such as %(example)s.")
NO_OFFSET = N_("UTC offset required, such as Z or +01:00.")
OUT_OF_RANGE = N_("Must be between the years %(first)s and %(last)s.")
_BAD_RFC3339 = message(NOT_A_TIME, example="2026-03-02T09:00:00+01:00")
_BAD_CIVIL = message(NOT_A_TIME, example="2026-03-02 09:00:00")
BAD_RANGE = message(OUT_OF_RANGE, first=FIRST_YEAR, last=LAST_YEAR)


def rfc3339(text: str) -> int | Message:
    """Return the UTC milliseconds of an RFC 3339 time, or why it is none; never raises.

    The fraction is cut to milliseconds. The leap second :60 is read as :59, since UTC milliseconds
    do not count it. A civil time without an offset is refused: whose midnight it means is unknown.
    """
    if _RFC3339.fullmatch(text) is None:
        return _BAD_RFC3339
    if text[_SECOND] == "60":
        text = f"{text[:17]}59{text[19:]}"
    try:
        since = datetime.fromisoformat(text.upper()) - _EPOCH
    except ValueError:
        return _BAD_RFC3339
    except TypeError:  # a naive time
        return Message(NO_OFFSET)
    ms = since.days * _DAY_MS + since.seconds * 1000 + since.microseconds // 1000
    return ms if FIRST_MS <= ms < LAST_MS else BAD_RANGE


def local(text: str, zone: str) -> int | Message:
    """Return the UTC milliseconds of a time as tables write it, or why it is none.

    Read are RFC 3339, epoch seconds or milliseconds, and civil times in `zone` in the orders
    year-month-day, day.month.year and yymmdd; month/day/year is not, for it cannot be told from
    day/month/year. A civil time that comes twice is the earlier instant, one that the clock
    skips the next valid one. Raises ValueError for an unknown zone.
    """
    text = text.strip()
    epoch = _EPOCH_TIME.fullmatch(text)
    if epoch is not None:
        seconds, fraction, whole_ms = epoch.groups()
        return _in_range(int(whole_ms) if whole_ms else int(seconds) * 1000 + milliseconds(fraction))
    found = civil(text)
    if found is None:
        instant = rfc3339(text)
        return _BAD_CIVIL if instant == _BAD_RFC3339 else instant
    if not FIRST_YEAR <= found.year <= LAST_YEAR:
        return BAD_RANGE
    return _in_range(clock.resolve(found, zone) * 1000 + found.microsecond // 1000)


def civil(text: str) -> datetime | None:
    """Return the naive time that `text` writes without an offset, or None."""
    for shape in _CIVIL:
        parts = shape.fullmatch(text)
        if parts is not None:
            year = int(parts["year"])
            if len(parts["year"]) == 2:
                year += 1900 if year >= _CENTURY else 2000
            micro = int((parts["fraction"] or "")[:6].ljust(6, "0"))
            date = (year, int(parts["month"]), int(parts["day"]))
            time = (int(parts["hour"]), int(parts["minute"]), int(parts["second"] or 0), micro)
            try:
                return datetime(*date, *time)  # noqa: DTZ001 - its zone is given with the file
            except ValueError:
                return None
    return None


def milliseconds(fraction: str | None) -> int:
    """Return the whole milliseconds of the digits after the point."""
    return int(fraction[:3].ljust(3, "0")) if fraction else 0


def _in_range(ms: int) -> int | Message:
    return ms if FIRST_MS <= ms < LAST_MS else BAD_RANGE
