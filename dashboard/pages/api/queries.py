"""Queries of the API."""

from __future__ import annotations

from typing import Any

import peewee

from dashboard.access.permissions import Permission
from dashboard.access.scope import Scope
from dashboard.db import keyset
from dashboard.events import record
from dashboard.models import Event, Queue, Source, User
from dashboard.pages.api.answers import Stored, stored
from dashboard.pages.api.parameters import EventQuery


def events(scope: Scope, query: EventQuery) -> tuple[list[Stored], int | None]:
    """Return a page of events by rising id (order of arrival), and the id to go on after; None on the last.

    Every page costs the same, and a client that reads on from its last id later misses nothing. A page with
    filters may hold fewer events than asked for, even none, and yet not be the last.
    """
    e = Event
    equal = _equal(query)
    if any(value is None for _column, value in equal):
        return [], None
    ranged = [column == value for column, value in equal[:1]]  # the other filters are tried on its rows
    others = [keyset.unindexed(column) == value for column, value in equal[1:]]
    if query.since_ms is not None:
        others.append(keyset.unindexed(e.time_ms) >= query.since_ms)
    if query.until_ms is not None:
        others.append(keyset.unindexed(e.time_ms) < query.until_ms)
    others += scope.allows_events()
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
            e.envelope,
            e.time_of_arrival,
        )
        .join(Source, on=(Source.id == e.source_id))
        .join(User, peewee.JOIN.LEFT_OUTER, on=(User.id == e.user_id))
        .join(Queue, peewee.JOIN.LEFT_OUTER, on=(Queue.id == e.queue_id))
    )
    found, after = keyset.page(
        rows.where(*others) if others else rows,
        e.id,
        ranged,
        query.limit,
        above=query.after or 0,
        below=record.safe_read_position() + 1,
        filtered=bool(others),
    )
    full = scope.can(Permission.PII_UNMASK)
    return [stored(row, full) for row in found], after


def _equal(query: EventQuery) -> list[tuple[Any, Any]]:
    """Return columns and the values they must have, the most selective first; None for an unknown name."""
    e = Event
    user = query.user and User.select(User.id).where(User.login == query.user).scalar()
    queue = query.queue and Queue.select(Queue.id).where(Queue.name == query.queue).scalar()
    given = (
        (e.interaction, query.interaction, query.interaction),
        (e.session, query.session, query.session),
        (e.user_id, query.user, user),
        (e.queue_id, query.queue, queue),
        (e.type, query.type, query.type),
    )
    return [(column, value) for column, asked, value in given if asked]
