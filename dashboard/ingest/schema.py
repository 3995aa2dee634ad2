"""Records to events, or errors by field and index: the pure half of the gate.

Nothing here raises for any bytes but `BodyError`; every limit is a constant with its reason.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from dashboard import catalog
from dashboard.i18n.message import N_, Errors, Message, message
from dashboard.ingest import body as bodies
from dashboard.ingest import data as payload
from dashboard.ingest import times
from dashboard.ingest.body import MAX_EVENTS, NOT_JSON, NOTHING, TOO_MANY, BodyError

MAX_ERRORS = 20  # named for one event, so that an answer is not larger than the question
# The columns that hold them; a contact's e-mail address has 254 by RFC 5321.
LIMITS = {"id": 200, "user": 120, "queue": 120, "interaction": 200, "session": 200}
CONTACT_LIMITS = {"name": 200, "phone": 60, "email": 254}

WHOLE = "event"  # the key of an error that is no single field's
UNKNOWN_FIELD = N_("Unknown field.")
CONTROL = N_("Must not contain control characters.")
UNKNOWN_TYPE = N_("Unknown event type. Custom names start with “custom.”")
OWN_TYPE = N_("This event type is recorded by Stopa itself.")

_SHORTEST, _SHORTEST_CONTACT = min(LIMITS.values()), min(CONTACT_LIMITS.values())


class NewEvent(msgspec.Struct, frozen=True, gc=False):
    """An event that may be stored.

    `time_ms` is UTC. `contact` has only the keys name, phone, email that were given. `data` is the
    JSON text of an object exactly as it came. `seq`, `file_ts` and `uid` are as in models.Event.
    Of a CloudEvent, `key` identifies it in the source, since its `id` alone does not, and `envelope` is the
    JSON text of what has no field here. `time_of_arrival` says that it gave no time: `time_ms` is nothing.
    """

    id: str | None
    type: str
    time_ms: int
    user: str | None = None
    queue: str | None = None
    interaction: str | None = None
    contact: dict[str, str] | None = None
    session: str | None = None
    data: str = "{}"
    seq: int = 0
    file_ts: int | None = None
    uid: int | None = None
    key: str | None = None
    envelope: str | None = None
    time_of_arrival: bool = False


class Refusal(msgspec.Struct, frozen=True):
    """A record that is no event: which one (`index` from 0, `line` from 1 in a file) and why, by field."""

    index: int
    errors: Errors
    line: int | None = None

    def text(self, translate: Callable[[str], str] = str) -> str:
        """Return all errors in one line, in the language of `translate` (gettext)."""
        told = ((name, why.render(translate)) for name, why in self.errors.items())
        return " ".join(why if name == WHOLE else f"{name}: {why}" for name, why in told)


Outcome = NewEvent | Refusal


def _text(limit: int, description: str | None = None) -> Meta:
    """Return what the description says of a text; `_check_texts` holds the limit, in our own words."""
    return Meta(description=description, extra_json_schema={"maxLength": limit})


_TYPES: dict[str, Any] = {
    "anyOf": [
        {"enum": [name for name, type_ in catalog.CATALOG.items() if not type_.internal]},
        {"pattern": r"^custom\.[a-z0-9_]+(\.[a-z0-9_]+)*$", "maxLength": catalog.NAME_LIMIT},
    ]
}
_TIME: dict[str, Any] = {"format": "date-time", "examples": ["2026-03-02T09:00:00+01:00"]}
_DATA = (
    f"Kept as it came: at most {payload.MAX_BYTES} bytes, {payload.MAX_DEPTH} levels, "
    f"{payload.MAX_KEYS} keys."
)
_ID = "Unique in the source: makes a repeat harmless. Made when left out."


class Contact(msgspec.Struct, forbid_unknown_fields=True):
    name: Annotated[str | None, _text(CONTACT_LIMITS["name"])] = None
    phone: Annotated[str | None, _text(CONTACT_LIMITS["phone"])] = None
    email: Annotated[str | None, _text(CONTACT_LIMITS["email"])] = None


def _no_data() -> msgspec.Raw:
    return msgspec.Raw(b"{}")


class Event(msgspec.Struct, forbid_unknown_fields=True):
    """An event as a client sends it. Nothing is required by the type, so that all errors come at once."""

    id: Annotated[str | None, _text(LIMITS["id"], _ID)] = None
    type: Annotated[str, Meta(extra_json_schema=_TYPES)] = ""
    time: Annotated[str, Meta(extra_json_schema=_TIME)] = ""
    user: Annotated[str | None, _text(LIMITS["user"])] = None
    queue: Annotated[str | None, _text(LIMITS["queue"])] = None
    interaction: Annotated[str | None, _text(LIMITS["interaction"])] = None
    contact: Contact | None = None
    session: Annotated[str | None, _text(LIMITS["session"])] = None
    data: Annotated[msgspec.Raw, Meta(description=_DATA, extra_json_schema={"type": ["object", "null"]})] = (
        msgspec.field(default_factory=_no_data)
    )


class Refused(msgspec.Struct, omit_defaults=True):
    """An event that was not stored: its index from 0, its line from 1, what is wrong by field."""

    index: int
    errors: dict[str, str]
    line: int | None = None


class Taken(msgspec.Struct):
    """What became of the events of a request; `ids` are those of the good ones, in order."""

    accepted: int
    repeated: int
    refused: list[Refused]
    ids: list[str]


_MANY = msgspec.json.Decoder(list[Event])
_ONE = msgspec.json.Decoder(Event)
_FAILED = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


def parse_json(body: bytes) -> list[Outcome]:
    """Return the event of a JSON object, or the events of an array, in the order of the body.

    A good event is kept whatever its neighbours are. Raises BodyError for a body that is empty,
    no JSON, nested beyond reading or longer than MAX_EVENTS. About 5 us an event of 400 bytes.
    """
    stripped = body.lstrip(b" \t\r\n")
    if not stripped:
        raise BodyError(Message(NOTHING))
    if not stripped.startswith(b"["):
        return [_numbered(0, parse_one(body))]
    try:
        given = _MANY.decode(body)
    except _FAILED:
        return [_numbered(i, _by_field(text, value)) for i, (text, value) in enumerate(bodies.items(body))]
    if len(given) > MAX_EVENTS:
        raise BodyError(message(TOO_MANY, limit=MAX_EVENTS))
    return [_numbered(i, _accept_given(each)) for i, each in enumerate(given)]


def parse_ndjson(body: bytes) -> list[Outcome]:
    """Return the events of JSON lines; blank lines are passed over, a bad line is refused alone.

    Raises BodyError for an empty body, for one without a single line of JSON, and beyond MAX_EVENTS.
    """
    lines = [(number, line) for number, line in enumerate(body.split(b"\n"), 1) if line.strip()]
    if not lines:
        raise BodyError(Message(NOTHING))
    if len(lines) > MAX_EVENTS:
        raise BodyError(message(TOO_MANY, limit=MAX_EVENTS))
    outcomes: list[Outcome] = []
    broken = 0
    for index, (number, line) in enumerate(lines):
        try:
            outcomes.append(_numbered(index, parse_one(line), number))
        except BodyError as error:
            broken += 1
            outcomes.append(Refusal(index, {WHOLE: error.message}, number))
    if broken == len(lines):
        raise BodyError(Message(NOT_JSON))
    return outcomes


def parse_one(text: bytes) -> NewEvent | Errors:
    """Return the event of one JSON value, or its errors by field. Raises BodyError for no JSON."""
    try:
        given = _ONE.decode(text)
    except _FAILED:
        return _by_field(*bodies.value(text))
    return _accept_given(given)


def accept(given: Event, time: int | Message, data: payload.Data | Message) -> NewEvent | Errors:
    """Return the event when all its parts are good, else the errors of every bad part.

    The type is kept under the catalogue's own name where an alias was given.
    """
    errors: Errors = {}
    type_ = catalog.find(given.type)
    if type_ is None:
        errors["type"] = Message(UNKNOWN_TYPE if given.type else payload.REQUIRED)
    elif type_.internal:
        errors["type"] = Message(OWN_TYPE)
    if isinstance(time, Message):
        errors["time"] = time if given.time else Message(payload.REQUIRED)
    texts = f"{given.id}{given.user}{given.queue}{given.interaction}{given.session}"
    if len(texts) > _SHORTEST or not texts.isprintable():  # else no single one can be wrong
        _check_texts(given, LIMITS, "", errors)
    contact = _contact(given.contact, errors) if given.contact is not None else None
    if isinstance(data, Message):
        errors["data"] = data
    elif type_ is not None:
        payload.check_fields(type_, data, errors)
    if type_ is not None:
        for name in type_.needs:
            named = getattr(given, name)
            if not named or named.isspace():
                errors.setdefault(name, Message(payload.REQUIRED))
    if type_ is None or errors or isinstance(time, Message) or isinstance(data, Message):
        return errors
    return NewEvent(
        given.id or None,
        type_.name,
        time,
        given.user or None,
        given.queue or None,
        given.interaction or None,
        contact,
        given.session or None,
        data.text,
    )


def _accept_given(given: Event) -> NewEvent | Errors:
    return accept(given, times.rfc3339(given.time), payload.read_checked(bytes(given.data)))


def _numbered(index: int, outcome: NewEvent | Errors, line: int | None = None) -> Outcome:
    return outcome if isinstance(outcome, NewEvent) else Refusal(index, outcome, line)


def _check_texts(given: msgspec.Struct, limits: dict[str, int], prefix: str, errors: Errors) -> None:
    """Take control characters and halves of characters out of the texts; add to `errors` those that are too
    long, and an id with such characters: without them it may be another event's."""
    for name, limit in limits.items():
        value = getattr(given, name)
        if value is None:
            continue
        if not value.isprintable():
            if name == "id" and payload.UNSAFE.search(value):
                errors["id"] = Message(CONTROL)
            value = payload.without_control(value)
            setattr(given, name, value)
        if len(value) > limit:
            errors[prefix + name] = message(payload.TOO_LONG, limit=limit)


