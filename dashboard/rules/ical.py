"""Holidays out of an iCalendar file (RFC 5545): which dates, and what they are called. Pure.

Only whole days count: a date, several in a row, or midnight to midnight. What comes back every year is
taken for the next years. A file is bounded in bytes, in years and in repeating entries, and a rule of
repetition in its parts, so that none can keep the server busy.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator
from datetime import date, datetime, time
from typing import Any, NamedTuple

from icalendar import Calendar, Component

from dashboard.i18n.mark import N_
from dashboard.i18n.message import Message

MAX_BYTES = 1_000_000
MAX_DAYS = 5_000  # of a calendar; the years that are taken in have half as many
MAX_REPEATING = 200
YEARS_ON = 5  # after the present one
EARLIEST = 1900  # what repeats since longer is counted from then
NAME_MAX = 80  # so that 5,000 days fit into one form

TOO_LARGE = N_("The file is larger than 1 MB. Export only the holidays.")
NO_CALENDAR = N_("The file is no iCalendar file. Export the holidays as .ics and choose that file.")
NO_DAYS = N_(
    "The file has no whole-day entry from last year on. Export the calendar that holds the holidays."
)
TOO_REPEATING = N_("The file has more than %(most)d repeating entries. Export only the holidays.")

# What may stand in a rule of repetition; hours, minutes and the like make millions of dates a year.
_PARTS = {"FREQ", "INTERVAL", "UNTIL", "COUNT", "BYMONTH", "BYMONTHDAY", "BYDAY", "WKST"}
# What the parsers raise for files that are not well formed.
_FAILURES = (ValueError, TypeError, KeyError, IndexError, AttributeError, ArithmeticError, RecursionError)


class Day(NamedTuple):
    on: date
    name: str


class _Yearly(NamedTuple):
    """A rule of repetition: every so many years, in these months (else that of the first date), on these
    days of the month or these weekdays (which of the month, weekday), so many times, until a date."""

    every: int
    months: tuple[int, ...]
    days: tuple[int, ...]
    weekdays: tuple[tuple[int, int], ...]
    times: int | None
    until: date


class _Entry(NamedTuple):
    first: date
    length: int  # days
    name: str
    repeats: _Yearly | None
    never: frozenset[date]


def parse(file: bytes, today: date) -> list[Day] | Message:
    """Return the whole days of the file, each date once, rising: from last year to five years on.

    What cannot be taken gives the sentence that says what to do.
    """
    if len(file) > MAX_BYTES:
        return Message(TOO_LARGE)
    first, last = date(today.year - 1, 1, 1), date(today.year + YEARS_ON, 12, 31)
    try:
        entries = list(_entries(file))
    except _FAILURES:
        return Message(NO_CALENDAR)
    if sum(entry.repeats is not None for entry in entries) > MAX_REPEATING:
        return Message(TOO_REPEATING, (("most", MAX_REPEATING),))
    found: dict[date, str] = {}
    for entry in entries:
        for on in _days(entry, first, last):
            found.setdefault(on, entry.name)
    return [Day(on, found[on]) for on in sorted(found)] or Message(NO_DAYS)


def _entries(file: bytes) -> Iterator[_Entry]:
    calendars = Calendar.from_ical(file, multiple=True)
    if not calendars or any(each.name != "VCALENDAR" for each in calendars):
        raise ValueError("no calendar")
    for calendar in calendars:
        for event in calendar.walk("VEVENT"):
            try:
                entry = _entry(event)
            except _FAILURES:  # one entry that is not well formed does not lose the others
                continue
            if entry is not None:
                yield entry


def _entry(event: Component) -> _Entry | None:
    """Return an entry of whole days; None for one that begins or ends at a time of day."""
    start = _date(_value(event, "DTSTART"))
    if start is None:
        return None
    end = _date(_value(event, "DTEND"))
    length = 1 if end is None else (end - start).days
    if end is None and "DURATION" in event:
        length = _value(event, "DURATION").dt.days
    if end is None and "DTEND" in event:
        return None
    name = "".join(letter if letter.isprintable() else " " for letter in str(_value(event, "SUMMARY") or ""))
    return _Entry(start, max(1, length), name.strip()[:NAME_MAX], _rule(event), _except(event))


def _value(event: Component, name: str) -> Any:
    """Return a property as the parser made it, None where there is none."""
    return event.get(name)


def _date(given: Any) -> date | None:
    value = None if given is None else given.dt
    if isinstance(value, datetime):
        return value.date() if value.time() == time() else None
    return value if isinstance(value, date) else None


def _rule(event: Component) -> _Yearly | None:
    rule = _value(event, "RRULE")
    if rule is None:
        return None
    if isinstance(rule, list) or rule.get("FREQ") != ["YEARLY"] or set(rule) - _PARTS:
        raise ValueError("not a yearly rule")
    weekdays = tuple(_weekday(str(each)) for each in rule.get("BYDAY", ()))
    if weekdays and "BYMONTH" not in rule:
        raise ValueError("a weekday of no month")
    count = int(rule.get("COUNT", [0])[0])
    until = [each.date() if isinstance(each, datetime) else each for each in rule.get("UNTIL", ())]
    return _Yearly(
        max(1, int(rule.get("INTERVAL", [1])[0])),
        tuple(sorted({int(month) for month in rule.get("BYMONTH", ())})),
        tuple(int(day) for day in rule.get("BYMONTHDAY", ())),
        weekdays,
        count if 0 < count <= MAX_DAYS else None,
        min(until, default=date.max),
    )


def _weekday(text: str) -> tuple[int, int]:
    """Return (which of the month, weekday 0 to 6) of "4TH" or "-1MO"; 0 is every one."""
    return int(text[:-2] or 0), ("MO", "TU", "WE", "TH", "FR", "SA", "SU").index(text[-2:])


def _except(event: Component) -> frozenset[date]:
    given = _value(event, "EXDATE")
    each = given if isinstance(given, list) else [given] if given is not None else []
    dates = (moment.dt for part in each for moment in part.dts)
    return frozenset(moment.date() if isinstance(moment, datetime) else moment for moment in dates)


def _days(entry: _Entry, first: date, last: date) -> Iterator[date]:
    for start in _starts(entry, first, last):
        end = min(start.toordinal() + entry.length - 1, last.toordinal())
        yield from map(date.fromordinal, range(max(start, first).toordinal(), end + 1))


def _starts(entry: _Entry, first: date, last: date) -> Iterator[date]:
    rule = entry.repeats
    if rule is None:
        yield entry.first
        return
    year, left = max(entry.first.year, EARLIEST), rule.times
    if left is None:
        year += max(0, first.year - 1 - year) // rule.every * rule.every
    while year <= last.year and left != 0:
        for on in _of_year(rule, entry.first, year):
            if entry.first <= on <= rule.until and left != 0:
                left = None if left is None else left - 1
                if on not in entry.never:
                    yield on
        year += rule.every


def _of_year(rule: _Yearly, start: date, year: int) -> list[date]:
    found = []
    for month in rule.months or (start.month,):
        last = monthrange(year, month)[1]
        days = [day if day > 0 else last + 1 + day for day in rule.days or (start.day,)]
        if rule.weekdays:
            days = [on for which, weekday in rule.weekdays for on in _weekdays(year, month, which, weekday)]
        found += [date(year, month, day) for day in sorted(set(days)) if 0 < day <= last]
    return found


def _weekdays(year: int, month: int, which: int, weekday: int) -> list[int]:
    first, last = monthrange(year, month)
    days = list(range(1 + (weekday - first) % 7, last + 1, 7))
    return days if not which else days[which - 1 : which] if which > 0 else days[which:][:1]
