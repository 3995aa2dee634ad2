"""A table's rows to events by a map of fields to columns. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from dashboard import catalog
from dashboard.i18n.message import N_, Errors, Message, message
from dashboard.ingest import data as payload
from dashboard.ingest import schema, times
from dashboard.ingest.csv_reader import Ids

NO_COLUMN = N_("The file has no column “%(column)s”.")
NOT_MAPPED = N_("No column is mapped to this field.")

FIELDS = (*schema.LIMITS, "type", "time", *(f"contact.{name}" for name in schema.CONTACT_LIMITS))
_DATA = "data."
_NOT_DIGITS = re.compile(r"\D+", re.ASCII)
_WHOLE = re.compile(r"\d{1,18}", re.ASCII)
_DECIMAL = re.compile(r"-?\d{1,15}(?:\.\d{1,15})?", re.ASCII)
_YES_NO = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
_NUMBERS = (catalog.Kind.NUMBER, catalog.Kind.SECONDS, catalog.Kind.MILLISECONDS)


class Cell(NamedTuple):
    """Where a field's value comes from: columns, joined by a space, or the same for every row."""

    columns: tuple[int, ...] = ()
    constant: str = ""

    def of(self, cells: Sequence[str]) -> str:
        if not self.columns:
            return self.constant
        return " ".join(cells[column].strip() for column in self.columns).strip()


Plan = dict[str, Cell]


def column_map(given: Iterable[str]) -> dict[str, str]:
    """Return field → column from texts `FIELD=COLUMN`, `FIELD=DATE+TIME` or `FIELD==constant`.

    A constant keeps its "=" in front. Fields are those of an event, `contact.name` and so on, and
    `data.<name>`. Raises ValueError, naming the text, for one without "=" or an unknown field.
    """
    columns = {}
    for text in given:
        field, equals, column = text.partition("=")
        if not equals or not column or column == "=":
            raise ValueError(f"{text!r} is not FIELD=COLUMN or FIELD==VALUE")
        if field not in FIELDS and not (field.startswith(_DATA) and field != _DATA):
            raise ValueError(f"{field!r} is not a field; use {', '.join(FIELDS)} or data.NAME")
        columns[field] = column
    return columns


def plan(header: Sequence[str], columns: Mapping[str, str]) -> Plan | Errors:
    """Return where each field's value stands under `header`; errors by field for absent columns.

    A column that is called like a field and not mapped otherwise gives that field.
    """
    names = [name.strip() for name in header]
    found: Plan = {
        name: Cell((at,)) for at, name in enumerate(names) if name in FIELDS or name.startswith(_DATA)
    }
    errors: Errors = {}
    for field, column in columns.items():
        if column.startswith("="):
            found[field] = Cell(constant=column[1:])
            continue
        at = _columns(names, column)
        if at is None:
            errors[field] = message(NO_COLUMN, column=column)
        else:
            found[field] = Cell(at)
    for field in ("type", "time"):
        if field not in found:
            errors.setdefault(field, Message(NOT_MAPPED))
    return errors or found


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


def event(cells: Sequence[str], where: Plan, zone: str, ids: Ids, line: int) -> schema.NewEvent | Errors:
    """Return the event of one row, or its errors by field; the checks are those of the API.

    Without a mapped id the id is made of the row, its type and which occurrence of them this is:
    reading a file again gives the same ids, equal rows are separate events. One file may be read
    several times with other types when its rows hold several moments. `seq` is the line.
    """
    values = {field: cell.of(cells) for field, cell in where.items()}
    type_, time = values["type"], values["time"]
    made = ids.make(_rising(time), "\x1f".join((type_, *cells)))
    contact = schema.Contact(
        values.get("contact.name"), values.get("contact.phone"), values.get("contact.email")
    )
    given = schema.Event(
        values.get("id") or made,
        type_,
        time,
        values.get("user"),
        values.get("queue"),
        values.get("interaction"),
        contact,
        values.get("session"),
    )
    found = schema.accept(given, times.local(time, zone), _data(values, catalog.find(type_)))
    return msgspec.structs.replace(found, seq=line) if isinstance(found, schema.NewEvent) else found


def _rising(time: str) -> int:
    """Return the digits of a time as a number: it rises with times written year first, in any zone."""
    return int(_NOT_DIGITS.sub("", time)[:17] or 0)


def _data(values: Mapping[str, str], type_: catalog.EventType | None) -> payload.Data | Message:
    kinds = {field.name: field.kind for field in type_.fields} if type_ is not None else {}
    found = {
        field.removeprefix(_DATA): _typed(value, kinds.get(field.removeprefix(_DATA)))
        for field, value in values.items()
        if field.startswith(_DATA) and value
    }
    return payload.read(msgspec.json.encode(found))


def _typed(value: str, kind: catalog.Kind | None) -> Any:
    """Return a cell as its field's kind wants it; unreadable ones stay text and are refused by the check."""
    if kind in _NUMBERS and _WHOLE.fullmatch(value):
        return int(value)
    if kind is catalog.Kind.DECIMAL and _DECIMAL.fullmatch(value):
        return float(value)
    return _YES_NO.get(value.lower(), value) if kind is catalog.Kind.YES_NO else value
