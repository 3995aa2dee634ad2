"""Every operator of the table by the sentence that describes it; each row is a value and the answer."""

from __future__ import annotations

from typing import Any

import pytest

from dashboard.rulelang.fields import ABSENT, Change, ConditionError, Field, Kind
from dashboard.rulelang.operand_types import Operand, OperandError, check
from dashboard.rulelang.operators import OPERATORS, Operator, Takes, operators
from dashboard.rulelang.predicates import Context
from tests.rulelang.make import MONDAY

EMPTY = (ABSENT, None, "", [])
DAY = 86_400_000
HOUR = 3_600_000


class NineToFive:
    """Open 9 to 17 UTC on every day; the first of March is a holiday."""

    def is_open(self, ts: int) -> bool:
        return 9 <= ts // 3600 % 24 < 17

    def is_holiday(self, ts: int) -> bool:
        return ts // 86_400 == 20_513

    def open_seconds(self, start: int, end: int) -> int:
        return sum(60 for minute in range(start, end, 60) if self.is_open(minute))


CONTEXT = Context(
    "Europe/Prague", 7, frozenset({7, 8}), frozenset({"Info@Firma.cz"}), {"office": NineToFive()}
)


def of(row: Operator) -> Field:
    kind = min(row.kinds)
    if row.ordered:
        return Field("data.priority", Kind.CHOICE, "", ("low", "normal", "high"), ordered=True)
    return Field(f"data.{kind}", kind, "")


def asks(op: str, *operands: Any, field: Field | None = None) -> Any:
    row = OPERATORS[op]
    field = field or of(row)
    given = zip(row.operands, operands, strict=True)
    return row.build(tuple(check(kind, field, each) for kind, each in given), field, CONTEXT)


