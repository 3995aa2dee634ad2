"""Tables of a PDF: cells as text, the widths of columns, and letters that no font shows."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from itertools import pairwise
from math import ceil

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
PAGE_MM, UPRIGHT_MM = 273, 190  # between the margins, of a page that lies or stands
EM_MM, HEAD_EM_MM = 2.65, 2.47  # sizes of the letters of cells and of headings: 7.5 and 7 pt
CELL_MM = 2.1  # beside the text: the padding of both sides and a hair that keeps a line whole
WIDE_LETTERS = (4, 2)  # of a heading on a line: usually, and in a table of many columns
ENOUGH_MM = 28  # for a text
MOST = 0.95  # of the cells of a column stand on one line before the longest of another gets more
SHORT = 10  # rows of a table that stands on the page of the front


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
            for column, width in zip(kept, _percents(kept, lines, sheet), strict=True)
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
            "portrait": sheet.portrait,
            "flows": sheet.portrait or len(self._lines) <= SHORT,
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


def _percents(columns: list[Column], lines: list[list[str]], sheet: Sheet) -> list[float]:
    """Return the widths in percent: every column holds the words of its heading, times and numbers stay on
    one line, and so do words of texts and then most texts, the short ones before the long ones.

    Headings of wide letters keep fewer of them on a line where texts would have too little.
    """
    page = UPRIGHT_MM if sheet.portrait else PAGE_MM
    texts = [column.kind not in (*_NUMBERS, Kind.TIME, Kind.DATE) for column in columns]
    cells = [[line[at] for line in lines if line[at]] for at in range(len(columns))]
    whole = [
        _widths(each, column.kind in _NUMBERS, str.splitlines)
        for each, column in zip(cells, columns, strict=True)
    ]
    for letters in WIDE_LETTERS:
        heads = [_heading_mm(column.title, letters) for column in columns]
        least = [min(mm[-1], ENOUGH_MM) if text else mm[-1] for mm, text in zip(whole, texts, strict=True)]
        if sum(map(max, heads, least)) <= page:
            break
    widths = [head if text else max(head, mm[-1]) for head, mm, text in zip(heads, whole, texts, strict=True)]
    words = [
        _widths(each, False, str.split) if text else [0.0] for each, text in zip(cells, texts, strict=True)
    ]
    _widen(widths, [min(mm[-1], ENOUGH_MM) for mm in words], page - sum(widths))
    for share in (MOST, 1):
        _widen(widths, [mm[ceil(share * len(mm)) - 1] for mm in whole], page - sum(widths))
    return [round(100 * width / sum(widths), 3) for width in widths]


def _widen(widths: list[float], goals: list[float], rest: float) -> None:
    """Share out `rest` to the columns that are narrower than their goal, those that lack little first."""
    wanted = [max(0.0, goal - width) for goal, width in zip(goals, widths, strict=True)]
    order = sorted(range(len(widths)), key=wanted.__getitem__)
    for count, at in zip(range(len(order), 0, -1), order, strict=True):
        more = min(wanted[at], max(rest, 0) / count)
        widths[at], rest = widths[at] + more, rest - more


def _widths(cells: list[str], bold: bool, parts: Callable[[str], list[str]]) -> list[float]:
    """Return the width of the widest part of each cell, in rising order; numbers are bold in the total."""
    known = {cell: max((fonts.width(part, bold) for part in parts(cell)), default=0) for cell in set(cells)}
    return sorted(known[cell] * EM_MM + CELL_MM for cell in cells) or [0.0]


def _heading_mm(title: str, wide: int) -> float:
    """Return the width of the longest word of a heading; one of wide letters breaks after `wide` of them."""
    words = [word[:wide] if any(map(fonts.is_wide, word)) else word for word in clean(title).split()]
    return max((fonts.width(word, bold=True) for word in words), default=1) * HEAD_EM_MM + CELL_MM


def _filled(sheet: Sheet, rows: list[Row]) -> list[int]:
    """Return the numbers of the printed columns that hold anything in a row or the total; all where none
    does."""
    lines = rows if sheet.total is None else [*rows, sheet.total]
    every = [at for at, column in enumerate(sheet.columns) if column.printed]
    return [at for at in every if any(line[at] not in (None, "") for line in lines)] or every
