"""The fields that conditions can read, by event type, and the values of an event under them. Pure.

A field is addressed by its dotted path. Every event has the fields of `EVERY`; the fields of its data come
from the catalogue as `data.<name>`; any other `data.…` path is undeclared and compared as text. This module
also says what counts as empty. Source: field set E and the structured
payload of the catalogue of conditions.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import Enum, StrEnum
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from dashboard import catalog
from dashboard.catalog.channels import CHANNELS
from dashboard.catalog.fields import CHOICE_LABELS
from dashboard.i18n.message import N_, Message

_DECIMAL = re.compile(r"[-+]?[0-9]{1,15}(?:\.[0-9]{1,15})?")
TAGS = "subject.tags"  # the path of the tags that rules gave

NOT_TEXT = N_("The value is not text.")
NOT_NUMBER = N_("The value is not a number.")

# Built once: `isinstance(x, int | float)` builds its union at every call.
_SIZED, _NUMBER = (str, list, tuple, dict), (int, float)


class Nothing(Enum):
    """The one value of a field that an event does not have."""

    ABSENT = "absent"


ABSENT: Final = Nothing.ABSENT


class ConditionError(Exception):
    """A condition that can be neither true nor false; `message` says why."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.message = Message(text)


class Change(NamedTuple):
    """The values of a field before and after an event."""

    old: Any
    new: Any


class EventFacts(dict[str, Any]):
    """The facts of one event by dotted path; a path it does not have gives ABSENT, never KeyError.

    A path into an object (`data.order.value`) is walked once and then kept. Facts do not change
    while rules are matched, so a trace made later shows what the match saw.
    """

    def __missing__(self, path: str) -> Any:
        first, _dot, rest = path.partition(".")
        value = self.get(first, ABSENT) if rest else ABSENT
        while rest and isinstance(value, dict):
            first, _dot, rest = rest.partition(".")
            value = value.get(first, ABSENT)
        value = self[path] = ABSENT if rest else value
        return value

    def get(self, path: str, default: Any = None, /) -> Any:
        """Return the value at `path`; `default` where the event has none, whether it was looked up before."""
        value = super().get(path, ABSENT)
        return default if value is ABSENT else value


def facts(
    event_id: int | str,
    type_: str,
    time_ms: int,
    data: Mapping[str, Any] | None = None,
    changes: Mapping[str, tuple[Any, Any]] | None = None,
    chain: tuple[int, ...] = (),
    **envelope: Any,
) -> EventFacts:
    """Return the facts of an event.

    `time_ms` is UTC. `changes` has old and new values by the path that conditions use. `chain` holds
    the ids of the rules that led to this event, the first first; its length is the event's depth.
    `envelope` gives the other fields by name; an object (`contact={"name": …}`) is walked by path.
    """
    found = EventFacts(envelope)
    found["id"], found["type"], found["time"] = event_id, type_, time_ms
    found["data"] = dict(data or {})
    found["changes"] = {path: Change(*both) for path, both in (changes or {}).items()}
    found["chain"] = chain
    found["cause.rule"], found["cause.depth"] = list(chain), len(chain)
    found["cause.by_rule"] = bool(chain)
    return found


def as_number(value: Any) -> int | float:
    """Return a number, also one that is written as text. Raises ConditionError for anything else."""
    if isinstance(value, str) and _DECIMAL.fullmatch(value.strip()):
        return float(value) if "." in value else int(value)
    return number_of(value)


def is_empty(value: Any) -> bool:
    """Say whether a value is absent, null, an empty text or an empty list; 0 and false are values."""
    return value is None or value is ABSENT or (isinstance(value, _SIZED) and not value)


