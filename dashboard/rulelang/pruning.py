"""What can be kept of a definition that is partly wrong: the rest, with what was left out and why. Pure."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from dashboard.i18n.mark import N_
from dashboard.i18n.message import Message, message
from dashboard.rulelang import conditions, schema
from dashboard.rulelang.schema import PARTS, Definition, Errors, Site

LEFT_OUT = N_("%(part)s was left out: %(reason)s")
CONDITION, CONDITIONS = N_("A condition"), N_("The conditions")
ACTION, CALENDAR, TYPE = N_("Action %(number)s"), N_("The calendar"), N_("An event type")
PART = N_("The part “%(name)s”")

ROUNDS = 5  # a type left out can make conditions wrong, these leave groups empty, level by level
_FREE = ("times", "wait", "stop", "loop", "zone")  # a rule can do without

Warnings = list[Message]


def left_out(part: Message, reason: Message) -> Message:
    """Return the sentence that something of a rule was left out."""
    return message(LEFT_OUT, part=part, reason=reason)


def prune(raw: dict[str, Any], site: Site) -> tuple[Definition | Errors, Warnings]:
    """Return the definition of decoded JSON without the parts that are wrong, and what was left out.

    Errors come back where a part is wrong that the rule cannot do without: no type, no action, no length
    of a deadline. Whatever `raw` is, nothing is raised; it is not changed.
    """
    rest, warnings = dict(raw), Warnings()
    found = schema.parse(rest, site)
    for _round in range(ROUNDS):
        if isinstance(found, Definition):
            break
        before = len(warnings)
        rest = _without(rest, found, site, warnings)
        if len(warnings) == before:
            break
        found = schema.parse(rest, site)
    return found, warnings


def _without(raw: dict[str, Any], errors: Errors, site: Site, warnings: Warnings) -> dict[str, Any]:
    made = dict(raw)
    conditions: dict[str, Message] = {}
    actions: dict[int, Message] = {}
    for path, said in errors.items():
        first, _dot, rest = path.partition(".")
        if path == "":
            made = {name: part for name, part in made.items() if name in PARTS}
            warnings += [left_out(message(PART, name="…"), said)] * (len(made) < len(raw))
        elif first == "if":
            conditions.setdefault(_place(rest), said)
        elif first == "then" and rest:
            actions.setdefault(int(rest.partition(".")[0]), said)
        elif first == "types":
            made["types"] = _types(made.get("types"), site, said, warnings)
        elif rest == "calendar" and "calendar" in made.get(first, {}):
            made[first] = {name: part for name, part in made[first].items() if name != "calendar"}
            warnings.append(left_out(Message(CALENDAR), said))
        elif first in made and (first in _FREE or not rest):
            del made[first]
            warnings.append(left_out(message(PART, name=first), said))
    if conditions:
        _drop_conditions(made, conditions, warnings)
    if actions:
        made["then"] = [each for number, each in enumerate(made["then"]) if number not in actions]
        warnings += [left_out(message(ACTION, number=number + 1), said) for number, said in actions.items()]
    return made


def _place(path: str) -> str:
    """Return the node that an error is about: "0.1" of "0.1.value"."""
    first, _dot, part = path.rpartition(".")
    return path if part.isdigit() or not path else first


def _drop_conditions(made: dict[str, Any], errors: Errors, warnings: Warnings) -> None:
    if "" in errors:
        made.pop("if", None)
        warnings.append(left_out(Message(CONDITIONS), errors[""]))
        return
    made["if"] = _kept(made["if"], "", errors)
    warnings += [left_out(Message(CONDITION), said) for said in errors.values()]


def _kept(node: Any, path: str, gone: Collection[str]) -> Any:
    """Return a tree without the nodes at the paths `gone`; what the check refused to look into stays."""
    if not isinstance(node, dict) or "field" in node:
        return node
    return {
        how: [
            _kept(each, conditions.below(path, number), gone)
            for number, each in enumerate(inner)
            if conditions.below(path, number) not in gone
        ]
        if isinstance(inner, list)
        else inner
        for how, inner in node.items()
    }


def _types(raw: Any, site: Site, said: Message, warnings: Warnings) -> Any:
    """Return the types that may be used, and stand together with the first."""
    if not isinstance(raw, list):
        return raw
    good = [each for each in raw if "types" not in _errors(each, site)]
    kept = [each for each in good if schema.origin(each) == schema.origin(good[0])]
    if kept and len(kept) < len(raw):
        warnings.append(left_out(Message(TYPE), said))
        return kept
    return raw


def _errors(type_: Any, site: Site) -> Errors:
    found = schema.parse({"types": [type_]}, site)
    return {} if isinstance(found, Definition) else found
