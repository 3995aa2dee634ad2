import io
import re
import zipfile
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from openpyxl import Workbook, load_workbook
from openpyxl.utils.escape import unescape

from dashboard.exports import xlsx, xlsx_columns
from dashboard.exports.table import Report, Sheet
from dashboard.exports.xlsx_columns import fit
from tests.exports.sample import hostile, report, row


def written(made: Report, lines: int = xlsx.MAX_LINES) -> tuple[io.BytesIO, int]:
    target = io.BytesIO()
    return target, xlsx.write(made, target, lines)


def book(made: Report, lines: int = xlsx.MAX_LINES) -> Workbook:
    return load_workbook(written(made, lines)[0])


def local(text: str) -> datetime:
    """Return the naive datetime that Excel keeps."""
    return datetime.fromisoformat(text)


def values(made: Report) -> list[list[object]]:
    """Return headings and rows of the first sheet."""
    lines = book(made).worksheets[0].iter_rows(min_row=xlsx.HEAD + 1)
    return [[cell.value for cell in line] for line in lines]


def test_cells_are_typed_with_seconds_and_offset_beside_them() -> None:
    head, cells = values(report(row("Žaneta 髙橋")))
    assert head == [
        "Kontakt",
        "Začátek (Europe/Prague)",
        "Začátek, UTC offset",
        "Doba trvání",
        "Doba trvání (seconds)",
        "Uzavřené",
        "Podíl",
        "Den",
    ]
    assert cells == [
        "Žaneta 髙橋",
        local("2026-11-01 01:00"),
        "+01:00",
        timedelta(seconds=3725),
        3725,
        -5,
        0.863,
        local("2026-11-01 00:00"),
    ]


def test_formats_show_hours_beyond_a_day_and_whole_seconds() -> None:
    sheet = book(report(row("a", length=100_000))).worksheets[0]
    assert [cell.number_format for cell in sheet[4]] == [
        "@",
        "yyyy-mm-dd hh:mm:ss",
        "@",
        "[h]:mm:ss",
        "0",
        "0",
        "0.0%",
        "yyyy-mm-dd",
    ]
    assert sheet["D4"].value == timedelta(hours=27, minutes=46, seconds=40)


def test_seconds_and_offset_are_left_out_on_request() -> None:
    made = report(row("a"))
    plain = tuple(column._replace(with_seconds=False, with_offset=False) for column in made.sheets[0].columns)
    sheet = type(made.sheets[0])("List", plain, [row("a")])
    lines = values(Report(made.title, "", (), (sheet,), "en", "UTC"))
    assert [len(line) for line in lines] == [6, 6]


def test_the_heading_is_frozen_and_filters_the_rows() -> None:
    sheet = book(report(row("a"), row("b"), total=row("Celkem"))).worksheets[0]
    assert (sheet.freeze_panes, sheet.auto_filter.ref) == ("A4", "A3:H5")
    for cell, below in zip(sheet[3], sheet[4], strict=True):
        right = below.number_format not in ("@", "General")
        assert (cell.alignment.horizontal == "right") == right, "a heading stands as its cells do"


def test_title_and_subtitle_stand_above_each_table() -> None:
    sheet = book(report(row("a"))).worksheets[0]
    assert [sheet["A1"].value, sheet["A2"].value] == [
        "Trasování uživatelů",
        "Petra Nováková · 1. 11. 2026 · Europe/Prague",
    ]
    assert (sheet["A1"].font.b, sheet["A1"].font.sz) == (True, 14)


def test_seconds_and_offsets_are_folded_behind_their_values() -> None:
    target, _rows = written(report(row("a")))
    with zipfile.ZipFile(target) as parts:
        xml = parts.read("xl/worksheets/sheet1.xml").decode()
    columns = [dict(re.findall(r'(\w+)="([^"]*)"', each)) for each in re.findall(r"<col [^>]*>", xml)]
    assert [int(each["min"]) for each in columns if each.get("outlineLevel") == "1" and each["hidden"]] == [
        3,
        5,
    ]
    assert [int(each["min"]) for each in columns if each.get("collapsed")] == [2, 4]
    assert 'summaryRight="0"' in xml


@pytest.mark.parametrize(
    ("text", "width"),
    [("a", 9), ("Petra Nováková", 16), ("髙橋 美咲", 11), ("x" * 500, 60), ("a\nPetra Nováková", 16)],
)
def test_a_column_is_as_wide_as_its_content(text: str, width: int) -> None:
    sheet = book(report(row(text))).worksheets[0]
    assert int(sheet.column_dimensions["A"].width) == width


def test_numbers_kept_as_text_are_no_errors() -> None:
    target, _rows = written(report(row("+420601234567")))
    with zipfile.ZipFile(target) as parts:
        assert b'<ignoredError sqref="A4:H1048576" numberStoredAsText="1"/>' in parts.read(
            "xl/worksheets/sheet1.xml"
        )


@pytest.mark.parametrize(
    ("title", "lines"),
    [("Kontakt", 2), ("x " * 200, 7), ("開" * 60, 3)],  # columns are wide enough for two lines
)
def test_the_heading_is_a_row_of_its_own_as_high_as_its_longest_text(title: str, lines: int) -> None:
    made = report(row("a"))
    first, *others = made.sheets[0].columns
    columns = (first._replace(title=title), *others)
    sheet = book(replace(made, sheets=(Sheet("List", columns, [row("a")]),))).worksheets[0]
    assert sheet.row_dimensions[3].height == lines * xlsx_columns.LINE_POINTS
    assert (sheet["A3"].value, sheet["A4"].value) == (title, "a")
    assert (sheet.freeze_panes, sheet.print_title_rows) == ("A4", "$3:$3")


