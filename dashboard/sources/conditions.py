"""Reads conditions that are more than filters side by side. Pure.

`any=SOURCE:FIELD=VALUE;FIELD__OP=VALUE` asks for interactions of which another source has such a row, `none=`
for those of which it has none; a field given twice means any of its values. `filter=` is a tree as in rules,
{"all": [{"field": "talk", "op": "ge", "value": "1:30"}, {"none": [...]}]}, with the operators of OPERATORS.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from dashboard.i18n.message import N_, Message, message
from dashboard.sources.declared.activities import ACTIVITIES
from dashboard.sources.declared.user_events import USER_EVENTS
from dashboard.sources.filters import FilterReader
from dashboard.sources.query import Filter, Op, Related, Tree

MAX_LEVELS = 3
MAX_CONDITIONS = 50
HOW = ("all", "any", "none")

# The sources of whose rows an interaction has any number: what follows FROM, with the interaction as `i`.
_OF_SAME = "e.source_id = i.source_id AND e.interaction = i.external_id"
RELATED = {
    "user_events": (USER_EVENTS, f'"event" e WHERE {_OF_SAME} AND {USER_EVENTS.where}'),
    "activities": (ACTIVITIES, '"activity" a WHERE a.interaction_id = i.id'),
}


class _Test(NamedTuple):
    """How an operator of rules compares here; `value` is that of one that takes none."""

    op: Op
    value: str = ""


OPERATORS = {
    **dict.fromkeys(("is", "is_any_of", "one_of", "eq"), _Test(Op.ANY_OF)),
    **dict.fromkeys(("is_not", "is_none_of", "not_one_of", "ne"), _Test(Op.NOT)),
    "contains": _Test(Op.CONTAINS),
    "ge": _Test(Op.GTE),
    "gt": _Test(Op.GT),
    "after": _Test(Op.GT),
    "le": _Test(Op.LTE),
    "lt": _Test(Op.LT),
    "before": _Test(Op.LT),
    "is_true": _Test(Op.ANY_OF, "1"),
    "is_false": _Test(Op.ANY_OF, "0"),
    "is_empty": _Test(Op.BLANK, "1"),
    "is_not_empty": _Test(Op.BLANK, "0"),
}

NO_INTERACTION = N_("Rows of this source have no interaction.")
UNKNOWN_SOURCE = N_("Write SOURCE:FIELD=VALUE, with one of %(names)s as the source.")
NOT_RELATED = N_("“%(name)s” can't be used here.")
AT = N_("%(place)s: %(error)s")
NOT_A_TREE = N_("Expected a group of conditions as JSON, such as %(example)s.")
EXAMPLE = '{"all": [{"field": "talk", "op": "ge", "value": "1:30"}]}'
NOT_A_NODE = N_("Expected a condition or a group.")
TOO_DEEP = N_("Groups can be nested up to %(limit)s levels.")
TOO_MANY = N_("At most %(limit)s conditions.")
NO_OPERATOR = N_("Unknown operator. Use one of %(names)s.")


class _Fault(Exception):  # noqa: N818
    """A condition that cannot be used; `args[0]` is the message."""


def related(reader: FilterReader, name: str, texts: Iterable[str]) -> list[Related]:
    """Return the conditions of the parameter `any` or `none`; one that cannot be used becomes an error."""
    given, found = [text for text in texts if text], []
    if len(given) > MAX_CONDITIONS:
        reader.errors[name] = message(TOO_MANY, limit=MAX_CONDITIONS)
        return []
    for text in given:
        try:
            found.append(_related(reader, text, none=name == "none"))
        except _Fault as fault:
            reader.errors[name] = fault.args[0]
    return found


def _related(reader: FilterReader, text: str, none: bool) -> Related:
    name, _, rest = text.partition(":")
    if not reader.source.of_interactions:
        raise _Fault(Message(NO_INTERACTION))
    if name not in RELATED:
        raise _Fault(message(UNKNOWN_SOURCE, names=", ".join(RELATED)))
    source, rows = RELATED[name]
    given: dict[str, list[str]] = {}
    for part in filter(None, rest.split(";")):
        key, _, value = part.partition("=")
        given.setdefault(key, []).append(value)
    inner = FilterReader(source, reader.zone, reader.names, {})
    filters = inner.read(given)
    for key, error in inner.errors.items():
        raise _Fault(message(AT, place=key[:80], error=error))
    grain = source.entities[0]
    for each in filters:
        if each.entity is not grain or each.field.content or each.op is Op.CONTAINS or each.bucket:
            raise _Fault(message(NOT_RELATED, name=each.field.name))
    if len(filters) < len(given):  # a field without a value is none of the reader's errors
        raise _Fault(message(UNKNOWN_SOURCE, names=", ".join(RELATED)))
    return Related(name, rows, tuple(filters), none)


def tree(reader: FilterReader, text: str) -> Tree | None:
    """Return the tree of the parameter `filter`; one that cannot be used becomes an error."""
    if not text:
        return None
    try:
        raw = json.loads(text)
    except (ValueError, RecursionError):
        reader.errors["filter"] = message(NOT_A_TREE, example=EXAMPLE)
        return None
    try:
        found = _group(reader, raw, (), 1)
        if sum(1 for _ in found.conditions()) > MAX_CONDITIONS:
            raise _Fault(message(TOO_MANY, limit=MAX_CONDITIONS))
        return found
    except _Fault as fault:
        reader.errors["filter"] = fault.args[0]
        return None


def _at(path: Sequence[int], error: Message) -> _Fault:
    """Return a fault that names its place by the indexes of groups and conditions from the root, from 0."""
    return _Fault(message(AT, place=".".join(map(str, path)), error=error) if path else error)


def _group(reader: FilterReader, raw: Any, path: tuple[int, ...], level: int) -> Tree:
    how = next((each for each in HOW if isinstance(raw, dict) and list(raw) == [each]), None)
    if how is None or not isinstance(raw[how], list):
        raise _at(path, Message(NOT_A_NODE) if path else message(NOT_A_TREE, example=EXAMPLE))
    if level > MAX_LEVELS:
        raise _at(path, message(TOO_DEEP, limit=MAX_LEVELS))
    if len(raw[how]) > MAX_CONDITIONS:
        raise _at(path, message(TOO_MANY, limit=MAX_CONDITIONS))
    parts: list[Filter | Tree] = []
    for n, each in enumerate(raw[how]):
        if isinstance(each, dict) and "field" in each:
            parts.append(_condition(reader, each, (*path, n)))
        else:
            parts.append(_group(reader, each, (*path, n), level + 1))
    return Tree(how, tuple(parts))


def _condition(reader: FilterReader, raw: dict[Any, Any], path: tuple[int, ...]) -> Filter:
    name, op, value = raw["field"], raw.get("op"), raw.get("value")
    if not set(raw) <= {"field", "op", "value"} or not isinstance(name, str):
        raise _at(path, Message(NOT_A_NODE))
    test = OPERATORS.get(op) if isinstance(op, str) else None
    if test is None:
        raise _at(path, message(NO_OPERATOR, names=", ".join(OPERATORS)))
    values = [test.value] if test.value else value if isinstance(value, list) else [value]
    plain = [str(each) for each in values if isinstance(each, str | int) and not isinstance(each, bool)]
    found = reader.one(name, test.op, plain) if plain and len(plain) == len(values) else Message(NOT_A_NODE)
    if isinstance(found, Message):
        raise _at(path, found)
    return found
