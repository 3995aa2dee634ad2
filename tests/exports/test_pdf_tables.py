"""Tables of the PDF: widths of columns, heads of days, rows of one line."""

import io
import re
from dataclasses import replace

import pypdf
import pytest
from flask_babel import force_locale

from dashboard.exports import pdf
from dashboard.exports.cells import show
from dashboard.exports.table import Column, Kind, Sheet
from tests.exports.sample import NIGHT, report
from tests.exports.test_pdf import pages


@pytest.mark.parametrize("locale", ["en", "cs", "ja"])
def test_times_and_durations_stay_on_one_line(locale: str) -> None:
    columns = (
        Column("a", "Start", Kind.TIME, 20),
        Column("b", "End", Kind.TIME, 20),
        *(Column(f"d{number}", "Duration", Kind.DURATION, 10) for number in range(4)),
        *(Column(f"t{number}", "Text", width=24) for number in range(6)),
    )
    start = NIGHT - 36 * 86_400 - 8 * 60  # a date of two digits
    rows = [(start + n * 3_599, start + n * 3_599, *[360_000] * 4, *["a"] * 6) for n in range(20)]
    made = replace(report(locale=locale), sheets=(Sheet("List", columns, rows),))
    target = io.BytesIO()
    pdf.write(made, target)
    [page] = pypdf.PdfReader(target).pages
    with force_locale(locale):
        shown = [show(Kind.TIME, made.zone)(line[0]) for line in rows]
    lines = page.extract_text().splitlines()
    assert [max(line.count(time) for line in lines) for time in shown] == [2] * 20
    assert sum("100:00:00" in line for line in lines) == 20


def test_long_totals_of_durations_stay_on_one_line() -> None:
    columns = (Column("a", "User", width=28), *(Column(f"d{n}", "Talk", Kind.DURATION) for n in range(7)))
    total = ("Total", *(3600 * 10**n + 48 * 61 for n in range(7)))
    sheet = Sheet("List", columns, [("jana", *[150 * 3600] * 7)], total)
    [text] = pages(replace(report(locale="en"), sheets=(sheet,)))
    for n in range(7):
        assert f"{10**n}:48:48" in text
    assert text.count("150:00:00") == 7


@pytest.mark.parametrize("locale", ["en", "cs", "ja"])
def test_no_word_of_a_heading_is_broken_in_a_table_of_many_numbers(locale: str) -> None:
    titles = [
        "Hodina",
        "Zařazeno",
        "Odmítnuto",
        "Neukončeno",
        "Dřívější vypršení",
        "Overflowed",
        "Unfinished",
        "Neukončeno",
        "Odmítnuto",
        "Ztraceno",
    ]
    columns = tuple(Column(f"n{number}", title, Kind.INT, 9) for number, title in enumerate(titles))
    wide = (Column("a", "Name", width=90), *columns, Column("b", "Talk", Kind.DURATION, 10))
    made = replace(report(locale=locale), sheets=(Sheet("List", wide, [("x", *range(len(titles)), 5)]),))
    [text] = pages(made)
    for title in titles:
        assert all(word in text for word in title.split()), (title, text)


@pytest.mark.parametrize(
    ("locale", "heads"),
    [
        ("en", ["Sunday 1 November 2026", "Monday 2 November 2026", "Tuesday 3 November 2026"]),
        ("cs", ["neděle 1. listopadu 2026", "pondělí 2. listopadu 2026", "úterý 3. listopadu 2026"]),
        ("ja", ["2026年11月1日(日)", "2026年11月2日(月)", "2026年11月3日(火)"]),
    ],
)
def test_rows_by_day_have_a_head_for_each_day_and_clocks_alone(locale: str, heads: list[str]) -> None:
    columns = (Column("a", "Start", Kind.TIME), Column("b", "End", Kind.TIME), Column("c", "Text"))
    rows = [(NIGHT + n * 600, NIGHT + n * 600 + 60, f"řádek {n}") for n in range(300)]
    made = replace(report(locale=locale), sheets=(Sheet("List", columns, rows, by_day=True),))
    lines = "\n".join(pages(made)).replace("\xa0", " ").splitlines()
    assert [line for line in lines if line in heads] == heads
    clock = r"\d\d:\d\d:\d\d"
    found = [re.fullmatch(rf"({clock}) {clock} řádek (\d+)", line) for line in lines if "řádek" in line]
    assert [each and int(each[2]) for each in found] == list(range(300))
    assert found[0] is not None
    assert found[0][1] == "01:00:00"
    kept = [line for line in lines if line in heads or "řádek" in line]
    assert kept.index(heads[1]) == kept.index("23:50:00 23:51:00 řádek 137") + 1


def test_a_page_holds_38_rows_and_every_row_is_one_line() -> None:
    columns = (Column("a", "Start", Kind.TIME), Column("b", "Contact"), Column("c", "Queue"))
    rows = [(NIGHT + n, f"Petra Nováková {n} " * 3, "Support CZ") for n in range(120)]
    made = replace(report(locale="cs"), sheets=(Sheet("List", columns, rows, by_day=True),))
    found = [page.count("Support CZ") for page in pages(made)]
    assert sum(found) == 120
    assert min(found[1:-1]) >= 38


def test_texts_of_a_crowded_japanese_table_stay_on_one_line() -> None:
    numbers = tuple(
        Column(f"n{n}", title, Kind.INT) for n, title in enumerate(["放棄数（前期間）", "応答数"] * 3)
    )
    times = tuple(Column(f"d{n}", "平均待ち時間（前期間）", Kind.DURATION) for n in range(5))
    columns = (Column("a", "キュー"), Column("b", "日"), *numbers, *times)
    rows = [("Support CZ", "2026年11月16日", *[7] * 6, *[83] * 5) for _n in range(3)]
    made = replace(report(locale="ja"), sheets=(Sheet("List", columns, rows),))
    [text] = pages(made)
    assert (text.count("Support CZ"), text.count("2026年11月16日")) == (3, 3)


def test_short_texts_keep_their_width_beside_a_long_one() -> None:
    columns = (Column("a", "Start", Kind.TIME), Column("b", "Queue"), Column("c", "Flags"))
    rows = [(NIGHT, "Support e-mail", "No end recorded " * 40)]
    [text] = pages(replace(report(locale="en"), sheets=(Sheet("List", columns, rows),)))
    assert "Support e-mail" in text
