"""The blueprint that the views of this page share."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, g

from dashboard.access.permissions import Permission

bp = Blueprint("ruleruns", __name__)


@bp.context_processor
def rights() -> dict[str, Any]:
    """Give templates what else the viewer may open."""
    held = g.scope.permissions if g.get("scope") is not None else frozenset()
    traces = {Permission.RULES_TRACES, Permission.RULES_OWN}
    return {"may": {"backtest": Permission.RULES_BACKTEST in held, "traces": bool(traces & held)}}
