"""What the beginning of a file says of it: its format, its encoding and its first records."""

from __future__ import annotations

import re
from itertools import islice
from typing import NamedTuple

from dashboard.ingest import csv_reader, encodings, files, lines
from dashboard.ingest.csv_options import TableMap
from dashboard.ingest.files import Item
from dashboard.ingest.sources import queue_log_read

LINES = 50  # that are not blank, to tell a format from
SHOWN = 10  # records
_PIPES = re.compile(r"\d{9,11}(?:\.\d+)?\|", re.ASCII)


class Found(NamedTuple):
    """The format of a file, "" for none that is known, and what it is read as."""

    format: str
    encoding: str


def detect(content: lines.Content, encoding: str = "") -> Found:
    """Tell the format of a file from its first lines, and its encoding from these unless one is given."""
    with lines.opened(content) as source:
        texts = lines.Lines(source, encoding or None)
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


def records(
    content: lines.Content, format_: str, zone: str, table: TableMap | None, encoding: str
) -> list[Item]:
    """Return the first SHOWN records of a file as they are understood."""
    return list(islice(files.read(content, format_, zone, table, encoding or None), SHOWN))
