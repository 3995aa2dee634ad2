"""The list of channels, a channel's form, a test, on and off."""

from __future__ import annotations

from flask import Blueprint, Response, flash, g, make_response, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from dashboard.access.guard import require
from dashboard.access.permissions import Permission
from dashboard.models import Channel
from dashboard.notify.answers import How
from dashboard.pages.settings.channels import commands, forms, queries
from dashboard.web import forms as common
from dashboard.web import lists
from dashboard.web.page import render

bp = Blueprint("channels", __name__, url_prefix="/settings/channels")


@bp.get("")
@require(Permission.CHANNELS_VIEW)
def index() -> Response:
    by = lists.order(request.args, queries.KEYS, "name")
    sought = lists.needle(request.args)
    return render(
        "channels/index.html",
        {"result"},
        rows=queries.lines(sought, by),
        q=sought,
        by=by,
        heads=lists.heads(by, queries.KEYS),
        kinds=forms.KINDS,
        when=lists.moment,
        may_edit=g.scope.can(Permission.CHANNELS_EDIT),
        may_trace=g.scope.can(Permission.RULES_TRACES),
    )


@bp.get("/new")
@require(Permission.CHANNELS_EDIT)
def new() -> Response:
    return _form(None, forms.Asked())


@bp.post("/new")
@require(Permission.CHANNELS_EDIT)
def create() -> Response:
    """Add the channel; a secret that was made for it stands on this one answer and nowhere else."""
    asked = forms.parse(request.form)
    if not asked.errors:
        values = asked.values(None)
        try:
            row = commands.create(values)
        except commands.TakenError:
            asked.errors["name"] = _("There is a channel of this name already.")
        else:
            if asked.shows_secret:
                return render("channels/made.html", row=row, secret=values["secret"])
            flash(_("%(name)s has been added.", name=row.name), "ok")
            return _to(row.id)
    return _form(None, asked, status=422)


@bp.get("/<int:ident>")
@require(Permission.CHANNELS_VIEW, Permission.CHANNELS_EDIT)
def edit(ident: int) -> Response:
    row = common.one(Channel, ident)
    return _form(row, forms.of_row(row))


@bp.post("/<int:ident>")
@require(Permission.CHANNELS_EDIT)
def update(ident: int) -> Response:
    row = common.one(Channel, ident)
    asked = forms.parse(request.form, row)
    if asked.errors:
        return _form(row, asked, status=422)
    values = asked.values(row)
    try:
        saved = commands.update(row, values, asked.version)
    except commands.TakenError:
        asked.errors["name"] = _("There is a channel of this name already.")
        return _form(row, asked, status=422)
    if not saved:
        now = common.one(Channel, ident)
        asked.version = now.version
        both = common.both(forms.LABELS, {"name": now.name}, {"name": asked.name})
        return _form(now, asked, differing=both, status=422)
    if asked.new_secret and asked.shows_secret:
        return render("channels/made.html", row=common.one(Channel, ident), secret=values["secret"])
    flash(_("Saved."), "ok")
    return _to(ident)


@bp.post("/<int:ident>/test")
@require(Permission.CHANNELS_EDIT)
def test(ident: int) -> Response:
    """Send a test message now, and say what the receiver answered."""
    row = common.one(Channel, ident)
    answer = commands.test(row, _("This is a test message from Stopa."))
    said = [_("Status %(status)d.", status=answer.status)] if answer.status else []
    if answer.how is How.DONE:
        flash(" ".join([_("The test message was sent by %(name)s.", name=row.name), *said]), "ok")
    else:
        flash(
            " ".join([_("The test message was not sent."), _(answer.why), *said, answer.note]).strip(), "bad"
        )
    return _to(ident)


@bp.post("/<int:ident>/enable")
@require(Permission.CHANNELS_EDIT)
def enable(ident: int) -> Response:
    row = common.one(Channel, ident)
    commands.enable(row)
    flash(_("%(name)s is on.", name=row.name), "ok")
    return _to(ident)


@bp.post("/<int:ident>/disable")
@require(Permission.CHANNELS_EDIT)
def disable(ident: int) -> Response:
    row = common.one(Channel, ident)
    commands.disable(row)
    flash(_("%(name)s is off.", name=row.name), "ok")
    return _to(ident)


@bp.route("/<int:ident>/delete", methods=["GET", "POST"])
@require(Permission.CHANNELS_EDIT)
def delete(ident: int) -> Response:
    row = common.one(Channel, ident)
    refused = False
    if request.method == "POST":
        try:
            commands.delete(row)
        except commands.UsedError:
            refused = True
        else:
            flash(_("%(name)s has been deleted.", name=row.name), "ok")
            return make_response(redirect(url_for(".index")))
    used, others = queries.users_of(ident, g.scope)
    errors = [_("The rule “%(rule)s” uses this channel. Change it first.", rule=name) for _id, name in used]
    if others:
        hidden = ngettext(
            "%(num)d rule that you may not see uses it.", "%(num)d rules that you may not see use it.", others
        )
        errors.append(hidden)
    return render(
        "layout/confirm.html",
        status=422 if refused else 200,
        title=_("Delete %(name)s?", name=row.name),
        errors=errors,
        crumbs=[
            (_("Settings"), None),
            (_("Channels"), url_for(".index")),
            (row.name, url_for(".edit", ident=ident)),
        ],
        texts=[
            _("Address and secret are deleted. What was sent by the channel stays in the runs of its rules.")
        ],
        verb=None if errors else _("Delete"),
        back_url=url_for(".edit", ident=ident),
    )


def _to(ident: int) -> Response:
    return make_response(redirect(url_for(".edit", ident=ident)))


def _form(
    row: Channel | None, asked: forms.Asked, differing: list[common.Both] | None = None, status: int = 200
) -> Response:
    used, others = queries.users_of(row.id, g.scope) if row is not None else ([], 0)
    return render(
        "channels/form.html",
        status=status,
        row=row,
        asked=asked,
        differing=differing,
        used=used,
        others=others,
        kinds=[(value, _(label)) for value, label in forms.KINDS.items()],
        place=queries.place(row) if row is not None else "",
        when=lists.moment,
        may_edit=g.scope.can(Permission.CHANNELS_EDIT),
    )
