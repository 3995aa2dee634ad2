"""Definitions with names in place of ids, and back, for rules that go from one site to another. Pure.

Works on the JSON form. Users are called by login; teams, queues, accesses, channels and rules by name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from dashboard.rulelang.conditions import MAX_LEVELS

UNSEEN = "?"  # stands for what the exporter may not see

# Fields whose operands are ids: field → kind of what is named.
_FIELDS = {"user": "user", "queue": "queue", "user.team": "team", "cause.rule": "rule"}
_TO = {"users": "user", "teams": "team", "accesses": "access"}

Swap = Callable[[str, Any], Any]


@dataclass
class Lost:
    """What had no name or no id: (kind, name as it stood), each once, in order."""

    found: dict[tuple[str, str], None] = field(default_factory=dict)

    def add(self, kind: str, name: Any) -> None:
        self.found[kind, str(name)[:80] if isinstance(name, str | int) else "…"] = None


def named(raw: Mapping[str, Any], names: Mapping[str, Mapping[int, str]]) -> dict[str, Any]:
    """Return a definition's JSON with names for ids; `names` maps a kind (user, queue, team, access,
    channel, rule) to its names by id. What has none there is called UNSEEN."""
    return _swapped(raw, lambda kind, value: names[kind].get(value, UNSEEN) if _is_id(value) else value)


def numbered(raw: Mapping[str, Any], ids: Mapping[str, Mapping[str, int]]) -> tuple[dict[str, Any], Lost]:
    """Return what `named` made with ids for names; names that are unknown here are left out and told.

    A condition or an action that names nothing any more is left out whole. Whatever stands in `raw` comes
    back as it is where it cannot be understood: the check on save is to judge it.
    """
    lost = Lost()

    def swap(kind: str, value: Any) -> Any:
        found = ids[kind].get(value) if isinstance(value, str) else None
        if found is None:
            lost.add(kind, value)
        return found

    made = _swapped(raw, swap)
    if isinstance(made.get("if"), dict):
        made["if"] = _without_gaps(made["if"], 0) or {"all": []}
    if isinstance(made.get("then"), list):
        made["then"] = [each for each in made["then"] if not _is_void(each)]
    return made, lost


def _swapped(raw: Mapping[str, Any], swap: Swap) -> dict[str, Any]:
    made = dict(raw)
    if isinstance(made.get("if"), dict):
        made["if"] = _tree(made["if"], swap, 0)
    if isinstance(made.get("then"), list):
        made["then"] = [_doing(each, swap) if isinstance(each, dict) else each for each in made["then"]]
    return made


def _tree(node: Any, swap: Swap, level: int) -> Any:
    if not isinstance(node, dict) or level > MAX_LEVELS + 1:
        return node
    if "field" in node:
        return _condition(node, swap)
    return {
        how: [_tree(each, swap, level + 1) for each in inner] if isinstance(inner, list) else inner
        for how, inner in node.items()
    }


def _condition(node: dict[str, Any], swap: Swap) -> dict[str, Any]:
    kind = _FIELDS.get(node["field"]) if isinstance(node["field"], str) else None
    if kind is None or not isinstance(node.get("value"), list):
        return node
    found = [None if each is None else swap(kind, each) for each in node["value"]]
    if node.get("op") != "changed_from_to":
        return {**node, "value": [each for each in found if each is not None]}
    whole = all((old is None) == (new is None) for old, new in zip(node["value"], found, strict=True))
    return {**node, "value": found if whole else []}


def _doing(doing: dict[str, Any], swap: Swap) -> dict[str, Any]:
    made = dict(doing)
    if isinstance(made.get("to"), dict):
        made["to"] = {
            name: [each for each in (swap(_TO[name], one) for one in ids) if each is not None]
            if name in _TO and isinstance(ids, list)
            else ids
            for name, ids in made["to"].items()
        }
    if made.get("channel") is not None:
        made["channel"] = swap("channel", made["channel"])
    return made


def _without_gaps(node: Any, level: int) -> Any:
    """Return a tree without conditions that lost all that they name, None where nothing is left of it."""
    if not isinstance(node, dict) or level > MAX_LEVELS + 1:
        return node
    if "field" in node:
        gone = node.get("field") in _FIELDS and node.get("value") == [] if _is_text(node["field"]) else False
        return None if gone else node
    made = {}
    for how, inner in node.items():
        kept = inner
        if isinstance(inner, list):
            kept = [each for each in (_without_gaps(one, level + 1) for one in inner) if each is not None]
            if inner and not kept and level:
                return None
        made[how] = kept
    return made


def _is_void(doing: Any) -> bool:
    """Say whether an action has lost its channel or everybody whom it told."""
    if not isinstance(doing, dict):
        return False
    if "channel" in doing and doing["channel"] is None:
        return True
    to = doing.get("to")
    empty = isinstance(to, dict) and not any(to.values())
    return empty and not doing.get("addresses")


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_id(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
