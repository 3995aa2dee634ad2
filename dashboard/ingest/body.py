"""Reading a JSON body item by item, so that one bad item does not take its neighbours along. Pure.

This is the slow way, taken only for bodies that the typed decoder refuses as a whole. The standard
decoder is used because it also reads what JSON forbids or 64 bits cannot hold (NaN, half a
surrogate pair, thousands of digits): such an item can then be named instead of the whole body.
"""

from __future__ import annotations

from collections.abc import Iterator
from json import JSONDecoder
from typing import Any

from dashboard.i18n.message import N_, Message, message

MAX_EVENTS = 10_000  # a request: its answer lists an id or an error for each

NOTHING = N_("Empty request or file.")
NOT_UTF8 = N_("Invalid UTF-8.")
NOT_JSON = N_("Invalid JSON.")
TOO_DEEP = N_("Too many nesting levels.")
TOO_MANY = N_("Up to %(limit)s events are accepted per request.")

_SPACE = " \t\r\n"
_DIGITS_OF_64_BITS = 20


class BodyError(Exception):
    """A body that cannot be read at all; `message` says why."""

    def __init__(self, message: Message) -> None:
        super().__init__(message.render())
        self.message = message


def _whole_number(digits: str) -> int | float:
    return int(digits) if len(digits) <= _DIGITS_OF_64_BITS else float("inf")


_DECODER = JSONDecoder(parse_int=_whole_number)


def _text(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError:
        raise BodyError(Message(NOT_UTF8)) from None


def _scan(text: str, start: int) -> tuple[Any, int]:
    try:
        return _DECODER.raw_decode(text, start)
    except RecursionError:
        raise BodyError(Message(TOO_DEEP)) from None
    except ValueError:
        raise BodyError(Message(NOT_JSON)) from None


def _skip(text: str, at: int) -> int:
    while at < len(text) and text[at] in _SPACE:
        at += 1
    return at


def value(body: bytes) -> tuple[str, Any]:
    """Return a body's one JSON value as its own text and decoded. Raises BodyError for anything else."""
    text = _text(body)
    start = _skip(text, 0)
    found, end = _scan(text, start)
    if _skip(text, end) != len(text):
        raise BodyError(Message(NOT_JSON))
    return text[start:end], found


def items(body: bytes) -> Iterator[tuple[str, Any]]:
    """Yield each item of a JSON array as its own text and decoded.

    Raises BodyError where the JSON ends too early, and beyond MAX_EVENTS items.
    """
    text = _text(body)
    at = _skip(text, _skip(text, 0) + 1)
    count = 0
    closed = text[at : at + 1] == "]"
    while not closed:
        count += 1
        if count > MAX_EVENTS:
            raise BodyError(message(TOO_MANY, limit=MAX_EVENTS))
        found, end = _scan(text, at)
        yield text[at:end], found
        at = _skip(text, end)
        closed = text[at : at + 1] == "]"
        if not closed and text[at : at + 1] != ",":
            raise BodyError(Message(NOT_JSON))
        at = _skip(text, at + 1) if not closed else at
    if _skip(text, at + 1) != len(text):
        raise BodyError(Message(NOT_JSON))
