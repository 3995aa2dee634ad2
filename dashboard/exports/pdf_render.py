"""Lays out a report with WeasyPrint, a few pages at a time; imported only when a PDF is made.

WeasyPrint's time and memory grow faster than the length of a table, so the rows are laid out in parts. The
last page of a part is dropped unless it is the end, and the next part begins with the rows of that page:
the joined pages look as if laid out in one piece.
"""

from __future__ import annotations

import gc
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import IO, Any

from flask_babel import gettext as _
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from weasyprint import CSS, HTML
from weasyprint.text.fonts import FontConfiguration
from weasyprint.urls import URLFetcher, URLFetcherResponse

from dashboard.exports import fonts
from dashboard.exports.cells import show
from dashboard.exports.pdf_join import Joined
from dashboard.exports.table import (
    Column,
    Kind,
    Report,
    Row,
    Sheet,
    clean,
)
from dashboard.i18n import formats

# Per row, parts of 4 pages take 0.8 of the time of parts of 8 (5.4 against 6.5 ms for 11 columns).
PART_PAGES = 4
FIRST_PART_ROWS = 125
_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parents[2] / "templates" / "exports"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_NUMBERS = (Kind.INT, Kind.DECIMAL, Kind.DURATION, Kind.PERCENT)
PAGE_MM = 273  # between the margins
LETTER_MM, DIGIT_MM, PADDING_MM = 1.7, 1.9, 1.1  # of a bold letter or digit, and at each side of a cell
# Widths that keep a cell of the kind on one line in the widest face, and in Japanese.
_CELL_MM = {Kind.TIME: (37, 41), Kind.DATE: (22, 26), Kind.DURATION: (20, 20)}


class Fetcher(URLFetcher):  # type: ignore[misc]
    """Gives WeasyPrint the given files and refuses every other address."""

    def __init__(self, *files: Path) -> None:
        super().__init__(allowed_protocols=())
        self._files = {file.as_uri(): file for file in files}

    def fetch(self, url: str, headers: object = None) -> URLFetcherResponse:
        """Return the file at the address; raises ValueError for any other."""
        if url not in self._files:
            raise ValueError("Not a file of ours")
        return URLFetcherResponse(url, self._files[url].read_bytes())


class Printer:
    """Turns HTML into laid out documents, with fonts and style prepared once for a whole report."""

    def __init__(self, tagged: bool) -> None:
        stack = fonts.stack()
        files = [stack.file] if stack.file else []
        self._fetcher = Fetcher(*files)
        self._fonts = FontConfiguration()
        style = _TEMPLATES.get_template("report.css").render(
            families=Markup(stack.css),  # noqa: S704  our own names
            packaged=fonts.PACKAGED,
            file=stack.file.as_uri() if stack.file else None,
        )
        self._style = CSS(string=style, url_fetcher=self._fetcher, font_config=self._fonts)
        self.options: dict[str, Any] = {"pdf_variant": "pdf/ua-1"} if tagged else {}

    def lay_out(self, template: str, options: dict[str, Any], **values: object) -> Any:
        """Return WeasyPrint's document of a template of ours."""
        page = HTML(string=_TEMPLATES.get_template(template).render(values), url_fetcher=self._fetcher)
        return page.render(stylesheets=[self._style], font_config=self._fonts, **options)


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


def write(
    report: Report, sheets: list[tuple[Sheet, list[Row]]], target: str | Path | IO[bytes], tagged: bool
) -> None:
    """Write the PDF of the sheets with their rows; the language is that of the surrounding context."""
    printer, letters, joined = Printer(tagged), Letters(), Joined(tagged)
    for data in _parts(report, sheets, printer, letters):
        joined.add(data)
    with _quiet_memory():
        heading, count = _heading(report, letters), range(joined.pages)
        joined.stamp(printer.lay_out("numbers.html", {}, report=heading, pages=count).write_pdf())
    joined.save(target)


def _parts(
    report: Report, sheets: list[tuple[Sheet, list[Row]]], printer: Printer, letters: Letters
) -> Iterator[bytes]:
    """Yield the PDF of each part in order; the first carries title and front."""
    heading = _heading(report, letters)
    for number, (sheet, rows) in enumerate(sheets):
        table = _Table(sheet, rows, report.zone, letters)
        start, size = 0, FIRST_PART_ROWS
        while True:
            last = start + size >= len(rows)
            first = number == start == 0
            values = table.part(rows[start : start + size], start, last)
            end = letters.note() if last and number == len(sheets) - 1 else ""
            with _quiet_memory():
                data, taken, per_page = _draw(
                    printer, None if last else size, report=heading, first=first, table=values, end=end
                )
            yield data
            if last:
                break
            start, size = start + taken, PART_PAGES * per_page + 1


