"""Calendars: the list, the form of one with its days, and holidays out of a file.

No personal data: no scope but for the names of the rules that use a calendar.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

from flask import Blueprint, Response, g, request
from flask_babel import gettext as _
from flask_babel import ngettext
from peewee import fn

from dashboard import clock
from dashboard.access.guard import require
from dashboard.access.permissions import Permission
from dashboard.i18n import formats
from dashboard.i18n.message import N_, Message
from dashboard.models import Calendar, CalendarDay
from dashboard.pages.settings.calendars import days
from dashboard.pages.settings.calendars.forms import WEEKDAYS, CalendarForm, DayForm, Hours, ranges, shown
from dashboard.rulelang import holidays
from dashboard.rulelang.working_time import minute
from dashboard.rules import permissions
from dashboard.rules.timing import timer_sync
from dashboard.web.columns import Column, Texts, number
from dashboard.web.resource import Resource
from dashboard.web.versioned import Changes, InvalidError

NOTHING = holidays.Holidays([], [])


class CalendarRow(NamedTuple):
    id: int
    name: str
    zone: str
    week_s: int  # open in a week
    days: int  # that are not like their weekday
    rules: int  # that use it


class Calendars(Resource[CalendarForm]):
    model = Calendar
    kind = "calendar"
    form_class = CalendarForm
    view = Permission.CALENDARS_VIEW
    edit_permission = Permission.CALENDARS_EDIT
    leaves = "delete"
    stays = True
    form_template = "calendars/form.html"
    texts = Texts(
        title=N_("Calendars"),
        one=N_("Calendar"),
        new=N_("New calendar"),
        table=N_("Table of calendars"),
        count=lambda number: ngettext("%(num)d calendar", "%(num)d calendars", number),
        no_match=N_("No matching calendars"),
        none=N_("No calendars yet"),
        none_hint=N_("Calendars define working hours, holidays and closures for rules."),
        taken=N_("A calendar with this name already exists."),
        leave=(N_("The calendar and its holidays will be deleted. This can't be undone."),),
        picture="clock",
    )
    labels = MappingProxyType({"hours": N_("Opening hours")})
    columns = (
        Column("name", N_("Name")),
        Column("zone", N_("Time zone"), css="p2"),
        Column(
            "week",
            N_("Weekly open hours"),
            lambda row: row.week_s,
            lambda row: formats.duration(row.week_s),
            css="n",
        ),
        number("days", N_("Special days"), "n p2"),
        number("rules", N_("Used by rules")),
    )

    def rows(self, gone: bool) -> Iterable[CalendarRow]:
        query = CalendarDay.select(CalendarDay.calendar, fn.COUNT(CalendarDay.id))
        counts = dict(query.group_by(CalendarDay.calendar).tuples())
        return [
            CalendarRow(
                row.id,
                row.name,
                row.zone,
                week_s(row.hours.values()),
                counts.get(row.id, 0),
                len(timer_sync.using(row.name)),
            )
            for row in Calendar.select()
        ]

    def searched(self, row: CalendarRow) -> Sequence[str]:
        return (row.name, row.zone)

    def stored(self, row: Calendar) -> dict[str, Any]:
        return {"name": row.name, "zone": row.zone, "hours": row.hours}

    def filled(self, row: Calendar) -> dict[str, Any]:
        hours = {f"hours{day}": shown(row.hours.get(day, [])) for day in WEEKDAYS}
        return {"name": row.name, "zone": row.zone, **hours}

    def audited(self, values: dict[str, Any]) -> dict[str, Any]:
        return {
            **values,
            "hours": [f"{day} {shown(found)}" for day, found in sorted(values["hours"].items())],
        }

    def write(self, row: Calendar, form: CalendarForm, context: Any) -> bool:
        if form.name.data != row.name and timer_sync.using(row.name):
            raise InvalidError("name", self.obstacles(row)[0])
        return super().write(row, form, context)

    def changed(self, row: Calendar) -> None:
        timer_sync.calendar_changed(row.name)

    def saved_text(self, row: Calendar, form: CalendarForm) -> str:
        return str(_("Saved. Timers based on this calendar will be updated shortly."))

    def obstacles(self, row: Calendar) -> Sequence[str]:
        """Return the names of the rules that use it; of those that the viewer may not see the number."""
        rules = timer_sync.using(row.name)
        if not rules:
            return ()
        names = [rule.name for rule in rules if permissions.can_see(g.scope, rule.owner_id)]
        if hidden := len(rules) - len(names):
            names.append(
                ngettext(
                    "%(num)d rule you don't have access to", "%(num)d rules you don't have access to", hidden
                )
            )
        text = _(
            "This calendar is used by rules: %(rules)s. Change these rules first.",
            rules=formats.listed(names),
        )
        return [text]

    def removing(self, row: Calendar, context: Any) -> Changes | None:
        if problems := self.obstacles(row):
            raise InvalidError("", problems[0])
        CalendarDay.delete().where(CalendarDay.calendar == row.id).execute()
        return None

    def context(self, row: Calendar | None, form: CalendarForm) -> dict[str, Any]:
        if row is None:
            return {"day": DayForm(), "days": [], "earlier": 0}
        this_year = str(clock.local_date(clock.now_s(), row.zone).replace(month=1, day=1))
        since = "" if request.args.get("past") else this_year
        return {
            "day": DayForm(),
            "days": days.since(row, since),
            "earlier": days.before(row, since),
            "hours_text": shown,
        }


bp = Blueprint("calendars", __name__, url_prefix="/settings/calendars")
CALENDARS = Calendars(bp)


@bp.post("/<int:ident>/days")
@require(Permission.CALENDARS_EDIT)
def add_day(ident: int) -> Response:
    row = CALENDARS.one(ident)
    form = DayForm(request.form)
    if form.validate():
        try:
            days.add(row, form.on.data, form.day.data, ranges(form.open.data) or [])
        except InvalidError as error:
            form.reject(error.field, error.problem)
        else:
            return CALENDARS.done(_("%(date)s added.", date=form.on.data), CALENDARS.url("edit", row))
    return CALENDARS.show(row, CALENDARS.form(row), 422, day=form)


@bp.post("/<int:ident>/days/remove")
@require(Permission.CALENDARS_EDIT)
def remove_day(ident: int) -> Response:
    row = CALENDARS.one(ident)
    on = request.form.get("on", "")[:10]
    days.remove(row, on)
    return CALENDARS.done(_("%(date)s removed.", date=on), CALENDARS.url("edit", row))


@bp.get("/<int:ident>/import")
@require(Permission.CALENDARS_EDIT)
def import_file(ident: int) -> Response:
    return _import(CALENDARS.one(ident))


@bp.post("/<int:ident>/import")
@require(Permission.CALENDARS_EDIT)
def read_file(ident: int) -> Response:
    row = CALENDARS.one(ident)
    sent = request.files.get("file")
    file = sent.read(holidays.MAX_BYTES + 1) if sent is not None else b""
    found = holidays.parse(file, clock.local_date(clock.now_s(), row.zone), clock.zone(row.zone))
    if isinstance(found, Message):
        return _import(row, error=found.render(_), status=422)
    if not found.days:
        return _import(row, found, error=_(holidays.NO_DAYS), status=422)
    return _import(row, found)


@bp.post("/<int:ident>/import/days")
@require(Permission.CALENDARS_EDIT)
def take_in(ident: int) -> Response:
    row = CALENDARS.one(ident)
    ticked = set(request.form.getlist("entry"))
    chosen = [day for day in days.read(request.form.get("days", "")) if day.name in ticked]
    if not chosen:
        return _import(row, error=_("No days were submitted. Choose the file again."), status=422)
    try:
        days.take_in(row, chosen, replace=request.form.get("how") == "replace")
    except InvalidError as error:
        return _import(row, error=error.problem, status=422)
    text = ngettext("%(num)d day imported.", "%(num)d days imported.", len(chosen))
    return CALENDARS.done(text, CALENDARS.url("edit", row))


def week_s(hours: Iterable[Hours]) -> int:
    """Return how many seconds of a plain week are open."""
    return sum(60 * (minute(end) - minute(start)) for day in hours for start, end in day)


def _import(
    row: Calendar, found: holidays.Holidays = NOTHING, error: str | None = None, status: int = 200
) -> Response:
    return CALENDARS.render(
        "calendars/import.html",
        status=status,
        row=row,
        days=found.days,
        entries=days.entries(found.days),
        left_out=[(entry.name, _(entry.reason)) for entry in found.left_out],
        error=error,
        text=days.written(found.days),
    )
