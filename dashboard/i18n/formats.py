"""Formatting of dates, times, durations and numbers by language; the time zone is always an argument.

Durations read h:mm:ss in every language, clocks are 24-hour, weeks ISO, Monday first.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from functools import lru_cache
from math import floor
from zoneinfo import ZoneInfo

from babel.dates import format_date
from babel.numbers import format_decimal, format_percent
from flask_babel import get_locale
from flask_babel import gettext as _
from markupsafe import Markup

from dashboard.i18n import message
from dashboard.i18n.message import Message

CACHED = 4096  # texts of a kind, half a megabyte; a page formats each time and duration several times
CAP = 100  # to which numbers are counted that are shown on many pages
NBSP = "\N{NO-BREAK SPACE}"
# Patterns of Unicode's date fields by language: long, short, day, day of week view, stamp.
_DATES = {
    "long": {"en": "EEEE d MMMM y", "cs": f"EEEE d.{NBSP}MMMM y", "ja": "y年M月d日(EEE)"},
    "short": {"en": "EEE d MMM y", "cs": f"EEE d.{NBSP}M.{NBSP}y", "ja": "y年M月d日(EEE)"},
    "plain": {"en": "d MMM y", "cs": f"d.{NBSP}M.{NBSP}y", "ja": "y年M月d日"},
    "day": {"en": "EEE d", "cs": f"EEE d.{NBSP}M.", "ja": "d日(EEE)"},
    "month": {"en": "MMMM y", "cs": "LLLL y", "ja": "y年M月"},
    "weekday": dict.fromkeys(("en", "cs", "ja"), "EEE"),
}
# Letters of which a name's language is known, else it is not marked.
_LETTERS = {"ja": re.compile("[\u3040-\u30ff\u3400-\u9fff]"), "cs": re.compile("[ěščřžýůďťň]", re.IGNORECASE)}
_LATIN = re.compile("[A-Za-z]")


def language() -> str:
    """Return the language of this request: en, cs or ja."""
    locale = get_locale()
    return locale.language if locale is not None and locale.language in ("en", "cs", "ja") else "en"


@lru_cache(CACHED)
def duration(seconds: int | None) -> str:
    """Return 3725 as 1:02:05 (hours are not limited to 24); None as a dash."""
    if seconds is None:
        return "–"
    minutes, rest = divmod(abs(int(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{'-' if seconds < 0 else ''}{hours}:{minutes:02}:{rest:02}"


def listed(texts: Iterable[str]) -> str:
    """Return the texts as a list with the commas of the reader's language; "" without texts."""
    found = message.listed(texts)
    return found.render(_) if isinstance(found, Message) else found


def named(name: str) -> Markup:
    """Return a name, marked with its language where its letters show that this is not the reader's."""
    return _named(name, language())


@lru_cache(CACHED)
def _named(name: str, speech: str) -> Markup:
    found = next((tag for tag, letters in _LETTERS.items() if letters.search(name)), None)
    if found is None and speech == "ja" and _LATIN.search(name):
        found = ""  # in HTML: unknown, and not Japanese
    if found is None or found == speech:
        return Markup.escape(name)
    return Markup('<span lang="{}">{}</span>').format(found, name)


def number(value: float) -> str:
    return _number(value, language())


@lru_cache(CACHED)
def _number(value: float, speech: str) -> str:
    return str(format_decimal(value, locale=speech))


def capped(value: int) -> str:
    """Return a number that was counted up to CAP: 7 as 7, CAP as 99+."""
    return number(value) if value < CAP else f"{number(CAP - 1)}+"


def percent(value: float | None, digits: int = 0) -> str:
    """Return 0.863 as 86% (in Czech with a no-break space); None as a dash. Rounds half up."""
    if value is None:
        return "–"
    rounded = floor(value * 100 * 10**digits + 0.5) / (100 * 10**digits)
    pattern = {"cs": f"0{'.' + '0' * digits if digits else ''}{NBSP}%"}.get(
        language(), f"0{'.' + '0' * digits if digits else ''}%"
    )
    return str(format_percent(rounded, format=pattern, locale=language()))


