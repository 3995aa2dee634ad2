"""CSV: one table as text that spreadsheets open without executing anything in it.

UTF-8 with a byte order mark, commas, CRLF, every text in quotes (RFC 4180), so that a reader that splits at
semicolons does not cut inside a text. Times are ISO 8601 with offset, durations whole seconds, shares plain
fractions. What a spreadsheet would take for a formula gets an apostrophe before it (OWASP, CSV injection), at
the start of a text and where a reader that splits at another separator would start a cell; numbers in number
columns stay as they are.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator
from datetime import date
from itertools import islice

from flask_babel import force_locale
from flask_babel import gettext as _

from dashboard.exports.table import Cell, Clock, Kind, Report, Sheet, clean

BOM = "\N{ZERO WIDTH NO-BREAK SPACE}"
CHUNK_ROWS = 500
# The last four are the full-width forms that Japanese input methods write.
TRIGGERS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_INSIDE = re.compile('([;\t\r\n]"*)(?=[=+\\-@＝＋－＠])')


def chunks(report: Report, sheet: Sheet | None = None) -> Iterator[str]:
    """Yield the file in pieces of up to 500 rows; encode each as UTF-8.

    A CSV holds one table: `sheet`, by default the report's first. Memory does not grow with the rows.
    """
    sheet = sheet or report.sheets[0]
    clock = Clock(report.zone)
    cells = [_writer(column.kind, clock) for column in sheet.columns]
    buffer = io.StringIO()
    out = csv.writer(buffer, quoting=csv.QUOTE_NONNUMERIC)
    buffer.write(BOM)
    out.writerow([safe(heading) for heading in headings(report, sheet)])
    rows = iter(sheet.rows)
    while part := list(islice(rows, CHUNK_ROWS)):
        out.writerows([[write(cell) for write, cell in zip(cells, row, strict=True)] for row in part])
        yield _emptied(buffer)
    if sheet.total is not None:
        out.writerow([write(cell) for write, cell in zip(cells, sheet.total, strict=True)])
    if sheet.note:
        out.writerow([safe(sheet.note)])
    yield _emptied(buffer)


def safe(text: str) -> str:
    """Return the text with an apostrophe before each part of it that a spreadsheet would run."""
    text = _INSIDE.sub(r"\1'", clean(text))
    return "'" + text if text.startswith(TRIGGERS) else text


def headings(report: Report, sheet: Sheet) -> list[str]:
    """Return the headings; one of a duration names its unit."""
    with force_locale(report.locale):
        return [
            _("%(title)s (seconds)", title=column.title) if column.kind is Kind.DURATION else column.title
            for column in sheet.columns
        ]


def _emptied(buffer: io.StringIO) -> str:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text


def _writer(kind: Kind, clock: Clock) -> Callable[[Cell], Cell]:
    """Return what turns a cell of this kind into one of the csv module's; a text is made safe in any
    kind, because the totals row may hold one above numbers."""

    def moment(cell: Cell) -> Cell:
        return clock.local(cell).isoformat() if isinstance(cell, int) else plain(cell)

    def plain(cell: Cell) -> Cell:
        if isinstance(cell, str):
            return safe(cell)
        return cell.isoformat() if isinstance(cell, date) else cell

    return moment if kind is Kind.TIME else plain
