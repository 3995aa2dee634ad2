"""Excel, CSV and PDF of a report carry the same cells."""

import csv
import io
import re
from datetime import UTC, date, datetime, timedelta

import pypdf
from flask_babel import force_locale
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook

from dashboard.exports import csv as csv_export
from dashboard.exports import pdf, xlsx
from dashboard.exports.cells import show
from dashboard.exports.table import Report, Row
from tests.exports.sample import COLUMNS, report

# Letters that every face of the PDF has and that no writer changes.
WORDS = st.text("abcřšžů髙﨑アいう0123456789 ()/.", min_size=1, max_size=12).map(str.strip).filter(bool)
ROWS = st.lists(
    st.tuples(
        WORDS,
        st.none() | st.integers(1_600_000_000, 1_900_000_000),
        st.none() | st.integers(0, 400_000),
        st.integers(-9_999, 9_999),
        st.integers(0, 1_000).map(lambda part: part / 1_000),
        st.dates(date(2000, 1, 1), date(2099, 12, 31)),
    ),
    max_size=6,
)


def by_excel(made: Report) -> list[Row]:
    target = io.BytesIO()
    xlsx.write(made, target)
    lines = load_workbook(target).worksheets[0].iter_rows(min_row=4, values_only=True)
    return [
        (name, instant(start, offset), span_of(span, seconds), closed, share, day.date())
        for name, start, offset, span, seconds, closed, share, day in lines
    ]


def instant(start: datetime | None, offset: str | None) -> int | None:
    if start is None or offset is None:
        return None
    hours, minutes = int(offset[1:3]), int(offset[4:])
    shift = timedelta(hours=hours, minutes=minutes) * (-1 if offset[0] == "-" else 1)
    return round((start - shift).replace(tzinfo=UTC).timestamp())


def span_of(span: timedelta | None, seconds: int | None) -> int | None:
    """Return the seconds, which both columns must agree on."""
    assert (None if span is None else round(span.total_seconds())) == seconds
    return seconds


def by_csv(made: Report) -> list[Row]:
    lines = csv.reader(io.StringIO("".join(csv_export.chunks(made)), newline=""))
    next(lines)
    return [
        (
            name,
            int(datetime.fromisoformat(start).timestamp()) if start else None,
            int(span) if span else None,
            int(closed),
            float(share),
            date.fromisoformat(day),
        )
        for name, start, span, closed, share, day in lines
    ]


def dense(cells: str) -> str:
    return re.sub(r"\s", "", cells)


@settings(
    max_examples=10,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],  # a PDF takes too long to shrink an example
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(ROWS)
def test_all_three_carry_the_rows_of_the_report(rows: list[Row]) -> None:
    made = report(*rows)
    assert by_excel(made) == rows
    assert by_csv(made) == rows
    target = io.BytesIO()
    pdf.write(made, target)
    page = dense("".join(page.extract_text() for page in pypdf.PdfReader(target).pages))
    writers = [show(column.kind, made.zone) for column in COLUMNS]
    with force_locale(made.locale):
        shown = dense(
            "".join(write(cell) for line in rows for write, cell in zip(writers, line, strict=True))
        )
    assert shown in page
