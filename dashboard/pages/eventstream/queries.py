"""Queries of the page of one event: the event, what happened around it, the rules that ran."""

from __future__ import annotations

from typing import Any, NamedTuple

import peewee as pw

from dashboard.access.permissions import Permission
from dashboard.access.scope import Scope
from dashboard.clock import Span
from dashboard.db import keyset, rows
from dashboard.models import Event, Rule, Run, User
from dashboard.ruletext.run_scope import covers, traced
from dashboard.sources import run
from dashboard.sources.catalogue import EVENTS
from dashboard.sources.query import Column, Filter, Op, Query

EVER = Span(0, 2**40)
NEAR = 20  # events of the same interaction or session, before and after
COLUMNS = ("time", "recorded", "type", "user", "queue", "contact", "source", "external_id", "mark")


class Found(NamedTuple):
    """An event of the viewer's scope: its row, and its values of `columns` of the source."""

    row: Event
    columns: list[Column]
    values: tuple[Any, ...]


class Neighbour(NamedTuple):
    """An event of the same interaction or session; `name` is None for nobody."""

    id: int
    type: str
    time_ms: int
    name: str | None


class RuleRun(NamedTuple):
    id: int
    rule: str
    outcome: str
    took_us: int


def event(scope: Scope, ident: int, zone: str) -> Found | None:
    """Return the event; None outside the scope, which is that of the list."""
    columns = [Column(name, *EVENTS.fields[name]) for name in COLUMNS]
    chosen = Filter(*EVENTS.fields["id"], Op.ANY_OF, (ident,))
    found = run.rows(scope, Query(EVENTS, EVER, zone, filters=(chosen,), columns=tuple(columns)))
    row = Event.get_or_none(Event.id == ident) if found.rows else None
    return Found(row, columns, found.rows[0][1]) if row is not None else None


def neighbours(scope: Scope, of: Event, column: Any) -> list[Neighbour]:
    """Return events of the same source with the same `column`, in order of arrival, `of` among them."""
    e = Event
    same = (column == getattr(of, column.name)) & (keyset.unindexed(e.source_id) == of.source_id)
    query = (
        e.select(e.id, e.type, e.time_ms, User.name)
        .join(User, pw.JOIN.LEFT_OUTER, on=(User.id == e.user_id))
        .where(same, *scope.allows_events())
    )
    before = rows(query.where(e.id <= of.id).order_by(e.id.desc()).limit(NEAR + 1), Neighbour)
    after = rows(query.where(e.id > of.id).order_by(e.id).limit(NEAR), Neighbour)
    return [*reversed(before), *after]


def runs(scope: Scope, of: Event) -> list[RuleRun] | None:
    """Return the rules that ran on the event; None for a viewer without a right to see any."""
    if not scope.permissions & {Permission.RULES_TRACES, Permission.RULES_OWN}:
        return None
    visible = Rule.select(Rule.id).where(traced(scope))
    query = (
        Run.select(Run.id, Rule.name, Run.outcome, Run.took_us)
        .join(Rule, on=(Rule.id == Run.rule_id))
        .join(Event, pw.JOIN.LEFT_OUTER, on=(Event.id == Run.event_id))
        .where(
            Run.rule_id.in_(visible) & (Run.firing == str(of.id)) & (Run.event_id == of.id) & covers(scope)
        )
        .order_by(Run.id)
    )
    return rows(query, RuleRun)
