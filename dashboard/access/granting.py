"""Rules for assigning roles: users grant only what they hold, and one administrator always remains."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NamedTuple

from dashboard.access import scope as scopes
from dashboard.access.permissions import SECTIONS, Permission
from dashboard.access.scope import Scope
from dashboard.db import database, dialect, rows
from dashboard.db.locks import Lock
from dashboard.i18n.message import N_
from dashboard.models import Access, AccessGrant, TeamLead, User

LEADS_NONE = N_("This user leads no team yet and sees only themselves. Choose the user as a lead in Teams.")
ADMINISTERS = frozenset({Permission.ACCESSES_EDIT, Permission.USERS_EDIT})
LABELS: dict[str, str] = {c.permission.value: c.label for section in SECTIONS for c in section.choices}
GRANT_LABELS = {
    "led_teams": N_("Teams the user leads"),
    "users": N_("Selected users"),
    "all_users": N_("All users"),
    "queues": N_("Selected queues"),
    "all_queues": N_("All queues"),
}


class Grant(NamedTuple):
    """One part of a role's scope; see AccessGrant."""

    kind: str
    ref_id: int | None = None


class RefusedError(Exception):
    """The change is not allowed. Carries a translatable message and the labels of the missing permissions."""

    def __init__(self, message: str, lacking: Iterable[str] = ()) -> None:
        super().__init__(message)
        self.lacking = tuple(lacking)


LAST = N_("At least one user must keep permission to edit roles and users.")
GONE = N_("Your account has been deactivated.")
TOO_MUCH = N_("This role has permissions that yours lacks, so you can't assign it.")


@dataclass(frozen=True)
class Giver:
    """The viewer as a grantor of permissions."""

    scope: Scope
    leads: bool  # holds the grant led_teams

    @property
    def administers(self) -> bool:
        return self.scope.permissions >= ADMINISTERS

    def may_permit(self, permission: Permission) -> bool:
        return permission in self.scope.permissions

    def may_grant(self, grant: Grant) -> bool:
        """Return whether the viewer can grant this part of a scope: it must lie within the viewer's own."""
        if grant.kind == "all_users":
            return self.scope.users is None
        if grant.kind == "users":
            return grant.ref_id is not None and self.scope.sees(grant.ref_id)
        if grant.kind == "led_teams":
            return self.scope.users is None or self.leads
        if grant.kind == "all_queues":
            return self.scope.queues is None
        return self.scope.queues is None or grant.ref_id in self.scope.queues

    def lacks(self, permissions: Iterable[Permission], grants: Iterable[Grant]) -> list[str]:
        """Return the translatable labels of the permissions and grants that the viewer does not hold."""
        missing = [LABELS.get(p.value, p.value) for p in permissions if not self.may_permit(p)]
        kinds = {grant.kind for grant in grants if not self.may_grant(grant)}
        return missing + [label for kind, label in GRANT_LABELS.items() if kind in kinds]

    def covers(self, access: Access, user_id: int | None = None) -> bool:
        """Return whether the viewer can assign this role, to the user `user_id` if given.

        For a user, the members of the teams that the user leads must be in the viewer's scope too.
        """
        grants = grants_of(access.id)
        if self.lacks(scopes.permissions_of(access), grants):
            return False
        if user_id is None or self.scope.users is None or Grant("led_teams") not in grants:
            return True
        return all(self.scope.sees(member) for member in scopes.led_by(user_id))

    def may_restrict(self, access: Access | None, user_id: int | None = None) -> bool:
        """Return whether the viewer can take this role from a user: by covering it, or as administrator."""
        return access is None or self.administers or self.covers(access, user_id)


def granted_by(permissions: Iterable[Permission]) -> list[Access]:
    """Return the roles of active users who can grant one of the permissions."""
    active = User.select(User.access).where(User.deactivated_ts.is_null())
    return [
        access
        for access in Access.select().where(Access.id.in_(active)).order_by(Access.name)
        if (held := scopes.permissions_of(access)) >= ADMINISTERS and held.intersection(permissions)
    ]


def giver_of(user: User, scope: Scope) -> Giver:
    leads = AccessGrant.select().where(
        (AccessGrant.access == user.access) & (AccessGrant.kind == "led_teams")
    )
    return Giver(scope, leads.exists())


def grants_of(access_id: int) -> list[Grant]:
    query = AccessGrant.select(AccessGrant.kind, AccessGrant.ref_id).where(AccessGrant.access == access_id)
    return rows(query.order_by(AccessGrant.kind, AccessGrant.ref_id), Grant)


@contextmanager
def changing(viewer_id: int) -> Iterator[Giver]:
    """Run the block in a transaction; only one such transaction changes permissions at a time.

    Yields the viewer's current permissions, which may have changed since the request started. Raises
    RefusedError and rolls back if the viewer has been deactivated, and as keeping_administrator().
    """
    with keeping_administrator():
        viewer = User.get_or_none((User.id == viewer_id) & User.deactivated_ts.is_null())
        if viewer is None:
            raise RefusedError(GONE)
        yield giver_of(viewer, scopes.of_user(viewer))


@contextmanager
def keeping_administrator() -> Iterator[None]:
    """Run the block in a transaction, one at a time.

    Raises RefusedError and rolls back if no active user would remain who can edit both roles and users.
    """
    with database.atomic():
        dialect.one_at_a_time(Lock.GRANT)
        before = _administered()
        yield
        if before and not _administered():
            raise RefusedError(LAST)


def _administered() -> bool:
    wanted = {permission.value for permission in ADMINISTERS}
    holding = [row.id for row in Access.select() if wanted <= set(row.permissions)]
    active = User.access.in_(holding) & User.deactivated_ts.is_null()
    signs_in = User.password_hash.is_null(False) | User.last_sign_in_ts.is_null(False)  # others are invited
    return bool(User.select().where(active & signs_in).exists())


def leads_none(user: User) -> bool:
    """Return whether the user's role shows the teams that they lead, not everybody, and they lead none."""
    kinds = {grant.kind for grant in grants_of(user.access_id or 0)}
    leads = TeamLead.select().where(TeamLead.user == user.id).exists()
    return "led_teams" in kinds and "all_users" not in kinds and not leads
