"""Folds new events into interactions, activities and intervals.

What is touched is folded again from the log, whole interactions and each user's presence from
the earliest new event on. So the outcome depends on the log alone, not on when, how often or
in which order events came; `rebuild` is the same work over everything.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any

import msgspec
from peewee import fn

from dashboard import clock
from dashboard.catalog.effects import RESTART
from dashboard.clock import Span
from dashboard.db import database, dialect
from dashboard.db.locks import Lock
from dashboard.db.prepared import Prepared, plain, slot
from dashboard.events import horizon
from dashboard.models import Event, PauseType, Source
from dashboard.tracing import (
    activity_presence,
    bounds,
    changes,
    consultations,
    corrections,
    fold,
    interaction_bounds,
    presence,
    store,
    surroundings,
)
from dashboard.tracing.contacts import contact_ids
from dashboard.tracing.types import EventRow, Said

CHUNK = 400
_SAID = msgspec.json.Decoder(Said)
# As a range rather than LIKE: it means the same on both databases and can use an index.
PRESENCE_TYPES = (Event.type >= "agent.") & (Event.type < "agent/")


def fold_range(after: int, to: int) -> set[str]:
    """Fold what the events with `after` < id <= `to` touch, inside the caller's transaction; return the
    types of these events."""
    touched: dict[int, set[str]] = {}
    types: set[str] = set()
    people: dict[int, int] = {}  # user → ms of their earliest presence event
    acting: dict[int, int] = {}  # user → second of their earliest event
    connecting: dict[int, int] = {}
    restarted: dict[int, int] = {}
    latest: dict[int, int] = {}
    chosen = activity_presence.sources()
    active: dict[int, Span] = {}  # user → from the first to the last act in a source of `chosen`
    query = Event.select(Event.source_id, Event.interaction, Event.user_id, Event.time_ms, Event.type).where(
        (Event.id > after) & (Event.id <= to)
    )
    for source, interaction, user, time_ms, kind in plain(query):
        types.add(kind)
        latest[source] = max(latest.get(source, 0), time_ms)
        if interaction is not None:
            touched.setdefault(source, set()).add(interaction)
        elif user is not None and kind.startswith("agent."):
            people[user] = min(people.get(user, time_ms), time_ms)
        if kind == RESTART:
            restarted[source] = min(restarted.get(source, time_ms // 1000), time_ms // 1000)
        if user is not None:
            at = time_ms // 1000
            acting[user] = min(acting.get(user, at), at)
            if source in chosen:
                first, last = active.get(user, Span(at, at))
                active[user] = Span(min(first, at), max(last, at))
            if kind in surroundings.CONNECTS:
                connecting[user] = min(connecting.get(user, time_ms // 1000), time_ms // 1000)
    files = _advance(latest)
    for user, since in (*surroundings.paused(restarted).items(), *surroundings.forgotten(acting).items()):
        people[user] = min(people.get(user, since * 1000), since * 1000)
    fold_touched(touched, people, connecting, restarted)
    for user, span in active.items():
        if user not in people or span.start * 1000 < people[user]:
            activity_presence.refold(user, span, chosen)
    if files:
        expire(files)
    return types


def _advance(latest: Mapping[int, int]) -> set[int]:
    """Note the last time of each source; return those that are files and got further."""
    further: set[int] = set()
    for source, time_ms in latest.items():
        newer = Source.last_ms.is_null() | (Source.last_ms < time_ms)
        Source.update(last_ms=time_ms).where((Source.id == source) & newer).execute()
        further.add(source)
    files = Source.select(Source.id).where(Source.id.in_(sorted(further)) & Source.is_file)
    return {ident for (ident,) in plain(files)}


def fold_touched(
    touched: Mapping[int, set[str]],
    people: Mapping[int, int],
    connecting: Mapping[int, int],
    restarted: Mapping[int, int],
) -> None:
    """Fold these users' presence, then the interactions and what the presence, calls and restarts bound.

    `people` has the ms, `connecting` and `restarted` the second from which on. The caller's transaction.
    """
    paid = _paid()
    users: dict[int, int] = {}
    chosen = activity_presence.sources()
    for user, since_ms in people.items():
        changed = fold_presence(user, since_ms, paid)
        if chosen:
            activity_presence.refold(user, Span(changed, bounds.FOREVER), chosen)
        users[user] = min(connecting.get(user, changed), changed)
    whole = {source: set(names) for source, names in touched.items()}
    for source, names in surroundings.affected(users, connecting, restarted).items():
        whole.setdefault(source, set()).update(names)
    for source, names in surroundings.of_same_calls(touched).items():
        whole.setdefault(source, set()).update(names)
    for source, names in whole.items():
        for part in _chunks(sorted(names)):
            fold_interactions(source, part)


def tick() -> int:
    """Write what time alone has bounded by now, in one transaction; a tick of the worker. Return how much."""
    if not surroundings.something_due(clock.now_s()):
        return 0
    with database.atomic():
        dialect.one_at_a_time(Lock.PROJECTION)
        return expire()


def expire(sources: Collection[int] | None = None) -> int:
    """Write what time alone has bounded, of these sources or all, inside the caller's transaction; return
    how many interactions and users that were."""
    as_of = surroundings.as_of_sources()
    if sources is not None:
        as_of = {source: as_of[source] for source in sources}
    due = surroundings.due(as_of)
    if due.interactions or due.users:
        people = {user: expires * 1000 for user, expires in due.users.items()}
        fold_touched(due.interactions, people, {}, {})
    return sum(map(len, due.interactions.values())) + len(due.users)


def fold_interactions(source: int, names: Sequence[str]) -> None:
    """Fold these interactions of a source whole, except frozen ones; those without events are deleted."""
    names = store.unfrozen(source, names)
    events = _of_interactions(source, names)
    gone = set(names).difference(events)
    while more := consultations.related(source, events):
        events |= _of_interactions(source, sorted(more))
    events = consultations.assigned(source, events)
    folded = {name: fold.fold_whole(rows) for name, rows in events.items()}
    store.interactions(source, _bounded(source, folded), gone)


def events_of(source: int, names: Sequence[str]) -> Iterator[tuple[str, list[EventRow]]]:
    """Yield interactions of a source with their events, without contacts."""
    for part in _chunks(names):
        found: dict[str, list[EventRow]] = {}
        for *row, _contact, name in _OF_INTERACTIONS.rows(source=source, names=list(part)):
            found.setdefault(name, []).append(_event(row, None))
        yield from found.items()


def _of_interactions(source: int, names: Sequence[str]) -> dict[str, list[EventRow]]:
    events: dict[str, list[EventRow]] = {}
    found = _OF_INTERACTIONS.rows(source=source, names=list(names))
    contacts = contact_ids(source, dict.fromkeys(row[-2] for row in found if row[-2] is not None))
    for *row, contact, name in found:
        events.setdefault(name, []).append(_event(row, contacts.get(contact)))
    return events


def _bounded(source: int, folded: Mapping[str, fold.Whole]) -> dict[str, store.Outcome]:
    """Apply the second pass to the activities of interactions of one source that may need it."""
    as_of = surroundings.as_of_sources().get(source, 0)
    windows: dict[int, Span] = {}  # user → from the first beginning to the last end of their work
    oldest = as_of
    for whole in folded.values():
        for work in filter(bounds.may_be_bounded, whole.interaction.activities):
            end = as_of if work.end is None else work.end
            known = windows.get(work.user_id, Span(work.start, end))
            windows[work.user_id] = Span(min(known.start, work.start), max(known.end, end))
            oldest = min(oldest, work.start)
        if whole.waits:
            oldest = min(oldest, whole.last_ts)
    needed = bool(windows) or any(whole.waits for whole in folded.values())
    restarted = surroundings.restarts(oldest) if needed else {}
    around = {user: surroundings.presences(user, span, restarted) for user, span in windows.items()}
    limits = surroundings.limits()
    found: dict[str, store.Outcome] = {}
    for name, whole in folded.items():
        place = bounds.Place(source, name, whole.last_ts)
        works = [
            bounds.bounded(work, shown, place, around.get(work.user_id, bounds.NOBODY), as_of, limits)
            for work, shown in zip(whole.interaction.activities, whole.shown, strict=True)
        ]
        moved = surroundings.moved_on(place, whole)
        wait = interaction_bounds.of_wait(place, restarted, as_of, limits, moved) if whole.waits else None
        bound, expires = interaction_bounds.of_interaction(whole.interaction, works, wait)
        one = interaction_bounds.with_proved_talk(whole.interaction, works)
        one = interaction_bounds.with_bounded_wait(one, whole.waits_since, wait)
        found[name] = store.Outcome(one, works, bound, expires)
    return found


def fold_presence(user: int, since_ms: int, paid: dict[str, bool]) -> int:
    """Undo what the user's presence events from the second of `since_ms` on did, and fold them again.

    Nothing before the horizon changes. Return the second from which on the user's presence may have changed:
    earlier than `since_ms` where an end had been concluded without an event.
    """
    kept_ms = horizon.horizon_ms()
    since_ms = max(since_ms - since_ms % 1000, kept_ms)  # a reason may stand before its pause in its second
    corrected = corrections.lift(user)
    rows = store.presence_rows(user, since_ms)
    settled = presence.Settled.of(rows, kept_ms // 1000)
    concluded = [row.end for row in rows if row.end is not None and row.reason and row.end * 1000 >= kept_ms]
    _, still_open, gone = presence.unfold(rows, since_ms)
    query = _events(Event.interaction).where(
        (Event.user_id == user) & (Event.time_ms >= since_ms) & PRESENCE_TYPES
    )
    restarts = _events(Event.interaction).where((Event.type == RESTART) & (Event.time_ms >= since_ms))
    events = [_event(row, None) for *row, _contact, _name in (*plain(query), *plain(restarts))]
    around = presence.Surroundings(
        lambda start, end: settled.with_acts(surroundings.acts(user, start, end), start, end),
        surroundings.as_of_sources(),
        surroundings.limits().shift,
        login_sources=surroundings.login_sources(user),
    )
    store.presence(user, gone, settled.kept(presence.fold_presence(still_open, events, paid, around)))
    return min([since_ms // 1000, *concluded, *corrections.lay(user, corrected, since_ms)])


def _paid() -> dict[str, bool]:
    return dict(PauseType.select(PauseType.name, PauseType.paid).tuples())


def refold_presence(user: int) -> None:
    """Fold the user's whole presence again, in one transaction: a setting of a source has changed."""
    with database.atomic():
        dialect.one_at_a_time(Lock.PROJECTION)
        fold_presence(user, 0, _paid())
        activity_presence.refold(user, Span(0, bounds.FOREVER), activity_presence.sources())


