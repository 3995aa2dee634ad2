import io
import json
import re
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pypdf
import pytest
from flask import Flask
from flask_babel import Babel
from markupsafe import Markup

from dashboard.exports import fonts, pdf
from dashboard.exports.table import Report, Row
from tests.exports.sample import DATA, report, row


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report of 340 rows, some of them of several lines: parts are joined."""
    app = Flask("exports")
    Babel(app)
    file = tmp_path_factory.mktemp("pdf") / "long.pdf"
    rows = [row(f"řádek {number} " + "slovo " * (40 if number % 50 == 7 else 1)) for number in range(340)]
    made = report(*rows, total=("Celkem", *[None] * 5), note="Jen prvních 300")
    with app.app_context():
        assert pdf.write(replace(made, front=Markup("<p>Přehled</p>")), file) == 340
    return file


def pages(made: Report) -> list[str]:
    """Return the text of each page."""
    target = io.BytesIO()
    pdf.write(made, target)
    return [page.extract_text() for page in pypdf.PdfReader(target).pages]


def words(file: Path) -> str:
    return subprocess.run(
        ["pdftotext", "-layout", file, "-"], capture_output=True, text=True, check=True
    ).stdout


def test_every_row_is_there_once_in_order_over_all_parts(long: Path) -> None:
    assert re.findall(r"řádek (\d+)", words(long)) == [str(number) for number in range(340)]


def test_pages_are_numbered_through_the_parts_with_their_total(long: Path) -> None:
    sheets = words(long).rstrip("\f").split("\f")
    count = len(sheets)
    assert count >= 8
    assert [re.findall(r"\d+ / \d+$", sheet.rstrip())[-1:] for sheet in sheets] == [
        [f"{number} / {count}"] for number in range(1, count + 1)
    ]


def test_pages_are_full_but_for_the_front_and_the_last(long: Path) -> None:
    """A part that ended in the middle of a page would show as a page with few lines."""
    lines = [len(sheet.strip().splitlines()) for sheet in words(long).rstrip("\f").split("\f")]
    assert min(lines[1:-1]) >= 0.8 * max(lines)


def test_the_list_begins_on_a_new_page_and_each_page_repeats_the_heading(long: Path) -> None:
    first, *others = words(long).rstrip("\f").split("\f")
    assert ("Přehled" in first, "řádek" in first) == (True, False)
    assert [sheet.count("Začátek") for sheet in others] == [1] * len(others)
    assert "Celkem" in others[-1]
    assert "Jen prvních 300" in others[-1]


def test_joined_parts_are_one_tagged_document(long: Path) -> None:
    root = pypdf.PdfReader(long).trailer["/Root"].get_object()
    tree = root["/StructTreeRoot"].get_object()
    keys = [int(key) for key in tree["/ParentTree"].get_object()["/Nums"][::2]]
    stated = [int(page["/StructParents"]) for page in pypdf.PdfReader(long).pages]
    assert (root["/Lang"], root["/MarkInfo"]["/Marked"], root["/ViewerPreferences"]["/DisplayDocTitle"]) == (
        "cs",
        True,
        True,
    )
    assert stated == sorted(set(stated))
    assert keys == sorted(set(keys))
    assert set(stated) <= set(keys)
    assert (
        b"<pdfuaid:part>1" in root["/Metadata"].get_data()
        or b'pdfuaid:part="1"' in root["/Metadata"].get_data()
    )


def test_each_cell_of_a_joined_table_points_to_a_heading_of_its_own_page(long: Path) -> None:
    root = pypdf.PdfReader(long).trailer["/Root"]
    cells = list(elements(root["/StructTreeRoot"]["/K"], {"/TH", "/TD"}))
    heads = [cell for cell in cells if cell["/S"] == "/TH"]
    home = {str(head["/ID"]): head["/Pg"] for head in heads}
    assert len(home) == len(heads)
    assert {head["/A"]["/Scope"] for head in heads} == {"/Column"}
    listed = [cell for cell in cells if cell["/S"] == "/TD"]
    assert len(listed) == 341 * 6
    assert all(home[str(name)] == cell["/Pg"] for cell in listed for name in cell["/A"]["/Headers"])


def elements(node: pypdf.generic.PdfObject, kinds: set[str]) -> Iterator[pypdf.generic.DictionaryObject]:
    node = node.get_object()
    if isinstance(node, pypdf.generic.ArrayObject):
        for child in node:
            yield from elements(child, kinds)
    elif isinstance(node, pypdf.generic.DictionaryObject) and "/S" in node:
        if node["/S"] in kinds:
            yield node
        else:
            yield from elements(node.get("/K", pypdf.generic.ArrayObject()), kinds)


def test_fonts_are_embedded_subsets(long: Path) -> None:
    listed = subprocess.run(
        ["pdffonts", long], capture_output=True, text=True, check=True
    ).stdout.splitlines()[2:]
    assert listed
    for font in listed:
        assert re.match(r"[A-Z]{6}\+", font), font
        assert font.split()[-5:-2] == ["yes", "yes", "yes"], font


def test_no_file_is_attached_and_the_title_is_the_reports(long: Path) -> None:
    reader = pypdf.PdfReader(long)
    assert dict(reader.attachments) == {}
    assert reader.metadata is not None
    assert reader.metadata.title == "Trasování uživatelů"
    width, height = (float(side) for side in reader.pages[0].mediabox[2:])
    assert (round(width), round(height)) == (842, 595)


@pytest.mark.parametrize("locale", ["cs", "ja"])
def test_czech_and_japanese_can_be_read_out_again(locale: str) -> None:
    text = " ".join(
        pages(report(row("Žluťoučký kůň „úpěl“"), row("髙橋 﨑 美咲 ㈱ カタカナ"), locale=locale))
    )
    assert "Žluťoučký kůň „úpěl“" in text
    assert "髙橋 﨑 美咲 ㈱ カタカナ" in text


@pytest.mark.parametrize(
    "typed",
    [
        "<img src=file:///etc/passwd>",
        "<link rel=attachment href=file:///etc/passwd>",
        "<style>body{background:url(http://127.0.0.1:9/)}</style>",
        "{{ 7 * 7 }}",
        "&amp; &lt;b&gt;",
    ],
)
def test_markup_in_texts_is_shown_as_typed(typed: str) -> None:
    made = report(row(typed), note=typed)
    made = replace(made, title=typed, subtitle=typed, footer=typed)
    target = io.BytesIO()
    pdf.write(made, target)
    reader = pypdf.PdfReader(target)
    text = "".join(page.extract_text() for page in reader.pages)
    assert re.sub(r"\s", "", text).count(re.sub(r"\s", "", typed)) == 5
    assert dict(reader.attachments) == {}
    assert b"root:" not in target.getvalue()


def test_nothing_is_fetched_even_for_our_own_front(tmp_path: Path) -> None:
    from dashboard.exports.pdf_render import Fetcher

    mine, other = tmp_path / "mine", tmp_path / "other"
    mine.write_bytes(b"font")
    other.write_bytes(b"secret")
    fetch = Fetcher(mine).fetch
    assert fetch(mine.as_uri()).read() == b"font"
    for address in (other.as_uri(), "http://127.0.0.1:9/", "data:text/plain,x", "file:///etc/passwd"):
        with pytest.raises(ValueError, match="Not a file of ours"):
            fetch(address)


def test_a_character_without_a_font_is_marked_and_named() -> None:
    assert "\U00012000" not in fonts.coverage()
    text = " ".join(pages(report(row("a\U00012000b"), locale="en")))
    assert "a〓b" in text
    assert "U+12000" in text


def test_a_rare_name_is_drawn_where_only_a_packaged_font_has_its_letter(
    caplog: pytest.LogCaptureFixture,
) -> None:
    case = DATA / "bug_cases" / "pdf_yoshida.json"
    if not case.is_file():
        pytest.skip("the shared data is absent")
    name = json.loads(case.read_text("utf-8"))["events"][0]["contact"]["name"]
    text = " ".join(pages(report(row(name), row("槗 刘 髙﨑"), locale="ja")))
    assert name in text
    assert "槗 刘 髙﨑" in text
    assert not re.search(r"〓|U\+[0-9A-F]{4}", text)
    assert [record for record in caplog.records if "notdef" in record.message] == []


def test_every_letter_of_the_installed_and_packaged_fonts_has_a_glyph(
    caplog: pytest.LogCaptureFixture,
) -> None:
    covered, unseen = fonts.coverage(), fonts.Coverage(fonts._INVISIBLE)
    planes = [letter for letter in map(chr, range(0x21, 0x30000)) if not 0xD800 <= ord(letter) < 0xE000]
    letters = [letter for letter in planes if letter in covered and letter not in unseen]
    assert len(letters) > 10_000
    made = report(*(row("".join(letters[at : at + 300])) for at in range(0, len(letters), 300)))
    text = "".join(pages(made))
    assert [record for record in caplog.records if "notdef" in record.message] == []
    assert "U+" not in text
    # Combining marks, spaces and ideographs that share a glyph come out as another character.
    assert len(set(letters) - set(text)) < len(letters) / 100


def test_the_site_stands_above_the_title() -> None:
    target = io.BytesIO()
    pdf.write(report(row("a")), target, site="Kontaktní centrum Brno")
    first = pypdf.PdfReader(target).pages[0].extract_text().splitlines()
    assert first[:2] == ["Kontaktní centrum Brno", "Trasování uživatelů"]


def test_the_template_has_no_style_attributes() -> None:
    folder = Path(pdf.__file__).parents[2] / "templates" / "exports"
    assert [file.name for file in folder.glob("*.html") if " style=" in file.read_text("utf-8")] == []


def test_a_giant_text_breaks_nothing_and_later_rows_follow() -> None:
    rows: list[Row] = [row(str(number)) for number in range(130)]
    rows[3] = row("dlouhý " * 3_000)
    text = " ".join(pages(report(*rows)))
    assert "…" in text
    assert re.findall(r"^(\d+) 1\. 11\.", text.replace("\xa0", " "), re.MULTILINE)[-1] == "129"


def test_no_rows_still_make_a_page() -> None:
    assert "No rows" in pages(report())[0]


def test_a_column_empty_in_every_row_is_left_out_and_one_with_a_value_stays() -> None:
    without = pages(report(row("a", None), row("b", None)))[0]
    within = pages(report(row("a", None), row("b")))[0]
    assert ("Začátek" in without, "Začátek" in within) == (False, True)


@pytest.mark.parametrize(("count", "tagged"), [(3, True), (4, False)])
def test_tags_end_with_their_limit(count: int, tagged: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf, "TAGGED_LIMIT", 3)
    target = io.BytesIO()
    pdf.write(report(*[row("a")] * count), target)
    assert ("/StructTreeRoot" in pypdf.PdfReader(target).trailer["/Root"]) == tagged


def test_one_row_too_many_is_refused_before_drawing_with_the_way_out() -> None:
    made = report(row("a"), row("b"), row("c"))
    with pytest.raises(pdf.TooManyRows, match=r"up to 2 rows\. .* Excel or CSV") as refused:
        pdf.write(made, io.BytesIO(), limit=2)
    assert refused.value.limit == 2


def test_a_sheet_shown_on_the_front_is_left_out() -> None:
    made = report(row("viditelné"))
    hidden = replace(made.sheets[0], rows=(row("skryté"),), printed=False)
    text = " ".join(pages(replace(made, sheets=(made.sheets[0], hidden))))
    assert ("viditelné" in text, "skryté" in text) == (True, False)


def test_this_machine_can_make_a_pdf_and_a_missing_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    assert pdf.problem() is None
    monkeypatch.setitem(pdf._LIBRARIES, "libabsent.so.0", "libabsent0")
    assert pdf.problem() == "PDF export requires missing libraries: libabsent0."
