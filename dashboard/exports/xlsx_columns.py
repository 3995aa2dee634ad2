"""Columns of Excel: how many one takes, their headings, formats and widths by content. Pure."""

from __future__ import annotations

import textwrap
import unicodedata
from collections.abc import Sequence
from typing import NamedTuple

from flask_babel import gettext as _

from dashboard.exports.table import Column, Kind, Row, clean, shorten

MAX_TEXT = 32_767  # UTF-16 units of a cell, by Excel's format
LINE_POINTS = 15  # height of a line
HEAD_POINTS, HEAD_LINES = 30, 2  # least height of it, and its usual most lines
WIDEST = 60  # characters of a column
MARGIN = 2  # characters beside the content, where the button of the filter stands
FORMATS = {
    Kind.TEXT: "@",
    Kind.INT: "0",
    Kind.DECIMAL: "0.0",
    Kind.DURATION: "[h]:mm:ss",
    Kind.PERCENT: "0.0%",
    Kind.TIME: "yyyy-mm-dd hh:mm:ss",
    Kind.DATE: "yyyy-mm-dd",
}
LEAST_WIDTHS = {Kind.TIME: 19, Kind.DATE: 11, Kind.DURATION: 10, Kind.PERCENT: 8}  # narrower shows ####


def fit(text: str) -> str:
    """Return the text as a cell can hold it: line ends as \\n, at most 32,767 units, … where it was cut."""
    return shorten(clean(text).replace("\r\n", "\n").replace("\r", "\n"), MAX_TEXT)


class ExcelColumn(NamedTuple):
    """A column of Excel; `width` is in characters, `grouped` ones are folded behind the one before."""

    title: str
    number_format: str
    width: int
    grouped: bool = False


def layout_of(column: Column, zone: str, content: int) -> list[ExcelColumn]:
    """Return the columns of Excel for one: its value, and what it keeps of its seconds or its offset."""
    title = column.title
    if column.kind is Kind.TIME:
        title = _("%(title)s (%(zone)s)", title=title, zone=zone)
    own = LEAST_WIDTHS.get(column.kind) or content or column.width
    width = max(own, _heading_width(title)) + MARGIN
    layout = [ExcelColumn(title, FORMATS[column.kind], min(WIDEST, width))]
    beside, form = "", ""
    if column.kind is Kind.TIME and column.with_offset:
        beside, form = _("%(title)s, UTC offset", title=column.title), "@"
    elif column.kind is Kind.DURATION and column.with_seconds:
        beside, form = _("%(title)s (seconds)", title=column.title), "0"
    if beside:
        layout.append(ExcelColumn(beside, form, _heading_width(beside) + MARGIN, grouped=True))
    return layout


def _heading_width(title: str) -> int:
    """Return the least width in which a heading breaks no word and takes HEAD_LINES lines at most."""
    text, most = fit(title), WIDEST - MARGIN
    least = min(most, max(max(map(_wide, text.split()), default=0), _wide(text) // HEAD_LINES))
    return next((each for each in range(least, most) if lines_of(text, each + MARGIN) <= HEAD_LINES), least)


def content_of(seen: Sequence[Row], at: int) -> int:
    """Return the width of the longest text or number of a column in characters; 0 without rows."""
    cells = [row[at] for row in seen if at < len(row)]
    texts = (f"{cell:.1f}" if isinstance(cell, float) else str(cell) for cell in cells if cell is not None)
    return max(map(_wide, texts), default=0)


def _wide(text: str) -> int:
    """Return the width of the longest line of a text; wide letters count twice."""
    if text.isascii() and text.isprintable():
        return len(text)
    return max(
        sum(2 if unicodedata.east_asian_width(each) in "WF" else 1 for each in line)
        for line in text.split("\n")
    )


def lines_of(title: str, width: int) -> int:
    """Return how many lines a bold heading takes in a column of so many characters."""
    wide = ("WW" if unicodedata.east_asian_width(letter) in "WF" else letter for letter in fit(title))
    return max(1, len(textwrap.wrap("".join(wide), max(1, width - 2))))
