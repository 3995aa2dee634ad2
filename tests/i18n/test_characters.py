"""Which characters of a name are not seen."""

from __future__ import annotations

import pytest

from dashboard.i18n.characters import invisible


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("Jana\u200b", "U+200B"),
        ("\ufeffJana", "U+FEFF"),
        ("admin\u202egnp", "U+202E"),
        ("\u2066Jana\u2069", "U+2066"),
        ("Ja\u00adna", "U+00AD"),
        ("Jana\u061c", "U+061C"),
        ("\u3164", "U+3164"),
        ("Jana\U000e0041", "U+E0041"),
        ("Ja\u200dna", "U+200D"),
        ("Jana\u200c", "U+200C"),
        ("Jana\u2060Mal\u00e1", "U+2060"),
    ],
)
def test_marks_that_nobody_sees_are_named(line: str, code: str) -> None:
    assert invisible(line) == code


@pytest.mark.parametrize(
    "line",
    [
        "",
        "Petra Nováková",
        "山田\u3000太郎",
        "葛\U000e0100城",
        "👩\u200d💻 Ops",
        "👩🏽\u200d💻",
        "❤\ufe0f\u200d🔥",
        "می\u200cخواهم",
        "क्\u200dष",
        "محمد",
        "a\u00a0b",
        "Tie\u0302\u0301ng",
    ],
)
def test_names_of_all_scripts_pass(line: str) -> None:
    assert invisible(line) == ""
