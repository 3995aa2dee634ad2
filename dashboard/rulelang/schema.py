"""The definition of a rule: its JSON form (`rule.definition`) and validation when it is saved. Pure.

    {"types": ["chat.queued"], "if": {"all": [...]}, "wait": {"seconds": 120, "unless": ["chat.accepted"]},
     "then": [{"do": "notify", "to": {"roles": ["leads"]}, "title": "…"}], "stop": false, "loop": "once"}

`if` is a tree of `rulelang.conditions`, `then` a list of `rulelang.actions`. Depending on its event
types a rule has one more part: `after` for deadlines, `count` for counters, `schedule` for the calendar;
others may have `times` or `wait`. Errors are keyed by path: "types", "if.0.1.value", "then.0.title".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from dashboard import catalog
from dashboard.i18n.message import N_
from dashboard.rulelang import actions, conditions, declared, fields, references, triggers
from dashboard.rulelang.actions import ActionConfig
from dashboard.rulelang.conditions import ALWAYS, Group
from dashboard.rulelang.matcher import Loop, RuleSpec, State
from dashboard.rulelang.predicates import Context
from dashboard.rulelang.rate_limits import Times
from dashboard.rulelang.triggers import (
    COUNTERS,
    DEADLINES,
    DUE,
    OPTIONS,
    SCHEDULE,
    After,
    Count,
    Schedule,
    Wait,
    Zone,
    origin,
)
from dashboard.rulelang.validation import ROOT, AvailableReferences, Checks, ErrorPath, Errors
from dashboard.rulelang.values import NO_CALENDAR, Choice, EventTypes, Part, YesNo

MAX_ACTIONS = 20
LOOPS = MappingProxyType(
    {
        Loop.ONCE: N_("Once per chain"),
        Loop.IGNORE: N_("Never"),
        Loop.ALLOW: N_("Every time"),
    }
)
# The parts that hold for the rule as a whole.
GENERAL = (
    Part("stop", YesNo(), default=False),
    Part("loop", Choice(LOOPS), N_("Events triggered by rules"), default=Loop.ONCE),
    Part("zone", Zone(), default=""),
)
PARTS = frozenset({"types", "if", "then", *OPTIONS, *(each.name for each in GENERAL)})

CALENDAR_OPERATORS = frozenset({"in_calendar", "in_calendar_not", "is_holiday", "open_ago"})

NO_TYPE = N_("Choose at least one event type.")
NOT_IN_RULES = N_("Rules can't use “%(type)s”. Turn it on in Settings > System events.")
NOT_PERSONAL = N_("“%(type)s” can be used only in system rules.")
MIXED = N_(
    "Time-based, count-based and scheduled event types can't be combined with others. Create a separate rule."
)
NO_ACTION = N_("Add at least one action.")
TWICE_TO_CUSTOMER = N_("Only one action per rule can message the customer.")
NOT_BOTH = N_("Choose either a count or a delay, not both.")


@dataclass(frozen=True)
class Definition:
    """The parsed definition of a rule. `zone` "" is the calendar's, else the site's."""

    types: tuple[str, ...]
    tree: Group = ALWAYS
    times: Times | None = None
    after: After | None = None
    wait: Wait | None = None
    count: Count | None = None
    schedule: Schedule | None = None
    then: tuple[ActionConfig, ...] = ()
    stop: bool = False
    loop: Loop = Loop.ONCE
    zone: str = ""


def parse(raw: Any, site: AvailableReferences | None) -> Definition | Errors:
    """Return the definition of decoded JSON, or its errors by path. Whatever `raw` is, nothing is raised.

    Without a `site` references are not checked (channels, people, calendars, switched types): so a
    stored rule is read whose channel is gone. Type names under an alias become the catalogue's own.
    """
    checks = Checks(available=site)
    given = checks.part(raw, ROOT, PARTS)
    checks.types = _types(given.get("types"), checks)
    found = Definition(
        types=checks.types,
        tree=_tree(given.get("if"), checks),
        then=_then(given.get("then"), checks),
        **triggers.parse(given, checks),
        **{each.name: each.parse(given, ROOT, checks) for each in GENERAL},
    )
    if found.times is not None and found.wait is not None:
        checks.add(ROOT / "wait", NOT_BOTH)
    return checks.errors or found


def load(raw: Any) -> Definition | Errors:
    """Return a stored definition; what it refers to is not checked."""
    return parse(raw, None)


def dump(found: Definition) -> dict[str, Any]:
    """Return the JSON form; `parse` of it gives the same definition."""
    options = {name: declared.dump(getattr(found, name)) for name in OPTIONS}
    return {
        "types": list(found.types),
        "if": conditions.dump(found.tree),
        **{name: each for name, each in options.items() if each is not None},
        "then": [actions.dump(each) for each in found.then],
        **{each.name: declared.dump(getattr(found, each.name)) for each in GENERAL},
    }


def emits(found: Definition) -> tuple[str, ...]:
    """Return the types of events that the rule's actions record; an entry of the audit log is one."""
    kinds = (each.params.get("type", "rule.logged") for each in found.then if each.do in ("emit", "log"))
    return tuple(dict.fromkeys(map(str, kinds)))


