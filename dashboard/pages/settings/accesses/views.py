"""The list of accesses; the tabs of one; adding, cloning, deleting."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, abort, flash, g, make_response, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from dashboard.access import granting
from dashboard.access.granting import Giver, Grant, RefusedError, grants_of
from dashboard.access.guard import require
from dashboard.access.permissions import Permission
from dashboard.models import Access
from dashboard.pages.settings.accesses import commands, forms, queries
from dashboard.web import forms as common
from dashboard.web import lists, people
from dashboard.web.page import render, zone

bp = Blueprint("accesses", __name__, url_prefix="/accesses")


@bp.get("")
@require(Permission.ACCESSES_VIEW)
def index() -> Response:
    by, sought = lists.order(request.args, queries.KEYS, "name"), lists.needle(request.args)
    return render(
        "accesses/index.html",
        {"result"},
        rows=queries.lines(sought, by),
        q=sought,
        by=by,
        heads=lists.heads(by, queries.KEYS),
        own_id=g.user.access.id,
        may_edit=g.scope.can(Permission.ACCESSES_EDIT),
    )


@bp.get("/new")
@require(Permission.ACCESSES_EDIT)
def new() -> Response:
    return _new(forms.New("", "", common.whole(request.args.get("from", ""), 1, common.ID_MAX)))


@bp.post("/new")
@require(Permission.ACCESSES_EDIT)
def create() -> Response:
    asked = forms.parse_new(request.form)
    if not asked.errors:
        try:
            row = commands.create(g.user.id, asked)
        except commands.TakenError:
            asked.errors["name"] = _("There is an access of this name already.")
        except RefusedError as refused:
            asked.errors["source"] = _told(refused)
        else:
            flash(_("%(name)s has been added.", name=row.name), "ok")
            return make_response(redirect(url_for(".edit", ident=row.id, tab="general")))
    return _new(asked, status=422)


@bp.get("/<int:ident>/edit")
@require(Permission.ACCESSES_VIEW, Permission.ACCESSES_EDIT)
def edit(ident: int) -> Response:
    row = common.one(Access, ident)
    tab, part = _place()
    if tab == "general" and request.args.get("op") == "find":
        asked = forms.parse_general(request.args, row)
        asked.errors.clear()
        return _page(row, tab, part, asked)
    return _page(row, tab, part, _stored(row, tab, part))


@bp.post("/<int:ident>/edit")
@require(Permission.ACCESSES_EDIT)
def update(ident: int) -> Response:
    row = common.one(Access, ident)
    tab, part = _place()
    asked: forms.General | forms.Rights
    if tab == "general":
        asked = forms.parse_general(request.form, row)
        _check_known(row, asked)
    elif forms.sections(tab, part):
        asked = forms.parse_rights(request.form, tab, part)
    else:
        abort(404)
    if not asked.errors:
        try:
            _save(row, asked)
        except commands.StaleError:
            return _stale(ident, tab, part, asked)
        except commands.TakenError:
            asked.errors["name"] = _("There is an access of this name already.")
        except RefusedError as refused:
            asked.errors[""] = _told(refused)
        else:
            flash(_saved(ident), "ok")
            place: dict[str, Any] = {"tab": tab, "part": part} if tab == "advanced" else {"tab": tab}
            return make_response(redirect(url_for(".edit", ident=ident, **place)))
    return _page(row, tab, part, asked, status=422)


@bp.route("/<int:ident>/delete", methods=["GET", "POST"])
@require(Permission.ACCESSES_EDIT)
def delete(ident: int) -> Response:
    row = common.one(Access, ident)
    giver = granting.giver_of(g.user, g.scope)
    reason = commands.fixed(giver, row, g.user.access.id) or commands.obstacle(row)
    errors = [_(reason)] if reason else []
    if request.method == "POST" and not reason:
        try:
            commands.delete(g.user.id, ident)
        except RefusedError as refused:
            errors = [_told(refused)]
        else:
            flash(_("%(name)s has been deleted.", name=row.name), "ok")
            return make_response(redirect(url_for(".index")))
    back = url_for(".edit", ident=ident)
    return render(
        "layout/confirm.html",
        status=422 if errors and request.method == "POST" else 200,
        errors=errors,
        title=_("Delete %(name)s?", name=queries.called(row)),
        texts=[_("This cannot be undone.")],
        crumbs=[(_("Settings"), None), (_("Accesses"), url_for(".index")), (queries.called(row), back)],
        verb=None if errors else _("Delete"),
        back_url=back,
    )


def _place() -> tuple[str, str]:
    """Return the tab and its part that the address or the form names; 404 for one that is not there."""
    tab = request.values.get("tab") or "general"
    part = request.values.get("part") or next(iter(forms.PARTS))
    if tab not in forms.TABS or part not in forms.PARTS:
        abort(404)
    return tab, part


def _save(row: Access, asked: forms.General | forms.Rights) -> None:
    if isinstance(asked, forms.General):
        commands.save_general(g.user.id, row.id, asked)
    else:
        commands.save_rights(g.user.id, row.id, asked)


def _check_known(row: Access, asked: forms.General) -> None:
    """Answer 404 when the form adds people or queues outside of what the viewer may see."""
    fresh = asked.grants - set(grants_of(row.id))
    users = {grant.ref_id for grant in fresh if grant.kind == "users" and grant.ref_id}
    queues = {grant.ref_id for grant in fresh if grant.kind == "queues" and grant.ref_id}
    giver = granting.giver_of(g.user, g.scope)
    if people.unknown(g.scope, users) or queries.unknown_queues(giver, queues):
        abort(404)


def _told(refused: RefusedError) -> str:
    if not refused.lacking:
        return str(_(str(refused)))
    return str(_(str(refused), what=", ".join(_(label) for label in refused.lacking)))


def _saved(ident: int) -> str:
    number = queries.count(ident)
    if not number:
        return str(_("Saved. No user has this access yet."))
    return str(
        ngettext(
            "Saved. %(num)d user has the new permissions from the next page.",
            "Saved. %(num)d users have the new permissions from their next page.",
            number,
        )
    )


def _stored(row: Access, tab: str, part: str) -> forms.General | forms.Rights:
    if tab == "general":
        return forms.General(row.name, row.description, frozenset(grants_of(row.id)), row.version)
    asked = forms.parse_rights(request.args, tab, part)
    ticked = frozenset(each for each in asked.offered if each.value in row.permissions)
    return forms.Rights(asked.offered, ticked, row.version)


def _stale(ident: int, tab: str, part: str, asked: forms.General | forms.Rights) -> Response:
    row = common.one(Access, ident)
    stored = _stored(row, tab, part)
    asked.version = row.version
    differing = common.both(forms.LABELS, _facts(stored), _facts(asked))
    return _page(row, tab, part, asked, differing, status=422)


def _facts(asked: forms.General | forms.Rights) -> dict[str, Any]:
    if isinstance(asked, forms.General):
        return {"name": asked.name, "description": asked.description, "scope": commands.named(asked.grants)}
    return {"permissions": [_(granting.LABELS[each.value]) for each in sorted(asked.ticked)]}


def _page(
    row: Access,
    tab: str,
    part: str,
    asked: forms.General | forms.Rights,
    differing: list[common.Both] | None = None,
    status: int = 200,
) -> Response:
    giver = granting.giver_of(g.user, g.scope)
    reason = commands.fixed(giver, row, g.user.access.id)
    may_edit = g.scope.can(Permission.ACCESSES_EDIT)
    return render(
        f"accesses/{_template(tab)}.html",
        status=status,
        row=row,
        tab=tab,
        part=part,
        asked=asked,
        differing=differing,
        tabs=forms.TABS,
        parts=forms.PARTS,
        sections=forms.sections(tab, part),
        name=queries.called(row),
        giver=giver,
        reason=_(reason) if reason and may_edit else None,
        open=may_edit and not reason,
        deletable=may_edit and not reason and commands.obstacle(row) is None,
        clonable=may_edit and giver.covers(row),
        count=queries.count(row.id),
        holders=queries.holders(g.scope, row.id),
        changes=queries.changes(row.id),
        zone=zone(),
        when=lists.moment,
        may_list=g.scope.can(Permission.USERS_VIEW),
        **(_choices(giver, asked) if isinstance(asked, forms.General) and tab == "general" else {}),
    )


def _template(tab: str) -> str:
    return tab if tab in ("general", "users") else "rights"


def _choices(giver: Giver, asked: forms.General) -> dict[str, Any]:
    sought = lists.needle(request.values)
    return {
        "q": sought,
        "people": people.offered(g.scope, asked.ids("users"), sought),
        "queues": queries.queues(giver, asked.ids("queues")),
        "may_grant": lambda kind: giver.may_grant(Grant(kind)),
    }


def _new(asked: forms.New, status: int = 200) -> Response:
    giver = granting.giver_of(g.user, g.scope)
    return render("accesses/new.html", status=status, asked=asked, sources=queries.clonable(giver))
