"""Compiles queries to SQL, the same text for SQLite and PostgreSQL. Pure.

Figures of a coarser entity are exact across joins: an inner statement reduces the rows to one per key of the
entity and group, the outer one adds up. Identifiers come from declarations, numbers are written as numbers
and texts are parameters. The viewer's scope is part of every statement.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

from dashboard.access.permissions import Permission
from dashboard.access.scope import Scope
from dashboard.clock import DAY_S
from dashboard.db.search import contact_terms, escaped
from dashboard.sources.period import bucket_sql
from dashboard.sources.query import PAGE, Column, Filter, Group, Measure, Op, Query, Sum
from dashboard.sources.types import Entity, Field, Source, Type

TEAMS = "/*teams*/"  # where memberships are narrowed to the teams that the viewer may know of
OWN_TEAMS = (
    'AND tm.team_id IN (SELECT l.team_id FROM "team_lead" l WHERE l.user_id = {viewer}'
    ' UNION SELECT m.team_id FROM "team_member" m WHERE m.user_id = {viewer})'
)
COUNTED = 10_000  # rows are counted exactly up to here


class Sql(NamedTuple):
    """A statement with a ? for each of its parameters."""

    text: str
    values: tuple[str, ...] = ()


class Compiler:
    """Compiles the statements of one query for one viewer."""

    def __init__(self, query: Query, scope: Scope, made: Sql | None = None) -> None:
        """`made` is the table of a source whose rows are made, see `sources.made`."""
        self.query, self.scope, self.source = query, scope, query.source
        self.table = made or Sql(query.source.table)

    def legs(self) -> list[Sql]:
        """Return `rows`, once for each value of a filter whose values an index holds one by one."""
        by_moment = self.query.sort is None or self.query.sort.name == self.source.moment
        for n, each in enumerate(self.query.filters if by_moment else ()):
            if each.field.many and each.op is Op.ANY_OF and len(each.values) > 1:
                others = self.query.filters[:n], self.query.filters[n + 1 :]
                legs = [(*others[0], each._replace(values=(value,)), *others[1]) for value in each.values]
                return [Compiler(replace(self.query, filters=leg), self.scope).rows() for leg in legs]
        return [self.rows()]

    def rows(self) -> Sql:
        """Return a page of rows, and one more: the value they are sorted by, the key, the columns."""
        query, grain = self.query, self.source.entities[0]
        order, descending = self.order()
        columns = ", ".join(self.expression(each) for each in query.columns)
        where = self.where()
        if query.after is not None:
            value, key = query.after
            sign = "<" if descending else ">"
            where = Sql(f"{where.text} AND ({order}, {grain.key}) {sign} ({value}, {key})", where.values)
        direction = "DESC" if descending else "ASC"
        used = [*(each.entity for each in query.columns), *self.filtered()]
        return Sql(
            f"SELECT {order}, {grain.key}, {columns} FROM {self.tables(used)} WHERE {where.text}"
            f" ORDER BY {order} {direction}, {grain.key} {direction} LIMIT {(query.limit or PAGE) + 1}",
            where.values,
        )

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

        A part is the sum and the number of values for a sum or an average, else the value; see `parts`.
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

    def grouped(self, group: Group) -> str:
        """Return the expression of a group's value."""
        value = self.expression(Column(group.name, group.entity, group.field))
        if group.bucket is None:
            return value
        seconds = f"({value} / {group.field.scale})" if group.field.scale > 1 else value
        return bucket_sql(group.bucket, seconds, self.query.span, self.query.zone)

    def tables(self, used: Iterable[Entity]) -> str:
        """Return the grain's table with the joins that these entities need."""
        needed: dict[str, None] = {}
        for entity in used:
            chain = [entity]
            while chain[-1].after:
                chain.append(self.source.by_name[chain[-1].after])
            needed |= dict.fromkeys(each.join for each in reversed(chain) if each.join)
        return self.teams(" ".join([self.table.text, *needed]))

    def filtered(self) -> list[Entity]:
        return [each.entity for each in self.query.filters if not each.entity.many]

    def where(self) -> Sql:
        """Return the scope, the period and the filters; the values are those of the tables too."""
        conditions = [self.within(self.source.moment, DAY_S if self.source.timed_by else 0)]
        if self.source.timed_by:
            conditions.append(self.within(self.source.timed_by))
        conditions += [self.source.where] if self.source.where else []
        conditions += self.in_scope()
        values = list(self.table.values)
        for each in self.query.filters:
            conditions.append(self.condition(each))
            values += [value for value in each.values if isinstance(value, str)]
        if self.query.search:
            found = self.searched(self.query.search)
            conditions.append(found.text)
            values += found.values
        return Sql(" AND ".join(conditions), tuple(values))

    def within(self, name: str, before_s: int = 0) -> str:
        """Return the condition that a moment lies in the period, or up to `before_s` before it."""
        entity, field = self.source.fields[name]
        value, span = self.expression(Column(name, entity, field)), self.query.span
        return f"{value} >= {(span.start - before_s) * field.scale} AND {value} < {span.end * field.scale}"

    def searched(self, text: str) -> Sql:
        """Return the condition of a search: an id that begins so, or a contact that contains it.

        What is masked for the viewer cannot be searched.
        """
        if self.source.searched:
            parts = [f"lower({each}) LIKE ? ESCAPE '!'" for each in self.source.searched]
            return Sql(f"({' OR '.join(parts)})", (f"%{escaped(text.lower())}%",) * len(parts))
        found = f"{self.source.id_searched} LIKE ? ESCAPE '!'"
        if not self.scope.can(Permission.PII_UNMASK):
            return Sql(found, (f"{escaped(text)}%",))
        terms = contact_terms(text)
        contacts = " OR ".join(["search LIKE ? ESCAPE '!'"] * len(terms))
        found = f'({found} OR {self.source.contact} IN (SELECT id FROM "contact" WHERE {contacts}))'
        return Sql(found, (f"{escaped(text)}%", *(f"%{escaped(each)}%" for each in terms)))

    def condition(self, given: Filter) -> str:
        """Return the condition of a filter; each of its texts is a parameter.

        A filter of a coarser entity, but for its id, must not choose the index: the database would start from
        that entity and sort all its rows instead of walking the moments of the grain.
        """
        if given.entity.many:
            return self.of_many(given)
        value = self.grouped(Group("", given.entity, given.field, given.bucket))
        if given.entity is not self.source.entities[0] and given.field.name != "id":
            texts = given.field.type in (Type.TEXT, Type.CHOICE)
            value = f"({value} || '')" if texts else f"({value} + 0)"
        shown = ["?" if isinstance(each, str) else str(each) for each in given.values]
        match given.op:
            case Op.ANY_OF:
                return f"{value} IN ({', '.join(shown)})"
            case Op.NOT:
                return f"({value} IS NULL OR {value} NOT IN ({', '.join(shown)}))"
            case Op.BLANK:
                empty = f"{value} IS NULL"
                if given.field.type in (Type.TEXT, Type.CHOICE):
                    empty = f"coalesce({value}, '') = ''"
                return empty if given.values[0] else f"NOT ({empty})"
            case _:
                sign = {Op.GTE: ">=", Op.GT: ">", Op.LTE: "<=", Op.LT: "<"}[given.op]
                return f"{value} {sign} {shown[0]}"

    def of_many(self, given: Filter) -> str:
        """Return the condition of a filter of an entity of which a row has any number: one of them has it."""
        shown = ", ".join("?" if isinstance(each, str) else str(each) for each in given.values)
        among = "" if given.op is Op.BLANK else f" AND {given.field.sql} IN ({shown})"
        found = self.teams(f"EXISTS (SELECT 1 FROM {given.entity.many}{among})")
        none = given.values[0] if given.op is Op.BLANK else given.op is Op.NOT
        return f"NOT {found}" if none else found

    def teams(self, text: str) -> str:
        """Return SQL in which only those teams are that the viewer belongs to or leads, in a narrow scope."""
        if self.scope.users is None:
            return text
        return text.replace(TEAMS, OWN_TEAMS.format(viewer=self.scope.viewer_id))

    def in_scope(self) -> list[str]:
        """Return the conditions that the viewer's scope puts on rows."""
        found = [self.source.scoped(self.scope)] if self.source.scoped else []
        if self.source.users and self.scope.users is not None:
            ids = sorted(self.scope.users | {self.scope.viewer_id})
            found.append(f"{self.source.users} IN ({_numbers(ids)})")
        if self.source.queues and not self.source.opaque and self.scope.queues is not None:
            found.append(self.visible())
        return found

    def visible(self) -> str:
        """Return the condition under which the viewer may see a row's content; see `Scope.content`."""
        own = self.source.own.format(viewer=self.scope.viewer_id)
        return f"({self.source.queues} IN ({_numbers(sorted(self.scope.queues or ()))}) OR {own})"

    def expression(self, column: Column) -> str:
        """Return the expression of a field, NULL where the viewer may not see it."""
        field = column.field
        found = self.teams(field.sql.replace("{now}", str(self.query.as_of)))
        if field.content and self.source.opaque and self.scope.queues is not None:
            found = f"CASE WHEN {self.visible()} THEN {found} END"
        if field.type is Type.USER and self.scope.users is not None and found != self.source.users:
            ids = sorted(self.scope.users | {self.scope.viewer_id})
            found = f"CASE WHEN {field.sql} IN ({_numbers(ids)}) THEN {found} END"
        return found


def parts(measure: Measure, fields: Sequence[Field]) -> list[str]:
    """Return the columns from which a measure is made: none for a count or a rank."""
    if measure.field is None or measure.sum.is_rank:
        return []
    value = f"v{fields.index(measure.field)}"
    if measure.sum in (Sum.MIN, Sum.MAX):
        return [f"{measure.sum}({value})"]
    if measure.sum is Sum.COUNT_DISTINCT:
        return [f"count(DISTINCT {value})"]
    return [f"sum({value})", f"count({value})"]


def entities_of(source: Source, measures: Sequence[Measure]) -> list[Entity]:
    """Return the entities that have measures, the finest first."""
    return [each for each in source.entities if any(measure.entity is each for measure in measures)]


def _numbers(ids: Sequence[int]) -> str:
    return ", ".join(map(str, ids)) or "NULL"
