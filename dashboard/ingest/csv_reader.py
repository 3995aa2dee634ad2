"""Lines and rows of files, and ids for records that have none. Pure."""

from __future__ import annotations

import csv
import hashlib
import re
from collections.abc import Iterable, Iterator
from typing import IO, NamedTuple

from dashboard.i18n.message import N_, Message, message

MAX_LINE = 1024 * 1024  # bytes; longer ones are passed over so that memory stays flat
REMEMBERED = 100_000  # rows; repeats of one row stand far closer together than that
OVERLONG = b"\0\n"  # stands for a line beyond MAX_LINE: no reader takes a NUL

UNREADABLE = N_("Unreadable line: invalid UTF-8, control characters or too long.")
BROKEN_ROW = N_("Invalid row: unclosed quote or field too long.")
OTHER_COLUMNS = N_("The row has %(found)s columns, the header has %(expected)s.")

_UNREADABLE = re.compile("[\x00\ud800-\udfff]")


class Row(NamedTuple):
    """A row of a table: its first line, and its cells or what is wrong; a blank line has no cells."""

    line: int
    cells: list[str]
    problem: Message | None = None


def physical(file: IO[bytes]) -> Iterator[bytes]:
    """Yield the lines of an open file with their ends; OVERLONG in place of one beyond MAX_LINE."""
    while line := file.readline(MAX_LINE + 1):
        if len(line) <= MAX_LINE:
            yield line
            continue
        while line and not line.endswith(b"\n"):
            line = file.readline(MAX_LINE)
        yield OVERLONG


def text(line: bytes | str) -> str:
    """Return a line as text without a byte order mark; bytes that are not UTF-8 become lone surrogates."""
    decoded = line.decode(errors="surrogateescape") if isinstance(line, bytes) else line
    return decoded.removeprefix("\ufeff")


def header(line: str) -> tuple[str, list[str]]:
    """Return what parts a table's columns (the tab, semicolon or comma it has most of) and their names.

    A line that no table begins with has no names.
    """
    separator = max("\t;,", key=line.count)
    try:
        return separator, next(csv.reader([line], delimiter=separator), [])
    except csv.Error:
        return separator, []


def rows(lines: Iterable[str], separator: str, width: int, number: int) -> Iterator[Row]:
    """Yield the rows of a table after its header; `number` is the line the header stood on.

    A row whose cells are not `width` in number, not readable or not closed has a problem and the
    next line is read as usual. A quoted cell may span lines, up to the csv module's field limit.
    """
    taken = number

    def counted() -> Iterator[str]:
        nonlocal taken
        for line in lines:
            taken += 1
            yield line

    reader = csv.reader(counted(), delimiter=separator, strict=True)
    while True:
        first = taken + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            yield Row(first, [], Message(BROKEN_ROW))
            continue
        yield _checked(first, cells, width)


def _checked(line: int, cells: list[str], width: int) -> Row:
    if not any(cells):
        return Row(line, [])
    if any(_UNREADABLE.search(cell) for cell in cells):
        return Row(line, cells, Message(UNREADABLE))
    if len(cells) != width:
        return Row(line, cells, message(OTHER_COLUMNS, found=len(cells), expected=width))
    return Row(line, cells)


class Ids:
    """Names for records that have none: the same file gives the same ids, equal records differ.

    An id is a rising prefix (random keys cost a database twice the time of rising ones), a hash
    of the record and which occurrence of that record it is. The last REMEMBERED to twice as many
    different records are remembered, so that memory stays flat.
    """

    def __init__(self) -> None:
        self._recent: dict[bytes, int] = {}
        self._older: dict[bytes, int] = {}

    def make(self, rising: int, record: str) -> str:
        """Return the id of the next occurrence of `record`; at most 60 characters."""
        digest = hashlib.blake2b(record.encode(errors="surrogateescape"), digest_size=10).digest()
        count = self._recent.get(digest) or self._older.get(digest, 0)
        self._recent[digest] = count + 1
        if len(self._recent) >= REMEMBERED:
            self._older, self._recent = self._recent, {}
        return f"{rising:x}-{digest.hex()}-{count + 1}"
