"""Reads of one co-browsing session: its facts, its steps, and what the events of some steps say."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from dashboard.access.permissions import Permission
from dashboard.access.scope import Scope
from dashboard.catalog.visitors import TYPED
from dashboard.clock import Span
from dashboard.db import rows
from dashboard.models import CobrowseAgent, CobrowseSession, CobrowseStep, Event, Site, User
from dashboard.sources import display, run
from dashboard.sources.catalogue import SESSIONS
from dashboard.sources.query import Column, Filter, Op, Query

EVER = Span(0, 2**40)
MOST = 10_000  # steps of a session that its page counts, the first ones
CHUNK = 500
COLUMNS = ("name", "contact", "queue", "source")


class Step(NamedTuple):
    """A step; `n` counts the session's from 1."""

    n: int
    event_id: int
    time_ms: int
    kind: str
    by_agent: bool
    user_id: int | None
    page: str
    element: str
    length: int | None

    @property
    def by(self) -> str:
        return "agent" if self.by_agent else "customer"


class Agent(NamedTuple):
    """An agent within the viewer's scope."""

    id: int
    login: str
    name: str


class Found(NamedTuple):
    """A session that the viewer may see, with the texts of COLUMNS and its agents.

    `users` are the ids of all agents, `elements` the form fields whose values the site allows to be shown.
    """

    row: CobrowseSession
    name: str
    contact: str
    queue: str
    source: str
    agents: list[Agent]
    users: frozenset[int]
    elements: frozenset[str]


def session(scope: Scope, ident: int, zone: str) -> Found | None:
    """Return the session; None outside the scope, which is that of the list."""
    columns = tuple(Column(name, *SESSIONS.fields[name]) for name in COLUMNS)
    chosen = Filter(*SESSIONS.fields["number"], Op.ANY_OF, (ident,))
    found = run.rows(scope, Query(SESSIONS, EVER, zone, filters=(chosen,), columns=columns))
    row = CobrowseSession.get_or_none(CobrowseSession.id == ident) if found.rows else None
    if row is None:
        return None
    name, contact, queue, source = display.cells(scope, columns, [found.rows[0][1]], zone)[0]
    users = {user for (user,) in CobrowseAgent.select(CobrowseAgent.user_id).where(_of(row)).tuples()}
    u = User
    named = u.select(u.id, u.login, u.name).where(u.id.in_(sorted(users)) & scope.allows(u.id))
    allowed = Site.select(Site.elements).where(Site.source == row.source_id).scalar()
    elements = frozenset(allowed or ())
    agents = rows(named.order_by(u.name), Agent)
    return Found(row, name, contact, queue, source, agents, frozenset(users), elements)


def _of(row: CobrowseSession) -> Any:
    return CobrowseAgent.session == row.id


def steps(ident: int) -> list[Step]:
    """Return the first MOST steps of a session in order of time."""
    t = CobrowseStep
    columns = t.select(t.event_id, t.time_ms, t.kind, t.by_agent, t.user_id, t.page, t.element, t.length)
    found = columns.where(t.session == ident).order_by(t.time_ms, t.event_id).limit(MOST).tuples()
    return [Step(n, *row) for n, row in enumerate(found, 1)]


def data(ids: Collection[int]) -> dict[int, Mapping[str, Any]]:
    """Return what these events say besides typed values, by id."""
    return {
        ident: {name: each for name, each in said.items() if name not in TYPED} for ident, said in _data(ids)
    }


def values(scope: Scope, found: Found, steps_: Sequence[Step]) -> dict[int, str]:
    """Return the typed values of these steps that the viewer may see, by event.

    These are, for who holds `cobrowse.values`, those of the form fields that the site allows, and the values
    of custom events, which the site's own program chose. A source without a site allows no field.
    """
    if not scope.can(Permission.COBROWSE_VALUES):
        return {}
    allowed = {one.event_id for one in steps_ if one.kind == "custom" or one.element in found.elements}
    shown = {
        ident: next((said[name] for name in sorted(TYPED, reverse=True) if name in said), None)
        for ident, said in _data(allowed)
    }
    return {ident: str(value) for ident, value in shown.items() if isinstance(value, str | int | float)}


def _data(ids: Collection[int]) -> list[tuple[int, dict[str, Any]]]:
    found, e, ordered = [], Event, sorted(ids)
    for start in range(0, len(ordered), CHUNK):
        query = e.select(e.id, e.data).where(e.id.in_(ordered[start : start + CHUNK])).tuples()
        found += [(ident, said) for ident, text in query if isinstance(said := json.loads(text), dict)]
    return found
