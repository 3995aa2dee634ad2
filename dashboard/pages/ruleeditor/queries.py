"""Queries of the editor: choices and what is shown beside the form, within the viewer's scope."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, NamedTuple

from flask_babel import gettext as _

from dashboard import catalog, clock
from dashboard.access.permissions import Permission
from dashboard.access.scope import Scope
from dashboard.catalog import CATALOG
from dashboard.db import rows
from dashboard.events import seen, switches
from dashboard.i18n import catalogue
from dashboard.models import (
    Access,
    Calendar,
    Channel,
    Event,
    Queue,
    Rule,
    RuleDraft,
    RuleGroup,
    RuleVersion,
    Run,
    Site,
    Source,
    Team,
    TeamLead,
    TeamMember,
    User,
)
from dashboard.rulelang import references
from dashboard.rulelang.outcomes import RunOutcome
from dashboard.rulelang.triggers import origin
from dashboard.rules import active_rules, permissions
from dashboard.ruletext import names as rule_names
from dashboard.web import lists

BESIDE_MS = 15 * 60 * 1000  # a draft younger than this is being typed
RUNS = 5

Choice = tuple[str, str]  # value and label


class Offered(NamedTuple):
    """What may be chosen, each (value, label). `more` people match besides those offered."""

    users: list[Choice]
    teams: list[Choice]
    accesses: list[Choice]
    queues: list[Choice]
    calendars: list[Choice]
    channels: list[tuple[str, str, str]]  # and kind
    rules: list[Choice]
    groups: list[Choice]
    named: dict[str, list[Choice]]  # by field path: sources, channels of queues, accesses by name
    more: int = 0
    outward: bool = True  # actions that call out

    def of(self, meaning: str) -> list[Choice]:
        """Return the users, teams, accesses, queues or rules that may be chosen."""
        return {
            "user": self.users,
            "team": self.teams,
            "access": self.accesses,
            "queue": self.queues,
            "rule": self.rules,
        }[meaning]


class Shown(NamedTuple):
    id: int
    outcome: str
    at_ms: int
    held: int
    error: str


def offered(scope: Scope, definition: Mapping[str, Any], sought: str) -> Offered:
    """Return the choices; those that the rule already names are kept."""
    named = references.collected(definition)
    chosen = frozenset(each for each in named["user"] | named["queue"] if isinstance(each, int))
    found = lists.offered(scope, chosen, sought)
    accesses = _named(Access.select(Access.id, Access.name, Access.is_system)) if scope.users is None else []
    return Offered(
        [(str(each.id), each.name) for each in found.rows],
        team_choices(scope),
        [(str(ident), _(name) if is_system else name) for ident, name, is_system in accesses],
        queue_choices(scope, chosen),
        [(name, name) for name in _texts(Calendar.select(Calendar.name))],
        _channels(),
        _choices(rows(Rule.select(Rule.id, Rule.name).where(permissions.visible(scope)), _Named)),
        groups(),
        {
            "source": [(name, name) for name in _texts(Source.select(Source.name))],
            "queue.channel": [(name, name) for name in _texts(Queue.select(Queue.channel).distinct())],
            "user.access": [(name, name) for name in _texts(Access.select(Access.name))],
        },
        found.more,
        scope.can(Permission.RULES_OUTWARD),
    )


def last_position(owner_id: int | None) -> int:
    """Return the position of the last rule of the owner's list; 0 in an empty list."""
    listed = Rule.owner_id.is_null() if owner_id is None else Rule.owner_id == owner_id
    return int(Rule.select(Rule.position).where(listed).order_by(Rule.position.desc()).limit(1).scalar() or 0)


def in_order(scope: Scope, type_: str, ident: int, key: tuple[bool, int, int]) -> list[tuple[str, bool]]:
    """Return the rules that are evaluated for a type, in order, and whether each is the one of `ident`, which
    stands where `key` says even while it is off. Rules that the viewer may not see are not named."""
    live = active_rules.live()
    found = [(spec.order, spec.id, spec.owner) for spec in live.index.concerning(type_) if spec.id != ident]
    arranged = sorted([*found, (key, ident, None)])
    return [
        ("", True)
        if each == ident
        else (
            live.rules[each].name if permissions.can_see(scope, owner) else str(_(rule_names.OTHER_RULE)),
            False,
        )
        for _key, each, owner in arranged
    ]


def groups() -> list[Choice]:
    return _choices(rows(RuleGroup.select(RuleGroup.id, RuleGroup.name), _Named))


TypeGroups = list[tuple[str, list[tuple[str, str, bool]]]]


def types(personal: bool, chosen: Collection[str], fits: Callable[[str], bool], sought: str) -> TypeGroups:
    """Return event types that fit and that rules may be about, by group of the catalogue: name, label, and
    whether they never occur until a source sends them.

    They are those with a text in label or name, or without one those that the site receives, and timers
    and counts of what it receives; without events of sources all. Those chosen stay.
    """
    groups: dict[str, list[tuple[str, str, bool]]] = {}
    switched, translate = switches.choices(), catalogue().ugettext
    received = seen.last_times()
    objects = {name.partition(".")[0] for name in received if name in CATALOG and CATALOG[name].needs_source}
    for type_ in CATALOG.values():
        name, label = type_.name, translate(type_.label)
        open_ = switched[name].usable if name in switched else type_.in_rules
        if sought:
            listed = lists.found(sought, label, name)
        else:
            listed = (
                not objects or name in received or (origin(name) != "" and name.partition(".")[0] in objects)
            )
        offered = open_ and listed and fits(name) and (type_.level == "personal" or not personal)
        if offered or name in chosen:
            groups.setdefault(type_.group, []).append((name, label, type_.needs_source))
    return [(_(label), groups[name]) for name, label in catalog.GROUPS.items() if name in groups]


