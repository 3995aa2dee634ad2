"""The starter set of rules."""

from __future__ import annotations

from flask import Response, abort, flash, g, make_response, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from dashboard.access.guard import require
from dashboard.pages.rules import commands, forms, queries
from dashboard.pages.rules.blueprint import ADD, bp
from dashboard.rules import rights, starter
from dashboard.web.page import render


@bp.route("/starter", methods=["GET", "POST"])
@require(*ADD)
def starter_set() -> Response:
    """Show the ten rules to begin with, in words; add those that are not there yet, switched off."""
    which = addable(request.args.get("list"))
    owner_id = None if which == forms.SYSTEM else g.user.id
    if request.method == "POST":
        made = commands.add_starters(g.user.id, owner_id)
        flash(ngettext("%(num)d rule has been added, switched off.",
                       "%(num)d rules have been added, switched off.", made), "ok")  # fmt: skip
        return make_response(redirect(url_for(".index", list=which)))
    drafts = starter.drafts(_, personal=owner_id is not None)
    return render("rules/starter.html", which=which, names=forms.NAMES, drafts=queries.said(g.scope, drafts))


def addable(which: str | None) -> str:
    """Return the list asked for, else the first to which the viewer may add; 403 for none or another."""
    mine = [
        name
        for name, owner in ((forms.MY, g.user.id), (forms.SYSTEM, None))
        if rights.changes(g.scope, owner)
    ]
    if which and which not in mine:
        abort(403 if which in forms.LISTS else 404)
    return which or mine[0]
