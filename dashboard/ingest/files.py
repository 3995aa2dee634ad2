"""Files to events, line by line: Asterisk's queue_log, JSON lines, tables.

Memory does not grow with the file. A bad line is refused with its number and the rest is read on.
Reading a file again gives the same ids, so that importing it twice, or again after it has grown,
stores each event once.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import msgspec

from dashboard.i18n.message import Errors, Message
from dashboard.ingest import csv_events, encodings, lines, schema
from dashboard.ingest import csv_reader as reading
from dashboard.ingest.body import BodyError
from dashboard.ingest.csv_options import TableMap
from dashboard.ingest.sources import queue_log
from dashboard.ingest.tally import Tally


class Item(NamedTuple):
    """One record of a file: its first line, how many bytes of the file were read for it, and what it is."""

    line: int
    position: int
    value: schema.NewEvent | schema.Refusal


def read(
    path: Path | lines.Content,
    kind: str,
    zone: str,
    table: TableMap | None = None,
    encoding: str | None = None,
    tally: Tally | None = None,
    most: int | None = None,
    look: Callable[[int], None] | None = None,
) -> Iterator[Item]:
    """Yield every record of a file or of standard input ("-") in order, whatever is wrong with it.

    `kind` is queue_log, jsonl or csv (comma, semicolon or tab, told from the header). `zone` is
    that of times without an offset. `table` maps the columns of a CSV file (see csv_options); one that is
    absent is told by refusing all lines. `encoding` is None to tell it from the bytes. `tally` counts what
    became of the lines. `most` and `look` are those of lines.Lines. Events have the second of the first event
    of the file, which orders the parts of a log. Raises ValueError for an unknown kind or zone, OSError for a
    file that cannot be read.
    """
    if kind not in _READERS:
        raise ValueError(f"unknown format: {kind!r}")
    table, tally = table or TableMap(), tally or Tally()
    began: int | None = None
    with lines.opened(path) as source:
        texts = lines.Lines(source, encoding, most, look)
        for line, value in _READERS[kind](texts, zone, table, tally):
            if isinstance(value, schema.NewEvent):
                began = value.time_ms // 1000 if began is None else began
                value = msgspec.structs.replace(value, file_ts=began)
            yield Item(line, source.position(), _named(line, value))
    tally.lines, tally.encoding, tally.damaged = texts.count, encodings.shown(texts.encoding), texts.damaged


def texts(
    path: Path | lines.Content,
    encoding: str | None,
    numbers: Collection[int],
    longest: int = lines.MAX_LINE,
    most: int | None = None,
) -> dict[int, str]:
    """Return the first `longest` characters of these lines of a file by their numbers, which are from 1; none
    of standard input. `most` is that of lines.Lines."""
    found: dict[int, str] = {}
    if not numbers or path == lines.STANDARD_INPUT:
        return found
    last = max(numbers)
    with lines.opened(path) as source:
        for number, line in enumerate(islice(lines.Lines(source, encoding, most), last), 1):
            if number in numbers:
                found[number] = line.rstrip("\r\n")[:longest]
    return found


Found = tuple[int, schema.NewEvent | Errors]


def _named(line: int, value: schema.NewEvent | Errors) -> schema.NewEvent | schema.Refusal:
    return value if isinstance(value, schema.NewEvent) else schema.Refusal(line - 1, value, line)


def _queue_log(texts: Iterable[str], zone: str, table: TableMap, tally: Tally) -> Iterator[Found]:
    line = 0

    def watched() -> Iterator[queue_log.Line]:
        nonlocal line
        for record in queue_log.records(texts, tally):
            line = record.line
            yield record

    for found in queue_log.events(watched(), zone, tally.changes):
        tally.records += 1
        yield line, {found.field: found.message} if isinstance(found, queue_log.Bad) else found


def _jsonl(texts: Iterable[str], zone: str, table: TableMap, tally: Tally) -> Iterator[Found]:
    ids = reading.Ids()
    for number, line in enumerate(texts, 1):
        text = line.strip()
        if not text:
            tally.blank += 1
            continue
        tally.records += 1
        if line == lines.OVERLONG:
            yield number, {schema.WHOLE: Message(reading.UNREADABLE)}
        else:
            yield number, _json_line(text.encode(errors="surrogateescape"), number, ids)


def _json_line(text: bytes, number: int, ids: reading.Ids) -> schema.NewEvent | Errors:
    try:
        found = schema.parse_one(text)
    except BodyError as error:
        return {schema.WHOLE: error.message}
    if not isinstance(found, schema.NewEvent):
        return found
    made = found.id or ids.make(found.time_ms // 1000, text.decode())
    return msgspec.structs.replace(found, id=made, seq=number)


def _csv(texts: Iterable[str], zone: str, table: TableMap, tally: Tally) -> Iterator[Found]:
    texts = iter(texts)
    first = next(texts, None)
    if first is None:
        return
    separator, header = reading.header(first)
    plan = csv_events.plan(header, table)
    if not isinstance(plan, csv_events.Plan):
        tally.records += 1
        yield 1, plan
        rows = reading.not_read(texts, tally)
    else:
        tally.header = 1
        reader = csv_events.RowReader(plan, zone, tally)
        rows = reading.rows(texts, separator, len(header), 1, tally)
    for row in rows:
        if row.problem is not None:
            tally.records += 1
            yield row.line, {schema.WHOLE: row.problem}
        else:
            for found in reader.outcomes(row.cells, row.line):
                yield row.line, found


_READERS: Mapping[str, Callable[[Iterable[str], str, TableMap, Tally], Iterator[Found]]] = {
    "queue_log": _queue_log,
    "jsonl": _jsonl,
    "csv": _csv,
}

__all__ = ["Item", "read", "texts"]
