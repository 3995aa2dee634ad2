"""The list of keys; a new key, shown once; revocation."""

from __future__ import annotations

from flask import Blueprint, Response, flash, g, make_response, redirect, request, url_for
from flask_babel import gettext as _

from dashboard.access.granting import RefusedError
from dashboard.access.guard import require
from dashboard.access.permissions import Permission
from dashboard.models import ApiKey
from dashboard.pages.settings.api_keys import commands, forms, queries
from dashboard.web import forms as common
from dashboard.web import lists
from dashboard.web.page import render, zone

bp = Blueprint("keys", __name__, url_prefix="/settings/keys")


@bp.get("")
@require(Permission.KEYS_VIEW)
def index() -> Response:
    by = lists.order(request.args, queries.KEYS, "name")
    sought, revoked = lists.needle(request.args), bool(request.args.get("revoked"))
    return render(
        "keys/index.html",
        {"result"},
        rows=queries.lines(sought, revoked, by),
        q=sought,
        revoked=revoked,
        by=by,
        heads=lists.heads(by, queries.KEYS),
        allow=forms.ALLOW,
        when=lambda ts: lists.moment(ts, zone()),
        may_edit=g.scope.can(Permission.KEYS_EDIT),
    )


@bp.get("/new")
@require(Permission.KEYS_EDIT)
def new() -> Response:
    return _form(forms.Asked())


@bp.post("/new")
@require(Permission.KEYS_EDIT)
def create() -> Response:
    """Add the key; its value stands on this one answer and nowhere else."""
    asked = forms.parse(request.form)
    if not asked.errors:
        try:
            plain = commands.create(g.user.id, asked)
        except commands.TakenError:
            asked.errors["name"] = _(
                "There is a key of this name already. Revoke it, or choose another name."
            )
        except RefusedError as refused:
            asked.errors["allow"] = _(str(refused))
        else:
            return render("keys/made.html", asked=asked, plain=plain)
    return _form(asked, status=422)


@bp.route("/<int:ident>/revoke", methods=["GET", "POST"])
@require(Permission.KEYS_EDIT)
def revoke(ident: int) -> Response:
    row = common.one(ApiKey, ident)
    if request.method == "POST":
        commands.revoke(row)
        flash(_("%(name)s has been revoked.", name=row.name), "ok")
        return make_response(redirect(url_for(".index")))
    return render(
        "layout/confirm.html",
        title=_("Revoke %(name)s?", name=row.name),
        errors=[],
        crumbs=[(_("Settings"), None), (_("API keys"), url_for(".index"))],
        texts=[
            _("Whoever uses this key is refused from now on. This cannot be undone."),
            _("The events that it sent stay."),
        ],
        verb=_("Revoke"),
        back_url=url_for(".index"),
    )


def _form(asked: forms.Asked, status: int = 200) -> Response:
    choices = [(value, _(label)) for value, label in forms.ALLOW.items()]
    return render("keys/new.html", status=status, asked=asked, choices=choices, sources=queries.sources())
