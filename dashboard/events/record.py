"""Appends events idempotently; the events and their digest job are committed together."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple, Protocol, cast
from weakref import WeakKeyDictionary

import peewee

from dashboard import clock
from dashboard.catalog import subjects
from dashboard.db import database, dialect
from dashboard.db.locks import Lock
from dashboard.events import erased_logins
from dashboard.jobs import counters
from dashboard.jobs import queue as jobs
from dashboard.models import Event, Queue, Source, User

COLUMNS = (
    "source_id",
    "external_id",
    "type",
    "time_ms",
    "recorded_ms",
    "seq",
    "user_id",
    "queue_id",
    "interaction",
    "contact",
    "session",
    "data",
)
FILE_COLUMNS = ("file_ts", "uid")
CLOUDEVENT_COLUMNS = ("envelope", "time_of_arrival")
CHUNK = 500  # names per query; SQLite allows up to 32,766 variables

Ids = dict[str | None, int]
_LOGINS: WeakKeyDictionary[peewee.Database, Ids] = (
    WeakKeyDictionary()
)  # cache of committed users per database


class NewEvent(Protocol):
    """A validated event; see ingest.schema."""

    @property
    def id(self) -> str | None: ...
    @property
    def type(self) -> str: ...
    @property
    def time_ms(self) -> int: ...
    @property
    def user(self) -> str | None: ...
    @property
    def queue(self) -> str | None: ...
    @property
    def interaction(self) -> str | None: ...
    @property
    def contact(self) -> dict[str, str] | None: ...
    @property
    def session(self) -> str | None: ...
    @property
    def data(self) -> str: ...
    @property
    def seq(self) -> int: ...
    @property
    def file_ts(self) -> int | None: ...
    @property
    def uid(self) -> int | None: ...
    @property
    def key(self) -> str | None: ...
    @property
    def envelope(self) -> str | None: ...
    @property
    def time_of_arrival(self) -> bool: ...


class Appended(NamedTuple):
    accepted: int
    repeated: int
    ids: list[str]  # given or generated, in the order of the events
    after: int = 0  # ids of the rows accepted: `after` < id <= `to`
    to: int = 0


def append(
    source_id: int,
    events: Sequence[NewEvent],
    makes: bool = True,
    rules: bool = True,
    chain: Sequence[int] = (),
    at_own_time: bool = False,
) -> Appended:
    """Append `events` of one source in one transaction, which is committed when the function returns.

    Events whose key, or else id, the source has sent before are skipped. A task, thread, post or article
    without an interaction is its own subject, see `catalog.subjects`. With `makes`, unknown users and queues
    are created; without it, the caller must have removed events with unknown_names(). Without `rules`, rules
    do not evaluate the events. `chain` lists the ids of the rules that caused them, oldest first. With
    `at_own_time`, each event counts as recorded at its time: for an invented past that stands for events
    which came in as they happened.
    """
    if not events:
        return Appended(0, 0, [])
    now = None if at_own_time else clock.now_ms()
    cloudevents = [event for event in events if event.envelope]
    with database.atomic():
        dialect.adding(Lock.APPENDING)
        if _in_order(events):
            dialect.one_at_a_time(Lock.APPEND, source_id)
        users = _user_ids({e.user for e in events}, makes)
        queues = _ids(Queue, {e.queue for e in events}, partial(_new_queues, events) if makes else None)
        ids = [event.id or str(uuid.uuid4()) for event in events]
        keys = [event.key or ident for ident, event in zip(ids, events, strict=True)] if cloudevents else ids
        records = [
            (source_id, key, *_values(event, key, now, users, queues))
            for key, event in zip(keys, events, strict=True)
        ]
        columns: tuple[str, ...] = COLUMNS
        if any(event.file_ts is not None for event in events):
            columns += FILE_COLUMNS
            records = [(*row, event.file_ts, event.uid) for row, event in zip(records, events, strict=True)]
        if cloudevents:
            columns += CLOUDEVENT_COLUMNS
            records = _with_envelopes(records, events, _known_by_id(source_id, cloudevents), now)
        added = dialect.insert_numbered("event", columns, records)
        if added.rows:
            options = {} if rules else {"rules": False}
            jobs.enqueue("digest", {"after": added.after, "to": added.to, "source": source_id, **options})
            if chain:
                _store_causes(source_id, added, keys, chain)
    if not database.in_transaction():  # otherwise the new users may be rolled back
        _LOGINS[database.obj].update(users)
    return _counted(source_id, Appended(added.rows, len(events) - added.rows, ids, added.after, added.to))


def _in_order(events: Sequence[NewEvent]) -> bool:
    # Batches with the same events in another order deadlock; a file's ids have no others between them.
    return len(events) > 1 or events[0].file_ts is not None


def _counted(source_id: int, done: Appended) -> Appended:
    counters.add("events", done.accepted, source=source_id, result="stored")
    counters.add("events", done.repeated, source=source_id, result="repeated")
    return done


def _values(
    event: NewEvent, ident: str, recorded_ms: int | None, users: Ids, queues: Ids
) -> tuple[object, ...]:
    """Return the values of COLUMNS from the type on; None as `recorded_ms` stands for the event's time."""
    return (
        event.type,
        event.time_ms,
        event.time_ms if recorded_ms is None else recorded_ms,
        event.seq,
        users.get(event.user),
        queues.get(event.queue),
        event.interaction or subjects.own_subject(event.type, event.data, ident),
        None if event.contact is None else _json(event.contact),
        event.session,
        event.data,
    )


