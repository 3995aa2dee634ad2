"""Renders the conditions of a rule as one sentence, for lists and above the editor. Pure.

The sentence is a message of nested messages, translated where the reader's language is known:
"Direction is any of in, and not (User is me)".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from enum import Enum
from functools import reduce
from typing import Any, Final

from dashboard.i18n.message import N_, Message, listed, message
from dashboard.rulelang.conditions import Condition, Group, Node
from dashboard.rulelang.fields import OTHER, Field, Kind, find
from dashboard.rulelang.operand_types import Operand
from dashboard.rulelang.operators import OPERATORS

AND = N_("%(first)s and %(second)s")
OR = N_("%(first)s or %(second)s")
NOT = N_("not (%(inner)s)")
BRACKETS = N_("(%(inner)s)")
ALWAYS = N_("always")
NEVER = N_("never")
OTHER_FIELD = N_("%(label)s “%(path)s”")
ANYTHING = N_("anything")
SEEN = N_("%(label)s (%(seen)s)")
NAMES = ("first", "second", "third")
INCOMPLETE = N_("%(condition)s (incomplete)")
OPERATOR_OPEN = N_("%(field)s …")
OPEN = "…"  # stands for what has not been chosen yet


class Unset(Enum):
    """The operand of a condition that has not been typed yet."""

    UNSET = "unset"


UNSET: Final = Unset.UNSET

Show = Callable[[Field, Any], str]

# Operands that are not written as a value of their field is.
_WRITTEN = {
    Operand.SECONDS: Kind.DURATION,
    Operand.COUNT: Kind.NUMBER,
    Operand.CLOCK: Kind.CLOCK,
    Operand.WEEKDAYS: Kind.WEEKDAY,
    Operand.CALENDAR: Kind.TEXT,
}


def plain(_field: Field, value: Any) -> str:
    """Show one operand as it is stored."""
    return str(value)


def sentence(tree: Node, known: Mapping[str, Field], show: Show = plain) -> Message:
    """Return what a tree says.

    `show` puts one operand into words: the name of a person, the label of a choice, a duration.
    """
    if isinstance(tree, Condition):
        return condition(tree, known, show)
    if not tree.children:
        return Message(NEVER if tree.how == "any" else ALWAYS)
    inner = [_bracketed(child, tree, sentence(child, known, show)) for child in tree.children]
    joined = reduce(lambda first, second: message(_joint(tree), first=first, second=second), inner)
    return message(NOT, inner=joined) if tree.how == "none" else joined


def _joint(group: Group) -> str:
    return AND if group.how == "all" else OR


def _bracketed(child: Node, group: Group, text: Message) -> Message:
    """Bracket a group of several whose joining word is not that of the group around it."""
    mixed = isinstance(child, Group) and len(child.children) > 1 and child.how != "none"
    if mixed and isinstance(child, Group) and _joint(child) != _joint(group):
        return message(BRACKETS, inner=text)
    return text


def condition(
    node: Condition, known: Mapping[str, Field], show: Show = plain, seen: str | Message | None = None
) -> Message:
    """Return what one condition says, with what was `seen` of its field behind the field's label."""
    field, row = find(node.field, dict(known)), OPERATORS.get(node.op)
    if field is None or row is None:
        label = Message(node.field) if field is None else Message(field.label)
        return message(INCOMPLETE, condition=message(OPERATOR_OPEN, field=label) if label.text else OPEN)
    label = Message(field.label)
    if field.label == OTHER:
        label = message(OTHER_FIELD, label=label, path=field.path)
    if seen is not None:
        label = message(SEEN, label=label, seen=seen)
    shown = [
        _operand(each, _as_operand(field, kind), show)
        for each, kind in zip(node.operands, row.operands, strict=False)
    ]
    values = {"value": shown[0]} if len(shown) == 1 else dict(zip(NAMES, shown, strict=False))
    shown_condition = message(row.phrase, field=label, **values)
    return message(INCOMPLETE, condition=shown_condition) if UNSET in node.operands else shown_condition


def _as_operand(field: Field, kind: Operand) -> Field:
    """Return the field as its operand is written: "more than 0:30:00 ago" compares an instant."""
    return replace(field, kind=_WRITTEN[kind]) if kind in _WRITTEN else field


def _operand(operand: Any, field: Field, show: Show) -> str | Message:
    if operand is None:
        return Message(ANYTHING)
    if operand is UNSET:
        return OPEN
    if isinstance(operand, tuple):
        return listed(show(field, each) for each in operand)
    return show(field, operand)
