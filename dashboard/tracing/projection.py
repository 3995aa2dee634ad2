"""Folds new events into interactions, activities and intervals.

What is touched is folded again from the log, whole interactions and each user's presence from
the earliest new event on. So the outcome depends on the log alone, not on when, how often or
in which order events came; `rebuild` is the same work over everything.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import msgspec

from dashboard.db import database, dialect
from dashboard.db.locks import Lock
from dashboard.db.prepared import plain
from dashboard.models import Contact, Event, PauseType, Source
from dashboard.tracing import fold, presence, store
from dashboard.tracing.types import EventRow, Said

CHUNK = 400
_SAID = msgspec.json.Decoder(Said)
CONTACT_FIELDS = ("name", "phone", "email")
# As a range rather than LIKE: it means the same on both databases and can use an index.
PRESENCE_TYPES = (Event.type >= "agent.") & (Event.type < "agent/")


def fold_range(after: int, to: int) -> set[str]:
    """Fold what the events with `after` < id <= `to` touch, inside the caller's transaction; return the
    types of these events."""
    touched: dict[int, set[str]] = {}
    types: set[str] = set()
    people: dict[int, int] = {}
    latest: dict[int, int] = {}
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
    for source, time_ms in latest.items():
        newer = Source.last_ms.is_null() | (Source.last_ms < time_ms)
        Source.update(last_ms=time_ms).where((Source.id == source) & newer).execute()
    for source, names in touched.items():
        for part in _chunks(sorted(names)):
            fold_interactions(source, part)
    paid = dict(PauseType.select(PauseType.name, PauseType.paid).tuples())
    for user, since in people.items():
        fold_presence(user, since, paid)
    return types


def fold_interactions(source: int, names: Sequence[str]) -> None:
    """Fold these interactions of a source whole; activities keep their ids."""
    events: dict[str, list[EventRow]] = {}
    query = _events(Event.interaction).where((Event.source_id == source) & Event.interaction.in_(list(names)))
    found = plain(query)
    contacts = contact_ids(source, dict.fromkeys(row[-2] for row in found if row[-2] is not None))
    for *row, contact, name in found:
        events.setdefault(name, []).append(_event(row, contacts.get(contact)))
    folded = {name: fold.fold_interaction(rows) for name, rows in events.items()}
    store.interactions(source, folded)


def fold_presence(user: int, since_ms: int, paid: dict[str, bool]) -> None:
    """Undo what the user's presence events from `since_ms` on did, and fold them again."""
    rows = store.presence_rows(user, since_ms)
    _, still_open, gone = presence.unfold(rows, since_ms)
    query = _events(Event.interaction).where(
        (Event.user_id == user) & (Event.time_ms >= since_ms) & PRESENCE_TYPES
    )
    events = [_event(row, None) for *row, _contact, _name in plain(query)]
    store.presence(user, gone, presence.fold_presence(still_open, events, paid))


def rebuild(report: Callable[[int, int], None] = lambda _done, _total: None) -> None:
    """Fold the whole log again; `report(done, total)` is called as interactions and users pass.

    Ids of activities stay. Nothing is deleted first: a reader sees old or new rows of an
    interaction, never none.
    """
    total = (
        Event.select(Event.source_id, Event.interaction)
        .where(Event.interaction.is_null(False))
        .distinct()
        .count()
    )
    users = [
        row[0]
        for row in Event.select(Event.user_id)
        .where(Event.user_id.is_null(False) & PRESENCE_TYPES)
        .distinct()
        .tuples()
    ]
    total, done = total + len(users), 0
    for source, names in _all_interactions():
        with database.atomic():
            dialect.one_at_a_time(Lock.PROJECTION)
            fold_interactions(source, names)
        done += len(names)
        report(done, total)
    paid = dict(PauseType.select(PauseType.name, PauseType.paid).tuples())
    for user in users:
        with database.atomic():
            dialect.one_at_a_time(Lock.PROJECTION)
            fold_presence(user, 0, paid)
        done += 1
        report(done, total)


def contact_ids(source: int, texts: Iterable[str]) -> dict[str, int | None]:
    """Return the contact of each JSON text: that of its number, else address, else name.

    Those of a whole batch are looked up and made at once; the latest details given are kept.
    """
    keys: dict[str, str | None] = {}
    given: dict[str, dict[str, str]] = {}
    for text in texts:
        details: dict[str, str] = json.loads(text)
        mark = details.get("phone") or details.get("email") or details.get("name")
        keys[text] = f"{source}:{mark}" if mark else None
        if mark:
            latest = {name: value for name, value in details.items() if value}
            given.setdefault(f"{source}:{mark}", {}).update(latest)
    known = _contacts(list(given))
    fresh = [key for key in given if key not in known]
    rows = [(key, *(given[key].get(name, "") for name in CONTACT_FIELDS)) for key in fresh]
    dialect.insert_many("contact", ("key", *CONTACT_FIELDS), rows, ignore_repeats=True)
    for key, (ident, *stored) in known.items():
        news = {
            n: given[key][n]
            for n, old in zip(CONTACT_FIELDS, stored, strict=True)
            if given[key].get(n, old) != old
        }
        if news:
            Contact.update(**news).where(Contact.id == ident).execute()
    known |= _contacts(fresh)
    return {text: known[key][0] if key else None for text, key in keys.items()}


def _contacts(keys: Sequence[str]) -> dict[str, tuple[int, str, str, str]]:
    found: dict[str, tuple[int, str, str, str]] = {}
    c = Contact
    for part in _chunks(keys):
        query = c.select(c.key, c.id, c.name, c.phone, c.email).where(c.key.in_(part))
        found.update({key: (ident, *rest) for key, ident, *rest in plain(query)})
    return found


def _events(*more: Any) -> Any:
    return Event.select(
        Event.id,
        Event.time_ms,
        Event.seq,
        Event.type,
        Event.source_id,
        Event.external_id,
        Event.user_id,
        Event.queue_id,
        Event.data,
        Event.contact,
        *more,
    )


def _event(row: Sequence[Any], contact: int | None) -> EventRow:
    *facts, data = row
    return EventRow._make((*facts, contact, {} if data == "{}" else _SAID.decode(data)))


def _all_interactions() -> Iterator[tuple[int, list[str]]]:
    for (source,) in list(Source.select(Source.id).tuples()):
        last = ""
        while True:
            query = (
                Event.select(Event.interaction)
                .where((Event.source_id == source) & (Event.interaction > last))
                .distinct()
                .order_by(Event.interaction)
                .limit(CHUNK)
            )
            names = [row[0] for row in query.tuples()]
            if not names:
                break
            yield source, names
            last = names[-1]


def _chunks(names: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(names), CHUNK):
        yield names[start : start + CHUNK]
