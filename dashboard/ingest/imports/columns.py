"""The map of a CSV file's columns as it is chosen with selects, and the options that it stands for.

A column gives one field. Columns of the same field are joined; of times, the first that is not empty counts.
A column may be the date of all times. A row gives the events of a type, of several types, or of those that
the values of a column stand for. Lines of `more` say what selects cannot, as on the command line. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from dashboard import catalog
from dashboard.ingest.csv_options import DATA, FIELDS, CsvOptions, type_and_field

DATE, LEFT_OUT = "date", "-"
MORE_MAX = 4000  # characters
SEVERAL = (
    ("call.queued", "call.accepted", "call.closed"),
    ("call.queued", "call.abandoned"),
    ("call.dialled", "call.closed"),
    ("call.accepted", "call.closed"),
    ("agent.signed_in", "agent.signed_out"),
    ("agent.pause_started", "agent.pause_ended"),
)
WITHOUT_USER = (".queued", ".abandoned")  # types in which nobody acts, though their row names who did later
# Names of columns in lower case → fields, for a first map.
KNOWN = {
    "user": "user agent operator login server username uživatel operátor agent_name 担当者 オペレーター",
    "queue": "queue queuename campaign fronta kampan kampaň skill キュー",
    "time": "time datetime timestamp start started created begin čas začátek zacatek 日時 開始",
    "interaction": "interaction callid call_id uniqueid linkedid ticket conversation hovor",
    "id": "event_id",
    "type": "type event typ událost",
    "contact.phone": "phone number caller callerid ani cli telefon cislo číslo 電話番号",
    "contact.name": "customer contact zákazník jméno 顧客",
    "contact.email": "email mail e-mail",
    DATE: "date datum 日付",
}


class ColumnMap(msgspec.Struct, frozen=True):
    """What was chosen. `columns` has the field of each column that gives one.

    `rows` are the types of every row, joined by commas, or "" where the column of the type says them;
    `values` has these types by value, LEFT_OUT for rows that are not read. Cells with a text of `empty`,
    parted by commas, are empty.
    """

    columns: dict[str, str] = {}
    rows: str = ""
    values: dict[str, str] = {}
    empty: str = ""
    more: str = ""

    def types(self) -> list[str]:
        """Return the types that rows give, once each, in the order of the catalogue's presets."""
        chosen = self.values.values() if not self.rows else [self.rows]
        found = (each for text in chosen for each in text.split(",") if each not in ("", LEFT_OUT))
        return list(dict.fromkeys(found))


def can_be_mapped(name: str) -> bool:
    """Say whether an option can name a column: one without a name, or with a constant's "=", cannot be."""
    return bool(name) and not name.startswith("=")


def guessed(header: Sequence[str]) -> ColumnMap:
    """Return a first map by the names of the columns."""
    by_name = {name: field for field, names in KNOWN.items() for name in names.split()}
    columns: dict[str, str] = {}
    for name in header:
        field = name if name in FIELDS or name.startswith(DATA) else by_name.get(name.strip().lower(), "")
        if field and field not in columns.values():
            columns[name] = field
    return ColumnMap(columns)


def options(chosen: ColumnMap, header: Sequence[str], zone: str, encoding: str | None) -> CsvOptions:
    """Return what was chosen as options; raises ValueError with a line of `more` that is none."""
    more = list(_more(chosen.more))
    given = {type_and_field(text.partition("=")[0]) for name, text in more if name == "map"}
    maps = [text for key, text in _maps(chosen, header) if key not in given]
    column = next((name for name, field in chosen.columns.items() if field == "type"), "")
    where = []
    if not chosen.rows and LEFT_OUT in chosen.values.values():
        where = [f"{column}={value}" for value, types in chosen.values.items() if types != LEFT_OUT]
    types = [f"{value}={each}" for value, each in chosen.values.items() if each not in ("", LEFT_OUT)]
    if chosen.rows:
        types = [f"row={chosen.rows}"]
    empty = [text.strip() for text in chosen.empty.split(",") if text.strip()]
    parts = {"map": maps, "where": where, "type": types, "none": empty}
    for name, text in more:
        parts[name].append(text)
    return _options(parts, zone, encoding)


def _options(
    parts: Mapping[str, Sequence[str]], zone: str = "UTC", encoding: str | None = None
) -> CsvOptions:
    map_, where, types, none = (tuple(parts.get(name, ())) for name in ("map", "where", "type", "none"))
    return CsvOptions(map_, where, types, none, zone, encoding)


def _maps(chosen: ColumnMap, header: Sequence[str]) -> Iterator[tuple[tuple[str, str], str]]:
    """Yield the field, with its type, and the text of each map."""
    if chosen.rows:
        yield ("", "type"), "type==row"
    date = next((name for name in header if chosen.columns.get(name) == DATE), "")
    groups: dict[str, list[str]] = {}
    for name in header:
        field = chosen.columns.get(name, "")
        if field and field != DATE and not (field == "type" and chosen.rows):
            groups.setdefault(field, []).append(name)
    for field, names in groups.items():
        key = type_and_field(field)
        if key[1] == "time":
            text = ",".join(f"{date}+{name}" if date else name for name in names)
        else:
            text = "+".join(names)
        acting = [each for each in chosen.types() if not each.endswith(WITHOUT_USER)]
        if field == "user" and len(acting) < len(chosen.types()):
            for type_ in acting:
                yield (type_, field), f"{type_}:{field}={text}"
        else:
            yield key, f"{field}={text}"
    if date and not any(type_and_field(field)[1] == "time" for field in groups):
        yield ("", "time"), f"time={date}"


def _more(text: str) -> Iterator[tuple[str, str]]:
    """Yield the option and its text of each line. Raises ValueError with the line that is none."""
    for line in text.splitlines():
        name, _blank, rest = line.strip().removeprefix("--").partition(" ")
        rest = rest.strip()
        if not name:
            continue
        if name not in ("map", "where", "type", "none") or not rest:
            raise ValueError(line.strip())
        try:
            _options({name: [rest]}).table()
        except ValueError:
            raise ValueError(line.strip()) from None
        yield name, rest


def more_of(kept: CsvOptions) -> str:
    """Return the lines of `more` that say what options say."""
    parts: Mapping[str, Sequence[str]] = {
        "map": kept.map,
        "where": kept.where,
        "type": kept.type,
        "none": kept.none,
    }
    return "\n".join(f"{name} {text}" for name, texts in parts.items() for text in texts)


def offered(chosen: ColumnMap) -> list[str]:
    """Return the fields that a column can give: those of all events, and those of each of several types."""
    found = ["time", DATE, "type", *(name for name in FIELDS if name not in ("time", "type"))]
    types = chosen.types()
    if len(types) > 1:
        found += [f"{type_}:{field}" for type_ in types for field in ("time", "user")]
    for type_ in types:
        known = catalog.find(type_)
        found += [f"{DATA}{field.name}" for field in (known.fields if known else ())]
    return list(dict.fromkeys(found))
