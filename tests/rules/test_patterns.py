"""Patterns: what they find, that nothing explodes, and that they agree with the standard engine."""

from __future__ import annotations

import re
import sys

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dashboard.rules import patterns, syntax
from dashboard.rules.patterns import Pattern, PatternError
from dashboard.rules.values import ConditionError

FOUND = [
    ("a+b", "xxAAb", True),
    ("^ab$", "abc", False),
    ("^$", "", True),
    ("^$", "a", False),
    ("a{2,3}$", "xaaa", True),
    ("^a{2,3}$", "aaaa", False),
    ("^a{2,}?$", "aaaa", True),
    ("(?:foo|bar)+baz", "FOObarbaz", True),
    ("[A-C]{2}", "xcb", True),
    ("[^A-C]", "abc", False),
    ("[]x]", "]", True),
    ("[a-]", "-", True),
    (r"[\d.]+$", "v1.2", True),
    (r"\$\.\\", r"$.\ ", True),
    (r"\W\S\D", " a-", True),
    ("straße", "STRASSE", True),
    ("e\u0301", "É", True),
    ("請求[書票]", "請求書", True),
    ("a.c", "a\nc", False),
    ("a|", "zzz", True),
]
UNREADABLE = [
    "(",
    ")",
    "[",
    "[]",
    "a**",
    "*a",
    "(?=a)",
    "(?i)a",
    r"\1",
    r"\b",
    "a{3,1}",
    "[z-a]",
    r"[a-\d]",
    "\\",
    "{",
]
TOO_MUCH = ["a" * 257, "(a{999}){9}", "((((){999}){999}){999}){999}", "(" * 30 + ")" * 30]
EXPLODING = ["(a+)+$", "(a|a)*$", "(a*)*b", "(.*a){25}c", "(x+x+)+y", ".*.*.*.*=.*", "^(a?){30}a{30}$"]


@pytest.mark.parametrize(("pattern", "text", "found"), FOUND)
def test_a_pattern_is_found_anywhere_in_any_case(pattern: str, text: str, found: bool) -> None:
    assert Pattern(pattern).found(text) is found


@pytest.mark.parametrize("pattern", UNREADABLE)
def test_a_pattern_that_cannot_be_read_is_refused(pattern: str) -> None:
    with pytest.raises(PatternError, match=re.escape(syntax.BAD_PATTERN)):
        Pattern(pattern)


@pytest.mark.parametrize("pattern", TOO_MUCH)
def test_a_pattern_that_is_too_large_is_refused(pattern: str) -> None:
    with pytest.raises(PatternError, match=re.escape(syntax.LONG_PATTERN)):
        Pattern(pattern)


def looks(pattern: str, text: str) -> int:
    """Return how many Python calls the search takes: a measure of work that no busy machine changes."""
    calls = 0

    def count(_frame: object, event: str, _arg: object) -> None:
        nonlocal calls
        calls += event == "call"

    compiled = Pattern(pattern)
    sys.setprofile(count)
    try:
        compiled.found(text)
    finally:
        sys.setprofile(None)
    return calls


@pytest.mark.parametrize("pattern", EXPLODING)
def test_an_exploding_pattern_costs_a_longer_text_nothing_but_look_ups(pattern: str) -> None:
    short, long = looks(pattern, "a" * 500 + "!"), looks(pattern, "a" * 50_000 + "!")
    assert long <= short + 10


def test_a_text_beyond_the_limit_is_an_error_and_not_false() -> None:
    with pytest.raises(ConditionError, match=re.escape(patterns.TOO_LONG)):
        Pattern("a").found("b" * (patterns.MAX_TEXT + 1))


def test_work_beyond_the_limit_is_an_error_and_not_false() -> None:
    text = "".join(f"{n * n * 2654435761 % 2**32:032b}" for n in range(1, 2000))
    with pytest.raises(ConditionError, match=re.escape(patterns.TOO_HARD)):
        Pattern("1(0|1){200}2").found(text)


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patterns, "MAX_KEPT", 10)
    compiled = Pattern("(ab|cd|ef)+x$")
    assert compiled.found("abcdefabcdefghijklmnopqrstuvwxyz" * 5 + "abx")
    assert compiled._kept <= 10


letters = st.sampled_from("ab.|()*+?[]^$-\\dw{2,}")
readable = st.recursive(
    st.sampled_from(["a", "b", "ab", ".", "[ab]", "[^a]", "^", "$", r"\d", r"\w", ""]),
    lambda inner: st.one_of(
        st.tuples(inner, inner).map("".join),
        st.tuples(inner, inner).map(lambda both: f"(?:{both[0]}|{both[1]})"),
        st.tuples(inner, st.sampled_from(["*", "+", "?", "{2}", "{1,}", "{0,2}", "*?"])).map(
            lambda both: f"(?:{both[0]}){both[1]}"
        ),
    ),
    max_leaves=6,
)


@given(readable, st.text("ab1 ", max_size=6))
@example("(?:^a|b$)*", "b")
def test_it_finds_what_the_standard_engine_finds(pattern: str, text: str) -> None:
    assert Pattern(pattern).found(text) is (re.search(pattern, text.rstrip("\n")) is not None)


@given(st.text(letters, max_size=20), st.text("ab1-", max_size=30))
def test_whatever_is_typed_is_matched_or_refused(pattern: str, text: str) -> None:
    try:
        compiled = Pattern(pattern)
    except PatternError:
        return
    assert compiled.found(text) in (True, False)
