"""What becomes of visits by time: idle, inactive, closed, ended, invitations whose time is over.

Due visits are found by the index of their due moments. Two workers cannot take the same one: its row is
locked and read again, and its new due moment is committed with the events. A row that another transaction
holds is left for the next call.
"""

from __future__ import annotations

from collections.abc import Sequence

from dashboard import clock
from dashboard.db import database, dialect
from dashboard.db.locks import Lock
from dashboard.db.prepared import Prepared, slot, update_row
from dashboard.models import Visit
from dashboard.visitors import sites, visits
from dashboard.visitors.records import VisitorEvent
from dashboard.visitors.sites import Portal

PIECE = 100  # visits in a transaction
_DUE = Prepared(
    lambda: (
        Visit.select(Visit.site, Visit.id)
        .where(Visit.due_ms <= slot("now"))
        .order_by(Visit.due_ms)
        .limit(PIECE)
    )
)
_CHANGED = ("idle_ms", "inactive_ms", "closed_ms", "ended_ms", "due_ms", "contact_id")


def run_due() -> int:
    """Do what is due, a piece at a time, and return for how many visits. A worker tick."""
    rows = _DUE.rows(now=clock.now_ms())
    by_site: dict[int, list[int]] = {}
    for site, ident in rows:
        by_site.setdefault(site, []).append(ident)
    return sum(_piece(site, idents) for site, idents in by_site.items())


def _piece(site_id: int, idents: Sequence[int]) -> int:
    """Do what is due for visits of one site, in one transaction; see `visits.take` for its locks."""
    site = sites.of_id(site_id)
    if site is None:
        return 0
    with database.atomic():
        dialect.adding(Lock.APPENDING)
        dialect.one_at_a_time(Lock.APPEND, site.source_id)
        now_ms = clock.now_ms()
        due = Visit.select().where(Visit.id.in_(idents) & (Visit.due_ms <= now_ms)).order_by(Visit.id)
        made: list[VisitorEvent] = []
        # Who invites several visitors in one transaction holds their rows in the order of the events. Waiting
        # for one of them with others in hand could be for ever; those left out are due at the next call.
        changed = list(dialect.held_if_free(due))
        for visit in changed:
            made += _passed(site, visit, now_ms)
            visits.set_due(site, visit, now_ms)
            update_row(Visit, visit.id, **{name: visit.__data__[name] for name in _CHANGED})
        visits.append(site, made)
    return len(changed)


def _passed(site: Portal, visit: Visit, now_ms: int) -> list[VisitorEvent]:
    """Change a visit by the moments that have passed, and return the events of them, each at its moment."""
    made: list[VisitorEvent] = []
    if visit.ended_ms is not None:
        return made
    active_ms = visit.active_ms
    idle_ms, end_ms = active_ms + site.idle_ms, active_ms + visits.END_MS
    visits.find_contact(visit)
    if visit.away_ms is None and visit.idle_ms is None and idle_ms <= now_ms:
        visit.idle_ms = idle_ms
        made.append(visits.event(site, visit, "visitor.idle", idle_ms, active_ms))
    if visit.away_ms is not None and visit.closed_ms is None and visit.away_ms + visits.AWAY_MS <= now_ms:
        visit.closed_ms = visit.away_ms
        made.append(visits.event(site, visit, "session.closed", visit.closed_ms, visit.closed_ms))
    inactive_ms = active_ms + visits.INACTIVE_MS
    if visit.closed_ms is None and visit.inactive_ms is None and inactive_ms <= now_ms:
        visit.inactive_ms = inactive_ms
        made.append(visits.event(site, visit, "session.inactive", inactive_ms, active_ms))
    if end_ms <= now_ms:
        if visit.closed_ms is None:
            visit.closed_ms = end_ms
            made.append(visits.event(site, visit, "session.closed", end_ms, end_ms))
        visit.ended_ms = end_ms
        duration_s = (active_ms - visit.started_ms) // 1000
        made.append(visits.event(site, visit, "visit.ended", end_ms, active_ms, duration_s=duration_s))
    return made
