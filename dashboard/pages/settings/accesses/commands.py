"""Changes of accesses: one verb, one transaction, its audit entry inside.

They happen one at a time, with the rights that the viewer has at that moment; nobody grants what
he lacks, changes the access he holds himself, or takes the last administrator's rights.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import peewee

from dashboard.access import granting
from dashboard.access.granting import TOO_MUCH, Giver, Grant, RefusedError, grants_of
from dashboard.audit import record as audit
from dashboard.i18n.mark import N_
from dashboard.models import Access, AccessGrant, Queue, User
from dashboard.pages.settings.accesses.forms import General, New, Rights

OWN = N_("This is your own access. Somebody else with as many rights has to change it.")
HIGHER = N_("This access allows more than yours, so you cannot change it.")
LACKING = N_("You cannot grant what your own access lacks: %(what)s.")
PRESET = N_("A preset can be changed, but not deleted.")
IN_USE = N_("Users have this access. Give them another one first.")
SCOPE_WORDS = {
    "led_teams": "teams one leads",
    "all_users": "all users",
    "all_queues": "all queues",
    "users": "user",
    "queues": "queue",
}  # as the audit log keeps them, in one language


class TakenError(Exception):
    """Another access has this name."""


class StaleError(Exception):
    """The row has another version than the form was made from."""


def named(grants: Iterable[Grant]) -> list[str]:
    """Return a scope as the audit log keeps it: users and queues by name."""
    given = sorted(grants, key=lambda grant: (grant.kind, grant.ref_id or 0))
    refs = {kind: [g.ref_id for g in given if g.kind == kind] for kind in ("users", "queues")}
    users = dict(User.select(User.id, User.login).where(User.id.in_(refs["users"])).tuples())
    queues = dict(Queue.select(Queue.id, Queue.name).where(Queue.id.in_(refs["queues"])).tuples())
    called = {("users", ident): name for ident, name in users.items()}
    called.update({("queues", ident): name for ident, name in queues.items()})
    return [f"{SCOPE_WORDS[g.kind]} {called.get((g.kind, g.ref_id), g.ref_id or '')}".strip() for g in given]


def create(viewer_id: int, asked: New) -> Access:
    """Add an access, empty or as a copy; raises TakenError, RefusedError."""
    try:
        with granting.changing(viewer_id) as giver:
            source = Access.get_or_none(Access.id == asked.source) if asked.source else None
            if asked.source and (source is None or not giver.covers(source)):
                raise RefusedError(TOO_MUCH)
            grants = grants_of(source.id) if source else []
            row = Access.create(
                name=asked.name,
                description=asked.description,
                permissions=source.permissions if source else [],
            )
            for grant in grants:
                AccessGrant.create(access=row, kind=grant.kind, ref_id=grant.ref_id)
            after = {
                "name": row.name,
                "description": row.description,
                "scope": named(grants),
                "permissions": row.permissions,
            }
            copy = {"copy_of": source.name} if source else None
            audit.record("access.created", "c", _target(row), audit.differences({}, after), copy)
    except peewee.IntegrityError:
        raise TakenError from None
    return row


def save_general(viewer_id: int, ident: int, asked: General) -> None:
    """Save name, description and scope; what the viewer could not grant stays as it is.

    Raises StaleError, TakenError, RefusedError; then nothing is changed.
    """
    try:
        with granting.changing(viewer_id) as giver:
            row = _checked(giver, viewer_id, ident)
            have = set(grants_of(ident))
            want = asked.grants | {grant for grant in have if not giver.may_grant(grant)}
            _refuse(giver.lacks((), want - have))
            columns = {"name": asked.name, "description": asked.description}
            _save(row, asked.version, **columns)
            for grant in have - want:
                AccessGrant.delete().where(_is(ident, grant)).execute()
            for grant in sorted(want - have, key=str):
                AccessGrant.create(access=ident, kind=grant.kind, ref_id=grant.ref_id)
            before = {"name": row.name, "description": row.description, "scope": named(have)}
            _log(row, audit.differences(before, {**columns, "scope": named(want)}))
    except peewee.IntegrityError:
        raise TakenError from None


def save_rights(viewer_id: int, ident: int, asked: Rights) -> None:
    """Save the boxes of one tab; all other permissions stay as they are.

    Raises StaleError, RefusedError; then nothing is changed.
    """
    with granting.changing(viewer_id) as giver:
        row = _checked(giver, viewer_id, ident)
        have = set(row.permissions)
        added = {each for each in asked.ticked if each.value not in have}
        _refuse(giver.lacks(sorted(added), ()))
        gone = {each for each in asked.offered - asked.ticked if giver.may_permit(each)}
        permissions = sorted((have | added) - gone)
        _save(row, asked.version, permissions=permissions)
        _log(row, audit.differences({"permissions": row.permissions}, {"permissions": permissions}))


def obstacle(row: Access) -> str | None:
    """Return why an access cannot be deleted (a message to translate), or None."""
    if row.is_system:
        return PRESET
    return IN_USE if User.select().where(User.access == row.id).exists() else None


def delete(viewer_id: int, ident: int) -> None:
    """Delete an access that nobody has. Twice is once; raises RefusedError."""
    with granting.changing(viewer_id) as giver:
        if Access.get_or_none(Access.id == ident) is None:
            return
        row = _checked(giver, viewer_id, ident)
        if reason := obstacle(row):
            raise RefusedError(reason)
        before = {"name": row.name, "permissions": row.permissions, "scope": named(grants_of(ident))}
        Access.delete().where(Access.id == ident).execute()
        audit.record(
            "access.deleted", "d", _target(row), {name: (value, None) for name, value in before.items()}
        )


def fixed(giver: Giver, row: Access, own_id: int | None) -> str | None:
    """Return why the giver may not change this access at all (a message to translate), or None."""
    if row.id == own_id:
        return OWN
    return None if giver.may_restrict(row) else HIGHER


def _checked(giver: Giver, viewer_id: int, ident: int) -> Access:
    row: Access = Access.get_by_id(ident)
    own = User.get_by_id(viewer_id).access
    if reason := fixed(giver, row, own.id if own else None):
        raise RefusedError(reason)
    return row


def _refuse(lacking: list[str]) -> None:
    if lacking:
        raise RefusedError(LACKING, lacking)


def _save(row: Access, version: int, **columns: Any) -> None:
    mine = (Access.id == row.id) & (Access.version == version)
    if not Access.update(version=Access.version + 1, **columns).where(mine).execute():
        raise StaleError


def _log(row: Access, changes: dict[str, tuple[Any, Any]]) -> None:
    if changes:
        audit.record("access.updated", "u", _target(row), changes)


def _is(access_id: int, grant: Grant) -> Any:
    ref = AccessGrant.ref_id.is_null() if grant.ref_id is None else AccessGrant.ref_id == grant.ref_id
    return (AccessGrant.access == access_id) & (AccessGrant.kind == grant.kind) & ref


def _target(row: Access) -> tuple[str, object, str]:
    return ("access", row.id, row.name)