def _contact(given: Contact, errors: Errors) -> dict[str, str] | None:
    texts = f"{given.name}{given.phone}{given.email}"
    if len(texts) > _SHORTEST_CONTACT or not texts.isprintable():
        _check_texts(given, CONTACT_LIMITS, "contact.", errors)
    contact = {}
    if given.name:
        contact["name"] = given.name
    if given.phone:
        contact["phone"] = given.phone
    if given.email:
        contact["email"] = given.email
    return contact or None


def _by_field(text: str, value: Any) -> NewEvent | Errors:
    """Check one item whose neighbours, or which itself, did not fit the typed decoder."""
    try:
        return _accept_given(_ONE.decode(text.encode()))
    except _FAILED:
        if not isinstance(value, dict):
            return {WHOLE: Message(payload.NOT_AN_OBJECT)}
    errors: Errors = {}
    for name in [name for name in value if name not in Event.__struct_fields__][:MAX_ERRORS]:
        errors[_shown(name)] = Message(UNKNOWN_FIELD)
    given = Event(**{name: _text_of(value, name, "", errors) for name in (*LIMITS, "type", "time")})
    given.contact = _contact_of(value.get("contact"), errors)
    found = accept(given, times.rfc3339(given.time), _data_of(value.get("data")))
    if not isinstance(found, NewEvent):
        return {**found, **errors}
    return errors or found


