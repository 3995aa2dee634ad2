"""The page of the team's day, that of up to ten people side by side, and their files."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, abort, g, make_response, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from dashboard import clock
from dashboard.access.guard import require
from dashboard.access.permissions import Permission
from dashboard.audit import record as audit
from dashboard.audit.subjects import Seen
from dashboard.exports.table import file_name
from dashboard.i18n import zone
from dashboard.i18n.formats import language
from dashboard.pages.teamday import requests
from dashboard.pages.teamday.requests import DayRequest
from dashboard.tracing import people
from dashboard.tracing import team as teams
from dashboard.tracing.team import Member
from dashboard.tracing.types import shift_period
from dashboard.web import team_day
from dashboard.web.deliver import deliver, file_links
from dashboard.web.errors import Detail
from dashboard.web.lists import here
from dashboard.web.page import render

bp = Blueprint("teamday", __name__)


@bp.get("/team")
@require(Permission.TRACING_VIEW)
def index() -> Response:
    """Show the day of the team of the address, of everybody in scope without one; 400 with the reason."""
    wanted = requests.team(request.args, g.scope, zone(), clock.now_s())
    choices = teams.choices(g.scope)
    if not wanted.errors:
        details = {"date": wanted.on.isoformat()}
        audit.viewed("team.viewed", ("team", wanted.team or "", ""), details, _seen(wanted))
    return render(
        "teamday/index.html",
        {"result"},
        status=400 if wanted.errors else 200,
        choices=[("", _("Everybody")), *choices],
        leads_none=not choices and team_day.leads_none(g.scope),
        **_context(wanted, "teamday"),
    )


@bp.get("/compare")
@require(Permission.TRACING_VIEW)
def compare() -> Response:
    """Show up to ten people of the scope side by side, for a day or a week; 400 with the reason, and 404 for
    somebody outside the scope."""
    wanted = requests.compare(request.args, g.scope, zone(), clock.now_s())
    if wanted is None:
        abort(404)
    for member in wanted.members:
        details = {"unit": wanted.unit, "date": wanted.on.isoformat()}
        seen = Seen((member.id,), wanted.span)
        audit.viewed("comparison.viewed", ("user", member.id, member.name), details, seen)
    return render(
        "teamday/compare.html",
        {"result"},
        status=400 if wanted.errors else 200,
        units=[("day", _("Day")), ("week", _("Week"))],
        choices=[
            (one.login, one.name)
            for one in people.people(g.scope, deactivated=False)
            if one.id not in [member.id for member in wanted.members]
        ],
        chosen=[(member, _without(wanted, member)) for member in wanted.members],
        most=requests.MOST_PEOPLE,
        **_context(wanted, "compare"),
    )


@bp.get("/team/compare")
@require(Permission.TRACING_VIEW)
def compare_users() -> Response:
    """Lead to Compare from an address that names the users as `users=a,b`."""
    users = [login for login in request.args.get("users", "").split(",") if login]
    query = MultiDict((name, text) for name, text in request.args.items() if name != "users")
    query.setlist("user", users)
    return make_response(redirect(f"{url_for('.compare')}?{urlencode(list(query.items(multi=True)))}"))


@bp.get("/team.csv", defaults={"format_": "csv"})
@bp.get("/team.xlsx", defaults={"format_": "xlsx"})
@bp.get("/team.pdf", defaults={"format_": "pdf"})
@require(Permission.TRACING_VIEW)
def download(format_: str) -> Response:
    """Export the rows of the team's day."""
    return _deliver("teamday", requests.team(request.args, g.scope, zone(), clock.now_s()), format_)


@bp.get("/compare.csv", defaults={"format_": "csv"})
@bp.get("/compare.xlsx", defaults={"format_": "xlsx"})
@bp.get("/compare.pdf", defaults={"format_": "pdf"})
@require(Permission.TRACING_VIEW)
def download_comparison(format_: str) -> Response:
    """Export the figures of the people compared."""
    wanted = requests.compare(request.args, g.scope, zone(), clock.now_s())
    if wanted is None or (not wanted.members and not wanted.errors):
        abort(404)
    return _deliver("compare", wanted, format_)


def _without(wanted: DayRequest, member: Member) -> str:
    """Return the address of the comparison without one of its people."""
    users = [one.login for one in wanted.members if one != member]
    return url_for(".compare", user=users, unit=wanted.unit, date=wanted.on.isoformat())


def _deliver(maker: str, wanted: DayRequest, format_: str) -> Response:
    if wanted.errors:
        abort(400, Detail(wanted.errors[0]))
    name = file_name({"teamday": "team", "compare": "compare"}[maker], "", wanted.on, format_)
    given = {key: "\n".join(values) for key, values in request.args.lists()}
    return deliver(maker, given, format_, name, len(wanted.members), "report.exported", seen=_seen(wanted))


def _seen(wanted: DayRequest) -> Seen:
    return Seen([one.id for one in wanted.members], wanted.span)


def _last_day(wanted: DayRequest) -> str | None:
    """Return the address of the last day before this one on which somebody worked."""
    start = teams.last_worked(g.scope, min(wanted.span.start, wanted.as_of), wanted.team)
    return None if start is None else here(date=clock.local_date(start, wanted.zone).isoformat())


def _context(wanted: DayRequest, maker: str) -> dict[str, Any]:
    today, day = clock.local_date(wanted.as_of, wanted.zone), wanted.read(g.scope, language())
    before, after = (shift_period(wanted.unit, wanted.on, by).isoformat() for by in (-1, 1))
    return {
        "wanted": wanted,
        "errors": wanted.errors,
        "day": day,
        "words": team_day,
        "corrected": wanted.corrected(g.scope),
        "date": wanted.on,
        "zone": wanted.zone,
        "as_of": min(wanted.as_of, wanted.span.end),
        "links": {
            "prev": here(date=before),
            "next": here(date=after) if wanted.span.end <= wanted.as_of else None,
            "today": None if wanted.span.start <= wanted.as_of < wanted.span.end else here(("date",)),
        },
        "last_day": _last_day(wanted) if maker == "teamday" and not day.groups else None,
        "today": today,
        "exports": file_links(maker, ("gone",)) if wanted.members else [],
    }
