"""Reads for the tracing page alone."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

import peewee

from dashboard.access import masking
from dashboard.access.permissions import Permission
from dashboard.access.scope import Scope
from dashboard.db import rows
from dashboard.models import Activity, Interaction, Interval, Queue, User
from dashboard.tracing import load, logged
from dashboard.tracing.load import ActivityRow


class Step(NamedTuple):
    """An event of an interaction as the detail shows it; `user` is None for nobody and "" for
    somebody outside the viewer's scope."""

    time_ms: int
    type: str
    user: str | None
    data: dict[str, Any]


class Work(NamedTuple):
    """Another user's, or another stint of work on the same interaction."""

    id: int
    user: str
    user_id: int
    state: str
    start: int
    seconds: int


class Contact(NamedTuple):
    """The interaction's own facts."""

    external_id: str
    wait_s: int | None
    outcome: str
    reason: str


def activity(scope: Scope, ident: int) -> ActivityRow | None:
    return load.activity(scope, ident)


def user(user_id: int) -> User:
    found: User = User.get_by_id(user_id)
    return found


def interaction(scope: Scope, ident: int) -> Contact | None:
    """Return the facts of an interaction whose content the caller has already found visible."""
    i = Interaction
    query = i.select(i.external_id, i.wait_s, i.outcome, i.reason).where(i.id == ident)
    found = rows(query.where(scope.allows_queue(i.queue_id) | i.queue_id.is_null()), Contact)
    return found[0] if found else None


def steps(scope: Scope, row: ActivityRow) -> list[Step]:
    """Return the user events of the activity's interaction, oldest first; an index range."""
    name = Interaction.select(Interaction.external_id).where(Interaction.id == row.interaction_id)
    return [
        Step(event.time_ms, event.type, event.name, masking.hidden(event.type, json.loads(event.data)))
        for event in logged.events(scope, row.source_id, name)
    ]


def related(scope: Scope, row: ActivityRow) -> list[Work]:
    """Return the other activities of the interaction whose users and queues are in scope."""
    a = Activity
    query = (
        a.select(a.id, User.name, a.user_id, a.state, a.start_ts, a.handling_s)
        .join(User, on=(User.id == a.user_id))
        .where((a.interaction_id == row.interaction_id) & (a.id != row.id))
        .where(scope.allows(a.user_id) & scope.allows_queue(a.queue_id))
        .order_by(a.start_ts)
    )
    return rows(query, Work) if scope.can(Permission.TRACING_VIEW) else []


def neighbours(scope: Scope, row: ActivityRow) -> tuple[int | None, int | None]:
    """Return the ids of the user's activities before and after this one that the viewer may open."""
    a = Activity
    mine = (a.user_id == row.user_id) & _open_to(scope, row.user_id)
    before = mine & (peewee.Tuple(a.start_ts, a.id) < (row.start, row.id))
    after = mine & (peewee.Tuple(a.start_ts, a.id) > (row.start, row.id))
    previous = a.select(a.id).where(before).order_by(a.start_ts.desc(), a.id.desc()).limit(1).scalar()
    following = a.select(a.id).where(after).order_by(a.start_ts, a.id).limit(1).scalar()
    return previous, following


def last_active(scope: Scope, user_id: int, before: int) -> int | None:
    """Return the start of the user's last stretch before `before`, for the link of an empty day."""
    if not scope.sees(user_id):
        return None
    i = Interval
    found = i.select(peewee.fn.MAX(i.start_ts)).where((i.user_id == user_id) & (i.start_ts < before)).scalar()
    return int(found) if found is not None else None


def last_worked(scope: Scope) -> str | None:
    """Return the login of the user who began an activity last, of those that the viewer may trace."""
    if not scope.can(Permission.TRACING_VIEW):
        return None
    latest = Activity.select(peewee.fn.MAX(Activity.start_ts)).where(Activity.user_id == User.id)
    query = User.select(User.login, latest).where(scope.allows(User.id) & User.deactivated_ts.is_null())
    worked = [(start, login) for login, start in query.tuples() if start is not None]
    return max(worked)[1] if worked else None


def queues(scope: Scope) -> list[tuple[int, str]]:
    """Return the queues to filter by: those whose content the viewer may see."""
    if scope.queues is not None and not scope.queues:
        return []
    query = Queue.select(Queue.id, Queue.label).where(scope.allows_queue(Queue.id))
    return [(ident, label) for ident, label in query.tuples()]


def _open_to(scope: Scope, user_id: int) -> Any:
    a = Activity
    return a.id.is_null(False) if user_id == scope.viewer_id else scope.allows_queue(a.queue_id)
