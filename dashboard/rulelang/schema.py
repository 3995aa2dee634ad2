"""The definition of a rule: its JSON form (`rule.definition`) and validation when it is saved. Pure.

    {"types": ["chat.queued"], "if": {"all": [...]}, "wait": {"seconds": 120, "unless": ["chat.accepted"]},
     "then": [{"do": "notify", "to": {"roles": ["leads"]}, "title": "…"}], "stop": false, "loop": "once"}

`if` is a tree of `rulelang.conditions`, `then` a list of `rulelang.action_config`. Depending on its event
types a rule has one more part: `after` for deadlines, `count` for counters, `schedule` for the calendar;
others may have `times` or `wait`. Errors are keyed by path: "types", "if.0.1.value", "then.0.title".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dashboard import catalog
from dashboard.i18n.message import N_
from dashboard.rulelang import action_config, conditions, fields
from dashboard.rulelang.action_config import ActionConfig, AvailableReferences
from dashboard.rulelang.conditions import ALWAYS, Group
from dashboard.rulelang.matcher import Loop, RuleSpec, State
from dashboard.rulelang.predicates import Context
from dashboard.rulelang.rate_limits import Times
from dashboard.rulelang.triggers import (
    COUNTERS,
    DEADLINES,
    DUE,
    MAX_TYPES,
    NO_CALENDAR,
    SCHEDULE,
    UNKNOWN_TYPE,
    After,
    Count,
    Schedule,
    TriggerParser,
    Wait,
    origin,
    shown,
)
from dashboard.rulelang.validation import Checks, Errors

MAX_ACTIONS = 20
PARTS = frozenset(
    {
        *("types", "if", "times", "after", "wait", "count", "schedule", "then", "stop", "loop", "zone"),
    }
)

CALENDAR_OPERATORS = frozenset({"in_calendar", "in_calendar_not", "is_holiday", "open_ago"})

NO_TYPE = N_("Choose at least one event type.")
NOT_IN_RULES = N_("Rules may not use “%(type)s”: see System events in the settings.")
NOT_PERSONAL = N_("“%(type)s” is for rules of the site, not for one's own.")
MIXED = N_("Types found by time, by a count or by the calendar cannot stand beside others: make two rules.")
NO_ACTION = N_("Add at least one action.")
TWICE_TO_CUSTOMER = N_("Only one action of a rule may write to the customer.")
NOT_BOTH = N_("Choose either a number of times or a wait.")


@dataclass(frozen=True)
class Definition:
    """What a rule says. `zone` "" is the calendar's, else the site's."""

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

    Without a `site` nothing is asked about what exists (channels, people, calendars, switched types): so a
    stored rule is read whose channel is gone. Type names under an alias become the catalogue's own.
    """
    checks = Checks()
    given = checks.part(raw, "", PARTS)
    types = _types(given.get("types"), site, checks)
    parts = TriggerParser(given, types, site, checks)
    found = Definition(
        types,
        _tree(given.get("if"), types, site, checks),
        parts.times(),
        parts.after(),
        parts.wait(),
        parts.count(),
        parts.schedule(),
        _then(given.get("then"), types, site, checks),
        checks.yes_no(given.get("stop", False), "stop"),
        Loop(checks.one_of(given.get("loop", "once"), "loop", tuple(Loop))),
        parts.zone(),
    )
    if found.times is not None and found.wait is not None:
        checks.add("wait", NOT_BOTH)
    return checks.errors or found


def load(raw: Any) -> Definition | Errors:
    """Return a stored definition; nothing is asked about what exists."""
    return parse(raw, None)


