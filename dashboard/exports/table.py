"""The content of an export: sheets of typed columns, and file names. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import quote
from zoneinfo import ZoneInfo

from markupsafe import Markup

Cell = str | int | float | date | None
Row = tuple[Cell, ...]
Meta = tuple[tuple[str, str], ...]  # (label, value) in the order of reading

ELLIPSIS = "…"
# XML 1.0 cannot hold these; a file that does is refused by Excel as damaged.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


class Kind(StrEnum):
    """What the cells of a column hold; a cell of None is empty in every kind."""

    TEXT = "text"
    INT = "int"
    DECIMAL = "decimal"  # one digit behind the point
    DURATION = "duration"  # int seconds
    PERCENT = "percent"  # share, 1.0 is 100 %
    TIME = "time"  # int UTC epoch seconds
    DATE = "date"  # datetime.date


class Column(NamedTuple):
    """A column: its heading as shown, and its width in characters in a table without rows.

    In Excel a duration is followed by its plain seconds and a time by its UTC offset, unless
    `with_seconds` or `with_offset` says no. One that is not `printed` is left out of the PDF, for width.
    """

    key: str
    title: str
    kind: Kind = Kind.TEXT
    width: int = 14
    with_seconds: bool = True
    with_offset: bool = True
    printed: bool = True


@dataclass(frozen=True)
class Sheet:
    """One table. `rows` is walked once, so it may be a generator; every row has as many cells as
    there are columns. `note` is written as the last line: a limit that was reached, for instance.
    A sheet that is not `printed` is left out of the PDF, because the front shows its figures. With
    `by_day` the PDF heads the rows of each local day of the first column, a time, and writes clocks alone.
    One that is `portrait` is printed upright, where a page holds half as many rows more; so is the front
    before it, and such a table begins on the page of the front.
    `file` is the name of its file in a ZIP, without the ending.
    """

    name: str
    columns: tuple[Column, ...]
    rows: Iterable[Row]
    total: Row | None = None
    note: str = ""
    printed: bool = True
    by_day: bool = False
    portrait: bool = False
    file: str = ""


@dataclass(frozen=True)
class Report:
    """All of an export. `locale` is en, cs or ja; `zone` an IANA name.

    `front` is trusted HTML for the first page of the PDF; an SVG in it carries its colours itself,
    as attributes or in a <style> inside the <svg>, and pictures from elsewhere are not loaded.
    """

    title: str
    subtitle: str
    meta: Meta
    sheets: tuple[Sheet, ...]
    locale: str
    zone: str
    footer: str = ""
    front: Markup | None = None


def clean(text: str) -> str:
    """Return the text with each character that XML cannot hold shown as U+FFFD."""
    return text if text.isprintable() else _FORBIDDEN.sub(_REPLACEMENT, text)


def shorten(text: str, limit: int) -> str:
    """Return at most `limit` UTF-16 units (what Excel counts), the last being … if any were left out."""
    if len(text) * 2 <= limit:
        return text
    units = text.encode("utf-16-le")
    if len(units) <= limit * 2:
        return text
    return units[: (limit - 1) * 2].decode("utf-16-le", "ignore") + ELLIPSIS


class Clock:
    """Local times of one zone. Raises zoneinfo.ZoneInfoNotFoundError for an unknown name."""

    def __init__(self, zone: str) -> None:
        self.zone = ZoneInfo(zone)
        # Offsets change at whole quarters of an hour only; the bound keeps a million rows flat.
        self._offset = lru_cache(maxsize=4096)(self._offset_of_quarter)

    def offset(self, ts: int) -> int:
        """Return the seconds to add to UTC epoch seconds to get local ones."""
        return self._offset(ts // 900)

    def local(self, ts: int) -> datetime:
        """Return the aware local datetime of UTC epoch seconds."""
        return datetime.fromtimestamp(ts, self.zone)

    def _offset_of_quarter(self, quarter: int) -> int:
        delta = self.local(quarter * 900).utcoffset()
        return int(delta.total_seconds()) if delta is not None else 0


@lru_cache(maxsize=256)
def offset_label(seconds: int) -> str:
    """Return 3600 as +01:00."""
    minutes = abs(seconds) // 60
    return f"{'-' if seconds < 0 else '+'}{minutes // 60:02}:{minutes % 60:02}"


def file_name(subject: str, whose: str, day: date, extension: str) -> str:
    """Return a name such as stopa-tracing-pnovakova-2026-11-19.pdf.

    Letters of every script stay; what a file system or a shell could stumble on becomes a hyphen.
    """
    parts = (_slug(part) for part in ("stopa", subject, whose, day.isoformat()))
    return "-".join(part for part in parts if part) + "." + extension


def disposition(name: str) -> str:
    """Return the Content-Disposition of a download (RFC 6266): an ASCII name that every browser takes,
    and beside it the true one as `filename*` when the two differ."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    stem, dot, extension = plain.rpartition(".")
    plain = _slug(stem) + dot + extension
    header = f'attachment; filename="{plain}"'
    return header if plain == name else f"{header}; filename*=UTF-8''{quote(name, safe='')}"


def _slug(text: str) -> str:
    """Return letters, digits, dots and hyphens only, at most 80, neither first nor last a mark."""
    return re.sub(r"[^\w.]+|_+|\.{2,}", "-", unicodedata.normalize("NFC", text))[:80].strip("-.")
