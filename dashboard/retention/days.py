"""Deletes users' days: sign-ins, pauses, the work on interactions and the interactions themselves."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from peewee import fn

from dashboard.catalog.agents import TIME_CORRECTED
from dashboard.catalog.effects import RESTART
from dashboard.db import database, dialect, pieces
from dashboard.db.locks import Lock
from dashboard.db.prepared import plain
from dashboard.events import horizon
from dashboard.models import Activity, Event, Interaction, Interval, User
from dashboard.tracing import corrections
from dashboard.tracing.bounds import EndReason
from dashboard.tracing.surroundings import LOGINS
from dashboard.tracing.types import ORIGINALS, PRESENCE

AT_ONCE = 100  # interactions, with some ten rows each


def delete(before_ms: int) -> Iterator[int]:
    """Delete what ended before `before_ms` by GAP_MS or more, in pieces; yield the number of rows of each.

    What may still change stays: a login that no event has ended, and work on an interaction that keeps its
    events. So does the latest login of each user in each source, which says that the source reports them.
    """
    before_ms -= horizon.GAP_MS
    for (user,) in plain(User.select(User.id).order_by(User.id)):
        yield from _presence(user, before_ms)
    yield from pieces.delete(Event, (Event.type == RESTART) & (Event.time_ms < before_ms))
    yield from _interactions(before_ms)


def stock(before_ms: int | None) -> tuple[int, int | None, int]:
    """Return the number of activities, the beginning of the oldest in ms, and how many began `before_ms`."""
    a = Activity
    ((oldest_ts,),) = plain(a.select(fn.MIN(a.start_ts)))
    old = a.select().where(a.start_ts < ((before_ms or 0) - horizon.GAP_MS) // 1000)
    return pieces.count(a.select()), None if oldest_ts is None else oldest_ts * 1000, pieces.count(old)


def _presence(user: int, before_ms: int) -> Iterator[int]:
    i = Interval
    recorded = i.kind.in_(LOGINS) & (i.end_reason.is_null() | (i.end_reason != EndReason.CORRECTED.value))
    latest = i.select(fn.MAX(i.id)).where((i.user_id == user) & recorded).group_by(i.source_id)
    over = (i.closed_ms < before_ms) & (i.end_ts * 1000 < before_ms) & i.id.not_in(latest)
    for kinds in (i.kind <= max(PRESENCE), i.kind >= min(ORIGINALS.values())):  # an index of each
        yield from pieces.delete(i, (i.user_id == user) & kinds & over)
    yield from _corrections(user, before_ms)


def _corrections(user: int, before_ms: int) -> Iterator[int]:
    """Delete the corrections of time before `before_ms`: laid over nothing, they would bring it back."""
    names = {one.id for one in corrections.of_user(user) if one.area.end * 1000 < before_ms}
    e = Event
    mine = (e.user_id == user) & (e.type == TIME_CORRECTED)
    ids = [
        ident
        for ident, name, data in plain(e.select(e.id, e.external_id, e.data).where(mine))
        if json.loads(data).get("takes_back", name) in names
    ]
    if ids:
        with database.atomic():
            dialect.one_at_a_time(Lock.PROJECTION)
            yield e.delete().where(e.id.in_(ids)).execute()


def _interactions(before_ms: int) -> Iterator[int]:
    i, a = Interaction, Activity
    end = fn.COALESCE(a.end_ts, a.end_bound)
    late = (a.closed_ts * 1000 >= before_ms) | (end * 1000 >= before_ms) | end.is_null()
    worked: Any = a.select(a.id).where((a.interaction_id == i.id) & late)
    over = (i.first_ms < before_ms) & (fn.COALESCE(i.ended_ts, i.end_bound, 0) * 1000 < before_ms)
    old = i.frozen_ms.is_null(False) & over & ~fn.EXISTS(worked)
    while ids := [ident for (ident,) in plain(i.select(i.id).where(old).limit(AT_ONCE))]:
        with database.atomic():
            dialect.one_at_a_time(Lock.PROJECTION)
            works = a.select(a.id).where(a.interaction_id.in_(ids))
            number = Interval.delete().where(Interval.activity_id.in_(works)).execute()
            number += a.delete().where(a.interaction_id.in_(ids)).execute()
            number += i.delete().where(i.id.in_(ids)).execute()
        yield number
