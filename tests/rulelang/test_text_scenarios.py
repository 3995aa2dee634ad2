"""Conditions on texts, numbers and lists in the words that customers and sources write."""

from __future__ import annotations

from typing import Any

import pytest

from dashboard.rulelang import compiler, fields
from dashboard.rulelang.conditions import Group, parse
from dashboard.rulelang.predicates import Context

MISSING = object()
# (field of ticket.created, operator, operand, values and what the condition comes to: None for an error)
CASES: list[tuple[str, str, Any, list[tuple[Any, bool | None]]]] = [
    (
        "data.title",
        "is",
        "Straße",
        [("STRASSE", True), ("strasse", True), ("STRAẞE", True), ("strase", False), (MISSING, False)],
    ),
    (
        "data.title",
        "is",
        "İSTANBUL",
        [("İstanbul", True), ("i̇stanbul", True), ("istanbul", False), ("ıstanbul", False)],
    ),
    (
        "data.title",
        "contains",
        "カード",
        [("ｶｰﾄﾞ決済", True), ("カード", True), ("かーど", False), ("カ―ド", False)],
    ),
    ("data.title", "is", "vip", [("ＶＩＰ", True), ("Ｖip", True), ("ⓋⒾⓅ", True), (" vip", False)]),
    (
        "data.title",
        "contains",
        "příliš",
        [("PŘÍLIŠ žluťoučký", True), ("pr\u030ci\u0301lis\u030c", True), ("prilis", False)],
    ),
    ("data.title", "ends_with", "e", [("café", False), ("cafe\u0301", False), ("cafe", True)]),
    ("data.title", "is", "ΟΔΟΣ", [("οδος", True), ("οδοσ", True), ("οδός", False)]),
    ("data.title", "is_none_of", ["a", "b"], [(MISSING, True), ("", True), (None, True), ("A", False)]),
    ("data.title", "contains_not", "a", [(MISSING, True), ("", True), ("b", True), ("A", False)]),
    ("data.title", "matches_not", "a+", [(MISSING, True), (None, True), ("aa", False)]),
    (
        "data.title",
        "is_empty",
        MISSING,
        [(MISSING, True), (None, True), ("", True), (" ", False), ("0", False)],
    ),
    (
        "data.messages_in",
        "gt",
        3,
        [(4, True), (3.0001, True), (3, False), (MISSING, False), (None, False), ("7", None), (True, None)],
    ),
    ("data.messages_in", "ne", 5, [(MISSING, False), (4, True), (5.0, False)]),
    ("data.messages_in", "eq", 5, [(5.0, True), (5, True), (MISSING, False)]),
    ("data.messages_in", "between", [5, 15], [(5, True), (15, True), (4, False), (16, False)]),
    (
        "data.message",
        "contains_word",
        "cat",
        [("the cat.", True), ("CAT", True), ("concatenate", False), ("cats", False)],
    ),
    ("data.message", "contains_word", "účet", [("ÚČET je prázdný", True), ("podúčet", False)]),
    ("data.message", "contains_word", "返金", [("返金してください", True), ("返品", False)]),
    (
        "data.requester_email",
        "domain_under",
        "example.cz",
        [
            ("a@example.cz", True),
            ("a@sub.Example.CZ", True),
            ("a@notexample.cz", False),
            ("example.cz@evil.com", False),
        ],
    ),
    (
        "data.requester_verified",
        "is_true",
        MISSING,
        [(True, True), (False, False), ("true", None), (1, None)],
    ),
    (
        "data.tags",
        "has_any",
        ["VIP"],
        [(["vip"], True), ("vip", True), ([], False), (None, False), (["a"], False)],
    ),
    ("data.tags", "has_none", ["VIP"], [(["vip"], False), ([], True), (MISSING, True)]),
    ("data.tags", "has_exactly", ["a", "b"], [(["B", "A"], True), (["a"], False), (["a", "b", "c"], False)]),
    ("data.custom.level", "is", "5", [(5, True), ("5", True), (5.0, False), ([5], None), (MISSING, False)]),
    ("data.custom.done", "is", "true", [(True, True), ("TRUE", True), (False, False)]),
    ("data.title", "matches", "(a+)+$", [("a" * 30_000 + "b", False), ("a" * 30_000, True)]),
    (
        "data.created_at",
        "before",
        1_772_452_800_000,
        [("2026-03-02T11:00:00Z", True), ("2026-03-02T11:00:00", None), (5, None)],
    ),
]
ROWS = [
    pytest.param(field, op, operand, value, expected, id=f"{number}-{op}-{n}")
    for number, (field, op, operand, values) in enumerate(CASES)
    for n, (value, expected) in enumerate(values)
]


@pytest.mark.parametrize(("field", "op", "operand", "value", "expected"), ROWS)
def test_a_condition_comes_to_what_a_reader_expects(
    field: str, op: str, operand: Any, value: Any, expected: bool | None
) -> None:
    known = fields.fields(["ticket.created"])
    leaf = {"field": field, "op": op, **({} if operand is MISSING else {"value": operand})}
    tree = parse({"all": [leaf]}, known)
    assert isinstance(tree, Group), tree
    path = field.split(".")[1:]
    data: Any = {} if value is MISSING else {path[-1]: value}
    for name in reversed(path[:-1]):
        data = {name: data}
    event = fields.facts(1, "ticket.created", 0, data)
    made = compiler.compile_tree(tree, known, Context())
    assert made.decide(event) is expected
    assert made.explain(event).outcome is expected
