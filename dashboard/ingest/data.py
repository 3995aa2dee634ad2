"""The check of an event's `data`: its size, its shape and the fields its type knows. Pure."""

from __future__ import annotations

import math
import re
from typing import Any, NamedTuple

import msgspec

from dashboard.catalog import EventType, Field, Kind
from dashboard.i18n.mark import N_
from dashboard.ingest.message import Errors, Message, message

# One event must never hold up the writer or the reader of a page, hence the three caps.
MAX_BYTES = 32 * 1024
MAX_DEPTH = 20
MAX_KEYS = 200
MAX_INTEGER, MIN_INTEGER = 2**63 - 1, -(2**63)  # 64 bits, as both databases have
MAX_NUMBER = 2**31 - 1
MAX_SECONDS = 366 * 86400  # no contact and no login lasts longer than a year

NOT_AN_OBJECT = N_("Must be an object.")
NOT_AN_ARRAY = N_("Must be an array.")
NOT_JSON = N_("This is not JSON.")
TOO_LARGE = N_("Must not be larger than %(limit)s bytes.")
TOO_DEEP = N_("Must not be nested deeper than %(limit)s levels.")
TOO_MANY_KEYS = N_("Must not have more than %(limit)s keys.")
BAD_TEXT = N_("Must not hold NUL or half a character.")
BAD_NUMBER = N_("Must hold only finite numbers; whole ones within 64 bits.")
REQUIRED = N_("This is required.")
NOT_TEXT = N_("Must be text.")
NOT_WORD = N_("Must be a lower-case word of at most 20 letters.")
NOT_YES_NO = N_("Must be true or false.")
NOT_COUNT = N_("Must be a whole number from 0 to %(limit)s.")
NOT_CHOICE = N_("Must be one of: %(choices)s.")
TOO_LONG = N_("Must have at most %(limit)s characters.")

_WORD = re.compile(r"[a-z0-9_]{1,20}")
_HALF = re.compile("[\x00\ud800-\udfff]")
_HARMLESS = bytes(byte for byte in range(256) if byte not in b"0123456789{[\\")
_SHORT = MAX_KEYS * len(b'"":1,')  # no text of that length has more keys
_SAFE_DIGITS = 19  # fewer in all make no number beyond 64 bits
# A member looked up by identity: hashing one, or reading it off its class, costs as much as a check.
_CHOICE, _LOWER_WORD = Kind.CHOICE, Kind.WORD
_YES_NO, _NUMBER, _SECONDS, _MILLISECONDS = Kind.YES_NO, Kind.NUMBER, Kind.SECONDS, Kind.MILLISECONDS


class Data(NamedTuple):
    """The JSON text exactly as it came, and what it says."""

    text: str
    found: dict[str, Any]


NO_DATA = Data("{}", {})


def read(raw: bytes) -> Data | Message:
    """Return the data of an event from its JSON text, or why it cannot be kept; never raises.

    Absent and null data is `{}`. A look at the bytes decides whether the slow walk over every
    value is needed: with few brackets, colons and digits no limit can be passed.
    """
    if raw in (b"{}", b"null"):
        return NO_DATA
    if len(raw) > MAX_BYTES:
        return message(TOO_LARGE, limit=MAX_BYTES)
    try:
        text = raw.decode()
        found = msgspec.json.decode(raw)
    except RecursionError:
        return message(TOO_DEEP, limit=MAX_DEPTH)
    except msgspec.ValidationError:
        return Message(BAD_NUMBER)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return Message(NOT_JSON)
    if not isinstance(found, dict):
        return Message(NOT_AN_OBJECT)
    if _may_pass_limits(raw):
        problem = walk(found)
        if problem is not None:
            return problem
    return Data(text, found)


def _may_pass_limits(raw: bytes) -> bool:
    if len(raw) > _SHORT and raw.count(b":") > MAX_KEYS:
        return True
    marks = raw.translate(None, _HARMLESS)
    if b"\\" in marks and b"\\u0000" in raw:
        return True
    if len(marks) < _SAFE_DIGITS:  # so there are as few digits, and as few brackets
        return False
    brackets = marks.count(b"{") + marks.count(b"[")
    return brackets > MAX_DEPTH or len(marks) - brackets - marks.count(b"\\") >= _SAFE_DIGITS


def walk(data: dict[str, Any]) -> Message | None:
    """Return what is wrong with decoded data (depth, keys, texts, numbers), or None; not recursive."""
    keys = 0
    todo: list[tuple[Any, int]] = [(data, 1)]
    while todo:
        value, depth = todo.pop()
        if isinstance(value, dict):
            keys += len(value)
            if any(_HALF.search(key) for key in value):
                return Message(BAD_TEXT)
            todo.extend((inner, depth + 1) for inner in value.values())
        elif isinstance(value, list):
            todo.extend((inner, depth + 1) for inner in value)
        else:
            problem = _scalar_problem(value)
            if problem is not None:
                return problem
            continue
        if depth > MAX_DEPTH:
            return message(TOO_DEEP, limit=MAX_DEPTH)
        if keys > MAX_KEYS:
            return message(TOO_MANY_KEYS, limit=MAX_KEYS)
    return None


def _scalar_problem(value: Any) -> Message | None:
    if isinstance(value, str):
        return Message(BAD_TEXT) if _HALF.search(value) else None
    if isinstance(value, float):
        return None if math.isfinite(value) else Message(BAD_NUMBER)
    if isinstance(value, int) and not MIN_INTEGER <= value <= MAX_INTEGER:
        return Message(BAD_NUMBER)
    return None


def check_fields(type_: EventType, found: dict[str, Any], errors: Errors) -> None:
    """Add to `errors`, as `data.<name>`, what is wrong with the fields that figures hang on.

    What it costs depends on what the event says, not on how many fields the type has.
    """
    if not type_.folded.isdisjoint(found):
        for name, value in found.items():
            if name not in type_.folded or value is None or value == "":
                continue
            problem = _field_problem(type_.by_name[name], value)
            if problem is not None:
                errors[f"data.{name}"] = problem
    for name in type_.required:
        if found.get(name) in (None, ""):
            errors[f"data.{name}"] = Message(REQUIRED)


def _field_problem(field: Field, value: Any) -> Message | None:
    kind = field.kind
    limit = _limit(kind)
    if limit:
        return None if type(value) is int and 0 <= value <= limit else message(NOT_COUNT, limit=limit)
    if kind is _YES_NO:
        return None if isinstance(value, bool) else Message(NOT_YES_NO)
    if not isinstance(value, str):
        return Message(NOT_TEXT)
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