def refers_to(found: Definition) -> dict[str, set[Any]]:
    """Return the ids and names that the definition refers to, by what they mean; see `references`."""
    return references.collected(dump(found))


def spec(rule: Mapping[str, Any], found: Definition, context: Context) -> RuleSpec:
    """Return the rule as the matcher needs it.

    `rule` has the row's values: id, version, position, group and owner (ids or None), state.
    """
    return RuleSpec(
        id=rule["id"],
        version=rule["version"],
        types=found.types,
        tree=found.tree,
        position=rule["position"],
        group=rule["group"],
        stop=found.stop,
        state=State(rule["state"]),
        loop=found.loop,
        owner=rule["owner"],
        emits=emits(found),
        context=context,
    )


def _types(raw: Any, checks: Checks) -> tuple[str, ...]:
    path, available = ROOT / "types", checks.available
    if raw in (None, []):
        checks.add(path, NO_TYPE)
        return ()
    found = EventTypes().parse(raw, path, checks, required=True)
    for type_ in filter(None, map(catalog.find, found)):
        if available is not None and not available.switched.get(type_.name, type_.in_rules):
            checks.add(path, NOT_IN_RULES, type=type_.name)
        if available is not None and available.personal and type_.level != "personal":
            checks.add(path, NOT_PERSONAL, type=type_.name)
    if len({origin(name) for name in found}) > 1:
        checks.add(path, MIXED)
    return found


def _tree(raw: Any, checks: Checks) -> Group:
    if raw is None:
        return ALWAYS
    found = conditions.parse(raw, fields.fields(checks.types))
    if isinstance(found, Group):
        for path, condition in conditions.conditions(found):
            calendars = checks.available.calendars if checks.available is not None else None
            used = condition.operands[0] if condition.op in CALENDAR_OPERATORS else None
            if calendars is not None and used is not None and used not in calendars:
                checks.add(ErrorPath("if", *path.keys, "value"), NO_CALENDAR)
        return found
    for path, error in found.items():
        checks.errors.setdefault(ErrorPath("if", *path.keys), error)
    return ALWAYS


def _then(raw: Any, checks: Checks) -> tuple[ActionConfig, ...]:
    path = ROOT / "then"
    if raw in (None, []):
        checks.add(path, NO_ACTION)
        return ()
    given = enumerate(checks.items(raw, path, 1, MAX_ACTIONS))
    found = [actions.parse(each, path / n, checks) for n, each in given]
    to_customer = [n for n, each in enumerate(found) if each is not None and actions.to_customer(each)]
    for n in to_customer[1:]:  # one event, one mail: also where conditions overlap
        checks.add(path / n / "to" / "roles", TWICE_TO_CUSTOMER)
    return tuple(each for each in found if each is not None)


__all__ = [
    "COUNTERS",
    "DEADLINES",
    "DUE",
    "PARTS",
    "SCHEDULE",
    "ActionConfig",
    "After",
    "AvailableReferences",
    "Count",
    "Definition",
    "Errors",
    "Schedule",
    "Times",
    "Wait",
    "dump",
    "emits",
    "load",
    "origin",
    "parse",
    "refers_to",
    "spec",
]
