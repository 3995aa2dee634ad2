"""Reads of the lists of rules: the viewer's rights first, then words, then filters and order."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any, NamedTuple

from flask_babel import gettext as _
from peewee import fn

from dashboard import catalog
from dashboard.access.permissions import Permission
from dashboard.access.scope import Scope
from dashboard.i18n.mark import N_
from dashboard.models import Rule, RuleGroup, Run, User
from dashboard.pages.rules.counts import Week, weeks
from dashboard.pages.rules.forms import EMPLOYEES, MY, NO_GROUP, SYSTEM, Filter
from dashboard.rules import definition as definitions
from dashboard.rules import rights
from dashboard.rules.checks import Errors
from dashboard.rules.definition import Definition
from dashboard.rules.match import State
from dashboard.rules.placeholders import Names
from dashboard.rules.starter import Starter
from dashboard.web import lists, rulenames, rulewords
from dashboard.web.lists import Order

SUSPENDED = "suspended"  # a rule that is on, whose owner may have no rules now
RUNS_COUNTED = 10_000  # before a deletion; more are "more than"
STATES = {
    State.ON.value: N_("On"),
    State.SHADOW.value: N_("Shadow"),
    State.PAUSED.value: N_("Paused"),
    SUSPENDED: N_("Suspended"),
    State.OFF.value: N_("Off"),
}


class Line(NamedTuple):
    """A rule in a list. Its words are made when its page is drawn."""

    id: int
    name: str
    description: str
    owner_id: int | None
    owner: str
    group_id: int | None
    group: str | None
    group_paused: bool
    position: int
    state: str  # a key of STATES
    reason: str
    last_ms: int | None
    category: str  # a key of catalog.GROUPS
    types: str
    when: str
    conditions: str  # "" for none
    actions: str
    whole: str  # all of it as one sentence
    week: Week


KEYS: dict[str, Callable[[Line], Any]] = {
    "name": lambda line: line.name,
    "type": lambda line: line.types,
    "last": lambda line: line.last_ms,
    "runs": lambda line: line.week.runs,
    "held": lambda line: line.week.held,
    "failed": lambda line: line.week.failed,
    "owner": lambda line: line.owner,
    "order": lambda line: (line.position, line.id),
    "state": lambda line: list(STATES).index(line.state),
}


class Section(NamedTuple):
    """Rules under one heading; none where the list is not divided."""

    title: str | None
    lines: list[Line]


def of_list(scope: Scope, which: str) -> Any:
    """Return the condition that keeps a query's rules to one of the viewer's lists."""
    owner = {
        MY: Rule.owner_id == scope.viewer_id,
        SYSTEM: Rule.owner_id.is_null(),
        EMPLOYEES: Rule.owner_id != scope.viewer_id,
    }[which]
    return rights.visible(scope) & owner


def sizes(scope: Scope, opened: Iterable[str]) -> dict[str, int]:
    return {which: Rule.select().where(of_list(scope, which)).count() for which in opened}


def lines(scope: Scope, asked: Filter) -> list[Line]:
    """Return the rules of the list that pass the filters, in no order."""
    query = Rule.select().where(of_list(scope, asked.which))
    if asked.group:
        query = query.where(
            Rule.group.is_null() if asked.group == NO_GROUP else Rule.group == _number(asked.group)
        )
    if asked.owner:
        query = query.where(Rule.owner_id == _number(asked.owner))
    return [line for line in _made(scope, list(query)) if _fits(line, asked)]


def line(scope: Scope, rule: Rule) -> Line:
    """Return one rule as the lists show it."""
    return _made(scope, [rule])[0]


def _fits(line: Line, asked: Filter) -> bool:
    return (
        (not asked.category or line.category == asked.category)
        and (not asked.state or line.state == asked.state)
        and lists.found(asked.sought, line.name, line.description, line.when, line.conditions, line.actions)
    )


def _made(scope: Scope, rules: Sequence[Rule]) -> list[Line]:
    owners = _owners(scope, {rule.owner_id for rule in rules if rule.owner_id is not None})
    groups = {group.id: group for group in RuleGroup.select()}
    read = {rule.id: definitions.load(rule.definition) for rule in rules}
    names = rulenames.names(scope, [each for each in read.values() if isinstance(each, Definition)])
    counted = weeks([rule.id for rule in rules]) if len(rules) == 1 else weeks()
    made = []
    for rule in rules:
        group = groups.get(rule.group_id)
        owner, may = owners.get(rule.owner_id, ("", True))
        watching = rule.state in (State.ON, State.SHADOW)
        says = read[rule.id]
        made.append(Line(
            rule.id, rule.name, rule.description, rule.owner_id, owner, rule.group_id,
            group.name if group else None, bool(group and group.paused), rule.position,
            rule.state if may or not watching else SUSPENDED, rule.paused_reason, rule.last_run_ms,
            category(rule.definition), *_words(says, names), counted.get(rule.id, Week()),
        ))  # fmt: skip
    return made


def _words(says: Definition | Errors, names: Names) -> tuple[str, str, str, str, str]:
    """Return types, occasion, conditions, actions and the whole; a plain rule's occasion is its types."""
    if not isinstance(says, Definition):
        return (_("This rule cannot be read. Open it to mend it."), "", "", "", "")
    said = rulewords.words(says, names)
    types = rulenames.type_label(says.types[0]) if len(says.types) == 1 else said.types
    plain = not (says.times or says.after or says.wait or says.count or says.schedule)
    occasion = types if plain else _begun(said.when)
    return types, occasion, _begun(said.conditions), _begun(said.actions), said.whole