def rebuild(
    report: Callable[[int, int], None] = lambda _done, _total: None,
    changed: Callable[[changes.Change], None] | None = None,
) -> None:
    """Fold the whole log again; `report(done, total)` is called as interactions and users pass, `changed`
    with each figure that comes out different.

    Ids of activities stay. Nothing is deleted first: a reader sees old or new rows of an
    interaction, never none. Interactions without an event since the horizon stay as they are.
    """
    total = _kept(Event.source_id, Event.interaction).count()
    query = Event.select(Event.user_id).where(Event.user_id.is_null(False) & PRESENCE_TYPES).distinct()
    chosen = activity_presence.sources()
    users = sorted({user for (user,) in plain(query)}.union(activity_presence.users(chosen)))
    total, done, paid = total + len(users), 0, _paid()
    for user in users:
        with database.atomic():
            dialect.one_at_a_time(Lock.PROJECTION)
            before = changes.of_presence(user) if changed is not None else None
            fold_presence(user, 0, paid)
            activity_presence.refold(user, Span(0, bounds.FOREVER), chosen)
            if changed is not None and before is not None:
                changes.report(changed, before, changes.of_presence(user))
        done += 1
        report(done, total)
    for source, names in _all_interactions():
        with database.atomic():
            dialect.one_at_a_time(Lock.PROJECTION)
            earlier = changes.of_interactions(source, names) if changed is not None else None
            fold_interactions(source, names)
            if changed is not None and earlier is not None:
                changes.report(changed, earlier, changes.of_interactions(source, names))
        done += len(names)
        report(done, total)


