"""The scope of a user: whose data and which queues. The first argument of every read of users' data."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import peewee

from dashboard.access.permissions import ALL, EVERYONE, Permission
from dashboard.db import keyset
from dashboard.db.prepared import Prepared, slot
from dashboard.models import Access, AccessGrant, Event, Site, TeamLead, TeamMember, User

Grant = tuple[
    str, int | None, int | None
]  # kind, id of what is granted, member of a team that the user leads
GRANT_COLUMNS = (AccessGrant.kind, AccessGrant.ref_id, TeamMember.user)


def with_members(query: Any, user: Any) -> Any:
    """Join the teams that `user` leads to the grants of a query, where they count, and their members."""
    led = (TeamLead.user == user) & (AccessGrant.kind == "led_teams")
    query = query.join_from(AccessGrant, TeamLead, peewee.JOIN.LEFT_OUTER, on=led)
    members = TeamMember.team == TeamLead.team
    return query.join_from(TeamLead, TeamMember, peewee.JOIN.LEFT_OUTER, on=members)


_GRANTS = Prepared(
    lambda: with_members(AccessGrant.select(*GRANT_COLUMNS), slot("user")).where(
        AccessGrant.access == slot("access")
    )
)


@dataclass(frozen=True)
class Scope:
    """Which users the viewer can see (`users`; None = all) and the content of which queues (None = all).

    The viewer's own user is always included. Of work in other queues only times are visible, not content.
    The viewer's own work is always visible with content.
    """

    viewer_id: int
    permissions: frozenset[Permission]
    users: frozenset[int] | None
    queues: frozenset[int] | None

    @property
    def is_whole(self) -> bool:
        """Does the viewer see everything: all users and the content of all queues?"""
        return self.users is None and self.queues is None

    def unlimited(self) -> Scope:
        """Return the scope of all users and queues with the same permissions."""
        return replace(self, users=None, queues=None)

    def as_json(self) -> dict[str, Any]:
        """Return the users, queues and permissions as JSON values."""
        parts = {"users": self.users, "queues": self.queues, "permissions": self.permissions}
        return {name: None if part is None else sorted(part) for name, part in parts.items()}

    def covers(self, other: dict[str, Any]) -> bool:
        """Return whether the viewer has all users, queues and permissions of another scope's `as_json`."""
        mine = self.as_json()
        return all(
            mine[name] is None or (part is not None and set(part) <= set(mine[name]))
            for name, part in other.items()
        )

    def sees(self, user_id: int) -> bool:
        return self.users is None or user_id == self.viewer_id or user_id in self.users

    def content(self, user_id: int, queue_id: int | None) -> bool:
        """Return whether the viewer can see the content of this user's work in this queue.

        Work without a queue is visible only with access to all queues.
        """
        return self.queues is None or user_id == self.viewer_id or queue_id in self.queues

    def allows(self, column: Any) -> Any:
        """Return the SQL condition that restricts a user column to the scope."""
        if self.users is None:
            return column.is_null(False)
        return column.in_(sorted(self.users | {self.viewer_id}))

    def allows_queue(self, column: Any) -> Any:
        """Return the SQL condition that restricts a queue column to the scope."""
        if self.queues is None:
            return (column.is_null(False)) | (column.is_null(True))
        return column.in_(sorted(self.queues))

    def allows_events(self) -> list[Any]:
        """Return the SQL conditions that keep events of other users, and what happened in other queues, out.

        What happened in no queue and on no interaction is visible, but on a web site without a queue, whose
        visitors are for viewers of all queues. The conditions choose no index.
        """
        user, queue = keyset.unindexed(Event.user_id), keyset.unindexed(Event.queue_id)
        inside = [] if self.users is None else [self.allows(user)]
        if self.queues is not None:
            of_site = keyset.unindexed(Event.source_id).in_(Site.select(Site.source))
            outside_queues = queue.is_null() & Event.interaction.is_null() & ~of_site
            inside.append(self.allows_queue(queue) | (user == self.viewer_id) | outside_queues)
        return inside

    def can(self, permission: Permission) -> bool:
        return permission in self.permissions


def of_user(user: User) -> Scope:
    """Return the current scope of a user: the union of the grants of the user's role."""
    return of_grants(user, _GRANTS.rows(access=user.access_id, user=user.id))


def of_grants(user: User, grants: Iterable[Grant]) -> Scope:
    """Return the scope of a user whose role has these grants."""
    if user.access is None:
        return Scope(user.id, EVERYONE, frozenset(), frozenset())
    parts: dict[str, set[int | None]] = {}
    for kind, ref, member in grants:
        parts.setdefault(kind, set()).add(member if kind == "led_teams" else ref)
    named = parts.get("users", set()) | parts.get("led_teams", set())
    users = None if "all_users" in parts else frozenset(each for each in named if each is not None)
    queues = frozenset(each for each in parts.get("queues", ()) if each is not None)
    return Scope(user.id, permissions_of(user.access), users, None if "all_queues" in parts else queues)


def permissions_of(access: Access) -> frozenset[Permission]:
    """Return the known permissions of a role. Unknown values, from a newer version, are ignored."""
    return _known(tuple(access.permissions))


@lru_cache(maxsize=256)
def _known(values: tuple[str, ...]) -> frozenset[Permission]:
    known = {permission.value for permission in Permission}
    return EVERYONE | {Permission(value) for value in values if value in known}


def whole(viewer_id: int = 0) -> Scope:
    """Return the unrestricted scope of a read key, a command or a job."""
    return Scope(viewer_id, ALL, None, None)


def led_by(user_id: int) -> set[int]:
    """Return the members of the teams that the user leads."""
    query = (
        TeamMember.select(TeamMember.user)
        .join(TeamLead, on=(TeamLead.team == TeamMember.team))
        .where(TeamLead.user == user_id)
    )
    return {row[0] for row in query.tuples()}
