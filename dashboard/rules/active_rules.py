"""The active rules, compiled and cached per process, and the switch that stops all of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from weakref import WeakKeyDictionary

import peewee
from flask import current_app, has_app_context

from dashboard.access import scope as scopes
from dashboard.access.permissions import Permission
from dashboard.catalog.fields import SUBJECT_FIELDS
from dashboard.db import database
from dashboard.db.prepared import Prepared
from dashboard.events import switches
from dashboard.i18n import site_zone
from dashboard.models import Calendar as CalendarRow
from dashboard.models import CalendarDay, Rule, RuleGroup, Setting, TeamMember, User, versions
from dashboard.rulelang import schema as definitions
from dashboard.rulelang.conditions import conditions
from dashboard.rulelang.fields import TAGS
from dashboard.rulelang.matcher import Index, RuleSpec, State
from dashboard.rulelang.operators import OPERATORS, Takes
from dashboard.rulelang.predicates import Calendar, Context
from dashboard.rulelang.rate_limits import Often
from dashboard.rulelang.schema import Definition
from dashboard.rulelang.working_time import WorkCalendar, of_stored
from dashboard.rules.timing import deadlines


def load_calendars() -> dict[str, WorkCalendar]:
    """Return every calendar by name, as conditions and deadlines ask for it."""
    days: dict[int, list[tuple[str, Any]]] = {}
    query = CalendarDay.select(CalendarDay.calendar, CalendarDay.on, CalendarDay.hours)
    for calendar, on, hours in query.tuples():
        days.setdefault(calendar, []).append((on, hours))
    query = CalendarRow.select(CalendarRow.id, CalendarRow.name, CalendarRow.zone, CalendarRow.hours).tuples()
    return {name: of_stored(zone, hours, days.get(ident, ())) for ident, name, zone, hours in query}


STOPPED = "rules.stopped"
_TOKEN = Prepared(lambda: Setting.select(Setting.value).where(Setting.name == versions.RULES))
_STOPPED = Prepared(lambda: Setting.select(Setting.value).where(Setting.name == STOPPED))
LIVE = (State.ON.value, State.SHADOW.value)


@dataclass(frozen=True, slots=True)
class LiveRule:
    """A stored rule, compiled. `updated_by` is its author: the owner of a personal rule,
    else who saved the present version; texts for people outside show what the author may see."""

    id: int
    name: str
    version: int
    owner: int | None
    group: int | None
    state: State
    definition: Definition
    spec: RuleSpec
    updated_by: int | None
    armed_ms: int

    @property
    def shadow(self) -> bool:
        return self.state is State.SHADOW


@dataclass(frozen=True)
class Live:
    """The rules in force at one version. `types` are what the engine must look at, `folded` those whose
    subjects it must know (changes, episodes, counts)."""

    version: str = ""
    index: Index = field(default_factory=lambda: Index({}))
    rules: Mapping[int, LiveRule] = field(default_factory=dict)
    types: frozenset[str] = frozenset()
    folded: frozenset[str] = frozenset()
    tagged: bool = False  # a rule asks for the tags that rules gave
    waking: frozenset[str] = frozenset()  # types of events that begin or end a deadline's period


_KEPT: WeakKeyDictionary[peewee.Database, Live] = WeakKeyDictionary()


def live() -> Live:
    """Return the rules in force; looking costs one row while nothing has changed."""
    found = _TOKEN.rows()
    token = str(found[0][0]) if found else ""
    kept = _KEPT.get(database.obj)
    if kept is None or kept.version != token:
        kept = _KEPT[database.obj] = _build(token)
    return kept


def stopped() -> bool:
    """Say whether all rules are stopped; events are recorded meanwhile, deadlines wait."""
    return bool(_STOPPED.rows())


def stop(stopping: bool) -> None:
    """Stop all rules or let them go on, in the caller's transaction."""
    if stopping:
        Setting.insert(name=STOPPED, value="1").on_conflict_ignore().execute()
    else:
        Setting.delete().where(Setting.name == STOPPED).execute()
    versions.bump(versions.RULES)


def load(row: Rule, known: Mapping[str, Calendar] | None = None) -> LiveRule | None:
    """Return a rule of any state, compiled; None when what is stored cannot be read.

    `known` are the site's calendars, where the caller has them already.
    """
    read = definitions.load(row.definition)
    if not isinstance(read, Definition):
        return None
    state = State(row.state)
    context = context_for(row.owner_id, read.zone, known)
    spec = definitions.spec(_values(row), read, context)
    return LiveRule(
        row.id,
        row.name,
        row.version,
        row.owner_id,
        row.group_id,
        state,
        read,
        spec,
        row.owner_id or row.updated_by,
        row.armed_ms,
    )


