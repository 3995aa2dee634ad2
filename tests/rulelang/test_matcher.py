"""The matcher: order, stop, loops, keys, shadow, and an index that only saves work."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.rulelang.conditions import ALWAYS
from dashboard.rulelang.fields import EventFacts
from dashboard.rulelang.matcher import Evaluation, Index, Loop, Outcome, RuleSpec, State, explain, match
from tests.rulelang.make import TYPE, event, events, spec, trees

QUEUE = {"all": [{"field": "queue", "op": "one_of", "value": [1, 2]}]}
FAILS = {"all": [{"field": "data.list", "op": "is", "value": "a"}]}


def asked(rules: list[RuleSpec], facts: EventFacts) -> list[tuple[int, Outcome]]:
    return [(run.rule.id, run.outcome) for run in match(Index.build(rules), facts)]


def ids(rules: list[RuleSpec], facts: EventFacts | None = None) -> list[int]:
    return [id_ for id_, _outcome in asked(rules, facts or event())]


def test_a_rule_on_several_types_runs_for_each() -> None:
    rule = spec(types=("custom.a", "custom.b"))
    assert ids([rule], event(type_="custom.b")) == [1]
    assert ids([rule], event(type_="custom.c")) == []


def test_rules_run_by_position_the_sites_before_personal_ones_ties_by_id() -> None:
    rules = [
        spec(5, position=1),
        spec(4, position=1),
        spec(3, owner=9),
        spec(2, position=2),
        spec(1, owner=9),
    ]
    assert ids(rules) == [4, 5, 2, 1, 3]


def test_stop_keeps_later_rules_of_its_group_only() -> None:
    rules = [spec(1, group=7, stop=True), spec(2, group=7), spec(3, group=8), spec(4)]
    assert ids(rules) == [1, 3, 4]


@pytest.mark.parametrize(
    "first",
    [spec(1, stop=True, state=State.SHADOW), spec(1, FAILS, stop=True), spec(1, QUEUE, stop=True)],
    ids=["in shadow", "in error", "not matched"],
)
def test_a_rule_that_does_not_act_stops_no_other(first: RuleSpec) -> None:
    assert 2 in ids([first, spec(2)], event({"list": ["a"]}))


@pytest.mark.parametrize(
    ("state", "found"),
    [(State.ON, [False]), (State.SHADOW, [True]), (State.OFF, []), (State.PAUSED, [])],
)
def test_only_rules_that_are_on_or_in_shadow_are_matched(state: State, found: list[bool]) -> None:
    assert [run.shadow for run in match(Index.build([spec(state=state)]), event())] == found


def test_a_condition_error_is_an_outcome_of_its_own() -> None:
    assert asked([spec(1, FAILS), spec(2, QUEUE)], event({"list": ["a"]})) == [(1, Outcome.ERROR)]


@pytest.mark.parametrize(
    ("loop", "chain", "outcome"),
    [
        (Loop.ONCE, (), Outcome.MATCHED),
        (Loop.ONCE, (2, 3), Outcome.MATCHED),
        (Loop.ONCE, (2, 1), Outcome.LOOP_STOPPED),
        (Loop.IGNORE, (), Outcome.MATCHED),
        (Loop.IGNORE, (2,), Outcome.LOOP_STOPPED),
        (Loop.ALLOW, (1, 1, 1), Outcome.MATCHED),
        (Loop.ALLOW, (1,) * 10, Outcome.DEPTH_STOPPED),
    ],
)
def test_a_rule_answers_events_of_rules_as_its_policy_says(
    loop: Loop, chain: tuple[int, ...], outcome: Outcome
) -> None:
    assert asked([spec(1, loop=loop)], event(chain=chain)) == [(1, outcome)]


def test_who_caused_an_event_is_a_condition() -> None:
    raw = {
        "all": [
            {"field": "cause.rule", "op": "has_any", "value": [4]},
            {"field": "cause.by_rule", "op": "is_true"},
            {"field": "cause.depth", "op": "eq", "value": 2},
        ]
    }
    assert ids([spec(1, raw)], event(chain=(4, 5))) == [1]
    assert ids([spec(1, raw)], event()) == []


def test_a_run_is_named_by_rule_version_and_event() -> None:
    [run] = match(Index.build([spec(3, version=2)]), event(id=77))
    assert (run.rule.id, run.rule.version, run.firing) == (3, 2, "77")


def test_matching_twice_gives_the_same_runs() -> None:
    index, facts = Index.build([spec(1), spec(2, FAILS)]), event({"list": ["a"]})

    def keys() -> list[tuple[int, str, Outcome]]:
        return [(run.rule.id, run.firing, run.outcome) for run in match(index, facts)]

    assert keys() == keys()


def test_a_trace_made_later_shows_what_the_match_saw() -> None:
    [run] = match(Index.build([spec(1, QUEUE)]), event(queue=2))
    assert (run.trace.outcome, run.trace.children[0].seen) == (True, 2)


def test_why_not_explains_a_rule_that_did_not_match_or_is_off() -> None:
    run = explain(spec(1, QUEUE, state=State.OFF), event(queue=5))
    assert (run.outcome, run.trace.children[0].seen) == (Outcome.NOT_MATCHED, 5)
    assert explain(spec(1), event(type_="custom.other")).outcome is Outcome.NOT_MATCHED
    assert explain(spec(1, QUEUE), event(queue=1)).outcome is Outcome.MATCHED
    assert explain(spec(1, FAILS), event({"list": ["a"]})).outcome is Outcome.ERROR


def test_error_of_a_required_field_is_reported_though_it_is_indexed() -> None:
    raw = {"all": [{"field": "user", "op": "one_of", "value": [1]}]}
    rule = spec(1, raw, types=("agent.ready",))
    assert asked([rule], event(type_="agent.ready")) == [(1, Outcome.ERROR)]
    assert asked([rule], event(type_="agent.ready", user=2)) == []


def test_the_effective_order_of_a_type_can_be_read() -> None:
    index = Index.build([spec(2), spec(1, QUEUE), spec(3, types=("custom.b",))])
    assert [rule.id for rule in index.concerning(TYPE)] == [1, 2]
    assert index.concerning("custom.none") == []


@given(st.lists(st.tuples(trees, st.booleans(), st.integers(0, 1)), max_size=8), events)
def test_the_index_finds_what_trying_every_rule_finds(rows: list[Any], facts: EventFacts) -> None:
    rules = [spec(n, raw, stop=stop, group=group) for n, (raw, stop, group) in enumerate(rows)]
    expected, stopped = [], set()
    for rule in rules:
        outcome = explain(rule, facts).outcome
        if outcome is Outcome.NOT_MATCHED or rule.group in stopped:
            continue
        expected.append((rule.id, outcome))
        if rule.stop and outcome is Outcome.MATCHED:
            stopped.add(rule.group)
    assert asked(rules, facts) == expected


def calls(index: Index, facts: EventFacts) -> int:
    """Return how many Python calls a match takes."""
    found = 0

    def count(_frame: object, kind: str, _arg: object) -> None:
        nonlocal found
        found += kind == "call"

    match(index, facts)
    sys.setprofile(count)
    try:
        match(index, facts)
    finally:
        sys.setprofile(None)
    return found


def test_rules_of_other_types_cost_nothing() -> None:
    others = [spec(n, types=(f"custom.t{n}",)) for n in range(2, 200)]
    facts = event(queue=1)
    assert calls(Index.build([spec(1, QUEUE), *others]), facts) == calls(Index.build([spec(1, QUEUE)]), facts)


def test_rules_of_other_queues_cost_nothing() -> None:
    others = [spec(n, {"all": [{"field": "queue", "op": "one_of", "value": [n]}]}) for n in range(3, 200)]
    facts = event(queue=1)
    assert calls(Index.build([spec(1, QUEUE), *others]), facts) == calls(Index.build([spec(1, QUEUE)]), facts)


def test_a_rule_without_conditions_always_matches() -> None:
    [run] = match(Index.build([RuleSpec(1, 1, (TYPE,))]), event())
    assert isinstance(run, Evaluation)
    assert run.rule.tree is ALWAYS