def _begun(text: str) -> str:
    """Return a sentence's part with a capital letter, for it stands alone in its cell."""
    return text[:1].upper() + text[1:]


def category(definition: Any) -> str:
    """Return the group of the catalogue to which the rule's first type belongs."""
    types = definition.get("types") if isinstance(definition, dict) else None
    first = catalog.find(types[0]) if types and isinstance(types[0], str) else None
    return first.group if first else "custom"


def _owners(scope: Scope, ids: Collection[int]) -> dict[int | None, tuple[str, bool]]:
    """Return owners' names, and whether they may have rules of their own now."""
    found: dict[int | None, tuple[str, bool]] = {}
    for user in User.select().where(User.id.in_(sorted(ids))):
        granted = user.access.permissions if user.access_id is not None else ()
        may = user.deactivated_ts is None and Permission.RULES_OWN in granted
        found[user.id] = (user.name if scope.sees(user.id) else _("another user"), may)
    return found


class Said(NamedTuple):
    """A rule of the starter set in words."""

    name: str
    description: str
    whole: str


def said(scope: Scope, drafts: Iterable[Starter]) -> list[Said]:
    read = [(each, definitions.load(each.definition)) for each in drafts]
    names = rulenames.names(scope, [says for _each, says in read if isinstance(says, Definition)])
    return [
        Said(each.name, each.description, rulewords.words(says, names).whole)
        for each, says in read
        if isinstance(says, Definition)
    ]


def sections(found: Iterable[Line], asked: Filter, by: Order) -> list[Section]:
    """Return the rules in order, under the headings asked for; those without a group stand last."""
    arranged = lists.arranged(found, by, KEYS)
    if asked.by == "none" or (asked.by == "owner" and asked.which != EMPLOYEES):
        return [Section(None, arranged)]
    heading, rank = _HEADINGS[asked.by]
    ranked: dict[Any, list[Line]] = {}
    for line in arranged:
        ranked.setdefault(heading(line), []).append(line)
    titles = sorted(ranked, key=rank) if rank else lists.by_name(ranked, str)
    return [Section(_title(asked.by, title), ranked[title]) for title in titles]


_HEADINGS: dict[str, tuple[Callable[[Line], str], Callable[[str], Any] | None]] = {
    "category": (lambda line: line.category, list(catalog.GROUPS).index),
    "group": (lambda line: line.group or "", lambda name: (not name, name.casefold())),
    "state": (lambda line: line.state, list(STATES).index),
    "owner": (lambda line: line.owner, None),
}


def _title(by: str, heading: str) -> str:
    if by == "category":
        return str(_(catalog.GROUPS[heading]))
    if by == "state":
        return str(_(STATES[heading]))
    return heading or str(_("No group"))


def cut(parts: Iterable[Section], keep: Collection[int]) -> list[Section]:
    """Return the sections with the lines of these ids only; empty ones are left out."""
    kept = [Section(part.title, [line for line in part.lines if line.id in keep]) for part in parts]
    return [part for part in kept if part.lines]


class Choices(NamedTuple):
    """What the filters offer: (value, label) pairs."""

    categories: list[tuple[str, str]]
    groups: list[tuple[str, str]]
    owners: list[tuple[str, str]]


def choices(scope: Scope, which: str) -> Choices:
    """Return the categories, groups and owners that occur in the list."""
    rules = list(Rule.select(Rule.definition, Rule.owner_id).where(of_list(scope, which)).tuples())
    used = {category(definition) for definition, _owner in rules}
    owners = _owners(scope, {owner for _definition, owner in rules if owner is not None})
    return Choices(
        [(name, _(label)) for name, label in catalog.GROUPS.items() if name in used],
        [(str(group.id), group.name) for group in groups()] if which == SYSTEM else [],
        lists.by_name([(str(ident), name) for ident, (name, _may) in owners.items()], lambda pair: pair[1])
        if which == EMPLOYEES else [],
    )  # fmt: skip


def groups() -> list[RuleGroup]:
    return lists.by_name(RuleGroup.select(), lambda group: group.name)


class GroupLine(NamedTuple):
    id: int
    name: str
    paused: bool
    rules: int


def group_lines() -> list[GroupLine]:
    counted = Rule.select(Rule.group, fn.COUNT(Rule.id)).where(Rule.group.is_null(False)).group_by(Rule.group)
    of = dict(counted.tuples())
    return [GroupLine(group.id, group.name, group.paused, of.get(group.id, 0)) for group in groups()]


def chosen(scope: Scope, ids: Collection[int]) -> list[Rule] | None:
    """Return the rules of these ids in order; None when the viewer may not see one of them, or it is not."""
    found = list(Rule.select().where(rights.visible(scope) & Rule.id.in_(sorted(ids)))
                 .order_by(Rule.position, Rule.id))  # fmt: skip
    return found if len(found) == len(ids) else None


def whole(scope: Scope, which: str) -> list[Rule]:
    """Return all rules of one of the viewer's lists, in the order in which they are asked."""
    return list(Rule.select().where(of_list(scope, which)).order_by(Rule.position, Rule.id))


def runs_of(rules: Iterable[Rule]) -> int:
    """Count runs kept of the rules, up to RUNS_COUNTED and one more."""
    some = Run.select(Run.id).where(Run.rule_id.in_([rule.id for rule in rules])).limit(RUNS_COUNTED + 1)
    return int(some.count())


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
