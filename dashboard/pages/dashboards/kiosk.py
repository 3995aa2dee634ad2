"""A dashboard on a wall screen: opened by its key alone, with the rights of its owner at that moment.

The key opens nothing else; there is no session and no link. Wrong keys are counted by address, and those
beyond the limit have to wait.
"""

from __future__ import annotations

from flask import Response, abort, current_app, g, request
from flask_babel import force_locale

from dashboard import clock
from dashboard.access import scope as scopes
from dashboard.access import throttle
from dashboard.audit import record as audit
from dashboard.pages.dashboards.shown import as_of, seen, shown
from dashboard.reports import dashboards
from dashboard.reports.dashboards import Kind
from dashboard.reports.ready import READERS
from dashboard.reports.tiles import View
from dashboard.web.forms import ID_MAX
from dashboard.web.page import render

KEY_MAX = 100


def show(ident: int, key: str) -> Response:
    """Answer with the wall of a dashboard, or its block; 404 for a wrong or withdrawn key, later 429."""
    g.user, g.scope = None, None  # the key alone counts, whoever is signed in on this browser
    row = dashboards.of_key(ident, key[:KEY_MAX]) if ident <= ID_MAX else None
    if row is None:
        ip = request.remote_addr or ""
        tried = throttle.attempt(throttle.by_kiosk(ip), ip)
        abort(429 if tried.wait_s else 404)
    owner, settings = row.user, current_app.config["STOPA"]
    scope, now = scopes.of_user(owner), clock.now_s()
    if not scope.permissions.intersection(READERS):
        abort(404)  # who can no longer open the page shows nothing of it on a wall
    zone = owner.timezone or settings.timezone
    with force_locale(owner.locale or settings.locale):
        view = View(scope, zone, now, row.refresh_s)
        tiles = shown(view, dashboards.tiles(row.id), wall=True)
        actor = ("kiosk", row.id, f"{row.name} ({owner.login})")
        audit.viewed("dashboard.viewed", dashboards.target(row), {}, seen(view, tiles), actor)
        return render(
            "dashboards/wall.html",
            {"wall"},
            row=row,
            as_of=as_of(tiles, now),
            day=clock.local_date(now, zone),
            zone=zone,
            tiles=[tile for tile in tiles if tile.kind != Kind.ALARMS],
            alarms=[tile for tile in tiles if tile.kind == Kind.ALARMS],
        )