def text_of(value: Any) -> str:
    """Return a scalar as text: `true`, `5`, `1.5`. Raises ConditionError for a list or an object."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, _NUMBER):
        return str(value)
    raise ConditionError(NOT_TEXT)


def number_of(value: Any) -> int | float:
    """Return a number. Raises ConditionError for anything else; true and false are no numbers."""
    if isinstance(value, _NUMBER) and not isinstance(value, bool):
        return value
    raise ConditionError(NOT_NUMBER)


MISSING = N_("Required field is missing.")
NOT_TIME = N_("The value isn't a time with a UTC offset.")


class Kind(StrEnum):
    """What a field holds; operators, controls of the editor and the check on save follow it."""

    TEXT = "text"
    LONG_TEXT = "long_text"
    ADDRESS = "address"  # e-mail, host name or URL
    IP = "ip"
    CHOICE = "choice"  # one of a list; compared exactly, for it is picked and not typed
    PERSON = "person"  # a user's id
    QUEUE = "queue"  # a queue's id
    LIST = "list"  # several of a list: teams, tags, rules
    YES_NO = "yes_no"
    NUMBER = "number"
    DURATION = "duration"  # seconds
    INSTANT = "instant"  # UTC epoch milliseconds
    CLOCK = "clock"  # the time of day of an instant, in the rule's zone
    WEEKDAY = "weekday"  # the local date's day of an instant, Monday = 1


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a condition.

    `source` is the path that holds the value when it is not `path`; `convert` makes of what is stored
    what the kind says. `choices` stand in rising order where `ordered`; a text that is `ordered` has the
    ranks of `ranks`, one that `names_user` a login or a name. A `required` field that an event
    lacks makes a condition an error; any other is then just empty.
    """

    path: str
    kind: Kind
    label: str
    choices: tuple[str, ...] = ()
    ordered: bool = False
    required: bool = False
    declared: bool = True
    source: str = ""
    convert: Callable[[Any], Any] | None = None
    names_user: bool = False


_ENVELOPE = (
    Field("type", Kind.CHOICE, N_("Event type")),
    Field("time", Kind.INSTANT, N_("Time of the event")),
    Field("time.clock", Kind.CLOCK, N_("Time of day"), source="time"),
    Field("time.weekday", Kind.WEEKDAY, N_("Day of the week"), source="time"),
    Field("source", Kind.CHOICE, N_("Source")),
    Field("user", Kind.PERSON, N_("User")),
    Field("user.team", Kind.LIST, N_("User's teams")),
    Field("user.access", Kind.CHOICE, N_("User's role")),
    Field("queue", Kind.QUEUE, N_("Queue")),
    Field("queue.channel", Kind.CHOICE, N_("Channel of the queue")),
    Field("interaction", Kind.TEXT, N_("Interaction")),
    Field("session", Kind.TEXT, N_("Session")),
    Field("contact.name", Kind.TEXT, N_("Name of the contact")),
    Field("contact.phone", Kind.TEXT, N_("Phone of the contact")),
    Field("contact.email", Kind.ADDRESS, N_("Contact's email")),
    Field(TAGS, Kind.LIST, N_("Tags added by rules")),
    Field("cause.by_rule", Kind.YES_NO, N_("Triggered by a rule")),
    Field("cause.rule", Kind.LIST, N_("Triggering rules")),
    Field("cause.depth", Kind.NUMBER, N_("Number of triggering rules")),
)
EVERY = MappingProxyType({field.path: field for field in _ENVELOPE})

_EPOCH = datetime.fromtimestamp(0, UTC)


def _seconds(milliseconds: Any) -> float:
    return number_of(milliseconds) / 1000


def _instant(text: Any) -> int:
    try:
        return (datetime.fromisoformat(text_of(text)) - _EPOCH) // timedelta(milliseconds=1)
    except (ValueError, TypeError, OverflowError) as error:  # TypeError: a time without an offset
        raise ConditionError(NOT_TIME) from error


def _texts(found: Any) -> list[Any]:
    return found if isinstance(found, list) else [text_of(found)]


