"""Reads of the calendars' pages; no personal data: no scope but for the names of rules."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from flask_babel import ngettext
from peewee import fn

from dashboard.access.scope import Scope
from dashboard.db import rows
from dashboard.models import Calendar, CalendarDay, Rule
from dashboard.pages.settings.calendars.forms import Hours
from dashboard.rulelang.working_time import minute
from dashboard.rules import permissions, timer_sync
from dashboard.web import lists
from dashboard.web.lists import Order


class Line(NamedTuple):
    id: int
    name: str
    zone: str
    week_s: int  # open in a week
    days: int  # that are not like their weekday
    rules: int  # that use it


class DayLine(NamedTuple):
    on: str
    name: str
    hours: Hours


KEYS = {
    "name": lambda line: line.name,
    "zone": lambda line: line.zone,
    "week": lambda line: line.week_s,
    "days": lambda line: line.days,
    "rules": lambda line: line.rules,
}


def lines(sought: str, by: Order) -> list[Line]:
    """Return the calendars that match, in the order asked for."""
    days = dict(
        CalendarDay.select(CalendarDay.calendar, fn.COUNT(CalendarDay.id))
        .group_by(CalendarDay.calendar)
        .tuples()
    )
    found = [row for row in Calendar.select() if lists.found(sought, row.name, row.zone)]
    made = [
        Line(
            row.id,
            row.name,
            row.zone,
            week_s(row.hours.values()),
            days.get(row.id, 0),
            len(timer_sync.using(row.name)),
        )
        for row in found
    ]
    return lists.arranged(made, by, KEYS)


def week_s(hours: Iterable[Hours]) -> int:
    """Return how many seconds of a plain week are open."""
    return sum(60 * (minute(end) - minute(start)) for day in hours for start, end in day)


def days(calendar: Calendar, since: str) -> list[DayLine]:
    """Return the days of a calendar from a date on, in order."""
    mine = (CalendarDay.calendar == calendar.id) & (CalendarDay.on >= since)
    query = CalendarDay.select(CalendarDay.on, CalendarDay.name, CalendarDay.hours).where(mine)
    found: list[DayLine] = rows(query.order_by(CalendarDay.on), DayLine)
    return found


def earlier(calendar: Calendar, since: str) -> int:
    """Return how many days of a calendar lie before a date."""
    mine = (CalendarDay.calendar == calendar.id) & (CalendarDay.on < since)
    return int(CalendarDay.select().where(mine).count())


def told(scope: Scope, rules: list[Rule]) -> str:
    """Return the names of rules that use a calendar; of those that the viewer may not see the number."""
    names = [rule.name for rule in rules if permissions.sees(scope, rule.owner_id)]
    hidden = len(rules) - len(names)
    more = (
        [ngettext("%(num)d rule that you may not see", "%(num)d rules that you may not see", hidden)]
        if hidden
        else []
    )
    return ", ".join([*names, *more])
