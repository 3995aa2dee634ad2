"""What operators on a change do: from operands to a test of a `Change`, or of ABSENT without one. Pure.

A field that did not change makes every one of them false, and so does a number that was or became empty.
Source: operators by field type.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dashboard.rulelang.fields import Field, Kind
from dashboard.rulelang.predicates import Build, Context, Operands, Test, rank
from dashboard.rulelang.values import ABSENT, fold, is_empty, number_of, text_of

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
            return found(rank(of, change.old), rank(of, change.new))

        return test

    return build


def became(wanted: bool) -> Build:
    def test(change: Any) -> bool:
        return change is not ABSENT and change.new is wanted and change.old is not wanted

    return lambda _operands, _of, _context: test


def members(gained: bool) -> Build:
    """Return an operator that asks whether any of the operands came into the list, or left it."""

    def build(operands: Operands, _of: Field, _context: Context) -> Test:
        wanted = _set(operands[0])

        def test(change: Any) -> bool:
            if change is ABSENT:
                return False
            old, new = _set(change.old), _set(change.new)
            return bool(((new - old) if gained else (old - new)) & wanted)

        return test

    return build


def _set(value: Any) -> set[Any]:
    if is_empty(value):
        return set()
    return {fold(each) if isinstance(each, str) else each for each in value}
