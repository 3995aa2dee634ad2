"""What exists on this site that a rule may name, read for the check on save."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from dashboard.access.permissions import Permission
from dashboard.access.scope import Scope
from dashboard.events import switches
from dashboard.models import Team, TeamLead, TeamMember, User
from dashboard.models.access import Access
from dashboard.models.notify import Calendar, Channel
from dashboard.rulelang.doing import Site
from dashboard.rulelang.schema import Definition


def load(author: Scope, personal: bool, stored: Definition | None = None) -> Site:
    """Return what the author of a rule may name: active people inside of the scope, the teams of one's own,
    every channel and calendar; all teams and accesses for who may see everybody. Whom the `stored` rule
    names already may stay, as long as they exist.
    """
    users, teams, accesses = (_named(stored, part) for part in ("users", "teams", "accesses"))
    everybody = author.users is None
    active = author.allows(User.id) & User.deactivated_ts.is_null()
    return Site(
        channels=dict(Channel.select(Channel.id, Channel.kind).tuples()),
        users=_ids(User.select(User.id).where(active | User.id.in_(users))),
        teams=_ids(Team.select(Team.id)) if everybody else _own_teams(author) | _existing(Team, teams),
        accesses=_ids(Access.select(Access.id)) if everybody else _existing(Access, accesses),
        calendars=frozenset(row[0] for row in Calendar.select(Calendar.name).tuples()),
        can_out=author.can(Permission.RULES_OUTWARD),
        personal=personal,
        switched={name: switches.in_rules(name) for name in switches.choices()},
    )


def _named(stored: Definition | None, part: str) -> list[int]:
    """Return whom the actions of a rule name, by id."""
    doings = stored.then if stored is not None else ()
    return sorted({ident for doing in doings for ident in doing.params.get("to", {}).get(part, ())})


def _own_teams(author: Scope) -> frozenset[int]:
    member = TeamMember.select(TeamMember.team).where(TeamMember.user == author.viewer_id)
    lead = TeamLead.select(TeamLead.team).where(TeamLead.user == author.viewer_id)
    return _ids(member) | _ids(lead)


def _existing(model: Any, ids: Collection[int]) -> frozenset[int]:
    return _ids(model.select(model.id).where(model.id.in_(ids))) if ids else frozenset()


def _ids(query: Any) -> frozenset[int]:
    return frozenset(row[0] for row in query.tuples())
