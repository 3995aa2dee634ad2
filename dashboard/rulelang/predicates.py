"""The predicates behind operators on texts, choices, lists, numbers and changes. Pure.

Every function takes the operands of a condition (validated, as stored), its field and the rule's `Context`,
and returns a test from a value to true or false; the test raises ConditionError where neither holds. An
empty value makes every positive test false; its opposite (`negated`) is then true. Texts are compared
folded. An operator on a change is false for a field that did not change, and for a number that was or
became empty. Source: operators by field type.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any, Protocol

from dashboard.i18n.message import N_
from dashboard.rulelang import ranks as ranks_of_words
from dashboard.rulelang import words
from dashboard.rulelang.fields import ABSENT, ConditionError, Field, Kind, is_empty, number_of, text_of
from dashboard.rulelang.ranks import Rank
from dashboard.rulelang.regex import Pattern
from dashboard.rulelang.words import fold

NOT_LIST = N_("The value is not a list.")
NOT_YES_NO = N_("The value isn't true or false.")
NOT_ADDRESS = N_("The value is not an IP address.")
NOT_LISTED = N_("The value is not one of the field's choices.")
OTHER_SCALE = N_("The two values are on different scales.")


class Calendar(Protocol):
    """Working hours; instants are UTC epoch seconds."""

    def is_open(self, ts: int) -> bool: ...

    def is_holiday(self, ts: int) -> bool: ...

    def open_seconds(self, start: int, end: int) -> int: ...


@dataclass(frozen=True, slots=True)
class Context:
    """What a rule's conditions mean beyond the event: one zone, the owner of a personal rule and the
    user ids of the owner's teams, the site's own addresses, calendars by name. `owner_names` and
    `teammate_names` are their logins and names."""

    zone: str = "UTC"
    owner: int | None = None
    teammates: frozenset[int] = frozenset()
    own_addresses: frozenset[str] = frozenset()
    calendars: Mapping[str, Calendar] = field(default_factory=dict)
    owner_names: frozenset[str] = frozenset()
    teammate_names: frozenset[str] = frozenset()


Test = Callable[[Any], bool]
Operands = tuple[Any, ...]
Build = Callable[[Operands, Field, Context], Test]


def negated(build: Build) -> Build:
    """Return the operator that is true exactly where `build` is false; errors stay errors."""

    def opposite(operands: Operands, of: Field, context: Context) -> Test:
        test = build(operands, of, context)
        return lambda value: not test(value)

    return opposite


def of_texts(found: Callable[[str, Operands], bool]) -> Build:
    """Return an operator that is given the folded value and the folded operands."""

    def build(operands: Operands, of: Field, context: Context) -> Test:
        wanted = tuple(map(_fold_all, operands))

        def test(value: Any) -> bool:
            if value.__class__ is str:
                return value != "" and found(fold(value), wanted)
            return not is_empty(value) and found(fold(text_of(value)), wanted)

        return test

    return build


def _fold_all(operand: Any) -> Any:
    return fold(operand) if isinstance(operand, str) else tuple(map(fold, operand))


def is_own_address(_operands: Operands, _of: Field, context: Context) -> Test:
    own = frozenset(map(fold, context.own_addresses))
    return lambda value: not is_empty(value) and fold(text_of(value)) in own


def pattern(operands: Operands, _of: Field, _context: Context) -> Test:
    compiled = Pattern(operands[0])
    return lambda value: not is_empty(value) and compiled.found(text_of(value))


def length(compare: Callable[[int, int], bool]) -> Build:
    def build(operands: Operands, _of: Field, _context: Context) -> Test:
        return lambda value: not is_empty(value) and compare(words.letters(text_of(value)), operands[0])

    return build


def same_ip(operands: Operands, _of: Field, _context: Context) -> Test:
    wanted = _ip(operands[0])
    return lambda value: not is_empty(value) and _ip(value) == wanted


def in_network(operands: Operands, _of: Field, _context: Context) -> Test:
    networks = [ip_network(each, strict=False) for each in operands[0]]
    return lambda value: not is_empty(value) and any(_ip(value) in network for network in networks)


@lru_cache(maxsize=1024)
def _address(text: str) -> IPv4Address | IPv6Address:
    found = ip_address(text)
    return getattr(found, "ipv4_mapped", None) or found


def _ip(value: Any) -> IPv4Address | IPv6Address:
    try:
        return _address(text_of(value).strip())
    except ValueError as error:
        raise ConditionError(NOT_ADDRESS) from error


def one_of(operands: Operands, _of: Field, _context: Context) -> Test:
    """Compare exactly, for what is picked from a list and not typed."""
    return _among(frozenset(operands[0]))


def is_me(_operands: Operands, of: Field, context: Context) -> Test:
    if of.names_user:
        return _named(context.owner_names)
    return _among(frozenset({context.owner}) - {None})


def on_my_team(_operands: Operands, of: Field, context: Context) -> Test:
    return _named(context.teammate_names) if of.names_user else _among(context.teammates)


def _named(names: frozenset[str]) -> Test:
    wanted = frozenset(map(fold, names))
    return lambda value: not is_empty(value) and fold(text_of(value)).strip() in wanted


def _among(wanted: frozenset[Any]) -> Test:
    def test(value: Any) -> bool:
        try:
            return value in wanted
        except TypeError as error:  # a list or an object
            if is_empty(value):
                return False
            raise ConditionError(NOT_LISTED) from error

    return test


def rank(of: Field, value: Any) -> Rank:
    """Return the place of an ordered choice, or of a word. Raises ConditionError where it is unknown."""
    if not of.choices:
        return ranks_of_words.of(value)
    try:
        return Rank("choice", of.choices.index(value))
    except ValueError as error:
        raise ConditionError(NOT_LISTED) from error


def _compared(compare: Callable[[int, int], bool], one: Rank, other: Rank) -> bool:
    if one.scale != other.scale:
        raise ConditionError(OTHER_SCALE)
    return compare(one.place, other.place)


def ranked(compare: Callable[[int, int], bool]) -> Build:
    def build(operands: Operands, of: Field, _context: Context) -> Test:
        limit = rank(of, operands[0])
        return lambda value: not is_empty(value) and _compared(compare, rank(of, value), limit)

    return build


def members(found: Callable[[set[Any], set[Any]], bool]) -> Build:
    """Return an operator on lists: it gets the folded items of the value and of the operand."""

    def build(operands: Operands, _of: Field, _context: Context) -> Test:
        wanted = _members(list(operands[0]))
        return lambda value: not is_empty(value) and found(_members(value), wanted)

    return build


def _members(value: Any) -> set[Any]:
    if not isinstance(value, list | tuple | set | frozenset):
        raise ConditionError(NOT_LIST)
    return {fold(each) if isinstance(each, str) else each for each in value}


def truth(wanted: bool) -> Build:
    def test(value: Any) -> bool:
        if value is True or value is False:
            return value is wanted
        if is_empty(value):
            return False
        raise ConditionError(NOT_YES_NO)

    return lambda _operands, _of, _context: test


def number(compare: Callable[[Any, Any], bool]) -> Build:
    """Return an operator on numbers; `compare` is given the operand first: "below 5" asks 5 > value."""

    def build(operands: Operands, _of: Field, _context: Context) -> Test:
        limit = operands[0]

        def test(value: Any) -> bool:
            if value.__class__ is int or value.__class__ is float:
                return compare(limit, value)
            return not is_empty(value) and compare(limit, number_of(value))

        return test

    return build


def between(operands: Operands, _of: Field, _context: Context) -> Test:
    low, high = operands
    return lambda value: not is_empty(value) and low <= number_of(value) <= high


def empty(_operands: Operands, _of: Field, _context: Context) -> Test:
    return is_empty


_TYPED = (Kind.TEXT, Kind.LONG_TEXT, Kind.ADDRESS, Kind.IP)  # compared folded; the rest is picked


def changed(_operands: Operands, _of: Field, _context: Context) -> Test:
    return lambda change: change is not ABSENT


def from_to(operands: Operands, of: Field, _context: Context) -> Test:
    """From the first to the second operand; None stands for any value, also an empty one."""
    plain: Callable[[Any], Any] = (lambda value: fold(text_of(value))) if of.kind in _TYPED else (lambda v: v)
    old, new = (None if each is None else plain(each) for each in operands)

    def is_(wanted: Any, value: Any) -> bool:
        return wanted is None or (not is_empty(value) and plain(value) == wanted)

    return lambda change: change is not ABSENT and is_(old, change.old) and is_(new, change.new)


def numbers(found: Callable[[Any, Any, Any], bool]) -> Build:
    """Return an operator that is given the old number, the new one and the operand (None if it has none)."""

    def build(operands: Operands, _of: Field, _context: Context) -> Test:
        limit = operands[0] if operands else None

        def test(change: Any) -> bool:
            if change is ABSENT or any(map(is_empty, change)):
                return False
            return found(number_of(change.old), number_of(change.new), limit)

        return test

    return build


def ranks(found: Callable[[int, int], bool]) -> Build:
    """Return an operator on an ordered choice that is given its old and its new place."""

    def build(_operands: Operands, of: Field, _context: Context) -> Test:
        def test(change: Any) -> bool:
            if change is ABSENT or any(map(is_empty, change)):
                return False
            return _compared(found, rank(of, change.old), rank(of, change.new))

        return test

    return build


def became(wanted: bool) -> Build:
    def test(change: Any) -> bool:
        return change is not ABSENT and change.new is wanted and change.old is not wanted

    return lambda _operands, _of, _context: test


def members_changed(gained: bool) -> Build:
    """Return an operator that asks whether any of the operands came into the list, or left it."""

    def build(operands: Operands, _of: Field, _context: Context) -> Test:
        wanted = _change_set(operands[0])

        def test(change: Any) -> bool:
            if change is ABSENT:
                return False
            old, new = _change_set(change.old), _change_set(change.new)
            return bool(((new - old) if gained else (old - new)) & wanted)

        return test

    return build


def _change_set(value: Any) -> set[Any]:
    if is_empty(value):
        return set()
    return {fold(each) if isinstance(each, str) else each for each in value}
