import csv
import io
import re
from collections.abc import Iterator

import pytest

from dashboard.exports import csv as csv_export
from dashboard.exports.table import Report, Row, Sheet
from tests.exports.sample import COLUMNS, NIGHT, hostile, report, row


def parsed(written: Report) -> list[list[str]]:
    content = "".join(csv_export.chunks(written)).encode()
    assert content.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def test_cells_are_iso_times_seconds_and_plain_numbers() -> None:
    head, cells = parsed(report(row("Žaneta 髙橋")))
    assert head == ["Kontakt", "Začátek", "Doba trvání (seconds)", "Uzavřené", "Podíl", "Den"]
    assert cells == ["Žaneta 髙橋", "2026-11-01T01:00:00+01:00", "3725", "-5", "0.863", "2026-11-01"]


def test_numbers_stay_numbers_and_texts_are_quoted() -> None:
    line = "".join(csv_export.chunks(report(row("a;1")))).split("\r\n")[1]
    assert line == '"a;1","2026-11-01T01:00:00+01:00",3725,-5,0.863,"2026-11-01"'


def test_an_empty_cell_is_empty_in_every_kind() -> None:
    empty = (None,) * 6
    assert parsed(report(empty))[1] == [""] * 6


@pytest.mark.parametrize(
    ("typed", "written"),
    [
        ("=1+1", "'=1+1"),
        ("+420 222 123 456", "'+420 222 123 456"),
        ("-5 °C", "'-5 °C"),
        ("@jana", "'@jana"),
        ("\t=1", "'\t'=1"),
        ("\r=1", "'\r'=1"),
        ("\n=1", "'\n'=1"),
        ("a\n=1;=2", "a\n'=1;'=2"),
        ("a\t@b", "a\t'@b"),
        ("a\r\n-1+1", "a\r\n'-1+1"),
        ('a;"=1"', 'a;"\'=1"'),
        ("a;＋1", "a;'＋1"),
        ("a; b;c", "a; b;c"),
        ("Jan, +420 222", "Jan, +420 222"),
        ("＝1", "'＝1"),
        (" =1", " =1"),
        ("a=1", "a=1"),
    ],
)
def test_what_a_spreadsheet_would_run_gets_an_apostrophe(typed: str, written: str) -> None:
    assert csv_export.safe(typed) == written


def test_no_hostile_text_begins_a_cell_and_each_stays_readable() -> None:
    texts = hostile()
    cells = [line[0] for line in parsed(report(*map(row, texts)))[1:]]
    assert [cell for cell in cells if cell.startswith(csv_export.TRIGGERS)] == []
    assert [cell.replace("'", "") for cell in cells] == [
        csv_export.clean(typed).replace("'", "") for typed in texts
    ]


@pytest.mark.parametrize("separator", [";", "\t", "\n"])
def test_no_part_begins_a_formula_where_the_file_is_split_at_another_separator(separator: str) -> None:
    texts = [f"a{mark}{start}1+1" for mark in ";\t\r\n" for start in "=+-@"] + hostile()
    content = "".join(csv_export.chunks(report(*[(None, *row(text)[1:5], text) for text in texts])))
    parts = re.split(f"[{separator}\r\n]", content.removeprefix(csv_export.BOM))
    assert [part for part in parts if part.lstrip('"').startswith(("=", "+", "-", "@"))] == []


def test_headings_totals_and_notes_are_guarded_too() -> None:
    lines = parsed(report(row("a"), total=("=sum", None, 3725, -5, None, None), note="@limit"))
    assert lines[2:] == [["'=sum", "", "3725", "-5", "", ""], ["'@limit"]]


def test_rows_are_streamed_in_chunks() -> None:
    drawn = 0

    def rows() -> Iterator[Row]:
        nonlocal drawn
        for _number in range(2_000):
            drawn += 1
            yield row("a", NIGHT)

    written = report()
    sheet = Sheet("List", COLUMNS, rows())
    stream = csv_export.chunks(written, sheet)
    first = next(stream)
    assert (first.count("\r\n"), drawn) == (501, 500)
    assert sum(chunk.count("\r\n") for chunk in stream) == 1_500


def test_a_row_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="shorter"):
        parsed(report(("a",)))