def dump(found: Definition) -> dict[str, Any]:
    """Return the JSON form; `parse` of it gives the same definition."""
    made: dict[str, Any] = {"types": list(found.types), "if": conditions.dump(found.tree)}
    if found.times is not None:
        made["times"] = found.times._asdict() | {"by": str(found.times.by)}
    if found.after is not None:
        made["after"] = {"seconds": found.after.seconds, "calendar": found.after.calendar}
    if found.wait is not None:
        wait = found.wait
        made["wait"] = {"seconds": wait.seconds, "calendar": wait.calendar, "unless": list(wait.unless)}
    if found.count is not None:
        made["count"] = {"number": found.count.number, "clear": found.count.clear, "by": found.count.by}
    if found.schedule is not None:
        plan = found.schedule
        made["schedule"] = {"at": list(plan.at), "days": list(plan.days), "calendar": plan.calendar}
    made["then"] = [action_config.dump(each) for each in found.then]
    return made | {"stop": found.stop, "loop": str(found.loop), "zone": found.zone}


def emits(found: Definition) -> tuple[str, ...]:
    """Return the types of events that the rule's actions record; an entry of the audit log is one."""
    kinds = (each.params.get("type", "rule.logged") for each in found.then if each.do in ("emit", "log"))
    return tuple(dict.fromkeys(map(str, kinds)))


def calendars(found: Definition) -> frozenset[str]:
    """Return the names of the calendars that the definition uses, those of its conditions included."""
    parts = (found.after, found.wait, found.schedule)
    used = {part.calendar for part in parts if part is not None and part.calendar}
    for _path, condition in conditions.conditions(found.tree):
        if condition.op in CALENDAR_OPERATORS:
            used.add(str(condition.operands[0]))
    return frozenset(used)


def channels(found: Definition) -> frozenset[int]:
    """Return the ids of the channels that its actions use."""
    return frozenset(int(each.params["channel"]) for each in found.then if "channel" in each.params)


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


def _types(raw: Any, site: AvailableReferences | None, checks: Checks) -> tuple[str, ...]:
    if raw in (None, []):
        checks.add("types", NO_TYPE)
        return ()
    found: dict[str, None] = {}
    for name in checks.items(raw, "types", 1, MAX_TYPES):
        type_ = catalog.find(name) if isinstance(name, str) else None
        if type_ is None:
            checks.add("types", UNKNOWN_TYPE, type=shown(name))
            continue
        found[type_.name] = None
        if site is not None and not site.switched.get(type_.name, type_.in_rules):
            checks.add("types", NOT_IN_RULES, type=type_.name)
        if site is not None and site.personal and type_.level != "personal":
            checks.add("types", NOT_PERSONAL, type=type_.name)
    if len({origin(name) for name in found}) > 1:
        checks.add("types", MIXED)
    return tuple(found)


def _tree(raw: Any, types: tuple[str, ...], site: AvailableReferences | None, checks: Checks) -> Group:
    if raw is None:
        return ALWAYS
    found = conditions.parse(raw, fields.fields(types))
    if isinstance(found, Group):
        for path, condition in conditions.conditions(found):
            if site and condition.op in CALENDAR_OPERATORS and condition.operands[0] not in site.calendars:
                checks.add(f"if.{path}.value", NO_CALENDAR)
        return found
    for path, said in found.items():
        checks.errors.setdefault(f"if.{path}" if path else "if", said)
    return ALWAYS


def _then(
    raw: Any, types: tuple[str, ...], site: AvailableReferences | None, checks: Checks
) -> tuple[ActionConfig, ...]:
    if raw in (None, []):
        checks.add("then", NO_ACTION)
        return ()
    given = enumerate(checks.items(raw, "then", 1, MAX_ACTIONS))
    found = [action_config.parse(each, f"then.{n}", types, site, checks) for n, each in given]
    told = [n for n, each in enumerate(found) if each is not None and action_config.to_customer(each)]
    for n in told[1:]:  # one event, one mail: also where conditions overlap
        checks.add(f"then.{n}.to.roles", TWICE_TO_CUSTOMER)
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
    "calendars",
    "channels",
    "dump",
    "emits",
    "load",
    "origin",
    "parse",
    "spec",
]
