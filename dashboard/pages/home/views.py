"""The home page: today's numbers in the viewer's scope."""

from __future__ import annotations

import hashlib
from typing import Any

from flask import Blueprint, Response, g, make_response, request

from dashboard import clock
from dashboard.access import agent_exports
from dashboard.access.guard import require
from dashboard.access.permissions import Permission
from dashboard.i18n import zone
from dashboard.i18n.formats import language
from dashboard.pages.home.queries import LEVEL_TARGET, Board
from dashboard.pages.home.rules import may_see
from dashboard.web import team_day
from dashboard.web.page import render, wanted

bp = Blueprint("home", __name__)

BLOCKS = ("attention", "figures", "team", "queues")


@bp.get("/")
@require(Permission.SELF)
def index() -> Response:
    """Show the team's day, or the viewer's own without permission for it. Blocks reload every 30 seconds.

    A block whose content equals the digest `seen` is not sent again (204).
    """
    board = Board(g.scope, clock.now_s(), zone(), language())
    blocks: tuple[str, ...] = BLOCKS if g.scope.can(Permission.HOME_VIEW) else ("own",)
    if "own" not in blocks and may_see(g.scope):
        blocks = (*blocks, "fired")
    block = wanted(blocks)
    context = {name: _read(board, name) for name in ([block] if block else blocks)}
    marks = {name: _mark(value) for name, value in context.items()}
    if block and request.args.get("seen") == marks[block]:
        return make_response("", 204)
    return render(
        "home/index.html",
        fragments=set(blocks),
        board=board,
        blocks=blocks,
        marks=marks,
        target=LEVEL_TARGET,
        words=team_day,
        agents_lack_exports=block is None and agent_exports.is_due(g.scope),
        **context,
    )


def _read(board: Board, name: str) -> Any:
    if name == "own":
        return board.own(g.user.login)
    return getattr(board, name)()


def _mark(value: Any) -> str:
    return hashlib.sha256(repr(value).encode()).hexdigest()[:12]
