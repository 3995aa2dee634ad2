"""What a source has sent since a moment: whether a key or an import that was just made works."""

from __future__ import annotations

from typing import NamedTuple

from dashboard.access.scope import Scope
from dashboard.db.prepared import plain
from dashboard.models import Event, RefusedEvent, User

PROBED = 200  # events of a source among which the first new one is looked for: all those of a new source
MOST = 99  # refused records that are counted


class Arrival(NamedTuple):
    """The first event, with its time in ms.

    `user` is login and name of the event's user, None without one and outside the scope; `seen` says whether
    the event is in the scope.
    """

    id: int
    type: str
    time_ms: int
    user: tuple[str, str] | None
    seen: bool


def first(scope: Scope, source_id: int, since_ms: int) -> Arrival | None:
    """Return the first event that a source has sent since `since_ms`.

    None where there is none, and perhaps for a source that had more than PROBED events before.
    """
    e, u = Event, User
    some = e.select(e.id).where(e.source_id == source_id).limit(PROBED)
    ids = [ident for (ident,) in plain(some)]
    new = e.select(e.id, e.type, e.time_ms, e.user_id).where(e.id.in_(ids) & (e.recorded_ms >= since_ms))
    rows = plain(new.order_by(e.id).limit(1))
    if not rows:
        return None
    ((ident, type_, time_ms, user_id),) = rows
    seen = bool(plain(e.select(e.id).where(e.id == ident, *scope.allows_events())))
    user = plain(u.select(u.login, u.name).where((u.id == user_id) & scope.allows(u.id)))
    return Arrival(ident, type_, time_ms, user[0] if user else None, seen)


def refused(source_id: int, since_ms: int) -> int:
    """Count the records of a source that were refused since `since_ms`, up to MOST."""
    r = RefusedEvent
    found = r.select(r.id).where((r.source_id == source_id) & (r.recorded_ms >= since_ms))
    return len(plain(found.limit(MOST)))
