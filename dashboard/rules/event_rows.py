"""Rows of the event log with the columns that rules read."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from dashboard.db.prepared import plain
from dashboard.events import timeliness
from dashboard.models import Event


class EventRow(NamedTuple):
    """A line of the log as rules need it; `contact` and `data` are JSON texts."""

    id: int
    source_id: int
    type: str
    time_ms: int
    recorded_ms: int
    user_id: int | None
    queue_id: int | None
    interaction: str | None
    session: str | None
    contact: str | None
    data: str
    seq: int = 0
    file_ts: int | None = None
    uid: int | None = None
    external_id: str = ""


def columns() -> Any:
    """Return a query of EventRow columns, to be narrowed by the caller and read by rows()."""
    e = Event
    return e.select(
        e.id,
        e.source_id,
        e.type,
        e.time_ms,
        e.recorded_ms,
        e.user_id,
        e.queue_id,
        e.interaction,
        e.session,
        e.contact,
        e.data,
        e.seq,
        e.file_ts,
        e.uid,
        e.external_id,
    )


def rows(query: Any) -> list[EventRow]:
    """Run a query of columns()."""
    return [EventRow._make(row) for row in plain(query)]


def in_time(events: Iterable[EventRow]) -> list[EventRow]:
    """Return the events that did not lie ahead of the server's clock when they were recorded."""
    return [event for event in events if not timeliness.is_clock_ahead(event.time_ms, event.recorded_ms)]
