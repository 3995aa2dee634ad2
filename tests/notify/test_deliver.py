"""Steps on their way out: claimed once, tried again, given up visibly, nobody held up by another."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler

import pytest
import time_machine
from flask import Flask

from dashboard.access.permissions import Permission
from dashboard.db import database
from dashboard.jobs import worker
from dashboard.models import AuditEntry, Channel, Event, EventCause, Notification, Profile, Run, Step
from dashboard.notify import channels, deliver, email, outbox, result, safe_http
from dashboard.rulelang.outcomes import StepState
from dashboard.rules import active_rules, internal_actions
from tests import make
from tests.notify import receivers, steps
from tests.notify.receivers import Receiver, receiving

NOW = 1_772_438_400  # as the clock of these tests
Act = Callable[[BaseHTTPRequestHandler], None]


pytestmark = [pytest.mark.both_databases, pytest.mark.usefixtures("app", "quick")]


def allow(*allowed: Receiver) -> None:
    safe_http.install([each.place for each in allowed])


def events() -> list[str]:
    return [row[0] for row in Event.select(Event.type).order_by(Event.id).tuples()]


def test_a_delivery_ends_its_step_and_its_run_and_says_how_it_went() -> None:
    with receiving() as receiver:
        allow(receiver)
        channel = steps.channel(receiver.url, failures=3)
        step = steps.step("webhook", channel_id=channel.id)
        assert worker.drain() == 1
    done = steps.again(step)
    assert (done.state, done.attempts, done.error) == (StepState.DONE, 1, "")
    assert (done.receipt["status"], done.receipt["length"]) == (200, 0)
    assert Run.get_by_id(step.run_id).outcome == "done"
    kept = Channel.get_by_id(channel.id)
    assert (kept.failures, kept.last_ok_ms is not None) == (0, True)
    assert [got.headers["webhook-id"] for got in receiver.got] == [step.key]
    assert worker.drain() == 0


def test_a_failing_delivery_is_tried_seven_times_with_one_id_and_then_given_up(
    clock: time_machine.Coordinates,
) -> None:
    with receiving(receivers.answers(500)) as receiver:
        allow(receiver)
        step = steps.step("webhook", channel_id=steps.channel(receiver.url).id)
        for attempt, pause in enumerate(result.RETRIES_S, 1):
            assert worker.drain() == 1
            kept = steps.again(step)
            assert (kept.state, kept.attempts, kept.error) == ("waiting", attempt, result.FAILING)
            wait_s = (kept.due_ms or 0) / 1000 - time.time()
            assert pause * 0.9 <= wait_s <= pause * 1.1
            clock.shift(wait_s - 0.01)
            assert worker.drain() == 0
            clock.shift(0.02)
        assert "channel.delivery_failed" not in events()
        assert worker.drain() >= 1
    assert len({got.headers["webhook-id"] for got in receiver.got}) == 1
    assert len(receiver.got) == 7
    assert (steps.again(step).state, Run.get_by_id(step.run_id).outcome) == ("dead", "failed")
    assert sorted(events()) == ["channel.delivery_failed", "rule.run_failed"]
    assert {tuple(row.chain) for row in EventCause.select()} == {(step.rule_id,)}


def test_a_refusal_is_final_and_the_receivers_pause_is_kept(clock: time_machine.Coordinates) -> None:
    acts = [receivers.answers(404), receivers.answers(429, b"", {"Retry-After": "7200"})]
    with receiving(acts[0]) as refusing, receiving(acts[1]) as busy:
        allow(refusing, busy)
        refused, asked = (
            steps.step("webhook", channel_id=steps.channel(each.url).id) for each in (refusing, busy)
        )
        worker.drain(None)
    assert (steps.again(refused).state, steps.again(refused).error) == ("failed", result.REFUSED)
    kept = steps.again(asked)
    assert (kept.state, kept.due_ms) == ("waiting", (NOW + 7200) * 1000)


def test_gone_receiver_turns_its_channel_off_and_notifies_operators() -> None:
    chief = make.administrator()
    make.user("agent", access=make.access([Permission.RULES_OWN]))
    with receiving(receivers.answers(410)) as receiver:
        allow(receiver)
        channel = steps.channel(receiver.url, name="Night desk")
        token = active_rules.live().version
        first = steps.step("webhook", channel_id=channel.id)
        later = steps.step("webhook", channel_id=channel.id)
        worker.drain()
    assert len(receiver.got) == 1
    assert (steps.again(first).error, steps.again(later).error) == (result.GONE, deliver.CHANNEL_OFF)
    kept = Channel.get_by_id(channel.id)
    assert (kept.active, kept.disabled_reason) == (False, result.GONE)
    assert AuditEntry.get(AuditEntry.action == "channel.disabled").target_label == "Night desk"
    assert "channel.disabled" in events()
    assert active_rules.live().version != token
    (notice,) = Notification.select()
    assert (notice.user_id, notice.title) == (chief.id, "Channel Night desk turned off")
    channels.disable(kept, "again")
    assert Notification.select().count() == 1


def test_twenty_failures_in_a_row_end_a_channel_and_one_success_begins_the_count_anew() -> None:
    with receiving(receivers.answers(400)) as failing, receiving() as healthy:
        allow(failing, healthy)
        bad = steps.channel(failing.url, failures=18)
        good = steps.channel(healthy.url, failures=19)
        for channel in (good, bad):
            steps.step("webhook", channel_id=channel.id)
        worker.drain()
        assert [Channel.get_by_id(c.id).failures for c in (good, bad)] == [0, 19]
        steps.step("webhook", channel_id=bad.id)
        worker.drain()
    assert [Channel.get_by_id(c.id).active for c in (good, bad)] == [True, False]
    assert Channel.get_by_id(bad.id).disabled_reason == channels.TOO_MANY


def test_a_receiver_that_fails_or_asks_to_wait_gets_a_pause_from_all_that_is_due(
    clock: time_machine.Coordinates,
) -> None:
    """So a full queue does not use up the failures that a channel may have."""
    acts = [receivers.answers(500), receivers.answers(429, b"", {"Retry-After": "90"})]
    with receiving(acts[0]) as failing, receiving(acts[1]) as busy:
        allow(failing, busy)
        bad, asked = steps.channel(failing.url, failures=2), steps.channel(busy.url, failures=19)
        made = [steps.step("webhook", channel_id=each.id) for each in (bad, asked) for _ in range(30)]
        worker.drain()
        assert (len(failing.got), len(busy.got)) == (1, 1)
    assert [Channel.get_by_id(each.id).failures for each in (bad, asked)] == [3, 19]
    assert Channel.get_by_id(asked.id).active
    assert steps.again(made[29]).due_ms == NOW * 1000 + 3 * outbox.HOLD_MS
    assert steps.again(made[-1]).due_ms == (NOW + 90) * 1000


def test_a_channel_that_was_deleted_fails_what_still_waits_for_it() -> None:
    step = steps.step("webhook", channel_id=987)
    worker.drain()
    assert (steps.again(step).state, steps.again(step).error) == ("failed", deliver.CHANNEL_GONE)


BAD: dict[str, Act] = {
    "slow": receivers.sleeps(1.5),
    "dripping": receivers.drips,
    "failing": receivers.answers(500),
    "cutting": receivers.cuts,
    "redirecting": receivers.answers(302, b"", {"Location": "http://127.0.0.1:1/"}),
}


@pytest.mark.parametrize("act", BAD.values(), ids=list(BAD))
def test_a_bad_receiver_does_not_hold_up_a_healthy_one(act: Act) -> None:
    """The bad one has more to do than there are threads; the healthy one's wait behind them."""
    with receiving(act) as bad, receiving() as healthy:
        allow(bad, healthy)
        broken, good = steps.channel(bad.url), steps.channel(healthy.url)
        for _ in range(outbox.THREADS + 2):
            steps.step("webhook", channel_id=broken.id)
        mine = [steps.step("webhook", channel_id=good.id) for _ in range(3)]
        ended = threading.Event()
        with ThreadPoolExecutor(outbox.THREADS) as pool:
            for _ in range(outbox.THREADS):
                pool.submit(_lane, ended)
            end = time.monotonic() + 5
            while len(healthy.got) < 3 and time.monotonic() < end:
                time.sleep(0.02)
            took = 5 - (end - time.monotonic())
            ended.set()
    assert {got.headers["webhook-id"] for got in healthy.got} == {step.key for step in mine}
    assert took < 1


