"""Rules that cause events: each loop is seen, stopped where it closes, and named in the history."""

from __future__ import annotations

import json
from typing import Any

import pytest
from flask import Flask

from dashboard import clock
from dashboard.models import AuditEntry, Event, EventCause, Rule, Run
from dashboard.rules import loop_guard
from tests.api import Api, custom
from tests.rules.engine import LOG, acted, digest, event, rule, take

pytestmark = pytest.mark.usefixtures("db")


def emit(type_: str, **data: str) -> dict[str, Any]:
    return {"do": "emit", "type": type_, "data": data}


def signed(app: Flask, *rules: int) -> str:
    with app.app_context():
        return loop_guard.chain_header(rules)


def test_a_rule_that_causes_its_own_event_runs_once_in_a_chain() -> None:
    one = rule(emit("custom.sale"))
    assert take(event()) == [(one.id, "done"), (one.id, "loop_stopped")]
    stopped = Run.get(Run.outcome == "loop_stopped")
    assert (stopped.chain, stopped.depth) == ([one.id], 1)
    assert EventCause.get().chain == [one.id]


def test_two_rules_that_cause_each_others_events_run_once_each() -> None:
    first, second = rule(emit("custom.b"), types=["custom.a"]), rule(emit("custom.a"), types=["custom.b"])
    assert take(event("custom.a")) == [(first.id, "done"), (second.id, "done"), (first.id, "loop_stopped")]


@pytest.mark.parametrize(
    ("loop", "expected"),
    [
        ("ignore", ["done", "loop_stopped"]),
        ("once", ["done", "loop_stopped"]),
        ("allow", ["done"] * 10 + ["depth_stopped"]),
    ],
)
def test_the_policy_of_a_rule_says_how_far_its_chain_goes(loop: str, expected: list[str]) -> None:
    rule(emit("custom.sale"), loop=loop)
    assert [outcome for _rule, outcome in take(event())] == expected


def test_a_rule_that_ignores_causes_runs_on_what_no_rule_caused() -> None:
    first = rule(emit("custom.b"), types=["custom.a"])
    wary, other = rule(LOG, types=["custom.b"], loop="ignore"), rule(LOG, types=["custom.b"])
    take(event("custom.a"))
    assert acted() == [(first.id, "done"), (wary.id, "loop_stopped"), (other.id, "done")]
    take(event("custom.b"))
    assert acted()[3:] == [(wary.id, "done"), (other.id, "done")]


def test_a_rule_whose_entry_in_the_audit_log_matches_itself_writes_one() -> None:
    one = rule(LOG, types=["custom.sale", "rule.logged"])
    assert take(event()) == [(one.id, "done"), (one.id, "loop_stopped")]
    assert AuditEntry.select().where(AuditEntry.action == "rule.logged").count() == 1


def test_a_rule_about_failed_runs_that_fails_itself_stops() -> None:
    one = rule(
        {"do": "notify", "to": {"users": [999]}, "title": "x"}, types=["custom.sale", "rule.run_failed"]
    )
    assert take(event()) == [(one.id, "failed"), (one.id, "loop_stopped")]


def test_an_emitted_event_is_about_the_same_subject_and_carries_its_data() -> None:
    rule(emit("custom.b", word="{{ event.interaction }}"), types=["custom.a"], updated_by=None)
    take(event("custom.a", interaction="c1", user="jana", queue="sales"))
    made, given = Event.get(Event.type == "custom.b"), Event.get(Event.type == "custom.a")
    same = ("source_id", "interaction", "user_id", "queue_id")
    assert [getattr(made, name) for name in same] == [getattr(given, name) for name in same]
    assert made.data == '{"word": "•••"}'


def test_a_host_that_calls_back_with_the_header_stays_in_the_chain(app: Flask, client: Any) -> None:
    one = rule(LOG, types=["custom.seen"])
    header = signed(app, 7, one.id)
    Api(client).send(
        json.dumps({"type": "custom.seen", "time": clock.now().isoformat()}),
        headers={loop_guard.HEADER: header},
    )
    digest()
    assert acted() == [(one.id, "loop_stopped")]
    assert Run.get().chain == [7, one.id]


@pytest.mark.parametrize(
    "forged",
    ["", "1", "1 " + "0" * 64, "1.x " + "0" * 64, "0 " + "a" * 64, "9" * 5000, "1 ٠", "-1 " + "0" * 64],
)
def test_a_chain_that_this_site_did_not_sign_is_none(app: Flask, client: Any, forged: str) -> None:
    one = rule(LOG, types=["custom.seen"])
    answer = Api(client).send(
        json.dumps({"type": "custom.seen", "time": clock.now().isoformat()}),
        headers={loop_guard.HEADER: forged.encode().decode("latin-1")},
    )
    assert answer.status_code == 202
    digest()
    assert acted() == [(one.id, "done")]


def test_a_chain_of_another_site_is_none(app: Flask) -> None:
    header = signed(app, 1, 2)
    with app.app_context():
        assert loop_guard.read_chain(header) == (1, 2)
        assert loop_guard.read_chain(header.replace("1.2", "1.3")) == ()
        assert loop_guard.chain_header(()) == ""


def test_events_of_a_batch_keep_their_cause_and_repeats_get_none(app: Flask, client: Any) -> None:
    api, header = Api(client), signed(app, 5)
    api.post(custom("old"))
    body = json.dumps([custom("old"), custom("new")])
    api.send(body, headers={loop_guard.HEADER: header})
    ids = dict(Event.select(Event.external_id, Event.id).tuples())
    assert [(row.event_id, row.chain) for row in EventCause.select()] == [(ids["new"], [5])]


def test_a_paused_rules_event_names_the_rule_as_its_cause() -> None:
    one = rule(LOG, types=["custom.sale", "rule.auto_paused"])
    take(*(event(interaction="c", seconds=number) for number in range(21)))
    assert Rule.get_by_id(one.id).state == "paused"
    event_id = Event.get(Event.type == "rule.auto_paused").id
    assert EventCause.get(EventCause.event_id == event_id).chain == [one.id]
