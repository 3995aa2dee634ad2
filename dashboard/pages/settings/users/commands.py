"""Changes of users: one verb, one transaction, its audit entry inside.

All of them change rights, so they happen one at a time, with the rights that the viewer has at
that moment; see access.granting.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

import peewee

from dashboard import clock
from dashboard.access import granting, passwords, sessions
from dashboard.access.granting import TOO_MUCH, Giver, RefusedError
from dashboard.audit import record as audit
from dashboard.events import record as events
from dashboard.i18n.mark import N_
from dashboard.ingest.schema import NewEvent
from dashboard.models import Access, Team, TeamMember, User
from dashboard.pages.settings.users import queries
from dashboard.pages.settings.users.forms import Asked

SOURCE = "stopa"
OWN_ACCESS = N_("You cannot change your own access. Somebody else has to do it.")
OWN_PASSWORD = N_("Change your own password on My account.")
OWN_END = N_("You cannot deactivate yourself. Somebody else has to do it.")
HIGHER = N_("This user's access allows more than yours, so you cannot change the user.")


class TakenError(Exception):
    """Another user has this login."""


class StaleError(Exception):
    """The row has another version than the form was made from."""


def facts(asked: Asked) -> dict[str, Any]:
    """Return a user as the audit log keeps it: access and teams by name."""
    access = Access.get_or_none(Access.id == asked.access) if asked.access else None
    teams = Team.select(Team.name).where(Team.id.in_(sorted(asked.teams))).order_by(Team.name)
    return {
        **asked.columns(),
        "login": asked.login,
        "access": access.name if access else None,
        "teams": [name for (name,) in teams.tuples()],
    }


def create(viewer_id: int, asked: Asked) -> User:
    """Add a user; raises TakenError, RefusedError."""
    try:
        with granting.changing(viewer_id) as giver:
            _check_gift(giver, asked, None)
            hashed = passwords.make(asked.password) if asked.password else None
            row = User.create(
                login=asked.login, password_hash=hashed, created_ts=clock.now_s(), **asked.columns()
            )
            _join(row.id, frozenset(), asked.teams)
            audit.record("user.created", "c", audit.user_target(row), audit.differences({}, facts(asked)))
    except peewee.IntegrityError:
        raise TakenError from None
    return row


def update(viewer_id: int, row: User, stored: Asked, asked: Asked) -> None:
    """Save what differs from `stored`; raises StaleError, RefusedError, and then nothing is changed.

    A new password ends all sessions of the user.
    """
    with granting.changing(viewer_id) as giver:
        if not giver.may_restrict(User.get_by_id(row.id).access, row.id):
            raise RefusedError(HIGHER)
        _check_own(viewer_id, row, stored, asked)
        if asked.access != stored.access or asked.password:
            _check_gift(giver, asked, row.id)
        columns = asked.columns()
        if asked.password:
            columns["password_hash"] = passwords.make(asked.password)
        mine = (User.id == row.id) & (User.version == asked.version)
        if not User.update(version=User.version + 1, **columns).where(mine).execute():
            raise StaleError
        _join(row.id, queries.teams_of(row.id), asked.teams)
        changes = audit.differences(facts(stored), facts(asked))
        if asked.password:
            sessions.end_all(row.id)
            changes["password"] = ("", "")
        if changes:
            audit.record("user.updated", "u", audit.user_target(row), changes)


def deactivate(viewer_id: int, row: User) -> None:
    """End the user's sessions and open stretches of the day; the history stays. Twice is once.

    Raises RefusedError for oneself, for a user with more rights and for the last administrator.
    """
    with granting.changing(viewer_id) as giver:
        if row.id == viewer_id:
            raise RefusedError(OWN_END)
        if not giver.may_restrict(User.get_by_id(row.id).access, row.id):
            raise RefusedError(HIGHER)
        moment = clock.now_ms()
        active = (User.id == row.id) & User.deactivated_ts.is_null()
        change = User.update(deactivated_ts=moment // 1000, version=User.version + 1).where(active)
        if not change.execute():
            return
        sessions.end_all(row.id)
        end = NewEvent(
            id=f"deactivated:{row.id}:{moment}",
            type="agent.signed_out",
            time_ms=moment,
            user=row.login,
            data=json.dumps({"reason": "deactivated"}),
        )
        events.append(events.source(SOURCE).id, [end], makes=False)
        audit.record("user.deactivated", "u", audit.user_target(row), {"deactivated": (False, True)})


def reactivate(viewer_id: int, row: User) -> None:
    """Let the user sign in again, with the access and password of before. Twice is once."""
    with granting.changing(viewer_id) as giver:
        access = User.get_by_id(row.id).access
        if access is not None and not giver.covers(access, row.id):
            raise RefusedError(HIGHER)
        gone = (User.id == row.id) & User.deactivated_ts.is_null(False)
        if User.update(deactivated_ts=None, version=User.version + 1).where(gone).execute():
            audit.record("user.reactivated", "u", audit.user_target(row), {"deactivated": (True, False)})


def _check_own(viewer_id: int, row: User, stored: Asked, asked: Asked) -> None:
    if row.id != viewer_id:
        return
    if asked.access != stored.access:
        raise RefusedError(OWN_ACCESS)
    if asked.password:
        raise RefusedError(OWN_PASSWORD)


def _check_gift(giver: Giver, asked: Asked, user_id: int | None) -> None:
    """Raise RefusedError unless the giver has all that the access gives to this user."""
    if asked.access is None:
        return
    access = Access.get_or_none(Access.id == asked.access)
    if access is None or not giver.covers(access, user_id):
        raise RefusedError(TOO_MUCH)


def _join(user_id: int, have: Collection[int], want: Collection[int]) -> None:
    gone = sorted(set(have) - set(want))
    if gone:
        TeamMember.delete().where((TeamMember.user == user_id) & TeamMember.team.in_(gone)).execute()
    known = Team.select(Team.id).where(Team.id.in_(sorted(set(want) - set(have))))
    for (team_id,) in known.tuples():
        TeamMember.create(team=team_id, user=user_id)
    touched = sorted(set(have) ^ set(want))  # whoever edits one of these teams now is told
    Team.update(version=Team.version + 1).where(Team.id.in_(touched)).execute()
