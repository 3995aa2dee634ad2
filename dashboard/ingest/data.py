"""The check of an event's `data`: its size, its shape and the fields its type knows. Pure."""

from __future__ import annotations

import math
import re
from typing import Any, NamedTuple

import msgspec

from dashboard.catalog import EventType, Field, Kind
from dashboard.i18n.message import N_, Errors, Message, message
from dashboard.ingest import times

# One event must never hold up the writer or the reader of a page, hence the three caps.
MAX_BYTES = 32 * 1024
MAX_DEPTH = 20
MAX_KEYS = 200
MAX_INTEGER, MIN_INTEGER = 2**63 - 1, -(2**63)  # 64 bits, as both databases have
MAX_NUMBER = 2**31 - 1
MAX_SECONDS = 366 * 86400  # no contact and no login lasts longer than a year

NOT_AN_OBJECT = N_("Must be an object.")
NOT_AN_ARRAY = N_("Must be an array.")
NOT_JSON = N_("Invalid JSON.")
TOO_LARGE = N_("Must not be larger than %(limit)s bytes.")
TOO_DEEP = N_("Must not be nested deeper than %(limit)s levels.")
TOO_MANY_KEYS = N_("Must not have more than %(limit)s keys.")
BAD_TEXT = N_("Must not contain NUL or incomplete characters.")
BAD_NUMBER = N_("Must contain only finite numbers; integers up to 64 bits.")
REQUIRED = N_("Required.")
NOT_TEXT = N_("Must be text.")
NOT_WORD = N_("Must be a lowercase word of up to 20 letters.")
NOT_YES_NO = N_("Must be true or false.")
NOT_COUNT = N_("Must be a whole number from 0 to %(limit)s.")
NOT_CHOICE = N_("Must be one of: %(choices)s.")
TOO_LONG = N_("Must have at most %(limit)s characters.")

UNSAFE = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")
_SPACES = re.compile("[\t-\r]+")
_WORD = re.compile(r"[a-z0-9_]{1,20}")
_HALF = re.compile("[\x00\ud800-\udfff]")
_SHORT = MAX_KEYS * len(b'"":1,')  # no text of that length has more keys
_SAFE_DIGITS = 19  # fewer in all make no number beyond 64 bits, unless one has an exponent
# What is left of a JSON text to look for what passes a limit: no letters but e, digits as 0, [ as {.
_LEFT = bytes.maketrans(b"123456789E[", b"000000000e{")
_GONE = bytes(byte for byte in range(256) if (chr(byte).isalpha() and byte not in b"eE") or byte > 127)
# A member looked up by identity: hashing one, or reading it off its class, costs as much as a check.
_CHOICE, _LOWER_WORD, _TIME = Kind.CHOICE, Kind.WORD, Kind.TIME
_YES_NO, _NUMBER, _SECONDS, _MILLISECONDS = Kind.YES_NO, Kind.NUMBER, Kind.SECONDS, Kind.MILLISECONDS


class Data(NamedTuple):
    """The JSON text exactly as it came, and what it says; None while nobody has had to know."""

    text: str
    found: dict[str, Any] | None


NO_DATA = Data("{}", {})


def without_control(text: str) -> str:
    """Return a name without control characters and halves of characters; those that part words are spaces."""
    return UNSAFE.sub("", _SPACES.sub(" ", text)).strip() if UNSAFE.search(text) else text


def read_checked(raw: bytes) -> Data | Message:
    """Return what read() returns for a text that msgspec has passed over as a Raw, mostly undecoded.

    Such a text is JSON but for its encoding and the size of its numbers. A look at the bytes decides
    whether it has to be decoded: with few brackets, colons and digits no limit can be passed.
    """
    if raw[:1] != b"{" or raw == b"{}" or len(raw) > MAX_BYTES or _may_pass_limits(raw):
        return read(raw)
    try:
        return Data(raw.decode(), None)
    except UnicodeDecodeError:
        return Message(NOT_JSON)


def problem(raw: bytes, limit: int = MAX_BYTES) -> Message | None:
    """Return why a JSON value that msgspec has passed over as a Raw cannot be kept, or None."""
    found = decoded(raw, limit) if len(raw) > limit or _may_pass_limits(raw) else _utf8_problem(raw)
    return found if isinstance(found, Message) else None


def _utf8_problem(raw: bytes) -> Message | None:
    try:
        raw.decode()
    except UnicodeDecodeError:
        return Message(NOT_JSON)
    return None


def read(raw: bytes) -> Data | Message:
    """Return the data of an event from its JSON text, or why it cannot be kept; never raises.

    Absent and null data is `{}`. Text that no database keeps is cleaned.
    """
    if raw in (b"{}", b"null"):
        return NO_DATA
    found = decoded(raw)
    if found == Message(BAD_TEXT):
        return kept(msgspec.json.decode(raw))
    if isinstance(found, Message):
        return found
    return Data(raw.decode(), found) if isinstance(found, dict) else Message(NOT_AN_OBJECT)


def kept(data: dict[str, Any]) -> Data | Message:
    """Return decoded data, cleaned if need be, as text again, or why it cannot be kept."""
    problem = walk(data)
    if problem == Message(BAD_TEXT):
        data = cleaned(data)
    elif problem is not None:
        return problem
    return Data(msgspec.json.encode(data).decode(), data)


