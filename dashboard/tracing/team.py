"""Reads of what goes on now and what came in today: the viewer's scope first, typed rows out.

Each is one query or two, however many users and queues the viewer may see.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

import peewee

from dashboard.access.scope import Scope
from dashboard.clock import DAY_S, Span
from dashboard.db import rows
from dashboard.db.prepared import plain
from dashboard.models import (
    Activity,
    Interaction,
    Interval,
    PauseType,
    Queue,
    Source,
    Team,
    TeamLead,
    TeamMember,
    User,
)
from dashboard.tracing import load, ongoing, people
from dashboard.tracing.ongoing import settled
from dashboard.tracing.types import PRESENCE, SHOWN, IntervalRow, Kind, State

RECENT_S = 7 * DAY_S  # who did nothing for a week is not of today's team


class Member(NamedTuple):
    """Somebody who works: an active user with anything recorded in the last week."""

    id: int
    login: str
    name: str


class Waiting(NamedTuple):
    """What waits in a queue, and since when the first of it does."""

    queue_id: int
    number: int
    since: int


class Level(NamedTuple):
    """Of a queue's `done` interactions answered or lost today, `in_level` were answered in its level."""

    queue_id: int
    in_level: int
    done: int


class Done(NamedTuple):
    """How many activities a user closed, and the sum of their whole handling in seconds."""

    user_id: int
    closed: int
    handling_s: int


class Limit(NamedTuple):
    """A type of pause as pages call it; `seconds` None = no limit."""

    label: str
    seconds: int | None


def choices(scope: Scope) -> list[tuple[int, str]]:
    """Return the teams to choose from: all of them, or those that the viewer leads."""
    query = Team.select(Team.id, Team.name).order_by(Team.name)
    if scope.users is not None:
        query = query.join(TeamLead).where(TeamLead.user == scope.viewer_id)
    return [(ident, name) for ident, name in query.tuples()]


def members(scope: Scope, as_of: int) -> list[Member]:
    """Return the active users inside the scope who worked in the week before `as_of`, or are members now."""
    recent = Interval.select(Interval.id).where(
        (Interval.user_id == User.id) & (Interval.start_ts >= as_of - RECENT_S)
    )
    here = peewee.fn.EXISTS(recent) | User.id.in_(ongoing.members(as_of))
    wanted = scope.allows(User.id) & User.deactivated_ts.is_null() & here
    return rows(User.select(User.id, User.login, User.name).where(wanted).order_by(User.name), Member)


def worked(scope: Scope, span: Span) -> list[Member]:
    """Return the users inside the scope with anything recorded in `span`, deactivated ones included."""
    i = Interval
    near = (i.start_ts >= span.start - DAY_S) & (i.start_ts < span.end)
    far = (i.start_ts < span.start - DAY_S) & i.long
    over = i.end_ts.is_null() | (i.end_ts > span.start)
    own = (i.user_id == User.id) & over
    wanted = peewee.fn.EXISTS(i.select(i.id).where(own & near)) | peewee.fn.EXISTS(
        i.select(i.id).where(own & far)
    )
    query = User.select(User.id, User.login, User.name).where(scope.allows(User.id) & wanted)
    return rows(query.order_by(User.name), Member)


def last_worked(scope: Scope, before: int, team_id: int | None) -> int | None:
    """Return when the last stretch of work before an instant begins, of users inside the scope and the team;
    None without one. One search of an index for each user."""
    i, m = Interval, TeamMember
    latest = i.select(peewee.fn.MAX(i.start_ts)).where((i.user_id == User.id) & (i.start_ts < before))
    query = User.select(latest).where(scope.allows(User.id))
    if team_id is not None:
        query = query.where(User.id.in_(m.select(m.user).where(m.team == team_id)))
    return max((start for (start,) in query.tuples() if start is not None), default=None)


def day(
    scope: Scope,
    users: Collection[int],
    span: Span,
    kinds: Collection[Kind] = SHOWN,
    as_of: int | None = None,
) -> dict[int, list[IntervalRow]]:
    """Return user → stretches of `kinds` that overlap `span`, by start, for `users` inside the scope.

    As load.intervals for one user as of `as_of`, else the end of `span`, in two index ranges for all. What
    a file source left open ends where the file does: nobody is at work in it now. What the work was about is
    not read.
    """
    seen = sorted(user for user in users if scope.sees(user))
    i = Interval
    at = load.as_of(span.end if as_of is None else as_of)
    columns = (i.user_id, i.kind, i.start_ts, i.end_ts, i.channel, i.source_id, i.label, i.paid, i.inferred)
    proof = (i.activity_id, i.proved_ts, i.expires_ts)
    over = i.end_ts.is_null() | (i.end_ts > span.start)
    near = (i.start_ts >= span.start - DAY_S) & (i.start_ts < span.end)
    far = (i.start_ts < span.start - DAY_S) & i.long
    found: dict[int, list[IntervalRow]] = {user: [] for user in seen}
    for part in (far, near):
        chosen = i.user_id.in_(seen) & part & over & i.kind.in_([int(kind) for kind in kinds])
        query = i.select(*columns, *proof).where(chosen).order_by(i.start_ts)
        for user, kind, start, end, channel, source, label, paid, inferred, *rest in plain(query):
            work, proved, expires = rest
            presence_end = at.horizons.get(source) if end is None and kind <= max(PRESENCE) else None
            until = end if presence_end is None else max(start, presence_end)
            facts = (kind, start, until, channel, work, None, source, label, bool(paid), bool(inferred))
            found[user].append(IntervalRow(*facts, proved=proved, expires=expires))
    for user, rows_ in found.items():
        kept = (load.forgotten_login(user, row, at) for row in rows_)
        found[user] = [row for row in settled(kept, at) if row.kind != Kind.UNPROVED]
    return found


