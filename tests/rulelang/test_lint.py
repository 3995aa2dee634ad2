"""What is wrong with rules before they run; nothing is claimed that is not so."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given

from dashboard.rulelang.compiler import compile_tree
from dashboard.rulelang.fields import EventFacts, fields
from dashboard.rulelang.lint import lint, never_true
from dashboard.rulelang.matcher import Loop, RuleSpec, State
from dashboard.rulelang.predicates import Context
from tests.rulelang.make import TYPE, events, spec, trees

CALL = "call.accepted"


def c(field: str, op: str, *value: Any) -> dict[str, Any]:
    made: dict[str, Any] = {"field": field, "op": op}
    return {**made, "value": value[0] if len(value) == 1 else list(value)} if value else made


WAIT, WORD, WAY = "data.wait_s", "data.word", "data.direction"
NEVER = [
    {"all": [c(WAIT, "gt", 5), c(WAIT, "lt", 5)]},
    {"all": [c(WAIT, "gt", 5), c(WAIT, "le", 5)]},
    {"all": [c(WAIT, "between", 1, 3), {"none": [c(WAIT, "lt", 4)]}]},
    {"all": [c(WAIT, "eq", 5), c(WAIT, "is_empty")]},
    {"all": [c(WAY, "one_of", ["in"]), c(WAY, "one_of", ["out"])]},
    {"all": [c(WAY, "one_of", ["in"]), c(WAY, "not_one_of", ["in", "out"])]},
    {"all": [c(WAY, "one_of", ["in"]), {"any": [c(WAY, "one_of", ["out"]), c(WAY, "is_empty")]}]},
    {"all": [c(WORD, "is", "a"), c(WORD, "is", "b")]},
    {"all": [c(WORD, "is", "abc"), c(WORD, "starts_with", "x")]},
    {"all": [c(WORD, "is_any_of", ["ab", "cd"]), {"none": [c(WORD, "matches", "^[a-d]+$")]}]},
    {"all": [c(WORD, "contains", "x"), c(WORD, "contains_not", "x")]},
    {"all": [c("data.connected", "is_true"), c("data.connected", "is_false")]},
    {"all": [c("time.weekday", "weekday_of", [1]), c("time.weekday", "weekday_of", [2])]},
    {"all": [c("time", "before", 5), c("time", "after", 5)]},
    {"all": [c("type", "one_of", ["call.closed"])]},
    {"any": []},
    {"all": [c(WORD, "is", "a"), {"none": [c(WORD, "is", "A")]}]},
]
MAYBE = [
    {"all": []},
    {"all": [c(WAIT, "gt", 5), c(WAIT, "lt", 6)]},
    {"all": [c(WAIT, "ge", 5), c(WAIT, "le", 5)]},
    {"all": [c(WAY, "not_one_of", ["in", "out", "internal"])]},
    {"all": [c(WORD, "contains", "a"), c(WORD, "contains", "b")]},
    {"all": [c(WORD, "is", "abc"), c(WORD, "longer_than", 5)]},
    {"all": [c(WORD, "is", "a"), c(WORD, "changed_from_to", "x", "y")]},
    {"any": [c(WAIT, "gt", 5), c(WAIT, "lt", 5)]},
    {"all": [c("data.x", "is", "a"), c("data.y", "is", "b")]},
    {"all": [c(f"data.f{n}", "contains", "a") for n in range(40)]},
    {"all": [c("user", "is_me"), c("user", "one_of", [1])]},
]


@pytest.mark.parametrize("raw", NEVER, ids=str)
def test_a_contradiction_is_found(raw: Any) -> None:
    assert lint([spec(1, raw, types=(CALL,))]).never == (1,)


@pytest.mark.parametrize("raw", MAYBE, ids=lambda raw: str(raw)[:80])
def test_what_can_be_true_or_cannot_be_decided_is_passed_over(raw: Any) -> None:
    assert lint([spec(1, raw, types=(CALL,))]).never == ()


@given(trees, events)
def test_what_is_called_never_true_is_never_true(raw: Any, facts: EventFacts) -> None:
    rule = spec(1, raw)
    if never_true(rule.tree, rule):
        assert compile_tree(rule.tree, fields([TYPE]), Context()).decide(facts) is not True


LONG, LONGER = {"all": [c(WAIT, "gt", 60)]}, {"all": [c(WAIT, "gt", 600), c(WAY, "one_of", ["in"])]}
SHADOWED = [
    ("by a rule that asks less", spec(1, LONG, (CALL,), stop=True), spec(2, LONGER, (CALL,)), {2: {CALL: 1}}),
    (
        "by a rule without conditions",
        spec(1, None, (CALL,), stop=True),
        spec(2, LONG, (CALL,)),
        {2: {CALL: 1}},
    ),
    ("not by one that asks more", spec(1, LONGER, (CALL,), stop=True), spec(2, LONG, (CALL,)), {}),
    ("not without a stop", spec(1, LONG, (CALL,)), spec(2, LONGER, (CALL,)), {}),
    ("not in another group", spec(1, LONG, (CALL,), stop=True, group=1), spec(2, LONGER, (CALL,)), {}),
    ("not by a later one", spec(1, LONG, (CALL,), stop=True, position=9), spec(2, LONGER, (CALL,)), {}),
    ("not by a shadow", spec(1, LONG, (CALL,), stop=True, state=State.SHADOW), spec(2, LONGER, (CALL,)), {}),
    (
        "not by one that is off",
        spec(1, LONG, (CALL,), stop=True, state=State.OFF),
        spec(2, LONGER, (CALL,)),
        {},
    ),
    (
        "on the types they share",
        spec(1, LONG, (CALL,), stop=True),
        spec(2, LONG, (CALL, "call.closed")),
        {2: {CALL: 1}},
    ),
    (
        "not where the zones differ",
        spec(1, {"all": [c("time.weekday", "weekday_of", [1])]}, (CALL,), stop=True),
        spec(2, {"all": [c("time.weekday", "weekday_of", [1])]}, (CALL,), context=Context("Asia/Tokyo")),
        {},
    ),
]


@pytest.mark.parametrize(
    ("first", "second", "found"), [row[1:] for row in SHADOWED], ids=[row[0] for row in SHADOWED]
)
def test_a_rule_is_shadowed_by_an_earlier_stop(
    first: RuleSpec, second: RuleSpec, found: dict[int, Any]
) -> None:
    assert lint([second, first]).shadowed == found


def emits(id_: int, on: str, *types: str, **more: Any) -> RuleSpec:
    return spec(id_, None, (f"custom.{on}",), emits=tuple(f"custom.{each}" for each in types), **more)


LOOPS = [
    ("itself", [emits(1, "a", "a")], ((1,),)),
    ("through another", [emits(1, "a", "b"), emits(2, "b", "a")], ((1, 2),)),
    (
        "through three, the short way",
        [emits(1, "a", "b"), emits(2, "b", "c", "a"), emits(3, "c", "a")],
        ((1, 2),),
    ),
    ("two rings", [emits(1, "a", "a"), emits(2, "b", "c"), emits(3, "c", "b")], ((1,), (2, 3))),
    ("no ring", [emits(1, "a", "b"), emits(2, "b", "c")], ()),
    (
        "none where events of rules are ignored",
        [emits(1, "a", "b"), emits(2, "b", "a", loop=Loop.IGNORE)],
        (),
    ),
    ("none where one is off", [emits(1, "a", "b"), emits(2, "b", "a", state=State.OFF)], ()),
]


@pytest.mark.parametrize(("rules", "found"), [row[1:] for row in LOOPS], ids=[row[0] for row in LOOPS])
def test_a_ring_of_rules_is_found(rules: list[RuleSpec], found: tuple[tuple[int, ...], ...]) -> None:
    assert lint(rules).loops == found
