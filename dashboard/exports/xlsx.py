"""Excel exports: each sheet is streamed to disk row by row, then a sheet that describes the report.

Cells are typed by column, never guessed from the text: a leading = stays text, a number is a number, a
duration a fraction of a day shown as [h]:mm:ss, a time the local one. XlsxWriter writes the workbook,
styles and frame; the rows, nearly all of the work, are written here as XML at a fraction of the cost of a
call per cell. Texts are inline strings (ECMA-376 18.3.1.53), so nothing a user typed can become a formula.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Sequence
from datetime import date
from itertools import chain, count, islice
from pathlib import Path
from typing import IO, Any
from xml.sax.saxutils import escape

import xlsxwriter
from flask_babel import force_locale
from flask_babel import gettext as _
from xlsxwriter.utility import xl_col_to_name
from xlsxwriter.worksheet import Worksheet

from dashboard.exports.table import (
    Cell,
    Clock,
    Column,
    Kind,
    Report,
    Row,
    Sheet,
    clean,
    offset_label,
    shorten,
)
from dashboard.exports.xlsx_columns import (
    HEAD_POINTS,
    LINE_POINTS,
    MAX_TEXT,
    ExcelColumn,
    content_of,
    fit,
    layout_of,
    lines_of,
)

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


MAX_LINES = 1_048_576  # of a worksheet, by Excel's format
_OPTIONS = {
    "constant_memory": True,  # one row in memory at a time
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}
HEAD = 2  # the row of the headings, from 0; above it stand title and subtitle
SEEN = 500  # rows from which the widths follow


def write(report: Report, target: str | Path | IO[bytes], sheet_lines: int = MAX_LINES) -> int:
    """Write the report to a path or an open binary file; return how many rows it holds, totals aside.

    Memory does not grow with the rows; the folder for temporary files must be writable. A sheet
    longer than `sheet_lines` goes on in "Name (2)". Raises ValueError for a row that has more or
    fewer cells than there are columns, xlsxwriter.exceptions.FileCreateError for a target that
    cannot be written.
    """
    book = xlsxwriter.Workbook(str(target) if isinstance(target, Path) else target, _OPTIONS)
    book.set_properties({"title": fit(report.title)[:255], "subject": fit(report.subtitle)[:255]})
    names = Names()
    try:
        with force_locale(report.locale):
            rows = sum(_write_sheet(book, report, sheet, names, sheet_lines) for sheet in report.sheets)
            _write_meta(book, report, names)
    except BaseException:
        book.filename = io.BytesIO()  # closing is the only way to have the temporary files removed
        raise
    finally:
        book.close()
    return rows


class Names:
    """Names of worksheets: without what Excel refuses, at most 31 characters, each only once."""

    def __init__(self) -> None:
        self._taken = {"history"}  # Excel keeps this name for itself

    def take(self, wanted: str) -> str:
        """Return the wanted name, or one close to it with a number."""
        stem = re.sub(r"[\[\]:*?/\\\s]+", " ", clean(wanted)).strip("' ") or _("Sheet")
        for number in count(1):
            suffix = f" ({number})" if number > 1 else ""
            name = shorten(stem, 31 - len(suffix)).strip("' ") + suffix
            if name.casefold() not in self._taken:
                break
        self._taken.add(name.casefold())
        return name


def _write_sheet(book: Any, report: Report, sheet: Sheet, names: Names, lines: int) -> int:
    """Write one table on as many worksheets as it needs; return its rows."""
    rows, written = iter(sheet.rows), 0
    seen = list(islice(rows, SEEN))
    layout = [layout_of(column, report.zone, content_of(seen, at)) for at, column in enumerate(sheet.columns)]
    rows = chain(seen, rows)
    room = lines - HEAD - 3  # title, subtitle, headings, totals and note
    more: Row | None = next(rows, None)
    while True:
        page = book.add_worksheet(names.take(sheet.name), worksheet_class=Lines)
        cells = _head(book, page, report, sheet, layout)
        width, count = sum(map(len, layout)), 0
        part = chain([more] if more is not None else [], islice(rows, room - 1))
        for count, row in enumerate(part, 1):
            page.write_line(HEAD + count, width - 1, _draw(cells, HEAD + count + 1, row))
        written += count
        page.autofilter(HEAD, 0, HEAD + max(count, 1), width - 1)
        more = next(rows, None) if count == room else None
        if more is None:
            break
    _foot(book, page, sheet, layout, report.zone, HEAD + count + 1)
    return written


def _draw(cells: list[Draw], line: int, row: Row) -> str:
    """Return the XML of a row; an empty text is an empty cell."""
    pairs = zip(cells, row, strict=True)
    return "".join([draw(line, cell) for draw, cell in pairs if cell is not None and cell != ""])


def _head(
    book: Any, page: Any, report: Report, sheet: Sheet, layout: Sequence[Sequence[ExcelColumn]]
) -> list[Draw]:
    """Write title and headings, set widths and formats; return what draws each column's cells."""
    page.freeze_panes(HEAD + 1, 0)
    page.repeat_rows(HEAD)
    page.set_landscape()
    page.set_paper(9)  # A4
    page.fit_to_pages(1, 0)
    page.set_footer("&R&P / &N")
    page.outline_settings(symbols_right=False)  # the button stands above the value, left of its seconds
    put_text(page, 0, 0, report.title, book.add_format({"bold": True, "font_size": 14}))
    put_text(page, 1, 0, report.subtitle, book.add_format({"font_color": "#55615B"}))
    head = {"bold": True, "text_wrap": True, "valign": "top", "bottom": 1, "bg_color": "#E2E8E4"}
    heads = {align: book.add_format({**head, "align": align}) for align in ("left", "right")}
    cells: list[Draw] = []
    clock, at = Clock(report.zone), 0
    lines = max(lines_of(each.title, each.width) for parts in layout for each in parts)
    page.set_row(HEAD, max(HEAD_POINTS, LINE_POINTS * lines))  # Excel does not grow it by itself
    for column, parts in zip(sheet.columns, layout, strict=True):
        forms = []
        for each in parts:
            form = book.add_format({"num_format": each.number_format})
            grouped = {"level": 1, "hidden": True} if each.grouped else {"collapsed": len(parts) > 1}
            page.set_column(at, at, each.width, form, grouped)
            put_text(page, HEAD, at, each.title, heads["left" if each.number_format == "@" else "right"])
            forms.append((xl_col_to_name(at), form._get_xf_index()))
            at += 1
        cells.append(cells_of(column, forms, clock))
    page.ignore_errors({"number_stored_as_text": f"A{HEAD + 2}:{xl_col_to_name(at - 1)}{MAX_LINES}"})
    return cells