VALUES = [
    ("is", ["straße"], "STRASSE", True),
    ("is", ["é"], "e\u0301", True),
    ("is", ["カタカナ"], "ｶﾀｶﾅ", True),
    ("is", ["5"], 5, True),
    ("is", ["true"], True, True),
    ("is", ["abc"], "abcd", False),
    ("is_not", ["abc"], "ABC", False),
    ("is_any_of", [["a", "B"]], "b", True),
    ("is_none_of", [["a", "B"]], "b", False),
    ("contains", ["ŘE"], "křeslo", True),
    ("contains", ["%_\\"], "100%_\\", True),
    ("contains_not", ["x"], "abc", True),
    ("contains_any", [["x", "C"]], "abc", True),
    ("contains_all", [["a", "x"]], "abc", False),
    ("starts_with", ["AB"], "abc", True),
    ("ends_with", ["e"], "café", False),
    ("contains_word", ["den"], "dobrý Den!", True),
    ("contains_word", ["den"], "leden", False),
    ("contains_word", ["den"], "den", True),
    ("contains_word", ["返金"], "返金してください", True),
    ("contains_word", ["返金"], "すぐ返金を", True),
    ("contains_word", ["カード"], "新しいカードです", True),
    ("contains_word", ["カー"], "新しいカードです", False),
    ("contains_word", ["vip"], "VIPのお客様", True),
    ("contains_word", ["คืนเงิน"], "ขอคืนเงินด้วย", True),
    ("matches", [r"^\d{3}-[a-z]+$"], "123-ABC", True),
    ("matches_not", ["^a"], "ba", True),
    ("longer_than", [2], "abc", True),
    ("longer_than", [2], "e\u0301e\u0301", False),
    ("longer_than", [2], "ก็ดี", False),
    ("shorter_than", [3], "q\u0307\u0323q", True),
    ("shorter_than", [2], "ab", False),
    ("domain_is", ["firma.cz"], "Jan@Firma.CZ", True),
    ("domain_is", ["firma.cz"], "https://firma.cz:8080/a@b", True),
    ("domain_is", ["firma.cz"], "https://[firma.cz", False),
    ("domain_under", ["firma.cz"], "mail.firma.cz.", True),
    ("domain_under", ["firma.cz"], "a@zlafirma.cz", False),
    ("is_own_address", [], "INFO@firma.cz", True),
    ("ip_is", ["::ffff:10.0.0.1"], "10.0.0.1", True),
    ("in_network", [["10.0.0.0/8", "fd00::/8"]], "fd00::1", True),
    ("in_network_not", [["10.0.0.0/8"]], "10.1.2.3", False),
    ("one_of", [["in", "out"]], "in", True),
    ("one_of", [["in", "out"]], "IN", False),
    ("not_one_of", [["in"]], "out", True),
    ("is_me", [], 7, True),
    ("on_my_team", [], 9, False),
    ("at_least", ["normal"], "high", True),
    ("at_most", ["normal"], "high", False),
    ("has_any", [["vip", "x"]], ["VIP", "y"], True),
    ("has_all", [["vip", "x"]], ["VIP", "y"], False),
    ("has_none", [["x"]], ["vip"], True),
    ("has_exactly", [["vip", "x"]], ["X", "vip"], True),
    ("is_true", [], False, False),
    ("is_false", [], False, True),
    ("eq", [5], 5.0, True),
    ("ne", [5], 5, False),
    ("lt", [5], 5, False),
    ("le", [5], 5, True),
    ("gt", [5], 5, False),
    ("ge", [5], 5, True),
    ("between", [5, 7], 7, True),
    ("before", [MONDAY], MONDAY, False),
    ("after", [MONDAY], MONDAY + 1, True),
    ("within", [MONDAY, MONDAY + 5], MONDAY + 5, True),
    ("on_date", ["2026-03-03"], MONDAY + 15 * HOUR, True),  # 0:00 in Prague
    ("clock_between", ["09:00", "10:00"], MONDAY, True),
    ("clock_between", ["08:00", "09:00"], MONDAY, False),
    ("clock_between", ["22:00", "09:01"], MONDAY, True),
    ("clock_between", ["00:00", "24:00"], MONDAY, True),
    ("clock_between", ["09:00", "09:00"], MONDAY, True),
    ("shift_between", [[1], "22:00", "06:00"], MONDAY + 14 * HOUR, True),  # Monday 23:00
    ("shift_between", [[1], "22:00", "06:00"], MONDAY + 18 * HOUR, True),  # Tuesday 3:00, of Monday's shift
    ("shift_between", [[2], "22:00", "06:00"], MONDAY + 18 * HOUR, False),
    ("shift_between", [[7], "22:00", "06:00"], MONDAY - 4 * HOUR, True),  # Monday 5:00, of Sunday's shift
    ("weekday_of", [[1, 3]], MONDAY, True),
    ("weekday_of", [[1]], MONDAY + 15 * HOUR, False),
    ("in_calendar", ["office"], MONDAY, False),
    ("in_calendar_not", ["office"], MONDAY, True),
    ("is_holiday", ["office"], MONDAY - 20 * HOUR, True),
    ("is_not_empty", [], 0, True),
]
CHANGES = [
    ("changed", [], Change("a", "b"), True),
    ("changed_from_to", ["Open", "closed"], Change("open", "CLOSED"), True),
    ("changed_from_to", [None, "closed"], Change(None, "closed"), True),
    ("changed_from_to", ["open", None], Change("new", "open"), False),
    ("increased", [], Change("low", "high"), True),
    ("decreased", [], Change("low", "high"), False),
    ("added", [["vip"]], Change(None, ["VIP"]), True),
    ("removed", [["vip"]], Change(["vip", "x"], ["vip"]), False),
    ("became_true", [], Change(None, True), True),
    ("became_false", [], Change(True, False), True),
    ("increased_by", [3], Change(1, 4), True),
    ("decreased_by", [3], Change(4, 2), False),
    ("crossed_up", [5], Change(4, 5), True),
    ("crossed_up", [5], Change(5, 6), False),
    ("crossed_down", [5], Change(5, 4), True),
    ("moved_earlier", [], Change(MONDAY, MONDAY - 1), True),
    ("moved_later", [], Change(MONDAY, MONDAY - 1), False),
]
MOMENTS = [  # now is Monday 9:00 in Prague
    ("more_than_ago", [60], MONDAY - 60_001, True),
    ("less_than_ago", [60], MONDAY + 1, False),
    ("in_next", [60], MONDAY + 60_000, True),
    ("open_ago", ["office", 7 * 3600], MONDAY - DAY, True),
    ("open_ago", ["office", 8 * 3600], MONDAY - DAY, False),
    ("is_today", [], MONDAY + 14 * HOUR, True),
    ("is_today", [], MONDAY + 15 * HOUR, False),
    ("is_this_week", [], MONDAY - 10 * HOUR, False),
    ("is_this_month", [], MONDAY - DAY, True),
]


@pytest.mark.parametrize(("op", "operands", "value", "answer"), VALUES)
def test_a_value(op: str, operands: list[Any], value: Any, answer: bool) -> None:
    assert asks(op, *operands)(value) is answer


@pytest.mark.parametrize(("op", "operands", "change", "answer"), CHANGES)
def test_a_change(op: str, operands: list[Any], change: Change, answer: bool) -> None:
    field = None if op != "changed_from_to" else Field("data.text", Kind.TEXT, "")
    test = asks(op, *operands, field=field)
    assert test(change) is answer
    assert test(ABSENT) is False


@pytest.mark.parametrize(("op", "operands", "value", "answer"), MOMENTS)
def test_now_is_the_time_of_the_event(op: str, operands: list[Any], value: Any, answer: bool) -> None:
    assert asks(op, *operands)((value, MONDAY)) is answer


