"""CloudEvents 1.0 to events: JSON envelopes, batches of them, and HTTP headers. Pure.

`id`, `type`, `time` and `data` mean what they mean in our own form; an event without `time` happened when it
arrives. `user`, `queue`, `interaction` and `session` come as extension attributes of these names; without
`interaction` the `subject` names it. All other attributes, and data that is no JSON object, are kept as they
came in the event's envelope. An event is known again by `source` and `id` together. A type whose first word
is none of the catalogue's is kept as `custom.<type>`: its maker chose it for all the world, not for us.

Source of the rules: cloudevents.io, spec 1.0.2, its JSON format and its HTTP protocol binding.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal
from urllib.parse import unquote_to_bytes

import msgspec
from msgspec import Meta

from dashboard import catalog
from dashboard.i18n.message import N_, Errors, Message, message
from dashboard.ingest import body as bodies
from dashboard.ingest import cloudevent_data, times
from dashboard.ingest import data as payload
from dashboard.ingest.body import MAX_EVENTS, NOTHING, TOO_MANY, BodyError
from dashboard.ingest.cloudevent_data import Content
from dashboard.ingest.schema import (
    LIMITS,
    UNKNOWN_FIELD,
    WHOLE,
    Event,
    NewEvent,
    Outcome,
    Refusal,
    accept,
)

STRUCTURED = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"
HEADER = "ce-"
DATA = ("data", "data_base64")
MAX_ENVELOPE = 64 * 1024  # bytes: what the standard wants to be passed on, data included
KEY_ID = 120  # characters of the id in the key of an event
NOT_VERSION = N_("Must be 1.0.")
BOTH = N_("Send either data or data_base64.")


class CloudEvent(msgspec.Struct):
    """CloudEvents 1.0. Extension attributes are kept; a foreign type is kept as custom.<type>."""

    id: str
    source: str
    specversion: Literal["1.0"]
    type: str
    time: Annotated[
        str | None,
        Meta(description="Time of arrival when left out.", extra_json_schema={"format": "date-time"}),
    ] = None
    subject: str = ""
    dataschema: str = ""
    datacontenttype: str = ""
    user: str = ""
    queue: str = ""
    interaction: str = ""
    session: str = ""
    data: Any = None
    data_base64: str = ""


_TEXTS = tuple(name for name in CloudEvent.__struct_fields__ if name != "data")
_COLUMNS = ("user", "queue", "interaction", "session")  # of an event: not in its envelope too

_NOT_IN_NAMES = re.compile(r"[^a-z0-9_.]+")
_DOTS = re.compile(r"\.{2,}")
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_OURS = frozenset(name.partition(".")[0] for name in catalog.CATALOG)

_MANY = msgspec.json.Decoder(list[msgspec.Raw])
_ONE = msgspec.json.Decoder(dict[str, msgspec.Raw])
_TEXT = msgspec.json.Decoder(str)
_FAILED = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
_NULL = b"null"
_CLEANED = Message(payload.BAD_TEXT)  # is no reason: such text is cleaned


def parse_structured(body: bytes) -> list[Outcome]:
    """Return the one event of a JSON envelope. Raises BodyError for an empty body and no JSON."""
    if not body.strip():
        raise BodyError(Message(NOTHING))
    return _numbered([_envelope(body)])


def parse_batch(body: bytes) -> list[Outcome]:
    """Return the events of an array of envelopes in its order; a good one is kept whatever the others are.

    Raises BodyError for a body that is empty, no array of JSON, or longer than MAX_EVENTS.
    """
    if not body.strip():
        raise BodyError(Message(NOTHING))
    try:
        given = [bytes(each) for each in _MANY.decode(body)]
    except _FAILED:
        if not body.lstrip().startswith(b"["):
            bodies.value(body)
            return _numbered([{WHOLE: Message(payload.NOT_AN_ARRAY)}])
        given = [text.encode() for text, _value in bodies.items(body)]
    if len(given) > MAX_EVENTS:
        raise BodyError(message(TOO_MANY, limit=MAX_EVENTS))
    return _numbered(_envelope(each) for each in given)


def is_binary(headers: Mapping[str, str]) -> bool:
    """Say whether the headers are those of an event in binary mode, complete or not."""
    return any(HEADER + name in headers for name in ("specversion", "id", "type"))


def parse_binary(headers: Mapping[str, str], body: bytes) -> list[Outcome]:
    """Return the one event whose attributes are `ce-` headers and whose data is the body.

    `headers` has lower-case names, and values in Latin-1 as WSGI gives them. A body without anything
    in it is no data. Raises BodyError for a body that says it is JSON and is not.
    """
    members: dict[str, msgspec.Raw] = {}
    errors: Errors = {}
    given = {name.removeprefix(HEADER): text for name, text in headers.items() if name.startswith(HEADER)}
    media = headers.get("content-type", "")
    if media:
        given["datacontenttype"] = media
    for name, text in given.items():
        try:
            members[name] = msgspec.Raw(msgspec.json.encode(_decoded(text)))
        except UnicodeEncodeError:
            errors[name] = Message(payload.BAD_TEXT)
    errors |= {name: Message(UNKNOWN_FIELD) for name in DATA if members.pop(name, None) is not None}
    found = _texts(members, errors)
    content = cloudevent_data.of_bytes(body, media)
    if cloudevent_data.is_json(media) and content.base64:
        bodies.value(body)
    return _numbered([_event(members, found, content, errors)])


def type_of(name: str) -> str:
    """Return the name under which a type is kept: as it is when ours or nearly so, else `custom.…`."""
    first = name.partition(".")[0]
    if not name or first in _OURS or name.startswith(catalog.CUSTOM):
        return name
    words = _DOTS.sub(".", _NOT_IN_NAMES.sub("_", name.lower())).strip(".")
    return f"{catalog.CUSTOM}{words}"[: catalog.NAME_LIMIT].rstrip(".")


def key_of(source: str, ident: str) -> str:
    """Return what identifies an event in the source of its key; at most KEY_ID + 21 characters.

    The id stands in front so that keys rise as the ids of a sender do.
    """
    digest = hashlib.blake2b(f"{source}\0{ident}".encode(), digest_size=10).hexdigest()
    return f"{payload.UNSAFE.sub('', ident)[:KEY_ID]} {digest}"


def _envelope(text: bytes) -> NewEvent | Errors:
    try:
        members = _ONE.decode(text)
    except _FAILED:
        _text, value = bodies.value(text)
        if not isinstance(value, dict):
            return {WHOLE: Message(payload.NOT_AN_OBJECT)}
        bad = payload.walk(value)
        if bad is not None and bad != _CLEANED:
            return {WHOLE: bad}
        members = _ONE.decode(msgspec.json.encode(payload.cleaned(value)))
    raw = members.pop("data", None)
    members = {name: value for name, value in members.items() if bytes(value) != _NULL}
    errors: Errors = {}
    found = _texts(members, errors)
    if "data_base64" not in members:
        return _event(members, found, Content(bytes(raw) if raw is not None else b""), errors)
    del members["data_base64"]
    content = cloudevent_data.of_base64(found.pop("data_base64", ""), found.get("datacontenttype", ""))
    if raw is not None and bytes(raw) != _NULL:
        content = Message(BOTH)
    if isinstance(content, Message):
        errors.setdefault("data_base64", content)
        content = Content()
    return _event(members, found, content, errors)


def _event(
    members: Mapping[str, msgspec.Raw], found: Mapping[str, str], content: Content, errors: Errors
) -> NewEvent | Errors:
    """Check the attributes, and leave the rest to the check of every event; `errors` are known ones."""
    for name in ("id", "source"):
        if not found.get(name):
            errors.setdefault(name, Message(payload.REQUIRED))
    if found.get("specversion") != "1.0":
        errors.setdefault("specversion", Message(NOT_VERSION))
    time, subject = found.get("time", ""), found.get("subject", "")
    given = Event(
        None,
        type_of(found.get("type", "")),
        time,
        found.get("user"),
        found.get("queue"),
        found.get("interaction") or (subject if len(subject) <= LIMITS["interaction"] else None),
        None,
        found.get("session"),
    )
    is_object = content.json.startswith(b"{")
    data = payload.read_checked(content.json) if is_object else payload.NO_DATA
    event = accept(given, times.rfc3339(time) if "time" in members else 0, data)
    kept = {name: raw for name, raw in members.items() if name not in _COLUMNS}
    if not is_object:
        kept |= content.members()
        if content.size() > payload.MAX_BYTES:
            errors["data"] = message(payload.TOO_LARGE, limit=payload.MAX_BYTES)
    errors |= _problems({name: raw for name, raw in kept.items() if name not in _TEXTS})
    envelope = msgspec.json.encode(kept)
    if len(envelope) > MAX_ENVELOPE and not errors:
        errors[WHOLE] = message(payload.TOO_LARGE, limit=MAX_ENVELOPE)
    if not isinstance(event, NewEvent):
        return {**event, **errors}
    if errors:
        return errors
    if b"\\u0000" in envelope:
        envelope = msgspec.json.encode(payload.cleaned(msgspec.json.decode(envelope)))
    return msgspec.structs.replace(
        event,
        id=found["id"],
        key=key_of(found["source"], found["id"]),
        envelope=envelope.decode(),
        time_of_arrival="time" not in members,
    )


def _texts(members: Mapping[str, msgspec.Raw], errors: Errors) -> dict[str, str]:
    """Return the attributes that are texts; adds to `errors` those of them that are none."""
    found: dict[str, str] = {}
    for name in _TEXTS:
        if name in members:
            try:
                found[name] = _TEXT.decode(members[name])
            except _FAILED:
                errors[name] = Message(payload.NOT_TEXT)
    return found


def _problems(members: Mapping[str, msgspec.Raw]) -> Errors:
    """Return why members of any kind of JSON cannot be kept, by name."""
    whole = payload.problem(msgspec.json.encode(members), MAX_ENVELOPE) if members else None
    if whole is None or whole == _CLEANED:
        return {}
    each = {name: payload.problem(bytes(raw)) for name, raw in members.items()}
    bad = {name: problem for name, problem in each.items() if problem is not None and problem != _CLEANED}
    return bad or {WHOLE: whole}


def _decoded(value: str) -> str:
    """Return a header's value unquoted and percent-decoded; what is not UTF-8 becomes lone surrogates."""
    if len(value) > 1 and value[0] == value[-1] == '"':
        value = _ESCAPED.sub(r"\1", value[1:-1])
    return unquote_to_bytes(value.encode("latin-1", "replace")).decode(errors="surrogateescape")


def _numbered(outcomes: Iterable[NewEvent | Errors]) -> list[Outcome]:
    return [one if isinstance(one, NewEvent) else Refusal(index, one) for index, one in enumerate(outcomes)]
