"""A table's rows to events by a map of fields to columns. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from dashboard import catalog
from dashboard.i18n.message import N_, Errors, Message, message
from dashboard.ingest import data as payload
from dashboard.ingest import schema, times
from dashboard.ingest.csv_options import DATA, FIELDS, TableMap, type_and_field
from dashboard.ingest.csv_reader import Ids
from dashboard.ingest.tally import Tally

NO_COLUMN = N_("The file has no column “%(column)s”. It has: %(columns)s.")
NOT_MAPPED = N_("Required. Add --map %(field)s=COLUMN or --map %(field)s==VALUE.")
NO_TYPE = N_(
    "“%(value)s” is no event type. Add --type “%(value)s=TYPE”, or leave these rows out with --where."
)

HALF_A_DAY_MS = 12 * 3600 * 1000
_NOT_DIGITS = re.compile(r"\D+", re.ASCII)
_WHOLE = re.compile(r"\d{1,18}", re.ASCII)
_DECIMAL = re.compile(r"-?\d{1,15}(?:\.\d{1,15})?", re.ASCII)
_YES_NO = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
_NUMBERS = (catalog.Kind.NUMBER, catalog.Kind.SECONDS, catalog.Kind.MILLISECONDS)
_MAX_LISTED = 300  # characters of column names in a message


class Cell(NamedTuple):
    """Where a field's value comes from: the first of several groups of columns that is not empty, each
    joined by a space, or else the same for every row."""

    choices: tuple[tuple[int, ...], ...] = ()
    constant: str = ""

    def of(self, cells: Sequence[str], whole: bool = False) -> str:
        """Return the value; a group with an empty column is empty as well if it has to be `whole`."""
        for columns in self.choices:
            parts = [cells[column].strip() for column in columns]
            text = " ".join(parts).strip()
            if text and (not whole or all(parts)):
                return text
        return self.constant

    def date(self) -> int | None:
        """Return the column of the date where date and time of day stand apart, else None."""
        firsts = {columns[0] if len(columns) > 1 else None for columns in self.choices}
        return firsts.pop() if len(firsts) == 1 else None


Cells = Mapping[str, Cell]


class Plan(NamedTuple):
    """What stands where under a header: the fields of all events, those of the events of one type, and the
    cells that decide whether a row is read."""

    fields: Cells
    own: Mapping[str, Cells]
    where: tuple[tuple[Cell, frozenset[str]], ...]
    table: TableMap


def plan(header: Sequence[str], table: TableMap) -> Plan | Errors:
    """Return where each field's value stands under `header`; errors by field for absent columns.

    A column that is called like a field and not mapped otherwise gives that field.
    """
    names = [name.strip() for name in header]
    fields: dict[str, Cell] = {
        name: Cell(((at,),)) for at, name in enumerate(names) if name in FIELDS or name.startswith(DATA)
    }
    own: dict[str, dict[str, Cell]] = {}
    errors: Errors = {}
    for name, text in table.columns.items():
        type_, field = type_and_field(name)
        cell = Cell(constant=text[1:]) if text.startswith("=") else _cell(names, text)
        if cell is None:
            errors[f"--map {name}"] = _no_column(text, names)
        else:
            (own.setdefault(type_, {}) if type_ else fields)[field] = cell
    where: list[tuple[Cell, frozenset[str]]] = []
    for column, values in table.where.items():
        cell = _cell(names, column) or fields.get(column)
        if cell is None:
            errors[f"--where {column}"] = _no_column(column, names)
        else:
            where.append((cell, values))
    mapped = {*fields, *(field for cells in own.values() for field in cells)}
    for field in ("type", "time"):
        if field not in mapped and f"--map {field}" not in errors:
            errors[field] = message(NOT_MAPPED, field=field)
    if errors:
        return errors
    return Plan(fields, {type_: {**fields, **cells} for type_, cells in own.items()}, tuple(where), table)


def _no_column(column: str, names: Sequence[str]) -> Message:
    return message(NO_COLUMN, column=column, columns=", ".join(names)[:_MAX_LISTED])


def _cell(names: Sequence[str], text: str) -> Cell | None:
    """Return the columns of a map's text; a name may itself hold a "+" or a comma."""
    whole = _columns(names, text)
    groups = [whole] if whole is not None else [_columns(names, each) for each in text.split(",")]
    choices = tuple(group for group in groups if group is not None)
    return Cell(choices) if len(choices) == len(groups) else None


def _columns(names: Sequence[str], text: str) -> tuple[int, ...] | None:
    """Return the places of the columns joined by "+"; a name may itself hold a "+"."""
    if text in names:
        return (names.index(text),)
    for at, letter in enumerate(text):
        if letter == "+" and text[:at] in names:
            rest = _columns(names, text[at + 1 :])
            if rest is not None:
                return (names.index(text[:at]), *rest)
    return None


