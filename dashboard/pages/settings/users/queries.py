"""Reads of the users whom the viewer may see, and of the choices of their form."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from flask_babel import gettext as _
from peewee import JOIN

from dashboard.access.granting import Giver
from dashboard.access.scope import Scope
from dashboard.db import rows
from dashboard.models import Access, Team, TeamMember, User
from dashboard.web import lists
from dashboard.web.forms import ID_MAX
from dashboard.web.lists import Order

NO_ACCESS = "none"  # value of the access filter for users known from events only


class Choice(NamedTuple):
    id: int
    name: str


class Line(NamedTuple):
    id: int
    login: str
    name: str
    access_id: int | None
    access: str
    deactivated_ts: int | None
    last_ts: int | None
    teams: str


@dataclass(frozen=True)
class Filter:
    sought: str
    access: str  # an id, NO_ACCESS, or "" for all
    deactivated: bool


KEYS = {
    "name": lambda line: line.name,
    "login": lambda line: line.login,
    "access": lambda line: line.access or None,
    "last": lambda line: line.last_ts,
}


def lines(scope: Scope, asked: Filter, by: Order) -> list[Line]:
    """Return the users inside the scope who match, in the order asked for."""
    query = (
        User.select(
            User.id,
            User.login,
            User.name,
            Access.id,
            Access.name,
            Access.is_system,
            User.deactivated_ts,
            User.last_sign_in_ts,
        )
        .join(Access, JOIN.LEFT_OUTER)
        .where(scope.allows(User.id))
    )
    if not asked.deactivated:
        query = query.where(User.deactivated_ts.is_null())
    teams = _team_names()
    found = [
        Line(ident, login, name, access_id, called(access, system), gone, last, teams.get(ident, ""))
        for ident, login, name, access_id, access, system, gone, last in query.tuples()
    ]
    fitting = [line for line in found if _fits(line, asked)]
    return lists.arranged(fitting, by, KEYS)


def one(scope: Scope, ident: int) -> User | None:
    """Return the user, or None when there is none inside the scope."""
    if not 0 < ident <= ID_MAX:
        return None
    return User.get_or_none((User.id == ident) & scope.allows(User.id))


def teams_of(user_id: int) -> frozenset[int]:
    query = TeamMember.select(TeamMember.team).where(TeamMember.user == user_id)
    return frozenset(team for (team,) in query.tuples())


def teams() -> list[Choice]:
    return lists.by_name(rows(Team.select(Team.id, Team.name), Choice), lambda team: team.name)


def accesses() -> list[Choice]:
    """Return every access, for the filter of the list."""
    query = Access.select(Access.id, Access.name, Access.is_system)
    found = [Choice(ident, called(name, system)) for ident, name, system in query.tuples()]
    return lists.by_name(found, lambda access: access.name)


def givable(giver: Giver, user_id: int | None) -> list[Choice]:
    """Return the accesses that the giver may give to this user (None: to a new one)."""
    found = [
        Choice(row.id, called(row.name, row.is_system))
        for row in Access.select()
        if giver.covers(row, user_id)
    ]
    return lists.by_name(found, lambda access: access.name)


def called(name: str | None, is_system: bool | None) -> str:
    """Return an access's name as shown: those of the presets are translated."""
    return str(_(name)) if name and is_system else name or ""


def deactivated_count(found: Sequence[Line]) -> int:
    return sum(1 for line in found if line.deactivated_ts is not None)


def _fits(line: Line, asked: Filter) -> bool:
    if asked.access and asked.access != (str(line.access_id) if line.access_id else NO_ACCESS):
        return False
    return lists.found(asked.sought, line.name, line.login)


def _team_names() -> dict[int, str]:
    query = TeamMember.select(TeamMember.user, Team.name).join(Team).order_by(Team.name)
    names: dict[int, list[str]] = {}
    for user, team in query.tuples():
        names.setdefault(user, []).append(team)
    return {user: ", ".join(each) for user, each in names.items()}
