"""References of a definition: users, teams, accesses, queues, channels, rules and calendars. Pure.

One walk over the JSON form serves every use: collecting references, and replacing ids by names and back.
Parts that cannot be understood are left as they are; validation reports them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from dashboard.rulelang import declared
from dashboard.rulelang.actions import ACTIONS
from dashboard.rulelang.conditions import MAX_LEVELS
from dashboard.rulelang.operand_types import Operand
from dashboard.rulelang.operators import OPERATORS
from dashboard.rulelang.triggers import OPTIONS
from dashboard.rulelang.values import Part

# Fields of conditions whose values are ids: field → what they mean.
FIELDS = MappingProxyType({"user": "user", "queue": "queue", "user.team": "team", "cause.rule": "rule"})

Replace = Callable[[str, Any], Any]
"""From what a value means and the value, to the value that takes its place; None leaves it out."""


def replaced(raw: Mapping[str, Any], replace: Replace) -> dict[str, Any]:
    """Return the JSON form of a definition with other values for its references; `raw` is not changed.

    A change from one value to another that lost one of them has the value [].
    """
    made = dict(raw)
    if isinstance(made.get("if"), dict):
        made["if"] = _node(made["if"], replace, 0)
    for name, option in OPTIONS.items():
        if isinstance(made.get(name), dict):
            made[name] = _object(declared.parts(option.cls), made[name], replace)
    if isinstance(made.get("then"), list):
        made["then"] = [_action(each, replace) for each in made["then"]]
    return made


def collected(raw: Any) -> dict[str, set[Any]]:
    """Return the ids and names that a definition in JSON refers to, by what they mean."""
    found: dict[str, set[Any]] = defaultdict(set)

    def collect(meaning: str, value: Any) -> Any:
        if isinstance(value, int | str):
            found[meaning].add(value)
        return value

    if isinstance(raw, Mapping):
        replaced(raw, collect)
    return found


def _node(node: Any, replace: Replace, level: int) -> Any:
    if not isinstance(node, dict) or level > MAX_LEVELS + 1:
        return node
    if "field" in node:
        return _condition(node, replace)
    return {
        how: [_node(each, replace, level + 1) for each in inner] if isinstance(inner, list) else inner
        for how, inner in node.items()
    }


def _condition(node: dict[str, Any], replace: Replace) -> dict[str, Any]:
    field, op, value = node["field"], node.get("op"), node.get("value")
    row = OPERATORS.get(op) if isinstance(op, str) else None
    if row is not None and Operand.CALENDAR in row.operands:
        return {**node, "value": _calendar(row.operands, value, replace)}
    meaning = FIELDS.get(field) if isinstance(field, str) else None
    if meaning is None or not isinstance(value, list):
        return node
    found = [None if each is None else replace(meaning, each) for each in value]
    if op != "changed_from_to":
        return {**node, "value": [each for each in found if each is not None]}
    whole = all((old is None) == (new is None) for old, new in zip(value, found, strict=True))
    return {**node, "value": found if whole else []}


def _calendar(operands: tuple[Operand, ...], value: Any, replace: Replace) -> Any:
    if len(operands) == 1:
        return replace("calendar", value)
    given = value if isinstance(value, list) else []
    first = [replace("calendar", each) for each in given[:1]]
    return [*first, *given[1:]] if given else value


def _action(action: Any, replace: Replace) -> Any:
    row = ACTIONS.get(str(action.get("do"))) if isinstance(action, dict) else None
    return _object(row.params, action, replace) if row is not None else action


def _object(parts: Sequence[Part], given: Mapping[str, Any], replace: Replace) -> dict[str, Any]:
    made = dict(given)
    for part in parts:
        value, meaning = made.get(part.name), part.kind.reference
        if isinstance(value, dict) and part.kind.parts():
            made[part.name] = _object(part.kind.parts(), value, replace)
        elif meaning and isinstance(value, list):
            changed = [replace(meaning, each) for each in value]
            made[part.name] = [each for each in changed if each is not None]
        elif meaning and value not in (None, ""):
            made[part.name] = replace(meaning, value)
    return made
