"""Deletes events behind the horizon: whole interactions that have ended, and events that belong to none."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any, NamedTuple

from peewee import fn

from dashboard import clock
from dashboard.catalog.agents import TIME_CORRECTED
from dashboard.catalog.effects import RESTART
from dashboard.db import database, dialect, pieces
from dashboard.db.locks import Lock
from dashboard.db.prepared import plain
from dashboard.events import horizon, kept, switches
from dashboard.jobs.work import RUNNING, WAITING
from dashboard.models import Activity, Event, EventCause, Interaction, Job, Run, Step, Subject, Timer
from dashboard.rulelang.outcomes import StepState
from dashboard.rules.subject_state import open_among
from dashboard.tracing.cobrowsing import projection as cobrowsing

READ_AT_ONCE = 200  # events; each may bring its whole interaction
# Read for days of users, and deleted with these; see retention.days.
OF_DAYS = (TIME_CORRECTED, RESTART)
UNDONE = (StepState.WAITING.value, StepState.RUNNING.value)


class EventKey(NamedTuple):
    """An event in the order of time."""

    time_ms: int
    id: int
    source: int
    interaction: str | None


FIRST = EventKey(0, 0, 0, None)


def delete(before_ms: int) -> Iterator[int]:
    """Raise the horizon to `before_ms` and delete events that are older than it by GAP_MS, in pieces; yield
    the number of events of each.

    An interaction keeps all its events while it is open, has a newer one, or a rule waits for something of
    it. One that loses them is frozen: its figures stay as they are. Nothing is deleted while events that have
    not been folded yet are older than the horizon.
    """
    with database.atomic():
        dialect.one_at_a_time(Lock.PROJECTION)
        if _unfolded(before_ms):
            return
        horizon.raise_to(before_ms)
    before_ms -= horizon.GAP_MS
    last = FIRST
    while batch := after(last, before_ms, Event.type.not_in(OF_DAYS)):
        last = batch[-1]
        alone = [event.id for event in batch if event.interaction is None]
        yield from _piece(alone, [])
        for source in sorted({event.source for event in batch}):
            names = {event.interaction for event in batch if event.source == source and event.interaction}
            for ids, some in _whole(source, names, before_ms):
                yield from _piece(ids, some)


def delete_by_type() -> Iterator[int]:
    """Delete the events of types that are kept for days of their own, in pieces; yield the number of each.

    That are only events of which no figure is made: they belong to no interaction and to no user's day.
    """
    for type_, choice in switches.choices().items():
        if choice.days is None or type_.startswith("agent.") or type_ in OF_DAYS:
            continue
        last, chosen = FIRST, (Event.type == type_) & Event.interaction.is_null()
        while batch := after(last, kept.first_ms(choice.days), chosen):
            last = batch[-1]
            yield from _piece([event.id for event in batch], [])


def delete_of_sessions(source: int, sessions: Sequence[str]) -> Iterator[int]:
    """Delete the events of these sessions without an interaction, in pieces; yield the number of each."""
    e = Event
    alone = (e.source_id == source) & e.session.in_(sessions) & e.interaction.is_null()
    ids = [ident for (ident,) in plain(e.select(e.id).where(alone).order_by(e.id))]
    for start in range(0, len(ids), pieces.PIECE):
        yield from _piece(ids[start : start + pieces.PIECE], [])


def stock(before_ms: int | None) -> tuple[int, int | None, int]:
    """Return the number of events, the time of the oldest in ms, and how many are older than `before_ms`."""
    e = Event
    ((oldest_ms,),) = plain(e.select(fn.MIN(e.time_ms)))
    old = e.select().where(e.time_ms < (before_ms or 0) - horizon.GAP_MS)
    return pieces.count(e.select()), oldest_ms, pieces.count(old)


def _unfolded(before_ms: int) -> bool:
    """Say whether events older than `before_ms` wait for a digest."""
    after = folded_to()
    newer = (Event.id > after) & (Event.time_ms < before_ms)
    return after < dialect.highest_id("event") and Event.select(Event.id).where(newer).exists()


def folded_to() -> int:
    """Return the id up to which all events have been folded."""
    waiting = (Job.kind == "digest") & Job.state.in_((WAITING, RUNNING))
    after = [job.args["after"] for job in Job.select(Job.args).where(waiting)]
    return min(after, default=dialect.highest_id("event"))


def after(last: EventKey, before_ms: int, chosen: Any) -> list[EventKey]:
    """Return the following events of before `before_ms` that meet the condition `chosen`."""
    e = Event
    later = (e.time_ms > last.time_ms) | ((e.time_ms == last.time_ms) & (e.id > last.id))
    query = e.select(e.time_ms, e.id, e.source_id, e.interaction).where(
        chosen & (e.time_ms >= last.time_ms) & (e.time_ms < before_ms) & later
    )
    return [EventKey(*row) for row in plain(query.order_by(e.time_ms, e.id).limit(READ_AT_ONCE))]


def _whole(source: int, names: Collection[str], before_ms: int) -> Iterator[tuple[list[int], list[int]]]:
    """Yield ids of events and of interactions that may be deleted and frozen: all events of each, up to
    pieces.PIECE, or one interaction's."""
    e, i, a = Event, Interaction, Activity
    at_work = a.select(a.id).where((a.interaction_id == i.id) & a.end_ts.is_null() & a.end_bound.is_null())
    over = i.ended_ts.is_null(False) | i.end_bound.is_null(False) | (i.channel == "")
    query = i.select(i.external_id, i.id).where(
        (i.source == source) & i.external_id.in_(sorted(names)) & over & ~fn.EXISTS(at_work)
    )
    idents = dict(plain(query))
    events: dict[str, list[int]] = {}
    newest: dict[str, int] = {}
    mine = (e.source_id == source) & e.interaction.in_(sorted(idents))
    for name, ident, time_ms in plain(e.select(e.interaction, e.id, e.time_ms).where(mine)):
        events.setdefault(name, []).append(ident)
        newest[name] = max(newest.get(name, 0), time_ms)
    timed = plain(
        Timer.select(Timer.interaction).where(
            (Timer.source_id == source) & Timer.interaction.in_(sorted(idents))
        )
    )
    kept = {name for (name,) in timed} | {name for name in newest if newest[name] >= before_ms}
    kept |= {name for _source, name in open_among([(source, name) for name in idents])}
    ids: list[int] = []
    some: list[int] = []
    for name in sorted(events.keys() - kept):
        if ids and len(ids) + len(events[name]) > pieces.PIECE:
            yield ids, some
            ids, some = [], []
        ids, some = ids + events[name], [*some, idents[name]]
    if ids:
        yield ids, some


