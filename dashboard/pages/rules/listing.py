"""Rows of a list of rules: owner, state, description in words, and runs of the last days.

Words and counts are made for the lines that are shown, of the others only where they are needed: to be
searched or sorted by. A thousand rules in words would take a second.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any, NamedTuple

from flask_babel import gettext as _
from peewee import SQL, Case, fn

from dashboard import catalog, clock
from dashboard.access.permissions import Permission
from dashboard.access.scope import Scope
from dashboard.clock import DAY_MS
from dashboard.i18n.message import N_, Message
from dashboard.models import Rule, RuleGroup, Run, User
from dashboard.pages.rules.forms import EMPLOYEES, MY, NO_GROUP, SYSTEM, RuleListQuery
from dashboard.rulelang import schema as definitions
from dashboard.rulelang.matcher import State
from dashboard.rulelang.outcomes import RunOutcome
from dashboard.rulelang.schema import Definition
from dashboard.rulelang.text_templates import Names
from dashboard.rules import permissions
from dashboard.ruletext import names as rule_names
from dashboard.ruletext import sentences
from dashboard.web import lists
from dashboard.web.lists import Order

DAYS = 7
# Outcomes that do not count as a run.
IDLE = (RunOutcome.NOT_MATCHED, RunOutcome.TEST, RunOutcome.CANCELLED, RunOutcome.DISABLED)
FAILED = (RunOutcome.PARTLY, RunOutcome.FAILED, RunOutcome.ERROR)


class Week(NamedTuple):
    """Runs of each 24 hours, the oldest first; actions held back by limits; runs that failed."""

    days: tuple[int, ...] = (0,) * DAYS
    held: int = 0
    failed: int = 0

    @property
    def runs(self) -> int:
        return sum(self.days)


def weeks(rule_ids: Collection[int]) -> dict[int, Week]:
    """Return the runs of the last seven times 24 hours by rule, for the rules that have any."""
    if not rule_ids:
        return {}
    now_ms = clock.now_ms()
    since = now_ms - DAYS * DAY_MS
    day = (Run.made_ms - since - 1) / DAY_MS
    query = Run.select(
        Run.rule_id,
        day.alias("day"),
        fn.COUNT(Run.id),
        fn.SUM(Run.held),
        fn.SUM(_one_if_failed()),
    ).where(
        Run.rule_id.in_(sorted(rule_ids))
        & (Run.made_ms > since)
        & (Run.made_ms <= now_ms)
        & Run.outcome.not_in(IDLE)
    )
    found: dict[int, Week] = {}
    for rule_id, number, runs, held, failed in query.group_by(Run.rule_id, SQL("day")).tuples():
        week = found.get(rule_id, Week())
        days = [*week.days]
        days[int(number)] += runs
        found[rule_id] = Week(tuple(days), week.held + int(held), week.failed + int(failed))
    return found


def _one_if_failed() -> Case:
    return Case(None, ((Run.outcome.in_(FAILED), 1),), 0)


SUSPENDED = "suspended"  # a rule that is on, whose owner may have no rules now
INCOMPLETE = "incomplete"  # a rule that is off, of which an import left something out
STATES = {
    State.ON.value: N_("On"),
    State.SHADOW.value: N_("Dry run"),
    State.PAUSED.value: N_("Paused"),
    SUSPENDED: N_("Not permitted"),
    INCOMPLETE: N_("Incomplete"),
    State.OFF.value: N_("Off"),
}
COUNTED = ("runs", "held", "failed")  # columns that are sorted by runs


class Says(NamedTuple):
    """A rule in words. `when` of a plain rule is its types; `conditions` is "" for none."""

    types: str = ""
    when: str = ""
    conditions: str = ""
    actions: str = ""
    whole: str = ""  # all of it as one sentence


class Line(NamedTuple):
    """A rule in a list."""

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
    definition: Any
    missing: tuple[str, ...]  # what an import left out, in the reader's language
    says: Says = Says()
    week: Week = Week()


KEYS: dict[str, Callable[[Line], Any]] = {
    "name": lambda line: line.name,
    "type": lambda line: line.says.types,
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
    return permissions.visible(scope) & owner


def lines(scope: Scope, wanted: RuleListQuery, by: Order) -> list[Line]:
    """Return the rules of the list that pass the filters, in no order; `by` says what they must hold."""
    query = Rule.select().where(of_list(scope, wanted.which))
    if wanted.group:
        query = query.where(
            Rule.group.is_null() if wanted.group == NO_GROUP else Rule.group == number(wanted.group)
        )
    if wanted.owner:
        query = query.where(Rule.owner_id == number(wanted.owner))
    found = [line for line in _made(scope, list(query)) if _fits(line, wanted)]
    if wanted.sought or by.column == "type":
        found = spoken(scope, found)
    if wanted.sought:
        found = [
            line for line in found if lists.found(wanted.sought, line.name, line.description, *line.says)
        ]
    return counted(found) if by.column in COUNTED else found


def whole(scope: Scope, some: Sequence[Line]) -> list[Line]:
    """Return the lines with their words and counts."""
    return counted(spoken(scope, some))


def line(scope: Scope, rule: Rule) -> Line:
    """Return one rule as the lists show it."""
    return whole(scope, _made(scope, [rule]))[0]


def _fits(line: Line, wanted: RuleListQuery) -> bool:
    return (not wanted.category or line.category == wanted.category) and (
        not wanted.state or line.state == wanted.state
    )


def _made(scope: Scope, rules: Sequence[Rule]) -> list[Line]:
    called = owners(scope, {rule.owner_id for rule in rules if rule.owner_id is not None})
    groups = {group.id: group for group in RuleGroup.select()}
    made = []
    for rule in rules:
        group = groups.get(rule.group_id)
        owner, may = called.get(rule.owner_id, ("", True))
        watching = rule.state in (State.ON, State.SHADOW)
        state = rule.state if may or not watching else SUSPENDED
        made.append(
            Line(
                rule.id,
                rule.name,
                rule.description,
                rule.owner_id,
                owner,
                rule.group_id,
                group.name if group else None,
                bool(group and group.paused),
                rule.position,
                INCOMPLETE if rule.missing else state,
                rule.paused_reason,
                rule.last_run_ms,
                category(rule.definition),
                rule.definition,
                tuple(Message.from_json(each).render(_) for each in rule.missing),
            )
        )
    return made


def spoken(scope: Scope, some: Sequence[Line]) -> list[Line]:
    """Return the lines, each with its words."""
    read = {line.id: definitions.load(line.definition) for line in some if not line.says.types}
    names = rule_names.names(scope, [each for each in read.values() if isinstance(each, Definition)])
    return [line._replace(says=_says(read[line.id], names)) if line.id in read else line for line in some]


def counted(some: Sequence[Line]) -> list[Line]:
    found = weeks([line.id for line in some])
    return [line._replace(week=found.get(line.id, Week())) for line in some]


def _says(read: Definition | definitions.Errors, names: Names) -> Says:
    if not isinstance(read, Definition):
        return Says(_("This rule can't be read. Open it to fix it."))
    words = sentences.words(read, names)
    types = rule_names.type_label(read.types[0]) if len(read.types) == 1 else words.types
    plain = not (read.times or read.after or read.wait or read.count or read.schedule)
    when = types if plain else _begun(words.when)
    return Says(types, when, _begun(words.conditions), _begun(words.actions), words.whole)


def _begun(text: str) -> str:
    """Return a sentence's part with a capital letter, for it stands alone in its cell."""
    return text[:1].upper() + text[1:]


