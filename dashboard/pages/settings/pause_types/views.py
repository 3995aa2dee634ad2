"""The list of pause types; the form of one; deactivation and back."""

from __future__ import annotations

from flask import Blueprint, Response, flash, g, make_response, redirect, request, url_for
from flask_babel import gettext as _

from dashboard.access.guard import require
from dashboard.access.permissions import Permission
from dashboard.models import PauseType
from dashboard.pages.settings.pause_types import forms, queries
from dashboard.web import forms as common
from dashboard.web import lists
from dashboard.web.named import Named, TakenError
from dashboard.web.page import render

PAUSES = Named(PauseType, "pause_type", ("name", "label", "paid", "max_seconds"))
bp = Blueprint("pauses", __name__, url_prefix="/pauses")


@bp.get("")
@require(Permission.PAUSES_VIEW)
def index() -> Response:
    by = lists.order(request.args, queries.KEYS, "label")
    sought, deactivated = lists.needle(request.args), bool(request.args.get("deactivated"))
    return render(
        "pauses/index.html",
        {"result"},
        rows=queries.lines(sought, deactivated, by),
        q=sought,
        deactivated=deactivated,
        by=by,
        heads=lists.heads(by, queries.KEYS),
        may_edit=g.scope.can(Permission.PAUSES_EDIT),
    )


@bp.get("/new")
@require(Permission.PAUSES_EDIT)
def new() -> Response:
    return _form(None, forms.empty())


@bp.post("/new")
@require(Permission.PAUSES_EDIT)
def create() -> Response:
    asked = forms.parse(request.form)
    if not asked.errors:
        try:
            row = PAUSES.create(asked.values())
        except TakenError:
            asked.errors["name"] = _("There is a pause type of this name already.")
        else:
            flash(_("%(name)s has been added.", name=row.label), "ok")
            return make_response(redirect(url_for(".index")))
    return _form(None, asked, status=422)


@bp.get("/<int:ident>")
@require(Permission.PAUSES_VIEW, Permission.PAUSES_EDIT)
def edit(ident: int) -> Response:
    row = common.one(PauseType, ident)
    return _form(row, forms.of_row(row))


@bp.post("/<int:ident>")
@require(Permission.PAUSES_EDIT)
def update(ident: int) -> Response:
    row = common.one(PauseType, ident)
    asked = forms.parse(request.form)
    if asked.errors:
        return _form(row, asked, status=422)
    try:
        saved = PAUSES.update(row, asked.values(), asked.version)
    except TakenError:
        asked.errors["name"] = _("There is a pause type of this name already.")
        return _form(row, asked, status=422)
    if not saved:
        now = common.one(PauseType, ident)
        asked.version = now.version
        both = common.both(forms.LABELS, PAUSES.facts(now), asked.values())
        return _form(now, asked, differing=both, status=422)
    flash(_saved(asked.paid != row.paid), "ok")
    return make_response(redirect(url_for(".index")))


@bp.route("/<int:ident>/deactivate", methods=["GET", "POST"])
@require(Permission.PAUSES_EDIT)
def deactivate(ident: int) -> Response:
    row = common.one(PauseType, ident)
    if request.method == "POST":
        PAUSES.deactivate(row)
        flash(_("%(name)s has been deactivated.", name=row.label), "ok")
        return make_response(redirect(url_for(".index")))
    return render(
        "layout/confirm.html",
        title=_("Deactivate %(name)s?", name=row.label),
        errors=[],
        crumbs=[
            (_("Settings"), None),
            (_("Pause types"), url_for(".index")),
            (row.label, url_for(".edit", ident=ident)),
        ],
        texts=[
            _("The type leaves the lists. Pauses that had it stay."),
            _("Events that name it are still taken."),
        ],
        verb=_("Deactivate"),
        back_url=url_for(".edit", ident=ident),
    )


@bp.post("/<int:ident>/reactivate")
@require(Permission.PAUSES_EDIT)
def reactivate(ident: int) -> Response:
    row = common.one(PauseType, ident)
    PAUSES.reactivate(row)
    flash(_("%(name)s is active again.", name=row.label), "ok")
    return make_response(redirect(url_for(".edit", ident=ident)))


def _saved(pay_changed: bool) -> str:
    text = _("Saved.")
    if pay_changed:
        text = _(
            "Saved. The pay holds for pauses from now on. For earlier ones that their source did not mark, "
            "“flask rebuild” applies it."
        )
    return str(text)


def _form(
    row: PauseType | None, asked: forms.Asked, differing: list[common.Both] | None = None, status: int = 200
) -> Response:
    return render(
        "pauses/form.html",
        status=status,
        row=row,
        asked=asked,
        differing=differing,
        may_edit=g.scope.can(Permission.PAUSES_EDIT),
    )
