"""The home page: today's numbers in the viewer's scope."""

from __future__ import annotations

import hashlib
from typing import Any

from flask import Blueprint, Response, abort, g, make_response, redirect, request, url_for
from flask_babel import gettext as _

from dashboard import clock
from dashboard.access import agent_exports
from dashboard.access.guard import require
from dashboard.access.permissions import Permission
from dashboard.i18n import zone
from dashboard.i18n.formats import language
from dashboard.ingest.imports import sample_data
from dashboard.pages.home import checklist
from dashboard.pages.home.checklist import Checklist
from dashboard.pages.home.queries import LEVEL_TARGET, Board
from dashboard.pages.home.rules import may_see
from dashboard.web import team_day
from dashboard.web.errors import Detail
from dashboard.web.page import refreshing, render, wanted

bp = Blueprint("home", __name__)

BLOCKS = ("attention", "figures", "team", "queues")
CHECKLIST = "checklist"


@bp.get("/")
@require(Permission.SELF)
def index() -> Response:
    """Show the team's day, or the viewer's own without permission for it. Blocks reload every 30 seconds.

    A block whose content equals the digest `seen` is not sent again (204). Whoever sets Stopa up sees the
    checklist first, and nothing else before the first event.
    """
    board = Board(g.scope, clock.now_s(), zone(), language())
    blocks: tuple[str, ...] = BLOCKS if g.scope.can(Permission.HOME_VIEW) else ("own",)
    if "own" not in blocks and may_see(g.scope):
        blocks = (*blocks, "fired")
    block = wanted((*blocks, CHECKLIST))
    if block == CHECKLIST and _is_other_page(board.checklist()):
        return Response(headers={"HX-Refresh": "true"})
    if block is None and (steps := board.checklist()) and not steps.hidden:
        blocks = (CHECKLIST, *blocks) if steps.has_data else (CHECKLIST,)
    context = {name: _read(board, name) for name in ([block] if block else blocks)}
    marks = {name: _mark(value) for name, value in context.items()}
    if block and request.args.get("seen") == marks[block]:
        return make_response("", 204)
    return render(
        "home/index.html",
        fragments={*blocks, CHECKLIST},
        board=board,
        blocks=blocks,
        marks=marks,
        target=LEVEL_TARGET,
        words=team_day,
        agents_lack_exports=block is None and agent_exports.is_due(g.scope),
        shows_sample=block is None and g.scope.can(Permission.EVENTS_IMPORT) and sample_data.is_loaded(),
        **context,
    )


@bp.post("/checklist")
@require(checklist.SEEING)
def mark() -> Response:
    """Mark a step of the checklist (`step`) as not needed or hide it whole, or undo that; `on` is 1 or 0."""
    on = request.form.get("on", "")
    try:
        if on not in ("0", "1"):
            raise ValueError(on)
        checklist.mark(request.form.get("step", ""), on == "1")
    except ValueError:
        abort(422, Detail(_("Choose a step of the checklist, and 1 to mark it or 0 to undo that.")))
    return make_response(redirect(url_for(".index")))


@bp.get("/sample")
@require(Permission.EVENTS_IMPORT)
def sample() -> Response:
    """Show whether sample data are loaded, or how far their loading or removal is."""
    found = sample_data.read()
    response = render("home/sample.html", {"result"}, sample=found)
    return refreshing(response, url_for(".sample")) if found.work and not found.error else response


@bp.post("/sample")
@require(Permission.EVENTS_IMPORT)
def change_sample() -> Response:
    """Start to load or to remove the sample data (`work`), unless it is done or begun."""
    try:
        work = sample_data.Work(request.form.get("work", ""))
    except ValueError:
        abort(422, Detail(_("Choose load or remove.")))
    sample_data.start(work, ("user", g.user.id, g.user.login))
    return make_response(redirect(url_for(".sample")))


def _is_other_page(steps: Checklist | None) -> bool:
    """Return whether a page with the checklist has other blocks by now; `first` is one before any event."""
    return steps is None or steps.hidden or (steps.has_data and "first" in request.args)


def _read(board: Board, name: str) -> Any:
    if name == "own":
        return board.own(g.user.login)
    return getattr(board, name)()


def _mark(value: Any) -> str:
    return hashlib.sha256(repr(value).encode()).hexdigest()[:12]
