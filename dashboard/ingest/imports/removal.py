"""Removes events of a source with all that was made of them: undoes an import, or empties a source.

A piece deletes the events of some interactions, or events of none, and folds again what they touched, in a
transaction. Then the presence of their users is folded again, user by user. So it can be interrupted at any
time and goes on with what is left. Figures are then those of a log that never had the events. Users and
queues stay.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import reduce
from operator import or_
from typing import Any

from peewee import fn

from dashboard.catalog.effects import RESTART
from dashboard.db import database, dialect
from dashboard.db.locks import Lock
from dashboard.db.prepared import plain
from dashboard.models import (
    Activity,
    Contact,
    Event,
    EventCause,
    Interaction,
    Interval,
    Source,
    Subject,
    Timer,
)
from dashboard.tracing import activity_presence, contacts, projection, surroundings
from dashboard.tracing.cobrowsing import projection as cobrowsing
from dashboard.tracing.types import PRESENCE

PIECE = 2000  # events of a transaction
NAMES = 500  # per query
CONTACTS = 10_000  # read at once
Ranges = Sequence[tuple[int, int]]  # events with first < id <= second


def users(source: int, ranges: Ranges) -> list[int]:
    """Return the users whom the source's events in the ranges name, and those with presence of the source:
    theirs may be left of a removal that was interrupted."""
    present = Interval.select(Interval.user_id).where(
        (Interval.source_id == source) & Interval.kind.in_(PRESENCE)
    )
    found = {user for (user,) in plain(present.distinct())}
    if ranges:
        query = Event.select(Event.user_id).where((Event.source_id == source) & _within(ranges))
        found.update(user for (user,) in plain(query.distinct()) if user is not None)
    return sorted(found)


def remove(
    source: int, ranges: Ranges, files_only: bool = False, of_users: Sequence[int] | None = None
) -> Iterator[int]:
    """Delete the source's events in the ranges, with `files_only` those of files; yield the number of each
    piece, which is committed by then.

    `of_users` are `users` as they were before anything was removed: whoever may be interrupted keeps them.
    """
    affected = users(source, ranges) if of_users is None else of_users
    if ranges:
        mine = (Event.source_id == source) & _within(ranges)
        mine = mine & Event.file_ts.is_null(False) if files_only else mine
        yield from _pieces(source, mine)
    for user in affected:
        with database.atomic():
            dialect.one_at_a_time(Lock.PROJECTION)
            projection.fold_touched({}, {user: 0}, {user: 0}, {})
        yield 0
    _recede(source)
    yield from _contacts(source)


def _within(ranges: Ranges) -> Any:
    e = Event
    if len(ranges) > 1:  # one range bounds the search, however many there are
        whole = (e.id > min(after for after, _to in ranges)) & (e.id <= max(to for _after, to in ranges))
        return whole & reduce(or_, ((e.id > after) & (e.id <= to) for after, to in ranges))
    [(after, to)] = ranges
    return (e.id > after) & (e.id <= to)


def _pieces(source: int, chosen: Any) -> Iterator[int]:
    """Delete the chosen events, with all that are chosen of the same interactions."""
    e = Event
    columns = e.select(e.id, e.interaction, e.type, e.time_ms)
    while first := plain(columns.where(chosen).order_by(e.id).limit(PIECE)):
        with database.atomic():
            dialect.one_at_a_time(Lock.PROJECTION)
            names = {name for _id, name, _type, _ms in first if name is not None}
            rows = {row[0]: row for row in first}
            for part in _parts(sorted(names)):
                rows |= {row[0]: row for row in plain(columns.where(chosen & e.interaction.in_(part)))}
            _delete(sorted(rows))
            restarts = [ms // 1000 for _id, _name, type_, ms in rows.values() if type_ == RESTART]
            _fold(source, names, min(restarts, default=None))
        yield len(rows)


def _delete(ids: Sequence[int]) -> None:
    sessions = cobrowsing.of_events(ids)
    for part in _parts(ids):
        EventCause.delete().where(EventCause.event_id.in_(part)).execute()
        Timer.delete().where(Timer.event_id.in_(part)).execute()
        Event.delete().where(Event.id.in_(part)).execute()
    cobrowsing.fold_all(sessions)


def _fold(source: int, names: set[str], restart: int | None) -> None:
    """Fold again what events named, and what a restart had ended."""
    for part in _parts(sorted(names)):  # folded again from the log when a rule wants them
        Subject.delete().where((Subject.source_id == source) & Subject.interaction.in_(part)).execute()
    restarted = {} if restart is None else {source: restart}
    people = {user: since * 1000 for user, since in surroundings.paused(restarted).items()}
    projection.fold_touched({source: names} if names else {}, people, {}, restarted)


def _recede(source: int) -> None:
    """Set back the last line of a file to that of the events left, and fold again what it bounds."""
    with database.atomic():
        dialect.one_at_a_time(Lock.PROJECTION)
        row = Source.get_by_id(source)
        last_ms = Event.select(fn.MAX(Event.time_ms)).where(Event.source_id == source).scalar()
        if last_ms == row.last_ms:
            return
        Source.update(last_ms=last_ms).where(Source.id == source).execute()
        if row.is_file:
            people = dict.fromkeys(activity_presence.users([source]), 0)
            projection.fold_touched({}, people, people, {source: 0})


def _contacts(source: int) -> Iterator[int]:
    """Delete the contacts of the source that neither an event nor an interaction names any more."""
    c, i, a, e = Contact, Interaction, Activity, Event
    of_source, some = i.source == source, (i.contact_id.is_null(False), a.contact_id.is_null(False))
    named = i.select(i.contact_id).where(of_source & some[0])
    work = a.select(a.contact_id).join(i, on=(i.id == a.interaction_id)).where(of_source & some[1])
    texts = e.select(e.contact).where((e.source_id == source) & e.contact.is_null(False)).distinct()
    known, last = dialect.highest_id("event"), 0
    in_log = _named_by(source, texts)
    while rows := plain(c.select(c.id, c.key).where(c.id > last).order_by(c.id).limit(CONTACTS)):
        last = rows[-1][0]
        with database.atomic():
            dialect.one_at_a_time(Lock.PROJECTION)
            still = in_log | _named_by(source, texts.where(e.id > known))
            gone = [ident for ident, key in rows if key.startswith(f"{source}:") and ident not in still]
            for part in _parts(gone):
                c.delete().where(c.id.in_(part) & c.id.not_in(named) & c.id.not_in(work)).execute()
        yield 0


def _named_by(source: int, texts: Any) -> set[int | None]:
    """Return the contacts that the texts of a query name."""
    found: set[int | None] = set()
    for part in _parts([text for (text,) in plain(texts)]):
        found.update(contacts.contact_ids(source, part).values())
    return found


def _parts(values: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for start in range(0, len(values), NAMES):
        yield values[start : start + NAMES]