def _foot(
    book: Any, page: Any, sheet: Sheet, layout: Sequence[Sequence[ExcelColumn]], zone: str, line: int
) -> None:
    """Write the totals in bold, then the note."""
    if sheet.total is not None:
        clock, at = Clock(zone), 0
        for column, cell, parts in zip(sheet.columns, sheet.total, layout, strict=True):
            kinds = [each.number_format for each in parts]
            forms = [book.add_format({"bold": True, "top": 1, "num_format": kind}) for kind in kinds]
            if isinstance(cell, str):
                put_text(page, line, at, cell, forms[0])
            elif cell is not None:
                for step, value in enumerate(parts_of(column, cell, clock)[: len(forms)]):
                    page.write(line, at + step, value, forms[step])
            at += len(forms)
        line += 1
    if sheet.note:
        put_text(page, line, 0, sheet.note, book.add_format({"italic": True}))


def _write_meta(book: Any, report: Report, names: Names) -> None:
    """Write what the report is about: title, subtitle, each label with its value, footer."""
    page = book.add_worksheet(names.take(_("About")))
    page.set_column(0, 0, 28)
    page.set_column(1, 1, 60, book.add_format({"text_wrap": True}))
    put_text(page, 0, 0, report.title, book.add_format({"bold": True}))
    put_text(page, 1, 0, report.subtitle)
    for line, (label, value) in enumerate(report.meta, 2):
        put_text(page, line, 0, label)
        put_text(page, line, 1, value)
    put_text(page, len(report.meta) + 2, 0, report.footer)
