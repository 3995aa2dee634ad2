"""The forms of a calendar and of a day in it, and opening hours as people write them."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

from babel.dates import get_day_names
from flask import current_app
from flask_babel import gettext as _
from wtforms.form import BaseForm
from wtforms.validators import ValidationError

from dashboard.i18n.formats import language
from dashboard.i18n.message import N_
from dashboard.rulelang import holidays, working_time
from dashboard.web.fields import Field, Form, TextLine, TimeZone

WEEKDAYS = tuple(str(day) for day in range(1, 8))
WORKDAY = "08:00–17:00"
_RANGE = re.compile(r"(\d{1,2}):?(\d\d)?\s*[-–—〜~]\s*(\d{1,2}):?(\d\d)?")
_DATE = re.compile(r"\d{4}-\d\d-\d\d")

Hours = list[list[str]]  # ranges of one day, as stored: [["08:00", "12:00"], …]


class OpeningHours(Field):
    """Up to three ranges of a day as text; empty for a closed day."""

    def __init__(self, label: str = "", **options: Any) -> None:
        super().__init__(label, attrs={"maxlength": 60, "autocomplete": "off"}, **options)

    def pre_validate(self, form: BaseForm) -> None:
        if ranges(self.data) is None:
            raise ValidationError(
                _("Give at most three ranges in order, such as 08:00–12:00, 13:00–17:00; 24:00 ends the day.")
            )


class CalendarForm(Form):
    name = TextLine(N_("Name"), 120)
    zone = TimeZone(N_("Time zone"), required=True, default=lambda: current_app.config["STOPA"].timezone)
    hours1 = OpeningHours(default=WORKDAY)
    hours2 = OpeningHours(default=WORKDAY)
    hours3 = OpeningHours(default=WORKDAY)
    hours4 = OpeningHours(default=WORKDAY)
    hours5 = OpeningHours(default=WORKDAY)
    hours6 = OpeningHours(default="")
    hours7 = OpeningHours(default="")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        names = get_day_names("wide", "stand-alone", language())
        for day in WEEKDAYS:
            self[f"hours{day}"].label.text = names[int(day) - 1].capitalize()

    @property
    def hours(self) -> list[Any]:
        return [self[f"hours{day}"] for day in WEEKDAYS]

    def values(self) -> dict[str, Any]:
        texts = {day: self[f"hours{day}"].data for day in WEEKDAYS}
        hours = {day: ranges(text) for day, text in texts.items() if text}
        return {"name": self.name.data, "zone": self.zone.data, "hours": hours}


class DayField(Field):
    """A date as text such as 2026-12-24."""

    input_type = "date"

    def pre_validate(self, form: BaseForm) -> None:
        if date_of(self.data) is None:
            raise ValidationError(_("Give a date of the calendar, such as 2026-12-24."))


class DayForm(Form):
    """A day of a calendar that is not like its weekday; without hours it is closed."""

    on = DayField(N_("Date"), required=True, default="")
    day = TextLine(
        N_("Name of the day"),
        holidays.NAME_MAX,
        needed=False,
        hint=N_("Such as Christmas Eve; may be left empty."),
    )
    open = OpeningHours(
        N_("Opening hours of that day"), hint=N_("Left empty, it is closed all day."), default=""
    )


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
