"""The list of deliveries: what waits, what failed; sent again or cancelled, one by one or many."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, abort, flash, g, make_response, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from dashboard.access.guard import require
from dashboard.access.permissions import Permission
from dashboard.pages.settings.deliveries import commands, forms, queries
from dashboard.rulelang.actions import ACTIONS
from dashboard.rules.runs import STEP_LABELS
from dashboard.web import lists
from dashboard.web.page import render

bp = Blueprint("deliveries", __name__, url_prefix="/settings/channels/deliveries")


@bp.get("")
@require(Permission.RULES_TRACES)
def index() -> Response:
    asked = forms.parse_filter(request.args, queries.VIEWS)
    found = queries.page(g.scope, asked)
    query = _query(asked)
    return render(
        "deliveries/index.html",
        {"result"},
        asked=asked,
        rows=found.lines,
        query=query,
        views=[(key, _(label)) for key, (label, _states) in queries.VIEWS.items()],
        channels=queries.channels(),
        states=STEP_LABELS,
        actions=ACTIONS,
        next_url=url_for(".index", **{**query, "before": found.before}) if found.before else None,
        first_url=url_for(".index", **query) if asked.before else None,
        when=lists.moment,
        may_edit=g.scope.can(Permission.CHANNELS_EDIT),
        may_list=g.scope.can(Permission.CHANNELS_VIEW),
    )


@bp.post("")
@require(Permission.CHANNELS_EDIT)
def bulk() -> Response:
    """Send again, or cancel. An id that the viewer may not see is answered like one that is not there."""
    wanted = forms.parse(request.form)
    if wanted.ids - queries.visible(g.scope, wanted.ids):
        abort(404)
    if not wanted.ids or not wanted.op:
        flash(_("Choose at least one delivery."), "warn")
    elif done := commands.do(wanted.op, wanted.ids):
        flash(_said(wanted.op, done), "ok")
    else:
        flash(_("There was nothing to do: their state has changed."), "warn")
    asked = forms.parse_filter(request.args, queries.VIEWS)
    return make_response(redirect(url_for(".index", **_query(asked))))


def _said(op: str, done: int) -> str:
    if op == "replay":
        return str(ngettext("%(num)d delivery is sent again.", "%(num)d deliveries are sent again.", done))
    return str(ngettext("%(num)d delivery cancelled.", "%(num)d deliveries cancelled.", done))


def _query(asked: forms.Filter) -> dict[str, Any]:
    return {"view": asked.view, **({"channel": asked.channel} if asked.channel else {})}
