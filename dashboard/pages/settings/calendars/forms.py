"""The forms of a calendar and of a day in it: values checked, errors by field, everything good kept."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from flask_babel import gettext as _

from dashboard import clock
from dashboard.i18n.mark import N_
from dashboard.models import Calendar
from dashboard.rulelang import holidays, working_time
from dashboard.web import forms

NAME_MAX = 120
WEEKDAYS = tuple(str(day) for day in range(1, 8))
LABELS = {"name": N_("Name"), "zone": N_("Time zone"), "hours": N_("Opening hours")}
_RANGE = re.compile(r"(\d{1,2}):?(\d\d)?\s*[-–—〜~]\s*(\d{1,2}):?(\d\d)?")
_DATE = re.compile(r"\d{4}-\d\d-\d\d")

Hours = list[list[str]]  # ranges of one day, as stored: [["08:00", "12:00"], …]


@dataclass
class Asked:
    """A calendar as typed; `hours` maps a weekday "1" to "7" to its ranges as text."""

    name: str
    zone: str
    hours: dict[str, str]
    version: int
    errors: dict[str, str] = field(default_factory=dict)

    def values(self) -> dict[str, Any]:
        """Return the columns; only for a form without errors."""
        hours = {day: ranges(text) for day, text in self.hours.items() if text}
        return {"name": self.name, "zone": self.zone, "hours": hours}


@dataclass
class AskedDay:
    """A day as typed; without `hours` it is closed."""

    on: str = ""
    name: str = ""
    hours: str = ""
    errors: dict[str, str] = field(default_factory=dict)


def parse(form: Mapping[str, str]) -> Asked:
    hours = {day: forms.text(form, f"hours{day}") for day in WEEKDAYS}
    asked = Asked(forms.text(form, "name"), forms.text(form, "zone"), hours, forms.version(form))
    if problem := forms.line_problem(asked.name, NAME_MAX):
        asked.errors["name"] = problem
    try:
        clock.zone(asked.zone)
    except ValueError:
        asked.errors["zone"] = _("Choose a time zone of the list, such as Europe/Prague.")
    for day, text in hours.items():
        if ranges(text) is None:
            asked.errors[f"hours{day}"] = hours_problem()
    return asked


def parse_day(form: Mapping[str, str]) -> AskedDay:
    asked = AskedDay(forms.text(form, "on"), forms.text(form, "day"), forms.text(form, "open"))
    if date_of(asked.on) is None:
        asked.errors["on"] = _("Give a date of the calendar, such as 2026-12-24.")
    if problem := forms.line_problem(asked.name, holidays.NAME_MAX, needed=False):
        asked.errors["day"] = problem
    if ranges(asked.hours) is None:
        asked.errors["open"] = hours_problem()
    return asked


def hours_problem() -> str:
    return str(_("Give at most three ranges in order, such as 08:00–12:00, 13:00–17:00; 24:00 ends the day."))


def ranges(text: str) -> Hours | None:
    """Return the ranges that a text such as "8–12, 13:00–17:00" names, None for any other text."""
    found: Hours = []
    for part in filter(None, (each.strip() for each in re.split("[,;、，]", text))):
        match = _RANGE.fullmatch(part)
        if match is None:
            return None
        first, second = (f"{int(match[n]):02d}:{match[n + 1] or '00'}" for n in (1, 3))
        found.append([first, "24:00" if second == "00:00" else second])
    try:
        working_time.ranges(found)
    except ValueError:
        return None
    return found if len(found) <= working_time.MOST_RANGES else None


def shown(hours: Hours) -> str:
    """Return ranges as `ranges` reads them."""
    return ", ".join(f"{first}–{second}" for first, second in hours)


def date_of(text: str) -> date | None:
    """Return the date of "2026-12-24", within the years that days may lie in."""
    try:
        found = date.fromisoformat(text) if _DATE.fullmatch(text) else None
    except ValueError:
        return None
    return found if found is not None and 2000 <= found.year <= 2100 else None


def of_row(row: Calendar) -> Asked:
    hours = {day: shown(row.hours.get(day, [])) for day in WEEKDAYS}
    return Asked(row.name, row.zone, hours, row.version)


def empty(zone: str) -> Asked:
    """Return the form of a new calendar: Monday to Friday, eight to five."""
    return Asked("", zone, {day: "08:00–17:00" if int(day) <= 5 else "" for day in WEEKDAYS}, 0)


def written(days: list[holidays.Day]) -> str:
    """Return days as one text, a line for each, for the form that takes them in."""
    return "\n".join(f"{day.on.isoformat()} {day.name}" for day in days)


def entries(days: list[holidays.Day]) -> dict[str, list[date]]:
    """Return the dates by the name that they have in the file, in order of the first date."""
    found: dict[str, list[date]] = {}
    for day in days:
        found.setdefault(day.name, []).append(day.on)
    return found


def read(text: str) -> list[holidays.Day]:
    """Return the days of `written`; lines that are none are left out."""
    found: dict[date, holidays.Day] = {}
    for line in text.splitlines()[: holidays.MAX_DAYS]:
        on, _space, name = line.partition(" ")
        day = date_of(on)
        if day is not None and forms.line_problem(name, holidays.NAME_MAX, needed=False) is None:
            found.setdefault(day, holidays.Day(day, name))
    return [found[on] for on in sorted(found)]