def test_totals_are_bold_and_the_note_is_last() -> None:
    sheet = book(
        report(row("a"), total=("Celkem", None, 3725, 1, None, None), note="Jen prvních 10")
    ).worksheets[0]
    assert [cell.value for cell in sheet[5]][:5] == ["Celkem", None, None, timedelta(seconds=3725), 3725]
    assert sheet["A5"].font.b
    assert sheet["D5"].font.b
    assert sheet["A6"].value == "Jen prvních 10"


def test_the_last_sheet_says_what_the_report_is_about() -> None:
    about = book(report(row("a"))).worksheets[-1]
    assert about.title == "About"
    assert [[cell.value for cell in line] for line in about.iter_rows(max_row=4)] == [
        ["Trasování uživatelů", None],
        ["Petra Nováková · 1. 11. 2026 · Europe/Prague", None],
        ["Uživatel", "Petra Nováková"],
        ["Období", "1. 11. 2026"],
    ]


@pytest.mark.parametrize(
    "typed",
    [
        pytest.param("<r><t>x</t></r>", id="what looks like markup of a sheet"),
        pytest.param(
            "<r></r></is></c><c r='Z9'><f>1+1</f></c><c><is><r></r>", id="markup with a formula in it"
        ),
        pytest.param("_x0041_", id="what looks like an escape"),
        pytest.param("  two  spaces  ", id="spaces at both ends"),
        pytest.param("https://example.com/a", id="an address is no link"),
        pytest.param("{=1+1}", id="an array formula"),
        pytest.param("0123", id="digits with a leading zero"),
    ],
)
def test_texts_come_back_as_typed(typed: str) -> None:
    sheet = book(report(row(typed))).worksheets[0]
    assert (unescape(sheet["A4"].value), sheet["A4"].data_type) == (typed, "s")
    assert sheet["A4"].hyperlink is None


def test_hostile_texts_are_strings_in_every_place_and_no_sheet_holds_a_formula() -> None:
    texts = hostile()
    made = report(*map(row, texts), total=(texts[0], *[None] * 5), note=texts[1])
    target, count = written(
        Report(texts[2], texts[3], ((texts[4], texts[5]),), made.sheets, "en", "UTC", texts[6])
    )
    with zipfile.ZipFile(target) as parts:
        sheets = [parts.read(name) for name in parts.namelist() if name.startswith("xl/worksheets/")]
    assert [b"<f>" in sheet or b"<f " in sheet for sheet in sheets] == [False, False]
    back = [cell.value for cell in load_workbook(target).worksheets[0]["A"]][3 : count + 3]
    assert [unescape(cell or "") for cell in back] == [fit(text) for text in texts]


@pytest.mark.parametrize(
    ("typed", "held"),
    [
        pytest.param("x" * 32_767, "x" * 32_767, id="the longest stays whole"),
        pytest.param("x" * 32_768, "x" * 32_766 + "…", id="one more is cut visibly"),
        pytest.param("a\x00b", "a\ufffdb", id="a control character is replaced"),
        pytest.param("a\r\nb\rc", "a\nb\nc", id="line ends are one kind"),
    ],
)
def test_texts_are_fitted_to_a_cell(typed: str, held: str) -> None:
    assert book(report(row(typed))).worksheets[0]["A4"].value == held


@pytest.mark.parametrize(("rows", "sizes"), [(0, [0]), (7, [7]), (8, [7, 1]), (14, [7, 7]), (15, [7, 7, 1])])
def test_a_table_longer_than_a_sheet_goes_on_in_the_next(rows: int, sizes: list[int]) -> None:
    made = report(*[row(str(number)) for number in range(rows)], total=("Celkem", *[None] * 5), note="konec")
    target, count = written(made, lines=12)
    *lists, _meta = load_workbook(target).worksheets
    texts = [[cell.value for cell in sheet["A"]][3:] for sheet in lists]
    assert [sheet.title for sheet in lists[1:]] == [f"Seznam aktivit ({n})" for n in range(2, len(sizes) + 1)]
    assert [text for part in texts for text in part] == [*map(str, range(rows)), "Celkem", "konec"]
    assert (count, [len(text) for text in texts[:-1]], len(texts[-1])) == (rows, sizes[:-1], sizes[-1] + 2)


@pytest.mark.parametrize(
    ("wanted", "given"),
    [
        (["List", "list"], ["List", "list (2)"]),
        (["a/b[c]:*?\\d"], ["a b c d"]),
        (["'quoted'"], ["quoted"]),
        (["History"], ["History (2)"]),
        (["x" * 40, "x" * 40], ["x" * 30 + "…", "x" * 26 + "… (2)"]),
        (["", "?"], ["Sheet", "Sheet (2)"]),
    ],
)
def test_names_of_sheets_are_allowed_and_unique(wanted: list[str], given: list[str]) -> None:
    names = xlsx.Names()
    assert [names.take(name) for name in wanted] == given


def test_both_hours_of_the_night_when_clocks_go_back_are_distinct() -> None:
    before, after = 1_792_886_400, 1_792_890_000  # 02:00 twice on 25 October
    lines = values(report(row("a", before), row("b", after)))[1:]
    assert [line[1:3] for line in lines] == [
        [local("2026-10-25 02:00"), "+02:00"],
        [local("2026-10-25 02:00"), "+01:00"],
    ]


def test_a_row_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="shorter"):
        written(report(("a",)))