def _piece(ids: Sequence[int], interactions: Sequence[int]) -> Iterator[int]:
    """Delete events, of no interaction or all of `interactions`, which are frozen, in one transaction.

    Events that something waits for stay; with one of them all `interactions` do, and where one has come.
    """
    if not ids:
        return
    e, i, s = Event, Interaction, Subject
    frozen = i.id.in_(interactions)
    same = (e.source_id == i.source) & (e.interaction == i.external_id)
    with database.atomic():
        dialect.one_at_a_time(Lock.PROJECTION)
        folded = folded_to()
        awaited = _awaited(ids)
        gone = [ident for ident in ids if ident <= folded and ident not in awaited]
        if interactions and len(gone) < e.select().join(i, on=same).where(frozen).count():
            return
        for source, name in plain(i.select(i.source, i.external_id).where(frozen)) if interactions else ():
            s.delete().where((s.source_id == source) & (s.interaction == name)).execute()
        EventCause.delete().where(EventCause.event_id.in_(gone)).execute()
        sessions = cobrowsing.of_events(gone)
        e.delete().where(e.id.in_(gone)).execute()
        cobrowsing.fold_all(sessions)
        i.update(frozen_ms=clock.now_ms()).where(frozen).execute()
    yield len(gone)


def _awaited(ids: Sequence[int]) -> set[int]:
    """Return those of the events for which a timer or an undone step of a rule waits."""
    steps = Run.select(Run.event_id).join(Step, on=(Step.run == Run.id)).where(Step.state.in_(UNDONE))
    timers = Timer.select(Timer.event_id).where(Timer.event_id.is_null(False))
    waited: set[Any] = {event for (event,) in (*plain(steps), *plain(timers))}
    return waited & set(ids)
