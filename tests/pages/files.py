"""The files of a trace, fetched and opened."""

from __future__ import annotations

import csv
import io

import pypdf
from flask.testing import FlaskClient
from openpyxl import load_workbook
from werkzeug.test import TestResponse

from dashboard.exports.xlsx import HEAD
from tests.pages.trail import DAY


def fetch(client: FlaskClient, format_: str, user: str = "jana", **query: object) -> TestResponse:
    asked = {"user": user, "date": DAY, "tz": "Europe/Prague", **query}
    return client.get(f"/tracing.{format_}", query_string=asked)


def lines_of(data: bytes) -> list[list[str]]:
    """Return the rows of a CSV without heading; the last one holds the totals."""
    return list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))[1:]


def sheets_of(data: bytes) -> dict[str, list[tuple[object, ...]]]:
    """Return the rows of each sheet from its headings on; above them stand title and subtitle."""
    book = load_workbook(io.BytesIO(data))
    return {
        sheet.title: list(sheet.iter_rows(min_row=HEAD + 1 if sheet.freeze_panes else 1, values_only=True))
        for sheet in book.worksheets
    }


def text_of(data: bytes) -> str:
    return "\n".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(data)).pages)
