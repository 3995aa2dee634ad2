"""The lines of a file or of standard input as text, whatever its compression and encoding."""

from __future__ import annotations

import codecs
import gzip
import io
import math
import sys
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple, Protocol, cast

from dashboard.ingest import encodings

MAX_LINE = 1024 * 1024  # bytes; longer ones are passed over so that memory stays flat
LINE_COST = 200  # bytes: the time that a line takes besides that of its bytes
LOOK = 16 * 1024 * 1024  # bytes, with LINE_COST
OVERLONG = "\0\n"  # stands for a line beyond MAX_LINE, or of a damaged gzip file: no reader takes a NUL
SAMPLE = 256 * 1024  # bytes from the first line that is not ASCII on, from which the encoding is told
STANDARD_INPUT = Path("-")
HEAD = 8  # bytes that tell UTF-16 without a mark: four letters of a header
GZIP = b"\x1f\x8b"


class _Plain(Protocol):
    def peek(self, size: int, /) -> bytes: ...
    def read(self, size: int = ..., /) -> bytes: ...
    def readline(self, size: int = ..., /) -> bytes: ...


class Content(Protocol):
    """A file that does not lie in the file system."""

    @property
    def name(self) -> str: ...
    @property
    def size(self) -> int: ...
    def open(self) -> io.BufferedIOBase: ...


class _Counted(io.RawIOBase):
    """Passes the bytes of a file on and counts them: pipes cannot say where they are."""

    def __init__(self, file: io.BufferedIOBase) -> None:
        self.position = 0
        self._file = file

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]
        data = self._file.read1(len(buffer))
        self.position += len(data)
        buffer[: len(data)] = data
        return len(data)


class _Utf16(io.RawIOBase):
    """Gives a file in UTF-16 as UTF-8; what is no character becomes bytes that are not UTF-8."""

    def __init__(self, file: _Plain, encoding: str) -> None:
        self._file = file
        self._decoder = codecs.getincrementaldecoder(encoding)("surrogatepass")
        self._left = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]
        while not self._left:
            read = self._file.read(io.DEFAULT_BUFFER_SIZE)
            self._left = self._decoder.decode(read).encode("utf-8", "surrogatepass")
            if not read:
                half = self._decoder.getstate()[0]
                self._decoder.reset()
                self._left += b"\xff" if half else b""
                break
        given, self._left = self._left[: len(buffer)], self._left[len(buffer) :]
        buffer[: len(given)] = given
        return len(given)


class Input(NamedTuple):
    """An open file, unpacked when it is gzipped. `size` is that of the file as it lies, 0 where unknown."""

    file: _Plain
    raw: _Counted
    name: str
    size: int

    def position(self) -> int:
        """Return how many bytes of `size` were read."""
        return self.raw.position


@contextmanager
def opened(path: Path | Content) -> Iterator[Input]:
    """Open a file, or standard input for "-". Raises OSError for one that cannot be read."""
    if not isinstance(path, Path):
        with path.open() as file:
            yield _input(file, path.name, path.size)
        return
    if path == STANDARD_INPUT:
        yield _input(cast(io.BufferedIOBase, sys.stdin.buffer), "standard input", 0)
        return
    with path.open("rb") as file:
        yield _input(file, path.name, path.stat().st_size if path.is_file() else 0)


def _input(file: io.BufferedIOBase, name: str, size: int) -> Input:
    raw = _Counted(file)
    plain = io.BufferedReader(raw)
    packed = plain.peek(len(GZIP)).startswith(GZIP)
    return Input(gzip.GzipFile(fileobj=plain) if packed else plain, raw, name, size)


class Lines:
    """The lines of an input as text with their ends. Can be iterated once.

    `encoding` is None to tell it from the bytes, see `encodings`. Bytes that it does not have become lone
    surrogates; a line beyond MAX_LINE and the place where a gzip file is damaged become OVERLONG. No line is
    left out. `count` is the number of lines so far, `encoding` what they are read as.

    With `most` they end after about so many bytes, of which each line takes LINE_COST besides its own: blank
    lines and what is packed a thousandfold take as long as others. `look` is called every LOOK of such bytes,
    in the middle of a line too, with the position of the input; it may raise to end them.
    """

    def __init__(
        self,
        source: Input,
        encoding: str | None = None,
        most: int | None = None,
        look: Callable[[int], None] | None = None,
    ) -> None:
        self.count = 0
        self.damaged = False
        self.encoding = encoding or encodings.UTF_8
        self._file: _Plain = source.file
        self._known = encoding is not None
        self._left = math.inf if most is None else most
        self._source, self._look, self._unseen = source, look, 0

    def __iter__(self) -> Iterator[str]:
        lines = self._physical()
        for line in lines:
            if not self._known and not line.isascii():
                yield from self._decoded(self._detected(line, lines))
            else:
                yield from self._decoded((line,))

    def _detected(self, line: bytes, rest: Iterator[bytes]) -> list[bytes]:
        """Tell the encoding from a line and those after it; return the lines that this took."""
        ahead, size = [line], len(line)
        while size < SAMPLE and (following := next(rest, None)) is not None:
            ahead.append(following)
            size += len(following)
        self.encoding, self._known = encodings.of_lines([each for each in ahead if not each.isascii()]), True
        return ahead

    def _decoded(self, lines: Iterable[bytes]) -> Iterator[str]:
        codec = encodings.UTF_8 if self.encoding.startswith("utf-") else self.encoding
        for line in lines:
            self.count += 1
            yield line.decode(codec, "surrogateescape").removeprefix("\ufeff")

    def _took(self, size: int) -> None:
        self._left -= size
        self._unseen += size
        if self._look is not None and self._unseen >= LOOK:
            self._unseen = 0
            self._look(self._source.position())

    def _physical(self) -> Iterator[bytes]:
        try:
            if not self._known and (found := encodings.at_start(self._file.peek(HEAD)[:HEAD])) is not None:
                self.encoding, self._known = found, True
            if self.encoding.startswith(encodings.UTF_16):
                order = encodings.byte_order(self.encoding, self._file.peek(HEAD)[:HEAD])
                self._file = io.BufferedReader(_Utf16(self._file, order))
            while self._left > 0 and (line := self._file.readline(MAX_LINE + 1)):
                self._took(len(line) + LINE_COST)
                if len(line) <= MAX_LINE:
                    yield line
                    continue
                while line and not line.endswith(b"\n") and self._left > 0:
                    line = self._file.readline(MAX_LINE)
                    self._took(len(line))
                yield OVERLONG.encode()
        except (EOFError, zlib.error, gzip.BadGzipFile):
            self.damaged = True
            yield OVERLONG.encode()
