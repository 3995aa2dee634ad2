"""Changes of teams: one verb, one transaction, its audit entry inside.

Whoever leads a team may see its members, so these changes are changes of rights: they happen
one at a time, with the rights that the viewer has at that moment.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import peewee

from dashboard.access import granting
from dashboard.access.granting import Giver, RefusedError
from dashboard.audit import record as audit
from dashboard.i18n.mark import N_
from dashboard.models import Team, TeamLead, TeamMember, User
from dashboard.pages.settings.teams import queries
from dashboard.pages.settings.teams.forms import Asked
from dashboard.rules import store

UNSEEN_MEMBERS = N_("Some members are outside of what your access shows, so you cannot add leads.")


class TakenError(Exception):
    """Another team has this name."""


class StaleError(Exception):
    """The row has another version than the form was made from."""


def facts(name: str, members: Iterable[int], leads: Iterable[int]) -> dict[str, Any]:
    """Return a team as the audit log keeps it: people by name and login."""
    members, leads = set(members), set(leads)
    query = User.select(User.id, User.name, User.login).where(User.id.in_(sorted(members | leads)))
    called = {ident: f"{full} ({login})" for ident, full, login in query.order_by(User.name).tuples()}
    return {
        "name": name,
        "members": [text for ident, text in called.items() if ident in members],
        "leads": [text for ident, text in called.items() if ident in leads],
    }


def create(viewer_id: int, asked: Asked) -> None:
    """Add a team; raises TakenError, RefusedError."""
    try:
        with granting.changing(viewer_id) as giver:
            row = Team.create(name=asked.name)
            _place(giver, row.id, asked)
            after = facts(asked.name, asked.members, asked.leads)
            store.changed()
            audit.record("team.created", "c", _target(row), audit.differences({}, after))
    except peewee.IntegrityError:
        raise TakenError from None


def update(viewer_id: int, row: Team, asked: Asked) -> None:
    """Save the name and the people whom the viewer sees; the others of the team stay.

    Raises StaleError, TakenError, RefusedError; then nothing is changed.
    """
    try:
        with granting.changing(viewer_id) as giver:
            now = queries.present(giver.scope, row.id)
            before = facts(Team.get_by_id(row.id).name, now.members, now.leads)
            mine = (Team.id == row.id) & (Team.version == asked.version)
            if not Team.update(version=Team.version + 1, name=asked.name).where(mine).execute():
                raise StaleError
            _place(giver, row.id, asked)
            now = queries.present(giver.scope, row.id)
            changes = audit.differences(before, facts(asked.name, now.members, now.leads))
            if changes:
                store.changed()
                audit.record("team.updated", "u", _target(row), changes)
    except peewee.IntegrityError:
        raise TakenError from None


def delete(viewer_id: int, row: Team) -> None:
    """Delete the team; its people stay, their leads lose sight of them. Twice is once."""
    with granting.changing(viewer_id) as giver:
        now = queries.present(giver.scope, row.id)
        before = facts(row.name, now.members, now.leads)
        User.update(version=User.version + 1).where(User.id.in_(sorted(now.members))).execute()
        if Team.delete().where(Team.id == row.id).execute():
            store.changed()
            audit.record(
                "team.deleted", "d", _target(row), {name: (value, None) for name, value in before.items()}
            )


def _place(giver: Giver, team_id: int, asked: Asked) -> None:
    """Put the people asked for into the team, besides those whom the giver does not see."""
    now = queries.present(giver.scope, team_id)
    members = asked.members | (now.members & now.hidden)
    leads = asked.leads | (now.leads & now.hidden)
    if leads - now.leads and not all(giver.scope.sees(member) for member in members):
        raise RefusedError(UNSEEN_MEMBERS)
    for model, have, want in ((TeamMember, now.members, members), (TeamLead, now.leads, leads)):
        gone = sorted(have - want)
        if gone:
            model.delete().where((model.team == team_id) & model.user.in_(gone)).execute()
        for user_id in sorted(want - have):
            model.create(team=team_id, user=user_id)
    touched = sorted(members ^ now.members)  # whoever edits one of these users now is told
    User.update(version=User.version + 1).where(User.id.in_(touched)).execute()


def _target(row: Team) -> tuple[str, object, str]:
    return ("team", row.id, row.name)
