"""Reads for the page of one interaction: its facts, work, events, and who was free."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

import peewee as pw

from dashboard.access import masking
from dashboard.access.permissions import Permission
from dashboard.access.scope import Scope
from dashboard.catalog.fields import ASSIGNEE, TO_QUEUE, TO_USER
from dashboard.clock import DAY_S, Span
from dashboard.db import rows
from dashboard.models import (
    Activity,
    CobrowseSession,
    Contact,
    Event,
    Interaction,
    Interval,
    Queue,
    Source,
    User,
    Visit,
)
from dashboard.sources import run
from dashboard.sources.answer import names
from dashboard.sources.catalogue import SESSIONS
from dashboard.sources.declared.visits import sites
from dashboard.sources.query import Column, Filter, Op, Query
from dashboard.tracing import logged
from dashboard.tracing.types import SHOWN, Kind

MAX_EVENTS = 500
KINDS = [int(kind) for kind in SHOWN if kind != Kind.LOGIN]
MAX_OTHERS = 10
AFTER_VISIT_MS = 3_600_000


class Facts(NamedTuple):
    """An interaction as it is stored, with the names of what it refers to. Times are UTC seconds."""

    id: int
    external_id: str
    source_id: int
    source: str
    channel: str
    direction: str
    queue_id: int | None
    queue: str | None
    level_s: int | None
    contact_id: int | None
    first_ms: int
    queued_ts: int | None
    answered_ts: int | None
    ended_ts: int | None
    wait_s: int | None
    talk_s: int
    outcome: str
    reason: str
    end_bound: int | None
    end_reason: str | None


class Work(NamedTuple):
    """A user's work on the interaction; `name` is None for a user outside the viewer's scope."""

    id: int
    user_id: int
    name: str | None
    login: str | None
    channel: str
    state: str
    start: int
    end: int | None
    ringing_s: int
    handling_s: int
    talk_s: int
    hold_s: int
    end_bound: int | None


class Part(NamedTuple):
    """A stretch of a user's work: ringing, handling, talk or hold."""

    activity_id: int
    kind: int
    start: int
    end: int | None


class Happened(NamedTuple):
    """An event; `name` is None for nobody, "" for a user outside the viewer's scope."""

    time_ms: int
    type: str
    user_id: int | None
    name: str | None
    data: Mapping[str, Any]


class Free(NamedTuple):
    """A user who was ready without work, and since when."""

    name: str
    login: str
    since: int


class Linked(NamedTuple):
    """Ids of pages of what the customer did on a web site; None for none that the viewer may see."""

    visit: int | None
    session: int | None


class Other(NamedTuple):
    """Another interaction of the same contact."""

    id: int
    external_id: str
    channel: str
    at: int
    outcome: str


def facts(scope: Scope, ident: int) -> Facts | None:
    """Return an interaction that the viewer may see: of a visible queue, or of the viewer's own work."""
    i, a = Interaction, Activity
    own = pw.fn.EXISTS(a.select(a.id).where((a.interaction_id == i.id) & (a.user_id == scope.viewer_id)))
    columns = (
        i.id,
        i.external_id,
        i.source,
        Source.name,
        i.channel,
        i.direction,
        i.queue_id,
        Queue.label,
        Queue.sla_seconds,
        *(getattr(i, name) for name in Facts._fields[9:]),
    )
    query = (
        i.select(*columns)
        .join(Source, on=(Source.id == i.source))
        .switch(i)
        .join(Queue, pw.JOIN.LEFT_OUTER, on=(Queue.id == i.queue_id))
        .where((i.id == ident) & i.first_ms.is_null(False) & (scope.allows_queue(i.queue_id) | own))
    )
    found: list[Facts] = rows(query, Facts)
    return found[0] if found else None


def contact(ident: int | None, full: bool) -> str:
    """Return the label of a contact, masked unless `full`; "" for none."""
    c = Contact
    found = c.select(c.name, c.phone, c.email).where(c.id == ident).tuples().first() if ident else None
    return masking.contact(found[0], found[1], found[2], full) if found else ""


def works(scope: Scope, ident: int) -> list[Work]:
    """Return who worked on the interaction, in order of the beginning; names within the scope only."""
    a = Activity
    query = (
        a.select(
            a.id,
            a.user_id,
            User.name,
            User.login,
            a.channel,
            a.state,
            a.start_ts,
            a.end_ts,
            a.ringing_s,
            a.handling_s,
            a.talk_s,
            a.hold_s,
            a.end_bound,
        )
        .join(User, on=(User.id == a.user_id))
        .where(a.interaction_id == ident)
        .order_by(a.start_ts, a.id)
    )
    return [
        work if scope.sees(work.user_id) else work._replace(name=None, login=None)
        for work in rows(query, Work)
    ]


def parts(ids: list[int]) -> list[Part]:
    """Return the stretches of these activities, in order of time."""
    s = Interval
    query = s.select(s.activity_id, s.kind, s.start_ts, s.end_ts).where(s.activity_id.in_(ids))
    return rows(query.order_by(s.start_ts, s.kind), Part)


