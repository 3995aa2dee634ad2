"""The options of a CSV import: columns of fields, rows to read, what values mean. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import msgspec

from dashboard import catalog
from dashboard.ingest import schema

FIELDS = (*schema.LIMITS, "type", "time", *(f"contact.{name}" for name in schema.CONTACT_LIMITS))
DATA = "data."


@dataclass(frozen=True)
class TableMap:
    """How rows become events.

    `columns` has a field's columns, as column_map returns them. A row is read when each column, or mapped
    field, of `where` has one of its values. `types` has, by value of the field `type`, the types of the
    events of a row, in the order in which they happen. A cell with a value of `none` is empty.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    where: Mapping[str, frozenset[str]] = field(default_factory=dict)
    types: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    none: frozenset[str] = frozenset()


class CsvOptions(msgspec.Struct, frozen=True):
    """The options of an import as they are written on the command line."""

    map: tuple[str, ...] = ()
    where: tuple[str, ...] = ()
    type: tuple[str, ...] = ()
    none: tuple[str, ...] = ()
    timezone: str = "UTC"
    encoding: str | None = None  # detected

    def words(self) -> list[str]:
        """Return the words of the command line that say the same."""
        several = {"map": self.map, "where": self.where, "type": self.type, "none": self.none}
        given = [(name, text) for name, texts in several.items() for text in texts]
        given += [("timezone", self.timezone), *([("encoding", self.encoding)] if self.encoding else [])]
        return [word for name, text in given for word in (f"--{name}", text)]

    def table(self) -> TableMap:
        """Return what the options say. Raises ValueError that names the option which cannot be meant."""
        where: dict[str, frozenset[str]] = {}
        for text in self.where:
            column, value = _parted("--where", text, "COLUMN=VALUE")
            where[column] = where.get(column, frozenset()) | {value.strip()}
        types = dict(_types(text) for text in self.type)
        return TableMap(column_map(self.map), where, types, frozenset(text.strip() for text in self.none))


def column_map(given: Iterable[str]) -> dict[str, str]:
    """Return field → columns from texts `FIELD=COLUMN`, `FIELD=DATE+TIME`, `FIELD=COLUMN,OTHER` (the first
    that is not empty) or `FIELD==constant`.

    A constant keeps its "=" in front. Fields are those of an event, `contact.name` and so on, and
    `data.<name>`; `TYPE:FIELD` is the field of events of one type alone. Raises ValueError, naming the
    text, for one without "=" or an unknown field.
    """
    columns = {}
    for text in given:
        name, column = _parted("--map", text, "FIELD=COLUMN or FIELD==VALUE")
        if not column or column == "=":
            raise ValueError(f"--map {text!r} is not FIELD=COLUMN or FIELD==VALUE")
        type_, own = type_and_field(name)
        if own != name and catalog.find(type_) is None:
            raise ValueError(f"--map {text!r}: {type_!r} is not an event type")
        if own not in FIELDS and not (own.startswith(DATA) and own != DATA):
            raise ValueError(f"--map {text!r}: {own!r} is not a field; use {', '.join(FIELDS)} or data.NAME")
        if own != name and own == "type":
            raise ValueError(
                f"--map {text!r}: the type of a row is not a field of one type; use --map type=COLUMN"
            )
        columns[name] = column
    return columns


def type_and_field(name: str) -> tuple[str, str]:
    """Return the event type ("" for all) and the field of the name of a map."""
    type_, colon, own = name.partition(":")
    return (type_, own) if colon and not name.startswith(DATA) else ("", name)


def _types(text: str) -> tuple[str, tuple[str, ...]]:
    value, given = _parted("--type", text, "VALUE=TYPE or VALUE=TYPE,TYPE")
    types = tuple(each.strip() for each in given.split(","))
    for each in types:
        if catalog.find(each) is None:
            raise ValueError(f"--type {text!r}: {each!r} is not an event type; see Settings > System events")
    return value.strip(), types


def _parted(option: str, text: str, form: str) -> tuple[str, str]:
    before, equals, after = text.partition("=")
    if not equals or not before:
        raise ValueError(f"{option} {text!r} is not {form}")
    return before, after
