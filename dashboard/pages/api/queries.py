"""Reads for the API alone."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import peewee

from dashboard.access.scope import Scope
from dashboard.events import record
from dashboard.models import Event, Queue, Source, User


@dataclass(frozen=True)
class EventQuery:
    """Filters of GET /api/v1/events; `after` is the id of the last event of the page before."""

    type: str | None = None
    user: str | None = None
    queue: str | None = None
    interaction: str | None = None
    session: str | None = None
    since_ms: int | None = None
    until_ms: int | None = None
    limit: int = 100
    after: int = 0


def events(scope: Scope, asked: EventQuery) -> list[dict[str, Any]]:
    """Return a page of events by rising id (order of arrival); every page costs the same, and one
    who reads on from its last id later misses nothing."""
    e = Event
    query = (
        e.select(
            e.id,
            Source.name,
            e.external_id,
            e.type,
            e.time_ms,
            e.recorded_ms,
            User.login,
            Queue.name,
            e.interaction,
            e.contact,
            e.session,
            e.data,
        )
        .join(Source, on=(Source.id == e.source_id))
        .join(User, peewee.JOIN.LEFT_OUTER, on=(User.id == e.user_id))
        .join(Queue, peewee.JOIN.LEFT_OUTER, on=(Queue.id == e.queue_id))
        .where((e.id > asked.after) & (e.id <= record.settled_id()))
    )
    if scope.users is not None:
        query = query.where(scope.allows(e.user_id))
    equal = (
        (e.type, asked.type),
        (User.login, asked.user),
        (Queue.name, asked.queue),
        (e.interaction, asked.interaction),
        (e.session, asked.session),
    )
    for column, value in equal:
        if value is not None:
            query = query.where(column == value)
    if asked.since_ms is not None:
        query = query.where(e.time_ms >= asked.since_ms)
    if asked.until_ms is not None:
        query = query.where(e.time_ms < asked.until_ms)
    return [_shown(row) for row in query.order_by(e.id).limit(asked.limit).tuples()]


def _shown(row: tuple[Any, ...]) -> dict[str, Any]:
    (number, source, ident, kind, time_ms, recorded_ms, user, queue, interaction, contact, session, data) = (
        row
    )
    return {
        "cursor": str(number),
        "source": source,
        "id": ident,
        "type": kind,
        "time": _iso(time_ms),
        "recorded": _iso(recorded_ms),
        "user": user,
        "queue": queue,
        "interaction": interaction,
        "contact": json.loads(contact) if contact else None,
        "session": session,
        "data": json.loads(data),
    }


def _iso(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