def events(scope: Scope, found: Facts) -> list[Happened]:
    """Return the first MAX_EVENTS of the interaction in order, with what the viewer may see."""
    c = Contact
    contact = c.select(c.name, c.phone, c.email).where(c.id == found.contact_id).dicts().first() or {}
    known = masking.known(contact)
    return [
        Happened(each.time_ms, each.type, each.user_id, each.name, _data(scope, each, known))
        for each in logged.events(scope, found.source_id, found.external_id, MAX_EVENTS)
    ]


def _data(scope: Scope, event: logged.Logged, known: Mapping[str, str]) -> dict[str, Any]:
    """Return an event's data: contact details masked, `known` the contact's; no names outside the scope."""
    data: dict[str, Any] = masking.hidden(event.type, json.loads(event.data))
    find = names(scope)
    for field, limit, seen in (
        (TO_USER, scope.users, find.user),
        (ASSIGNEE, scope.users, find.user),
        (TO_QUEUE, scope.queues, find.queue),
    ):
        if limit is not None and field.name in data and seen(str(data[field.name])) is None:
            del data[field.name]
    return data if scope.can(Permission.PII_UNMASK) else dict(masking.data(data, known))


def free(scope: Scope, at: int) -> list[Free]:
    """Return the users of the scope who were ready and did nothing at the instant `at`, the longest first."""
    s, u = Interval, User
    near = (s.start_ts >= at - DAY_S) | s.long
    around = (
        s.select(s.user_id, s.kind, s.start_ts, s.end_ts)
        .where(scope.allows(s.user_id) & near & (s.start_ts <= at) & s.kind.in_(KINDS))
        .where(s.end_ts.is_null() | (s.end_ts > at - DAY_S))
    )
    ready: dict[int, int] = {}
    worked: dict[int, int] = {}
    busy: set[int] = set()
    for user, kind, start, end in around.tuples():
        going = end is None or end > at
        if kind == Kind.READY and going:
            ready[user] = min(ready.get(user, start), start)
        elif kind not in (Kind.READY, Kind.UNPROVED) and going:
            busy.add(user)
        elif kind not in (Kind.READY, Kind.UNPROVED):
            worked[user] = max(worked.get(user, end), end)
    since = {user: max(start, worked.get(user, start)) for user, start in ready.items() if user not in busy}
    named = {
        ident: (name, login)
        for ident, name, login in u.select(u.id, u.name, u.login).where(u.id.in_(sorted(since))).tuples()
    }
    return sorted((Free(*named[user], start) for user, start in since.items()), key=lambda one: one.since)


def linked(scope: Scope, found: Facts) -> Linked:
    """Return the visit of a web site from which the customer came, as the interaction's events say, and the
    co-browsing session of these events or of that visit.

    A visit that had ended long before is another one: a customer's attribute may name an old visit.
    """
    e, v = Event, Visit
    if not scope.permissions & {Permission.VISITORS_VIEW, Permission.SESSIONS_VIEW}:
        return Linked(None, None)
    mine = (e.source_id == found.source_id) & (e.interaction == found.external_id)
    named = {row[0] for row in e.select(e.session).where(mine & e.session.is_null(False)).distinct().tuples()}
    if not named:
        return Linked(None, None)
    near = (v.started_ms <= found.first_ms + AFTER_VISIT_MS) & (
        v.active_ms >= found.first_ms - AFTER_VISIT_MS
    )
    query = v.select(v.id).where(v.site.in_(sorted(sites(scope))) & v.token.in_(sorted(named)) & near)
    ident: int | None = query.order_by(v.id.desc()).limit(1).scalar()
    session = _session(scope, found.source_id, named, ident) if scope.can(Permission.SESSIONS_VIEW) else None
    return Linked(ident if scope.can(Permission.VISITORS_VIEW) else None, session)


def _session(scope: Scope, source: int, named: set[str], visit: int | None) -> int | None:
    """Return the latest co-browsing session of these names or of the visit that the viewer may see."""
    s = CobrowseSession
    of_events = (s.source == source) & s.external_id.in_(sorted(named))
    ids = tuple(s.select(s.id).where(of_events if visit is None else of_events | (s.visit == visit)).tuples())
    if not ids:
        return None
    entity, field = SESSIONS.fields["number"]
    chosen = Filter(entity, field, Op.ANY_OF, tuple(ident for (ident,) in ids))
    shown = run.rows(
        scope,
        Query(SESSIONS, Span(0, 2**40), "UTC", filters=(chosen,), columns=(Column("number", entity, field),)),
    )
    return shown.rows[0][0] if shown.rows else None


def others(scope: Scope, found: Facts) -> list[Other]:
    """Return the latest other interactions of the same contact that the viewer may see."""
    i = Interaction
    if found.contact_id is None:
        return []
    query = (
        i.select(i.id, i.external_id, i.channel, i.first_ms / 1000, i.outcome)
        .where((i.contact_id == found.contact_id) & (i.id != found.id) & scope.allows_queue(i.queue_id))
        .order_by(i.first_ms.desc())
        .limit(MAX_OTHERS)
    )
    return rows(query, Other)
