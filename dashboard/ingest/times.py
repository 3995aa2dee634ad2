"""Times as sources write them, to UTC milliseconds. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone

from dashboard import clock
from dashboard.clock import DAY_MS
from dashboard.i18n.message import N_, Message, message

FIRST_YEAR, LAST_YEAR = 1970, 2100
FIRST_MS = 0
LAST_MS = 4_133_980_800_000  # 2101-01-01T00:00:00Z: later times are clocks gone wrong, and break calendars
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.\d{1,30})?(?:[Zz]|[+-]\d\d:\d\d)?", re.ASCII)
_SECOND = slice(17, 19)  # of the text of an RFC 3339 time
_EPOCH_TIME = re.compile(r"(\d{1,11})(?:\.(\d{1,30}))?|(\d{12,13})", re.ASCII)
_FRACTION = r"(?:[.,](?P<fraction>\d{1,30}))?"
_CLOCK = (
    r"(?P<before>午前|午後)?(?P<hour>\d\d?)(?P<mark>[:.])(?P<minute>\d\d)"
    rf"(?:(?P=mark)(?P<second>\d\d){_FRACTION})?(?: ?(?P<after>[AaPp]\.?[Mm]\.?))?"
)
_KANJI_CLOCK = r"(?P<before>午前|午後)?(?P<hour>\d\d?)時(?P<minute>\d\d?)分(?:(?P<second>\d\d?)秒)?"
_COMPACT_CLOCK = rf"(?P<hour>\d\d)(?P<minute>\d\d)(?P<second>\d\d){_FRACTION}"
_OFFSET = r"(?: *(?P<offset>[Zz]|UTC|GMT|(?P<sign>[+-])(?P<hours>\d\d)(?::?(?P<minutes>\d\d))?))?"
_KANJI_DATE = r"(?P<year>\d{4})年(?P<month>\d\d?)月(?P<day>\d\d?)日(?:\([月火水木金土日]\))? *"
_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
_FORMS = tuple(
    re.compile(form + _OFFSET, re.ASCII)
    for form in (
        r"(?P<year>\d{4})-(?P<month>\d\d?)-(?P<day>\d\d?)(?:[Tt]| +)" + _CLOCK,
        r"(?P<year>\d{4})/(?P<month>\d\d?)/(?P<day>\d\d?) +" + _CLOCK,
        r"(?P<day>\d\d?)\. ?(?P<month>\d\d?)\. ?(?P<year>\d{4}) +" + _CLOCK,
        r"(?P<year>\d{4})(?P<month>\d\d)(?P<day>\d\d) +" + _CLOCK,
        r"(?P<year>\d\d)(?P<month>\d\d)(?P<day>\d\d) +" + _CLOCK,
        r"(?P<year>\d{4})(?P<month>\d\d)(?P<day>\d\d)[Tt]?" + _COMPACT_CLOCK,
        _KANJI_DATE + _CLOCK,
        _KANJI_DATE + _KANJI_CLOCK,
        rf"(?:[A-Z][a-z]{{2}}, )?(?P<day>\d\d?) (?P<name>{'|'.join(_MONTHS)}) (?P<year>\d{{4}}) " + _CLOCK,
    )
)
_CENTURY = 70  # two digits from here on are 19.., the others 20..
_NOON = 12

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
    ms = since.days * DAY_MS + since.seconds * 1000 + since.microseconds // 1000
    return ms if FIRST_MS <= ms < LAST_MS else BAD_RANGE


@dataclass
class ClockChanges:
    """How many civil times were read that the clocks repeat or skip."""

    repeated: int = 0
    skipped: int = 0


def resolve(civil: datetime, zone: str, changes: ClockChanges | None = None) -> int | Message:
    """Return the UTC milliseconds of a naive time in `zone`, or that it is out of range.

    One that is repeated is the earlier instant, one that is skipped the next valid one; `changes` counts
    both. Raises ValueError for an unknown zone.
    """
    if not FIRST_YEAR <= civil.year <= LAST_YEAR:  # a zone's rules end somewhere
        return BAD_RANGE
    instants = clock.instants(civil, zone)
    if changes is not None and len(instants) != 1:
        changes.repeated += len(instants) == 2
        changes.skipped += not instants
    seconds = instants[0] if instants else clock.resolve(civil, zone)
    return in_range(seconds * 1000 + civil.microsecond // 1000)


def local(text: str, zone: str, days: int = 0, changes: ClockChanges | None = None) -> int | Message:
    """Return the UTC milliseconds of a time as tables write it, or why it is none.

    Read are epoch seconds or milliseconds and what moment() reads, civil times in `zone`: one that comes
    twice is the earlier instant, one that the clock skips the next valid one. A date is moved by whole
    `days`. Raises ValueError for an unknown zone.
    """
    text = text.strip()
    epoch = _EPOCH_TIME.fullmatch(text)
    if epoch is not None:
        seconds, fraction, whole_ms = epoch.groups()
        return in_range(int(whole_ms) if whole_ms else int(seconds) * 1000 + milliseconds(fraction))
    found = moment(text)
    if not isinstance(found, datetime):
        return _BAD_CIVIL if found is None else in_range(found + days * DAY_MS)
    return resolve(found + timedelta(days) if days else found, zone, changes)


def moment(text: str) -> int | datetime | None:
    """Return what a date with a time of day means: UTC milliseconds if it has an offset, else a naive time.

    None stands for no such time. The order of the date is year-month-day, day.month.year, yymmdd, 年月日 or
    that of mail ("14 Apr 2026"); month/day/year is not read, for it cannot be told from day/month/year.
    24:00 is the midnight that follows, the leap second :60 is :59.
    """
    for form in _FORMS:
        found = form.fullmatch(text)
        if found is not None:
            parts = found.groupdict()
            try:
                return _moment(parts)
            except (ValueError, OverflowError):
                return None
    return None


def _moment(parts: Mapping[str, str | None]) -> int | datetime:
    """Return the time of the named groups of one of _FORMS; raises ValueError for no date or hour."""
    year = int(parts["year"] or 0)
    if len(parts["year"] or "") == 2:
        year += 1900 if year >= _CENTURY else 2000
    month = _MONTHS.index(name) + 1 if (name := parts.get("name")) else int(parts["month"] or 0)
    minute, second = int(parts["minute"] or 0), int(parts["second"] or 0)
    second -= second == 60
    hour, midnight = _hour(parts), timedelta(0)
    if hour == 24 and not minute and not second:
        hour, midnight = 0, timedelta(days=1)
    micro = int((parts.get("fraction") or "")[:6].ljust(6, "0"))
    date = (year, month, int(parts["day"] or 0))
    found = datetime(*date, hour, minute, second, micro) + midnight  # noqa: DTZ001 - its zone is given with the file
    if not parts["offset"]:
        return found
    offset = timedelta(hours=int(parts["hours"] or 0), minutes=int(parts["minutes"] or 0))
    since = found.replace(tzinfo=timezone(-offset if parts["sign"] == "-" else offset)) - _EPOCH
    return since // timedelta(milliseconds=1)


def _hour(parts: Mapping[str, str | None]) -> int:
    hour, half = int(parts["hour"] or 0), parts.get("before") or parts.get("after")
    if not half:
        return hour
    if hour > _NOON:
        raise ValueError("no hour of half a day")
    return hour % _NOON + (_NOON if half in "午後" or half[0] in "Pp" else 0)


def milliseconds(fraction: str | None) -> int:
    """Return the whole milliseconds of the digits after the point."""
    return int(fraction[:3].ljust(3, "0")) if fraction else 0


def in_range(ms: int) -> int | Message:
    """Return UTC milliseconds, or the message that they are beyond the years which are kept."""
    return ms if FIRST_MS <= ms < LAST_MS else BAD_RANGE
