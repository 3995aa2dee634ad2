"""Edits of a typed rule by the buttons of the editor. Pure.

An act is the value of the button that was pressed: its name, and after a colon where it acts. It takes the
typed form (see `forms`) and gives the changed one, and the name of the field that the reader goes on with.
Nothing is raised: an edit that does not fit changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sized
from copy import deepcopy
from typing import Any, Literal, NamedTuple

from dashboard.pages.ruleeditor import whens
from dashboard.pages.ruleeditor.typed_rule import (
    Node,
    Option,
    TypedDefinition,
    TypedRule,
    count,
    how_of,
    named,
    node_at,
    path_of,
)
from dashboard.rulelang.conditions import MAX_CONDITIONS, MAX_LEVELS
from dashboard.rulelang.schema import MAX_ACTIONS
from dashboard.rulelang.values import MAX_TYPES


class EditResult(NamedTuple):
    """The form after an edit, and the name of the field to focus ("" leaves it to the browser)."""

    form: TypedRule
    focus: str = ""


def apply_edit(form: TypedRule, op: str) -> EditResult:
    """Return the form after the act `op`, on a copy."""
    name, _colon, where = op.partition(":")
    made = deepcopy(form)
    if name == "when":
        whens.turn(made)
        return EditResult(made, "types.0")
    do = EDITS.get(name)
    return EditResult(made, do(made["definition"], where)) if do else EditResult(made)


def _add(definition: TypedDefinition, where: str) -> str:
    return _insert(definition, where, {"field": "", "op": ""}, "field")


def _group(definition: TypedDefinition, where: str) -> str:
    path = path_of(where)
    if path is None or len(path) + 1 >= MAX_LEVELS:
        return ""
    return _insert(definition, where, {"any": [{"field": "", "op": ""}]}, "0.field")


def _insert(definition: TypedDefinition, where: str, node: Node, focus: str) -> str:
    path = path_of(where)
    group: Any = None if path is None else node_at(definition["if"], path)
    if path is None or not how_of(group) or count(definition["if"]) >= MAX_CONDITIONS:
        return ""
    inside: list[Any] = group[how_of(group)]
    inside.append(node)
    return f"{named((*path, len(inside) - 1))}.{focus}"


def _delete(definition: TypedDefinition, where: str) -> str:
    path = path_of(where)
    if not path or node_at(definition["if"], path) is None:
        return ""
    group = node_at(definition["if"], path[:-1])
    inside = group[how_of(group)]
    del inside[path[-1]]
    if not inside:
        return f"add:{'.'.join(map(str, path[:-1]))}"
    neighbour = (*path[:-1], min(path[-1], len(inside) - 1))
    part = "how" if how_of(node_at(definition["if"], neighbour)) else "field"
    return f"{named(neighbour)}.{part}"


def _move(step: int) -> Callable[[TypedDefinition, str], str]:
    """Return the act that moves a condition or a group among its neighbours."""

    def move(definition: TypedDefinition, where: str) -> str:
        path = path_of(where)
        if not path or node_at(definition["if"], path) is None:
            return ""
        group = node_at(definition["if"], path[:-1])
        inside, to = group[how_of(group)], path[-1] + step
        if 0 <= to < len(inside):
            inside[path[-1]], inside[to] = inside[to], inside[path[-1]]
            return f"{'dn' if step > 0 else 'up'}:{'.'.join(map(str, (*path[:-1], to)))}"
        return ""

    return move


def _stay(part: str) -> Callable[[TypedDefinition, str], str]:
    """Return the act of a list from which something else was chosen: reading the form has done it."""

    def stay(_definition: TypedDefinition, where: str) -> str:
        path = path_of(where)
        return f"{named(path)}.{part}" if path else ""

    return stay


def _row(rows: Sized, where: str) -> int | None:
    """Return the place in a list that `where` names."""
    path = path_of(where)
    return path[0] if path and len(path) == 1 and path[0] < len(rows) else None


def _add_action(definition: TypedDefinition, where: str) -> str:
    if len(definition["then"]) >= MAX_ACTIONS:
        return ""
    definition["then"].append({"do": where or "notify"})
    return f"then.{len(definition['then']) - 1}.do"


def _delete_action(definition: TypedDefinition, where: str) -> str:
    row = _row(definition["then"], where)
    if row is None:
        return ""
    del definition["then"][row]
    left = len(definition["then"])
    return f"then.{min(row, left - 1)}.do" if left else "addact"


def _move_action(step: int) -> Callable[[TypedDefinition, str], str]:
    def move(definition: TypedDefinition, where: str) -> str:
        row, done = _row(definition["then"], where), definition["then"]
        if row is None or not 0 <= row + step < len(done):
            return ""
        done[row], done[row + step] = done[row + step], done[row]
        return f"{'dnact' if step > 0 else 'upact'}:{row + step}"

    return move


def _chosen(part: Literal["then", "types"], name: str) -> Callable[[TypedDefinition, str], str]:
    def chosen(definition: TypedDefinition, where: str) -> str:
        row = _row(definition[part], where)
        return "" if row is None else name.format(row)

    return chosen


def _add_type(definition: TypedDefinition, _where: str) -> str:
    if len(definition["types"]) >= MAX_TYPES:
        return ""
    definition["types"].append("")
    return f"types.{len(definition['types']) - 1}"


def _delete_type(definition: TypedDefinition, where: str) -> str:
    row = _row(definition["types"], where)
    if row is None or len(definition["types"]) == 1:
        return ""
    del definition["types"][row]
    return f"types.{min(row, len(definition['types']) - 1)}"


def _unless(definition: TypedDefinition, _where: str) -> str:
    wait = definition.setdefault("wait", {"seconds": "", "calendar": "", "unless": []})
    if len(wait["unless"]) < MAX_TYPES:
        wait["unless"].append("")
    return f"wait.unless.{len(wait['unless']) - 1}"


def _not_unless(definition: TypedDefinition, where: str) -> str:
    wait: Option = definition.get("wait", {"unless": []})
    row = _row(wait["unless"], where)
    if row is not None:
        del wait["unless"][row]
    return "addunless"


def _put(definition: TypedDefinition, where: str) -> str:
    """Append a placeholder to a text: "0.title:ticket.number"."""
    place, _colon, name = where.partition(":")
    number, _dot, part = place.partition(".")
    row = _row(definition["then"], number)
    if row is None or not part.isidentifier() or not name:
        return ""
    action = definition["then"][row]
    before = action.get(part)
    if before is not None and not isinstance(before, str):
        return ""
    space = " " if before and not before[-1].isspace() else ""
    action[part] = f"{before or ''}{space}{{{{ {name} }}}}"
    return f"then.{row}.{part}"


EDITS: dict[str, Callable[[TypedDefinition, str], str]] = {
    "add": _add,
    "grp": _group,
    "del": _delete,
    "up": _move(-1),
    "dn": _move(1),
    "field": _stay("field"),
    "op": _stay("op"),
    "addact": _add_action,
    "delact": _delete_action,
    "upact": _move_action(-1),
    "dnact": _move_action(1),
    "act": _chosen("then", "then.{}.do"),
    "addtype": _add_type,
    "deltype": _delete_type,
    "type": _chosen("types", "types.{}"),
    "addunless": _unless,
    "delunless": _not_unless,
    "put": _put,
}
