"""Whose data the answer to a query shows, as audit entries keep it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from dashboard.access.scope import Scope
from dashboard.audit.subjects import Seen
from dashboard.clock import Span
from dashboard.models import Team, TeamMember
from dashboard.sources.query import Filter, Op, Query
from dashboard.sources.types import Entity, Field, Type

PEOPLE = ("user", "team")  # entities that are people


def everybody(scope: Scope, span: Span | None) -> Seen:
    """Return all users whom a viewer sees."""
    return Seen(None if scope.users is None else scope.users | {scope.viewer_id}, span)


def seen(scope: Scope, queries: Iterable[Query]) -> Seen | None:
    """Return whose data the answers show, in the period of all; None where they name nobody.

    A query that filters by users or teams is a look at these users, or at the members of these teams. Other
    rows with users, and other figures by user or team, are a look at everybody whom the viewer sees: whoever
    is not among them was looked for there. Figures without users are sums without names.
    """
    shown = [query for query in queries if _is_of_people(query)]
    if not shown:
        return None
    span = Span(min(each.span.start for each in shown), max(each.span.end for each in shown))
    users = set[int]()
    for query in shown:
        limited = _limited(query)
        if limited is None:
            return everybody(scope, span)
        users |= limited
    return Seen({user for user in users if scope.sees(user)}, span)


def details(query: Query, given: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """Return the period, and the parameters that choose users or teams, by which looks differ."""
    chosen = {name: ", ".join(filter(None, values)) for name, values in given.items() if any(values)}
    known = {name: query.source.usable.get(name.partition("__")[0]) for name in chosen}
    people = {name: chosen[name] for name, field in known.items() if field and _names(*field)}
    return {"from": query.span.start, "to": query.span.end, **people}


def _limited(query: Query) -> set[int] | None:
    """Return the users to whom the filters limit a query, None without such a filter."""
    chosen = []
    for each in query.filters:
        if each.op is Op.ANY_OF and each.entity.name == "team":
            chosen.append(_members(each))
        elif each.op is Op.ANY_OF and each.field.type is Type.USER:
            chosen.append({value for value in each.values if isinstance(value, int)})
    return set.intersection(*chosen) if chosen else None


def _members(given: Filter) -> set[int]:
    """Return the members of the teams that a filter names by id or name."""
    column = Team.id if given.field.name == "id" else Team.name
    query = TeamMember.select(TeamMember.user).join(Team).where(column.in_(given.values))
    return {user for (user,) in query.tuples()}


def _is_of_people(query: Query) -> bool:
    conditions = [*query.filters, *(query.tree.conditions() if query.tree else ())]
    if any(each.op is Op.ANY_OF and _names(each.entity, each.field) for each in query.filters):
        return True
    if not query.measures:
        return bool(query.source.users) or any(_names(each.entity, each.field) for each in query.columns)
    named = [(each.entity, each.field) for each in query.groups]
    return any(_names(*each) for each in [*named, *((one.entity, one.field) for one in conditions)])


def _names(entity: Entity, field: Field) -> bool:
    return entity.name in PEOPLE or field.type is Type.USER
