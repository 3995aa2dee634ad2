"""How the viewer wants to be told: profiles, and the rules that are muted."""

from __future__ import annotations

from typing import Any

from flask import Response, abort, flash, g, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _

from dashboard.access.guard import require
from dashboard.access.permissions import Permission
from dashboard.models import Profile, Rule
from dashboard.pages.inbox import commands, forms, queries, ways
from dashboard.pages.inbox.forms import Asked
from dashboard.pages.inbox.views import bp
from dashboard.ruletext import names
from dashboard.web import forms as common


@bp.get("/profiles")
@require(Permission.SELF)
def profiles() -> Response:
    rows = ways.profiles(g.user.id)
    chosen = {row.channel_id for row in rows}
    named = {one.id: one.name for each in chosen for one in ways.channels(g.scope, each)}
    return _answer(
        "inbox/profiles.html", rows=rows, channels=named, muted=queries.muted(g.user.id), quiet=_quiet
    )


@bp.get("/profiles/new")
@require(Permission.SELF)
def new_profile() -> Response:
    return _form(None, Asked())


@bp.post("/profiles/new")
@require(Permission.SELF)
def create_profile() -> Response:
    asked = _parse(None)
    if asked.errors:
        return _form(None, asked, status=422)
    ways.create(g.user.id, asked.values())
    flash(_("%(name)s has been added.", name=asked.name), "ok")
    return _back()


@bp.get("/profiles/<int:ident>")
@require(Permission.SELF)
def edit_profile(ident: int) -> Response:
    row = _mine(ident)
    return _form(row, forms.of_row(row))


@bp.post("/profiles/<int:ident>")
@require(Permission.SELF)
def update_profile(ident: int) -> Response:
    row = _mine(ident)
    asked = _parse(row)
    if asked.errors:
        return _form(row, asked, status=422)
    if not ways.update(row, asked.values(), asked.version):
        now = _mine(ident)
        asked.version = now.version
        return _form(
            now, asked, common.both(forms.LABELS, _shown(ways.facts(now)), _shown(asked.values())), 422
        )
    flash(_("Saved."), "ok")
    return _back()


@bp.post("/profiles/<int:ident>/default")
@require(Permission.SELF)
def default_profile(ident: int) -> Response:
    row = _mine(ident)
    ways.make_default(row)
    flash(_("You are told by %(name)s from now on.", name=row.name), "ok")
    return _back()


@bp.route("/profiles/<int:ident>/delete", methods=["GET", "POST"])
@require(Permission.SELF)
def delete_profile(ident: int) -> Response:
    row = _mine(ident)
    if request.method == "POST":
        ways.delete(row)
        flash(_("%(name)s has been deleted.", name=row.name), "ok")
        return _back()
    stays = _("Notifications themselves stay. Without a profile you are told here only.")
    return _answer(
        "layout/confirm.html",
        title=_("Delete %(name)s?", name=row.name),
        errors=[],
        crumbs=[(_("Notifications"), url_for(".index")), (_("Profiles"), url_for(".profiles"))],
        texts=[stays],
        verb=_("Delete"),
        back_url=url_for(".edit_profile", ident=ident),
    )


@bp.post("/mutes/<int:ident>/delete")
@require(Permission.SELF)
def unmute(ident: int) -> Response:
    rule = common.one(Rule, ident)
    if all(ident != one.rule_id for one in queries.muted(g.user.id)):
        abort(404)  # whoever has not muted it need not learn that it exists
    commands.unmute(g.user.id, rule)
    flash(_("You hear from %(name)s again.", name=rule.name), "ok")
    return _back()


def _mine(ident: int) -> Profile:
    return (ways.profile(g.user.id, ident) if 0 < ident <= common.ID_MAX else None) or abort(404)


def _parse(row: Profile | None) -> Asked:
    channels = ways.channels(g.scope, row.channel_id if row else None)
    people = ways.people(g.scope, row.fallback_id if row else None)
    return forms.parse(request.form, [one.id for one in channels], [one.id for one in people], g.user.email)


def _shown(values: dict[str, Any]) -> dict[str, Any]:
    """Return a profile's values as a reader expects them: names for ids and days."""
    named = {one.id: one.name for one in ways.channels(g.scope, values["channel"])}
    people = {one.id: one.name for one in ways.people(g.scope, values["fallback_id"])}
    return {
        **values,
        "channel": named.get(values["channel"], ""),
        "fallback_id": people.get(values["fallback_id"], ""),
        "quiet_days": [names.day_name(day) for day in values["quiet_days"]],
    }


def _quiet(row: Profile) -> str:
    """Return when a profile is quiet: "20:00–08:00, Saturday, Sunday"."""
    hours = f"{row.quiet_from}–{row.quiet_to}" if row.quiet_from else ""
    return ", ".join(filter(None, [hours, *map(names.day_name, row.quiet_days)]))


def _form(
    row: Profile | None, asked: Asked, differing: list[common.Both] | None = None, status: int = 200
) -> Response:
    return _answer(
        "inbox/profile.html",
        status,
        row=row,
        asked=asked,
        differing=differing,
        address=g.user.email,
        channels=ways.channels(g.scope, row.channel_id if row else None),
        people=ways.people(g.scope, row.fallback_id if row else None),
        days=[(day, names.day_name(day)) for day in range(1, 8)],
    )


def _answer(template: str, status: int = 200, **context: Any) -> Response:
    return make_response(render_template(template, **context), status)


def _back() -> Response:
    return make_response(redirect(url_for(".profiles")))
