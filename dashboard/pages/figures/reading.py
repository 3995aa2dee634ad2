"""What the address of the figures asks for, and the figures of it: one query on each source of the table."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple

from dashboard.access.scope import Scope
from dashboard.clock import DAY_S, Span
from dashboard.i18n.message import message
from dashboard.pages.figures import tables
from dashboard.pages.figures.tables import By, Column, Table
from dashboard.sources import answer, run
from dashboard.sources.derived import Key
from dashboard.sources.parameters import parse
from dashboard.sources.period import Bucket
from dashboard.sources.period_parameters import OF_PERIOD, UNKNOWN_VALUE
from dashboard.sources.query import Group, Query, QueryError
from dashboard.sources.run import Figures
from dashboard.sources.types import Source, Type

RESERVED = ("group", "measures", "compare", "columns", "sort", "limit", "after", "q")
Given = Mapping[str, Sequence[str]]
Figure = float | int | None
Values = dict[str, Any]


class Part(NamedTuple):
    """A query of a table; its measures have the prefix in the names of figures."""

    prefix: str
    query: Query


@dataclass(frozen=True)
class FiguresRequest:
    """What the address asks for: the queries of the table, the first on the source of its rows.

    `kept` are the parameters that choose rows, apart from the period.
    """

    scope: Scope
    by: By
    table: Table
    parts: tuple[Part, ...]
    kept: Given

    @property
    def query(self) -> Query:
        return self.parts[0].query

    @cached_property
    def types(self) -> dict[str, Type]:
        """The type of each figure by its name."""
        return {prefix + each.name: each.type for prefix, query in self.parts for each in query.measures}

    @property
    def columns(self) -> list[Column]:
        """The columns of the table but for those of a source that the filters do not fit."""
        return [each for each in self.table.columns if each.measure in self.types]

    def figure(self, column: Column, values: Mapping[str, Any]) -> Figure:
        """Return a figure, None for none: a number of rows, a share, or seconds, cut down to whole ones."""
        value: Figure = values.get(column.measure)
        if value is None or (column.same and value != values[column.same]):
            return None
        return int(value) if self.types[column.measure] is Type.DURATION else value


def read(scope: Scope, given: Given, zone: str, as_of: int) -> FiguresRequest:
    """Return what the parameters of the address ask for. Raises QueryError."""
    name = next((value for value in given.get("by", ()) if value), By.QUEUE)
    if name not in list(By):
        raise QueryError({"by": message(UNKNOWN_VALUE, names=", ".join(By))})
    for reserved in RESERVED:
        if any(given.get(reserved, ())):
            names = ", ".join(("by", *OF_PERIOD))
            raise QueryError({reserved: message(UNKNOWN_VALUE, names=names)})
    by = By(name)
    table = tables.of(by)
    rest = {name: values for name, values in given.items() if name != "by" and any(values)}
    if "queue" in rest and "queue" not in table.source.fields:
        rest["interaction.queue"] = rest.pop("queue")
    filters = {name: values for name, values in rest.items() if name not in OF_PERIOD}
    parts = []
    for prefix, source, always in (("", table.source, table.always), *table.beside):
        if prefix and any(name.partition("__")[0] not in source.fields for name in filters):
            continue
        chosen = {**rest, **{key: [value] for key, value in always.items()}}
        chosen["measures"] = [
            each.removeprefix(prefix) for each in table.measures if each.rpartition("/")[0] == prefix[:-1]
        ]
        query = parse(source, chosen, zone, as_of, answer.names(scope))
        parts.append(Part(prefix, query))
    kept = {**filters, **{name: rest[name] for name in ("tz",) if name in rest}}
    return FiguresRequest(scope, by, table, tuple(parts), kept)


def groups(wanted: FiguresRequest) -> tuple[str, ...]:
    """Return the groups of the table; hours are those of the day where the period is longer than one."""
    if wanted.by is By.USER_HOUR:
        return ("user", Bucket.HOUR if wanted.query.span.seconds <= DAY_S + 3600 else Bucket.HOUR_OF_DAY)
    return (tables.GROUPS.get(wanted.by, wanted.by.value),)


def figures(
    wanted: FiguresRequest, names: Sequence[str], span: Span | None = None, only: Collection[str] = ()
) -> Figures:
    """Return the figures of all queries by these groups, or `only` those of these names.

    Those of time in states are left out where the period is too long for them. Raises run.TooLong.
    """
    rows: dict[Key, Values] = {}
    total: Values = {}
    empty: Values = {}
    overlap = False
    for prefix, query in wanted.parts:
        chosen = tuple(each for each in query.measures if not only or prefix + each.name in only)
        if not chosen:
            continue
        asked = replace(
            query,
            span=span or query.span,
            groups=tuple(group(query.source, name) for name in names),
            measures=chosen,
        )
        try:
            found = run.figures(wanted.scope, asked)
        except run.TooLong:
            if not query.source.made:
                raise
            continue
        for key, values in found.rows:
            rows.setdefault(key, {}).update({prefix + name: value for name, value in values.items()})
        total |= {prefix + name: value for name, value in found.total.items()}
        empty |= {prefix + each.name: run.nothing(each) for each in chosen}
        overlap = overlap or (found.overlap and not prefix)
    return Figures([(key, empty | values) for key, values in rows.items()], total, overlap)


def group(source: Source, name: str) -> Group:
    """Return a group of the table as one of a query on `source`."""
    if name in list(Bucket):
        return Group(name, *source.timed_field, Bucket(name))
    return Group(name, *source.fields[name])


def of_tiles(wanted: FiguresRequest) -> set[str]:
    """Return the names of the figures of the tiles and the chart."""
    parts = {name for name, _label, _css in wanted.table.parts if name}
    return parts | {"count", *wanted.table.lines, *(each.measure for each in wanted.columns if each.tile)}
