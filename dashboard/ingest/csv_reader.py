"""Rows of tables, and ids for records that have none. Pure."""

from __future__ import annotations

import csv
import hashlib
import re
from collections import deque
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import NamedTuple

from dashboard.i18n.message import N_, Message, message
from dashboard.ingest.tally import Tally

MAX_ROW = 1024 * 1024  # characters of a row that spans lines
REMEMBERED = 100_000  # rows; repeats of one row stand far closer together than that

NOT_READ = Message(N_("Not read, because the first line is refused."))
UNREADABLE = N_("Unreadable line: not valid in its encoding, control characters or too long.")
BROKEN_ROW = N_("Invalid row: unclosed quote or field too long.")
OTHER_COLUMNS = N_("The row has %(found)s columns, the header has %(expected)s.")

_UNREADABLE = re.compile("[\x00\ud800-\udfff]")


class Row(NamedTuple):
    """A row of a table: its first line, and its cells or what is wrong."""

    line: int
    cells: list[str]
    problem: Message | None = None


def text(line: bytes | str) -> str:
    """Return a line as text without a byte order mark; bytes that are not UTF-8 become lone surrogates."""
    decoded = line.decode(errors="surrogateescape") if isinstance(line, bytes) else line
    return decoded.removeprefix("\ufeff")


def header(line: str) -> tuple[str, list[str]]:
    """Return what parts a table's columns (the tab, semicolon or comma it has most of) and their names.

    A line that no table begins with has no names. What a database keeps in no text is replaced in names.
    """
    separator, line = max("\t;,", key=line.count), _UNREADABLE.sub("\ufffd", line)
    try:
        return separator, next(csv.reader([line], delimiter=separator), [])
    except csv.Error:
        return separator, []


def not_read(lines: Iterable[str], tally: Tally) -> Iterator[Row]:
    """Yield a row with the problem NOT_READ for each line after a header that is refused."""
    for number, line in enumerate(lines, 2):
        if line.strip():
            yield Row(number, [], NOT_READ)
        else:
            tally.blank += 1


def rows(lines: Iterable[str], separator: str, width: int, number: int, tally: Tally) -> Iterator[Row]:
    """Yield the rows of a table after its header; `number` is the line the header stood on.

    Blank lines and those that continue a row are counted in `tally`.

    A row whose cells are not `width` in number, not readable or not closed has a problem. Only its first line
    is refused for it, the next one is read as usual. A quoted cell may span lines, up to MAX_ROW, but no line
    that by itself is a row of the table: such lines follow a quote which is never closed.
    """
    rest = iter(lines)
    ahead: deque[str] = deque()  # lines that were taken for the row before
    while (line := ahead.popleft() if ahead else next(rest, None)) is not None:
        number += 1
        taken = [line]
        cells = _cells(taken, separator)
        if cells is None:
            cells = _cells(_recorded(taken, chain(_drained(ahead), rest), width), separator)
            following = taken[1:]
            if (
                cells is None
                or len(cells) != width
                or any(_is_row(each, separator, width) for each in following)
            ):
                ahead.extendleft(reversed(following))
                yield Row(number, [], Message(BROKEN_ROW))
                continue
        if any(cells):
            yield _checked(number, cells, width)
        else:
            tally.blank += 1
        tally.continued += len(taken) - 1
        number += len(taken) - 1


def _cells(lines: Iterable[str], separator: str) -> list[str] | None:
    """Return the cells of the row that `lines` begin with, or None when it is broken or not closed."""
    try:
        return next(csv.reader(lines, delimiter=separator, strict=True), [])
    except csv.Error:
        return None


def _recorded(taken: list[str], rest: Iterable[str], width: int) -> Iterator[str]:
    """Yield the lines taken so far, then those of `rest`, which are added to them, up to MAX_ROW.

    Ends where more lines begin or end a quoted cell than a row of `width` cells has: otherwise a file of such
    lines would be read from each of them again.
    """
    yield from list(taken)
    size, quoted = sum(map(len, taken)), 0
    for line in rest:
        taken.append(line)
        size += len(line)
        quoted += '"' in line.replace('""', "")
        if size > MAX_ROW or quoted > width:
            return
        yield line


def _drained(lines: deque[str]) -> Iterator[str]:
    while lines:
        yield lines.popleft()


def _is_row(line: str, separator: str, width: int) -> bool:
    cells = _cells([line], separator)
    return cells is not None and len(cells) == width


def _checked(line: int, cells: list[str], width: int) -> Row:
    if any(_UNREADABLE.search(cell) for cell in cells):
        return Row(line, [_UNREADABLE.sub("\ufffd", cell) for cell in cells], Message(UNREADABLE))
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
