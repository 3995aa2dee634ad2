"""The conditions of a rule: a tree of all, any and none groups, its JSON form and validation. Pure.

    {"all": [{"field": "data.direction", "op": "one_of", "value": ["in"]},
             {"none": [{"field": "user", "op": "is_me"}]}]}

An operator without operands has no "value", one with a single operand has it as "value", one with several a
list. An empty `all` is true, an empty `any` is false, `none` is true if no child is true. The root is a
group; groups nest at most three levels deep. A node is addressed by its path of child indexes from the
root, counted from 0: "1.0" is the first child of the root's second child. Errors are keyed by node and
part: "1.0.value".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, get_args

from dashboard.i18n.message import N_, Message, message
from dashboard.rulelang.fields import Field, find
from dashboard.rulelang.operand_types import OperandError, check, check_pair
from dashboard.rulelang.operators import OPERATORS, Operator
from dashboard.rulelang.validation import ROOT, ErrorPath, Errors

MAX_LEVELS = 3  # groups, the root included
MAX_CONDITIONS = 100

NOT_A_NODE = N_("Expected a condition or a group.")
TOO_DEEP = N_("Groups can be nested up to %(limit)s levels.")
TOO_MANY = N_("A rule can have up to %(limit)s conditions.")
EMPTY_GROUP = N_("Add at least one condition to the group.")
NO_FIELD = N_("These event types don't have this field.")
NO_OPERATOR = N_("This operator can't be used with this field.")
NO_VALUE = N_("This operator doesn't take a value.")
WRONG_COUNT = N_("This operator requires %(count)s values.")

How = Literal["all", "any", "none"]


@dataclass(frozen=True, slots=True)
class Condition:
    """One comparison; `operands` are checked, lists as tuples, as many as the operator asks for."""

    field: str
    op: str
    operands: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class Group:
    """Conditions and groups of which all, any or none must be true."""

    how: How
    children: tuple[Node, ...] = ()


Node = Condition | Group
ALWAYS = Group("all")


def parse(raw: Any, known: dict[str, Field]) -> Group | Errors:
    """Return the tree of decoded JSON, or its errors by node path; the root's own error is at "".

    `known` are the fields of the rule's types. Whatever `raw` is, nothing is raised.
    """
    errors: Errors = {}
    tree = _group(raw, ROOT, 1, known, errors)
    if tree is not None and sum(1 for _ in conditions(tree)) > MAX_CONDITIONS:
        errors[ROOT] = message(TOO_MANY, limit=MAX_CONDITIONS)
    return errors if errors or tree is None else tree


def dump(node: Node) -> dict[str, Any]:
    """Return the JSON form of a tree; `parse` of it gives the same tree."""
    if isinstance(node, Group):
        return {node.how: [dump(child) for child in node.children]}
    made: dict[str, Any] = {"field": node.field, "op": node.op}
    if node.operands:
        plain = [list(each) if isinstance(each, tuple) else each for each in node.operands]
        made["value"] = plain[0] if len(plain) == 1 else plain
    return made


def conditions(node: Node, path: ErrorPath = ROOT) -> Iterator[tuple[ErrorPath, Condition]]:
    """Yield every condition of a tree with its path, from left to right."""
    if isinstance(node, Condition):
        yield path, node
    else:
        for number, child in enumerate(node.children):
            yield from conditions(child, path / number)


def _group(raw: Any, path: ErrorPath, level: int, known: dict[str, Field], errors: Errors) -> Group | None:
    how = next((each for each in get_args(How) if isinstance(raw, dict) and list(raw) == [each]), None)
    if how is None or not isinstance(raw[how], list | tuple):
        errors[path] = Message(NOT_A_NODE)
        return None
    if level > MAX_LEVELS:
        errors[path] = message(TOO_DEEP, limit=MAX_LEVELS)
        return None
    inner = raw[how]
    if not inner and path:
        errors[path] = Message(EMPTY_GROUP)
    if len(inner) > MAX_CONDITIONS:
        errors[path] = message(TOO_MANY, limit=MAX_CONDITIONS)
        return None
    children = [_node(each, path / n, level + 1, known, errors) for n, each in enumerate(inner)]
    return Group(how, tuple(child for child in children if child is not None))


def _node(raw: Any, path: ErrorPath, level: int, known: dict[str, Field], errors: Errors) -> Node | None:
    if isinstance(raw, dict) and "field" in raw:
        return _condition(raw, path, known, errors)
    return _group(raw, path, level, known, errors)


def _condition(
    raw: dict[Any, Any], path: ErrorPath, known: dict[str, Field], errors: Errors
) -> Condition | None:
    if not set(raw) <= {"field", "op", "value"}:
        errors[path] = Message(NOT_A_NODE)
        return None
    name, op = raw["field"], raw.get("op")
    field = find(name, known) if isinstance(name, str) else None
    if field is None:
        errors[path / "field"] = Message(NO_FIELD)
        return None
    row = OPERATORS.get(op) if isinstance(op, str) else None
    if row is None or not row.fits(field):
        errors[path / "op"] = Message(NO_OPERATOR)
        return None
    try:
        return Condition(field.path, row.name, _operands(row, field, raw))
    except OperandError as error:
        errors[path / "value"] = error.message
        return None


def _operands(row: Operator, field: Field, raw: dict[Any, Any]) -> tuple[Any, ...]:
    count = len(row.operands)
    if count == 0:
        if raw.get("value") is not None:
            raise OperandError(NO_VALUE)
        return ()
    given = raw.get("value")
    if count == 1:
        return (check(row.operands[0], field, given),)
    if not isinstance(given, list | tuple) or len(given) != count:
        raise OperandError(WRONG_COUNT, count=count)
    found = tuple(check(kind, field, each) for kind, each in zip(row.operands, given, strict=True))
    check_pair(row.operands, found)
    return found
