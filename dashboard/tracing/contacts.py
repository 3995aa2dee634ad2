"""Finds and makes the contacts that events name, a batch at once, and records which are new or changed.

New events say who a contact is: the latest details given are kept, and what they make or change is recorded.
A fold only finds contacts, so that folding old events again changes none.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache, partial
from typing import NamedTuple

from peewee import JOIN

from dashboard.db import dialect
from dashboard.db.prepared import Prepared, plain, slot
from dashboard.db.search import of_contact
from dashboard.events import record, switches
from dashboard.events.erasure import ERASED
from dashboard.models import Contact, Event, EventCause, Queue

CHUNK = 400
CONTACT_FIELDS = ("name", "phone", "email")
CREATED, UPDATED = "contact.created", "contact.updated"
IDENTIFIED = "contact.identified"  # names a contact also without an interaction: the visitor of a site


class Mention(NamedTuple):
    """A new event, perhaps of a queue, that names a contact by JSON `text`."""

    event_id: int
    source: int
    text: str
    time_ms: int
    queue: str | None


class ContactEvent(NamedTuple):
    """An event of a contact, as `record.append` takes it."""

    id: str
    type: str
    time_ms: int
    contact: dict[str, str]
    data: str
    queue: str | None
    user: None = None
    interaction: None = None
    session: None = None
    seq: int = 0
    file_ts: None = None
    uid: None = None
    key: None = None
    envelope: None = None
    time_of_arrival: bool = False


def contact_ids(source: int, texts: Iterable[str]) -> dict[str, int | None]:
    """Return the contact of each JSON text: that of its number, else address, else name.

    Those of a whole batch are looked up and made at once. An event whose content was deleted names its
    contact by the pseudonym.
    """
    keys: dict[str, str | None] = {}
    given: dict[str, dict[str, str]] = {}
    for text in texts:
        keys[text], details = _read(source, text)
        if (key := keys[text]) is not None:
            given.setdefault(key, {}).update(details)
    hidden = _hidden(source, given)
    for key in hidden:
        del given[key]
    known = _contacts(list(given))
    known |= _make({key: details for key, details in given.items() if key not in known})
    ids = hidden | {key: ident for key, (ident, *_details) in known.items()}
    return {text: ids[key] if key else None for text, key in keys.items()}


def key_of(source: int, details: Mapping[str, str]) -> str | None:
    """Return the key of the contact with these details; None without any."""
    mark = details.get("phone") or details.get("email") or details.get("name")
    return f"{source}:{mark}" if mark else None


def _hidden(source: int, keys: Iterable[str]) -> dict[str, int]:
    """Return the contacts of the source that these keys name by a pseudonym, whatever their own key is."""
    named = {key: int(match[1]) for key in keys if (match := ERASED.fullmatch(key.partition(":")[2]))}
    if not named:
        return {}
    query = Contact.select(Contact.id, Contact.key).where(Contact.id.in_(sorted(named.values())))
    mine = {ident for ident, key in plain(query) if key.startswith(f"{source}:")}
    return {key: ident for key, ident in named.items() if ident in mine}


def note(after: int, to: int, is_told: Callable[[int, int], bool]) -> None:
    """Keep what the events with `after` < id <= `to` say of contacts, and record which are new or changed.

    Runs in the digest's transaction, before the fold. The event of a contact has the time, the queue and the
    causes of the event that named it, so that it is in the same scope. `is_told` says of a source and an
    event whether there is to be one, for an import makes and changes contacts without.
    """
    mentions = [Mention(*row) for row in _MENTIONS.rows(after=after, to=to)]
    for source in {each.source for each in mentions}:
        news = _keep(source, [each for each in mentions if each.source == source])
        told = [(cause, event) for cause, event in news if is_told(source, cause.event_id)]
        _record(source, [(cause, event) for cause, event in told if switches.recorded(event.type)])


def _keep(source: int, mentions: Iterable[Mention]) -> list[tuple[Mention, ContactEvent]]:
    """Add and change the contacts of a source; return the events of these, each with its cause."""
    given: dict[str, dict[str, str]] = {}
    first: dict[str, Mention] = {}
    last: dict[str, Mention] = {}
    read = cache(partial(_read, source))  # the events of an interaction say the same
    for each in mentions:
        key, details = read(each.text)
        if key is not None:
            given.setdefault(key, {}).update(details)
            first.setdefault(key, each)
            last[key] = each
    for key in _hidden(source, given):
        del given[key]
    known = _contacts(list(given))
    news: list[tuple[Mention, ContactEvent]] = []
    for key, (ident, *stored) in known.items():
        before = dict(zip(CONTACT_FIELDS, stored, strict=True))
        after = {**before, **given[key]}
        if after != before:
            Contact.update(**after, search=of_contact(*after.values())).where(Contact.id == ident).execute()
            changed = {"changed": [name for name in CONTACT_FIELDS if before[name] != after[name]]}
            named = f"{UPDATED}:{ident}:{last[key].event_id}"
            news.append((last[key], _event(named, UPDATED, last[key], after, changed)))
    made = _make({key: details for key, details in given.items() if key not in known})
    for key, (ident, *_details) in made.items():
        event = _event(f"{CREATED}:{ident}", CREATED, first[key], given[key], {})
        news.append((first[key], event))
    return news


def _event(
    ident: str, type_: str, cause: Mention, details: Mapping[str, str], data: Mapping[str, object]
) -> ContactEvent:
    contact = {name: value for name, value in details.items() if value}
    return ContactEvent(ident, type_, cause.time_ms, contact, json.dumps(data), cause.queue)


def _record(source: int, news: Sequence[tuple[Mention, ContactEvent]]) -> None:
    """Append events, each with the causes of its own cause."""
    chains: dict[int, list[int] | str] = {}
    for start in range(0, len(news), CHUNK):
        chains |= dict(_CAUSES.rows(ids=[cause.event_id for cause, _event in news[start : start + CHUNK]]))
    alike: dict[tuple[bool, tuple[int, ...]], list[ContactEvent]] = {}
    for cause, event in news:
        stored = chains.get(cause.event_id, "[]")
        chain = tuple(json.loads(stored) if isinstance(stored, str) else stored)
        alike.setdefault((switches.in_rules(event.type), chain), []).append(event)
    for (rules, chain), events in alike.items():
        record.append(source, events, makes=False, rules=rules, chain=chain)


def _read(source: int, text: str) -> tuple[str | None, dict[str, str]]:
    """Return the key of a contact in JSON, None where it names nobody, and the details that it gives."""
    details: dict[str, str] = json.loads(text)
    said = {name: details[name] for name in CONTACT_FIELDS if details.get(name)}
    return key_of(source, said), said


_Known = dict[str, tuple[int, str, str, str]]  # key → id, name, number, address


def _make(fresh: Mapping[str, Mapping[str, str]]) -> _Known:
    """Add contacts by key with their details, and return them."""
    new = {key: [details.get(name, "") for name in CONTACT_FIELDS] for key, details in fresh.items()}
    rows = [(key, *each, of_contact(*each)) for key, each in new.items()]
    dialect.insert_many("contact", ("key", *CONTACT_FIELDS, "search"), rows, ignore_repeats=True)
    return _contacts(list(fresh))


def _contacts(keys: Sequence[str]) -> _Known:
    found: _Known = {}
    for start in range(0, len(keys), CHUNK):
        part = list(keys[start : start + CHUNK])
        found.update({key: (ident, *rest) for key, ident, *rest in _CONTACTS.rows(keys=part)})
    return found


_CONTACTS = Prepared(
    lambda: Contact.select(Contact.key, Contact.id, Contact.name, Contact.phone, Contact.email).where(
        Contact.key.in_([slot("keys")])
    )
)
# An event that is about contacts itself makes none: it has no interaction.
_MENTIONS = Prepared(
    lambda: (
        Event.select(Event.id, Event.source_id, Event.contact, Event.time_ms, Queue.name)
        .join(Queue, JOIN.LEFT_OUTER, on=(Queue.id == Event.queue_id))
        .where(
            (Event.id > slot("after"))
            & (Event.id <= slot("to"))
            & Event.contact.is_null(False)
            & (Event.interaction.is_null(False) | (Event.type == IDENTIFIED))
        )
        .order_by(Event.id)
    )
)
_CAUSES = Prepared(
    lambda: EventCause.select(EventCause.event_id, EventCause.chain).where(
        EventCause.event_id.in_([slot("ids")])
    )
)
