"""Views of export, import and the starter set."""

from __future__ import annotations

from flask import Response, abort, flash, g, make_response, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from dashboard import clock
from dashboard.access.guard import require
from dashboard.access.permissions import Permission
from dashboard.exports.table import disposition
from dashboard.i18n import zone
from dashboard.i18n.message import Message
from dashboard.pages.rules import commands, forms, queries
from dashboard.pages.rules.views import ADD, SEE, bp
from dashboard.rules import import_export, permissions, starter
from dashboard.web import forms as common
from dashboard.web.page import render

FILE_NAME = "rules-{date}.json"


@bp.get("/export")
@require(*SEE)
def export() -> Response:
    """Export the rules `id`, or the whole list, without secrets; 404 for an id that is hidden or unknown."""
    ids = common.ids(request.args.getlist("id"))
    if ids:
        rules = queries.chosen(g.scope, ids)
        if len(rules) < len(ids):
            abort(404)
    else:
        query = forms.parse(request.args, g.scope) or abort(404)
        rules = queries.all_of(g.scope, query.which)
    commands.exported(len(rules))
    answer = Response(import_export.export(rules, g.scope), mimetype="application/json")
    today = clock.local_date(clock.now_s(), zone())
    answer.headers["Content-Disposition"] = disposition(FILE_NAME.format(date=today.isoformat()))
    return answer


@bp.get("/import")
@require(*ADD)
def import_file() -> Response:
    return render("rules/import.html", which=addable(request.args.get("list")), names=forms.NAMES, error=None)


@bp.post("/import")
@require(*ADD)
def read_file() -> Response:
    """Import the rules of the file, switched off, and show the result of each.

    A rule whose name the list has already is left out, so that the same file twice is the same as once.
    """
    which = addable(request.args.get("list"))
    owner_id = _owner(which)
    given = request.files.get("file")
    data = given.stream.read(import_export.MAX_BYTES + 1) if given else b""
    error = _("Choose a file.")
    if data:
        found = import_export.read(data, g.scope, personal=owner_id is not None)
        if not isinstance(found, Message):
            result = commands.import_rules(found, g.user.id, owner_id)
            return render("rules/imported.html", which=which, names=forms.NAMES, rows=result, say=_say)
        error = _say(found)
    return render("rules/import.html", status=422, which=which, names=forms.NAMES, error=error)


@bp.route("/starter", methods=["GET", "POST"])
@require(*ADD)
def starter_set() -> Response:
    """Show the starter set in words; add the rules that are missing, switched off."""
    which = addable(request.args.get("list"))
    owner_id = _owner(which)
    if request.method == "POST":
        made = commands.add_starters(g.user.id, owner_id)
        text = ngettext("%(num)d rule added. It is off.", "%(num)d rules added. They are off.", made)
        flash(text if made else _("All of them have already been added."), "ok")
        return make_response(redirect(url_for(".index", list=which)))
    drafts = starter.drafts(_, personal=owner_id is not None, outward=g.scope.can(Permission.RULES_OUTWARD))
    return render(
        "rules/starter.html", which=which, names=forms.NAMES, drafts=queries.sentences_of(g.scope, drafts)
    )


def addable(which: str | None) -> str:
    """Return the requested list, by default the first that the viewer may add to; 403 or 404 for others."""
    owners = {forms.MY: g.user.id, forms.SYSTEM: None}
    mine = [name for name, owner in owners.items() if permissions.can_change(g.scope, owner)]
    if which and which not in mine:
        abort(403 if which in forms.LISTS else 404)
    return which or mine[0]


def _owner(which: str) -> int | None:
    return None if which == forms.SYSTEM else g.user.id


def _say(text: Message) -> str:
    return text.render(_)
