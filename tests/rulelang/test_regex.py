"""Patterns: what they find, what is refused, linear time, and agreement with the standard engine."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dashboard.rulelang import regex
from dashboard.rulelang.fields import ConditionError
from dashboard.rulelang.regex import Pattern, PatternError

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
    ("(" * 30 + ")" * 30, "a", True),
    ("ß+$", "STRASSE SSSS", True),
    ("ss", "ß", True),
    ("ＡＢＣ", "xabc", True),
    ("abc", "ＡＢＣ", True),
    ("[Ａ-Ｃ]", "b", True),
    (r"^\d{3}$", "１２３", True),
    (r"^\d{3}$", "١٢٣", True),
    (r"^[^\D]+$", "١٢3", True),
    (r"^\w+$", "příliš_9", True),
    (r"^[\W]$", "ž", False),
    (r"^[^\W]$", "ž", True),
    (r"^[\W]+$", "-。", True),
    (r"[\W]", "_", False),
    (r"^[\S]+$", "ž。a1", True),
    (r"[\S]", "\t\u3000\n", False),
    ("a$", "a\n", False),
    ("a\n$", "a\n", True),
    (r"[\]\-a]", "-", True),
    ("[[]", "[", True),
    ("（株）", "(株)", True),
    ("カード", "ｶｰﾄﾞ", True),
    ("a{2}}", "aa}", True),
]
UNREADABLE = [
    ("a(", "A bracket “(” is not closed in “a(”."),
    ("(A b", "A bracket “(” is not closed in “(A b”."),
    ("a)", "A bracket “)” closes nothing in “a)”."),
    ("a[", "A bracket “[” is not closed in “[”."),
    ("[]", "A bracket “[” is not closed in “[]”."),
    ("a**", "“**” repeats a repetition."),
    ("*a", "“*” stands where there is nothing to repeat."),
    ("x(?=a)", "“(?=” cannot be used in a pattern."),
    ("(?i)a", "“(?i” cannot be used in a pattern."),
    ("(?P<n>a)", "“(?P” cannot be used in a pattern."),
    (r"(a)\1", "“\\1” cannot be used in a pattern."),
    (r"a\b", "“\\b” cannot be used in a pattern."),
    (r"a\pL", "“\\p” cannot be used in a pattern."),
    (r"[\z]", "“\\z” cannot be used in a pattern."),
    ("a{3,1}", "“{3,1}” repeats too often, or from more to fewer times."),
    ("[z-a]", "“z-a” isn't a valid range of characters."),
    (r"[a-\d]", "“\\d” cannot be used in a pattern."),
    ("a\\", "“\\” cannot be used in a pattern."),
    ("a{", "“{” cannot be used in a pattern."),
    ("a{,3}", "“{” cannot be used in a pattern."),
    ("(a{999}){9}", "“{9}” repeats too often, or from more to fewer times."),
    ("(a{1,100}){1,100}", "“{1,100}” repeats too often, or from more to fewer times."),
    ("((((){999}){999}){999}){999}", "“{999}” repeats too often, or from more to fewer times."),
    ("a" * 257, "The pattern is too long or repeats too much."),
    (r"\w{1000}", "The pattern is too long or repeats too much."),
]
EXPLODING = [
    "(a+)+$",
    "(a|a)*$",
    "(a*)*b",
    "(.*a){25}c",
    "(x+x+)+y",
    ".*.*.*.*=.*",
    "^(a?){30}a{30}$",
    "(a|aa|b?a)*c",
]


@pytest.mark.parametrize(("pattern", "text", "found"), FOUND)
def test_a_pattern_is_found_anywhere_in_any_case(pattern: str, text: str, found: bool) -> None:
    assert Pattern(pattern).found(text) is found


@pytest.mark.parametrize(("pattern", "fault"), UNREADABLE)
def test_a_refused_pattern_names_the_fault_and_its_place(pattern: str, fault: str) -> None:
    with pytest.raises(PatternError) as refused:
        Pattern(pattern)
    assert refused.value.message.render() == fault


def seconds(pattern: Pattern, text: str) -> float:
    """Return the best of five searches, in seconds of this thread."""
    taken = []
    for _ in range(5):
        begun = time.thread_time()
        pattern.found(text)
        taken.append(time.thread_time() - begun)
    return min(taken)


@pytest.mark.parametrize("pattern", EXPLODING)
def test_a_search_takes_time_linear_to_the_text(pattern: str) -> None:
    compiled = Pattern(pattern)
    compiled.found("a" * 100 + "!")  # RE2 builds its automaton while it searches
    short, long = seconds(compiled, "a" * 500 + "!"), seconds(compiled, "a" * 50_000 + "!")
    assert long < max(1000 * short, 0.05)  # 100 is linear, 10,000 is square


def test_a_text_beyond_the_limit_is_an_error_and_not_false() -> None:
    with pytest.raises(ConditionError, match=re.escape(regex.TOO_LONG)):
        Pattern("a").found("b" * (regex.MAX_TEXT + 1))


def test_a_pattern_whose_automaton_outgrows_its_memory_still_answers_right() -> None:
    text = "".join(f"{n * n * 2654435761 % 2**32:032b}" for n in range(1, 2000))
    assert not Pattern("1(0|1){200}2").found(text)
    assert Pattern("1(0|1){200}2").found(text + "1" + "0" * 200 + "2")


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
