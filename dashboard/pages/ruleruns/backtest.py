"""Views that test a rule before it is switched on: on one event, by a backtest, and "Why not?"."""

from __future__ import annotations

from flask import Response, abort, flash, g, make_response, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from dashboard.access.guard import MissingPermission, require
from dashboard.access.permissions import Permission
from dashboard.i18n import zone
from dashboard.i18n.message import N_
from dashboard.notify import email
from dashboard.pages.ruleruns import backtest_result, commands, try_rule, why_not
from dashboard.pages.ruleruns.try_rule import Candidate
from dashboard.pages.ruleruns.views import RUN_MAX, SUBJECT_MAX, bp
from dashboard.rules import permissions
from dashboard.rules.backtest import job as backtests
from dashboard.rules.internal_actions import Impossible
from dashboard.web.forms import whole
from dashboard.web.page import render

REFRESH_S = 3


@bp.get("/rules/<int:ident>/try")
@require(Permission.RULES_TRACES, Permission.RULES_OWN)
def attempt(ident: int) -> Response:
    """Show the result of a rule for a chosen event; nothing is executed."""
    return _attempt(_traced(ident))


@bp.post("/rules/<int:ident>/try")
@require(Permission.RULES_TRACES, Permission.RULES_OWN)
def test(ident: int) -> Response:
    """Send the rule's notifications and emails about the event to the viewer only."""
    tried = _traced(ident)
    event = whole(request.form.get("event", ""), 1, RUN_MAX)
    if tried.live is None:
        return _attempt(tried, status=422)
    found = try_rule.occurrence(tried.live, event, g.scope, zone())
    if found is None:
        return _attempt(tried, _("Choose an event first."), 422)
    try:
        sent, unsent = commands.send_to_me(g.scope, tried.live, found.facts)
    except Impossible as problem:
        return _attempt(tried, _(str(problem)), 422)
    if not sent:
        why = email.NO_SERVER if unsent else N_("The rule doesn't send any notifications or emails.")
        return _attempt(tried, _(why), 422)
    if unsent:
        flash(_(email.NO_SERVER), "warn")
    flash(ngettext("%(num)d test sent to you only.", "%(num)d tests sent to you only.", sent), "ok")
    return make_response(redirect(tried.url("ruleruns.attempt", event=event)))


@bp.get("/rules/<int:ident>/why")
@require(Permission.RULES_TRACES, Permission.RULES_OWN)
def why(ident: int) -> Response:
    """Show what prevented a rule from running for one subject or one event."""
    tried = _traced(ident)
    subject = request.args.get("subject", "").strip()[:SUBJECT_MAX]
    text = request.args.get("event", "").strip()
    event = whole(text, 1, RUN_MAX)
    errors = {"event": _("Enter an event number.")} if text and event is None else {}
    asked = bool(subject or event) and not errors and tried.live is not None
    answer = why_not.answered(g.scope, tried.live, subject, event, zone()) if asked and tried.live else None
    return render(
        "ruleruns/why.html",
        {"result"},
        status=422 if errors else 200,
        tried=tried,
        subject=subject,
        event=text,
        errors=errors,
        found=answer,
    )


@bp.get("/rules/<int:ident>/backtest")
@require(Permission.RULES_BACKTEST)
def backtest(ident: int) -> Response:
    """Show the periods to choose from, and the viewer's backtests of the rule."""
    return _backtest(try_rule.wanted(ident))


@bp.post("/rules/<int:ident>/backtest")
@require(Permission.RULES_BACKTEST)
def order(ident: int) -> Response:
    """Queue a backtest and redirect to its progress page."""
    tried = try_rule.wanted(ident)
    errors: dict[str, str] = {}
    days = whole(request.form.get("days", ""), 1, max(backtests.DAYS))
    if days not in backtests.DAYS:
        errors["days"] = _("Choose one of the available durations.")
    if errors or days is None or tried.live is None:
        return _backtest(tried, errors, 422)
    made = commands.order_backtest(g.scope, tried, days)
    return make_response(redirect(url_for(".result", ident=made), 303))


@bp.get("/backtests/<int:ident>")
@require(Permission.RULES_BACKTEST)
def result(ident: int) -> Response:
    """Show the progress of a backtest, then its result or its error; 404 for another user's."""
    row = backtests.own(g.scope, ident) if ident < 2**31 else None
    if row is None or not _may_still_see(row.rule_id, row.owner_id):
        abort(404)
    waiting = row.state == "waiting"
    shown = backtest_result.shown(g.scope, row, zone()) if row.state == "done" else None
    reason = backtests.failure(row).render(_) if row.state == "failed" else ""
    response = render(
        "ruleruns/result.html", {"progress"}, row=row, waiting=waiting, shown=shown, reason=reason
    )
    if waiting:
        response.headers["Refresh"] = f"{REFRESH_S}; url={url_for('.result', ident=ident)}"
    return response


def _may_still_see(rule_id: int, owner: int | None) -> bool:
    return permissions.can_change(g.scope, owner) if rule_id == 0 else permissions.can_see(g.scope, owner)


def _traced(ident: int) -> Candidate:
    """Return the rule; 403 if the viewer has no permission to see its runs."""
    tried = try_rule.wanted(ident)
    if not tried.draft and not permissions.can_see_traces(g.scope, tried.owner):
        raise MissingPermission(Permission.RULES_TRACES)
    return tried


def _attempt(tried: Candidate, problem: str = "", status: int = 200) -> Response:
    event = whole(request.values.get("event", ""), 1, RUN_MAX)
    rule, found, offered = tried.live, None, []
    if rule is not None:
        offered = try_rule.offers(g.scope, rule, zone())
        chosen = event or (offered[0].id if offered else None)
        found = try_rule.occurrence(rule, chosen, g.scope, zone())
        if event and found is None:
            abort(404)
        event = chosen
    shown = try_rule.tried(g.scope, rule, found, zone()) if rule is not None and found is not None else None
    return render(
        "ruleruns/try.html",
        {"result"},
        status=status,
        tried=tried,
        offered=offered,
        event=event,
        shown=shown,
        problem=problem,
    )


def _backtest(tried: Candidate, errors: dict[str, str] | None = None, status: int = 200) -> Response:
    mine = backtest_result.made(g.scope, tried.ident, zone())
    return render(
        "ruleruns/backtest.html",
        status=status,
        tried=tried,
        errors=errors or {},
        days=backtests.DAYS,
        mine=mine,
    )
