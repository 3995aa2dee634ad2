"""A log that grows and is rotated: its lines in order, whatever became of its files. No database.

The parts of a log are the file that is written and the rotated ones beside it (`queue_log.1`,
`queue_log-20260301.gz`). A part is told from the others by the second of its first record, which also orders
them, and by the bytes before the position. So a position is found again after a rename, after copytruncate,
in a part that was compressed meanwhile, and after the machine lost its last writes.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import re
import zlib
from pathlib import Path
from typing import BinaryIO, NamedTuple, cast

MARK = 1024  # bytes before a position that are compared
STEP = 1 << 20  # bytes read at once; what has no line end within them is taken for a line
HEAD = 64  # bytes with the time of the first record
_STAMP = re.compile(rb"(\d{9,10})(?:\.\d+)?\|")
_LINE = re.compile(rb"[^\n]*\n|[^\n]+")
_GZIP = b"\x1f\x8b"


class Position(NamedTuple):
    """A place in a part: `offset` bytes of it unpacked, and `line` lines, lie before.

    `began` is the second of the part's first record, `mark` the hash of up to MARK bytes before. The lines
    from there to `reached` were read: the rest of a second is read together with its beginning, because equal
    records of a second are told apart by their order.
    """

    inode: int
    offset: int
    line: int
    began: int
    mark: str
    reached: int


START = Position(0, 0, 0, 0, "", 0)  # of no part: the log is read from the first line of its file


class LogLine(NamedTuple):
    number: int
    data: bytes  # with its end; the last line of a part that was cut off has none
    is_known: bool  # it was read before a restart


class _Name(NamedTuple):
    """A part on the disk. Parts are in the order of writing."""

    began: int
    modified_ns: int
    path: Path
    inode: int


class _Part:
    """An open part and the place up to which it was read."""

    def __init__(self, name: _Name, offset: int = 0, line: int = 0, known: int = 0) -> None:
        self.name, self._offset, self._line, self._known = name, offset, line, known
        self._raw = name.path.open("rb")
        self._packed = _is_packed(self._raw)
        self._file = cast(BinaryIO, gzip.GzipFile(fileobj=self._raw)) if self._packed else self._raw
        self._before = self._read(offset - min(offset, MARK), min(offset, MARK))
        self._second: bytes | None = None  # the stamp of the last line
        self._second_start = self._at(offset, line, self._before)

    def close(self) -> None:
        self._raw.close()

    def is_rewritten(self) -> bool:
        """Say whether the file no longer holds what was read of it."""
        length = len(self._before)
        return not self._packed and self._read(self._offset - length, length) != self._before

    def holds(self, position: Position) -> bool:
        place = self._second_start
        return (place.began, place.mark) == (position.began, position.mark)

    @property
    def position(self) -> Position:
        return self._second_start._replace(reached=max(self._line, self._known))

    @property
    def reached(self) -> tuple[int, int]:
        """How many bytes and lines were read."""
        return self._offset, self._line

    def modified_ns(self) -> int:
        return os.fstat(self._raw.fileno()).st_mtime_ns

    def take(self) -> list[LogLine]:
        """Return the next complete lines, and move behind them."""
        data = self._read(self._offset, STEP)
        end = data.rfind(b"\n") + 1 or (STEP if len(data) == STEP else 0)
        return self._passed(data[:end])

    def rest(self) -> list[LogLine]:
        """Return what follows the last complete line: its writer was stopped in the middle of it."""
        return self._passed(self._read(self._offset, STEP))

    def _passed(self, data: bytes) -> list[LogLine]:
        """Move behind `data` and return its lines."""
        known, start = self._before + data, len(self._before)
        lines: list[LogLine] = []
        for text in _LINE.findall(data):
            stamp = _STAMP.match(text)
            if stamp is not None and stamp[1] != self._second:
                self._second = stamp[1]
                before = known[max(start - MARK, 0) : start]
                self._second_start = self._at(self._offset, self._line, before)
            start, self._offset, self._line = start + len(text), self._offset + len(text), self._line + 1
            lines.append(LogLine(self._line, text, self._line <= self._known))
        self._before = known[-MARK:]
        return lines

    def _at(self, offset: int, line: int, before: bytes) -> Position:
        mark = hashlib.blake2b(before, digest_size=16).hexdigest()
        return Position(self.name.inode, offset, line, self.name.began, mark, line)

    def _read(self, offset: int, length: int) -> bytes:
        try:
            self._file.seek(offset)
            return self._file.read(length)
        except (EOFError, gzip.BadGzipFile, zlib.error):  # still being written, or damaged
            return b""


class GrowingLog:
    """The log at `path`, read from `position`, or without one from the first line of the file."""

    def __init__(self, path: Path, position: Position | None = None) -> None:
        self.path = path
        self.parts = 0  # how many were opened so far
        self._begin = position
        self._part: _Part | None = None
        self._scanned: tuple[int, ...] = ()

    @property
    def position(self) -> Position | None:
        """Where to read on from after a restart: at most a second before the place reached, never after."""
        return self._part.position if self._part is not None else self._begin

    def read(self) -> list[LogLine]:
        """Return the next complete lines, about STEP bytes at most; an empty list when there is none now.

        A log that is not there has no lines. Raises OSError for a file that cannot be read.
        """
        while True:
            part = self._part
            if part is None or part.is_rewritten():
                part = self._found(self.position)
                if part is None:
                    return []
                self._open(part)
            lines = part.take()
            following = None if lines else self._following(part)
            if following is None:
                return lines
            if lines := part.take() or part.rest():  # written before the log went on in the next part
                return lines
            self._open(_Part(following))

    def close(self) -> None:
        if self._part is not None:
            self._part.close()

    def _open(self, part: _Part) -> None:
        self.close()
        self._part = part
        self.parts += 1

    def _found(self, position: Position | None) -> _Part | None:
        """Return the part with the position; where none has it, the first that may hold what was not read."""
        names = self._names()
        if position is None or position == START:
            return next((_Part(name) for name in names if name.path == self.path), None)
        for name in sorted(names, key=lambda name: name.inode != position.inode):
            part = _Part(name, position.offset, position.line, position.reached)
            if part.holds(position):
                return part
            part.close()
        return next((_Part(name) for name in names if name.began >= position.began), None)

    def _following(self, part: _Part) -> _Name | None:
        """Return the part after one that was read to its end, once it has a line."""
        try:
            now = self.path.stat()
            scanned = (self.path.parent.stat().st_mtime_ns, now.st_ino, now.st_size)
        except FileNotFoundError:
            return None
        if now.st_ino == part.name.inode or scanned == self._scanned:
            return None
        last = (part.name.began, part.modified_ns())
        following = next((name for name in self._names() if name[:2] > last), None)
        self._scanned = scanned if following is None else ()
        return following

    def _names(self) -> list[_Name]:
        """Return the parts that have a line, in the order of writing."""
        starts = (f"{self.path.name}.", f"{self.path.name}-")
        paths = [each for each in self.path.parent.iterdir() if each.name.startswith(starts)]
        return sorted(name for each in (self.path, *paths) if (name := _named(each)) is not None)


def end(path: Path) -> Position | None:
    """Return the position after the last complete line of a file; None for one without a line."""
    name = _named(path)
    if name is None:
        return None
    part = _Part(name)
    while part.take():
        pass
    offset, line = part.reached
    part.close()
    part = _Part(name, offset, line)
    part.close()
    return part.position


def is_log(path: Path) -> bool:
    """Say whether a file begins with a record, or is empty. Raises OSError for one that cannot be read."""
    return _named(path) is not None or path.stat().st_size == 0


def _named(path: Path) -> _Name | None:
    """Return the part in a file; None for one that is gone, or does not begin with a record.

    What is no file is not opened: a pipe would wait for its writer.
    """
    if not path.is_file():
        return None
    try:
        with path.open("rb") as raw:
            file = gzip.GzipFile(fileobj=raw) if _is_packed(raw) else raw
            stamp = _STAMP.match(file.read(HEAD))
            facts = os.fstat(raw.fileno())
    except (FileNotFoundError, IsADirectoryError, EOFError, gzip.BadGzipFile, zlib.error):
        return None
    return None if stamp is None else _Name(int(stamp[1]), facts.st_mtime_ns, path, facts.st_ino)


def _is_packed(raw: BinaryIO) -> bool:
    packed = raw.read(len(_GZIP)) == _GZIP
    raw.seek(0)
    return packed
