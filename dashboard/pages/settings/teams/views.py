"""The list of teams; a team's form with its people; deletion."""

from __future__ import annotations

from flask import Blueprint, Response, abort, flash, g, make_response, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from dashboard.access.granting import RefusedError
from dashboard.access.guard import require
from dashboard.access.permissions import Permission
from dashboard.models import Team
from dashboard.pages.settings.teams import commands, forms, queries
from dashboard.web import forms as common
from dashboard.web import lists, people
from dashboard.web.page import render

bp = Blueprint("teams", __name__, url_prefix="/teams")


@bp.get("")
@require(Permission.TEAMS_VIEW)
def index() -> Response:
    by, sought = lists.order(request.args, queries.KEYS, "name"), lists.needle(request.args)
    return render(
        "teams/index.html",
        {"result"},
        rows=queries.lines(g.scope, sought, by),
        q=sought,
        by=by,
        heads=lists.heads(by, queries.KEYS),
        may_edit=g.scope.can(Permission.TEAMS_EDIT),
    )


@bp.get("/new")
@require(Permission.TEAMS_EDIT)
def new() -> Response:
    return _form(None, _searching() or forms.empty())


@bp.post("/new")
@require(Permission.TEAMS_EDIT)
def create() -> Response:
    asked = _checked()
    if not asked.errors:
        try:
            commands.create(g.user.id, asked)
        except commands.TakenError:
            asked.errors["name"] = _("There is a team of this name already.")
        except RefusedError as refused:
            asked.errors[""] = _(str(refused))
        else:
            flash(_("%(name)s has been added.", name=asked.name), "ok")
            return make_response(redirect(url_for(".index")))
    return _form(None, asked, status=422)


@bp.get("/<int:ident>")
@require(Permission.TEAMS_VIEW, Permission.TEAMS_EDIT)
def edit(ident: int) -> Response:
    row = common.one(Team, ident)
    now = queries.present(g.scope, row.id)
    stored = forms.Asked(row.name, now.members - now.hidden, now.leads - now.hidden, row.version)
    return _form(row, _searching() or stored)


@bp.post("/<int:ident>")
@require(Permission.TEAMS_EDIT)
def update(ident: int) -> Response:
    row = common.one(Team, ident)
    asked = _checked()
    if asked.errors:
        return _form(row, asked, status=422)
    try:
        commands.update(g.user.id, row, asked)
    except commands.StaleError:
        return _stale(ident, asked)
    except commands.TakenError:
        asked.errors["name"] = _("There is a team of this name already.")
    except RefusedError as refused:
        asked.errors[""] = _(str(refused))
    else:
        flash(_("Saved."), "ok")
        return make_response(redirect(url_for(".index")))
    return _form(row, asked, status=422)


@bp.route("/<int:ident>/delete", methods=["GET", "POST"])
@require(Permission.TEAMS_EDIT)
def delete(ident: int) -> Response:
    row = common.one(Team, ident)
    if request.method == "POST":
        commands.delete(g.user.id, row)
        flash(_("%(name)s has been deleted.", name=row.name), "ok")
        return make_response(redirect(url_for(".index")))
    now = queries.present(g.scope, row.id)
    count = len(now.members)
    members = ngettext(
        "The team has %(num)d member, who stays a user.",
        "The team has %(num)d members, who stay users.",
        count,
    )
    return render(
        "layout/confirm.html",
        title=_("Delete %(name)s?", name=row.name),
        errors=[],
        crumbs=[
            (_("Settings"), None),
            (_("Teams"), url_for(".index")),
            (row.name, url_for(".edit", ident=ident)),
        ],
        texts=[members, _("Its leads no longer see them by leading this team. This cannot be undone.")],
        verb=_("Delete"),
        back_url=url_for(".edit", ident=ident),
    )


def _checked() -> forms.Asked:
    """Return the posted form; 404 when it names somebody outside the viewer's scope."""
    asked = forms.parse(request.form)
    if people.unknown(g.scope, asked.members | asked.leads):
        abort(404)
    return asked


def _searching() -> forms.Asked | None:
    """Return the unsaved form when the search for people sent it along."""
    if request.args.get("op") != "find":
        return None
    asked = forms.parse(request.args)
    asked.errors.clear()
    return asked


def _stale(ident: int, asked: forms.Asked) -> Response:
    row = common.one(Team, ident)
    now = queries.present(g.scope, ident)
    stored = commands.facts(row.name, now.members - now.hidden, now.leads - now.hidden)
    typed = commands.facts(asked.name, asked.members, asked.leads)
    asked.version = row.version
    return _form(row, asked, differing=common.both(forms.LABELS, stored, typed), status=422)


def _form(
    row: Team | None, asked: forms.Asked, differing: list[common.Both] | None = None, status: int = 200
) -> Response:
    sought = lists.needle(request.values, "q")
    return render(
        "teams/form.html",
        status=status,
        row=row,
        asked=asked,
        differing=differing,
        q=sought,
        people=people.offered(g.scope, asked.members | asked.leads, sought),
        hidden=len(queries.present(g.scope, row.id).hidden) if row else 0,
        may_edit=g.scope.can(Permission.TEAMS_EDIT),
    )
