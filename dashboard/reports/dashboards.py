"""Dashboards: who may see and change them, how their tiles are arranged, and the keys of wall screens.

A key opens its dashboard alone, with the rights that the owner has at that moment; only its hash is stored.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable
from enum import StrEnum
from typing import Any

from dashboard import clock
from dashboard.access import keys
from dashboard.access.permissions import Permission
from dashboard.access.scope import Scope
from dashboard.audit import record as audit
from dashboard.db import database
from dashboard.models import Dashboard, Tile, User
from dashboard.reports.library import Sharing

WIDTHS = (3, 4, 6, 8, 12)  # twelfths of the page
MOST_TILES = 24
REFRESH_S = (15, 30, 60, 300)
KEY_BYTES = 32


class Kind(StrEnum):
    """What a tile shows; the first three are of a report."""

    FIGURE = "figure"
    CHART = "chart"
    TABLE = "table"
    ALARMS = "alarms"
    TEXT = "text"


OF_REPORT = (Kind.FIGURE, Kind.CHART, Kind.TABLE)
START_WIDTHS = {Kind.FIGURE: 3, Kind.CHART: 6, Kind.TABLE: 6, Kind.ALARMS: 12, Kind.TEXT: 4}


def readable(scope: Scope) -> Any:
    """Return the query of the dashboards that a viewer may see, with their owners, by name."""
    role = User.select(User.access).where(User.id == scope.viewer_id)
    d = Dashboard
    shared = (d.shared == Sharing.ALL) | ((d.shared == Sharing.ACCESS) & d.access.in_(role))
    mine = (d.user == scope.viewer_id) | shared
    return d.select(d, User).join(User, on=(d.user == User.id)).where(mine).order_by(d.name, d.id)


def editable(scope: Scope) -> Any:
    """Return the query of the dashboards that a viewer may change: their own, for an administrator all."""
    d = Dashboard
    mine = scope.allows(d.user) if scope.can(Permission.ACCESSES_EDIT) else d.user == scope.viewer_id
    return d.select(d, User).join(User, on=(d.user == User.id)).where(mine)


def tiles(dashboard_id: int) -> list[Tile]:
    """Return the tiles of a dashboard in their order."""
    return list(Tile.select().where(Tile.dashboard == dashboard_id).order_by(Tile.position, Tile.id))


def add_tile(dashboard: Dashboard, kind: Kind, report: str, title: str) -> Tile | None:
    """Add a tile behind the others; None when there are MOST_TILES."""
    with database.atomic():
        found = tiles(dashboard.id)
        if len(found) >= MOST_TILES:
            return None
        position = found[-1].position + 1 if found else 1
        tile = Tile.create(
            dashboard=dashboard.id,
            position=position,
            width=START_WIDTHS[kind],
            kind=kind.value,
            report=report if kind in OF_REPORT else "",
            title=title,
        )
        _record(dashboard, {"tile": (None, f"{kind.value} {report}".strip())})
    return tile


def _left(found: list[Tile], at: int) -> None:
    if at:
        found[at - 1].position, found[at].position = found[at].position, found[at - 1].position


def _right(found: list[Tile], at: int) -> None:
    if at + 1 < len(found):
        _left(found, at + 1)


def _wider(found: list[Tile], at: int) -> None:
    place = WIDTHS.index(found[at].width)
    found[at].width = WIDTHS[min(place + 1, len(WIDTHS) - 1)]


def _narrower(found: list[Tile], at: int) -> None:
    place = WIDTHS.index(found[at].width)
    found[at].width = WIDTHS[max(place - 1, 0)]


MOVES: dict[str, Callable[[list[Tile], int], None]] = {
    "left": _left,
    "right": _right,
    "wider": _wider,
    "narrower": _narrower,
}


def arrange(dashboard: Dashboard, move: str, tile_id: int) -> bool:
    """Do one of MOVES with a tile, or "remove" it; False when the dashboard has no such tile."""
    with database.atomic():
        found = tiles(dashboard.id)
        at = next((n for n, tile in enumerate(found) if tile.id == tile_id), None)
        if at is None:
            return False
        if move == "remove":
            found[at].delete_instance()
            _record(dashboard, {"tile": (found[at].title or found[at].report, None)})
            return True
        for place, tile in enumerate(found, 1):
            tile.position = place
        MOVES[move](found, at)
        for tile in found:
            Tile.update(position=tile.position, width=tile.width).where(Tile.id == tile.id).execute()
    return True


def make_key(dashboard: Dashboard) -> str:
    """Give a dashboard a new key, which replaces an earlier one, and return it in plain text."""
    plain = secrets.token_urlsafe(KEY_BYTES)
    with database.atomic():
        _set_key(dashboard, keys.digest(plain), clock.now_s())
        audit.record("dashboard.kiosk_made", "u", target(dashboard))
    return plain


def withdraw_key(dashboard: Dashboard) -> None:
    """Refuse the key of a dashboard from now on; idempotent."""
    with database.atomic():
        if _set_key(dashboard, None, None):
            audit.record("dashboard.kiosk_withdrawn", "u", target(dashboard))


def of_key(ident: int, plain: str) -> Dashboard | None:
    """Return the dashboard of an id when the key is its own and its owner may sign in; None otherwise."""
    d = Dashboard
    row = d.select(d, User).join(User, on=(d.user == User.id)).where(d.id == ident).first()
    if row is None or row.kiosk_hash is None:
        return None
    fits = hmac.compare_digest(row.kiosk_hash, keys.digest(plain))
    if not fits or row.user.deactivated_ts is not None or row.user.access_id is None:
        return None
    found: Dashboard = row
    return found


def target(dashboard: Dashboard) -> tuple[str, object, str]:
    return ("dashboard", dashboard.id, dashboard.name)


def _set_key(dashboard: Dashboard, hash_: str | None, made_ts: int | None) -> bool:
    same = Dashboard.id == dashboard.id
    other = same if hash_ else same & Dashboard.kiosk_hash.is_null(False)
    return bool(Dashboard.update(kiosk_hash=hash_, kiosk_ts=made_ts).where(other).execute())


def _record(dashboard: Dashboard, changes: dict[str, tuple[Any, Any]]) -> None:
    audit.record("dashboard.updated", "u", target(dashboard), changes)
