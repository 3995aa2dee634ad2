"""Steps that are due: claimed once, taken back from the dead, delayed, held, replayed, cancelled."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler

import pytest
import time_machine
from flask import Flask

from dashboard.db import database
from dashboard.jobs import worker
from dashboard.models import Event, Rule, Run, Step
from dashboard.notify import outbox, result, safe_http
from dashboard.rulelang.outcomes import StepState
from dashboard.rules import active_rules
from tests.notify import receivers, steps
from tests.notify.receivers import Receiver, receiving

NOW = 1_772_438_400  # as the clock of these tests
Act = Callable[[BaseHTTPRequestHandler], None]


pytestmark = [pytest.mark.both_databases, pytest.mark.usefixtures("app", "quick")]


def allow(*allowed: Receiver) -> None:
    safe_http.install([each.place for each in allowed])


def events() -> list[str]:
    return [row[0] for row in Event.select(Event.type).order_by(Event.id).tuples()]


@pytest.mark.parametrize("most", [1, 5, 100])
def test_a_destination_takes_so_many_at_once_and_failing_ones_leave_threads_free(
    app: Flask, most: int
) -> None:
    failing = [steps.channel("http://127.0.0.1:1/", failures=1) for _ in range(outbox.THREADS)]
    good = steps.channel("http://127.0.0.1:1/")
    ordered = steps.channel("http://127.0.0.1:1/", ordered=True)
    for channel in [*failing, *failing, *[good] * (outbox.AT_ONCE + 1), ordered, ordered]:
        steps.step("webhook", channel_id=channel.id)
    for _ in range(2):
        steps.mail()
    taken: list[Step] = []
    while found := outbox.claim("w", most):
        taken += found
    wanted = [(channel.id, "webhook") for channel in failing[: outbox.THREADS - outbox.FOR_HEALTHY]]
    wanted += [(good.id, "webhook")] * outbox.AT_ONCE
    expected = [*wanted, (ordered.id, "webhook"), (None, "email")]
    assert [(step.channel_id, step.action) for step in taken] == expected
    assert [(step.state, step.attempts, step.payload) for step in map(steps.again, taken)] == [
        ("running", 1, step.payload) for step in taken
    ]


def test_destinations_that_are_full_hide_no_step_behind_theirs(app: Flask) -> None:
    ordered, good = steps.channel("http://127.0.0.1:1/", ordered=True), steps.channel("http://127.0.0.1:1/")
    for channel in [*[ordered] * 20, good]:
        steps.step("webhook", channel_id=channel.id)
    assert [step.channel_id for step in outbox.claim("w", 5)] == [ordered.id, good.id]
    assert outbox.claim("w", 5) == []


def test_workers_side_by_side_never_take_the_same_step(app: Flask) -> None:
    made = [steps.step("webhook", channel_id=steps.channel("http://127.0.0.1:1/").id) for _ in range(30)]
    start = threading.Barrier(4)

    def take(name: str) -> list[int]:
        with database.connection_context():
            start.wait()
            mine = []
            while found := outbox.claim(name, 3):
                mine += [step.id for step in found]
            return mine

    with ThreadPoolExecutor(4) as pool:
        taken = [ident for mine in pool.map(take, "abcd") for ident in mine]
    assert sorted(taken) == [step.id for step in made]


def test_a_dead_workers_step_waits_again_with_the_same_key(
    app: Flask, clock: time_machine.Coordinates
) -> None:
    step = steps.step("webhook", channel_id=steps.channel("http://127.0.0.1:1/").id)
    [first] = outbox.claim("dead")
    clock.shift(outbox.WORK.lease_ms / 1000)
    assert outbox.claim("other") == []
    clock.shift(1)
    [second] = outbox.claim("other")
    assert (second.id, second.key, second.attempts) == (step.id, step.key, 2)
    assert not outbox.end(first, StepState.DONE)
    assert not outbox.again(first, 1, "late", {})
    outbox.WORK.release([first])
    assert (steps.again(step).state, steps.again(step).worker) == ("running", "other")


def test_a_mail_is_uncertain_only_if_its_sending_had_begun(
    app: Flask, clock: time_machine.Coordinates
) -> None:
    begun, untouched = steps.mail(), steps.mail("petr@example.org")
    [taken] = outbox.claim("dead")
    assert outbox.begin(taken)
    Step.update(state="running", lease_ms=taken.lease_ms or 0, attempts=1).where(
        Step.id == untouched.id
    ).execute()
    clock.shift(outbox.WORK.lease_ms / 1000 + 1)
    [again] = outbox.claim("other")
    assert again.id == untouched.id
    assert (steps.again(begun).state, steps.again(begun).error) == ("uncertain", outbox.UNSURE)
    assert Run.get_by_id(begun.run_id).outcome == "partly"


def test_a_step_that_kills_every_worker_is_given_up(app: Flask, clock: time_machine.Coordinates) -> None:
    step = steps.step("webhook", channel_id=steps.channel("http://127.0.0.1:1/").id)
    for _ in range(len(result.RETRIES_S) + 1):
        assert len(outbox.claim("dies")) == 1
        clock.shift(outbox.WORK.lease_ms / 1000 + 1)
    assert outbox.claim("dies") == []
    assert (steps.again(step).state, steps.again(step).error) == ("dead", outbox.DIED)


def test_while_all_rules_are_stopped_nothing_leaves(app: Flask) -> None:
    with database.atomic():
        active_rules.stop(True)
    step = steps.step("log", payload={"text": "Here"})
    assert worker.drain() == 0
    with database.atomic():
        active_rules.stop(False)
    worker.drain()
    assert steps.again(step).state == "done"


def test_a_delayed_action_is_done_once_when_its_time_has_come(
    app: Flask, clock: time_machine.Coordinates
) -> None:
    step = steps.step("note", payload={"text": "Later"}, due_ms=(NOW + 600) * 1000)
    assert worker.drain() == 0
    clock.shift(600)
    assert worker.drain() == 1
    assert (steps.again(step).state, Run.get_by_id(step.run_id).outcome) == ("done", "done")


def test_a_delayed_action_of_a_rule_that_is_off_is_cancelled(
    app: Flask, clock: time_machine.Coordinates
) -> None:
    rule = steps.rule()
    step = steps.step("note", steps.run(rule), payload={"text": "Later"}, due_ms=(NOW + 600) * 1000)
    prompt = steps.step("note", steps.run(rule), payload={"text": "Now"})
    Rule.update(state="off").where(Rule.id == rule.id).execute()
    clock.shift(600)
    worker.drain()
    assert (steps.again(step).state, steps.again(prompt).state) == ("cancelled", "done")
    assert steps.again(step).error


def test_replay_sends_again_with_the_same_key_and_only_what_was_tried() -> None:
    with receiving(receivers.answers(404)) as receiver:
        allow(receiver)
        channel = steps.channel(receiver.url)
        tried = steps.step("webhook", channel_id=channel.id)
        never = steps.step("webhook", channel_id=channel.id, state="failed", payload={})
        worker.drain()
        assert Run.get_by_id(tried.run_id).outcome == "failed"
        assert outbox.replay([tried.id, never.id, 999]) == 1
        assert Run.get_by_id(tried.run_id).outcome == "waiting"
        assert outbox.replay([tried.id]) == 0
        worker.drain()
    assert [got.headers["webhook-id"] for got in receiver.got] == [tried.key] * 2


def test_what_waits_can_be_cancelled_and_what_is_done_cannot(app: Flask) -> None:
    waits = steps.step("log", due_ms=(NOW + 10**9) * 1000)
    done = steps.step("log", state="done")
    assert outbox.cancel([waits.id, done.id]) == 1
    assert (steps.again(waits).state, steps.again(waits).error) == ("cancelled", outbox.CANCELLED)
    assert Run.get_by_id(waits.run_id).outcome == "cancelled"
