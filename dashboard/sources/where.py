"""Compiles what rows a query chooses: its period, its filters, its search and the viewer's scope. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from dashboard.access.permissions import Permission
from dashboard.access.scope import Scope
from dashboard.clock import DAY_S
from dashboard.db.search import contact_terms, escaped
from dashboard.sources.period import bucket_sql
from dashboard.sources.query import Column, Filter, Group, Op, Query
from dashboard.sources.types import Entity, Type

TEAMS = "/*teams*/"  # where memberships are narrowed to the teams that the viewer may know of
OWN_TEAMS = (
    'AND tm.team_id IN (SELECT l.team_id FROM "team_lead" l WHERE l.user_id = {viewer}'
    ' UNION SELECT m.team_id FROM "team_member" m WHERE m.user_id = {viewer})'
)


class Sql(NamedTuple):
    """A statement with a ? for each of its parameters."""

    text: str
    values: tuple[str, ...] = ()


class Where:
    """Compiles the conditions of one query for one viewer."""

    def __init__(self, query: Query, scope: Scope, made: Sql | None = None) -> None:
        """`made` is the table of a source whose rows are made, see `sources.made`."""
        self.query, self.source = query, query.source
        self.scope = scope.unlimited() if query.source.unlimited else scope
        self.table = made or Sql(query.source.table)

    def grouped(self, group: Group) -> str:
        """Return the expression of a group's value."""
        value = self.expression(Column(group.name, group.entity, group.field))
        if group.bucket is None:
            return value
        seconds = f"({value} / {group.field.scale})" if group.field.scale > 1 else value
        return bucket_sql(group.bucket, seconds, self.query.span, self.query.zone)

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


def _numbers(ids: Sequence[int]) -> str:
    return ", ".join(map(str, ids)) or "NULL"
