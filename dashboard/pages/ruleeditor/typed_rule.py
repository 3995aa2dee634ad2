"""A rule as it is typed in the editor: its shape, and the tree of its conditions; pure.

A typed rule is JSON, kept in drafts: what its parts hold may be wrong or missing, since it is checked only
when the rule is saved.
"""

from __future__ import annotations

from typing import Any, NotRequired, TypedDict

from dashboard.rulelang.conditions import MAX_LEVELS
from dashboard.rulelang.validation import ErrorPath

HOWS = ("all", "any", "none")

Path = tuple[int, ...]
Node = dict[str, Any]  # a group {"all": [Node]}, or a condition {"field", "op", "value"}
Action = dict[str, Any]  # {"do"} and its parameters, see `codec`
Option = dict[str, Any]  # the parts of an option, see `codec`

TypedDefinition = TypedDict(
    "TypedDefinition",
    {
        "types": list[str],
        "if": Node,
        "then": list[Action],
        "stop": bool,
        "loop": str,
        "zone": str,
        "times": NotRequired[Option],
        "wait": NotRequired[Option],
        "after": NotRequired[Option],
        "count": NotRequired[Option],
        "schedule": NotRequired[Option],
    },
)


class TypedRule(TypedDict):
    """`list` is "my" or "system", of a new rule. `existing` says for which open subjects a deadline is:
    "new" or "all". `version` and `seen` are those of the stored rule that the form was made from."""

    name: str
    description: str
    list: str
    group: int | str | None
    position: int | str
    state: str
    existing: str
    pending: str
    version: int
    seen: str
    when: str
    definition: TypedDefinition


def how_of(group: Any) -> str:
    """Return how a group joins its children, "" for what is no group."""
    names = [how for how in HOWS if isinstance(group, dict) and isinstance(group.get(how), list)]
    return names[0] if names and "field" not in group else ""


def children(group: Any) -> list[Any]:
    how = how_of(group)
    return list(group[how]) if how else []


def path_of(where: str) -> Path | None:
    """Return "0.2" as (0, 2) and "" as the root; None for anything else."""
    if not where:
        return ()
    steps = where.split(".")
    if len(steps) > MAX_LEVELS or not all(
        step.isascii() and step.isdigit() and len(step) < 4 for step in steps
    ):
        return None
    return tuple(map(int, steps))


def named(path: Path) -> ErrorPath:
    """Return the place of a node, under whose name its fields are posted."""
    return ErrorPath("if", *path)


def node_at(tree: Any, path: Path) -> Any:
    """Return the node, None where there is none."""
    for step in path:
        inside = children(tree)
        if step >= len(inside):
            return None
        tree = inside[step]
    return tree


def count(tree: Any) -> int:
    """Return the number of conditions."""
    inside = children(tree)
    return sum(map(count, inside)) if how_of(tree) else 1
