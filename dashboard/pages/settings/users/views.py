"""The list of users; a user's form; deactivation and back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from zoneinfo import available_timezones

from flask import Blueprint, Response, abort, flash, g, make_response, redirect, request, url_for
from flask_babel import gettext as _

from dashboard.access import granting
from dashboard.access.granting import RefusedError
from dashboard.access.guard import require
from dashboard.access.permissions import Permission
from dashboard.i18n import LOCALES
from dashboard.models import User
from dashboard.pages.settings.users import commands, forms, queries
from dashboard.web import forms as common
from dashboard.web import lists
from dashboard.web.page import render

bp = Blueprint("users", __name__, url_prefix="/users")
PAGE = 100


@bp.get("")
@require(Permission.USERS_VIEW)
def index() -> Response:
    by = lists.order(request.args, queries.KEYS, "name")
    asked = queries.Filter(
        lists.needle(request.args), request.args.get("access", ""), bool(request.args.get("deactivated"))
    )
    found = queries.lines(g.scope, asked, by)
    rows, pager = lists.paged(found, PAGE)
    return render(
        "users/index.html",
        {"result"},
        rows=rows,
        pager=pager,
        asked=asked,
        by=by,
        heads=lists.heads(by, queries.KEYS),
        accesses=queries.accesses(),
        no_access=queries.NO_ACCESS,
        deactivated=queries.deactivated_count(found),
        when=_when,
        may_edit=g.scope.can(Permission.USERS_EDIT),
        may_open=g.scope.can(Permission.ACCESSES_VIEW),
        may_trace=g.scope.can(Permission.TRACING_VIEW),
        own=g.user.id,
    )


@bp.get("/new")
@require(Permission.USERS_EDIT)
def new() -> Response:
    return _form(None, forms.Asked())


@bp.post("/new")
@require(Permission.USERS_EDIT)
def create() -> Response:
    asked = forms.parse(request.form)
    if not asked.errors:
        try:
            row = commands.create(g.user.id, asked)
        except commands.TakenError:
            asked.errors["login"] = _("There is a user of this name already.")
        except RefusedError as refused:
            asked.errors["access"] = _(str(refused))
        else:
            flash(_("%(name)s has been added.", name=row.name), "ok")
            return make_response(redirect(url_for(".index")))
    return _form(None, asked, status=422)


@bp.get("/<int:ident>")
@require(Permission.USERS_VIEW, Permission.USERS_EDIT)
def edit(ident: int) -> Response:
    row = _one(ident)
    return _form(row, forms.of_row(row, queries.teams_of(row.id)))


@bp.post("/<int:ident>")
@require(Permission.USERS_EDIT)
def update(ident: int) -> Response:
    row = _one(ident)
    stored = forms.of_row(row, queries.teams_of(row.id))
    asked = forms.parse(request.form, row)
    if "access" not in request.form:
        asked.access = stored.access  # on one's own page its field is disabled, so it is not sent
    if asked.errors:
        return _form(row, asked, status=422)
    try:
        commands.update(g.user.id, row, stored, asked)
    except commands.StaleError:
        return _stale(ident, asked)
    except RefusedError as refused:
        asked.errors["password" if str(refused) == commands.OWN_PASSWORD else "access"] = _(str(refused))
        return _form(row, asked, status=422)
    flash(_("Saved."), "ok")
    return make_response(redirect(url_for(".edit", ident=ident)))


@bp.route("/<int:ident>/deactivate", methods=["GET", "POST"])
@require(Permission.USERS_EDIT)
def deactivate(ident: int) -> Response:
    row = _one(ident)
    return _confirmed(
        row,
        commands.deactivate,
        done=_("%(name)s has been deactivated.", name=row.name),
        title=_("Deactivate %(name)s?", name=row.name),
        texts=[
            _("All sessions of the user end at once, and so does what is open in the user's day."),
            _("All history stays. You can reactivate the user at any time."),
        ],
        verb=_("Deactivate"),
    )


@bp.route("/<int:ident>/reactivate", methods=["GET", "POST"])
@require(Permission.USERS_EDIT)
def reactivate(ident: int) -> Response:
    row = _one(ident)
    return _confirmed(
        row,
        commands.reactivate,
        done=_("%(name)s is active again.", name=row.name),
        title=_("Reactivate %(name)s?", name=row.name),
        texts=[_("The user can sign in again, with the same access and password as before.")],
        verb=_("Reactivate"),
    )


def _confirmed(row: User, act: Callable[[int, User], None], done: str, **page: Any) -> Response:
    """Ask on GET, act on POST; what is refused is said on the same page."""
    errors: list[str] = []
    if request.method == "POST":
        try:
            act(g.user.id, row)
        except RefusedError as refused:
            errors.append(_(str(refused)))
        else:
            flash(done, "ok")
            return make_response(redirect(url_for(".edit", ident=row.id)))
    back = url_for(".edit", ident=row.id)
    way = [(_("Settings"), None), (_("Users"), url_for(".index")), (row.name, back)]
    return render(
        "layout/confirm.html", status=422 if errors else 200, errors=errors, crumbs=way, back_url=back, **page
    )


def _one(ident: int) -> User:
    return queries.one(g.scope, ident) or abort(404)


def _when(ts: int | None) -> str:
    return lists.moment(ts)


def _stale(ident: int, asked: forms.Asked) -> Response:
    row = _one(ident)
    stored = forms.of_row(row, queries.teams_of(row.id))
    asked.version = row.version
    both = common.both(forms.LABELS, commands.facts(stored), commands.facts(asked))
    return _form(row, asked, differing=both, status=422)


def _form(
    row: User | None, asked: forms.Asked, differing: list[common.Both] | None = None, status: int = 200
) -> Response:
    giver = granting.giver_of(g.user, g.scope)
    accesses = queries.givable(giver, row.id if row else None)
    present = row.access if row else None
    kept = None  # an access that the viewer could not give stays choosable for whoever has it
    if present is not None and present.id not in {choice.id for choice in accesses}:
        kept = queries.Choice(present.id, queries.called(present.name, present.is_system))
    return render(
        "users/form.html",
        status=status,
        row=row,
        asked=asked,
        differing=differing,
        teams=queries.teams(),
        accesses=[*([kept] if kept else []), *accesses],
        own=row is not None and row.id == g.user.id,
        higher=not giver.may_restrict(present, row.id if row else None),
        above=kept is not None,
        may_edit=g.scope.can(Permission.USERS_EDIT),
        languages=LOCALES,
        when=_when,
        zones=sorted(name for name in available_timezones() if "/" in name or name == "UTC"),
    )
