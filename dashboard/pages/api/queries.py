"""Queries of the API."""

from __future__ import annotations

import peewee

from dashboard.access.scope import Scope
from dashboard.events import record
from dashboard.models import Event, Queue, Source, User
from dashboard.pages.api.answers import Stored, stored
from dashboard.pages.api.parameters import EventQuery


def events(scope: Scope, query: EventQuery) -> list[Stored]:
    """Return a page of events by ascending id (order of arrival). All pages cost the same, and a client
    that later continues after the last id misses no event."""
    e = Event
    rows = (
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
        .where((e.id > (query.after or 0)) & (e.id <= record.safe_read_position()))
    )
    if scope.users is not None:
        rows = rows.where(scope.allows(e.user_id))
    equal = (
        (e.type, query.type),
        (User.login, query.user),
        (Queue.name, query.queue),
        (e.interaction, query.interaction),
        (e.session, query.session),
    )
    for column, value in equal:
        if value is not None:
            rows = rows.where(column == value)
    if query.since_ms is not None:
        rows = rows.where(e.time_ms >= query.since_ms)
    if query.until_ms is not None:
        rows = rows.where(e.time_ms < query.until_ms)
    return [stored(row) for row in rows.order_by(e.id).limit(query.limit).tuples()]