def _text_of(value: dict[str, Any], name: str, prefix: str, errors: Errors) -> Any:
    found = value.get(name)
    if isinstance(found, str):
        return found
    if found is not None or name in ("type", "time"):
        errors[prefix + name] = Message(payload.REQUIRED if found is None else payload.NOT_TEXT)
    return "" if name in ("type", "time") else None


def _contact_of(value: Any, errors: Errors) -> Contact | None:
    if value is None:
        return None
    if not isinstance(value, dict):
        errors["contact"] = Message(payload.NOT_AN_OBJECT)
        return None
    for name in [name for name in value if name not in CONTACT_LIMITS][:MAX_ERRORS]:
        errors[f"contact.{_shown(name)}"] = Message(UNKNOWN_FIELD)
    return Contact(**{name: _text_of(value, name, "contact.", errors) for name in CONTACT_LIMITS})


def _data_of(value: Any) -> payload.Data | Message:
    if value is None:
        return payload.NO_DATA
    if not isinstance(value, dict):
        return Message(payload.NOT_AN_OBJECT)
    return payload.kept(value)


def _shown(name: str) -> str:
    """Return a client's field name short and clean enough for an error message."""
    return payload.UNSAFE.sub("?", name)[:60]


__all__ = ["BodyError", "NewEvent", "Refusal", "accept", "parse_json", "parse_ndjson", "parse_one"]