def category(definition: Any) -> str:
    """Return the group of the catalogue to which the rule's first type belongs."""
    types = definition.get("types") if isinstance(definition, dict) else None
    first = catalog.find(types[0]) if types and isinstance(types[0], str) else None
    return first.group if first else "custom"


def owners(scope: Scope, ids: Collection[int]) -> dict[int | None, tuple[str, bool]]:
    """Return owners' names, and whether they may have rules of their own now."""
    found: dict[int | None, tuple[str, bool]] = {}
    for user in User.select().where(User.id.in_(sorted(ids))):
        granted = user.access.permissions if user.access_id is not None else ()
        may = user.deactivated_ts is None and Permission.RULES_OWN in granted
        found[user.id] = (user.name if scope.sees(user.id) else _("another user"), may)
    return found


def sections(found: Iterable[Line], wanted: RuleListQuery, by: Order) -> list[Section]:
    """Return the rules in order, by the requested grouping; those without a group come last."""
    arranged = lists.arranged(found, by, KEYS)
    if wanted.by == "none" or (wanted.by == "owner" and wanted.which != EMPLOYEES):
        return [Section(None, arranged)]
    heading, rank = _HEADINGS[wanted.by]
    ranked: dict[Any, list[Line]] = {}
    for line in arranged:
        ranked.setdefault(heading(line), []).append(line)
    titles = sorted(ranked, key=rank) if rank else lists.by_name(ranked, str)
    return [Section(_title(wanted.by, title), ranked[title]) for title in titles]


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


def cut(parts: Iterable[Section], shown: Iterable[Line]) -> list[Section]:
    """Return the sections with the lines that are shown, as they are given; empty ones are left out."""
    given = {line.id: line for line in shown}
    kept = [
        Section(part.title, [given[line.id] for line in part.lines if line.id in given]) for part in parts
    ]
    return [part for part in kept if part.lines]


def number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
