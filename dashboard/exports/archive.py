"""Exports as a ZIP: each table as JSON with all its rows, and one PDF that lists them for reading."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import replace
from datetime import date
from typing import IO

from flask_babel import gettext as _

from dashboard import clock
from dashboard.exports import pdf
from dashboard.exports.table import Cell, Column, Kind, Report, Row, Sheet

PDF_NAME = "overview.pdf"
MOST_PRINTED = 100  # rows of each table in the PDF; the JSON holds all


def write(report: Report, target: IO[bytes], site: str = "") -> int:
    """Write all sheets of the report, each a file of its `file`; return the number of their rows.

    A JSON file is an array of objects: times are ISO 8601 with the offset of the report's zone, durations
    whole seconds, what is empty null. Rows are written as they are read, so any number takes little memory.
    Raises OSError when Pango is missing (see `pdf.problem`) or the target cannot be written.
    """
    contents: list[Row] = []
    printed: list[Sheet] = []
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for sheet in report.sheets:
            name = f"{sheet.file}.json"
            with archive.open(name, "w", force_zip64=True) as file:
                count, first = _write_json(sheet, report.zone, file)
            contents.append((name, sheet.name, count))
            note = _(
                "Only the first %(num)d rows are printed. %(file)s holds all.", num=len(first), file=name
            )
            printed.append(replace(sheet, rows=first, note=note if count > len(first) else sheet.note))
        columns = (
            Column("file", _("File")),
            Column("name", _("Contents")),
            Column("rows", _("Rows"), Kind.INT),
        )
        paper = io.BytesIO()
        whole = replace(report, sheets=(Sheet(_("Contents"), columns, contents), *printed))
        pdf.write(whole, paper, len(whole.sheets) * MOST_PRINTED, site)
        archive.writestr(PDF_NAME, paper.getvalue())
    return sum(int(str(count)) for _name, _title, count in contents)


def _write_json(sheet: Sheet, zone: str, file: IO[bytes]) -> tuple[int, list[Row]]:
    """Write the rows; return how many there are, and those that the PDF prints."""
    first: list[Row] = []
    count = 0
    for row in sheet.rows:
        values = {
            column.key: _value(column, cell, zone) for column, cell in zip(sheet.columns, row, strict=True)
        }
        file.write(b",\n" if count else b"[\n")
        file.write(json.dumps(values, ensure_ascii=False).encode("utf-8", "replace"))
        count += 1
        if count <= MOST_PRINTED:
            first.append(row)
    file.write(b"\n]\n" if count else b"[]\n")
    return count, first


def _value(column: Column, cell: Cell, zone: str) -> Cell:
    if column.kind is Kind.TIME and isinstance(cell, int):
        return clock.iso(cell, zone)
    return cell.isoformat() if isinstance(cell, date) else cell
