"""Views of runs: the list of all rules and of one, and one run by id."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flask import Blueprint, Response, abort, g, make_response, redirect, url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from dashboard.access.guard import MissingPermission, require
from dashboard.access.permissions import Permission
from dashboard.audit import record as audit
from dashboard.i18n import zone
from dashboard.i18n.message import N_
from dashboard.models import Rule, Run
from dashboard.pages.ruleruns import queries, run_page
from dashboard.rulelang.subjects import SubjectKind
from dashboard.rules import permissions
from dashboard.ruletext.run_scope import BADGES
from dashboard.sources.catalogue import RULE_RUNS
from dashboard.sources.period import ALL_TIME
from dashboard.tracing import logged
from dashboard.web import listing_files, listing_page
from dashboard.web.forms import one
from dashboard.web.listing import Listing, Parameters
from dashboard.web.page import render, row_url

bp = Blueprint("ruleruns", __name__)
RUN_MAX = 2**63 - 1
SUBJECT_MAX = 300
ACTED = "acted"
OLD_NAMES = {"first": "from", "last": "to"}


@bp.context_processor
def rights() -> dict[str, Any]:
    """Provide templates with the pages that the viewer may open."""
    held = g.scope.permissions if g.get("scope") is not None else frozenset()
    traces = {Permission.RULES_TRACES, Permission.RULES_OWN}
    return {"may": {"backtest": Permission.RULES_BACKTEST in held, "traces": bool(traces & held)}}


def renamed(given: Parameters) -> Parameters:
    """Return the parameters of an address of an earlier version by their names of today."""
    new = {OLD_NAMES.get(name, name): values for name, values in given.items() if name != "before"}
    if ACTED in new.get("outcome", ()):
        del new["outcome"]
        new[ACTED] = ["1"]
    if new.get("after", [""])[0].isdigit():
        del new["after"]
    return new


def _about(key: int, subject: str) -> str | None:
    """Return the address that leads to what a run is about."""
    return None if subject.startswith(f"{SubjectKind.RULE}:") else row_url("ruleruns.item", key)


LISTING = Listing(
    RULE_RUNS,
    N_("Runs"),
    N_("When rules did something, or failed to, and on what."),
    columns=("time", "rule", "subject", "event_type", "outcome", "done", "failed", "late"),
    bar=("rule", "outcome"),
    start={ACTED: "1"},
    instead=("outcome", "outcome__not", "event", "subject"),
    count=lambda number: ngettext("%(num)d run", "%(num)d runs", number),
    none=N_("No runs"),
    none_hint=N_("Runs appear here when a matching event arrives while the rule is on or in dry run."),
    lead=(N_("Open rules"), "/rules"),
    links={
        "started": lambda key, _value: row_url("ruleruns.run", key),
        "time": lambda key, _value: row_url("ruleruns.run", key),
        "id": lambda key, _value: row_url("ruleruns.run", key),
        "rule": lambda _key, value: row_url("ruleruns.index", value),
        "subject": _about,
    },
    badges={"outcome": BADGES},
    also=(Permission.RULES_OWN,),
    rights={"pdf": Permission.SELF, "xlsx": Permission.SELF, "csv": Permission.SELF},
    period=ALL_TIME,
    renamed=renamed,
)


def of_rule(ident: int) -> Listing:
    """Return the list of the runs of one rule."""
    rule = seen(ident)
    return replace(
        LISTING,
        title=_("Runs of %(name)s", name=rule.name),
        columns=tuple(each for each in LISTING.columns if each != "rule"),
        bar=LISTING.bar[1:],
        fixed={"rule": str(ident)},
        crumbs=((_("Rules"), "/rules"), (rule.name, f"/rules/{ident}/edit")),
        actions=(
            (_("Why didn't it run?"), url_for(".why", ident=ident), ""),
            (_("Test"), url_for(".attempt", ident=ident), ""),
        ),
    )


listing_files.routes(bp, "/runs", LISTING, "subject")
listing_files.routes(bp, "/rules/<int:ident>/runs", LISTING, "index", of_rule)


@bp.get("/runs/<int:ident>")
@require(Permission.RULES_TRACES, Permission.RULES_OWN)
def run(ident: int) -> Response:
    """Show one run: its event, its trace and its steps."""
    found, rule = _visible(ident)
    audit.viewed("run.viewed", ("run", found.id, rule.name), {"rule": rule.id, "subject": found.subject})
    shown = run_page.whole(g.scope, rule, found, zone())
    table = listing_page.table(LISTING, shown["followed"]) if shown["followed"] else None
    return render("ruleruns/run.html", **shown, table=table)


@bp.get("/runs/<int:ident>/item")
@require(Permission.RULES_TRACES, Permission.RULES_OWN)
def item(ident: int) -> Response:
    """Lead to what a run is about, to the run where the viewer can't open that."""
    found, _rule = _visible(ident)
    page = logged.subject_page(g.scope, found.subject, found.at_ms, zone())
    return make_response(redirect(page or url_for(".run", ident=ident)))


def _visible(ident: int) -> tuple[Run, Rule]:
    """Return a run and its rule, or answer 404."""
    found = queries.one(g.scope, ident) if ident <= RUN_MAX else None
    rule = None if found is None else Rule.get_or_none(Rule.id == found.rule_id)
    if found is None or rule is None or not permissions.can_see_traces(g.scope, rule.owner_id):
        abort(404)
    return found, rule


def seen(ident: int) -> Any:
    """Return the rule: 404 if the viewer may not see it, 403 if the viewer may not see its runs."""
    rule = one(Rule, ident)
    if not permissions.can_see(g.scope, rule.owner_id):
        abort(404)
    if not permissions.can_see_traces(g.scope, rule.owner_id):
        raise MissingPermission(Permission.RULES_TRACES)
    return rule
