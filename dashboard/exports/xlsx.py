"""Excel: each sheet streamed to disk row by row, then a sheet of what the report is about.

Cells are typed by us, never guessed from what a text looks like: a leading = stays text, a number
is a number, a duration a fraction of a day shown as [h]:mm:ss, a time the local one.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from itertools import chain, count, islice
from pathlib import Path
from typing import IO, Any

import xlsxwriter
from flask_babel import force_locale
from flask_babel import gettext as _

from dashboard.exports.table import Clock, Column, Kind, Report, Row, Sheet, clean, offset_label, shorten

MAX_LINES = 1_048_576  # of a worksheet, by Excel's format
MAX_TEXT = 32_767  # UTF-16 units of a cell, by Excel's format
DAY = 86_400
EPOCH = 25_569  # days from Excel's zero to 1970-01-01
_ORDINAL_ZERO = date(1970, 1, 1).toordinal() - EPOCH
_OPTIONS = {
    "constant_memory": True,  # one row in memory at a time
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}
_FORMATS = {
    Kind.TEXT: "@",
    Kind.INT: "0",
    Kind.DURATION: "[h]:mm:ss",
    Kind.PERCENT: "0.0%",
    Kind.TIME: "yyyy-mm-dd hh:mm:ss",
    Kind.DATE: "yyyy-mm-dd",
}
_LEAST_WIDTHS = {Kind.TIME: 19, Kind.DATE: 11, Kind.DURATION: 10}  # narrower shows ####
Put = Callable[[int, Any], object]  # line of the worksheet, a cell that is not None


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
    with force_locale(report.locale):
        rows = sum(_write_sheet(book, report, sheet, names, sheet_lines) for sheet in report.sheets)
        _write_meta(book, report, names)
    book.close()
    return rows


def fit(text: str) -> str:
    """Return the text as a cell can hold it: line ends as \\n, at most 32,767 units, … where it was cut."""
    return shorten(clean(text).replace("\r\n", "\n").replace("\r", "\n"), MAX_TEXT)


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
    clock = Clock(report.zone)
    rows, written = iter(sheet.rows), 0
    room = lines - 3  # the heading, the totals and the note
    more: Row | None = next(rows, None)
    while True:
        page = book.add_worksheet(names.take(sheet.name))
        puts = _head(book, page, sheet, report.zone, clock)
        line = 0
        part = chain([more] if more is not None else [], islice(rows, room - 1))
        for line, row in enumerate(part, 1):
            for put, cell in zip(puts, row, strict=True):
                if cell is not None:
                    put(line, cell)
        written += line
        page.autofilter(0, 0, max(line, 1), sum(map(_width, sheet.columns)) - 1)
        more = next(rows, None) if line == room else None
        if more is None:
            break
    _foot(book, page, sheet, clock, line + 1)
    return written


def _head(book: Any, page: Any, sheet: Sheet, zone: str, clock: Clock) -> list[Put]:
    """Write the headings, set widths and formats; return the writer of each column's cells."""
    page.freeze_panes(1, 0)
    page.repeat_rows(0)
    page.set_landscape()
    page.set_paper(9)  # A4
    page.fit_to_pages(1, 0)
    bold = book.add_format({"bold": True, "text_wrap": True, "valign": "top", "bottom": 1})
    puts: list[Put] = []
    at = 0
    for column in sheet.columns:
        for title, number_format, width in _layout(column, zone):
            page.set_column(at, at, width, book.add_format({"num_format": number_format}))
            _put_text(page, at, bold)(0, title)
            at += 1
        puts.append(_put(page, column, at - _width(column), clock))
    return puts


