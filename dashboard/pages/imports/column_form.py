"""The selects that map the columns of a CSV file, and its first rows with what each becomes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

import msgspec
from flask_babel import gettext as _

from dashboard import catalog
from dashboard.i18n import formats
from dashboard.i18n.message import N_, Errors, Message
from dashboard.ingest import csv_events
from dashboard.ingest.csv_options import DATA, type_and_field
from dashboard.ingest.imports import columns, job, sample
from dashboard.ingest.imports.columns import DATE, LEFT_OUT, SEVERAL, ColumnMap
from dashboard.ingest.imports.upload import Upload
from dashboard.ingest.schema import WHOLE, NewEvent
from dashboard.models import FileImport

COLUMNS = 60  # that are shown
CELL_MAX = 40  # characters
FIELDS = {
    "time": N_("Time"),
    DATE: N_("Date of all times"),
    "type": N_("Event type"),
    "user": N_("User"),
    "queue": N_("Queue"),
    "interaction": N_("Interaction"),
    "contact.phone": N_("Phone number of the contact"),
    "contact.name": N_("Name of the contact"),
    "contact.email": N_("Email address of the contact"),
    "id": N_("Event ID"),
    "session": N_("Session"),
}
GROUPS = ("call.", "agent.", "chat.", "email.", "ticket.")
# What is said here in place of the messages that name options of the command line.
TEXTS = {
    csv_events.NOT_MAPPED: N_("Required. Choose its column."),
    csv_events.NO_TYPE: N_("“%(value)s” is no event type. Choose one for it below."),
}

Options = list[tuple[str, str]]  # value and label


class ColumnSelect(NamedTuple):
    """A column with the field that it gives."""

    n: int
    name: str
    field: str


class TableRow(NamedTuple):
    """A row of the file: its cells, each with whether it is wrong, and what becomes of it."""

    line: int
    cells: list[tuple[str, bool]]
    events: list[str]
    problem: str


class ColumnForm(NamedTuple):
    """All that is chosen of a CSV file. `problems` are those of the map as a whole."""

    chosen: ColumnMap
    columns: list[ColumnSelect]
    fields: Options
    types: list[tuple[str, Options]]
    several: Options
    values: list[tuple[str, str]]  # a value of the column of types, and the types that it stands for
    rows: list[TableRow]
    problems: list[str]


def read(posted: Mapping[str, str], header: Sequence[str]) -> ColumnMap:
    """Return what the selects say; a field that none offers is left out."""
    found = {name: posted.get(f"c{n}", "") for n, name in enumerate(header[:COLUMNS])}
    # As csv_events.plan does: a column that is called like a field gives it unless another one does.
    found |= {name: name for name, field in found.items() if not field and name not in found.values()}
    values = {
        name[2:]: types for name, types in posted.items() if name.startswith("v.") and _are_types(types)
    }
    rows = posted.get("rows", "")
    return ColumnMap(
        {name: field for name, field in found.items() if columns.can_be_mapped(name) and _is_field(field)},
        rows if rows and _are_types(rows) else "",
        dict(list(values.items())[: sample.VALUES]),
        posted.get("empty", "").strip()[:200],
        posted.get("more", "").strip()[: columns.MORE_MAX],
    )


def _is_field(name: str) -> bool:
    type_, field = type_and_field(name)
    return (field in FIELDS or field.startswith(DATA)) and (not type_ or catalog.find(type_) is not None)


def _are_types(text: str) -> bool:
    return text in ("", LEFT_OUT) or all(catalog.find(each) is not None for each in text.split(","))


def shown(row: FileImport) -> ColumnForm:
    """Return the form of a CSV file with its first rows as understood."""
    table = sample.table(Upload(row), row.encoding)
    chosen = job.column_map(row, table.header)
    column = next((name for name, field in chosen.columns.items() if field == "type"), "")
    values = [] if chosen.rows else table.values(column)
    outcomes, problems = _outcomes(row, table, chosen)
    labels = _of_data(chosen)
    offered = [(field, _label(field, labels)) for field in columns.offered(chosen)]
    known = dict(offered)
    more = [(field, _label(field)) for field in chosen.columns.values() if field not in known]
    return ColumnForm(
        chosen,
        [
            ColumnSelect(n, name, chosen.columns.get(name, ""))
            for n, name in enumerate(table.header[:COLUMNS])
        ],
        [*offered, *dict(more).items()],
        [(_(group), each) for group, each in _types()],
        [(",".join(types), " + ".join(_type(each) for each in types)) for types in SEVERAL],
        [(value, chosen.values.get(value, "")) for value in values],
        list(_rows(table, chosen, outcomes, row.zone)),
        problems,
    )


def _outcomes(
    row: FileImport, table: sample.Table, chosen: ColumnMap
) -> tuple[list[list[NewEvent | Errors]], list[str]]:
    """Return what becomes of the first rows, or what is wrong with the map."""
    try:
        options = columns.options(chosen, table.header, row.zone, row.encoding or None)
    except ValueError as error:
        return [], [
            _("“%(line)s” is no option: write map, where, type or none, and its text.", line=str(error))
        ]
    found = sample.outcomes(table, options)
    if isinstance(found, list):
        return found, []
    return [], [f"{_label(name)}: {_text(why)}" for name, why in found.items()]


def _types() -> Iterator[tuple[str, Options]]:
    """Yield the types that rows can be, by group."""
    for prefix in GROUPS:
        found = [type_ for type_ in catalog.CATALOG.values() if type_.name.startswith(prefix)]
        yield (
            catalog.GROUPS[found[0].group],
            [(type_.name, _(type_.label)) for type_ in found if not type_.internal],
        )


def _type(name: str) -> str:
    found = catalog.find(name)
    return str(_(found.label)) if found is not None else name


def _of_data(chosen: ColumnMap) -> dict[str, str]:
    """Return the labels of the fields of data of the types that rows give."""
    types = [found for each in chosen.types() if (found := catalog.find(each)) is not None]
    return {f"{DATA}{field.name}": _(field.label) for type_ in types for field in type_.fields}


def _label(name: str, known: Mapping[str, str] = MappingProxyType({})) -> str:
    """Return how a field is called, also one of a type, or of data with the labels `known`."""
    type_, field = type_and_field(name)
    field = field.removeprefix("--map ")
    label = str(_(FIELDS[field])) if field in FIELDS else known.get(field, field)
    return f"{label}: {_type(type_)}" if type_ else label


def _text(why: Message) -> str:
    return why._replace(text=TEXTS.get(why.text, why.text)).render(_)


def _rows(
    table: sample.Table, chosen: ColumnMap, outcomes: list[list[NewEvent | Errors]], zone: str
) -> Iterator[TableRow]:
    for n, row in enumerate(table.rows[: sample.SHOWN]):
        found = outcomes[n] if n < len(outcomes) else []
        errors: Errors = {}
        events = []
        for each in found:
            if isinstance(each, NewEvent):
                who = f" · {each.user}" if each.user else ""
                events.append(f"{formats.clock(each.time_ms // 1000, zone)} {_type(each.type)}{who}")
            else:
                errors.update(each)
        wrong = {
            name
            for name, field in chosen.columns.items()
            if type_and_field(field)[1] in errors and field != DATE
        }
        cells = [
            (cell.strip()[:CELL_MAX], name in wrong)
            for name, cell in zip(table.header[:COLUMNS], row.cells, strict=False)
        ]
        texts = [
            _text(why) if name == WHOLE else f"{_label(name)}: {_text(why)}" for name, why in errors.items()
        ]
        yield TableRow(row.line, cells, events, " ".join(texts))


def stored(chosen: ColumnMap) -> dict[str, Any]:
    return dict(msgspec.to_builtins(chosen))