def _with_envelopes(
    records: Sequence[tuple[Any, ...]], events: Sequence[NewEvent], known: set[str], now: int | None
) -> list[tuple[Any, ...]]:
    """Return the records with the values of CLOUDEVENT_COLUMNS, without those whose key is in `known`."""
    time = COLUMNS.index("time_ms")
    return [
        (
            *record[:time],
            now if event.time_of_arrival else record[time],
            *record[time + 1 :],
            event.envelope,
            event.time_of_arrival,
        )
        for record, event in zip(records, events, strict=True)
        if event.key not in known
    ]


def _known_by_id(source_id: int, events: Sequence[NewEvent]) -> set[str]:
    """Return the keys of CloudEvents that are stored under their ids alone.

    Versions before this one did so, and the same event may have been sent as plain JSON. One with another
    type, time or interaction is another source's.
    """
    names = [event.id for event in events if event.id is not None]
    query = Event.select(Event.external_id, Event.type, Event.time_ms, Event.interaction).where(
        (Event.source_id == source_id) & Event.envelope.is_null()
    )
    stored: set[tuple[object, ...]] = set()
    for start in range(0, len(names), CHUNK):
        stored.update(query.where(Event.external_id.in_(names[start : start + CHUNK])).tuples())
    known = set()
    for event in events:
        subject = event.interaction or subjects.own_subject(event.type, event.data, event.id or "")
        if event.key and (event.id, event.type, event.time_ms, subject) in stored:
            known.add(event.key)
    return known


def _store_causes(source_id: int, added: dialect.Added, names: Sequence[str], chain: Sequence[int]) -> None:
    """Store the causation chain of the events that were added; not of repeated ones."""
    query = Event.select(Event.id).where(
        (Event.id > added.after) & (Event.id <= added.to) & (Event.source_id == source_id)
    )
    ids: list[int] = []
    for start in range(0, len(names), CHUNK):
        part = query.where(Event.external_id.in_(names[start : start + CHUNK]))
        ids += [row[0] for row in part.tuples()]
    dialect.insert_many("event_cause", ("event_id", "chain"), [(i, json.dumps(list(chain))) for i in ids])


def safe_read_position() -> int:
    """Return the safe read position of the log: a reader that continues after it misses no event."""
    return dialect.safe_read_position("event", Lock.APPENDING)


def source(name: str, is_file: bool = False) -> Source:
    """Return the source with this name; creates it if it does not exist."""
    row, _ = Source.get_or_create(name=name, defaults={"created_ts": clock.now_s(), "is_file": is_file})
    return cast(Source, row)


