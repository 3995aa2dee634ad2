"""Files of lines come in whatever their compression and encoding are."""

from __future__ import annotations

import gzip
import io
from pathlib import Path

import pytest

from dashboard.ingest import encodings, files, lines

CZECH, JAPANESE, FRENCH = "Žaneta Nováková", "サポート窓口 田中", "François Lefèvre"


def read(tmp_path: Path, content: bytes, encoding: str | None = None) -> tuple[list[str], lines.Lines]:
    path = tmp_path / "file"
    path.write_bytes(content)
    with lines.opened(path) as source:
        found = lines.Lines(source, encoding)
        return list(found), found


@pytest.mark.parametrize(
    ("text", "codec", "named"),
    [
        ("plain", "ascii", "utf-8"),
        (CZECH, "utf-8", "utf-8"),
        (CZECH, "utf-8-sig", "utf-8-sig"),
        (JAPANESE, "utf-16", "utf-16"),
        ("time," + JAPANESE, "utf-16-le", "utf-16-le"),
        ("time," + JAPANESE, "utf-16-be", "utf-16-be"),
        (CZECH, "cp1250", "cp1250"),
        ("Číslo", "cp1250", "cp1250"),
        ("Zażółć gęślą jaźń", "cp1250", "cp1250"),
        ("Jiří Dvořák", "cp1250", "cp1250"),
        (JAPANESE, "cp932", "cp932"),
        ("ﾔﾏﾀﾞ", "cp932", "cp932"),
        ("髙﨑", "cp932", "cp932"),
        (FRENCH, "latin-1", "latin-1"),
        ("Søren Kjærgård", "latin-1", "latin-1"),
        ("Jørgen", "latin-1", "latin-1"),
        ("João, España", "latin-1", "latin-1"),
        ("“François”", "cp1252", "cp1252"),
    ],
)
def test_encoding_is_detected_and_named(tmp_path: Path, text: str, codec: str, named: str) -> None:
    given = [f"{text};1\n", "ascii\r\n", "\n", f"x;{text}"]
    found, taken = read(tmp_path, "".join(given).encode(codec))
    assert (found, taken.encoding, taken.count) == (given, named, 4)


def test_letters_equal_in_two_encodings_are_read_right(tmp_path: Path) -> None:
    assert read(tmp_path, "Käse, René, Jürgen".encode("latin-1"))[0] == ["Käse, René, Jürgen"]


def test_a_named_encoding_is_taken(tmp_path: Path) -> None:
    assert read(tmp_path, "Dvořák".encode("cp1250"), "latin-1")[0] == ["Dvoøák"]


@pytest.mark.parametrize(
    ("name", "found"), [("UTF8", "utf-8"), ("Latin1", "iso8859-1"), ("utf-16", "utf-16")]
)
def test_an_encoding_has_several_names(name: str, found: str) -> None:
    assert encodings.known(name) == found


@pytest.mark.parametrize("name", ["rot13", "hex", "utf-32", "cp037", "none such", "a\0b", ""])
def test_an_encoding_that_files_of_lines_are_not_read_in_is_unknown(name: str) -> None:
    assert encodings.known(name) is None


@pytest.mark.parametrize(("text", "codec"), [(CZECH, "utf-8"), (CZECH, "cp1250"), (JAPANESE, "cp932")])
def test_a_broken_line_leaves_the_others_in_their_encoding(tmp_path: Path, text: str, codec: str) -> None:
    given = f"{text}\n".encode(codec)
    found, taken = read(tmp_path, given * 3 + b"\x81 x\n" + given)
    assert (found.count(f"{text}\n"), taken.encoding, len(found)) == (4, codec, 5)
    assert any("\ud800" <= letter <= "\udfff" for letter in found[3])


@pytest.mark.parametrize("ending", [b"\x00", b"\x00\xd8"], ids=["half a character", "half a surrogate pair"])
def test_what_is_no_character_in_utf_16_stays_visible(tmp_path: Path, ending: bytes) -> None:
    found, _taken = read(tmp_path, "a\nb".encode("utf-16") + ending)
    assert found[0] == "a\n"
    assert found[1].startswith("b")
    assert any("\ud800" <= letter <= "\udfff" for letter in found[1])


def test_lines_end_at_line_feeds_only(tmp_path: Path) -> None:
    given = ["a\x0bb\x0cc\x85d\u2028e\rf\r\n", "g\n"]
    for codec in ("utf-8", "utf-16"):
        assert read(tmp_path, "".join(given).encode(codec))[0] == given


@pytest.mark.parametrize("codec", ["utf-8", "utf-16"])
def test_a_line_beyond_the_limit_is_one_line(tmp_path: Path, codec: str) -> None:
    long = "x" * (3 * lines.MAX_LINE) + "\n"
    assert read(tmp_path, ("a\n" + long + "b\n").encode(codec))[0] == ["a\n", lines.OVERLONG, "b\n"]


def test_gzip_is_read_in_parts_and_in_any_encoding(tmp_path: Path) -> None:
    packed = gzip.compress(f"{CZECH}\n".encode("cp1250")) + gzip.compress(b"second\n")
    found, taken = read(tmp_path, packed)
    assert (found, taken.encoding) == ([f"{CZECH}\n", "second\n"], "cp1250")
    assert read(tmp_path, gzip.compress("a\nb".encode("utf-16")))[0] == ["a\n", "b"]


@pytest.mark.parametrize("kept", [5, 1000, -1])
def test_a_damaged_gzip_file_gives_its_good_lines_and_says_so(tmp_path: Path, kept: int) -> None:
    given = [f"{number * 7919 % 99991}\n" for number in range(20_000)]
    found, taken = read(tmp_path, gzip.compress("".join(given).encode())[:kept])
    assert taken.damaged
    assert found[-1] == lines.OVERLONG
    assert found[:-1] == given[: len(found) - 1]


def test_standard_input_is_read_and_left_open(monkeypatch: pytest.MonkeyPatch) -> None:
    given = io.TextIOWrapper(io.BytesIO(gzip.compress(b"a\nb\n")))
    monkeypatch.setattr("sys.stdin", given)
    with lines.opened(Path("-")) as source:
        assert list(lines.Lines(source)) == ["a\n", "b\n"]
        assert (source.size, source.position()) == (0, 24)
    assert not given.closed


def test_a_reading_can_be_watched_and_ended_where_nothing_is_a_record(tmp_path: Path) -> None:
    path = tmp_path / "file"
    for content in (b"\n" * 200_000, b"x" * 40_000_000):
        path.write_bytes(gzip.compress(content, 1))
        for kind in ("queue_log", "jsonl", "csv"):
            positions: list[int] = []
            list(files.read(path, kind, "UTC", look=positions.append))
            assert len(positions) == 2, kind
            with pytest.raises(ZeroDivisionError):
                list(files.read(path, kind, "UTC", look=lambda position: print(1 // 0 * position)))