def context_for(owner: int | None, zone: str, known: Mapping[str, Calendar] | None = None) -> Context:
    """Return what conditions mean for a rule of `owner` (None: the site's) in `zone` ("": the site's)."""
    site = current_app.config["STOPA"] if has_app_context() else None
    own = frozenset({site.mail_from.rpartition("<")[2].rstrip(">")}) if site else frozenset()
    mates: frozenset[int] = frozenset()
    if owner is not None:
        teams = TeamMember.select(TeamMember.team).where(TeamMember.user == owner)
        found = TeamMember.select(TeamMember.user).where(TeamMember.team.in_(teams)).tuples()
        mates = frozenset(row[0] for row in found)
    return Context(
        zone or site_zone(),
        owner,
        mates,
        own,
        calendars() if known is None else known,
        _names(frozenset() if owner is None else frozenset({owner})),
        _names(mates),
    )


def _names(users: frozenset[int]) -> frozenset[str]:
    """Return the logins and names of users."""
    if not users:
        return frozenset()
    query = User.select(User.login, User.name).where(User.id.in_(sorted(users))).tuples()
    return frozenset(name for row in query for name in row)


def calendars() -> dict[str, Calendar]:
    """Return the site's calendars by name."""
    return dict(load_calendars())


def _values(row: Rule) -> dict[str, Any]:
    return {
        "id": row.id,
        "version": row.version,
        "position": row.position,
        "group": row.group_id,
        "state": row.state,
        "owner": row.owner_id,
    }


def _build(token: str) -> Live:
    query = Rule.select().where(Rule.state.in_(LIVE)).order_by(Rule.id)
    paused = {row[0] for row in RuleGroup.select(RuleGroup.id).where(RuleGroup.paused).tuples()}
    candidates = list(query)
    may = _active({row.owner_id for row in candidates if row.owner_id is not None})
    known = calendars()
    found = [load(row, known) for row in candidates if row.owner_id is None or row.owner_id in may]
    rules = {rule.id: rule for rule in found if rule is not None and rule.group not in paused}
    specs = [_open(rule.spec) for rule in rules.values()]
    index = Index.build(specs)
    waking = deadlines.waking(type_ for rule in found if rule is not None for type_ in rule.spec.types)
    types = frozenset(index.buckets) | waking
    return Live(token, index, rules, types, _folded(rules.values()), _tagged(rules.values()), waking)


def needs_subject(rule: LiveRule) -> bool:
    """Say whether a rule needs the subjects of its events: their fields, what changed, or their status."""
    tree, actions = conditions(rule.definition.tree), rule.definition.then
    return (
        any(_of_subject(each.field) or OPERATORS[each.op].takes is Takes.CHANGE for _path, each in tree)
        or any(each.limit.often is Often.EPISODE for each in actions)
        or any("{{" in str(value) for each in actions for value in each.params.values())
    )


def _of_subject(path: str) -> bool:
    first, _dot, rest = path.partition(".")
    return first == "data" and rest.partition(".")[0] in SUBJECT_FIELDS


def _folded(rules: Iterable[LiveRule]) -> frozenset[str]:
    """Return the types of events whose subjects must be folded: for conditions and texts, or for counts."""
    found: set[str] = set()
    for rule in rules:
        if rule.definition.count is not None:
            found |= deadlines.waking(rule.definition.types)
        elif needs_subject(rule):
            found.update(rule.definition.types)
    return frozenset(found)


def _tagged(rules: Iterable[LiveRule]) -> bool:
    paths = (each.field for rule in rules for _path, each in conditions(rule.definition.tree))
    return TAGS in paths


def _open(spec: RuleSpec) -> RuleSpec:
    return replace(spec, types=tuple(type_ for type_ in spec.types if switches.in_rules(type_)))


def _active(owners: set[int]) -> set[int]:
    """Return those who may still have rules of their own: others' rules are suspended."""
    if not owners:
        return set()
    users = User.select().where(User.id.in_(sorted(owners)) & User.deactivated_ts.is_null())
    return {user.id for user in users if scopes.of_user(user).can(Permission.RULES_OWN)}