def done(scope: Scope, users: Collection[int], span: Span) -> dict[int, Done]:
    """Return user → activities closed in the span, as `closed` counts them in a trace (an index range)."""
    a = Activity
    seen = sorted(user for user in users if scope.sees(user))
    query = (
        a.select(a.user_id, peewee.fn.COUNT(a.user_id), peewee.fn.SUM(a.handling_s))
        .where(a.user_id.in_(seen) & (a.closed_ts >= span.start) & (a.closed_ts < span.end))
        .where(a.state == State.CLOSED.value)
        .group_by(a.user_id)
    )
    return {row[0]: Done(row[0], row[1], int(row[2])) for row in query.tuples()}


def misses(scope: Scope, users: Collection[int], span: Span) -> dict[int, list[int]]:
    """Return user → when activities of the span rang that were not taken, in order (UTC seconds)."""
    a = Activity
    seen = sorted(user for user in users if scope.sees(user))
    query = (
        a.select(a.user_id, a.start_ts)
        .where(a.user_id.in_(seen) & (a.start_ts >= span.start) & (a.start_ts < span.end))
        .where(load.not_taken())
        .order_by(a.start_ts)
    )
    found: dict[int, list[int]] = {}
    for user, at in query.tuples():
        found.setdefault(user, []).append(at)
    return found


def without_sign_in(users: Collection[int]) -> set[int]:
    """Return those of whom no sign-in was ever reported, as `people.never_signed_in` does for one."""
    i = Interval
    signed = i.select(i.user_id).distinct().where(i.user_id.in_(sorted(users)) & people.SIGNED_IN)
    return set(users) - {user for (user,) in signed.tuples()}


def arrived(scope: Scope, spans: Sequence[Span]) -> list[int]:
    """Return how many interactions of the viewer's queues began in each of `spans`, in one query."""
    i = Interaction
    inside = [(i.first_ms >= span.start * 1000) & (i.first_ms < span.end * 1000) for span in spans]
    sums = [peewee.fn.SUM(peewee.Case(None, [(part, 1)], 0)) for part in inside]
    query = i.select(*sums).where(functools.reduce(operator.or_, inside))
    if scope.queues is not None:
        query = query.where(scope.allows_queue(i.queue_id))
    return [int(number or 0) for number in query.tuples()[0]]


def waiting(scope: Scope, queues: Collection[int], as_of: int) -> dict[int, Waiting]:
    """Return queue → what entered in the last week and nobody has taken; nothing waits in a file.

    Of an exchange with a live connection, what it says instead.
    """
    i = Interaction
    columns = (i.queue_id, peewee.fn.COUNT(i.queue_id), peewee.fn.MIN(i.queued_ts))
    logged = _waiting(scope, queues, as_of, columns).where(i.source.not_in(ongoing.sources(as_of)))
    seen = Queue.id.in_(sorted(queues)) & scope.allows_queue(Queue.id)
    found: dict[int, Waiting] = {}
    for queue, number, since in plain(logged.group_by(i.queue_id) + ongoing.waiting(seen, as_of)):
        held = found.get(queue, Waiting(queue, 0, since))
        found[queue] = Waiting(queue, held.number + number, min(held.since, since))
    return found


def longest_waiting(scope: Scope, queues: Collection[int], as_of: int) -> dict[int, int]:
    """Return queue → the interaction that waits in it the longest."""
    query = _waiting(scope, queues, as_of, (Interaction.queue_id, Interaction.id))
    ordered = query.order_by(Interaction.queued_ts.desc(), Interaction.id.desc())
    return dict(ordered.tuples())  # the last of a queue wins


def _waiting(scope: Scope, queues: Collection[int], as_of: int, columns: Sequence[Any]) -> Any:
    i = Interaction
    return (
        i.select(*columns)
        .join(Source, on=(Source.id == i.source))
        .where(i.queue_id.in_(sorted(queues)) & scope.allows_queue(i.queue_id) & ~Source.is_file)
        .where(i.answered_ts.is_null() & i.ended_ts.is_null())
        .where((i.queued_ts >= as_of - RECENT_S) & (i.queued_ts <= as_of))
        .where(i.end_bound.is_null() & (i.expires_ts.is_null() | (i.expires_ts > as_of)))
    )


def levels(scope: Scope, queues: Collection[int], span: Span) -> dict[int, Level]:
    """Return queue → answered in level, of all answered in the span or lost in it while the queue was open.

    An interaction counts on the day it is over with, though it may have entered in the week before.
    """
    i = Interaction
    at = peewee.fn.COALESCE(i.answered_ts, i.ended_ts)
    open_then = ~((i.outcome == "missed") & (i.reason == "closed"))
    good = peewee.Case(None, [((i.outcome == "answered") & (i.wait_s <= Queue.sla_seconds), 1)], 0)
    since = (span.start - RECENT_S) * 1000
    query = (
        i.select(i.queue_id, peewee.fn.SUM(good), peewee.fn.COUNT(i.queue_id))
        .join(Queue, on=(Queue.id == i.queue_id))
        .where(i.queue_id.in_(sorted(queues)) & scope.allows_queue(i.queue_id))
        .where((i.first_ms >= since) & (i.first_ms < span.end * 1000))
        .where((at >= span.start) & (at < span.end) & (i.outcome != "") & open_then)
        .group_by(i.queue_id)
    )
    return {row[0]: Level(row[0], int(row[1]), int(row[2])) for row in query.tuples()}


def limits() -> Mapping[str, Limit]:
    """Return the name that events use for a pause → how pages call it and how long it may last."""
    query: Any = PauseType.select(PauseType.name, PauseType.label, PauseType.max_seconds)
    return {name: Limit(label, seconds) for name, label, seconds in query.tuples()}
