"""Reads the values of filters: numbers and durations, yes or no, local dates and times. Pure."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta

from dashboard import clock
from dashboard.i18n.message import N_, Message

FIRST_DATE, LAST_DATE = date(1970, 1, 2), date(2100, 12, 30)

NO_NUMBER = N_("Enter a number, or a duration such as 1:30.")
NO_YES_NO = N_("Enter 1 or 0.")


def number(text: str) -> int | Message:
    """Return a whole number, or the seconds of a duration written as 1:30 or 1:30:00."""
    if not re.fullmatch(r"-?[0-9]{1,15}|[0-9]{1,5}(?::[0-5][0-9]){1,2}", text, re.ASCII):
        return Message(NO_NUMBER)
    found = 0
    for part in text.split(":"):
        found = found * 60 + int(part)
    return found


def is_storable(text: str) -> bool:
    """Return whether both databases can hold a text: neither NUL nor half of a pair of surrogates."""
    return "\0" not in text and not any("\ud800" <= letter <= "\udfff" for letter in text)


def yes_no(text: str) -> int | Message:
    return int(text) if text in ("0", "1") else Message(NO_YES_NO)


def moment(text: str, zone: str, whole_day: bool = False) -> int | None:
    """Return the instant of a local date or time; of a date its beginning, or its end for `whole_day`."""
    try:
        if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text, re.ASCII):
            on = date.fromisoformat(text)
            return clock.day(on + timedelta(int(whole_day)), zone).start if _is_near(on) else None
        if not re.fullmatch(
            r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]{5,15}(?:Z|[+-][0-9]{2}:[0-9]{2})?", text, re.ASCII
        ):
            return None
        given = datetime.fromisoformat(text)
    except ValueError:
        return None
    if not _is_near(given.date()):
        return None
    return clock.resolve(given, zone) if given.tzinfo is None else int(given.timestamp())


def _is_near(on: date) -> bool:
    return FIRST_DATE <= on <= LAST_DATE
