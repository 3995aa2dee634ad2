"""Presence of static members: ready from their first to their last activity of a day.

A queue log records no joining of members that a queue's settings name. Where the setting of a source says
so, a member gets an inferred stretch of ready time for each day of the site's zone on which the source
records neither a sign-in nor a membership of theirs, and a pause that such a day left open ends with it.
That follows from the log alone, bounds no work, and is folded again with every event.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import date
from enum import StrEnum

from dashboard import clock
from dashboard.clock import Span
from dashboard.db.prepared import plain
from dashboard.events import horizon
from dashboard.i18n import site_zone
from dashboard.models import Event, Interval, Source
from dashboard.tracing import store
from dashboard.tracing.bounds import FOREVER, EndReason
from dashboard.tracing.presence import Presence
from dashboard.tracing.surroundings import NO_ACTS
from dashboard.tracing.types import Kind

INFERRED = Interval.end_reason == EndReason.FIRST_TO_LAST.value
RECORDED = Interval.end_reason.is_null() | ~INFERRED


class PresenceOf(StrEnum):
    """Where the presence of a source's members comes from."""

    RECORDED = "recorded"
    FIRST_TO_LAST = "first-to-last"


def sources() -> frozenset[int]:
    """Return the sources whose static members are ready from their first to their last activity."""
    chosen = Source.presence == PresenceOf.FIRST_TO_LAST.value
    return frozenset(ident for (ident,) in plain(Source.select(Source.id).where(chosen)))


def users(of_sources: Collection[int]) -> list[int]:
    """Return the users whom events of these sources name."""
    named = Event.source_id.in_(sorted(of_sources)) & Event.user_id.is_null(False)
    return sorted(user for (user,) in plain(Event.select(Event.user_id).where(named).distinct()))


def refold(user: int, span: Span, chosen: Collection[int]) -> None:
    """Replace what is inferred of the user's presence on the days that `span`, UTC seconds, touches.

    `chosen` are `sources()`. Days before the horizon stay as they are. Runs inside the caller's transaction,
    after the recorded presence was folded.
    """
    zone, kept_s = site_zone(), horizon.horizon_ms() // 1000
    first = clock.day(clock.local_date(span.start, zone), zone).start
    last = span.end if span.end >= FOREVER else clock.day(clock.local_date(span.end, zone), zone).end
    whole = Span(max(first, kept_s), last)
    mine = (Interval.user_id == user) & Interval.kind.in_((Kind.LOGIN, Kind.READY))
    started = (Interval.start_ts >= whole.start) & (Interval.start_ts < whole.end)
    gone = [ident for (ident,) in plain(Interval.select(Interval.id).where(mine & INFERRED & started))]
    found = _activity(user, whole, zone, chosen)
    over = Interval.end_ts.is_null() | (Interval.end_ts > whole.start)
    recorded = Interval.select(Interval.source_id, Interval.start_ts, Interval.end_ts).where(
        mine & RECORDED & (Interval.start_ts < whole.end) & over
    )
    for source, start, end in plain(recorded) if found else ():
        for on in [on for of, on in found if of == source]:
            day = clock.day(on, zone)
            if start < day.end and (end is None or end > day.start):
                found.pop((source, on), None)
    store.presence(user, gone, [_row(source, *pair) for (source, _), pair in sorted(found.items())])
    _end_pauses(user, whole, zone, chosen, kept_s)


def _activity(
    user: int, span: Span, zone: str, chosen: Collection[int]
) -> dict[tuple[int, date], tuple[int, int]]:
    """Return by source and day the seconds of the user's first and last act."""
    found: dict[tuple[int, date], tuple[int, int]] = {}
    for source, at in _acts(user, span, chosen):
        key = source, clock.local_date(at, zone)
        first, last = found.get(key, (at, at))
        found[key] = min(first, at), max(last, at)
    return found


def _acts(user: int, span: Span, chosen: Collection[int]) -> Iterator[tuple[int, int]]:
    """Yield (source, second) of the user's own events in these sources."""
    inside = (Event.time_ms >= span.start * 1000) & (Event.time_ms < span.end * 1000)
    query = Event.select(Event.source_id, Event.time_ms, Event.type).where(
        (Event.user_id == user) & inside & Event.source_id.in_(sorted(chosen))
    )
    return ((source, time_ms // 1000) for source, time_ms, type_ in plain(query) if type_ not in NO_ACTS)


def _end_pauses(user: int, whole: Span, zone: str, chosen: Collection[int], kept_s: int) -> None:
    """End pauses that reach beyond their day at its last act, once the user has acted on a later day.

    Those that were ended so before the horizon, `kept_s`, stay as they are.
    """
    i = Interval
    reaches = i.closed_ms.is_null() | (i.closed_ms >= whole.start * 1000)
    corrected = i.end_reason.is_null(False) & (i.end_reason == EndReason.CORRECTED.value)
    settled = (i.start_ts < kept_s) & i.end_reason.is_null(False) & INFERRED
    begun = (i.start_ts < whole.end) & i.source_id.in_(sorted(chosen)) & ~corrected & ~settled
    for row in i.select().where((i.user_id == user) & (i.kind == Kind.PAUSE) & begun & reaches):
        day = clock.day(clock.local_date(row.start_ts, zone), zone)
        if row.closed_ms is not None and row.closed_ms < day.end * 1000:
            continue
        of_source = (
            (i.user_id == user) & i.kind.in_((Kind.LOGIN, Kind.READY)) & (i.source_id == row.source_id)
        )
        over = i.end_ts.is_null() | (i.end_ts > day.start)
        recorded = of_source & RECORDED & (i.start_ts < day.end) & over
        later = any(_acts(user, Span(day.end, FOREVER), {row.source_id}))
        if later and not i.select(i.id).where(recorded).exists():
            acts = (at for _, at in _acts(user, Span(row.start_ts, day.end), {row.source_id}))
            row.end_ts, row.long = max(acts, default=row.start_ts), False
            row.inferred, row.end_reason = True, EndReason.FIRST_TO_LAST.value
            row.save()


def _row(source: int, start: int, end: int) -> Presence:
    facts = (Kind.READY, "", start, end, "", False, True, None, start * 1000, end * 1000, source)
    return Presence(*facts, reason=EndReason.FIRST_TO_LAST)
