"""Portable definitions for rule files: names instead of ids, references removed that do not exist here. Pure.

Works on the JSON form. Users are named by login; teams, queues, accesses, channels and rules by name.
`prune` keeps the valid part of a partly wrong definition and returns what it left out, with the reasons.
`translate` replaces the `#NAME#` variables of SmarterTrack by placeholders: letters, digits and underscores
between two number signs; case and underscores are ignored. Source: the import helper of the catalogue of
actions.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from dashboard.i18n.message import N_, Message, message
from dashboard.rulelang import schema
from dashboard.rulelang.conditions import MAX_LEVELS
from dashboard.rulelang.references import FIELDS, replaced
from dashboard.rulelang.schema import GENERAL, PARTS, AvailableReferences, Definition, Errors
from dashboard.rulelang.triggers import OPTIONS
from dashboard.rulelang.validation import ROOT

UNSEEN = "?"  # stands for what the exporter may not see

Keys = tuple[int, ...]  # a node of the conditions by its place from the root


@dataclass
class Lost:
    """What had no name or no id: (kind, name as it stood), each once, in order."""

    found: dict[tuple[str, str], None] = field(default_factory=dict)

    def add(self, kind: str, name: Any) -> None:
        self.found[kind, str(name)[:80] if isinstance(name, str | int) else "…"] = None


def named(raw: Mapping[str, Any], names: Mapping[str, Mapping[int, str]]) -> dict[str, Any]:
    """Return a definition's JSON with names for ids; `names` maps a kind (user, queue, team, access,
    channel, rule) to its names by id. What has none there is called UNSEEN."""
    return replaced(raw, lambda kind, value: names[kind].get(value, UNSEEN) if _is_id(value) else value)


def numbered(raw: Mapping[str, Any], ids: Mapping[str, Mapping[str, int]]) -> tuple[dict[str, Any], Lost]:
    """Return what `named` made with ids for names; names that are unknown here are left out and reported.

    A condition or an action that names nothing any more is left out whole. Whatever stands in `raw` comes
    back as it is where it cannot be understood: the check on save is to judge it.
    """
    lost = Lost()

    def swap(kind: str, value: Any) -> Any:
        if kind not in ids:  # a calendar has its name on every site
            return value
        found = ids[kind].get(value) if isinstance(value, str) else None
        if found is None:
            lost.add(kind, value)
        return found

    made = replaced(raw, swap)
    if isinstance(made.get("if"), dict):
        made["if"] = _without_gaps(made["if"], 0) or {"all": []}
    if isinstance(made.get("then"), list):
        made["then"] = [each for each in made["then"] if not _is_void(each)]
    return made, lost


def _without_gaps(node: Any, level: int) -> Any:
    """Return a tree without conditions that lost all that they name, None where nothing is left of it."""
    if not isinstance(node, dict) or level > MAX_LEVELS + 1:
        return node
    if "field" in node:
        gone = node.get("field") in FIELDS and node.get("value") == [] if _is_text(node["field"]) else False
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


def _is_void(action: Any) -> bool:
    """Say whether an action has lost its channel or all its recipients."""
    if not isinstance(action, dict):
        return False
    if "channel" in action and action["channel"] is None:
        return True
    to = action.get("to")
    empty = isinstance(to, dict) and not any(to.values())
    return empty and not action.get("addresses")


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_id(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


LEFT_OUT = N_("Skipped: %(part)s. %(reason)s")
CONDITION, CONDITIONS = N_("The condition on “%(name)s”"), N_("The conditions")
GROUP = N_("A group of conditions")
ACTION, CALENDAR, TYPE = N_("Action %(number)s"), N_("The calendar"), N_("An event type")
ACTION_PART = N_("Action %(number)s, its part “%(name)s”")
NAME_SHOWN = 80  # characters of a name in the file
PART = N_("The part “%(name)s”")

ROUNDS = 5  # a type left out can make conditions wrong, these leave groups empty, level by level
# The parts that a rule can do without.
_FREE = {
    *(name for name, option in OPTIONS.items() if not option.needed),
    *(part.name for part in GENERAL),
}

Warnings = list[Message]


def left_out(part: Message, reason: Message) -> Message:
    """Return the sentence that something of a rule was left out."""
    return message(LEFT_OUT, part=part, reason=reason)


def prune(raw: dict[str, Any], site: AvailableReferences) -> tuple[Definition | Errors, Warnings]:
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


def _without(
    raw: dict[str, Any], errors: Errors, site: AvailableReferences, warnings: Warnings
) -> dict[str, Any]:
    made = dict(raw)
    conditions: dict[Keys, Message] = {}
    actions: dict[int, tuple[Message, Message]] = {}
    for path, problem in errors.items():
        first, rest = str(path.part), path.keys[1:]
        if path == ROOT:
            made = {name: part for name, part in made.items() if name in PARTS}
            warnings += [left_out(message(PART, name="…"), problem)] * (len(made) < len(raw))
        elif first == "if":
            conditions.setdefault(tuple(key for key in rest if isinstance(key, int)), problem)
        elif first == "then" and rest:
            actions.setdefault(int(rest[0]), (_action(*rest), problem))
        elif first == "types":
            made["types"] = _types(made.get("types"), site, problem, warnings)
        elif rest == ("calendar",) and "calendar" in made.get(first, {}):
            made[first] = {name: part for name, part in made[first].items() if name != "calendar"}
            warnings.append(left_out(Message(CALENDAR), problem))
        elif first in made and (first in _FREE or not rest):
            del made[first]
            warnings.append(left_out(message(PART, name=first), problem))
    if conditions:
        _drop_conditions(made, conditions, warnings)
    if actions:
        made["then"] = [each for number, each in enumerate(made["then"]) if number not in actions]
        warnings += [left_out(part, problem) for part, problem in actions.values()]
    return made


def _drop_conditions(made: dict[str, Any], errors: Mapping[Keys, Message], warnings: Warnings) -> None:
    if () in errors:
        made.pop("if", None)
        warnings.append(left_out(Message(CONDITIONS), errors[()]))
        return
    warnings += [left_out(_condition(made["if"], place), problem) for place, problem in errors.items()]
    made["if"] = _kept(made["if"], (), errors)


def _action(number: str | int, *inside: str | int) -> Message:
    """Return the name of the action with this index, and of the part inside of it that is meant."""
    count = int(number) + 1
    if not inside:
        return message(ACTION, number=count)
    return message(ACTION_PART, number=count, name=".".join(map(str, inside))[:NAME_SHOWN])


def _condition(node: Any, place: Keys) -> Message:
    """Return the name of the condition at a place below the node: that of its field."""
    for number in place:
        inner: list[Any] = next((each for each in node.values() if isinstance(each, list)), [])
        node = inner[number]
    named = node.get("field") if isinstance(node, dict) else None
    return message(CONDITION, name=named[:NAME_SHOWN]) if isinstance(named, str) else Message(GROUP)


def _kept(node: Any, place: Keys, gone: Collection[Keys]) -> Any:
    """Return a tree without the nodes at the places `gone`; what the check refused to look into stays."""
    if not isinstance(node, dict) or "field" in node:
        return node
    return {
        how: [
            _kept(each, (*place, number), gone)
            for number, each in enumerate(inner)
            if (*place, number) not in gone
        ]
        if isinstance(inner, list)
        else inner
        for how, inner in node.items()
    }


def _types(raw: Any, site: AvailableReferences, problem: Message, warnings: Warnings) -> Any:
    """Return the types that may be used and combined with the first."""
    if not isinstance(raw, list):
        return raw
    good = [each for each in raw if "types" not in _errors(each, site)]
    kept = [each for each in good if schema.origin(each) == schema.origin(good[0])]
    if kept and len(kept) < len(raw):
        warnings.append(left_out(Message(TYPE), problem))
        return kept
    return raw


def _errors(type_: Any, site: AvailableReferences) -> Errors:
    found = schema.parse({"types": [type_]}, site)
    return {} if isinstance(found, Definition) else found


_VARIABLE = re.compile(r"#([A-Za-z][A-Za-z0-9_]{1,39})#")

# Variable → our placeholders, of which the first that the rule's types have is taken.
_OURS = MappingProxyType(
    {
        "AGENT": ("user.name",),
        "AGENTNAME": ("user.name",),
        "ASSIGNEDAGENT": ("user.name",),
        "ACTINGAGENT": ("user.name",),
        "ARTICLETITLE": ("article.title",),
        "COMMENT": ("survey.comment", "chat.comment", "call.comment"),
        "COUNT": ("ticket.count", "chat.count"),
        "CUSTOMER": ("contact.name",),
        "CUSTOMEREMAIL": ("contact.email",),
        "CUSTOMEREMAILADDRESS": ("contact.email",),
        "CUSTOMERNAME": ("contact.name",),
        "CUSTOMERPHONE": ("contact.phone",),
        "DATETIME": ("event.time",),
        "DEPARTMENT": ("ticket.department", "chat.department", "survey.department"),
        "DEPARTMENTNAME": ("ticket.department", "chat.department", "survey.department"),
        "DURATION": ("chat.duration_s", "call.duration_s", "ticket.open_s"),
        "EMAILADDRESS": ("contact.email",),
        "ERROR": ("mail_in.error", "mail_out.error"),
        "EVENTTIME": ("event.time",),
        "EVENTTYPE": ("event.type",),
        "GROUP": ("ticket.group", "chat.group"),
        "GROUPNAME": ("ticket.group", "chat.group"),
        "IDLETIME": ("ticket.idle_s", "chat.idle_s"),
        "MESSAGE": ("ticket.message", "chat.message"),
        "PRIORITY": ("ticket.priority", "task.priority"),
        "QUEUE": ("queue.name",),
        "RATING": ("survey.rating", "chat.rating", "ticket.rating"),
        "SERVER": ("mail_in.server", "mail_out.server"),
        "STATUS": ("ticket.status", "task.status"),
        "SUBJECT": ("ticket.title", "task.subject"),
        "TICKETNUMBER": ("ticket.number",),
        "TICKETSTATUS": ("ticket.status",),
        "TICKETSUBJECT": ("ticket.title",),
        "TITLE": ("article.title", "ticket.title"),
    }
)


def translate(text: str, known: Collection[str]) -> tuple[str, tuple[str, ...]]:
    """Return `text` with its variables as placeholders out of `known` (`placeholders.names` of the rule's
    types), and the variables left as they stand because none of ours is meant."""
    left: dict[str, None] = {}

    def put(found: re.Match[str]) -> str:
        name = found[1].replace("_", "").upper()
        ours = next((each for each in _OURS.get(name, ()) if each in known), None)
        if ours is None:
            left[found[0]] = None
            return found[0]
        return f"{{{{ {ours} }}}}"

    return _VARIABLE.sub(put, text), tuple(left)
