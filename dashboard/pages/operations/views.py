"""The operations page, the emergency stop, and resuming of paused rules."""

from __future__ import annotations

from flask import Blueprint, Response, flash, g, make_response, redirect, request, url_for
from flask_babel import gettext as _

from dashboard import settings
from dashboard.access.guard import require
from dashboard.access.permissions import Permission as P
from dashboard.audit import record as audit
from dashboard.db import database
from dashboard.i18n import formats, zone
from dashboard.models import Rule
from dashboard.pages.operations import queries
from dashboard.rules import activation, active_rules
from dashboard.web import charts
from dashboard.web import forms as common
from dashboard.web.page import render

bp = Blueprint("operations", __name__, url_prefix="/operations")


@bp.get("")
@require(P.RULES_OPERATE)
def index() -> Response:
    """Show the status; the block reloads every 30 seconds."""
    board = queries.board(g.scope)
    return render(
        "operations/index.html",
        {"result"},
        board=board,
        zone=zone(),
        chart=chart(board.rate, zone()),
        many=many,
        table=1 if request.args.get("table") == "1" else None,
        may_channels=g.scope.can(P.CHANNELS_VIEW),
        version=settings.version(),
    )


@bp.route("/stop", methods=["GET", "POST"])
@require(P.RULES_OPERATE)
def stop() -> Response:
    """Ask for confirmation, then stop all rules."""
    if request.method == "POST":
        _stop(True)
        flash(_("All rules are stopped."), "ok")
        return make_response(redirect(url_for(".index")))
    return render(
        "layout/confirm.html",
        title=_("Stop all rules?"),
        errors=[],
        verb=_("Stop all rules"),
        crumbs=[(_("Operations"), url_for(".index"))],
        back_url=url_for(".index"),
        texts=[
            _(
                "From then on, rules don't evaluate events and nothing new is sent. Events "
                "received in the meantime are recorded but won't be evaluated later."
            ),
            _(
                "Timers are held until rules resume. Timers less than 24 hours late then fire; "
                "older ones expire. Queued deliveries wait too."
            ),
        ],
    )


@bp.post("/resume")
@require(P.RULES_OPERATE)
def resume() -> Response:
    _stop(False)
    flash(_("Rules resumed."), "ok")
    return make_response(redirect(url_for(".index")))


def _stop(stopping: bool) -> None:
    """Stop or resume the evaluation of all rules. Events are still recorded. Idempotent."""
    with database.atomic():
        if active_rules.stopped() == stopping:
            return
        active_rules.stop(stopping)
        audit.record("rules.stopped" if stopping else "rules.resumed", "u", ("rules", "", ""))


@bp.post("/rules/<int:ident>/resume")
@require(P.RULES_OPERATE)
def resume_rule(ident: int) -> Response:
    """Resume an automatically paused rule; no effect if it has been resumed already."""
    rule = common.one(Rule, ident)
    if activation.resume(rule):
        flash(_("Rule resumed."), "ok")
    return make_response(redirect(url_for(".index")))


def chart(rate: queries.Rate, zone: str) -> charts.Chart:
    """Return a bar for each minute."""
    rows = [
        charts.Row(formats.clock_short(rate.start_ts + 60 * minute, zone), (count,))
        for minute, count in enumerate(rate.events)
    ]
    return charts.bars(rows, [charts.Series(_("Events"), "ready")])


def many(count: int) -> str:
    """Return the number as text; "more than …" if it exceeds COUNTED."""
    if count <= queries.COUNTED:
        return formats.number(count)
    return str(_("more than %(num)s", num=formats.number(queries.COUNTED)))
