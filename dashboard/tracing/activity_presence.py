"""Presence of static members: ready from their first to their last activity of a day.

A queue log records no joining of members that a queue's settings name. Where the setting of a source says
so, a member who is on no day's record as signed in or ready gets an inferred stretch of ready time for that
day of the site's zone. It follows from the log alone, bounds nothing, and is folded again with every event.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from enum import StrEnum

from dashboard import clock
from dashboard.clock import Span
from dashboard.db import database, dialect
from dashboard.db.locks import Lock
from dashboard.db.prepared import plain
from dashboard.i18n import site_zone
from dashboard.models import Event, Interval, Source
from dashboard.tracing import store
from dashboard.tracing.bounds import FOREVER, EndReason
from dashboard.tracing.presence import Presence
from dashboard.tracing.surroundings import NO_ACTS
from dashboard.tracing.types import Kind

INFERRED = Interval.end_reason == EndReason.FIRST_TO_LAST.value


class PresenceOf(StrEnum):
    """Where the presence of a source's members comes from."""

    RECORDED = "recorded"
    FIRST_TO_LAST = "first-to-last"


def sources() -> frozenset[int]:
    """Return the sources whose static members are ready from their first to their last activity."""
    chosen = Source.presence == PresenceOf.FIRST_TO_LAST.value
    return frozenset(ident for (ident,) in plain(Source.select(Source.id).where(chosen)))


def choose(source: Source, presence: PresenceOf) -> int:
    """Store the setting of a source and fold the presence of its members again; return how many they are.

    One transaction.
    """
    with database.atomic():
        dialect.one_at_a_time(Lock.PROJECTION)
        Source.update(presence=presence.value).where(Source.id == source.id).execute()
        chosen, members = sources(), users({source.id})
        for user in members:
            refold(user, Span(0, FOREVER), chosen)
    return len(members)


def users(of_sources: Collection[int]) -> list[int]:
    """Return the users whom events of these sources name."""
    named = Event.source_id.in_(sorted(of_sources)) & Event.user_id.is_null(False)
    return sorted(user for (user,) in plain(Event.select(Event.user_id).where(named).distinct()))


def refold(user: int, span: Span, chosen: Collection[int]) -> None:
    """Replace what is inferred of the user's presence on the days that `span` touches.

    `chosen` are `sources()`. Runs inside the caller's transaction, after the recorded presence was folded.
    """
    zone = site_zone()
    first = clock.day(clock.local_date(span.start, zone), zone).start
    last = span.end if span.end >= FOREVER else clock.day(clock.local_date(span.end, zone), zone).end
    whole = Span(first, last)
    mine = (Interval.user_id == user) & Interval.kind.in_((Kind.LOGIN, Kind.READY))
    started = (Interval.start_ts >= whole.start) & (Interval.start_ts < whole.end)
    gone = [ident for (ident,) in plain(Interval.select(Interval.id).where(mine & INFERRED & started))]
    found = _activity(user, whole, zone, chosen)
    over = Interval.end_ts.is_null() | (Interval.end_ts > whole.start)
    recorded = Interval.select(Interval.source_id, Interval.start_ts, Interval.end_ts).where(
        mine & (Interval.end_reason.is_null() | ~INFERRED) & (Interval.start_ts < whole.end) & over
    )
    for source, start, end in plain(recorded) if found else ():
        for on in [on for of, on in found if of == source]:
            day = clock.day(on, zone)
            if start < day.end and (end is None or end > day.start):
                found.pop((source, on), None)
    store.presence(user, gone, [_row(source, *pair) for (source, _), pair in sorted(found.items())])


def _activity(
    user: int, span: Span, zone: str, chosen: Collection[int]
) -> dict[tuple[int, date], tuple[int, int]]:
    """Return by source and day the seconds of the user's first and last act."""
    inside = (Event.time_ms >= span.start * 1000) & (Event.time_ms < span.end * 1000)
    query = Event.select(Event.source_id, Event.time_ms, Event.type).where(
        (Event.user_id == user) & inside & Event.source_id.in_(sorted(chosen))
    )
    found: dict[tuple[int, date], tuple[int, int]] = {}
    for source, time_ms, type_ in plain(query):
        if type_ in NO_ACTS:
            continue
        at = time_ms // 1000
        key = source, clock.local_date(at, zone)
        first, last = found.get(key, (at, at))
        found[key] = min(first, at), max(last, at)
    return found


def _row(source: int, start: int, end: int) -> Presence:
    facts = (Kind.READY, "", start, end, "", False, True, None, start * 1000, end * 1000, source)
    return Presence(*facts, reason=EndReason.FIRST_TO_LAST)
