"""The lists of rules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, abort, g, request, url_for
from flask_babel import gettext as _

from dashboard import catalog
from dashboard.access.guard import require
from dashboard.access.permissions import Permission
from dashboard.access.scope import Scope
from dashboard.i18n.formats import number
from dashboard.pages.rules import forms, listing, queries
from dashboard.rulelang.matcher import State
from dashboard.rules import permissions
from dashboard.web import charts, lists
from dashboard.web.page import render

bp = Blueprint("rules", __name__, url_prefix="/rules")

# Each list has its permission; a view also checks the permission for the rules that it changes.
SEE = (Permission.RULES_OWN, Permission.RULES_VIEW, Permission.RULES_OVERSEE)
ADD = (Permission.RULES_OWN, Permission.RULES_EDIT)


PAGE_ROWS = 100
P = Permission


@bp.get("")
@require(*SEE)
def index() -> Response:
    sizes = queries.sizes(g.scope, forms.open_lists(g.scope))
    fullest = max(sizes, key=lambda which: sizes[which], default="")
    wanted = forms.parse(request.args, g.scope, fullest) or abort(404)
    by = lists.order(request.args, listing.KEYS, "name")
    parts = listing.sections(listing.lines(g.scope, wanted, by), wanted, by)
    rows, pager = lists.paged([line for part in parts for line in part.lines], PAGE_ROWS)
    return render(
        "rules/index.html",
        {"result"},
        asked=wanted,
        by=by,
        pager=pager,
        names=forms.NAMES,
        heads=lists.heads(by, listing.KEYS),
        sections=listing.cut(parts, listing.whole(g.scope, rows)),
        totals={part.title: len(part.lines) for part in parts},
        tabs=_tabs(wanted, sizes),
        choices=queries.choices(g.scope, wanted.which),
        states=listing.STATES,
        categories=catalog.GROUPS,
        ordering=_ordering(wanted, by),
        may=allowed(g.scope, wanted.which),
        when=when,
        spark=charts.spark,
        query=_query() | {"list": wanted.which},
    )


def allowed(scope: Scope, which: str) -> dict[str, bool]:
    """Return the commands that the viewer may use on the rules of a list."""
    owner = {forms.MY: scope.viewer_id, forms.SYSTEM: None, forms.EMPLOYEES: 0}[which]
    return {
        "change": permissions.can_change(scope, owner),
        "switch": permissions.can_switch(scope, owner, State.ON),
        "off": permissions.can_switch(scope, owner, State.OFF),
        "copy": permissions.can_change(scope, owner) or scope.can(P.RULES_OWN),
        "adopt": which == forms.EMPLOYEES and scope.can(P.RULES_EDIT),
        "oversee": which == forms.EMPLOYEES,
        "traces": which == forms.MY or scope.can(P.RULES_TRACES),
    }


def _tabs(wanted: forms.RuleListQuery, sizes: Mapping[str, int]) -> list[tuple[str, str, bool, int]]:
    return [
        (_(forms.NAMES[name]), url_for(".index", list=name), name == wanted.which, size)
        for name, size in sizes.items()
    ]


def _ordering(wanted: forms.RuleListQuery, by: lists.Order) -> bool:
    """Return whether the rules are listed in the order of their evaluation, so that they can be moved."""
    return by.column == "order" and not by.descending and wanted.by == "none" and not wanted.narrows


def _query() -> dict[str, Any]:
    """Return the query parameters that lead back to the same view after a command."""
    return {name: value for name, value in request.args.items() if name in KEPT}


KEPT = ("list", "q", "category", "state", "group", "owner", "by", "sort", "page")


def when(ms: int | None) -> str:
    return lists.moment(ms // 1000 if ms is not None else None)


def many(count: int, most: int) -> str:
    """Return the number as text, "more than …" past what was counted."""
    return number(count) if count <= most else _("more than %(num)s", num=number(most))
