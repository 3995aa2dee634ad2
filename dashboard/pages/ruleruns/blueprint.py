"""The blueprint that the views of this page share."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, g

from dashboard.access.permissions import Permission

bp = Blueprint("ruleruns", __name__)


@bp.context_processor
def rights() -> dict[str, Any]:
    """Give templates what else the viewer may open."""
    scope = g.get("scope")
    return {"may": {"backtest": scope is not None and scope.can(Permission.RULES_BACKTEST)}}
