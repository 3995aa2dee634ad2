"""Views of runs: of one rule, of one subject, one by id, and their exports."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, abort, g, request, url_for
from flask_babel import gettext as _

from dashboard import clock
from dashboard.access.guard import MissingPermission, require
from dashboard.access.permissions import Permission
from dashboard.audit import record as audit
from dashboard.exports.table import file_name
from dashboard.i18n import zone
from dashboard.models import Rule
from dashboard.pages.ruleruns import export, forms, queries, run_page
from dashboard.pages.ruleruns.forms import RunQuery
from dashboard.rulelang.outcomes import RUN_LABELS
from dashboard.rules import permissions
from dashboard.web.deliver import asked as query
from dashboard.web.deliver import deliver, export_links
from dashboard.web.forms import one
from dashboard.web.page import render

bp = Blueprint("ruleruns", __name__)


@bp.context_processor
def rights() -> dict[str, Any]:
    """Provide templates with the pages that the viewer may open."""
    held = g.scope.permissions if g.get("scope") is not None else frozenset()
    traces = {Permission.RULES_TRACES, Permission.RULES_OWN}
    return {"may": {"backtest": Permission.RULES_BACKTEST in held, "traces": bool(traces & held)}}


@bp.get("/rules/<int:ident>/runs")
@require(Permission.RULES_TRACES, Permission.RULES_OWN)
def index(ident: int) -> Response:
    """List the runs of one rule, newest first."""
    rule = seen(ident)
    asked = forms.parse(request.args, zone())
    return render(
        "ruleruns/index.html",
        {"result"},
        status=422 if asked.errors else 200,
        rule=rule,
        **_listed(asked, [rule.id]),
        url=url_for(".index", ident=ident),
        exports=export_links("ruleruns", ident=ident, **asked.query()),
    )


@bp.get("/runs")
@require(Permission.RULES_TRACES, Permission.RULES_OWN)
def subject() -> Response:
    """List the runs of one subject, or without one those of all rules that the viewer may see."""
    asked = forms.parse(request.args, zone())
    rules = queries.rules(g.scope)
    return render(
        "ruleruns/index.html",
        {"result"},
        status=422 if asked.errors else 200,
        rule=None,
        **_listed(asked, list(rules)),
        url=url_for(".subject"),
        names=rules,
        exports=[],
    )


@bp.get("/rules/<int:ident>/runs.csv", defaults={"format_": "csv"})
@bp.get("/rules/<int:ident>/runs.xlsx", defaults={"format_": "xlsx"})
@require(Permission.RULES_TRACES, Permission.RULES_OWN)
def download(ident: int, format_: str) -> Response:
    """Export the filtered list."""
    rule = seen(ident)
    asked = forms.parse(request.args, zone())
    rows = queries.count(g.scope, asked, [rule.id], export.MOST)
    name = file_name("runs", rule.name, clock.local_date(clock.now_s(), zone()), format_)
    return deliver("ruleruns", {**query(), "rule": str(ident)}, format_, name, rows, "rule.runs_exported")


@bp.get("/runs/<int:ident>")
@require(Permission.RULES_TRACES, Permission.RULES_OWN)
def run(ident: int) -> Response:
    """Show one run: its event, its trace and its steps."""
    found = queries.one(g.scope, ident) if ident <= forms.ID_MAX else None
    rule = None if found is None else Rule.get_or_none(Rule.id == found.rule_id)
    if found is None or rule is None or not permissions.can_see_traces(g.scope, rule.owner_id):
        abort(404)
    audit.viewed("run.viewed", ("run", found.id, rule.name), {"rule": rule.id, "subject": found.subject})
    return render("ruleruns/run.html", **run_page.whole(g.scope, rule, found, zone()))


def seen(ident: int) -> Any:
    """Return the rule: 404 if the viewer may not see it, 403 if the viewer may not see its runs."""
    rule = one(Rule, ident)
    if not permissions.can_see(g.scope, rule.owner_id):
        abort(404)
    if not permissions.can_see_traces(g.scope, rule.owner_id):
        raise MissingPermission(Permission.RULES_TRACES)
    return rule


def _listed(asked: RunQuery, rule_ids: list[int]) -> dict[str, Any]:
    page = queries.page(g.scope, asked, rule_ids)
    here, kept = request.endpoint or "", request.view_args or {}
    return {
        "asked": asked,
        "rows": run_page.rows(g.scope, page.lines, zone()),
        "outcomes": [
            ("", _("All outcomes")),
            (forms.ACTING, _(forms.ACTING_LABEL)),
            *((each.value, _(label)) for each, label in RUN_LABELS.items()),
        ],
        "newer": page.newer and url_for(here, **kept, **asked.query(after=page.newer)),
        "older": page.older and url_for(here, **kept, **asked.query(before=page.older)),
    }
