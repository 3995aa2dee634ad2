"""The page of the team's day."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from flask import Blueprint, Response, g, request
from flask_babel import gettext as _

from dashboard import clock
from dashboard.access.guard import require
from dashboard.access.permissions import Permission
from dashboard.audit import record as audit
from dashboard.i18n import zone
from dashboard.i18n.formats import language
from dashboard.i18n.message import N_
from dashboard.tracing import team as teams
from dashboard.tracing.types import parse_date
from dashboard.web import team_day
from dashboard.web.lists import here
from dashboard.web.page import render
from dashboard.web.team_day import Flag

bp = Blueprint("teamday", __name__)

KNOWN = frozenset(("team", "date"))
GROUPS = {"look": N_("Needs a look"), "here": N_("Signed in"), "gone": N_("Signed out")}
FLAGS = {
    Flag.PAUSE: (N_("Pause over limit"), "bad"),
    Flag.MISSES: (N_("Calls not taken"), "warn"),
    Flag.SIGNED_OUT: (N_("Worked while signed out"), "warn"),
}


@bp.get("/team")
@require(Permission.TRACING_VIEW)
def index() -> Response:
    """Show the day of the team of the address, of everybody in scope without one; 400 with the reason."""
    as_of, here_zone = clock.now_s(), zone()
    today = clock.local_date(as_of, here_zone)
    choices = teams.choices(g.scope)
    errors, on, team_id = _read(today, [ident for ident, _name in choices])
    span = clock.day(on, here_zone)
    found = team_day.read(g.scope, team_id, span, here_zone, as_of, language())
    if not errors:
        audit.viewed("team.viewed", ("team", team_id or "", ""), {"date": on.isoformat()})
    return render(
        "teamday/index.html",
        {"result"},
        status=400 if errors else 200,
        errors=errors,
        found=found,
        date=on,
        zone=here_zone,
        as_of=min(as_of, span.end),
        choices=[("", _("Everybody")), *choices],
        team=team_id or "",
        groups=GROUPS,
        flags=FLAGS,
        links=_links(on, today),
    )


def _read(today: date, teams: list[int]) -> tuple[list[str], date, int | None]:
    """Return what is wrong with the address, and the date and team to show."""
    errors = [f"{name}: {_('Unknown parameter.')}" for name in request.args if name not in KNOWN]
    on = parse_date(request.args.get("date", ""), today)
    if on is None:
        errors.append(f"date: {_('Enter the date as YYYY-MM-DD.')}")
    text = request.args.get("team", "")
    ident = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None
    if text and ident not in teams:
        errors.append(f"team: {_('There is no such team that you lead.')}")
        ident = None
    return errors, on or today, ident


def _links(on: date, today: date) -> dict[str, Any]:
    return {
        "prev": here(date=(on - timedelta(days=1)).isoformat()),
        "next": here(date=(on + timedelta(days=1)).isoformat()) if on < today else None,
        "today": here(("date",)) if on != today else None,
    }
