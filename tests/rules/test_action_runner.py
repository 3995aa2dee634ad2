"""What a run does: what fails and what that means for the rest, what waits, and how it ends."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest

from dashboard.db import database
from dashboard.models import (
    AuditEntry,
    Channel,
    Event,
    Mark,
    Rule,
    Run,
    Step,
)
from dashboard.rules import active_rules, internal_actions, runs
from tests import make
from tests.rules.engine import LOG, digest, event, notices, notify, outcomes, rule, send, steps, take

pytestmark = pytest.mark.usefixtures("db")

NOTE = {"do": "note", "text": "seen"}
LOST = {"do": "notify", "to": {"users": [99_999]}, "title": "nobody"}


def states() -> list[tuple[str, str, str]]:
    return steps(Step.action, Step.state, Step.error)


@pytest.mark.parametrize(
    ("change", "why"),
    [({"active": False}, "is off"), ({"kind": "webhook"}, "no longer exists")],
)
def test_a_channel_that_cannot_be_used_fails_its_step_alone(change: dict[str, Any], why: str) -> None:
    channel = Channel.create(name="Room", kind="chat", address="https://x.example", created_ts=1)
    one = rule([{"do": "chat", "channel": channel.id, "text": "x"}, NOTE])
    Channel.update(**change).execute()
    assert take(event()) == [(one.id, "partly")]
    assert [(action, state) for action, state, _error in states()] == [("chat", "failed"), ("note", "done")]
    assert why in states()[0][2]


@pytest.mark.parametrize(
    ("on_error", "expected", "marks", "outcome"),
    [
        ("continue", ["done", "failed", "done"], 2, "partly"),
        ("stop", ["done", "failed", "cancelled"], 1, "partly"),
        ("undo", ["cancelled", "failed", "cancelled"], 0, "failed"),
    ],
)
def test_the_policy_of_a_failed_action_decides_about_the_others(
    on_error: str, expected: list[str], marks: int, outcome: str
) -> None:
    one = rule([NOTE, {**LOST, "on_error": on_error}, NOTE])
    assert take(event()) == [(one.id, outcome)]
    assert ([state for _action, state, _error in states()], Mark.select().count()) == (expected, marks)
    assert states()[1][2] == "None of the recipients exist or are active."


def test_a_run_that_fails_is_an_event() -> None:
    one = rule(LOST)
    take(event())
    row = Event.get(Event.type == "rule.run_failed")
    assert one.name in row.data
    assert outcomes() == [(one.id, "failed")]


def test_rolled_back_run_records_no_event_and_notifies_nobody() -> None:
    jana = make.user("jana")
    rule([notify(jana), {"do": "emit", "type": "custom.b"}, LOG, {**LOST, "on_error": "undo"}])
    take(event())
    assert notices(jana) == []
    assert Event.select().where(Event.type == "custom.b").count() == 0
    assert AuditEntry.select().where(AuditEntry.action == "rule.logged").count() == 0


def test_tags_are_given_once_and_taken_away() -> None:
    rule({"do": "tag", "tags": ["a", "b"]}, types=["custom.a"])
    rule({"do": "untag", "tags": ["a"]}, types=["custom.b"])
    take(
        event("custom.a", interaction="c1"),
        event("custom.a", interaction="c1"),
        event("custom.a", interaction="c2"),
    )
    take(event("custom.b", interaction="c1"))
    given = sorted(Mark.select(Mark.subject, Mark.text).tuples())
    assert given == [("interaction:pbx:c1", "b"), ("interaction:pbx:c2", "a"), ("interaction:pbx:c2", "b")]


def test_an_event_that_an_administrator_switched_off_cannot_be_emitted() -> None:
    from dashboard.events import switches

    switches.choose("custom.b", switches.Choice(recorded=False, in_rules=False))
    one = rule({"do": "emit", "type": "custom.b"})
    assert take(event()) == [(one.id, "failed")]


@pytest.fixture
def delayed() -> Rule:
    return rule({**NOTE, "delay_s": 600}, ["ticket.updated"])


def wait_for(name: str = "t1") -> Step:
    make.user("jana")
    take(event("ticket.updated", interaction=name, user="jana"))
    return Step.get()


def test_a_delayed_action_is_planned_and_done_later(delayed: Rule) -> None:
    step = wait_for()
    assert outcomes(delayed) == [(delayed.id, "waiting")]
    assert (step.state, step.due_ms) == ("waiting", step.made_ms + 600_000)
    assert (runs.cancelled(step), Mark.select().count()) == ("", 0)
    internal_actions.do(step)
    Step.update(state="done").execute()
    runs.settle(step.run_id)
    assert outcomes(delayed) == [(delayed.id, "done")]
    assert Mark.get().subject == "interaction:pbx:t1"


def test_a_delayed_action_is_cancelled_when_the_rule_is_off_or_gone(delayed: Rule) -> None:
    step = wait_for()
    Rule.update(state="off").execute()
    assert "no longer on" in runs.cancelled(step)
    Rule.delete().execute()
    assert "deleted" in runs.cancelled(step)


def test_a_delayed_action_is_cancelled_when_its_subject_has_ended(delayed: Rule) -> None:
    step = wait_for()
    take(event("ticket.closed", 5, interaction="t1", user="jana"))
    assert "closed in the meantime" in runs.cancelled(step)
    take(event("ticket.reopened", 6, interaction="t1", user="jana"))
    assert runs.cancelled(step) == ""


def test_what_began_after_the_end_is_not_cancelled_by_it() -> None:
    make.user("jana")
    rule({**NOTE, "delay_s": 600}, ["ticket.closed"])
    take(event("ticket.closed", interaction="t1", user="jana"))
    assert runs.cancelled(Step.get()) == ""


@pytest.mark.parametrize(
    ("ends", "outcome"),
    [
        (["done", "done"], "done"),
        (["done", "dead"], "partly"),
        (["uncertain", "failed"], "partly"),
        (["dead", "failed"], "failed"),
        (["held", "done"], "done"),
        (["cancelled", "cancelled"], "cancelled"),
        (["held", "held"], "throttled"),
        (["waiting", "done"], "waiting"),
        (["running", "dead"], "waiting"),
    ],
)
def test_a_run_comes_to_what_its_steps_come_to(ends: list[str], outcome: str) -> None:
    one = rule([{**NOTE, "delay_s": 5}, {**NOTE, "delay_s": 5}])
    take(event())
    for step, state in zip(Step.select().order_by(Step.id), ends, strict=True):
        Step.update(state=state).where(Step.id == step.id).execute()
    runs.settle(Run.get().id)
    digest()
    assert outcomes(one) == [(one.id, outcome)]
    assert Event.select().where(Event.type == "rule.run_failed").count() == (outcome == "failed")


def test_a_pattern_that_would_explode_holds_up_nothing() -> None:
    rule(LOG, **{"if": {"all": [{"field": "data.text", "op": "matches", "value": "(a+)+$"}]}})
    calm = rule(LOG)
    send(event(data={"text": "a" * 30_000 + "b"}))
    digest()
    assert (calm.id, "done") in outcomes()
    assert active_rules.live().rules.keys() >= {calm.id}


def test_steps_that_end_at_the_same_time_end_their_run() -> None:
    one = rule([{**NOTE, "delay_s": 5}, {**NOTE, "delay_s": 5}])
    for number in range(5):
        take(event(interaction=str(number)))
    pairs = [[step.id for step in Step.select().where(Step.run == run.id)] for run in Run.select()]
    start = Barrier(2)

    def end(side: int) -> None:
        with database.connection_context():
            for pair in pairs:
                start.wait()
                with database.atomic():
                    Step.update(state="done").where(Step.id == pair[side]).execute()
                    runs.settle(Step.get_by_id(pair[side]).run_id)

    with ThreadPoolExecutor(2) as threads:
        list(threads.map(end, (0, 1)))
    assert outcomes(one) == [(one.id, "done")] * 5
