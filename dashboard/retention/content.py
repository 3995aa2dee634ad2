"""Deletes what old events say of contacts: their details, titles and texts. Figures stay."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from typing import Any, NamedTuple

from peewee import fn

from dashboard.catalog import CATALOG, Kind
from dashboard.catalog.visitors import typed
from dashboard.db import database, dialect, pieces
from dashboard.db.locks import Lock
from dashboard.db.prepared import plain, update_row
from dashboard.events import erasure
from dashboard.models import (
    Activity,
    Contact,
    Event,
    Interaction,
    Mark,
    Notification,
    Setting,
    Subject,
    Visit,
)
from dashboard.retention import log
from dashboard.tracing.cobrowsing import projection as cobrowsing
from dashboard.tracing.contacts import key_of
from dashboard.tracing.types import Said

NAME = "retention.content"  # of the setting: JSON of Done
TEXTS = (Kind.TEXT, Kind.LIST, Kind.CODE, Kind.IP)
WORK = {"status", "priority", "to_user", "to_queue", "assignee", "group", "department", "category"}
# Fields of data that stay: what the fold reads, and what types of the catalogue count or choose from.
STAY = (
    {name for name in Said.__annotations__ if name not in ("title", "subject", "number")}
    | {field.name for type_ in CATALOG.values() for field in type_.fields if field.kind not in TEXTS}
    | WORK
)


class Done(NamedTuple):
    """Up to where the log is without content: events before `time_ms` with ids up to `id`, and those of
    `time_ms` with ids up to `same`."""

    time_ms: int = 0
    id: int = 0
    same: int = 0


def delete(before_ms: int) -> Iterator[int]:
    """Delete the content of events of before `before_ms`, in pieces, and yield the number of events of each;
    then that of their contacts, unless they have a newer interaction.

    An event goes on to name its contact, by a pseudonym, so that a rebuild finds the same one. What comes
    late is done in the following night. Each piece stores how far it is.
    """
    done, e, folded = _done(), Event, log.folded_to()
    of_contacts = e.contact.is_null(False) | e.interaction.is_null(False) | e.session.is_null(False)
    late = of_contacts & (e.id <= folded) & (e.time_ms < min(before_ms, done.time_ms))
    while ids := [
        ident
        for (ident,) in plain(
            e.select(e.id).where(late & (e.id > done.id)).order_by(e.id).limit(log.READ_AT_ONCE)
        )
    ]:
        done = done._replace(id=ids[-1])
        yield _piece(ids, before_ms, done)
    done = done._replace(id=max(folded, done.id))
    last = log.EventKey(done.time_ms, done.same, 0, None)
    while batch := log.after(last, before_ms, of_contacts & (e.id <= folded)):
        last = batch[-1]
        yield _piece([event.id for event in batch], before_ms, Done(last.time_ms, done.id, last.id))
    if before_ms > done.time_ms:
        Setting.put(NAME, json.dumps(Done(before_ms, done.id)))
    yield from _contacts(before_ms)
    yield from pieces.delete(Notification, Notification.made_ms < before_ms)
    yield from pieces.delete(Mark, (Mark.kind == "note") & (Mark.made_ms < before_ms))


def stock(before_ms: int | None) -> tuple[int, int | None, int]:
    """Return the number of events with content, the time of the oldest in ms, and how many lose it."""
    e, done = Event, _done()
    kept = e.time_ms >= done.time_ms
    ((oldest_ms,),) = plain(e.select(fn.MIN(e.time_ms)).where(kept))
    gone = kept & (e.time_ms < (before_ms or 0))
    return pieces.count(e.select().where(kept)), oldest_ms, pieces.count(e.select().where(gone))


def _done() -> Done:
    stored = Setting.select(Setting.value).where(Setting.name == NAME).scalar()
    return Done(*json.loads(stored)) if stored else Done()


def _piece(ids: Sequence[int], before_ms: int, done: Done) -> int:
    """Rewrite these events without content, and what was made of it, in a transaction. Return how many."""
    e = Event
    with database.atomic():
        dialect.one_at_a_time(Lock.PROJECTION)
        columns = e.select(e.id, e.source_id, e.interaction, e.contact, e.data, e.type)
        rows = plain(columns.where(e.id.in_(ids)).order_by(e.id))
        keys = {
            (source, contact): key_of(source, json.loads(contact)) or ""
            for _id, source, _name, contact, *_rest in rows
            if contact is not None
        }
        contacts = Contact.select(Contact.key, Contact.id).where(Contact.key.in_(sorted(keys.values())))
        known = dict(plain(contacts))
        names: dict[int, set[str]] = {}
        for ident, source, name, contact, data, type_ in rows:
            key = keys.get((source, contact), "")
            named = contact if erasure.ERASED.fullmatch(key.partition(":")[2]) else None
            if key in known:
                named = json.dumps({"name": erasure.pseudonym(known[key])})
            update_row(e, ident, contact=named, data=_work(data, typed(type_)), envelope=None)
            if name is not None:
                names.setdefault(source, set()).add(name)
        for source, some in names.items():
            _made_of(source, sorted(some), before_ms)
        cobrowsing.fold_all(cobrowsing.of_events(ids))
        Setting.put(NAME, json.dumps(done))
    return len(rows)


def _made_of(source: int, names: Sequence[str], before_ms: int) -> None:
    """Delete the content that is kept of interactions beside their events."""
    a, i, s = Activity, Interaction, Subject
    mine = [
        ident for (ident,) in plain(i.select(i.id).where((i.source == source) & i.external_id.in_(names)))
    ]
    titled = (a.start_ts * 1000 < before_ms) & (a.title != "")
    a.update(title="").where(a.interaction_id.in_(mine) & titled).execute()
    ended = (s.source_id == source) & s.interaction.in_(names) & s.ended_ms.is_null(False)
    s.update(values={}).where(ended).execute()


def _work(data: str, typed_: Collection[str]) -> str:
    """Return the JSON text of an event's data without what may be content; `typed_` are fields that are."""
    if data == "{}":
        return data
    said: dict[str, Any] = json.loads(data)
    return json.dumps(
        {name: value for name, value in said.items() if name in STAY and name not in typed_},
        ensure_ascii=False,
    )


def _contacts(before_ms: int) -> Iterator[int]:
    """Give a pseudonym to the contacts all of whose interactions and visits ended before `before_ms`."""
    i, c = Interaction, Contact
    newer = (i.first_ms >= before_ms) | (i.ended_ts * 1000 >= before_ms)
    still = newer | (i.ended_ts.is_null() & i.end_bound.is_null())
    visited = Visit.select(Visit.contact_id).where(Visit.active_ms >= before_ms)
    present = {
        contact for (contact,) in (*plain(i.select(i.contact_id).where(still).distinct()), *plain(visited))
    }
    last = 0
    while rows := plain(c.select(c.id, c.key).where(c.id > last).order_by(c.id).limit(pieces.PIECE)):
        last = rows[-1][0]
        parts = [(ident, *key.split(":", 1)) for ident, key in rows if ident not in present]
        gone = [(ident, source) for ident, source, mark in parts if mark != erasure.pseudonym(ident)]
        if gone:
            with database.atomic():
                dialect.one_at_a_time(Lock.PROJECTION)
                for ident, source in gone:
                    erasure.hide_contact(ident, source)
            yield 0
