"""The page of what a search finds."""

from __future__ import annotations

from flask import Blueprint, Response, g, request

from dashboard.access.guard import require
from dashboard.access.permissions import Permission
from dashboard.db.search import is_long_enough
from dashboard.pages.search import queries
from dashboard.web import lists
from dashboard.web.page import render

bp = Blueprint("search", __name__)


@bp.get("/search")
@require(Permission.SELF)
def index() -> Response:
    """Show what `q` finds; a text that is too short finds nothing and the page says so."""
    text = lists.needle(request.args)
    searched = is_long_enough(text)
    return render(
        "search/index.html",
        q=text,
        searched=searched,
        kinds=queries.kinds(g.scope, text) if searched else [],
        ever_url=queries.ever_url(g.scope, text),
        masked=not g.scope.can(Permission.PII_UNMASK),
    )
