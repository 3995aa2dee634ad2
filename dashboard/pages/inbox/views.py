"""Notifications: the list, one of them, what is done with them, and how many are new."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, abort, current_app, flash, g, make_response, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from dashboard import clock
from dashboard.access.guard import require
from dashboard.access.permissions import Permission
from dashboard.i18n import zone
from dashboard.notify import letter
from dashboard.pages.inbox import commands, queries
from dashboard.pages.inbox.queries import ALL, NEW, SNOOZED, Before, GroupKey, Notice
from dashboard.rules import permissions
from dashboard.rules.recipients import profile_of
from dashboard.web import forms, nav
from dashboard.web.page import local_path, render

bp = Blueprint("inbox", __name__, url_prefix="/inbox")

IDS_MAX = 2**63 - 1  # of a column of 64 bits


@bp.get("")
@require(Permission.SELF)
def index() -> Response:
    """Show the groups, or with `group` the notifications of one."""
    now, view, profile = clock.now_ms(), _view(request.args), profile_of(g.user.id)
    key = GroupKey.parse(request.args.get("group", ""))
    before, found, end = Before.parse(request.args.get("before", "")), list[Notice](), None
    groups: list[queries.Group] = []
    hidden = not profile.screen and "view" not in request.args and key is None
    if key is not None:
        found, end = queries.notices(g.user.id, view, key, before, now)
    elif not hidden:
        groups, end = queries.groups(g.user.id, view, before, now, zone())
    older = url_for(".index", view=view, group=key and str(key), before=str(end)) if end else None
    return render(
        "inbox/index.html",
        {"result"},
        days=queries.days(groups, zone(), now),
        notices=found,
        key=key,
        view=view,
        now_ms=now,
        counts=queries.counts(g.user.id, now),
        older=older,
        newest="before" in request.args,
        zone=zone(),
        snoozes=commands.SNOOZES,
        hidden=hidden,
        day=queries.heading(found[0].at_ts, zone(), now) if found else "",
        profile=profile,
        address=g.user.email,
        mails=bool(current_app.config["STOPA"].smtp_url),
    )


@bp.get("/<int:ident>")
@require(Permission.SELF)
def show(ident: int) -> Response:
    notice = _mine(ident)
    traced = notice.rule is not None and permissions.can_see_traces(g.scope, notice.owner)
    return render(
        "inbox/show.html",
        notice=notice,
        label=letter.page_label(notice.url),
        run=traced and notice.run_id,
        now_ms=clock.now_ms(),
        zone=zone(),
        snoozes=commands.SNOOZES,
    )


@bp.post("/<int:ident>/open")
@require(Permission.SELF)
def follow(ident: int) -> Response:
    """Mark as read and lead to what it is about, else to the whole text."""
    notice = _mine(ident)
    commands.read(g.user.id, queries.chosen([ident], [], ALL, clock.now_ms()))
    return make_response(redirect(local_path(notice.url, url_for(".show", ident=ident))))


@bp.post("")
@require(Permission.SELF)
def update() -> Response:
    """Do one thing with the notifications and groups that are ticked; those of others are passed over."""
    ids = {number for value in request.form.getlist("id") if (number := _number(value)) is not None}
    keys = {key for value in request.form.getlist("id") if (key := GroupKey.parse(value)) is not None}
    verb = request.form.get("do", "")
    if not ids and not keys and verb != "read_all":
        flash(_("Select notifications first."), "warn")
    else:
        flash(_done(verb, queries.chosen(ids, keys, _view(request.form), clock.now_ms())), "ok")
    return make_response(redirect(local_path(request.form.get("next"), url_for(".index"))))


@bp.post("/profile")
@require(Permission.SELF)
def notify_by() -> Response:
    """Turn the number of new notifications and email on or off for the viewer."""
    email = request.form.get("email") == "1" if current_app.config["STOPA"].smtp_url else None
    if email and not g.user.email:
        flash(_("Your account has no email address."), "warn")
    else:
        commands.notify_by(g.user, request.form.get("screen") == "1", email)
        flash(_("Notification settings saved."), "ok")
    return make_response(redirect(url_for(".index")))


@bp.get("/count")
@require(Permission.SELF)
def count() -> Response:
    """The number of new notifications for the menu; 204 while it is the one `seen`."""
    number = nav.notices().unread
    if request.args.get("seen") == str(number):
        return make_response("", 204)
    return render("inbox/count.html", number=number)


def _view(given: Mapping[str, str]) -> str:
    view = given.get("view", ALL)
    return view if view in (NEW, SNOOZED) else ALL


def _done(verb: str, which: Any) -> str:
    """Do what the form requests and return the message about it."""
    me = g.user.id
    if verb == "mute":
        names = commands.mute(me, which)
        text = ngettext("%(num)d rule muted for you.", "%(num)d rules muted for you.", len(names))
        return str(text)
    if verb in commands.SNOOZES:
        number = commands.snooze(me, which, verb, zone())
        return str(ngettext("%(num)d notification snoozed.", "%(num)d notifications snoozed.", number))
    if verb == "unread":
        number = commands.unread(me, which)
        return str(
            ngettext("%(num)d notification marked as new.", "%(num)d notifications marked as new.", number)
        )
    if verb not in ("read", "read_all"):
        abort(400)
    number = commands.read(me, which) if verb == "read" else commands.read_all(me)
    return str(
        ngettext("%(num)d notification marked as read.", "%(num)d notifications marked as read.", number)
    )


def _mine(ident: int) -> Notice:
    """Return the viewer's own notification, or answer 404."""
    return (queries.notice(g.user.id, ident) if 0 < ident <= IDS_MAX else None) or abort(404)


def _number(value: str) -> int | None:
    return forms.whole(value, 1, IDS_MAX)