# By kind of the catalogue: the kind of a condition, and what makes it of the stored value.
_KINDS: dict[str, tuple[Kind, Callable[[Any], Any] | None]] = {
    "choice": (Kind.CHOICE, None),
    "list": (Kind.LIST, _texts),
    "yes_no": (Kind.YES_NO, None),
    "number": (Kind.NUMBER, None),
    "decimal": (Kind.NUMBER, None),
    "seconds": (Kind.DURATION, None),
    "milliseconds": (Kind.DURATION, _seconds),
    "time": (Kind.INSTANT, _instant),
    "ip": (Kind.IP, None),
}
_LONG = frozenset({"body", "message", "comment", "description", "transcript"})  # texts of many lines
_ADDRESSES = frozenset({"email", "sender", "recipient", "server", "host", "url", "page", "referrer"})
_CHANNEL_PATHS = frozenset({"queue.channel", "data.channel"})
_ORDERED = frozenset({"priority", "severity"})  # rise as the catalogue lists their choices, or by `ranks`
_USERS = frozenset({"assignee", "to_user"})  # a login or a name
_UNDECLARED = re.compile(r"data(?:\.[^.\x00-\x20\x7f%]{1,60}){1,5}")
OTHER = N_("Other data field")


def fields(types: Iterable[str]) -> dict[str, Field]:
    """Return by path the fields of a rule on `types` (names of event types), those of every event first.

    A field that only some of the types have is empty in the others, hence required only where all types
    require it. Where types disagree on a field's kind it is compared as text.
    """
    return dict(_fields(tuple(types)))


@lru_cache(maxsize=256)  # every deadline asks for those of its rule
def _fields(types: tuple[str, ...]) -> dict[str, Field]:
    found = dict(EVERY)
    known = [type_ for type_ in map(catalog.find, types) if type_ is not None]
    for type_ in known:
        for each in type_.fields:
            made = _of_data(each)
            met = found.setdefault(made.path, made)
            if (met.kind, met.choices, met.convert) != (made.kind, made.choices, made.convert):
                found[made.path] = Field(made.path, Kind.TEXT, made.label, declared=False)
    for path, field in found.items():
        if known and all(_requires(type_, path) for type_ in known):
            found[path] = replace(field, required=True)
    return found


def find(path: str, known: dict[str, Field]) -> Field | None:
    """Return the field at `path` among `known`, an undeclared one for any other `data.…`, else None."""
    found = known.get(path)
    if found is None and _UNDECLARED.fullmatch(path):
        return Field(path, Kind.TEXT, OTHER, declared=False)
    return found


def value(event: EventFacts, field: Field) -> Any:
    """Return what the event holds: ABSENT, None for null, "" or [] for empty, or the value itself.

    Raises ConditionError when a required field is empty, or when what is stored does not fit the kind.
    """
    found = event[field.source or field.path]
    if is_empty(found):
        if field.required:
            raise ConditionError(MISSING)
        return found
    return found if field.convert is None else field.convert(found)


def word(field: Field, value: Any) -> str:
    """Return the marked label of a word that a field holds; "" where it has none of ours."""
    if not isinstance(value, str):
        return ""
    if field.path in _CHANNEL_PATHS:
        return CHANNELS.get(value, "")
    return CHOICE_LABELS.get(value, "") if field.kind is Kind.CHOICE and field.choices else ""


def change(event: EventFacts, field: Field) -> Any:
    """Return the Change of the field by this event, old and new; ABSENT when it did not change."""
    found = event["changes"].get(field.path, ABSENT)
    if found is ABSENT or found.old == found.new:
        return ABSENT
    if field.convert is None:
        return found
    return Change(*(each if is_empty(each) else field.convert(each) for each in found))


def _of_data(each: catalog.Field) -> Field:
    name = each.name
    kind, convert = _KINDS.get(each.kind, (Kind.TEXT, None))
    if kind is Kind.TEXT:
        last = name.rsplit("_", 1)[-1]
        kind = Kind.LONG_TEXT if name in _LONG else Kind.ADDRESS if last in _ADDRESSES else kind
    return Field(
        f"data.{name}",
        kind,
        each.label,
        each.choices,
        name in _ORDERED,
        convert=convert,
        names_user=name in _USERS,
    )


def _requires(type_: catalog.EventType, path: str) -> bool:
    if path in type_.needs or path in ("type", "time"):
        return True
    return any(each.required and path == f"data.{each.name}" for each in type_.fields)
