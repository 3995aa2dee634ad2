from datetime import date

import pytest

from dashboard.exports.table import Clock, clean, disposition, file_name, offset_label, shorten

DAY = date(2026, 11, 19)


@pytest.mark.parametrize(
    ("whose", "expected"),
    [
        pytest.param("pnovakova", "stopa-tracing-pnovakova-2026-11-19.pdf", id="a plain login"),
        pytest.param("jan novák", "stopa-tracing-jan-novák-2026-11-19.pdf", id="a space becomes a hyphen"),
        pytest.param("佐藤", "stopa-tracing-佐藤-2026-11-19.pdf", id="letters of every script stay"),
        pytest.param("../../etc", "stopa-tracing-etc-2026-11-19.pdf", id="no way out of the folder"),
        pytest.param('a"\r\nb', "stopa-tracing-a-b-2026-11-19.pdf", id="nothing that ends a header"),
        pytest.param("", "stopa-tracing-2026-11-19.pdf", id="nobody leaves no gap"),
    ],
)
def test_file_names_are_safe(whose: str, expected: str) -> None:
    assert file_name("tracing", whose, DAY, "pdf") == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        pytest.param("stopa-a.pdf", 'attachment; filename="stopa-a.pdf"', id="ascii needs one name"),
        pytest.param(
            "stopa-novák.pdf",
            "attachment; filename=\"stopa-novak.pdf\"; filename*=UTF-8''stopa-nov%C3%A1k.pdf",
            id="czech falls back to plain letters",
        ),
        pytest.param(
            "stopa-佐藤-1.pdf",
            "attachment; filename=\"stopa-1.pdf\"; filename*=UTF-8''stopa-%E4%BD%90%E8%97%A4-1.pdf",
            id="japanese keeps what is left",
        ),
    ],
)
def test_downloads_are_named_by_rfc_6266(name: str, expected: str) -> None:
    assert disposition(name) == expected
    assert disposition(name).isascii()


@pytest.mark.parametrize(
    ("text", "limit", "expected"),
    [
        pytest.param("abc", 3, "abc", id="what fits stays"),
        pytest.param("abcd", 3, "ab…", id="the cut is seen"),
        pytest.param("😀😀", 4, "😀😀", id="an emoji counts two"),
        pytest.param("😀😀", 3, "😀…", id="an emoji is cut before"),
        pytest.param("a😀b", 3, "a…", id="an emoji is never halved"),
    ],
)
def test_long_texts_are_shortened_visibly(text: str, limit: int, expected: str) -> None:
    assert shorten(text, limit) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Žluťoučký\tkůň\n", "Žluťoučký\tkůň\n"),
        ("a\x00b\x1fc", "a\ufffdb\ufffdc"),
        ("\ud800", "\ufffd"),
        ("\uffff", "\ufffd"),
    ],
)
def test_characters_outside_xml_are_shown_as_replaced(text: str, expected: str) -> None:
    assert clean(text) == expected


@pytest.mark.parametrize(
    ("zone", "ts", "expected"),
    [
        pytest.param("Europe/Prague", 1_792_889_999, "+02:00", id="before the clocks go back"),
        pytest.param("Europe/Prague", 1_792_890_000, "+01:00", id="after the clocks went back"),
        pytest.param("America/St_Johns", 1_792_976_400, "-02:30", id="half an hour west"),
        pytest.param("Asia/Kathmandu", 1_792_976_400, "+05:45", id="three quarters east"),
    ],
)
def test_offsets_follow_the_zone(zone: str, ts: int, expected: str) -> None:
    assert offset_label(Clock(zone).offset(ts)) == expected
