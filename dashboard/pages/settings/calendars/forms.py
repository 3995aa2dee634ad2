"""The forms of a calendar and of a day in it, and opening hours as people write them."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

from babel.dates import get_day_names
from flask import current_app

from dashboard.i18n.formats import language
from dashboard.i18n.message import N_
from dashboard.rulelang import holidays, working_time
from dashboard.web.fields import Form, TextLine, time_zone

WEEKDAYS = tuple(str(day) for day in range(1, 8))
WORKDAY = "08:00–17:00"
_RANGE = re.compile(r"(\d{1,2}):?(\d\d)?\s*[-–—〜~]\s*(\d{1,2}):?(\d\d)?")
_DATE = re.compile(r"\d{4}-\d\d-\d\d")

Hours = list[list[str]]  # ranges of one day, as stored: [["08:00", "12:00"], …]


def opening_hours(label: str = "", **options: Any) -> TextLine:
    """Return a field for up to three ranges of a day; empty for a closed day."""
    problem = N_(
        "Enter up to three ranges, such as 08:00–12:00, 13:00–17:00. "
        "Split a night at midnight: 22:00–24:00, then 00:00–06:00 on the next day."
    )
    return TextLine(
        label, 60, needed=False, fits=lambda text: ranges(text) is not None, problem=problem, **options
    )


class CalendarForm(Form):
    name = TextLine(N_("Name"), 120)
    zone = time_zone(N_("Time zone"), default=lambda: current_app.config["STOPA"].timezone)
    hours1 = opening_hours(default=WORKDAY)
    hours2 = opening_hours(default=WORKDAY)
    hours3 = opening_hours(default=WORKDAY)
    hours4 = opening_hours(default=WORKDAY)
    hours5 = opening_hours(default=WORKDAY)
    hours6 = opening_hours()
    hours7 = opening_hours()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        names = get_day_names("wide", "stand-alone", language())
        for day in WEEKDAYS:
            self[f"hours{day}"].label.text = names[int(day) - 1].capitalize()

    @property
    def hours(self) -> list[Any]:
        return [self[f"hours{day}"] for day in WEEKDAYS]

    @staticmethod
    def shares(field: TextLine) -> list[tuple[float, float]]:
        """Return where the ranges of a day begin and how long they are, in percent of the day."""
        minutes = working_time.ranges(ranges(field.data) or [])
        return [(round(start / 14.4, 2), round((end - start) / 14.4, 2)) for start, end in minutes]

    def values(self) -> dict[str, Any]:
        texts = {day: self[f"hours{day}"].data for day in WEEKDAYS}
        hours = {day: ranges(text) for day, text in texts.items() if text}
        return {"name": self.name.data, "zone": self.zone.data, "hours": hours}


class DayForm(Form):
    """A day of a calendar that is not like its weekday; without hours it is closed."""

    on = TextLine(
        N_("Date"),
        10,
        input_type="date",
        fits=lambda text: date_of(text),
        problem=N_("Enter a valid date, such as 2026-12-24."),
    )
    day = TextLine(
        N_("Name of the day"),
        holidays.NAME_MAX,
        needed=False,
        hint=N_("For example, Christmas Eve. Optional."),
    )
    open = opening_hours(N_("Opening hours of that day"), hint=N_("Leave empty if closed all day."))


def ranges(text: str) -> Hours | None:
    """Return the ranges that a text such as "8–12, 13:00–17:00" names, in order; None for any other text."""
    found: Hours = []
    for part in filter(None, (each.strip() for each in re.split("[,;、，]", text))):
        match = _RANGE.fullmatch(part)
        if match is None:
            return None
        first, second = (f"{int(match[n]):02d}:{match[n + 1] or '00'}" for n in (1, 3))
        found.append([first, "24:00" if second == "00:00" else second])
    found.sort()
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
