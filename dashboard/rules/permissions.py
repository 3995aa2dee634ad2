"""Who may see, change and enable a rule, see its runs, and what its author may refer to.

Personal rules need `rules.own`. Rules of the site need `rules.view` to be seen, `rules.edit` to be changed
and `rules.switch` to be enabled. Personal rules of others need `rules.oversee`, which allows seeing and
disabling them, never changing them. A rule that the viewer may not see does not exist for them (404).
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from dashboard.access.permissions import Permission
from dashboard.access.scope import Scope
from dashboard.events import switches as event_switches
from dashboard.models import Team, TeamLead, TeamMember, User
from dashboard.models.access import Access
from dashboard.models.notify import Calendar, Channel
from dashboard.models.rules import Rule
from dashboard.rulelang import schema
from dashboard.rulelang.schema import Definition
from dashboard.rulelang.validation import AvailableReferences


def can_see(scope: Scope, owner_id: int | None) -> bool:
    """May the viewer see the rule of this owner (None: the site's)?"""
    if owner_id is None:
        return scope.can(Permission.RULES_VIEW)
    return scope.can(Permission.RULES_OWN if owner_id == scope.viewer_id else Permission.RULES_OVERSEE)


def visible(scope: Scope) -> Any:
    """Return the condition that keeps a query's rules to those that the viewer may see."""
    own = (Rule.owner_id == scope.viewer_id) & scope.can(Permission.RULES_OWN)
    site = Rule.owner_id.is_null() & scope.can(Permission.RULES_VIEW)
    others = (Rule.owner_id != scope.viewer_id) & scope.can(Permission.RULES_OVERSEE)
    return own | site | others


def can_change(scope: Scope, owner_id: int | None) -> bool:
    """May the viewer change, delete or add a rule of this owner?"""
    if owner_id is None:
        return scope.can(Permission.RULES_EDIT)
    return owner_id == scope.viewer_id and scope.can(Permission.RULES_OWN)


def can_switch(scope: Scope, owner_id: int | None, state: str) -> bool:
    """May the viewer set the rule to this state? Whoever oversees may only switch off."""
    if owner_id is None:
        return scope.can(Permission.RULES_SWITCH)
    if owner_id == scope.viewer_id:
        return scope.can(Permission.RULES_OWN)
    return state == "off" and scope.can(Permission.RULES_OVERSEE)


def can_see_traces(scope: Scope, owner_id: int | None) -> bool:
    """May the viewer see what a rule saw and did? One's own rules hide nothing from their owner."""
    return can_see(scope, owner_id) and (owner_id == scope.viewer_id or scope.can(Permission.RULES_TRACES))


def available_references(
    author: Scope, personal: bool, stored: Definition | None = None
) -> AvailableReferences:
    """Return what the author of a rule may name: active people inside of the scope, the teams of one's own,
    every channel and calendar; all teams and accesses for who may see everybody. Whom the `stored` rule
    names already may stay, as long as they exist.
    """
    named = schema.refers_to(stored) if stored is not None else {}
    users, teams, accesses = (sorted(named.get(part, ())) for part in ("user", "team", "access"))
    everybody = author.users is None
    active = author.allows(User.id) & User.deactivated_ts.is_null()
    return AvailableReferences(
        channels=dict(Channel.select(Channel.id, Channel.kind).tuples()),
        users=_ids(User.select(User.id).where(active | User.id.in_(users))),
        teams=_ids(Team.select(Team.id)) if everybody else _own_teams(author) | _existing(Team, teams),
        accesses=_ids(Access.select(Access.id)) if everybody else _existing(Access, accesses),
        calendars=frozenset(row[0] for row in Calendar.select(Calendar.name).tuples()),
        can_out=author.can(Permission.RULES_OUTWARD),
        personal=personal,
        switched={name: event_switches.in_rules(name) for name in event_switches.choices()},
    )


def _own_teams(author: Scope) -> frozenset[int]:
    member = TeamMember.select(TeamMember.team).where(TeamMember.user == author.viewer_id)
    lead = TeamLead.select(TeamLead.team).where(TeamLead.user == author.viewer_id)
    return _ids(member) | _ids(lead)


def _existing(model: Any, ids: Collection[int]) -> frozenset[int]:
    return _ids(model.select(model.id).where(model.id.in_(ids))) if ids else frozenset()


def _ids(query: Any) -> frozenset[int]:
    return frozenset(row[0] for row in query.tuples())