@pytest.mark.parametrize(("ordered", "most"), [(True, 1), (False, outbox.AT_ONCE)])
def test_a_receiver_gets_several_deliveries_at_once_unless_its_channel_asks_for_order(
    ordered: bool, most: int
) -> None:
    counting, now, peak = threading.Lock(), 0, 0

    def act(handler: BaseHTTPRequestHandler) -> None:
        nonlocal now, peak
        with counting:
            now += 1
            peak = max(peak, now)
        time.sleep(0.05)
        with counting:
            now -= 1
        receivers.answers(200)(handler)

    with receiving(act) as receiver:
        allow(receiver)
        channel = steps.channel(receiver.url, ordered=ordered)
        made = [steps.step("webhook", channel_id=channel.id) for _ in range(24)]
        ended = threading.Event()
        with ThreadPoolExecutor(outbox.THREADS) as pool:
            for _ in range(outbox.THREADS):
                pool.submit(_lane, ended)
            end = time.monotonic() + 20
            while Step.select().where(Step.state != "done").exists() and time.monotonic() < end:
                time.sleep(0.02)
            ended.set()
    keys = [got.headers["webhook-id"] for got in receiver.got]
    assert sorted(keys) == sorted(step.key for step in made)
    assert peak <= most
    if ordered:
        assert keys == [step.key for step in made]
    else:
        assert peak > 1


