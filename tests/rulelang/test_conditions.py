"""Trees of conditions: their JSON form, the check on save, answers in three values, traces, sentences."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.rulelang import conditions, fields
from dashboard.rulelang.compiler import Trace, compile_tree
from dashboard.rulelang.conditions import Condition, Group, dump, parse
from dashboard.rulelang.describe import sentence
from dashboard.rulelang.fields import EventFacts
from dashboard.rulelang.predicates import Context
from tests.rulelang.make import MONDAY, TYPE, event, events, parsed, ready, trees

YES = {"field": "data.word", "op": "is", "value": "a"}
NO = {"field": "data.word", "op": "is", "value": "b"}
FAILS = {"field": "data.list", "op": "is", "value": "a"}
EVENT = {"word": "a", "list": ["a"]}
KNOWN = fields.fields([TYPE, "call.accepted"])


def errors(raw: Any) -> dict[str, str]:
    found = parse(raw, KNOWN)
    assert isinstance(found, dict)
    return {path: said.render() for path, said in found.items()}


THREE_VALUED = [
    ({"all": []}, True),
    ({"any": []}, False),
    ({"none": []}, True),
    ({"all": [YES, FAILS]}, None),
    ({"all": [FAILS, NO]}, False),
    ({"any": [FAILS, YES]}, True),
    ({"any": [FAILS, NO]}, None),
    ({"none": [FAILS, YES]}, False),
    ({"none": [NO, FAILS]}, None),
    ({"none": [NO, NO]}, True),
    ({"none": [YES, NO]}, False),  # no child is true; it does not say that not all are
    ({"all": [{"none": [NO]}, {"any": [NO, {"all": [YES]}]}]}, True),
]


@pytest.mark.parametrize(("raw", "answer"), THREE_VALUED, ids=str)
def test_an_error_counts_only_where_it_could_change_the_answer(raw: Any, answer: bool | None) -> None:
    compiled = ready(raw)
    assert compiled.decide(event(EVENT)) is answer
    assert compiled.explain(event(EVENT)).outcome is answer


BROKEN = [
    (None, {""}),
    ([], {""}),
    ({}, {""}),
    ({"all": [], "any": []}, {""}),
    ({"every": []}, {""}),
    (YES, {""}),
    ({"all": {}}, {""}),
    ({"all": [3]}, {"0"}),
    ({"all": [YES, {"any": []}]}, {"1"}),
    ({"all": [{"any": [{"none": [{"all": [YES]}]}]}]}, {"0.0.0"}),
    ({"all": [{"field": "data.direction", "op": "one_of", "value": ["up"]}]}, {"0.value"}),
    ({"any": [YES, {"none": [{"field": "user", "op": "contains", "value": "x"}]}]}, {"1.0.op"}),
    ({"all": [{"field": "usr", "op": "is_me"}, {"field": ["x"], "op": "is_me"}]}, {"0.field", "1.field"}),
    ({"all": [{"field": "user", "op": "is_me", "value": 5}]}, {"0.value"}),
    ({"all": [{"field": "user", "op": "is_me", "more": 5}]}, {"0"}),
    ({"all": [{"field": "user"}, {"field": "user", "op": {}}]}, {"0.op", "1.op"}),
    ({"all": [{"field": "data.wait_s", "op": "between", "value": [5]}]}, {"0.value"}),
    ({"all": [{"field": "data.wait_s", "op": "between", "value": [7, 5]}]}, {"0.value"}),
    ({"all": [YES] * 101}, {""}),
    ({"all": [{"any": [YES] * 60}, {"any": [YES] * 60}]}, {""}),
]


@pytest.mark.parametrize(("raw", "paths"), BROKEN, ids=range(len(BROKEN)))
def test_errors_name_the_node_and_the_part(raw: Any, paths: set[str]) -> None:
    found = errors(raw)
    assert set(found) == paths
    assert all(said.endswith(".") for said in found.values())


def test_all_errors_are_reported_at_once() -> None:
    assert set(errors({"all": [{"field": "x", "op": "is"}, {"any": [NO | {"value": ""}]}, 5]})) == {
        "0.field",
        "1.0.value",
        "2",
    }


def test_a_hostile_depth_is_refused_without_recursion() -> None:
    raw: Any = {"all": []}
    for _ in range(100_000):
        raw = {"all": [raw]}
    assert set(errors(raw)) == {"0.0.0"}
    while raw["all"]:  # taken apart by hand: freeing such a chain at once would recurse
        raw = raw["all"].pop()


json_values = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(),
        st.text(max_size=5),
        st.sampled_from(["all", "field", "op", "value", "data.x", "is"]),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(["all", "any", "none", "field", "op", "value"]), inner, max_size=3),
    ),
    max_leaves=12,
)


@given(json_values)
def test_whatever_is_sent_is_a_tree_or_errors(raw: Any) -> None:
    assert isinstance(parse(raw, KNOWN), Group | dict)


@given(trees)
def test_a_tree_comes_back_from_its_json_unchanged(raw: Any) -> None:
    kept = parsed(raw)
    assert parsed(json.loads(json.dumps(dump(kept)))) == kept


def test_operands_are_kept_in_the_form_in_which_they_were_sent() -> None:
    raw = {
        "all": [
            {"field": "data.wait_s", "op": "between", "value": [5, 7]},
            {"field": "time.clock", "op": "shift_between", "value": [[1, 2], "22:00", "06:00"]},
            {"field": "data.word", "op": "changed_from_to", "value": [None, "b"]},
            {"field": "user", "op": "is_me"},
        ]
    }
    assert dump(parsed(raw, "call.accepted")) == raw


@given(trees, events)
def test_the_closures_answer_as_the_walk_over_every_node(raw: Any, facts: EventFacts) -> None:
    compiled = ready(raw)
    assert compiled.decide(facts) is compiled.explain(facts).outcome


@given(st.lists(trees, min_size=1, max_size=3), events)
def test_de_morgan_holds_for_errors_too(raws: list[Any], facts: EventFacts) -> None:
    parts = tuple(parsed(raw) for raw in raws)

    def asked(made: Group) -> bool | None:
        return compile_tree(made, fields.fields([TYPE]), Context()).decide(facts)

    opposites = tuple(Group("none", (part,)) for part in parts)
    assert asked(Group("none", parts)) is asked(Group("all", opposites))
    assert asked(Group("none", (Group("all", parts),))) is asked(Group("any", opposites))
    assert asked(Group("none", (Group("none", parts),))) is asked(Group("any", parts))


@given(trees, events, st.randoms(use_true_random=False))
def test_the_order_of_children_never_matters(raw: Any, facts: EventFacts, random: Any) -> None:
    mixed = json.loads(json.dumps(raw))
    random.shuffle(next(iter(mixed.values())))
    assert ready(mixed).decide(facts) is ready(raw).decide(facts)


def test_a_trace_shows_every_condition_and_which_were_not_needed() -> None:
    trace = ready({"all": [NO, {"any": [YES, FAILS]}, {"field": "data.x", "op": "is_empty"}]}).explain(
        event(EVENT)
    )
    rows = [(each.path, each.outcome, each.needed, each.seen, each.empty) for each in walk(trace)]
    assert rows == [
        ("", False, True, None, ""),
        ("0", False, True, "a", ""),
        ("1", True, False, None, ""),
        ("1.0", True, False, "a", ""),
        ("1.1", None, False, ["a"], ""),
        ("2", True, False, None, "absent"),
    ]
    assert trace.children[1].children[1].error is not None


def walk(trace: Trace) -> list[Trace]:
    return [trace, *(below for child in trace.children for below in walk(child))]


@given(trees, events)
def test_a_trace_is_json(raw: Any, facts: EventFacts) -> None:
    kept = ready(raw).explain(facts).as_json()
    assert json.loads(json.dumps(kept, allow_nan=False)) == json.loads(json.dumps(kept))


def test_a_trace_shows_what_changed_and_cuts_long_values() -> None:
    raw = {
        "all": [
            {"field": "data.word", "op": "changed"},
            {"field": "data.long", "op": "contains", "value": "x"},
        ]
    }
    trace = ready(raw).explain(event({"long": "x" * 5000}, changes={"data.word": ("a", "b")}))
    assert trace.children[0].seen == ["a", "b"]
    assert len(trace.children[1].seen) == 201


def test_trace_distinguishes_absent_null_and_empty() -> None:
    raw = {"all": [{"field": "data.x", "op": "is_empty"}]}
    seen = [ready(raw).explain(event(data)).children[0].empty for data in ({}, {"x": None}, {"x": ""})]
    assert seen == ["absent", "null", "empty"]


def test_a_field_or_operator_that_went_away_is_an_error_and_not_false() -> None:
    for lost in (
        Condition("gone", "is", ("a",)),
        Condition("data.word", "gone"),
        Condition("user", "is", ("a",)),
    ):
        compiled = compile_tree(Group("all", (lost,)), KNOWN, Context())
        assert compiled.decide(event(EVENT)) is None
        assert compiled.explain(event(EVENT)).children[0].error is not None


def test_a_rule_reads_the_clock_of_its_own_zone() -> None:
    raw = {"all": [{"field": "time.clock", "op": "clock_between", "value": ["09:00", "10:00"]}]}
    answers = [ready(raw, context=Context(zone)).decide(event()) for zone in ("Europe/Prague", "UTC")]
    assert answers == [True, False]


def test_a_rule_finds_in_a_backtest_what_it_found_live() -> None:
    raw = {"all": [{"field": "time", "op": "is_today"}]}
    assert ready(raw).decide(event(time_ms=MONDAY - 10**11)) is True


SENTENCES = [
    ({"all": []}, "always"),
    ({"any": []}, "never"),
    ({"all": [YES]}, "Other data field “data.word” is a"),
    (
        {
            "all": [
                {"field": "data.direction", "op": "one_of", "value": ["in", "out"]},
                {"none": [{"field": "user", "op": "is_me"}]},
            ]
        },
        "Direction is one of in, out and not (User is me)",
    ),
    (
        {
            "any": [
                {"field": "data.wait_s", "op": "between", "value": [5, 9]},
                {"all": [{"field": "session", "op": "is_empty"}, {"field": "user", "op": "is_me"}]},
            ]
        },
        "Waiting time is between 5 and 9 or (Session is empty and User is me)",
    ),
    (
        {"all": [{"field": "session", "op": "changed_from_to", "value": [None, "%(x)s"]}]},
        "Session changed from anything to %(x)s",
    ),
]


@pytest.mark.parametrize(("raw", "said"), SENTENCES, ids=[said for _raw, said in SENTENCES])
def test_a_tree_reads_as_a_sentence(raw: Any, said: str) -> None:
    found = sentence(parsed(raw, "call.accepted"), fields.fields(["call.accepted"]))
    assert found.render() == said


@given(trees)
def test_every_tree_has_a_sentence(raw: Any) -> None:
    assert sentence(parsed(raw), KNOWN).render()


def test_paths_name_the_nodes() -> None:
    made = parsed({"all": [YES, {"any": [NO, YES]}]})
    assert [path for path, _ in conditions.conditions(made)] == ["0", "1.0", "1.1"]
