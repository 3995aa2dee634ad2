"""CloudEvents 1.0 to events: JSON envelopes, batches of them, and HTTP headers. Pure.

`id`, `type`, `time` and `data` mean what they mean in our own form. `user`, `queue`, `interaction`
and `session` come as extension attributes of these names; without `interaction` the `subject` names
it. Other extensions (traces, say) are passed over. `source` must be there and is not kept: the key
fixes the source, so a key should send for one CloudEvents source only. A type whose first word is
none of the catalogue's is kept as `custom.<type>`: its maker chose it for all the world, not for us.

Source of the rules: cloudevents.io, spec 1.0.2, its JSON format and its HTTP protocol binding.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal
from urllib.parse import unquote_to_bytes

import msgspec
from msgspec import Meta

from dashboard import catalog
from dashboard.i18n.message import N_, Errors, Message, message
from dashboard.ingest import body as bodies
from dashboard.ingest import data as payload
from dashboard.ingest import times
from dashboard.ingest.body import MAX_EVENTS, NOTHING, TOO_MANY, BodyError
from dashboard.ingest.schema import WHOLE, Event, NewEvent, Outcome, Refusal, accept

STRUCTURED = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"
HEADER = "ce-"
NOT_VERSION = N_("Must be 1.0.")
NOT_JSON_DATA = N_("Must be JSON, not %(type)s.")
NOT_BINARY = N_("Binary data isn't supported. Send a JSON object in “data”.")


class CloudEvent(msgspec.Struct):
    """CloudEvents 1.0. The key fixes the source; a foreign type is kept as custom.<type>."""

    id: str
    source: str
    specversion: Literal["1.0"]
    type: str
    time: Annotated[str, Meta(extra_json_schema={"format": "date-time"})]
    subject: str = ""
    datacontenttype: str = ""
    user: str = ""
    queue: str = ""
    interaction: str = ""
    session: str = ""
    data: dict[str, Any] = {}


ATTRIBUTES = tuple(name for name in CloudEvent.__struct_fields__ if name != "data")

_JSON = re.compile(r"application/(?:json|[\w.-]+\+json) *(?:;.*)?", re.ASCII | re.IGNORECASE | re.DOTALL)
_NOT_IN_NAMES = re.compile(r"[^a-z0-9_.]+")
_DOTS = re.compile(r"\.{2,}")
_OURS = frozenset(name.partition(".")[0] for name in catalog.CATALOG)
_NO_DATA = b"{}"

_MANY = msgspec.json.Decoder(list[msgspec.Raw])
_ONE = msgspec.json.Decoder(dict[str, msgspec.Raw])
_TEXT = msgspec.json.Decoder(str | None)
_FAILED = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


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
    in it is no data. Raises BodyError for a body that is no JSON.
    """
    found = {name: _decoded(headers[HEADER + name]) for name in ATTRIBUTES if HEADER + name in headers}
    found["datacontenttype"] = headers.get("content-type", "")
    raw = body.strip() or _NO_DATA
    if raw != _NO_DATA:
        bodies.value(raw)
    return _numbered([_event(found, raw, {})])


def type_of(name: str) -> str:
    """Return the name under which a type is kept: as it is when ours or nearly so, else `custom.…`."""
    first = name.partition(".")[0]
    if not name or first in _OURS or name.startswith(catalog.CUSTOM):
        return name
    words = _DOTS.sub(".", _NOT_IN_NAMES.sub("_", name.lower())).strip(".")
    return f"{catalog.CUSTOM}{words}"[: catalog.NAME_LIMIT].rstrip(".")


def _envelope(text: bytes) -> NewEvent | Errors:
    try:
        members = _ONE.decode(text)
    except _FAILED:
        _text, value = bodies.value(text)
        return {WHOLE: Message(payload.BAD_TEXT if isinstance(value, dict) else payload.NOT_AN_OBJECT)}
    errors: Errors = {}
    found: dict[str, str] = {}
    for name in ATTRIBUTES:
        try:
            found[name] = _TEXT.decode(members.get(name, msgspec.Raw(b"null"))) or ""
        except _FAILED:
            errors[name] = Message(payload.NOT_TEXT)
    if "data_base64" in members:
        errors["data_base64"] = Message(NOT_BINARY)
    return _event(found, bytes(members.get("data", msgspec.Raw(_NO_DATA))), errors)


def _event(found: dict[str, str], raw: bytes, errors: Errors) -> NewEvent | Errors:
    """Check the attributes, and leave the rest to the check of every event; `errors` are known ones."""
    for name in ("id", "source"):
        if not found.get(name):
            errors.setdefault(name, Message(payload.REQUIRED))
    if found.get("specversion", "") != "1.0":
        errors.setdefault("specversion", Message(NOT_VERSION))
    media = found.get("datacontenttype", "")
    if media and not _JSON.fullmatch(media):
        errors["datacontenttype"] = message(NOT_JSON_DATA, type=_shown(media))
    text = found.get("time", "")
    given = Event(
        found.get("id"),
        type_of(found.get("type", "")),
        text,
        found.get("user"),
        found.get("queue"),
        found.get("interaction") or found.get("subject"),
        None,
        found.get("session"),
    )
    event = accept(given, times.rfc3339(text), payload.read(raw))
    if not isinstance(event, NewEvent):
        return {**event, **errors}
    return errors or event


def _decoded(value: str) -> str:
    """Return a header's value: UTF-8, percent-encoded or plain; what is neither becomes lone surrogates."""
    return unquote_to_bytes(value.encode("latin-1", "replace")).decode(errors="surrogateescape")


def _shown(text: str) -> str:
    return "".join(letter if letter.isprintable() else "?" for letter in text[:60])


def _numbered(outcomes: Iterable[NewEvent | Errors]) -> list[Outcome]:
    return [one if isinstance(one, NewEvent) else Refusal(index, one) for index, one in enumerate(outcomes)]