class RowReader:
    """Turns the rows of one table into events, one or several a row, and counts what `tally` says."""

    def __init__(self, plan: Plan, zone: str, tally: Tally) -> None:
        self._plan, self._zone, self._tally, self._ids = plan, zone, tally, Ids()

    def outcomes(self, row: Sequence[str], line: int) -> Iterator[schema.NewEvent | Errors]:
        """Yield the events of a row, or the errors by field in place of one; the checks are those of the API.

        Without a mapped id the id is made of the row, the type and which occurrence of them this is:
        reading a file again gives the same ids, equal rows are separate events. One file may be read
        several times with other types. `seq` is the line. Of a row that gives several events, those whose
        time, or needed user, is empty are left out, unless all are. Raises nothing for any row.
        """
        if any(cell.of(row) not in values for cell, values in self._plan.where):
            self._tally.left_out += 1
            return
        self._tally.records += 1
        none = self._plan.table.none
        cells = ["" if cell.strip() in none else cell for cell in row] if none else row
        types = self._types(self._plan.fields["type"].of(cells))
        if isinstance(types, Message):
            yield {"type": types}
            return
        present = [type_ for type_ in types if len(types) == 1 or self._is_present(type_, cells)] or types[:1]
        self._tally.absent += len(types) - len(present)
        before: tuple[int, int | None] | None = None
        for type_ in present:
            where = self._cells(type_)
            values = {field: cell.of(cells, whole=field == "time") for field, cell in where.items()}
            instant, date = self._instant(values.get("time", ""), where, before)
            if not isinstance(instant, Message):
                before = (instant, date)
            values["id"] = self._id(values, type_, row, several=len(types) > 1)
            yield _event(values, type_, instant, line)

    def _cells(self, type_: str) -> Cells:
        return self._plan.own.get(type_, self._plan.fields)

    def _types(self, value: str) -> Sequence[str] | Message:
        """Return the types that a value of the field `type` stands for."""
        known = self._plan.table.types.get(value)
        if known is not None:
            return known
        given = [each.strip() for each in value.split(",")]
        if self._plan.table.types and any(catalog.find(each) is None for each in given):
            return message(NO_TYPE, value=value[: catalog.NAME_LIMIT])
        return given

    def _is_present(self, type_: str, cells: Sequence[str]) -> bool:
        where, found = self._cells(type_), catalog.find(type_)
        if "time" in where and not where["time"].of(cells, whole=True):
            return False
        needs_user = found is not None and "user" in found.needs and "user" in where
        return not needs_user or bool(where["user"].of(cells))

    def _instant(
        self, text: str, where: Cells, before: tuple[int, int | None] | None
    ) -> tuple[int | Message, int | None]:
        """Return the UTC milliseconds of an event and the column of its date.

        A time more than half a day before the row's event `before`, of the same date column, is of the
        next day: the row went over midnight.
        """
        date = where["time"].date() if "time" in where else None
        instant = times.local(text, self._zone, changes=self._tally.changes)
        if isinstance(instant, Message) or before is None or date is None or date != before[1]:
            return instant, date
        if instant < before[0] - HALF_A_DAY_MS:
            self._tally.moved += 1
            instant = times.local(text, self._zone, days=1)
        return instant, date

    def _id(self, values: Mapping[str, str], type_: str, row: Sequence[str], several: bool) -> str:
        given = values.get("id")
        if given:
            return f"{given}:{type_}" if several else given
        return self._ids.make(_rising(values.get("time", "")), "\x1f".join((type_, *row)))


def _event(
    values: Mapping[str, str], type_: str, instant: int | Message, line: int
) -> schema.NewEvent | Errors:
    contact = schema.Contact(
        values.get("contact.name"), values.get("contact.phone"), values.get("contact.email")
    )
    given = schema.Event(
        values["id"],
        type_,
        values.get("time", ""),
        values.get("user"),
        values.get("queue"),
        values.get("interaction"),
        contact,
        values.get("session"),
    )
    found = schema.accept(given, instant, _data(values, catalog.find(type_)))
    if isinstance(found, schema.NewEvent):
        return msgspec.structs.replace(found, seq=line)
    required = Message(payload.REQUIRED)
    return {
        field: message(NOT_MAPPED, field=field) if problem == required and field not in values else problem
        for field, problem in found.items()
    }


def _rising(time: str) -> int:
    """Return the digits of a time as a number: it rises with times written year first, in any zone."""
    return int(_NOT_DIGITS.sub("", time)[:17] or 0)


def _data(values: Mapping[str, str], type_: catalog.EventType | None) -> payload.Data | Message:
    kinds = {field.name: field.kind for field in type_.fields} if type_ is not None else {}
    found = {
        field.removeprefix(DATA): _typed(value, kinds.get(field.removeprefix(DATA)))
        for field, value in values.items()
        if field.startswith(DATA) and value
    }
    return payload.read(msgspec.json.encode(found))


def _typed(value: str, kind: catalog.Kind | None) -> Any:
    """Return a cell as its field's kind wants it; unreadable ones stay text and are refused by the check."""
    if kind in _NUMBERS and _WHOLE.fullmatch(value):
        return int(value)
    if kind is catalog.Kind.DECIMAL and _DECIMAL.fullmatch(value):
        return float(value)
    return _YES_NO.get(value.lower(), value) if kind is catalog.Kind.YES_NO else value
