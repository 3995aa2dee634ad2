"""Tables of a PDF: cells as text, the widths of columns, and letters that no font shows."""

from __future__ import annotations

import unicodedata
from datetime import date
from itertools import pairwise

from flask_babel import gettext as _

from dashboard.exports import fonts
from dashboard.exports.cells import show
from dashboard.exports.table import (
    Clock,
    Column,
    Kind,
    Row,
    Sheet,
    clean,
)
from dashboard.i18n import formats

_NUMBERS = (Kind.INT, Kind.DECIMAL, Kind.DURATION, Kind.PERCENT)
PAGE_MM = 273  # between the margins
LETTER_MM, DIGIT_MM, PADDING_MM = 1.7, 1.9, 1.1  # of a bold letter or digit, and at each side of a cell
# Widths that keep a cell of the kind on one line in the widest face, and in Japanese.
_CELL_MM = {Kind.TIME: (37, 41), Kind.DATE: (22, 26), Kind.DURATION: (16, 16)}
WIDE_LETTERS = (4, 2)  # of a heading on a line: usually, and in a table of many columns
ENOUGH_MM = 28  # for a text
SHORT = 10  # rows of a table that stands on the page of the front
CLOCK_MM = 20  # of a time without its date
TEXT_MM = 1.55  # of a letter of a text, on average


class Letters:
    """Replaces what no font shows, and remembers it for the note at the end."""

    def __init__(self) -> None:
        self._covered = fonts.coverage()
        self._mark = next(
            mark for mark in (fonts.GETA, "\N{REPLACEMENT CHARACTER}", "?") if mark in self._covered
        )
        self._seen: set[str] = set()
        self.missing: set[str] = set()

    def shown(self, text: str) -> str:
        """Return the text with the mark in place of each character that no font shows."""
        new = set(text) - self._seen
        if new:
            self._seen |= new
            self.missing |= {letter for letter in new if letter not in self._covered}
        if not self.missing:
            return text
        return "".join(self._mark if letter in self.missing else letter for letter in text)

    def note(self) -> str:
        """Return the sentence that names what is missing, "" when nothing is."""
        if not self.missing:
            return ""
        codes = ", ".join(f"U+{ord(letter):04X}" for letter in sorted(self.missing)[:20])
        codes += ", …" if len(self.missing) > 20 else ""
        return str(
            _(
                "%(mark)s replaces characters missing from the server's fonts: %(codes)s.",
                mark=self._mark,
                codes=codes,
            )
        )


class Table:
    """One sheet as its template takes it: headings, widths and cells as text.

    Columns that are empty in every row are left out: each cell costs its share of the time.
    """

    def __init__(self, sheet: Sheet, rows: list[Row], zone: str, letters: Letters) -> None:
        self._sheet = sheet
        self._letters = letters
        self._kept = _filled(sheet, rows)
        self._clock = Clock(zone)
        self._rows = rows
        kept = [sheet.columns[at] for at in self._kept]
        self._writers = [show(column.kind, zone, sheet.by_day) for column in kept]
        self._total = None if sheet.total is None else self._line(sheet.total)
        self._lines = list(map(self._line, rows))
        lines = self._lines if self._total is None else [*self._lines, self._total]
        self._columns = [
            (letters.shown(clean(column.title)), column.kind in _NUMBERS, width)
            for column, width in zip(kept, _percents(kept, lines, sheet.by_day), strict=True)
        ]

    @property
    def widths(self) -> list[float]:
        """The width of each column in percent."""
        return [width for _title, _number, width in self._columns]

    def part(self, start: int, stop: int, last: bool) -> dict[str, object]:
        """Return the values of the rows [start, stop); totals and note come with the last."""
        sheet, shown = self._sheet, self._letters.shown
        return {
            "name": shown(clean(sheet.name)) if start == 0 else "",
            "columns": self._columns,
            "numbers": [number for _title, number, _width in self._columns],
            "short": len(self._lines) <= SHORT,
            "start": start,
            "rows": self._lines[start:stop],
            "days": self._days(start, stop),
            "total": self._total if last else None,
            "note": shown(clean(sheet.note)) if last else "",
            "empty": _("No rows") if last and not self._lines else "",
        }

    def _days(self, start: int, stop: int) -> list[str]:
        """Return what heads each row, "" where it is of the day of the row before."""
        if not self._sheet.by_day:
            return [""] * (stop - start)
        days = [self._day(row) for row in self._rows[max(0, start - 1) : stop]]
        pairs = pairwise(days if start else [None, *days])
        return ["" if day is None or day == before else formats.date_long(day) for before, day in pairs]

    def _day(self, row: Row) -> date | None:
        return self._clock.local(row[0]).date() if isinstance(row[0], int) else None

    def _line(self, row: Row) -> list[str]:
        shown = self._letters.shown
        return [shown(write(row[at])) for write, at in zip(self._writers, self._kept, strict=True)]


