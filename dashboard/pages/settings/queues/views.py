"""The list of queues; a queue's form; deactivation and back."""

from __future__ import annotations

from flask import Blueprint, Response, flash, g, make_response, redirect, request, url_for
from flask_babel import gettext as _

from dashboard import clock
from dashboard.access.guard import require
from dashboard.access.permissions import Permission
from dashboard.models import Queue
from dashboard.pages.settings.queues import forms, queries
from dashboard.web import forms as common
from dashboard.web import lists
from dashboard.web.named import Named, TakenError
from dashboard.web.page import render

QUEUES = Named(Queue, "queue", ("name", "label", "channel", "sla_seconds"))
bp = Blueprint("queues", __name__, url_prefix="/queues")


@bp.get("")
@require(Permission.QUEUES_VIEW)
def index() -> Response:
    by = lists.order(request.args, queries.KEYS, "label")
    sought, deactivated = lists.needle(request.args), bool(request.args.get("deactivated"))
    return render(
        "queues/index.html",
        {"result"},
        rows=queries.lines(sought, deactivated, by),
        q=sought,
        deactivated=deactivated,
        by=by,
        heads=lists.heads(by, queries.KEYS),
        channels=forms.CHANNELS,
        may_edit=g.scope.can(Permission.QUEUES_EDIT),
    )


@bp.get("/new")
@require(Permission.QUEUES_EDIT)
def new() -> Response:
    return _form(None, forms.empty())


@bp.post("/new")
@require(Permission.QUEUES_EDIT)
def create() -> Response:
    asked = forms.parse(request.form)
    if not asked.errors:
        try:
            row = QUEUES.create(asked.values(), created_ts=clock.now_s())
        except TakenError:
            asked.errors["name"] = _("There is a queue of this name already.")
        else:
            flash(_("%(name)s has been added.", name=row.label), "ok")
            return make_response(redirect(url_for(".index")))
    return _form(None, asked, status=422)


@bp.get("/<int:ident>")
@require(Permission.QUEUES_VIEW, Permission.QUEUES_EDIT)
def edit(ident: int) -> Response:
    row = common.one(Queue, ident)
    return _form(row, forms.of_row(row))


@bp.post("/<int:ident>")
@require(Permission.QUEUES_EDIT)
def update(ident: int) -> Response:
    row = common.one(Queue, ident)
    asked = forms.parse(request.form, row)
    if asked.errors:
        return _form(row, asked, status=422)
    try:
        saved = QUEUES.update(row, asked.values(), asked.version)
    except TakenError:
        asked.errors["name"] = _("There is a queue of this name already.")
        return _form(row, asked, status=422)
    if not saved:
        now = common.one(Queue, ident)
        asked.version = now.version
        both = common.both(forms.LABELS, QUEUES.facts(now), asked.values())
        return _form(now, asked, differing=both, status=422)
    flash(_("Saved."), "ok")
    return make_response(redirect(url_for(".index")))


@bp.route("/<int:ident>/deactivate", methods=["GET", "POST"])
@require(Permission.QUEUES_EDIT)
def deactivate(ident: int) -> Response:
    row = common.one(Queue, ident)
    if request.method == "POST":
        QUEUES.deactivate(row)
        flash(_("%(name)s has been deactivated.", name=row.label), "ok")
        return make_response(redirect(url_for(".index")))
    return render(
        "layout/confirm.html",
        title=_("Deactivate %(name)s?", name=row.label),
        errors=[],
        crumbs=[
            (_("Settings"), None),
            (_("Queues"), url_for(".index")),
            (row.label, url_for(".edit", ident=ident)),
        ],
        texts=[
            _("The queue leaves the lists and choices. What happened in it stays."),
            _("Events that name it are still taken."),
        ],
        verb=_("Deactivate"),
        back_url=url_for(".edit", ident=ident),
    )


@bp.post("/<int:ident>/reactivate")
@require(Permission.QUEUES_EDIT)
def reactivate(ident: int) -> Response:
    row = common.one(Queue, ident)
    QUEUES.reactivate(row)
    flash(_("%(name)s is active again.", name=row.label), "ok")
    return make_response(redirect(url_for(".edit", ident=ident)))


def _form(
    row: Queue | None, asked: forms.Asked, differing: list[common.Both] | None = None, status: int = 200
) -> Response:
    channels = [(code, _(label)) for code, label in forms.CHANNELS.items()]
    if row is not None and row.channel not in forms.CHANNELS:
        channels.append((row.channel, row.channel))
    return render(
        "queues/form.html",
        status=status,
        row=row,
        asked=asked,
        channels=channels,
        differing=differing,
        may_edit=g.scope.can(Permission.QUEUES_EDIT),
    )
