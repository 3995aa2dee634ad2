"""Names of subjects are parsed into what they were made of."""

from __future__ import annotations

import pytest

from dashboard.rulelang import subjects
from dashboard.rulelang.subjects import SubjectKind, SubjectName

NAMES = {
    "interaction:pbx:c1": (SubjectName(SubjectKind.INTERACTION, "c1", "pbx"), None),
    "interaction:pbx:a:b": (SubjectName(SubjectKind.INTERACTION, "a:b", "pbx"), None),
    "interaction:2:77": (SubjectName(SubjectKind.INTERACTION, "77", "2"), None),
    "session:pbx:s1": (SubjectName(SubjectKind.SESSION, "s1", "pbx"), None),
    "user:12": (SubjectName(SubjectKind.USER, "12"), 12),
    "queue:3": (SubjectName(SubjectKind.QUEUE, "3"), 3),
    "rule:4": (SubjectName(SubjectKind.RULE, "4"), 4),
    "user:²": (SubjectName(SubjectKind.USER, "²"), None),
    "user:1234567890": (SubjectName(SubjectKind.USER, "1234567890"), None),
}


@pytest.mark.parametrize("text", NAMES)
def test_name_is_parsed_and_written_alike(text: str) -> None:
    expected, number = NAMES[text]
    found = SubjectName.parse(text)
    assert found == expected
    assert (str(found), expected.number) == (text, number)


@pytest.mark.parametrize("text", ["", "jana", "c1:2", "user", "user:", "interaction:pbx", "interaction:pbx:"])
def test_other_text_names_no_subject(text: str) -> None:
    assert SubjectName.parse(text) is None


def test_users_and_interactions_are_named() -> None:
    assert subjects.of_user(5) == "user:5"
    assert subjects.of_interaction(2, "c:1") == "interaction:2:c:1"
