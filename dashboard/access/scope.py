"""About whom and which queues: the first argument of every read of people's data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from dashboard.access.permissions import ALL, EVERYONE, Permission
from dashboard.models import Access, AccessGrant, TeamLead, TeamMember, User


@dataclass(frozen=True)
class Scope:
    """Whom the viewer may see (`users`; None = all) and whose content (`queues`; None = all).

    One's own user is always inside. Work in a queue outside `queues` keeps its time and loses
    its content; one's own work is never hidden from oneself.
    """

    viewer_id: int
    permissions: frozenset[Permission]
    users: frozenset[int] | None
    queues: frozenset[int] | None

    def sees(self, user_id: int) -> bool:
        return self.users is None or user_id == self.viewer_id or user_id in self.users

    def content(self, user_id: int, queue_id: int | None) -> bool:
        """May the viewer see what this user's work in this queue was about?

        Work without a queue is content for those with all queues only.
        """
        return self.queues is None or user_id == self.viewer_id or queue_id in self.queues

    def allows(self, column: Any) -> Any:
        """Return the condition that keeps a query's user column inside the scope."""
        if self.users is None:
            return column.is_null(False)
        return column.in_(sorted(self.users | {self.viewer_id}))

    def allows_queue(self, column: Any) -> Any:
        """Return the condition that keeps a query's queue column inside the scope."""
        if self.queues is None:
            return (column.is_null(False)) | (column.is_null(True))
        return column.in_(sorted(self.queues))

    def can(self, permission: Permission) -> bool:
        return permission in self.permissions


def of_user(user: User) -> Scope:
    """Return the scope of a signed-in user: the union of the grants of the access, read now."""
    access = user.access
    if access is None:
        return Scope(user.id, EVERYONE, frozenset(), frozenset())
    grants = list(
        AccessGrant.select(AccessGrant.kind, AccessGrant.ref_id)
        .where(AccessGrant.access == access.id)
        .tuples()
    )
    kinds = {kind for kind, _ in grants}
    users: frozenset[int] | None = None
    if "all_users" not in kinds:
        named = {ref for kind, ref in grants if kind == "users"}
        users = frozenset(named | (led_by(user.id) if "led_teams" in kinds else set()))
    queues = None if "all_queues" in kinds else frozenset(ref for kind, ref in grants if kind == "queues")
    return Scope(user.id, permissions_of(access), users, queues)


def permissions_of(access: Access) -> frozenset[Permission]:
    """Return the known permissions of an access; values of a later version are ignored."""
    known = {permission.value for permission in Permission}
    return EVERYONE | {Permission(value) for value in access.permissions if value in known}


def whole(viewer_id: int = 0) -> Scope:
    """Return the scope of a read key, a command or a job: everybody, every queue."""
    return Scope(viewer_id, ALL, None, None)


def led_by(user_id: int) -> set[int]:
    """Return the members of the teams that the user leads."""
    query = (
        TeamMember.select(TeamMember.user)
        .join(TeamLead, on=(TeamLead.team == TeamMember.team))
        .where(TeamLead.user == user_id)
    )
    return {row[0] for row in query.tuples()}
