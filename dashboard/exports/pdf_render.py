"""Lays out a report with WeasyPrint, a few pages at a time; imported only when a PDF is made.

WeasyPrint's time and memory grow faster than the length of a table, so the rows are laid out in parts. The
last page of a part is dropped unless it is the end, and the next part begins with the rows of that page:
the joined pages look as if laid out in one piece.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import IO, Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from weasyprint import CSS, HTML
from weasyprint.text.fonts import FontConfiguration
from weasyprint.urls import URLFetcher, URLFetcherResponse

from dashboard.exports import fonts
from dashboard.exports.pdf_join import Joined
from dashboard.exports.pdf_table import Letters, Table
from dashboard.exports.table import Report, Row, Sheet, clean

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


def write(
    report: Report,
    sheets: list[tuple[Sheet, list[Row]]],
    target: str | Path | IO[bytes],
    tagged: bool,
    site: str,
) -> None:
    """Write the PDF of the sheets with their rows; the language is that of the surrounding context."""
    printer, letters, joined = Printer(tagged), Letters(), Joined(tagged)
    for data in _parts(report, sheets, printer, letters, site):
        joined.add(data)
    with _quiet_memory():
        heading = _heading(report, letters, site)
        joined.stamp(printer.lay_out("numbers.html", {}, report=heading, pages=joined.upright).write_pdf())
    joined.save(target)


def _parts(
    report: Report, sheets: list[tuple[Sheet, list[Row]]], printer: Printer, letters: Letters, site: str
) -> Iterator[bytes]:
    """Yield the PDF of each part in order; the first carries title and front."""
    heading = _heading(report, letters, site)
    for number, (sheet, rows) in enumerate(sheets):
        table = Table(sheet, rows, report.zone, letters)
        start, size = 0, FIRST_PART_ROWS
        while True:
            last = start + size >= len(rows)
            first = number == start == 0
            values = table.part(start, min(start + size, len(rows)), last)
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


def _heading(report: Report, letters: Letters, site: str) -> dict[str, object]:
    """Return what stands above and below the tables."""
    front = Markup(letters.shown(str(report.front))) if report.front is not None else None  # noqa: S704  was Markup
    return {
        "site": letters.shown(clean(site)),
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
