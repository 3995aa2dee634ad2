"""Holidays from an iCalendar file (RFC 5545): the whole days of its entries, and what was left out. Pure.

icalendar reads the file and dateutil expands repetitions, from last year to five years on. Between them
moments become plain dates, because exporters write whole days in many ways: midnight to midnight or to
23:59, local midnight in UTC, a date that ends at a moment, UNTIL as local midnight in UTC. Bytes, repeating
entries and processor time are bounded, so no file keeps the server busy.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from time import thread_time
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from dateutil.rrule import rruleset, rrulestr
from icalendar import Calendar, vRecur

from dashboard.i18n.message import N_, Message

MAX_BYTES = 1_000_000
MAX_DAYS = 5_000  # of a calendar; the years that are imported have half as many
MAX_REPEATING = 200
MAX_SECONDS = 5  # of the processor, looked at between entries
YEARS_ON = 5  # after the present one
NAME_MAX = 80  # so that 5,000 days fit into one form

TOO_LARGE = N_("The file is larger than 1 MB. Export only the holidays.")
NOT_UTF8 = N_("The file is not encoded in UTF-8. Export the calendar again, in UTF-8.")
NO_CALENDAR = N_("The file isn't in iCalendar format. Export the holidays as .ics and choose that file.")
TOO_REPEATING = N_("The file has more than %(most)d recurring events. Export only the holidays.")
NO_DAYS = N_(
    "The file has no all-day events since last year. Export the calendar that contains the holidays."
)
TOO_SLOW = N_("The repeating entries of the file take too long. Export only the holidays.")
NOT_WHOLE_DAYS = N_("It does not fill whole days.")
CANCELLED = N_("It is cancelled.")
UNREADABLE = N_("It cannot be read.")

_UNITS = {"DAILY", "WEEKLY", "MONTHLY", "YEARLY"}
_OF_DAYS = {"FREQ", "INTERVAL", "UNTIL", "COUNT", "WKST", "BYMONTH", "BYMONTHDAY", "BYDAY"}
_OF_DAYS |= {"BYYEARDAY", "BYWEEKNO", "BYSETPOS"}
_OF_TIMES = {"BYHOUR", "BYMINUTE", "BYSECOND"}  # say nothing of a whole day
# What the parsers raise for files that are not well formed.
_FAILURES = (ValueError, TypeError, KeyError, IndexError, AttributeError, ArithmeticError, RecursionError)


class Day(NamedTuple):
    on: date
    name: str


class LeftOut(NamedTuple):
    """An entry that is not imported; `reason` is marked for translation."""

    name: str
    reason: str


class Holidays(NamedTuple):
    """The days of a file, each date once, rising; the entries that are no holidays, in their order."""

    days: list[Day]
    left_out: list[LeftOut]


class _LeftOutError(Exception):
    pass


def parse(file: bytes, today: date, zone: ZoneInfo) -> Holidays | Message:
    """Return the holidays of a file from last year to five years on, or the message that says what to do.

    `zone` is where moments in UTC are looked at: 23:00Z is midnight in Prague in winter.
    """
    events = _events(file)
    if isinstance(events, Message):
        return events
    if sum("RRULE" in event for event in events) > MAX_REPEATING:
        return Message(TOO_REPEATING, (("most", MAX_REPEATING),))
    left_out: list[LeftOut] = []
    found: dict[date, str] = {}
    window = date(today.year - 1, 1, 1), date(today.year + YEARS_ON, 12, 31)
    replaced: dict[str | None, list[Any]] = {}
    for event in events:
        if "RECURRENCE-ID" in event:
            replaced.setdefault(event.get("UID"), []).append(event["RECURRENCE-ID"])
    begun = thread_time()
    for event in events:
        if thread_time() - begun > MAX_SECONDS:
            return Message(TOO_SLOW)
        others = [] if "RECURRENCE-ID" in event else replaced.get(event.get("UID"), [])
        try:
            for on in _days(event, others, window, zone):
                found.setdefault(on, _name(event))
        except _LeftOutError as error:
            left_out.append(LeftOut(_name(event), str(error)))
        except _FAILURES:  # one entry that is not well formed does not lose the others
            left_out.append(LeftOut(_name(event), UNREADABLE))
    return Holidays([Day(on, found[on]) for on in sorted(found)], left_out)


def _events(file: bytes) -> list[Any] | Message:
    if len(file) > MAX_BYTES:
        return Message(TOO_LARGE)
    try:
        text = re.sub(rb"\r?\n[ \t]", b"", file).decode("utf-8-sig")  # a fold may divide a character
        calendars = Calendar.from_ical(text, multiple=True)
    except UnicodeDecodeError:
        return Message(NOT_UTF8)
    except _FAILURES:
        return Message(NO_CALENDAR)
    if not calendars or any(calendar.name != "VCALENDAR" for calendar in calendars):
        return Message(NO_CALENDAR)
    return [event for calendar in calendars for event in calendar.walk("VEVENT")]


def _days(event: Any, replaced: list[Any], window: tuple[date, date], zone: ZoneInfo) -> Iterator[date]:
    """Yield the days of an entry within a window, without the repetitions that other entries replace."""
    if event.get("STATUS") == "CANCELLED":
        raise _LeftOutError(CANCELLED)
    start = _midnight(event["DTSTART"].dt, zone)
    length = max(_end(event, zone).toordinal() - start.toordinal(), 1)
    rules, starts = _each(event, "RRULE"), rruleset()
    for rule in rules:
        starts.rrule(rrulestr(_rule(rule, zone), dtstart=_at(start)))
    if not rules:
        starts.rdate(_at(start))
    for moment in _moments(event, "RDATE"):
        starts.rdate(_at(_date(moment.dt, zone)))
    for moment in (*_moments(event, "EXDATE"), *replaced):
        starts.exdate(_at(_date(moment.dt, zone)))
    first, last = (day.toordinal() for day in window)
    earliest = date.fromordinal(max(first - length, 1))
    for moment in starts.between(_at(earliest), _at(window[1]), inc=True):
        begin = moment.toordinal()
        yield from map(date.fromordinal, range(max(begin, first), min(begin + length, last + 1)))


def _at(on: date) -> datetime:
    return datetime.combine(on, time())


def _name(event: Any) -> str:
    """Return the summary as one line of at most NAME_MAX characters."""
    text = str(event.get("SUMMARY") or "")
    return "".join(letter if letter.isprintable() else " " for letter in text).strip()[:NAME_MAX]


def _each(event: Any, name: str) -> list[Any]:
    given = event.get(name, [])
    return given if isinstance(given, list) else [given]


def _moments(event: Any, name: str) -> list[Any]:
    return [moment for part in _each(event, name) for moment in part.dts]


def _date(given: Any, zone: ZoneInfo) -> date:
    """Return the date of a date, of a moment (one in UTC by the zone) or of a period's begin."""
    moment = given[0] if isinstance(given, tuple) else given
    if isinstance(moment, datetime):
        return (moment.astimezone(zone) if moment.utcoffset() == timedelta(0) else moment).date()
    if not isinstance(moment, date):
        raise TypeError("no date")
    return moment