def local(ts: int, zone: str) -> datetime:
    """Return the aware local datetime of `ts` (UTC epoch seconds)."""
    return datetime.fromtimestamp(ts, ZoneInfo(zone))


@lru_cache(CACHED)
def clock(ts: int | None, zone: str) -> str:
    return local(ts, zone).strftime("%H:%M:%S") if ts is not None else ""


@lru_cache(CACHED)
def clock_short(ts: int | None, zone: str) -> str:
    return local(ts, zone).strftime("%H:%M") if ts is not None else ""


def stamp(ts: int | None, zone: str) -> str:
    """Return date and time, such as 19 Nov 2026 14:37:20; an empty text for None."""
    if ts is None:
        return ""
    moment = local(ts, zone)
    return f"{_date('plain', moment.date())} {moment:%H:%M:%S}"


def zoned(ts: int, zone: str, speech: str = "") -> str:
    """Return date and time with the name of the zone, such as 19 Nov 2026 14:37:20 CET, for texts that are
    read elsewhere. `speech` is the language, that of the page by default."""
    moment = local(ts, zone)
    return f"{_written('plain', moment.date(), speech or language())} {moment:%H:%M:%S %Z}"


def stamp_offset(ts: int, zone: str) -> str:
    """Return date and time with the offset, such as 25 Oct 2026 02:30:00 +01:00."""
    return f"{stamp(ts, zone)} {local(ts, zone).isoformat()[-6:]}"


def day_clock(ts: int | None, zone: str, beside: int | None = None) -> str:
    """Return a text such as Thu 19 14:37:20; without the day if `beside` is on the same day."""
    if ts is None:
        return ""
    moment = local(ts, zone)
    same = beside is not None and local(beside, zone).date() == moment.date()
    return f"{moment:%H:%M:%S}" if same else f"{_date('day', moment.date())} {moment:%H:%M:%S}"


def date_long(day: date) -> str:
    return _date("long", day)


def date_short(day: date) -> str:
    return _date("short", day)


def date_plain(day: date) -> str:
    return _date("plain", day)


def day_short(day: date) -> str:
    return _date("day", day)


def weekday(day: date) -> str:
    return _date("weekday", day)


def month_label(day: date) -> str:
    """Return the month of `day`, such as November 2026."""
    return _date("month", day)


def week_label(day: date) -> str:
    """Return the ISO week of `day`, such as Week 47, 16–22 Nov 2026."""
    first = day - timedelta(days=day.weekday())
    last = first + timedelta(days=6)
    week = first.isocalendar().week
    return str(_("Week %(week)d, %(days)s", week=week, days=_days(first, last)))


def _days(first: date, last: date) -> str:
    if language() == "ja":
        end = "d日" if first.month == last.month else "M月d日"
        return f"{_date('plain', first)}～{format_date(last, end, locale='ja')}"
    separator = "–"
    if first.month == last.month:
        head = f"{first.day}." if language() == "cs" else str(first.day)
        return f"{head}{separator}{_date('plain', last)}"
    if first.year == last.year:
        pattern = f"d.{NBSP}M." if language() == "cs" else "d MMM"
        return f"{format_date(first, pattern, locale=language())}{separator}{_date('plain', last)}"
    return f"{_date('plain', first)}{separator}{_date('plain', last)}"


def _date(style: str, day: date) -> str:
    return _written(style, day, language())


@lru_cache(CACHED)
def _written(style: str, day: date, speech: str) -> str:
    return str(format_date(day, _DATES[style][speech], locale=speech))


FILTERS = {
    name: globals()[name]
    for name in (
        "duration",
        "named",
        "listed",
        "number",
        "capped",
        "percent",
        "clock",
        "clock_short",
        "stamp",
        "zoned",
        "day_clock",
        "date_long",
        "date_short",
        "date_plain",
        "day_short",
        "weekday",
        "week_label",
    )
}