TRIED = {row[0]: row[1] for row in (*VALUES, *CHANGES, *MOMENTS)} | {"is_empty": []}
NEGATIVE = {
    "is_not",
    "is_none_of",
    "contains_not",
    "matches_not",
    "in_network_not",
    "not_one_of",
    "has_none",
    "in_calendar_not",
    "is_empty",
}


def test_every_operator_is_tried_here() -> None:
    assert set(TRIED) == set(OPERATORS)


@pytest.mark.parametrize("empty", EMPTY, ids=["absent", "null", "text", "list"])
@pytest.mark.parametrize("op", sorted(TRIED))
def test_an_empty_value_makes_positive_comparisons_false_and_negative_ones_true(op: str, empty: Any) -> None:
    row = OPERATORS[op]
    if row.takes is Takes.CHANGE:
        given: Any = ABSENT
    else:
        given = (empty, MONDAY) if row.takes is Takes.MOMENT else empty
    field = Field("data.text", Kind.TEXT, "") if op == "changed_from_to" else None
    assert asks(op, *TRIED[op], field=field)(given) is (op in NEGATIVE)


WRONG = [
    ("gt", [5], "7"),
    ("gt", [5], True),
    ("between", [1, 2], "x"),
    ("is", ["a"], ["a"]),
    ("is", ["a"], {"b": 1}),
    ("one_of", [["in"]], ["in"]),
    ("one_of", [["in"]], {"in": 1}),
    ("has_any", [["a"]], "a"),
    ("is_true", [], "true"),
    ("is_false", [], 0),
    ("ip_is", ["10.0.0.1"], "10.0.0.999"),
    ("at_least", ["low"], "?"),
    ("before", [1], "2026"),
    ("in_calendar", ["none"], MONDAY),
    ("on_date", ["2026-03-02"], 10**30),
    ("matches", ["a"], "x" * 70_000),
    ("has_none", [["a"]], 5),
    ("not_one_of", [["in"]], [1]),
]


@pytest.mark.parametrize(("op", "operands", "value"), WRONG)
def test_a_value_of_another_kind_is_an_error_and_not_false(op: str, operands: list[Any], value: Any) -> None:
    with pytest.raises(ConditionError):
        asks(op, *operands)(value)


BAD = [
    ("is", [5]),
    ("is", ["x" * 501]),
    ("is", [" "]),
    ("is", ["a\x00"]),
    ("is", ["\ud800"]),
    ("is_any_of", [[]]),
    ("is_any_of", ["ab"]),
    ("is_any_of", [["a"] * 201]),
    ("gt", ["5"]),
    ("gt", [True]),
    ("gt", [float("nan")]),
    ("gt", [float("inf")]),
    ("gt", [10**400]),
    ("longer_than", [-1]),
    ("longer_than", [1.5]),
    ("matches", ["("]),
    ("matches", ["a" * 257]),
    ("ip_is", ["1.2.3"]),
    ("in_network", [["10.0.0.0/33"]]),
    ("on_date", ["2026-13-01"]),
    ("before", ["2026-01-01"]),
    ("clock_between", ["25:00", "01:00"]),
    ("clock_between", ["9:00", "10:00"]),
    ("weekday_of", [[0]]),
    ("weekday_of", [[True]]),
    ("at_least", ["highest"]),
    ("one_of", [[{"a": 1}]]),
    ("one_of", [None]),
    ("has_any", [[1.5]]),
    ("in_calendar", [["office"]]),
]


@pytest.mark.parametrize(("op", "operands"), BAD)
def test_a_bad_operand_is_refused_with_a_sentence(op: str, operands: list[Any]) -> None:
    with pytest.raises(OperandError) as refused:
        asks(op, *operands)
    assert refused.value.message.render().endswith(".")


def test_a_persons_operands_are_ids() -> None:
    field = Field("user", Kind.PERSON, "")
    assert check(Operand.CHOICES, field, [3, 3, 4]) == (3, 4)
    with pytest.raises(OperandError):
        check(Operand.CHOICES, field, ["jana"])


def test_an_opposite_names_its_operator_back() -> None:
    for row in OPERATORS.values():
        if row.opposite:
            assert OPERATORS[row.opposite].opposite == row.name
            assert OPERATORS[row.opposite].operands == row.operands


@pytest.mark.parametrize("row", OPERATORS.values(), ids=list(OPERATORS))
def test_a_phrase_has_the_placeholders_of_its_operands(row: Operator) -> None:
    names = ("value",) if len(row.operands) == 1 else ("first", "second", "third")[: len(row.operands)]
    said = row.phrase % {"field": "F", **dict.fromkeys(names, "V")}
    assert said.count("V") == max(len(row.operands), 0)
    assert row.label.render().strip()


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_of_field_has_operators(kind: Kind) -> None:
    assert operators(Field("data.x", kind, ""))


def test_ordered_operators_fit_only_ordered_choices() -> None:
    plain = Field("data.direction", Kind.CHOICE, "", ("in", "out"))
    assert "at_least" not in {row.name for row in operators(plain)}
