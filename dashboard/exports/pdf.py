"""PDF exports with embedded fonts and a tagged table that screen readers can navigate.

WeasyPrint is imported only when a PDF is made: it needs the system library Pango, and the rest of Stopa
does not.
"""

from __future__ import annotations

import ctypes
from itertools import islice
from pathlib import Path
from typing import IO

from flask_babel import force_locale
from flask_babel import gettext as _

from dashboard.exports.table import Report, Row, Sheet

LIMIT = 10_000  # rows: some 280 pages and minutes of processor time
TAGGED_LIMIT = 500  # rows: tags grow with the rows in memory (190 MB here) and on disk (four times)
# What WeasyPrint loads, and the Debian package of each.
_LIBRARIES = {
    "libpango-1.0.so.0": "libpango-1.0-0",
    "libpangoft2-1.0.so.0": "libpangoft2-1.0-0",
    "libharfbuzz-subset.so.0": "libharfbuzz-subset0",
}


class TooManyRows(ValueError):  # noqa: N818  it says what is the matter
    """More rows than a PDF takes; the text names the ways that take any number."""

    def __init__(self, limit: int) -> None:
        super().__init__(
            _(
                "A PDF can hold up to %(limit)d rows. Choose a shorter period, or export to Excel or CSV.",
                limit=limit,
            )
        )
        self.limit = limit


def problem() -> str | None:
    """Return what keeps this machine from making a PDF and what to install; None when nothing does."""
    packages = [package for library, package in _LIBRARIES.items() if not _loads(library)]
    if not packages:
        return None
    return str(_("PDF export requires missing libraries: %(packages)s.", packages=", ".join(packages)))


def write(report: Report, target: str | Path | IO[bytes], limit: int = LIMIT, site: str = "") -> int:
    """Write the printed sheets of the report to a path or an open binary file; return their rows.

    `site` is the name above the title.
    A4 landscape or, as the sheet says, portrait; n / m on every page, headings repeated, rows whole;
    tagged (PDF/UA-1) up to 500 rows. Columns without any value are left out. Nothing is loaded from disk
    or network but the fonts, and texts are data, never markup. A character that no font shows is
    marked and named at the end. Ten thousand rows take about 170 MB, 500 with tags 190 MB. Raises
    TooManyRows before anything is drawn, OSError when Pango is missing (see `problem`) or the target
    cannot be written.
    """
    sheets = _gather(report, limit)
    count = sum(len(rows) for _sheet, rows in sheets)
    from dashboard.exports import pdf_render  # WeasyPrint, and with it Pango

    with force_locale(report.locale):
        pdf_render.write(report, sheets, target, count <= TAGGED_LIMIT, site)
    return count


def _gather(report: Report, limit: int) -> list[tuple[Sheet, list[Row]]]:
    """Return the printed sheets with their rows, or raise TooManyRows after one row too many."""
    sheets: list[tuple[Sheet, list[Row]]] = []
    left = limit
    for sheet in report.sheets:
        if not sheet.printed:
            continue
        rows = list(islice(sheet.rows, left + 1))
        left -= len(rows)
        if left < 0:
            with force_locale(report.locale):
                raise TooManyRows(limit)
        sheets.append((sheet, rows))
    return sheets


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True
