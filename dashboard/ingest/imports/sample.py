"""What the beginning of a file says of it: its format, its encoding and its first records."""

from __future__ import annotations

import re
from itertools import islice
from typing import NamedTuple

from dashboard.i18n.message import Errors
from dashboard.ingest import csv_events, csv_reader, encodings, files, lines
from dashboard.ingest.csv_options import CsvOptions, TableMap
from dashboard.ingest.files import Item
from dashboard.ingest.schema import WHOLE, NewEvent
from dashboard.ingest.sources import queue_log_read
from dashboard.ingest.tally import Tally

BEGINNING = 4 * 1024 * 1024  # bytes that are read at most while one waits, see lines.Lines
LINES = 50  # that are not blank, to tell a format from
SHOWN = 10  # records
ROWS, CHARACTERS, VALUES = 1000, 1_000_000, 12  # of a table that are looked at
_PIPES = re.compile(r"\d{9,11}(?:\.\d+)?\|", re.ASCII)


class Found(NamedTuple):
    """The format of a file, "" for none that is known, and what it is read as."""

    format: str
    encoding: str


def detect(content: lines.Content, encoding: str = "") -> Found:
    """Tell the format of a file from its first lines, and its encoding from these unless one is given."""
    with lines.opened(content) as source:
        texts = lines.Lines(source, encoding or None, BEGINNING)
        first = [line.strip() for line in islice((line for line in texts if line.strip()), LINES)]
    return Found(_format(first), encodings.shown(texts.encoding))


def _format(first: list[str]) -> str:
    if not first:
        return ""
    for format_, fits in (
        ("queue_log", lambda line: _PIPES.match(line)),
        ("jsonl", lambda line: line.startswith("{")),
    ):
        if sum(bool(fits(line)) for line in first) * 2 > len(first):
            return format_
    _separator, names = csv_reader.header(first[0])
    if queue_log_read.is_header(names):
        return "queue_log"
    return "csv" if len(names) > 1 else ""


class Table(NamedTuple):
    """The header and the first rows of a CSV file."""

    header: list[str]
    rows: list[csv_reader.Row]

    def values(self, column: str) -> list[str]:
        """Return the different values of a column, up to VALUES, in the order of the rows."""
        if column not in self.header:
            return []
        at = self.header.index(column)
        found = (row.cells[at].strip() for row in self.rows if row.problem is None)
        return list(dict.fromkeys(value for value in found if value and "=" not in value))[:VALUES]


def table(content: lines.Content, encoding: str = "") -> Table:
    """Return the beginning of a CSV file; its header is empty for a file that is none."""
    with lines.opened(content) as source:
        texts = iter(lines.Lines(source, encoding or None, BEGINNING))
        separator, header = csv_reader.header(next(texts, ""))
        header = [name.strip() for name in header]
        found, size = [], 0
        for row in csv_reader.rows(texts, separator, len(header), 1, Tally()):
            found.append(row)
            size += sum(map(len, row.cells))
            if len(found) == ROWS or size > CHARACTERS:
                break
    return Table(header, found)


def outcomes(found: Table, options: CsvOptions) -> list[list[NewEvent | Errors]] | Errors:
    """Return what becomes of each of the first SHOWN rows, nothing for one that is left out; or what is wrong
    with the map of the columns, by field."""
    plan = csv_events.plan(found.header, options.table())
    if not isinstance(plan, csv_events.Plan):
        return plan
    reader = csv_events.RowReader(plan, options.timezone, Tally())
    return [
        [{WHOLE: row.problem}] if row.problem is not None else list(reader.outcomes(row.cells, row.line))
        for row in found.rows[:SHOWN]
    ]


def records(
    content: lines.Content, format_: str, zone: str, table: TableMap | None, encoding: str
) -> list[Item]:
    """Return the first SHOWN records of a file as they are understood."""
    return list(islice(files.read(content, format_, zone, table, encoding or None, most=BEGINNING), SHOWN))