def test_an_ordered_channel_waits_with_later_deliveries_for_the_one_that_is_tried_again(
    clock: time_machine.Coordinates,
) -> None:
    codes = [500, 200, 200]
    with receiving(lambda handler: receivers.answers(codes.pop(0))(handler)) as receiver:
        allow(receiver)
        channel = steps.channel(receiver.url, ordered=True)
        first, second = (steps.step("webhook", channel_id=channel.id) for _ in range(2))
        worker.drain()
        assert steps.again(second).due_ms >= steps.again(first).due_ms
        clock.shift(result.RETRIES_S[0] * 2)
        worker.drain()
    assert [got.headers["webhook-id"] for got in receiver.got] == [first.key, first.key, second.key]


def _lane(ended: threading.Event) -> None:
    with database.connection_context():
        while not ended.is_set():
            found = outbox.claim("lane")
            for step in found:
                with worker._context():
                    deliver.carry(step)
            if not found:
                time.sleep(0.02)


@pytest.mark.parametrize("manual", [False, True])
def test_an_email_that_waited_is_not_sent_to_a_user_deactivated_meanwhile(app: Flask, manual: bool) -> None:
    gone, there = make.user("gone", deactivated_ts=1), make.user("there")
    made = [steps.mail(payload={"user": user.id}, manual=manual) for user in (gone, there)]
    worker.drain()
    states = [(step.state, step.error) for step in map(steps.again, made)]
    assert states == [("cancelled", internal_actions.LEFT), ("failed", email.NO_SERVER)]


def test_an_accident_ends_its_step_alone(app: Flask) -> None:
    bad, good = steps.step("email", payload={}), steps.step("log", payload={"text": "Here"})
    worker.drain()
    assert (steps.again(bad).state, steps.again(bad).error) == ("failed", deliver.BROKEN)
    assert steps.again(good).state == "done"


def test_when_a_notices_channel_fails_its_readers_fallback_gets_it_once(app: Flask) -> None:
    reader, stand_in = make.user("jana"), make.user("petr", locale="cs")
    channel = steps.channel("http://10.0.0.1/", "webhook")
    Profile.create(user_id=reader.id, name="All", is_default=True, channel=channel, fallback_id=stand_in.id)
    run = steps.run()
    notice = {"user": reader.id, "title": "T", "text": "x", "urgent": True, "url": ""}
    steps.step("notify", run, recipient=str(reader.id), payload=notice, state="done", part=0)
    for part in (1, 2):
        steps.step("webhook", run, recipient=str(reader.id), channel_id=channel.id, part=part)
    alone = steps.step("webhook", recipient=channel.name, channel_id=channel.id)
    worker.drain()
    assert steps.again(alone).state == "failed"
    (told,) = Notification.select()
    assert (told.user_id, told.run_id, told.urgent) == (stand_in.id, run.id, True)
    assert "Jana" in told.title
