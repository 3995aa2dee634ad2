"""The kinds of operands of a condition and their validation when a rule is saved. Pure.

Operands are stored as plain JSON values (texts, numbers, lists), so that stored rules are readable.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from datetime import date
from enum import StrEnum
from ipaddress import ip_address, ip_network
from types import MappingProxyType
from typing import Any

from dashboard.i18n.message import N_, Message, message
from dashboard.rulelang import ranks
from dashboard.rulelang.fields import ConditionError, Field, Kind
from dashboard.rulelang.regex import Pattern, PatternError

MAX_TEXT = 500  # characters of one text
MAX_MANY = 200  # entries of one list
MAX_NUMBER = 2**53  # whole numbers beyond it are not exact in every reader of JSON

NEEDED = N_("Enter a value.")
NOT_ONE_TEXT = N_("Enter up to %(limit)s characters.")
NOT_MANY = N_("Enter 1 to %(limit)s values.")
NOT_A_NUMBER = N_("Enter a number.")
NOT_A_COUNT = N_("Enter a whole number, 0 or more.")
NOT_A_CHOICE = N_("Choose from the list.")
NOT_A_RANK = N_("Enter a rank such as low, normal, high or urgent, a number, or P1 to P5.")
NOT_AN_IP = N_("Enter an IP address.")
NOT_A_NETWORK = N_("Enter networks such as 10.0.0.0/8.")
NOT_A_DATE = N_("Enter a date.")
NOT_AN_INSTANT = N_("Enter a date and time.")
NOT_A_CLOCK = N_("Enter a time from 00:00 to 24:00.")
NOT_WEEKDAYS = N_("Choose at least one day.")
NOT_RISING = N_("The second value can't be less than the first.")

_CLOCK = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]|24:00")


class Operand(StrEnum):
    """The type of one operand, in JSON."""

    TEXT = "text"
    TEXTS = "texts"  # a list
    PATTERN = "pattern"
    COUNT = "count"  # a whole number from 0
    NUMBER = "number"
    SECONDS = "seconds"
    CHOICE = "choice"  # what the field picks from: a text, or a person's or queue's id
    CHOICES = "choices"  # a list of these
    MAYBE = "maybe"  # a value of the field, or null for any
    ADDRESS = "address"  # of IP
    NETWORKS = "networks"  # a list of 10.0.0.0/8
    INSTANT = "instant"  # UTC epoch milliseconds
    DATE = "date"  # 2026-03-02
    CLOCK = "clock"  # 08:00, to 24:00
    WEEKDAYS = "weekdays"  # a list of 1 (Monday) to 7
    CALENDAR = "calendar"  # its name


class OperandError(ValueError):
    """An operand that does not do; `message` tells a person what would."""

    def __init__(self, text: str | Message, **params: int) -> None:
        self.message = text if isinstance(text, Message) else message(text, **params)
        super().__init__(self.message.text)


def check(kind: Operand, field: Field, raw: Any) -> Any:
    """Return the operand as it is kept, lists as tuples. Raises OperandError; never another error."""
    if raw is None or raw == "" or raw == []:
        if kind is Operand.MAYBE and raw is None:
            return None
        raise OperandError(NEEDED)
    return _CHECKS[kind](field, raw)


def check_pair(kinds: tuple[Operand, ...], operands: tuple[Any, ...]) -> None:
    """Raise OperandError where two numbers or instants mean a range that is turned round."""
    if kinds in ((Operand.NUMBER,) * 2, (Operand.INSTANT,) * 2) and operands[1] < operands[0]:
        raise OperandError(NOT_RISING)


def _text(_field: Field, raw: Any) -> str:
    if not isinstance(raw, str) or not raw.strip() or len(raw) > MAX_TEXT or not _clean(raw):
        raise OperandError(NOT_ONE_TEXT, limit=MAX_TEXT)
    return raw


def _clean(text: str) -> bool:
    """Say whether a database can hold the text: no NUL and no half of a character."""
    return "\x00" not in text and not any("\ud800" <= letter <= "\udfff" for letter in text)


def _many(each: Callable[[Field, Any], Any]) -> Callable[[Field, Any], Any]:
    def check_all(field: Field, raw: Any) -> tuple[Any, ...]:
        if not isinstance(raw, list | tuple) or not 1 <= len(raw) <= MAX_MANY:
            raise OperandError(NOT_MANY, limit=MAX_MANY)
        return tuple(dict.fromkeys(each(field, one) for one in raw))

    return check_all


def _pattern(_field: Field, raw: Any) -> str:
    text = _text(_field, raw)
    try:
        Pattern(text)
    except PatternError as error:
        raise OperandError(error.message) from error
    return text


def _number(_field: Field, raw: Any) -> int | float:
    whole = isinstance(raw, int) and not isinstance(raw, bool)
    if not (whole or (isinstance(raw, float) and math.isfinite(raw))) or abs(raw) > MAX_NUMBER:
        raise OperandError(NOT_A_NUMBER)
    found: int | float = raw
    return found


def _whole(text: str) -> Callable[[Field, Any], Any]:
    def check_whole(_field: Field, raw: Any) -> int:
        if not isinstance(raw, int) or isinstance(raw, bool) or not 0 <= raw <= MAX_NUMBER:
            raise OperandError(text)
        return raw

    return check_whole


def _choice(field: Field, raw: Any) -> Any:
    if field.kind in (Kind.PERSON, Kind.QUEUE):
        return _whole(NOT_A_CHOICE)(field, raw)
    if field.kind is Kind.LIST and isinstance(raw, int) and not isinstance(raw, bool):
        return raw  # a team's or a rule's id
    text = _text(field, raw)
    if field.choices and text not in field.choices:
        raise OperandError(NOT_A_CHOICE)
    if field.ordered and not field.choices:
        _ranked(text)
    return text


def _ranked(text: str) -> None:
    try:
        ranks.of(text)
    except ConditionError as error:
        raise OperandError(NOT_A_RANK) from error


def _maybe(field: Field, raw: Any) -> Any:
    picked = field.kind in (Kind.CHOICE, Kind.PERSON, Kind.QUEUE)
    return _choice(field, raw) if picked else _text(field, raw)


def _parsed(read: Callable[[str], object], text: str) -> Callable[[Field, Any], Any]:
    """Return a check of a text that `read` must understand."""

    def check_text(_field: Field, raw: Any) -> str:
        try:
            if isinstance(raw, str) and len(raw) <= MAX_TEXT:
                read(raw)
                return raw
        except ValueError:
            pass
        raise OperandError(text)

    return check_text


def _weekday(_field: Field, raw: Any) -> int:
    if not isinstance(raw, int) or isinstance(raw, bool) or not 1 <= raw <= 7:
        raise OperandError(NOT_WEEKDAYS)
    return raw


def _clock(_field: Field, raw: Any) -> str:
    if not isinstance(raw, str) or not _CLOCK.fullmatch(raw):
        raise OperandError(NOT_A_CLOCK)
    return raw


_CHECKS: Mapping[Operand, Callable[[Field, Any], Any]] = MappingProxyType(
    {
        Operand.TEXT: _text,
        Operand.TEXTS: _many(_text),
        Operand.PATTERN: _pattern,
        Operand.COUNT: _whole(NOT_A_COUNT),
        Operand.NUMBER: _number,
        Operand.SECONDS: _whole(NOT_A_COUNT),
        Operand.CHOICE: _choice,
        Operand.CHOICES: _many(_choice),
        Operand.MAYBE: _maybe,
        Operand.ADDRESS: _parsed(ip_address, NOT_AN_IP),
        Operand.NETWORKS: _many(_parsed(lambda text: ip_network(text, strict=False), NOT_A_NETWORK)),
        Operand.INSTANT: _whole(NOT_AN_INSTANT),
        Operand.DATE: _parsed(date.fromisoformat, NOT_A_DATE),
        Operand.CLOCK: _clock,
        Operand.WEEKDAYS: _many(_weekday),
        Operand.CALENDAR: _text,
    }
)
