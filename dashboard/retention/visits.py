"""Deletes visits, with their invitations and events, when their site keeps them no longer."""

from __future__ import annotations

from collections.abc import Iterator

from dashboard.db.prepared import plain
from dashboard.events import kept
from dashboard.models import Event, Site, Visit
from dashboard.retention import log

AT_ONCE = 50  # visits, with some hundred events each


def delete() -> Iterator[int]:
    """Delete the visits that ended before the days that each site keeps; yield the rows of each piece.

    A visit stays while an event of it does: one that belongs to an interaction is kept as long as this is,
    and one for which a rule waits until it has run.
    """
    for site in Site.select():
        yield from _of_site(site, kept.first_ms(site.keep_days))


def _of_site(site: Site, before_ms: int) -> Iterator[int]:
    v, e = Visit, Event
    over = (v.site == site.id) & (v.started_ms < before_ms) & (v.ended_ms < before_ms)
    last = 0
    while rows := plain(v.select(v.id, v.token).where(over & (v.id > last)).order_by(v.id).limit(AT_ONCE)):
        last = rows[-1][0]
        tokens = [token for _ident, token in rows]
        yield from log.delete_of_sessions(site.source_id, tokens)
        left = e.select(e.session).where((e.source_id == site.source_id) & e.session.in_(tokens)).distinct()
        stay = {token for (token,) in plain(left)}
        gone = [ident for ident, token in rows if token not in stay]
        if gone:
            yield v.delete().where(v.id.in_(gone)).execute()