def _draw(printer: Printer, size: int | None, **values: object) -> tuple[bytes, int, int]:
    """Return the PDF of a part, how many rows it holds and how many a full page does.

    A part of `size` rows that others follow gives up the rows of its last page; None is the end.
    """
    document = printer.lay_out("report.html", printer.options, **values)
    kept, taken, per_page = (document.pages, 0, 0) if size is None else _whole(document.pages, size)
    return document.copy(kept).write_pdf(**printer.options), taken, per_page


class _Table:
    """One sheet as its template takes it: headings, widths and cells as text.

    Columns that are empty in every row are left out: each cell costs its share of the time.
    """

    def __init__(self, sheet: Sheet, rows: list[Row], zone: str, letters: Letters) -> None:
        self._sheet = sheet
        self._letters = letters
        self._kept = _filled(sheet, rows)
        kept = [sheet.columns[at] for at in self._kept]
        self._writers = [show(column.kind, zone) for column in kept]
        total = self._line(sheet.total) if sheet.total is not None else [""] * len(kept)
        self._columns = [
            (letters.shown(clean(column.title)), column.kind in _NUMBERS, width)
            for column, width in zip(kept, _percents(kept, total), strict=True)
        ]

    def part(self, rows: list[Row], start: int, last: bool) -> dict[str, object]:
        """Return the values of the rows from number `start` on; totals and note come with the last."""
        sheet, shown = self._sheet, self._letters.shown
        return {
            "name": shown(clean(sheet.name)) if start == 0 else "",
            "columns": self._columns,
            "numbers": [number for _title, number, _width in self._columns],
            "start": start,
            "rows": [self._line(row) for row in rows],
            "total": self._line(sheet.total) if last and sheet.total is not None else None,
            "note": shown(clean(sheet.note)) if last else "",
            "empty": _("No rows") if last and not rows else "",
        }

    def _line(self, row: Row) -> list[str]:
        shown = self._letters.shown
        return [shown(write(row[at])) for write, at in zip(self._writers, self._kept, strict=True)]


def _percents(columns: list[Column], total: list[str]) -> list[float]:
    """Return the widths in percent: every column holds the words of its heading, times, durations and the
    numbers of the `total` stay on one line, and what is left is shared by the widths of the other columns."""
    japanese = formats.language() == "ja"
    fixed = [_CELL_MM.get(column.kind, (0, 0))[japanese] for column in columns]
    least = [
        max(_heading_mm(column.title), mm, _number_mm(text) if column.kind in _NUMBERS else 0)
        for column, mm, text in zip(columns, fixed, total, strict=True)
    ]
    shares = [0 if mm else column.width for column, mm in zip(columns, fixed, strict=True)]
    rest = max(PAGE_MM - sum(least), 0) / (sum(shares) or 1)
    widths = [mm + rest * share for mm, share in zip(least, shares, strict=True)]
    return [round(100 * width / sum(widths), 3) for width in widths]


def _heading_mm(title: str) -> float:
    """Return the width of the longest word of a heading; words of wide letters break anywhere."""
    words = [word for word in clean(title).split() if not any(map(_is_wide, word))]
    return max(map(len, words), default=4) * LETTER_MM + 2 * PADDING_MM


def _number_mm(text: str) -> float:
    return len(text) * DIGIT_MM + 2 * PADDING_MM


def _is_wide(letter: str) -> bool:
    return unicodedata.east_asian_width(letter) in "WF"


def _filled(sheet: Sheet, rows: list[Row]) -> list[int]:
    """Return the numbers of the columns that hold anything in a row or the total; all where none does."""
    lines = rows if sheet.total is None else [*rows, sheet.total]
    every = range(len(sheet.columns))
    return [at for at in every if any(line[at] not in (None, "") for line in lines)] or list(every)


def _heading(report: Report, letters: Letters) -> dict[str, object]:
    """Return what stands above and below the tables."""
    front = Markup(letters.shown(str(report.front))) if report.front is not None else None  # noqa: S704  was Markup
    return {
        "title": letters.shown(clean(report.title)),
        "subtitle": letters.shown(clean(report.subtitle)),
        "footer": letters.shown(clean(report.footer)),
        "locale": report.locale,
        "front": front,
    }


def _whole(pages: list[Any], size: int) -> tuple[list[Any], int, int]:
    """Return the pages to keep, how many of the part's `size` rows they hold, and rows on a full page.

    Cuts before the last page that begins with a row of its own; where none does, all is kept.
    """
    rows = [sorted(int(name[4:]) for name in page.anchors if name.startswith("row-")) for page in pages]
    first = min(chain.from_iterable(rows))
    per_page = max(map(len, rows))
    for at in range(len(pages) - 1, 0, -1):
        if rows[at] and rows[at - 1] and rows[at][0] > rows[at - 1][-1]:
            return pages[:at], rows[at][0] - first, per_page
    return pages, size, per_page


@contextmanager
def _quiet_memory() -> Iterator[None]:
    """Keep the collector from walking a growing document (0.8 of the time); let it collect after."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
        gc.collect(0)  # what was made meanwhile is all young
