"""What exists on this site that a rule may name, read for the check on save."""

from __future__ import annotations

from typing import Any

from dashboard.access.permissions import Permission
from dashboard.access.scope import Scope
from dashboard.models import Team, TeamLead, TeamMember, User
from dashboard.models.access import Access
from dashboard.models.notify import Calendar, Channel
from dashboard.models.rules import TypeSwitch
from dashboard.rules.doing import Site


def load(author: Scope, personal: bool) -> Site:
    """Return what the author of a rule may name: people inside of the scope, the teams of one's own (all
    for who may see everybody), accesses for who may see them, every channel and calendar by name."""
    active = User.select(User.id).where(author.allows(User.id) & User.deactivated_ts.is_null())
    accesses = frozenset(_ids(Access.select(Access.id)))
    return Site(
        channels=dict(Channel.select(Channel.id, Channel.kind).tuples()),
        users=frozenset(_ids(active)),
        teams=_teams(author),
        accesses=accesses if author.can(Permission.ACCESSES_VIEW) else frozenset(),
        calendars=frozenset(row[0] for row in Calendar.select(Calendar.name).tuples()),
        can_out=author.can(Permission.RULES_OUTWARD),
        personal=personal,
        switched=dict(TypeSwitch.select(TypeSwitch.type, TypeSwitch.in_rules).tuples()),
    )


def _teams(author: Scope) -> frozenset[int]:
    if author.users is None:
        return frozenset(_ids(Team.select(Team.id)))
    member = TeamMember.select(TeamMember.team).where(TeamMember.user == author.viewer_id)
    lead = TeamLead.select(TeamLead.team).where(TeamLead.user == author.viewer_id)
    return frozenset((*_ids(member), *_ids(lead)))


def _ids(query: Any) -> list[int]:
    return [row[0] for row in query.tuples()]
