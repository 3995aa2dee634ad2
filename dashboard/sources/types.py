"""What a data source is declared of: entities (tables with fixed joins), fields and a moment.

The entities of a source stand from the finest, the grain, to the coarsest. A field of a coarser entity is
never counted once for each finer row: the compiler reduces it to one value per entity and group. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any, TypeVar

from dashboard.access.permissions import Permission
from dashboard.access.scope import Scope

Texts = Callable[[Scope, Collection[Any] | None], Mapping[Any, str]]


class Type(StrEnum):
    """What a field holds. Users, queues, sources and contacts are ids in SQL and are named in results."""

    TEXT = "text"
    CHOICE = "choice"
    NUMBER = "number"
    PERCENT = "percent"  # 1.0 is 100 %
    DURATION = "duration"  # whole seconds
    MOMENT = "moment"  # an instant
    YES_NO = "yes_no"  # 1 or 0
    USER = "user"
    QUEUE = "queue"
    SOURCE = "source"
    CONTACT = "contact"
    ID = "id"
    NOTE = "note"  # a text that `Field.texts` makes of the id of the row; it is shown and nothing else

    @property
    def can_be_added(self) -> bool:
        return self in (Type.NUMBER, Type.DURATION, Type.YES_NO)

    @property
    def can_be_compared(self) -> bool:
        return self in (Type.NUMBER, Type.DURATION, Type.MOMENT)


@dataclass(frozen=True, slots=True)
class Field:
    """A field of an entity; `sql` is its expression, in which the entity's table has its alias.

    `choices` are the values that occur, with their labels; of a text those that have one. A field without a
    `label` is no column of pages.
    `counted` is the label of the number of rows in which it is yes, where that is another or none is shown.
    `texts` gives a reader what pages show instead of these values of the field, or of all that can be chosen.
    A moment is stored in `scale` units a second. A field of `content` is NULL in rows whose content the
    viewer may not see, in filters, groups and measures too. In `sql`, {now} is the second of the query.
    """

    name: str
    label: str
    type: Type
    sql: str
    choices: Mapping[str, str] = field(default_factory=dict, compare=False)
    scale: int = 1
    content: bool = False
    counted: str = ""
    texts: Texts | None = field(default=None, compare=False)
    many: bool = False  # an index holds each value in the order of the moment: several are read one by one


@dataclass(frozen=True, slots=True)
class Ratio:
    """A measure made of two others of its entity, such as sum:talk; there is none where `whole` is 0."""

    name: str
    label: str
    part: str
    whole: str
    type: Type = Type.PERCENT


@dataclass(frozen=True, slots=True)
class Entity:
    """A table of a source: its `key` identifies a row, `join` adds it to the finer ones.

    `plural` is the label of the number of its rows. Where a finer row has any number of them, `many` is what
    follows FROM in a statement of those of a row: filters ask for any of them, groups hold a row in each.

    `after` names the entity whose table the join refers to, "" for the grain.
    """

    name: str
    label: str
    plural: str
    key: str
    fields: tuple[Field, ...]
    join: str = ""
    after: str = ""
    many: str = ""
    ratios: tuple[Ratio, ...] = ()


Part = TypeVar("Part", Field, Ratio)


@dataclass(frozen=True, slots=True)
class Made:
    """Rows that are no table, see `sources.made`: the alias in SQL, and the SQL type of each column."""

    alias: str
    columns: Mapping[str, str] = field(compare=False)


@dataclass(frozen=True)
class Source:
    """A named set of entities with fixed joins.

    `users` is the column whose user must be in the viewer's scope, or with `scoped` whose data rows are.
    `queues` is the one whose queue must be for the content to be visible; `own` is the condition of the
    viewer's own work and of what is in no queue, with the viewer's id as {viewer}. `where` chooses the rows
    of the source from its table. Where `opaque`, rows without visible content stay, else they are left out;
    `scoped` gives the condition of a viewer where these do not say it. A search looks for a part of the
    columns `searched`, else into the columns `id_searched` and `contact`, and in the text `scanned`, newest
    rows first, piece by piece; `hits` chooses from the rows with these keys those in which the reader sees
    the text. A period and its buckets apply to the field `timed_by`, which is never earlier than the moment
    by which rows are sorted, and at most a day later; by default to that moment. Measures need a filter by
    one value of the field `single`, where rows of different values must not be added up. `counted` is the
    field whose sum `count` is, where a row may be a part of what is counted. The permission for an
    `unlimited` source, which is about Stopa itself, opens all rows.
    """

    name: str
    table: str  # the grain's, with its alias and what every query joins
    entities: tuple[Entity, ...]
    moment: str
    permission: Permission
    queues: str = ""
    own: str = ""
    users: str = ""
    grain: str = ""  # what a row is, in a sentence
    scoped: Callable[[Scope], str] | None = None
    searched: tuple[str, ...] = ()
    small: bool = False  # few rows, read whole, searched and sorted by texts; `searched` are names of fields
    where: str = ""
    id_searched: str = ""
    scanned: str = ""
    hits: Callable[[Scope, str, Sequence[int]], set[int]] | None = field(default=None, compare=False)
    contact: str = ""
    opaque: bool = False
    single: str = ""
    counted: str = ""
    made: Made | None = None
    timed_by: str = ""
    unlimited: bool = False

    @cached_property
    def fields(self) -> dict[str, tuple[Entity, Field]]:
        """Every field by its full name, entity.field, and those of the grain by their bare name as well."""
        return self._named(lambda entity: entity.fields)

    @cached_property
    def usable(self) -> dict[str, tuple[Entity, Field]]:
        """The fields by which rows can be filtered and grouped, by name in the order of names."""
        return {name: known for name, known in sorted(self.fields.items()) if known[1].type is not Type.NOTE}

    @cached_property
    def of_interactions(self) -> bool:
        """Whether a row has an interaction, whose alias in SQL is i."""
        return "interaction" in self.by_name or '"interaction" i' in self.table

    @cached_property
    def ratios(self) -> dict[str, tuple[Entity, Ratio]]:
        """Every ratio, named as fields are."""
        return self._named(lambda entity: entity.ratios)

    def _named(self, parts: Callable[[Entity], tuple[Part, ...]]) -> dict[str, tuple[Entity, Part]]:
        first = self.entities[0]
        found = {f"{each.name}.{part.name}": (each, part) for each in self.entities for part in parts(each)}
        return found | {part.name: (first, part) for part in parts(first)}

    @property
    def timed_field(self) -> tuple[Entity, Field]:
        """The field to which a period and its buckets apply."""
        return self.fields[self.timed_by or self.moment]

    @cached_property
    def by_name(self) -> dict[str, Entity]:
        return {each.name: each for each in self.entities}

    def full_name(self, entity: Entity, field: Field) -> str:
        """Return the name of a field in results: bare for the grain, else entity.field."""
        return field.name if entity is self.entities[0] else f"{entity.name}.{field.name}"
