"""Compiles what rows a query chooses: its period, its filters, its search and the viewer's scope. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from dashboard.access.permissions import Permission
from dashboard.access.scope import Scope
from dashboard.clock import DAY_S
from dashboard.db.search import contact_terms, escaped, spellings
from dashboard.sources.period import bucket_sql
from dashboard.sources.query import Column, Filter, Group, Op, Query, Related, Tree
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

    def __init__(self, query: Query, scope: Scope, made: Sql | None = None, tells_hits: bool = False) -> None:
        """`made` is the table of a source whose rows are made, see `sources.made`.

        With `tells_hits`, the caller leaves out rows in which the viewer does not see the searched text.
        """
        self.tells_hits = tells_hits
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
        """Return the entities whose tables the conditions need."""
        given = [*self.query.filters, *(self.query.tree.conditions() if self.query.tree else ())]
        found = [each.entity for each in given if not each.entity.many]
        interaction = self.source.by_name.get("interaction")
        return [*found, interaction] if self.query.related and interaction else found

    def where(self, behind: bool = False) -> Sql:
        """Return the scope, the period and the filters; the values are those of the tables too.

        With `behind`, the period of rows sorted by the moment ends or begins at the place `query.after`.
        """
        conditions = [self.within(self.source.moment, DAY_S if self.source.timed_by else 0, behind)]
        if self.source.timed_by:
            conditions.append(self.within(self.source.timed_by))
        conditions += [self.source.where] if self.source.where else []
        conditions += self.in_scope()
        values = list(self.table.values)
        given = [self.condition(each) for each in self.query.filters]
        given += [self.related(each) for each in self.query.related]
        given += [self.tree(self.query.tree)] if self.query.tree else []
        given += [self.searched(self.query.search)] if self.query.search else []
        for each in given:
            conditions.append(each.text)
            values += each.values
        return Sql(" AND ".join(conditions), tuple(values))

    def within(self, name: str, before_s: int = 0, behind: bool = False) -> str:
        """Return the condition that a moment lies in the period, or up to `before_s` before it.

        A database seeks one bound at each side: two would make it read from the period's to the other.
        """
        entity, field = self.source.fields[name]
        value, span, sort = self.expression(Column(name, entity, field)), self.query.span, self.query.sort
        low, high = (span.start - before_s) * field.scale, span.end * field.scale
        if behind and self.query.after and (sort is None or sort.name == name):
            place = self.query.after[0]
            low, high = (
                (low, min(high, place + 1)) if sort is None or sort.descending else (max(low, place), high)
            )
        return f"{value} >= {low} AND {value} < {high}"

    def searched(self, text: str) -> Sql:
        """Return the condition of a search: an id that begins so, or a contact that contains it.

        What is masked for the viewer cannot be searched.
        """
        if self.source.searched:
            parts = [f"lower({each}) LIKE ? ESCAPE '!'" for each in self.source.searched]
            return Sql(f"({' OR '.join(parts)})", (f"%{escaped(text.lower())}%",) * len(parts))
        unmasked = self.scope.can(Permission.PII_UNMASK)
        either = [Sql(f"{self.source.id_searched} LIKE ? ESCAPE '!'", (f"{escaped(text)}%",))]
        if self.source.scanned and (unmasked or self.tells_hits):
            found = f"lower({self.source.scanned}) LIKE ? ESCAPE '!'"
            either += [Sql(found, (f"%{escaped(each)}%",)) for each in spellings(text)]
        if unmasked:
            either.append(of_contact(self.source.contact, text))
        values = tuple(value for each in either for value in each.values)
        return Sql(f"({' OR '.join(each.text for each in either)})", values)

    def tree(self, given: Tree) -> Sql:
        """Return the condition of a tree; one that cannot be told of a row is not true of it."""
        parts = [self.tree(each) if isinstance(each, Tree) else self.condition(each) for each in given.parts]
        values = tuple(value for each in parts for value in each.values)
        if given.how == "all":
            return Sql(f"({' AND '.join(each.text for each in parts) or '1 = 1'})", values)
        either = " OR ".join(each.text for each in parts) or "1 = 0"
        if given.how == "any":
            return Sql(f"({either})", values)
        return Sql(f"CASE WHEN {either} THEN 0 ELSE 1 END = 1", values)

    def related(self, given: Related) -> Sql:
        """Return the condition that rows of another source are there, where the row's content is visible."""
        parts = [self.condition(each) for each in given.filters]
        among = " AND ".join([given.rows, *(each.text for each in parts)])
        text = f"{'NOT ' if given.none else ''}EXISTS (SELECT 1 FROM {among})"
        if self.source.opaque and self.scope.queues is not None:
            text = f"({self.visible()} AND {text})"
        return Sql(text, tuple(value for each in parts for value in each.values))

    def condition(self, given: Filter) -> Sql:
        """Return the condition of a filter; each of its texts is a parameter."""
        if given.op is Op.CONTAINS and given.field.type is Type.CONTACT:
            value = self.expression(Column("", given.entity, given.field))
            found = [of_contact(value, str(each)) for each in given.values]
            text = " OR ".join(each.text for each in found)
            return Sql(f"({text})", tuple(value for each in found for value in each.values))
        return Sql(self.compared(given), tuple(each for each in given.values if isinstance(each, str)))

    def compared(self, given: Filter) -> str:
        """Return the comparison of a filter with a ? for each of its texts.

        A filter of a coarser entity, but for its id, must not choose the index: the database would start from
        that entity and sort all its rows instead of walking the moments of the grain.
        """
        if given.entity.many:
            return self.of_many(given)
        value = self.grouped(Group("", given.entity, given.field, given.bucket))
        if given.entity in self.source.entities[1:] and given.field.name != "id":
            texts = given.field.type in (Type.TEXT, Type.CHOICE)
            value = f"({value} || '')" if texts else f"({value} + 0)"
        shown = ["?" if isinstance(each, str) else str(each) for each in given.values] or ["NULL"]
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
        if self.source.users and not self.source.scoped and self.scope.users is not None:
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
        rows_of_users = found == self.source.users and not self.source.scoped
        if field.type is Type.USER and self.scope.users is not None and not rows_of_users:
            ids = sorted(self.scope.users | {self.scope.viewer_id})
            found = f"CASE WHEN {field.sql} IN ({_numbers(ids)}) THEN {found} END"
        return found


def of_contact(value: str, text: str) -> Sql:
    """Return the condition that the contact whose id is `value` contains a text."""
    terms = contact_terms(text)
    either = " OR ".join(["search LIKE ? ESCAPE '!'"] * len(terms))
    found = f'{value} IN (SELECT id FROM "contact" WHERE {either})'
    return Sql(found, tuple(f"%{escaped(each)}%" for each in terms))


def _numbers(ids: Sequence[int]) -> str:
    return ", ".join(map(str, ids)) or "NULL"
