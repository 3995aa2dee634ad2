"""Compiles queries to SQL, the same text for SQLite and PostgreSQL. Pure.

Figures of a coarser entity are exact across joins: an inner statement reduces the rows to one per key of the
entity and group, the outer one adds up. Identifiers come from declarations, numbers are written as numbers
and texts are parameters. The viewer's scope is part of every statement.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from dashboard.sources.query import PAGE, Column, Filter, Group, Measure, Op, Sum
from dashboard.sources.types import Entity, Field, Source
from dashboard.sources.where import Sql, Where

COUNTED = 10_000  # rows are counted exactly up to here


class Compiler(Where):
    """Compiles the statements of one query for one viewer."""

    def legs(self) -> list[Sql]:
        """Return `rows`, once for each value of a filter whose values an index holds one by one."""
        by_moment = self.query.sort is None or self.query.sort.name == self.source.moment
        for n, each in enumerate(self.query.filters if by_moment else ()):
            if each.field.many and each.op is Op.ANY_OF and len(each.values) > 1:
                others = self.query.filters[:n], self.query.filters[n + 1 :]
                legs = [(*others[0], each._replace(values=(value,)), *others[1]) for value in each.values]
                return [Compiler(replace(self.query, filters=leg), self.scope).rows() for leg in legs]
        return [self.rows()]

    def rows(self, least: int | None = None) -> Sql:
        """Return a page of rows, and one more: the value they are sorted by, the key, the columns.

        Those whose value is below `least` are left out.
        """
        query, grain = self.query, self.source.entities[0]
        order, descending = self.order()
        columns = ", ".join(self.expression(each) for each in query.columns)
        where = self.behind(order, descending)
        if least is not None:
            where = Sql(f"{where.text} AND {order} >= {least}", where.values)
        direction = "DESC" if descending else "ASC"
        used = [*(each.entity for each in query.columns), *self.filtered()]
        return Sql(
            f"SELECT {order}, {grain.key}, {columns} FROM {self.tables(used)} WHERE {where.text}"
            f" ORDER BY {order} {direction}, {grain.key} {direction} LIMIT {(query.limit or PAGE) + 1}",
            where.values,
        )

    def behind(self, order: str, descending: bool) -> Sql:
        """Return the conditions of the rows behind `query.after` in an order."""
        where = self.where(behind=True)
        if self.query.after is None:
            return where
        value, key = self.query.after
        sign = "<" if descending else ">"
        place = f"({order}, {self.source.entities[0].key}) {sign} ({value}, {key})"
        return Sql(f"{where.text} AND {place}", where.values)

    def piece(self, most: int) -> Sql:
        """Return the lowest value by which the next `most` rows are sorted, and how many there are."""
        order, key = self.order()[0], self.source.entities[0].key
        where = self.behind(order, True)
        inner = (
            f"SELECT {order} AS value FROM {self.tables(self.filtered())} WHERE {where.text}"
            f" ORDER BY {order} DESC, {key} DESC LIMIT {most}"
        )
        return Sql(f"SELECT min(value), count(*) FROM ({inner}) AS part", where.values)

    def order(self) -> tuple[str, bool]:
        """Return the expression by which rows are sorted, never NULL, and whether it falls."""
        sort = self.query.sort
        entity, field = self.source.fields[sort.name if sort else self.source.moment]
        found = self.expression(Column(field.name, entity, field))
        if sort and sort.name != self.source.moment:
            found = f"coalesce({found}, -1)"
        return found, sort.descending if sort else True

    def count(self) -> Sql:
        """Return the number of rows, COUNTED + 1 at most."""
        where = self.where()
        inner = f"SELECT 1 AS one FROM {self.tables(self.filtered())} WHERE {where.text} LIMIT {COUNTED + 1}"
        return Sql(f"SELECT count(*) FROM ({inner}) AS part", where.values)

    def figures(self, entity: Entity, measures: Sequence[Measure], groups: Sequence[Group]) -> Sql:
        """Return group values, the number of keys of `entity`, then the parts of each of its measures.

        A part is the value, for an average the sum and the number of values; see `parts`.
        """
        fields = list(dict.fromkeys(each.field for each in measures if each.field is not None))
        inner = self.inner(entity, groups, fields)
        names = [f"g{n}" for n in range(len(groups))]
        shown = [*names, "count(*)", *(part for each in measures for part in parts(each, fields))]
        grouped = f" GROUP BY {', '.join(names)}" if names else ""
        return Sql(f"SELECT {', '.join(shown)} FROM ({inner.text}) AS d{grouped}", inner.values)

    def ranks(self, measure: Measure, groups: Sequence[Group]) -> Sql:
        """Return group values, then twice the median or the percentile, from a histogram of the values.

        The median is the mean of the two middle ranks, the percentile the smallest value with
        rank * 10 >= 9 * n. Values that are missing are left out.
        """
        assert measure.field is not None  # noqa: S101 - only a count has none
        inner = self.inner(measure.entity, groups, [measure.field])
        names = [f"g{n}" for n in range(len(groups))]
        shown = "".join(f"{name}, " for name in names)
        part = f"PARTITION BY {', '.join(names)} " if names else ""
        of = (
            "min(CASE WHEN hi * 2 >= t THEN v0 END) + min(CASE WHEN hi * 2 > t THEN v0 END)"
            if measure.sum is Sum.MEDIAN
            else "min(CASE WHEN hi * 10 >= t * 9 THEN v0 END)"
        )
        grouped = f" GROUP BY {', '.join(names)}" if names else ""
        return Sql(
            f"WITH d AS ({inner.text}),"
            f" h AS (SELECT {shown}v0, count(*) AS c FROM d WHERE v0 IS NOT NULL GROUP BY {shown}v0),"
            f" q AS (SELECT {shown}v0, sum(c) OVER ({part}ORDER BY v0) AS hi,"
            f" sum(c) OVER ({part.strip()}) AS t FROM h)"
            f" SELECT {shown}{of} FROM q{grouped}",
            inner.values,
        )

    def values(self, given: Filter, most: int) -> Sql:
        """Return the values of a filter's field that occur in the rows of the query, at most one more."""
        where, value = self.where(), self.expression(Column("", given.entity, given.field))
        tables = self.tables([given.entity, *self.filtered()])
        chosen = f"{where.text} AND {value} IS NOT NULL"
        return Sql(f"SELECT DISTINCT {value} FROM {tables} WHERE {chosen} LIMIT {most + 1}", where.values)

    def inner(self, entity: Entity, groups: Sequence[Group], fields: Sequence[Field]) -> Sql:
        """Return one row for each key of `entity` and group: the groups' values g0 …, the fields' v0 …"""
        grain = self.source.entities[0]
        values = [self.expression(Column("", entity, field)) for field in fields]
        keys = [self.grouped(each) for each in groups]
        named = [f"{each} AS g{n}" for n, each in enumerate(keys)]
        named += [f"{each} AS v{n}" for n, each in enumerate(values)]
        where = self.where()
        used = [entity, *(each.entity for each in groups), *self.filtered()]
        tables = self.tables(used)
        if entity is grain and not any(each.many for each in used):
            return Sql(
                f"SELECT {', '.join(named) or '1 AS one'} FROM {tables} WHERE {where.text}", where.values
            )
        text = (
            f"SELECT {', '.join([f'{entity.key} AS k', *named])} FROM {tables}"
            f" WHERE {where.text} AND {entity.key} IS NOT NULL"
            f" GROUP BY {', '.join([entity.key, *keys, *values])}"
        )
        return Sql(text, where.values)

    def tables(self, used: Iterable[Entity]) -> str:
        """Return the grain's table with the joins that these entities need."""
        needed: dict[str, None] = {}
        for entity in used:
            chain = [entity]
            while chain[-1].after:
                chain.append(self.source.by_name[chain[-1].after])
            needed |= dict.fromkeys(each.join for each in reversed(chain) if each.join)
        return self.teams(" ".join([self.table.text, *needed]))


def parts(measure: Measure, fields: Sequence[Field]) -> list[str]:
    """Return the columns from which a measure is made: none for a count or a rank."""
    if measure.field is None or measure.sum.is_rank:
        return []
    value = f"v{fields.index(measure.field)}"
    if measure.sum in (Sum.MIN, Sum.MAX):
        return [f"{measure.sum}({value})"]
    if measure.sum is Sum.COUNT_DISTINCT:
        return [f"count(DISTINCT {value})"]
    return [f"sum({value})"] if measure.sum is Sum.SUM else [f"sum({value})", f"count({value})"]


def entities_of(source: Source, measures: Sequence[Measure]) -> list[Entity]:
    """Return the entities that have measures, the finest first."""
    return [each for each in source.entities if any(measure.entity is each for measure in measures)]