def _foot(book: Any, page: Any, sheet: Sheet, clock: Clock, line: int) -> None:
    """Write the totals in bold, then the note."""
    if sheet.total is not None:
        at = 0
        for column, cell in zip(sheet.columns, sheet.total, strict=True):
            bold = {"bold": True, "top": 1}
            form = book.add_format({**bold, "num_format": _FORMATS[column.kind]})
            put = _put_text(page, at, form) if isinstance(cell, str) else _put(page, column, at, clock, form)
            if cell is not None:
                put(line, cell)
            at += _width(column)
        line += 1
    if sheet.note:
        _put_text(page, 0, book.add_format({"italic": True}))(line, sheet.note)


def _width(column: Column) -> int:
    """Return how many columns of Excel this one takes."""
    seconds = column.kind is Kind.DURATION and column.with_seconds
    offset = column.kind is Kind.TIME and column.with_offset
    return 2 if seconds or offset else 1


def _layout(column: Column, zone: str) -> list[tuple[str, str, int]]:
    """Return heading, number format and width (characters) of each column of Excel."""
    title = column.title
    if column.kind is Kind.TIME:
        title = _("%(title)s (%(zone)s)", title=title, zone=zone)
    layout = [(title, _FORMATS[column.kind], max(column.width, _LEAST_WIDTHS.get(column.kind, 0)))]
    if _width(column) == 2 and column.kind is Kind.TIME:
        layout.append((_("%(title)s, UTC offset", title=column.title), "@", 9))
    elif _width(column) == 2:
        layout.append((_("%(title)s (seconds)", title=column.title), "0", 10))
    return layout


def _put(page: Any, column: Column, at: int, clock: Clock, form: Any = None) -> Put:
    """Return the writer of the cells of one column at Excel's column `at`."""
    number, both = page.write_number, _width(column) == 2
    if column.kind is Kind.TEXT:
        return _put_text(page, at, form)
    if column.kind is Kind.DURATION:
        return _put_duration(page, at, form, both)
    if column.kind is Kind.TIME:
        return _put_time(page, at, form, both, clock)
    if column.kind is Kind.DATE:
        return lambda line, cell: number(line, at, cell.toordinal() - _ORDINAL_ZERO, form)
    return lambda line, cell: number(line, at, cell, form)


def _put_text(page: Any, at: int, form: Any = None) -> Put:
    string = page.write_string

    def put(line: int, cell: str) -> None:
        text = cell if cell.isprintable() and len(cell) < MAX_TEXT // 2 else fit(cell)
        if text.startswith("<r>") and text.endswith("</r>"):
            # XlsxWriter would copy this into the sheet as markup of its own; in pieces it is text.
            page.write_rich_string(line, at, text[0], text[1], text[2:], *([form] if form else []))
        elif text:
            string(line, at, text, form)

    return put


def _put_duration(page: Any, at: int, form: Any, with_seconds: bool) -> Put:
    number = page.write_number

    def put(line: int, cell: int) -> None:
        number(line, at, cell / DAY, form)
        if with_seconds:
            number(line, at + 1, cell)

    return put


def _put_time(page: Any, at: int, form: Any, with_offset: bool, clock: Clock) -> Put:
    number, string, offset_at = page.write_number, page.write_string, clock.offset

    def put(line: int, cell: int) -> None:
        offset = offset_at(cell)
        number(line, at, (cell + offset) / DAY + EPOCH, form)
        if with_offset:
            string(line, at + 1, offset_label(offset))

    return put


def _write_meta(book: Any, report: Report, names: Names) -> None:
    """Write what the report is about: title, subtitle, each label with its value, footer."""
    page = book.add_worksheet(names.take(_("Meta")))
    page.set_column(0, 0, 28)
    page.set_column(1, 1, 60, book.add_format({"text_wrap": True}))
    label, value = _put_text(page, 0), _put_text(page, 1)
    _put_text(page, 0, book.add_format({"bold": True}))(0, report.title)
    label(1, report.subtitle)
    for line, (name, content) in enumerate(report.meta, 2):
        label(line, name)
        value(line, content)
    label(len(report.meta) + 2, report.footer)
