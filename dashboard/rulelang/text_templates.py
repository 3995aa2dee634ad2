"""Placeholders in the texts of actions: `{{ ticket.number }}`. Pure.

There are no expressions. Inserted values are never scanned for placeholders again and show a reader no more
than the page of the event would. A name refers to the event (`event.time`, `user.name`, `contact.email`),
to its data by the object of the event (`ticket.number`, `chat.wait_s`), or to a path in the data
(`data.custom.vip`). Source: the texts of actions in the catalogue of actions.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Protocol

from dashboard import catalog, clock
from dashboard.access import masking
from dashboard.access.permissions import Permission
from dashboard.catalog import visitors
from dashboard.i18n.message import N_
from dashboard.rulelang import fields
from dashboard.rulelang.fields import ConditionError, EventFacts, Field, Kind, is_empty

SHOWN = 500  # characters of one value
HIDDEN = masking.DOTS
YES, NO = N_("Yes"), N_("No")

_PLACE = re.compile(r"\{\{\s*+([^{}]*?)\s*+\}\}")  # spaces are read once
_BREAKS = re.compile(r"[\s\x1c-\x1f\x85\u2028\u2029]+")
# Controls, the marks that turn the direction of writing, halves of characters.
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_PEOPLE = frozenset(f"data.{name}" for name in masking.PEOPLE)

# Placeholder → path of the field.
_EVENT = MappingProxyType(
    {
        "event.type": "type",
        "event.time": "time",
        "event.source": "source",
        "event.interaction": "interaction",
        "event.session": "session",
        "user.name": "user",
        "user.teams": "user.team",
        "user.access": "user.access",
        "queue.name": "queue",
        "queue.channel": "queue.channel",
        "contact.name": "contact.name",
        "contact.phone": "contact.phone",
        "contact.email": "contact.email",
    }
)
_OPEN = frozenset({"type", "time"})  # what may be shown of an event whose content is hidden
_PERSON = frozenset({"user", "user.team", "user.access"})  # what may be shown where the user may be seen
# Placeholders of data that some type of the catalogue has.
_NAMED = frozenset(
    f"{name.partition('.')[0]}.{each.name}"
    for name, type_ in catalog.CATALOG.items()
    for each in type_.fields
)


class Reader(Protocol):
    """For whom a text is made: an `access.scope.Scope`."""

    def can(self, permission: Permission) -> bool: ...

    def sees(self, user_id: int) -> bool: ...

    def content(self, user_id: int, queue_id: int | None) -> bool: ...


def _none() -> Mapping[int, str]:
    return {}


@dataclass(frozen=True, slots=True)
class Names:
    """What ids are called, by id, and how times and labels are written for the reader."""

    users: Mapping[int, str] = field(default_factory=_none)
    teams: Mapping[int, str] = field(default_factory=_none)
    queues: Mapping[int, str] = field(default_factory=_none)
    accesses: Mapping[int, str] = field(default_factory=_none)
    channels: Mapping[int, str] = field(default_factory=_none)
    rules: Mapping[int, str] = field(default_factory=_none)
    zone: str = "UTC"
    translate: Callable[[str], str] = str
    moment: Callable[[int, str], str] | None = None  # writes seconds of UTC in a zone; ISO without


def names(types: Iterable[str]) -> dict[str, str]:
    """Return the placeholders that suit events of `types`: name → label, to be translated when shown."""
    found = {name: fields.EVERY[path].label for name, path in _EVENT.items()}
    for type_ in filter(None, map(catalog.find, types)):
        thing = type_.name.partition(".")[0]
        for each in type_.fields:
            of_data = f"{thing}.{each.name}" if type_.group != "custom" else f"data.{each.name}"
            found.setdefault(of_data, each.label)
    return found


def check(template: str, types: Iterable[str]) -> list[str]:
    """Return the names in `template` that no event of `types` has, each once, as typed."""
    known = names(types)
    used = dict.fromkeys(_PLACE.findall(template))
    return [name for name in used if name not in known and fields.find(name, {}) is None]


def render(template: str, facts: EventFacts, names: Names, reader: Reader, own: Collection[str] = ()) -> str:
    """Return `template` with the values of the event, as far as `reader` may see them.

    Values stand on one line, without control characters, at most SHOWN letters long. Contact details are
    masked for a reader without `pii.unmask`; what is outside the reader's scope is "•••". A name that
    no event can have stays as it was typed; a value that this event lacks is an empty text. The fields at
    the paths `own` are the contact details of the one who gets the text: they are not masked.
    """

    def put(place: re.Match[str]) -> str:
        path = _path(place[1], facts["type"])
        return place[0] if path is None else _value(path, facts, names, reader, own)

    return _PLACE.sub(put, template)


def _path(name: str, type_: str) -> str | None:
    """Return the field that a placeholder names for an event of `type_`, "" for none, None if unknown."""
    if name in _EVENT:
        return _EVENT[name]
    if fields.find(name, {}) is not None:
        return name
    if name not in _NAMED:
        return None
    thing, _dot, rest = name.partition(".")
    return f"data.{rest}" if type_.startswith(f"{thing}.") and f"data.{rest}" in _known(type_) else ""


@lru_cache(maxsize=512)
def _known(type_: str) -> dict[str, Field]:
    return fields.fields((type_,))


def _value(path: str, facts: EventFacts, names: Names, reader: Reader, own: Collection[str]) -> str:
    found = fields.find(path, _known(facts["type"])) if path else None
    if found is None or is_empty(facts[found.source or found.path]):
        return ""
    if not _may_see(found, facts, reader) or is_typed(facts["type"], found.path):
        return HIDDEN
    text = _clean(_text(found, facts, names))
    return text if path in own or reader.can(Permission.PII_UNMASK) else masked(path, text)


def _may_see(field: Field, facts: EventFacts, reader: Reader) -> bool:
    if field.path in _OPEN:
        return True
    user, queue = facts["user"], facts["queue"]
    who = user if isinstance(user, int) else 0
    if who and not reader.sees(who):
        return False
    return field.path in _PERSON or reader.content(who, queue if isinstance(queue, int) else None)


def _text(field: Field, facts: EventFacts, names: Names) -> str:
    try:
        value = fields.value(facts, field)
    except ConditionError:  # of another kind than the catalogue says: shown as it came
        return _plain(facts[field.source or field.path], names)
    if field.path == "type":
        known = catalog.find(value)
        return names.translate(known.label) if known and known.group != "custom" else str(value)
    lookup = {"user": names.users, "queue": names.queues, "user.team": names.teams}.get(field.path)
    if lookup is not None:
        ids = value if isinstance(value, list | tuple) else [value]
        return ", ".join(lookup.get(each, HIDDEN) for each in ids)
    if label := fields.word(field, value):
        return names.translate(label)
    if field.kind is Kind.INSTANT:
        return _moment(value, names)
    if field.kind is Kind.DURATION and isinstance(value, int | float):
        return _duration(int(value))
    return _plain(value, names)


def _plain(value: Any, names: Names) -> str:
    if isinstance(value, bool):
        return names.translate(YES if value else NO)
    if isinstance(value, list | tuple):
        return ", ".join(_plain(each, names) for each in value[:20])
    return str(value) if isinstance(value, str | int | float) else ""


def _moment(value_ms: int, names: Names) -> str:
    """Return a moment such as 2026-10-25 02:30:00 +01:00; without the offset it would be ambiguous."""
    try:
        if names.moment is not None:
            return names.moment(value_ms // 1000, names.zone)
        moment = datetime.fromtimestamp(value_ms // 1000, clock.zone(names.zone)).isoformat(" ")
    except (ValueError, OverflowError, OSError):  # an instant beyond the calendar
        return str(value_ms)
    return f"{moment[:19]} {moment[19:]}"


def _duration(seconds: int) -> str:
    minutes, rest = divmod(abs(seconds), 60)
    return f"{'-' * (seconds < 0)}{minutes // 60}:{minutes % 60:02}:{rest:02}"


def _clean(text: str) -> str:
    """Return a value on one line and without signs that are not seen; a cut one ends in "…"."""
    line = _CONTROL.sub("", _BREAKS.sub(" ", text)).strip()
    return line if len(line) <= SHOWN else line[:SHOWN] + "…"


def is_typed(type_: str, path: str) -> bool:
    """Return whether a field holds what a customer typed in co-browsing, which is hidden from everybody."""
    thing, _dot, name = path.partition(".")
    return thing == "data" and name.partition(".")[0] in visitors.typed(type_)


def masked(path: str, text: str) -> str:
    """Return the text of the field at `path` for a reader who may not see contact details whole."""
    if path == "contact.phone":
        return masking.phone(text)
    if path == "contact.email":
        return masking.email(text)
    if path == "contact.name" or path in _PEOPLE:
        return masking.contact(text, "", "", full=False)
    return masking.text(text)
