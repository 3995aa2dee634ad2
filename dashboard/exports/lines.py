"""Lines of a worksheet as XML: XlsxWriter makes the book, its styles and its frame; the rows, which
are nearly all of the work, are drawn here at a fraction of the cost of a call per cell.

Texts are inline strings (ECMA-376 18.3.1.53), so nothing a user typed can become a formula.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import date
from typing import Any
from xml.sax.saxutils import escape

from xlsxwriter.worksheet import Worksheet

from dashboard.exports.table import Cell, Clock, Column, Kind, clean, offset_label, shorten

MAX_TEXT = 32_767  # UTF-16 units of a cell, by Excel's format
DAY = 86_400
EPOCH = 25_569  # days from Excel's zero to 1970-01-01
_ORDINAL_ZERO = date(1970, 1, 1).toordinal() - EPOCH
_ESCAPE = re.compile("_(x[0-9a-fA-F]{4}_)")
Draw = Callable[[int, Any], str]  # number of the line as Excel counts, a cell neither None nor ""


class Lines(Worksheet):  # type: ignore[misc]
    """A worksheet in constant_memory mode that takes whole lines."""

    def write_line(self, row: int, last: int, cells: str) -> None:
        """Write the cells of row `row` (from 0), the last of them in column `last`; rows rise."""
        self._check_dimensions(row, last)
        self._write_single_row(row)
        self.fh.write(f'<row r="{row + 1}">{cells}</row>')


def fit(text: str) -> str:
    """Return the text as a cell can hold it: line ends as \\n, at most 32,767 units, … where it was cut."""
    return shorten(clean(text).replace("\r\n", "\n").replace("\r", "\n"), MAX_TEXT)


def put_text(page: Any, line: int, at: int, text: str, form: Any = None) -> None:
    """Write one text by XlsxWriter itself."""
    text = fit(text)
    if text.startswith("<r>") and text.endswith("</r>"):
        # XlsxWriter would copy this into the sheet as markup of its own; in pieces it is text.
        page.write_rich_string(line, at, text[0], text[1], text[2:], *([form] if form else []))
    elif text:
        page.write_string(line, at, text, form)


def parts_of(column: Column, cell: Any, clock: Clock) -> tuple[Cell, ...]:
    """Return what Excel keeps of a cell that is no text: the value, then its seconds or its offset."""
    if column.kind is Kind.DURATION:
        return cell / DAY, cell
    if column.kind is Kind.TIME:
        offset = clock.offset(cell)
        return (cell + offset) / DAY + EPOCH, offset_label(offset)
    if column.kind is Kind.DATE:
        return (cell.toordinal() - _ORDINAL_ZERO,)
    return (cell,)


def cells_of(column: Column, places: Sequence[tuple[str, int]], clock: Clock) -> Draw:
    """Return what draws the cells of a column; `places` are letter and style of one or two columns."""
    if column.kind is Kind.TEXT:
        return _text(*places[0])
    value = _number(*places[0])
    if len(places) == 1:
        return lambda line, cell: value(line, parts_of(column, cell, clock)[0])
    beside = _number(*places[1]) if column.kind is Kind.DURATION else _text(*places[1])

    def both(line: int, cell: Any) -> str:
        first, second = parts_of(column, cell, clock)
        return value(line, first) + beside(line, second)

    return both


def _number(letter: str, style: int) -> Draw:
    return lambda line, cell: f'<c r="{letter}{line}" s="{style}"><v>{cell}</v></c>'


def _text(letter: str, style: int) -> Draw:
    def draw(line: int, cell: str) -> str:
        text = cell if cell.isprintable() and len(cell) < MAX_TEXT // 2 else fit(cell)
        if "_x" in text:
            text = _ESCAPE.sub(r"_x005F_\1", text)
        keep = "" if text == text.strip() else ' xml:space="preserve"'
        return f'<c r="{letter}{line}" s="{style}" t="inlineStr"><is><t{keep}>{escape(text)}</t></is></c>'

    return draw
