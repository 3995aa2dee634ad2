"""Reads of the teams."""

from __future__ import annotations

from typing import NamedTuple

from peewee import JOIN, fn

from dashboard.access.scope import Scope
from dashboard.models import Team, TeamLead, TeamMember, User
from dashboard.web import lists
from dashboard.web.lists import Order


class Line(NamedTuple):
    id: int
    name: str
    members: int
    leads: str  # names of the leads whom the viewer may see


class Present(NamedTuple):
    """Who is in a team now; `hidden` ids are outside the viewer's scope."""

    members: frozenset[int]
    leads: frozenset[int]
    hidden: frozenset[int]


KEYS = {
    "name": lambda line: line.name,
    "members": lambda line: line.members,
    "leads": lambda line: line.leads or None,
}


def lines(scope: Scope, sought: str, by: Order) -> list[Line]:
    """Return the teams that match by name or lead; leads outside the scope are not named."""
    sizes = TeamMember.select(TeamMember.team, fn.COUNT(TeamMember.user)).group_by(TeamMember.team)
    counts = dict(sizes.tuples())
    leads: dict[int, list[str]] = {}
    named = (
        TeamLead.select(TeamLead.team, User.name)
        .join(User, JOIN.INNER, on=(TeamLead.user == User.id))
        .where(scope.allows(User.id))
    )
    for team, name in named.tuples():
        leads.setdefault(team, []).append(name)
    found = [
        Line(ident, name, counts.get(ident, 0), ", ".join(lists.by_name(leads.get(ident, []), str)))
        for ident, name in Team.select(Team.id, Team.name).tuples()
    ]
    fitting = [line for line in found if lists.found(sought, line.name, line.leads)]
    return lists.arranged(fitting, by, KEYS)


def present(scope: Scope, team_id: int) -> Present:
    members = _of(TeamMember, team_id)
    leads = _of(TeamLead, team_id)
    return Present(members, leads, frozenset(each for each in members | leads if not scope.sees(each)))


def _of(model: type[TeamMember] | type[TeamLead], team_id: int) -> frozenset[int]:
    return frozenset(user for (user,) in model.select(model.user).where(model.team == team_id).tuples())