def _midnight(moment: date | datetime, zone: ZoneInfo) -> date:
    """Return the date that begins at a moment: midnight by its own clock, or one in UTC by the zone's."""
    if not isinstance(moment, datetime):
        return _date(moment, zone)
    if moment.utcoffset() == timedelta(0) and moment.astimezone(zone).time() == time():
        return moment.astimezone(zone).date()
    if moment.time() != time():
        raise _LeftOutError(NOT_WHOLE_DAYS)
    return moment.date()


def _end(event: Any, zone: ZoneInfo) -> date:
    """Return the first date after the event, or a date before, which means the day of its start only."""
    start = event["DTSTART"].dt
    if "DTEND" in event:
        end = event["DTEND"].dt
    else:
        end = start + event["DURATION"].dt if "DURATION" in event else start
    if not isinstance(start, datetime):
        return _date(end, zone)  # the date says the day, whatever moment the file ends it at
    if isinstance(end, datetime) and end.minute == 59:
        end = end.replace(second=0) + timedelta(minutes=1)
    return _midnight(end, zone)


def _rule(given: Any, zone: ZoneInfo) -> str:
    """Return a rule that repeats dates, as text. Raises ValueError for one of times or unknown."""
    rule = vRecur({part: value for part, value in given.items() if part not in _OF_TIMES})
    interval = [int(each) for each in rule.get("INTERVAL", [1])]
    if set(rule) - _OF_DAYS or not set(rule["FREQ"]) <= _UNITS or min(interval) < 1:
        raise ValueError("not a rule of days")
    if "UNTIL" in rule:
        rule["UNTIL"] = [_date(each, zone) for each in rule["UNTIL"]]
    text: bytes = rule.to_ical()  # type: ignore[no-untyped-call]
    return text.decode()
