"""The days of a calendar that are not like their weekday: reads, changes, and holidays out of a file."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, NamedTuple

import peewee
from flask_babel import gettext as _

from dashboard.audit import record as audit
from dashboard.db import database, rows
from dashboard.models import Calendar, CalendarDay
from dashboard.pages.settings.calendars.forms import Hours, date_of, shown
from dashboard.rulelang import holidays
from dashboard.rulelang.holidays import MAX_DAYS, Day
from dashboard.rules.timing import timer_sync
from dashboard.web.forms import line_problem
from dashboard.web.versioned import Changes, InvalidError

CHUNK = 500  # rows of one statement


class DayRow(NamedTuple):
    on: str
    name: str
    hours: Hours


def since(calendar: Calendar, day: str) -> list[DayRow]:
    """Return the days of a calendar from a date on, in order."""
    mine = (CalendarDay.calendar == calendar.id) & (CalendarDay.on >= day)
    query = CalendarDay.select(CalendarDay.on, CalendarDay.name, CalendarDay.hours).where(mine)
    found: list[DayRow] = rows(query.order_by(CalendarDay.on), DayRow)
    return found


def before(calendar: Calendar, day: str) -> int:
    """Return how many days of a calendar lie before a date."""
    mine = (CalendarDay.calendar == calendar.id) & (CalendarDay.on < day)
    return int(CalendarDay.select().where(mine).count())


def add(row: Calendar, on: str, name: str, hours: Hours) -> None:
    """Add a day; raises InvalidError where the date is there already or the calendar is full."""
    try:
        with database.atomic():
            _check_size(row, 1)
            CalendarDay.create(calendar=row.id, on=on, name=name, hours=hours)
            _record(row, {"days": (None, f"{on} {name} {shown(hours)}".strip())})
    except peewee.IntegrityError:
        raise InvalidError("on", _("This date is already in the calendar. Remove it first.")) from None


def remove(row: Calendar, on: str) -> None:
    """Remove a day; idempotent."""
    with database.atomic():
        if CalendarDay.delete().where((CalendarDay.calendar == row.id) & (CalendarDay.on == on)).execute():
            _record(row, {"days": (on, None)})


def take_in(row: Calendar, days: Sequence[Day], replace: bool) -> None:
    """Add holidays; the dates that are there already get the new name. With `replace` no others stay.

    Raises InvalidError when the calendar would be too full.
    """
    with database.atomic():
        mine = CalendarDay.calendar == row.id
        count = CalendarDay.select().where(mine).count()
        again = [day.on.isoformat() for day in days]
        for start in range(0, len(again), CHUNK):
            CalendarDay.delete().where(mine & CalendarDay.on.in_(again[start : start + CHUNK])).execute()
        if replace:
            CalendarDay.delete().where(mine).execute()
        _check_size(row, len(days))
        records: list[tuple[Any, ...]] = [(row.id, day.on.isoformat(), day.name, []) for day in days]
        columns = [CalendarDay.calendar, CalendarDay.on, CalendarDay.name, CalendarDay.hours]
        for start in range(0, len(records), CHUNK):
            CalendarDay.insert_many(records[start : start + CHUNK], columns).execute()
        _record(row, {"number_of_days": (count, CalendarDay.select().where(mine).count())})


def written(days: list[Day]) -> str:
    """Return days as one text, a line for each, for the form that takes them in."""
    return "\n".join(f"{day.on.isoformat()} {day.name}" for day in days)


def entries(days: list[Day]) -> dict[str, list[date]]:
    """Return the dates by the name that they have in the file, in order of the first date."""
    found: dict[str, list[date]] = {}
    for day in days:
        found.setdefault(day.name, []).append(day.on)
    return found


def read(text: str) -> list[Day]:
    """Return the days of `written`; lines that are none are left out."""
    found: dict[date, Day] = {}
    for line in text.splitlines()[:MAX_DAYS]:
        on, _space, name = line.partition(" ")
        day = date_of(on)
        if day is not None and line_problem(name, holidays.NAME_MAX, needed=False) is None:
            found.setdefault(day, Day(day, name))
    return [found[on] for on in sorted(found)]


def _check_size(row: Calendar, more: int) -> None:
    if CalendarDay.select().where(CalendarDay.calendar == row.id).count() + more > MAX_DAYS:
        raise InvalidError("on", _("A calendar can have up to %(most)d days.", most=MAX_DAYS))


def _record(row: Calendar, changes: Changes) -> None:
    audit.record("calendar.updated", "u", ("calendar", row.id, row.name), changes)
    timer_sync.calendar_changed(row.name)
