"""The list of calendars; the form of one with its days; holidays out of a file; deletion."""

from __future__ import annotations

from zoneinfo import available_timezones

from babel.dates import get_day_names
from flask import Blueprint, Response, current_app, flash, g, make_response, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from dashboard import clock
from dashboard.access.guard import require
from dashboard.access.permissions import Permission
from dashboard.i18n.formats import language
from dashboard.i18n.message import Message
from dashboard.models import Calendar
from dashboard.pages.settings.calendars import commands, forms, queries
from dashboard.rulelang import holidays
from dashboard.rules import timer_sync
from dashboard.web import forms as common
from dashboard.web import lists
from dashboard.web.page import render

NOTHING = holidays.Holidays([], [])

bp = Blueprint("calendars", __name__, url_prefix="/settings/calendars")


@bp.get("")
@require(Permission.CALENDARS_VIEW)
def index() -> Response:
    by = lists.order(request.args, queries.KEYS, "name")
    sought = lists.needle(request.args)
    return render(
        "calendars/index.html",
        {"result"},
        rows=queries.lines(sought, by),
        q=sought,
        by=by,
        heads=lists.heads(by, queries.KEYS),
        may_edit=g.scope.can(Permission.CALENDARS_EDIT),
    )


@bp.get("/new")
@require(Permission.CALENDARS_EDIT)
def new() -> Response:
    return _form(None, forms.empty(str(current_app.config["STOPA"].timezone)))


@bp.post("/new")
@require(Permission.CALENDARS_EDIT)
def create() -> Response:
    asked = forms.parse(request.form)
    if not asked.errors:
        try:
            row = commands.create(asked.values())
        except commands.TakenError:
            asked.errors["name"] = _("There is a calendar of this name already.")
        else:
            flash(_("%(name)s has been added.", name=row.name), "ok")
            return make_response(redirect(url_for(".edit", ident=row.id)))
    return _form(None, asked, status=422)


@bp.get("/<int:ident>")
@require(Permission.CALENDARS_VIEW, Permission.CALENDARS_EDIT)
def edit(ident: int) -> Response:
    row = common.one(Calendar, ident)
    return _form(row, forms.of_row(row))


@bp.post("/<int:ident>")
@require(Permission.CALENDARS_EDIT)
def update(ident: int) -> Response:
    row = common.one(Calendar, ident)
    asked = forms.parse(request.form)
    if asked.errors:
        return _form(row, asked, status=422)
    try:
        saved = commands.update(row, asked.values(), asked.version)
    except commands.TakenError:
        asked.errors["name"] = _("There is a calendar of this name already.")
        return _form(row, asked, status=422)
    except commands.UsedError:
        asked.errors["name"] = _used(row)
        return _form(row, asked, status=422)
    if not saved:
        return _stale(ident, asked)
    flash(_("Saved. Deadlines that are counted by this calendar follow within moments."), "ok")
    return make_response(redirect(url_for(".edit", ident=ident)))


@bp.post("/<int:ident>/days")
@require(Permission.CALENDARS_EDIT)
def add_day(ident: int) -> Response:
    row = common.one(Calendar, ident)
    asked = forms.parse_day(request.form)
    if not asked.errors:
        try:
            commands.add_day(row, asked.on, asked.name, forms.ranges(asked.hours) or [])
        except commands.TakenError:
            asked.errors["on"] = _("This date is in the calendar already. Remove it first.")
        except commands.FullError:
            asked.errors["on"] = _full()
        else:
            flash(_("%(date)s has been added.", date=asked.on), "ok")
            return make_response(redirect(url_for(".edit", ident=ident)))
    return _form(row, forms.of_row(row), day=asked, status=422)


@bp.post("/<int:ident>/days/remove")
@require(Permission.CALENDARS_EDIT)
def remove_day(ident: int) -> Response:
    row = common.one(Calendar, ident)
    on = request.form.get("on", "")[:10]
    commands.remove_day(row, on)
    flash(_("%(date)s has been removed.", date=on), "ok")
    return make_response(redirect(url_for(".edit", ident=ident)))