def _percents(columns: list[Column], lines: list[list[str]], by_day: bool) -> list[float]:
    """Return the widths in percent: every column holds the words of its heading, times and numbers stay on
    one line, and texts get the width of their longest cell, the short ones before the long ones.

    Headings of wide letters keep fewer of them on a line where texts would have too little.
    """
    texts = [{line[at] for line in lines} for at in range(len(columns))]
    own = [_own_mm(column.kind, by_day, cells) for column, cells in zip(columns, texts, strict=True)]
    wide = [
        0.0 if mm else max(map(_text_mm, cells), default=0.0) for mm, cells in zip(own, texts, strict=True)
    ]
    for letters in WIDE_LETTERS:
        heads = [_heading_mm(column.title, letters) for column in columns]
        widths = [max(head, mm) for head, mm in zip(heads, own, strict=True)]
        if sum(max(width, min(mm, ENOUGH_MM)) for width, mm in zip(widths, wide, strict=True)) <= PAGE_MM:
            break
    wanted = [max(0.0, mm - width) for mm, width in zip(wide, widths, strict=True)]
    rest = max(PAGE_MM - sum(widths), 0)
    order = sorted(range(len(columns)), key=wanted.__getitem__)
    for count, at in zip(range(len(order), 0, -1), order, strict=True):
        more = min(wanted[at], rest / count)
        widths[at], rest = widths[at] + more, rest - more
    return [round(100 * width / sum(widths), 3) for width in widths]


def _own_mm(kind: Kind, by_day: bool, cells: set[str]) -> float:
    """Return the width that a time or number needs, 0 for texts."""
    fixed = (
        CLOCK_MM if kind is Kind.TIME and by_day else _CELL_MM.get(kind, (0, 0))[formats.language() == "ja"]
    )
    return max(fixed, max(map(_number_mm, cells), default=0) if kind in _NUMBERS else 0)


def _text_mm(text: str) -> float:
    """Return the width of the longest line of a text, about."""
    letters = max((len(line) + sum(map(_is_wide, line)) for line in text.split("\n")), default=0)
    return letters * TEXT_MM + 2 * PADDING_MM


def _heading_mm(title: str, wide: int) -> float:
    """Return the width of the longest word of a heading; one of wide letters breaks after `wide` of them."""
    words = [
        min(wide, len(word)) * 2 if any(map(_is_wide, word)) else len(word) for word in clean(title).split()
    ]
    return max(words, default=4) * LETTER_MM + 2 * PADDING_MM


def _number_mm(text: str) -> float:
    return len(text) * DIGIT_MM + 2 * PADDING_MM


def _is_wide(letter: str) -> bool:
    return unicodedata.east_asian_width(letter) in "WF"


def _filled(sheet: Sheet, rows: list[Row]) -> list[int]:
    """Return the numbers of the printed columns that hold anything in a row or the total; all where none
    does."""
    lines = rows if sheet.total is None else [*rows, sheet.total]
    every = [at for at, column in enumerate(sheet.columns) if column.printed]
    return [at for at in every if any(line[at] not in (None, "") for line in lines)] or every
