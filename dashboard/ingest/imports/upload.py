"""Keeps an uploaded file in pieces, and gives its content to the readers of files."""

from __future__ import annotations

import io
import secrets
import zlib
from collections.abc import Iterator
from enum import StrEnum
from typing import IO

from peewee import fn

from dashboard import clock
from dashboard.clock import DAY_S
from dashboard.db.prepared import Prepared, slot
from dashboard.ingest import lines
from dashboard.models import FileImport, ImportPart

KEPT_DAYS = 7
ALL_MOST = 2 * 1024**3  # bytes of all files, packed
PIECE = 1024 * 1024
_GZIP_WINDOW = 31  # zlib: with gzip's header
_PART = Prepared(
    lambda: ImportPart.select(ImportPart.data).where(
        (ImportPart.file == slot("file")) & (ImportPart.n == slot("n"))
    )
)


class State(StrEnum):
    """Where an import is. CHECKING, IMPORTING and UNDOING have a job that is waiting or running."""

    DRAFT = "draft"
    CHECKING = "checking"
    IMPORTING = "importing"
    DONE = "done"
    CANCELLED = "cancelled"
    FAILED = "failed"
    UNDOING = "undoing"
    UNDONE = "undone"


WORKING = (State.CHECKING, State.IMPORTING, State.UNDOING)


def keep(row: FileImport, file: IO[bytes]) -> None:
    """Store a new import with the content of `file`, read in pieces and gzipped unless it is."""
    FileImport.insert(**row.__data__).execute()
    size = packed = 0
    for n, data in enumerate(_packed(file)):
        ImportPart.insert(file=row.id, n=n, data=data).execute()
        packed += len(data)
    size = file.tell()
    FileImport.update(size=size, packed=packed).where(FileImport.id == row.id).execute()
    row.size, row.packed = size, packed


def new(user_id: int, name: str, source: str, zone: str, format_: str) -> FileImport:
    """Return the row of a new import; it is not stored yet."""
    now = clock.now_s()
    return FileImport(
        id=secrets.token_urlsafe(18),
        user_id=user_id,
        name=name[:200],
        source=source,
        zone=zone,
        format=format_,
        state=State.DRAFT.value,
        created_ts=now,
        expires_ts=now + KEPT_DAYS * DAY_S,
    )


def is_full() -> bool:
    """Say whether no more files can be kept."""
    kept = FileImport.expires_ts > clock.now_s()
    return int(FileImport.select(fn.SUM(FileImport.packed)).where(kept).scalar() or 0) >= ALL_MOST


def _packed(file: IO[bytes]) -> Iterator[bytes]:
    """Yield the gzipped content in pieces of at least PIECE bytes, but for the last."""
    pack = zlib.compressobj(1, zlib.DEFLATED, _GZIP_WINDOW)
    first = file.read(PIECE)
    plain = not first.startswith(lines.GZIP)
    held = bytearray()
    data = first
    while data:
        held += pack.compress(data) if plain else data
        if len(held) >= PIECE:
            yield bytes(held)
            held.clear()
        data = file.read(PIECE)
    held += pack.flush() if plain else b""
    if held:
        yield bytes(held)


class Upload:
    """The content of an import, as `lines.Content`. It ends where pieces are missing."""

    def __init__(self, row: FileImport) -> None:
        self.name, self.size, self._id = row.name, row.packed, row.id

    def open(self) -> io.BufferedIOBase:
        return io.BufferedReader(_Parts(self._id))


class _Parts(io.RawIOBase):
    """Reads the pieces of a file one after the other."""

    def __init__(self, ident: str) -> None:
        self._id, self._next, self._left = ident, 0, memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]
        if not self._left:
            for (data,) in _PART.rows(file=self._id, n=self._next):
                self._left = memoryview(bytes(data))
            self._next += 1
        given, self._left = self._left[: len(buffer)], self._left[len(buffer) :]
        buffer[: len(given)] = given
        return len(given)
