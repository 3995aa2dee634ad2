"""Reads and changes of the viewer's notification profiles: one verb, one transaction, audited."""

from __future__ import annotations

from typing import Any, NamedTuple

from dashboard.access.permissions import Permission
from dashboard.access.scope import Scope
from dashboard.audit import record as audit
from dashboard.db import database
from dashboard.models import Channel, Profile, User
from dashboard.web import lists


class Choice(NamedTuple):
    id: int
    name: str


def profiles(viewer_id: int) -> list[Profile]:
    """Return the viewer's profiles, the default first, then by name."""
    found = lists.by_name(Profile.select().where(Profile.user_id == viewer_id), lambda row: row.name)
    return sorted(found, key=lambda row: not row.is_default)


def profile(viewer_id: int, ident: int) -> Profile | None:
    found: Profile | None = Profile.get_or_none((Profile.id == ident) & (Profile.user_id == viewer_id))
    return found


def channels(scope: Scope, kept: int | None) -> list[Choice]:
    """Return the channels to choose from: those in use for who may call out, and the one that is chosen."""
    mine = Channel.id == kept
    if scope.can(Permission.RULES_OUTWARD):
        mine |= Channel.active
    query = Channel.select(Channel.id, Channel.name).where(mine).tuples()
    return lists.by_name([Choice(*row) for row in query], lambda one: one.name)


def people(scope: Scope, kept: int | None) -> list[Choice]:
    """Return who may be told instead: active users in scope but oneself, and the one that is chosen."""
    query = User.select(User.id, User.name).where(
        scope.allows(User.id)
        & (User.id != scope.viewer_id)
        & ((User.deactivated_ts.is_null() & User.access.is_null(False)) | (User.id == kept))
    )
    return lists.by_name([Choice(*row) for row in query.tuples()], lambda one: one.name)


def facts(row: Profile) -> dict[str, Any]:
    same = ("name", "email", "quiet_from", "quiet_to", "quiet_days", "fallback_id")
    return {"channel": row.channel_id} | {name: getattr(row, name) for name in same}


def create(viewer_id: int, values: dict[str, Any]) -> None:
    """Add a profile; a user's first is the default."""
    with database.atomic():
        first = not Profile.select().where(Profile.user_id == viewer_id).exists()
        row = Profile.create(user_id=viewer_id, is_default=first, **values)
        audit.record("profile.created", "c", _target(row), audit.differences({}, values))


def update(row: Profile, values: dict[str, Any], version: int) -> bool:
    """Save; False, and nothing is changed, when `version` is no longer the row's."""
    changes = audit.differences(facts(row), values)
    with database.atomic():
        mine = (Profile.id == row.id) & (Profile.version == version)
        if not Profile.update(version=Profile.version + 1, **values).where(mine).execute():
            return False
        if changes:
            audit.record("profile.updated", "u", _target(row), changes)
    return True


def make_default(row: Profile) -> None:
    """Be told by this profile from now on."""
    with database.atomic():
        others = (Profile.user_id == row.user_id) & (Profile.id != row.id)
        Profile.update(is_default=False).where(others).execute()
        fresh = (Profile.id == row.id) & ~Profile.is_default
        if Profile.update(is_default=True).where(fresh).execute():
            audit.record("profile.updated", "u", _target(row), {"is_default": (False, True)})


def delete(row: Profile) -> None:
    """Delete; of the profiles that remain after the default one, the oldest is the default."""
    with database.atomic():
        if Profile.delete().where(Profile.id == row.id).execute():
            audit.record("profile.deleted", "d", _target(row), audit.differences({}, facts(row)))
        rest = Profile.select().where(Profile.user_id == row.user_id).order_by(Profile.id)
        if rest and not any(one.is_default for one in rest):
            Profile.update(is_default=True).where(Profile.id == rest[0].id).execute()


def _target(row: Profile) -> tuple[str, object, str]:
    return ("profile", row.id, row.name)