def cleaned(value: Any) -> Any:
    """Return a JSON value with U+FFFD for what no database keeps in a text: NUL, halves of characters."""
    if isinstance(value, dict):
        return {_HALF.sub("\ufffd", key): cleaned(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [cleaned(inner) for inner in value]
    return _HALF.sub("\ufffd", value) if isinstance(value, str) else value


def decoded(raw: bytes, limit: int = MAX_BYTES) -> Any | Message:
    """Return the value of a JSON text of at most `limit` bytes, or why it cannot be kept; never raises."""
    if len(raw) > limit:
        return message(TOO_LARGE, limit=limit)
    try:
        raw.decode()
        found = msgspec.json.decode(raw)
    except RecursionError:
        return message(TOO_DEEP, limit=MAX_DEPTH)
    except msgspec.ValidationError:
        return Message(BAD_NUMBER)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return Message(NOT_JSON)
    return (walk(found) if _may_pass_limits(raw) else None) or found


def _may_pass_limits(raw: bytes) -> bool:
    if len(raw) > _SHORT and raw.count(b":") > MAX_KEYS:
        return True
    left = raw.translate(_LEFT, _GONE)
    if b"0e" in left or (b"\\" in left and b"\\u0000" in raw):
        return True
    return left.count(b"0") >= _SAFE_DIGITS or left.count(b"{") > MAX_DEPTH


def walk(data: Any) -> Message | None:
    """Return what is wrong with decoded data, its texts last, or None; not recursive."""
    keys = 0
    texts: Message | None = None
    todo: list[tuple[Any, int]] = [(data, 1)]
    while todo:
        value, depth = todo.pop()
        if isinstance(value, dict):
            keys += len(value)
            todo.extend((key, depth) for key in value)
            todo.extend((inner, depth + 1) for inner in value.values())
        elif isinstance(value, list):
            todo.extend((inner, depth + 1) for inner in value)
        elif isinstance(value, str):
            texts = texts or (Message(BAD_TEXT) if _HALF.search(value) else None)
            continue
        else:
            problem = _number_problem(value)
            if problem is not None:
                return problem
            continue
        if depth > MAX_DEPTH:
            return message(TOO_DEEP, limit=MAX_DEPTH)
        if keys > MAX_KEYS:
            return message(TOO_MANY_KEYS, limit=MAX_KEYS)
    return texts


def _number_problem(value: Any) -> Message | None:
    if isinstance(value, float):
        return None if math.isfinite(value) else Message(BAD_NUMBER)
    if isinstance(value, int) and not MIN_INTEGER <= value <= MAX_INTEGER:
        return Message(BAD_NUMBER)
    return None


def check_fields(type_: EventType, data: Data, errors: Errors) -> None:
    """Add to `errors`, as `data.<name>`, what is wrong with the fields that figures hang on.

    Text that is not decoded yet is decoded only where the type has such fields, and only these.
    """
    if not type_.folded and not type_.required:
        return
    kind = _KINDS.get(type_.name) or _kind(type_)
    found = data.found
    if found is None:
        decoded = kind.decoder.decode(data.text)
        if decoded == kind.empty and not type_.required:
            return
        found = msgspec.structs.asdict(decoded)
    for name in kind.empty.__struct_fields__:
        value = found.get(name)
        if value is None or value == "":
            if name in type_.required:
                errors[f"data.{name}"] = Message(REQUIRED)
        elif name in type_.folded:
            problem = _field_problem(type_.by_name[name], value)
            if problem is not None:
                errors[f"data.{name}"] = problem


class _Checked(NamedTuple):
    """What decodes the checked fields of an event type; `empty` is what data without any is decoded to."""

    decoder: msgspec.json.Decoder[msgspec.Struct]
    empty: msgspec.Struct


_KINDS: dict[str, _Checked] = {}  # by name of type: only those of the catalogue have checked fields


def _kind(type_: EventType) -> _Checked:
    struct = msgspec.defstruct("Checked", [(name, Any, None) for name in type_.folded.union(type_.required)])
    found = _KINDS[type_.name] = _Checked(msgspec.json.Decoder(struct), struct())
    return found


def _field_problem(field: Field, value: Any) -> Message | None:
    kind = field.kind
    limit = _limit(kind)
    if limit:
        return None if type(value) is int and 0 <= value <= limit else message(NOT_COUNT, limit=limit)
    if kind is _YES_NO:
        return None if isinstance(value, bool) else Message(NOT_YES_NO)
    if not isinstance(value, str):
        return Message(NOT_TEXT)
    if kind is _TIME:
        moment = times.rfc3339(value)
        return moment if isinstance(moment, Message) else None
    if kind is _CHOICE and value not in field.choices:
        return message(NOT_CHOICE, choices=", ".join(field.choices))
    if kind is _LOWER_WORD and not _WORD.fullmatch(value):
        return Message(NOT_WORD)
    if field.limit and len(value) > field.limit:
        return message(TOO_LONG, limit=field.limit)
    return None


def _limit(kind: Kind) -> int:
    """Return the greatest whole number of a kind, 0 for a kind that is none."""
    if kind is _SECONDS:
        return MAX_SECONDS
    if kind is _MILLISECONDS:
        return MAX_SECONDS * 1000
    return MAX_NUMBER if kind is _NUMBER else 0
