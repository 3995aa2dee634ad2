"""Results of queries as JSON values: users, queues and contacts by their names, instants as RFC 3339."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from typing import Any

import msgspec

from dashboard import clock
from dashboard.access.permissions import Permission
from dashboard.access.scope import Scope
from dashboard.models import Queue, Source, User
from dashboard.sources import display, period, run
from dashboard.sources.query import Compared, Group, Names, Query, compared_name, cursor
from dashboard.sources.types import Field, Type

UNITS = {Type.DURATION: "s"}


class ColumnInfo(msgspec.Struct):
    """A column of the result; `unit` is s for seconds."""

    name: str
    type: str
    unit: str | None


class Answer(msgspec.Struct):
    """A result. `totals` are those of all rows, `groups_overlap` says that groups do not add up to them.

    `compared` is the period before, whose figures stand beside those of `period`.
    """

    source: str
    period: dict[str, str]
    compared: dict[str, str] | None
    as_of: str
    columns: list[ColumnInfo]
    rows: list[dict[str, Any]]
    totals: dict[str, Any]
    groups_overlap: bool
    count: int
    count_exact: bool
    next: str | None


def names(scope: Scope) -> Names:
    """Return how a query finds users and queues that the viewer may see, and sources, by their names."""
    u, q = User, Queue
    return Names(
        lambda name: u.select(u.id).where((u.login == name) & scope.allows(u.id)).scalar(),
        lambda name: q.select(q.id).where((q.name == name) & scope.allows_queue(q.id)).scalar(),
        lambda name: Source.select(Source.id).where(Source.name == name).scalar(),
        scope.can(Permission.PII_UNMASK),
    )


def answer(scope: Scope, query: Query, as_of: int) -> Answer:
    """Return the result of a query for a viewer. Raises run.TooLong."""
    if query.measures:
        return _figures(scope, query, as_of)
    found = run.rows(scope, query)
    fields = [each.field for each in query.columns]
    written = list(zip(*_written(scope, query, fields, [row for _, row in found.rows]), strict=True))
    keys = [each.name for each in query.columns]
    return Answer(
        **_head(query, as_of),
        columns=[
            ColumnInfo(each.name, each.field.type, UNITS.get(each.field.type)) for each in query.columns
        ],
        rows=[dict(zip(keys, row, strict=True)) for row in written],
        totals={},
        groups_overlap=False,
        count=found.number,
        count_exact=found.exact,
        next=cursor(*found.next) if found.next else None,
    )


def _figures(scope: Scope, query: Query, as_of: int) -> Answer:
    return of_figures(scope, query, _measure_infos(query), run.figures(scope, query), as_of)


def of_figures(
    scope: Scope, query: Query, measures: Sequence[ColumnInfo], found: run.Figures, as_of: int
) -> Answer:
    """Return figures, of `measures` by the groups of a query, as its result."""
    fields = [replace(each.field, type=Type.TEXT) if each.bucket else each.field for each in query.groups]
    values = [
        tuple(
            period.key(group.bucket, value, query.zone) if group.bucket else value
            for group, value in zip(query.groups, key, strict=True)
        )
        for key, _ in found.rows
    ]
    written = list(zip(*_written(scope, query, fields, values), strict=True)) or [()] * len(values)
    keys = [each.name for each in query.groups]
    shown = zip(written, found.rows, strict=True)
    return Answer(
        **_head(query, as_of),
        columns=[*map(_group_info, query.groups), *measures],
        rows=[dict(zip(keys, row, strict=True)) | figures for row, (_, figures) in shown],
        totals=found.total,
        groups_overlap=found.overlap,
        count=len(found.rows),
        count_exact=True,
        next=None,
    )


def _head(query: Query, as_of: int) -> dict[str, Any]:
    spans = [
        {"from": clock.iso(span.start, query.zone), "to": clock.iso(span.end, query.zone), "zone": query.zone}
        for span in (query.span, query.compare)
        if span is not None
    ]
    return {
        "source": query.source.name,
        "period": spans[0],
        "compared": spans[1] if query.compare else None,
        "as_of": clock.iso(as_of, query.zone),
    }


def _group_info(group: Group) -> ColumnInfo:
    return ColumnInfo(group.name, group.bucket or group.field.type, UNITS.get(group.field.type))


def info(name: str, type_: Type) -> ColumnInfo:
    return ColumnInfo(name, type_, UNITS.get(type_))


def _measure_infos(query: Query) -> list[ColumnInfo]:
    """Return the columns of the measures, then those that compare them."""
    found = [info(each.name, each.type) for each in query.measures]
    return found + [
        ColumnInfo(compared_name(each.name, what), Type.PERCENT, None)
        if what is Compared.CHANGE
        else info(compared_name(each.name, what), each.type)
        for each in (query.measures if query.compare else ())
        for what in Compared
    ]


def _written(
    scope: Scope, query: Query, fields: Sequence[Field], rows: list[tuple[Any, ...]]
) -> list[list[Any]]:
    """Return the columns of `rows` with their values as the reader sees them."""
    columns = []
    for field, values in zip(fields, zip(*rows, strict=True), strict=False):
        write = _writer(scope, query.zone, field, set(values) - {None})
        columns.append([None if value is None else write(value) for value in values])
    return columns


def _writer(scope: Scope, zone: str, field: Field, values: Collection[Any]) -> Callable[[Any], Any]:
    """Return how values of a field are written; `values` are those that occur."""
    match field.type:
        case Type.MOMENT:
            return lambda value: clock.iso(int(value) // field.scale, zone)
        case Type.NOTE:
            return display.writer(scope, field, values, zone)
        case Type.USER | Type.QUEUE | Type.SOURCE | Type.CONTACT:
            found = display.named(scope, field.type, values)
            return {key: name.key or name.shown for key, name in found.items()}.get
        case Type.YES_NO:
            return bool
        case _:
            return lambda value: value