def draft(user_id: int, rule_id: int) -> RuleDraft | None:
    found: RuleDraft | None = RuleDraft.get_or_none(
        (RuleDraft.user_id == user_id) & (RuleDraft.rule_id == rule_id)
    )
    return found


def others(scope: Scope, rule_id: int) -> list[str]:
    """Return who else is editing the rule; those outside the scope are not named."""
    since = clock.now_ms() - BESIDE_MS
    query = (
        RuleDraft.select(User.id, User.name)
        .join(User, on=(User.id == RuleDraft.user_id))
        .where(
            (RuleDraft.rule_id == rule_id)
            & (RuleDraft.updated_ms > since)
            & (RuleDraft.user_id != scope.viewer_id)
        )
    )
    if not rule_id:
        return []
    return [name if scope.sees(ident) else str(_("Another user")) for ident, name in query.tuples()]


def runs(rule_id: int) -> list[Shown]:
    """Return the last runs of a rule in which it matched."""
    query = Run.select(Run.id, Run.outcome, Run.at_ms, Run.held, Run.error).where(
        (Run.rule_id == rule_id) & Run.outcome.not_in([RunOutcome.NOT_MATCHED, RunOutcome.CANCELLED])
    )
    return rows(query.order_by(Run.made_ms.desc(), Run.id.desc()).limit(RUNS), Shown)


def latest(scope: Scope, named: Iterable[str]) -> int | None:
    """Return the newest event of one of the types that the viewer may see, by id."""
    e = Event
    seen = scope.allows(e.user_id)
    nobodys = e.user_id.is_null() & scope.allows_queue(e.queue_id)
    newest: tuple[int, int] | None = None
    for type_ in named:
        query = e.select(e.time_ms, e.id).where((e.type == type_) & (seen | nobodys))
        found = query.order_by(e.time_ms.desc()).limit(1).tuples().first()
        newest = max(filter(None, (newest, found)), default=None)
    return newest[1] if newest else None


def versions(rule_id: int) -> list[RuleVersion]:
    query = RuleVersion.select().where(RuleVersion.rule == rule_id)
    return list(query.order_by(RuleVersion.version.desc()))


def names(ids: Collection[int], scope: Scope) -> dict[int, str]:
    """Return what users are called; those outside the scope are not named."""
    found = User.select(User.id, User.name).where(User.id.in_(sorted(ids))).tuples()
    return {ident: name if scope.sees(ident) else str(_("Another user")) for ident, name in found}


class _Named(NamedTuple):
    id: int
    name: str


def _teams(scope: Scope) -> list[_Named]:
    query = Team.select(Team.id, Team.name)
    if scope.users is not None:
        led = TeamLead.select(TeamLead.team).where(TeamLead.user == scope.viewer_id)
        joined = TeamMember.select(TeamMember.team).where(TeamMember.user == scope.viewer_id)
        query = query.where(Team.id.in_(led) | Team.id.in_(joined))
    return rows(query, _Named)


def team_choices(scope: Scope) -> list[Choice]:
    """Return the teams that the viewer may choose."""
    return _choices(_teams(scope))


def queue_choices(scope: Scope, chosen: Collection[int] = ()) -> list[Choice]:
    """Return the queues in the viewer's scope, and those chosen already."""
    active = Queue.deactivated_ts.is_null() & scope.allows_queue(Queue.id)
    query = Queue.select(Queue.id, Queue.label).where(active | Queue.id.in_(sorted(chosen)))
    visible = [each for each in rows(query, _Named) if scope.queues is None or each.id in scope.queues]
    return _choices(visible)


def _channels() -> list[tuple[str, str, str]]:
    found = Channel.select(Channel.id, Channel.name, Channel.kind, Channel.active).tuples()
    labelled = [
        (str(ident), name if active else str(_("%(name)s (off)", name=name)), kind)
        for ident, name, kind, active in found
    ]
    return lists.by_name(labelled, lambda each: each[1])


def _choices(named: Iterable[_Named]) -> list[Choice]:
    return [(str(each.id), each.name) for each in lists.by_name(named, lambda each: each.name)]


def _named(query: Any) -> list[tuple[int, str, bool]]:
    return lists.by_name(query.tuples(), lambda each: str(each[1]))


def _texts(query: Any) -> list[str]:
    return lists.by_name([row[0] for row in query.tuples()], str)


def sites(scope: Scope) -> list[tuple[int, str]] | None:
    """Return (id, name) of the sites for which a viewer may set up invitations, None without the right."""
    if not (scope.can(Permission.RULES_OUTWARD) and scope.can(Permission.KEYS_EDIT)):
        return None
    query = Site.select(Site.id, Source.name).join(Source).where(scope.allows_queue(Site.queue_id))
    return list(query.order_by(Source.name).tuples())