@bp.get("/<int:ident>/import")
@require(Permission.CALENDARS_EDIT)
def import_file(ident: int) -> Response:
    return _import(common.one(Calendar, ident))


@bp.post("/<int:ident>/import")
@require(Permission.CALENDARS_EDIT)
def read_file(ident: int) -> Response:
    row = common.one(Calendar, ident)
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
    row = common.one(Calendar, ident)
    ticked = set(request.form.getlist("entry"))
    days = [day for day in forms.read(request.form.get("days", "")) if day.name in ticked]
    if not days:
        return _import(row, error=_("No day was sent. Choose the file again."), status=422)
    try:
        commands.take_in(row, days, replace=request.form.get("how") == "replace")
    except commands.FullError:
        return _import(row, error=_full(), status=422)
    flash(ngettext("%(num)d day has been taken in.", "%(num)d days have been taken in.", len(days)), "ok")
    return make_response(redirect(url_for(".edit", ident=ident)))


@bp.route("/<int:ident>/delete", methods=["GET", "POST"])
@require(Permission.CALENDARS_EDIT)
def delete(ident: int) -> Response:
    row = common.one(Calendar, ident)
    errors = [_used(row)] if timer_sync.using(row.name) else []
    if request.method == "POST" and not errors:
        try:
            commands.delete(row)
        except commands.UsedError:
            errors = [_used(row)]
        else:
            flash(_("%(name)s has been deleted.", name=row.name), "ok")
            return make_response(redirect(url_for(".index")))
    return render(
        "layout/confirm.html",
        status=422 if request.method == "POST" else 200,
        title=_("Delete %(name)s?", name=row.name),
        errors=errors,
        crumbs=[
            (_("Settings"), None),
            (_("Calendars"), url_for(".index")),
            (row.name, url_for(".edit", ident=ident)),
        ],
        texts=[_("The calendar goes with its holidays. This cannot be undone.")],
        verb=None if errors else _("Delete"),
        back_url=url_for(".edit", ident=ident),
    )


def _used(row: Calendar) -> str:
    rules = queries.told(g.scope, timer_sync.using(row.name))
    return str(_("Rules use this calendar by its name: %(rules)s. Change these rules first.", rules=rules))


def _full() -> str:
    return str(_("A calendar holds at most %(most)d days.", most=holidays.MAX_DAYS))


def _stale(ident: int, asked: forms.Asked) -> Response:
    now = common.one(Calendar, ident)
    asked.version = now.version
    stored, typed = commands.facts(commands.values_of(now)), commands.facts(asked.values())
    return _form(now, asked, differing=common.both(forms.LABELS, stored, typed), status=422)


def _form(
    row: Calendar | None,
    asked: forms.Asked,
    differing: list[common.Both] | None = None,
    day: forms.AskedDay | None = None,
    status: int = 200,
) -> Response:
    names = get_day_names("wide", "stand-alone", language())
    past = bool(request.args.get("past"))
    since = (
        "" if past or row is None else str(clock.local_date(clock.now_s(), row.zone).replace(month=1, day=1))
    )
    return render(
        "calendars/form.html",
        status=status,
        row=row,
        asked=asked,
        differing=differing,
        day=day or forms.AskedDay(),
        shown=forms.shown,
        may_edit=g.scope.can(Permission.CALENDARS_EDIT),
        weekdays=[(each, names[int(each) - 1].capitalize()) for each in forms.WEEKDAYS],
        zones=sorted(name for name in available_timezones() if "/" in name or name == "UTC"),
        days=queries.days(row, since) if row else [],
        earlier=queries.earlier(row, since) if row else 0,
    )


def _import(
    row: Calendar, found: holidays.Holidays = NOTHING, error: str | None = None, status: int = 200
) -> Response:
    return render(
        "calendars/import.html",
        status=status,
        row=row,
        days=found.days,
        entries=forms.entries(found.days),
        left_out=[(entry.name, _(entry.reason)) for entry in found.left_out],
        error=error,
        text=forms.written(found.days),
    )