def stored_keys(source_id: int, keys: Sequence[str]) -> set[str]:
    """Return which of these keys, or ids where events have no key, the source has sent already."""
    parts = (keys[start : start + CHUNK] for start in range(0, len(keys), CHUNK))
    query = Event.select(Event.external_id).where(Event.source_id == source_id)
    return {key for part in parts for (key,) in query.where(Event.external_id.in_(part)).tuples()}


def users(logins: Collection[str]) -> Mapping[str | None, int]:
    """Return login → id, in the caller's transaction; unknown users are created."""
    return _user_ids(set(logins), True)


def unknown_names(events: Sequence[NewEvent]) -> dict[str, set[str]]:
    """Return the names of users and queues in the events that do not exist, by field."""
    wanted: dict[str, tuple[type[User] | type[Queue], set[str]]] = {
        "user": (User, {e.user for e in events if e.user is not None}),
        "queue": (Queue, {e.queue for e in events if e.queue is not None}),
    }
    return {field: names - set(_known(model, sorted(names))) for field, (model, names) in wanted.items()}


def _user_ids(logins: set[str | None], makes: bool) -> Ids:
    """Return login → id. Logins come from a cache: they never change, and only the sample's are deleted.

    Queues are not cached, because they can be renamed.
    """
    known = _LOGINS.setdefault(database.obj, {})
    found: Ids = {login: known[login] for login in logins if login in known}
    if len(found) < len(logins):
        found.update(_ids(User, logins - found.keys(), None))
        new = logins - found.keys() - {None}
        if new:
            found.update(erased_logins.users(login for login in new if login is not None))
            found.update(_ids(User, logins - found.keys(), _new_users if makes else None))
    return found


def forget_logins() -> None:
    """Forget which logins are known, after or before users of the sample data are deleted."""
    _LOGINS.pop(database.obj, None)


def _ids(
    model: type[User] | type[Queue],
    named: set[str | None],
    make: Callable[[Sequence[str], int], list[dict[str, object]]] | None,
) -> Ids:
    """Return name → id; creates missing rows if `make` is given."""
    names = sorted(name for name in named if name is not None)
    if not names:
        return {}
    found = _known(model, names)
    missing = [name for name in names if name not in found]
    if missing and make is not None:
        model.insert_many(make(missing, clock.now_s())).on_conflict_ignore().execute()
        found.update(_known(model, missing))
    return found


def _known(model: type[User] | type[Queue], names: Sequence[str]) -> Ids:
    table, column = ("user", "login") if model is User else ("queue", "name")
    found: Ids = {}
    for start in range(0, len(names), CHUNK):
        found.update(dialect.ids_by_name(table, column, names[start : start + CHUNK]).items())
    return found


def _new_users(names: Sequence[str], moment: int) -> list[dict[str, object]]:
    return [{"login": name, "name": name, "created_ts": moment} for name in names]


def _new_queues(events: Sequence[NewEvent], names: Sequence[str], moment: int) -> list[dict[str, object]]:
    """Return the rows of queues; the channel of each is that of the first event in it that has one."""
    channels: dict[str | None, str] = {}
    for event in events:
        if event.queue not in channels and (channel := _channel(event)):
            channels[event.queue] = channel
    default = Queue.channel.default
    return [
        {"name": name, "label": name, "channel": channels.get(name, default), "created_ts": moment}
        for name in names
    ]


def _channel(event: NewEvent) -> str:
    """Return the channel that an event's type says, of a chat the one in its data; "" for other types."""
    group = event.type.partition(".")[0]
    if group != "chat":
        return group if group in ("call", "email", "ticket") else ""
    data = json.loads(event.data)
    named = data.get("channel") if isinstance(data, dict) else None
    return named.strip().lower()[:20] if isinstance(named, str) and named.strip() else "webchat"


def _json(contact: dict[str, str]) -> str | None:
    return json.dumps(contact, ensure_ascii=False) if contact else None
