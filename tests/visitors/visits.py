"""A portal site and visits of it, as rows."""

from __future__ import annotations

from itertools import count
from typing import Any

from dashboard.events import record
from dashboard.models import Event, EventCause, Site, Visit

NOON = 1_772_452_800_000  # 2 March 2026, 12:00 UTC, in ms
_numbers = count(1)


def site(name: str = "portal", **columns: Any) -> Site:
    """Make a site that is on, with a source of its own."""
    given = {"key": f"key-{name}", "enabled": True, "secret": "s" * 32, "created_ts": NOON // 1000}
    made: Site = Site.create(source=record.source(name).id, **{**given, **columns})
    return made


def visit(of: Site, **columns: Any) -> Visit:
    """Make a visit that has been idle for two minutes at NOON, with a page open."""
    token = f"visit-{next(_numbers):016}"
    given = {
        "token": token,
        "browser": f"b-{token}",
        "started_ms": NOON - 300_000,
        "active_ms": NOON - 120_000,
        "idle_ms": NOON,
        "due_ms": NOON + 780_000,
        "pages": 3,
        "url": "https://example.org/price",
        "language": "cs-CZ",
    }
    made: Visit = Visit.create(site=of, **{**given, **columns})
    return made


def events(of: Visit) -> list[tuple[str, int]]:
    """Return (type, time in ms after NOON) of the events of a visit, in order."""
    query = Event.select(Event.type, Event.time_ms).where(Event.session == of.token).order_by(Event.id)
    return [(type_, time_ms - NOON) for type_, time_ms in query.tuples()]


def chains(of: Visit) -> list[list[int]]:
    """Return the chains of rules of the events of a visit that rules caused, in order."""
    ids = Event.select(Event.id).where(Event.session == of.token)
    query = EventCause.select(EventCause.chain).where(EventCause.event_id.in_(ids))
    return [chain for (chain,) in query.order_by(EventCause.event_id).tuples()]