def _events(*more: Any) -> Any:
    e = Event
    named = (e.id, e.time_ms, e.seq, e.type, e.source_id, e.external_id, e.user_id, e.queue_id)
    return e.select(*named, e.uid, e.file_ts, e.data, e.contact, *more)


_OF_INTERACTIONS = Prepared(
    lambda: _events(Event.interaction).where(
        (Event.source_id == slot("source")) & Event.interaction.in_([slot("names")])
    )
)


def _event(row: Sequence[Any], contact: int | None) -> EventRow:
    *facts, uid, file_ts, data = row
    said = {} if data == "{}" else _SAID.decode(data)
    return EventRow._make((*facts, contact, said, uid, file_ts))


def _kept(*columns: Any) -> Any:
    """Return the query of the interactions with an event since the horizon."""
    query = Event.select(*columns).where(Event.interaction.is_null(False)).group_by(*columns)
    return query.having(fn.MAX(Event.time_ms) >= horizon.horizon_ms())


def _all_interactions() -> Iterator[tuple[int, list[str]]]:
    for (source,) in list(Source.select(Source.id).tuples()):
        last = ""
        while True:
            query = _kept(Event.interaction).where((Event.source_id == source) & (Event.interaction > last))
            names = [row[0] for row in query.order_by(Event.interaction).limit(CHUNK).tuples()]
            if not names:
                break
            yield source, names
            last = names[-1]


def _chunks(names: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(names), CHUNK):
        yield names[start : start + CHUNK]
