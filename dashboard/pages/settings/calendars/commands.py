"""Changes of calendars: one verb, one transaction, its audit entry inside; deadlines follow in a job."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import peewee

from dashboard.audit import record as audit
from dashboard.db import database
from dashboard.models import Calendar, CalendarDay
from dashboard.pages.settings.calendars.forms import Hours, shown
from dashboard.rulelang.holidays import MAX_DAYS, Day
from dashboard.rules import timer_sync


class TakenError(Exception):
    """Another calendar has this name, or the calendar has this date already."""


class UsedError(Exception):
    """Rules name the calendar."""


class FullError(Exception):
    """The calendar would have more than MAX_DAYS days."""


def facts(values: dict[str, Any]) -> dict[str, Any]:
    """Return a calendar as the audit log keeps it: its hours as a reader expects them."""
    hours = [f"{day} {shown(found)}" for day, found in sorted(values["hours"].items())]
    return {"name": values["name"], "zone": values["zone"], "hours": hours}


def values_of(row: Calendar) -> dict[str, Any]:
    return {"name": row.name, "zone": row.zone, "hours": row.hours}


def create(values: dict[str, Any]) -> Calendar:
    """Add a calendar; raises TakenError."""
    try:
        with database.atomic():
            row = Calendar.create(**values)
            audit.record("calendar.created", "c", _target(row), audit.differences({}, facts(values)))
            timer_sync.calendar_changed(row.name)
    except peewee.IntegrityError:
        raise TakenError from None
    return row


def update(row: Calendar, values: dict[str, Any], version: int) -> bool:
    """Save; False, and nothing is changed, when `version` is no longer the row's.

    Raises TakenError, and UsedError for another name while rules use this one.
    """
    changes = audit.differences(facts(values_of(row)), facts(values))
    try:
        with database.atomic():
            if values["name"] != row.name and timer_sync.using(row.name):
                raise UsedError
            mine = (Calendar.id == row.id) & (Calendar.version == version)
            if not Calendar.update(version=Calendar.version + 1, **values).where(mine).execute():
                return False
            if changes:
                audit.record("calendar.updated", "u", _target(row), changes)
                timer_sync.calendar_changed(values["name"])
    except peewee.IntegrityError:
        raise TakenError from None
    return True


def delete(row: Calendar) -> None:
    """Delete a calendar with its days; raises UsedError."""
    with database.atomic():
        if timer_sync.using(row.name):
            raise UsedError
        CalendarDay.delete().where(CalendarDay.calendar == row.id).execute()
        if Calendar.delete().where(Calendar.id == row.id).execute():
            audit.record("calendar.deleted", "d", _target(row))
            timer_sync.calendar_changed(row.name)


def add_day(row: Calendar, on: str, name: str, hours: Hours) -> None:
    """Add a day; raises TakenError where the date is there already, FullError."""
    try:
        with database.atomic():
            _room(row, 1)
            CalendarDay.create(calendar=row.id, on=on, name=name, hours=hours)
            _noted(row, {"days": (None, f"{on} {name} {shown(hours)}".strip())})
    except peewee.IntegrityError:
        raise TakenError from None


def remove_day(row: Calendar, on: str) -> None:
    """Take a day out; twice is once."""
    with database.atomic():
        if CalendarDay.delete().where((CalendarDay.calendar == row.id) & (CalendarDay.on == on)).execute():
            _noted(row, {"days": (on, None)})


def take_in(row: Calendar, days: Sequence[Day], replace: bool) -> None:
    """Add holidays; the dates that are there already get the new name. With `replace` no others stay.

    Raises FullError.
    """
    with database.atomic():
        mine = CalendarDay.calendar == row.id
        before = CalendarDay.select().where(mine).count()
        again = [day.on.isoformat() for day in days]
        for start in range(0, len(again), 500):
            CalendarDay.delete().where(mine & CalendarDay.on.in_(again[start : start + 500])).execute()
        if replace:
            CalendarDay.delete().where(mine).execute()
        _room(row, len(days))
        records: list[tuple[Any, ...]] = [(row.id, day.on.isoformat(), day.name, []) for day in days]
        columns = [CalendarDay.calendar, CalendarDay.on, CalendarDay.name, CalendarDay.hours]
        for start in range(0, len(records), 500):
            CalendarDay.insert_many(records[start : start + 500], columns).execute()
        after = CalendarDay.select().where(mine).count()
        _noted(row, {"number_of_days": (before, after)})


def _room(row: Calendar, more: int) -> None:
    if CalendarDay.select().where(CalendarDay.calendar == row.id).count() + more > MAX_DAYS:
        raise FullError


def _noted(row: Calendar, changes: dict[str, tuple[Any, Any]]) -> None:
    audit.record("calendar.updated", "u", _target(row), changes)
    timer_sync.calendar_changed(row.name)


def _target(row: Calendar) -> tuple[str, object, str]:
    return ("calendar", row.id, row.name)
