"""Queries for the pages of rules besides the lists; each checks the viewer's permissions."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import NamedTuple

from flask_babel import gettext as _

from dashboard import catalog
from dashboard.access.scope import Scope
from dashboard.models import Rule, RuleGroup, Run
from dashboard.pages.rules.forms import EMPLOYEES, SYSTEM
from dashboard.pages.rules.listing import category, of_list, owners
from dashboard.rulelang import schema as definitions
from dashboard.rulelang.schema import Definition
from dashboard.rules import permissions
from dashboard.rules.starter_rules import Starter
from dashboard.ruletext import names as rule_names
from dashboard.ruletext import sentences
from dashboard.web import lists

RUNS_COUNTED = 10_000  # before a deletion; more are "more than"


def sizes(scope: Scope, opened: Iterable[str]) -> dict[str, int]:
    return {which: Rule.select().where(of_list(scope, which)).count() for which in opened}


class Said(NamedTuple):
    """A rule of the starter set in words."""

    name: str
    description: str
    whole: str


def sentences_of(scope: Scope, drafts: Iterable[Starter]) -> list[Said]:
    read = [(each, definitions.load(each.definition)) for each in drafts]
    names = rule_names.names(scope, [says for _each, says in read if isinstance(says, Definition)])
    return [
        Said(each.name, each.description, sentences.words(says, names).whole)
        for each, says in read
        if isinstance(says, Definition)
    ]


class Choices(NamedTuple):
    """What the filters offer: (value, label) pairs."""

    categories: list[tuple[str, str]]
    groups: list[tuple[str, str]]
    owners: list[tuple[str, str]]


def choices(scope: Scope, which: str) -> Choices:
    """Return the categories, groups and owners that occur in the list."""
    rules = list(Rule.select(Rule.definition, Rule.owner_id).where(of_list(scope, which)).tuples())
    used = {category(definition) for definition, _owner in rules}
    called = owners(scope, {owner for _definition, owner in rules if owner is not None})
    return Choices(
        [(name, _(label)) for name, label in catalog.GROUPS.items() if name in used],
        [(str(group.id), group.name) for group in groups()] if which == SYSTEM else [],
        lists.by_name([(str(ident), name) for ident, (name, _may) in called.items()], lambda pair: pair[1])
        if which == EMPLOYEES
        else [],
    )


def groups() -> list[RuleGroup]:
    return lists.by_name(RuleGroup.select(), lambda group: group.name)


def chosen(scope: Scope, ids: Collection[int]) -> list[Rule]:
    """Return the rules of these ids in order, without those that are unknown or hidden from the viewer."""
    mine = permissions.visible(scope) & Rule.id.in_(sorted(ids))
    return list(Rule.select().where(mine).order_by(Rule.position, Rule.id))


def all_of(scope: Scope, which: str) -> list[Rule]:
    """Return all rules of one of the viewer's lists, in the order of their evaluation."""
    return list(Rule.select().where(of_list(scope, which)).order_by(Rule.position, Rule.id))


def runs_of(rules: Iterable[Rule]) -> int:
    """Return the number of stored runs of the rules, at most RUNS_COUNTED + 1."""
    some = Run.select(Run.id).where(Run.rule_id.in_([rule.id for rule in rules])).limit(RUNS_COUNTED + 1)
    return int(some.count())
