"""A backtest finds what the engine at work does, writes nothing but its result, and keeps to its bounds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from flask import Flask

from dashboard.access.permissions import Permission
from dashboard.jobs import queue, worker
from dashboard.models import (
    Backtest,
    Job,
    Notification,
    Rule,
    RuleCount,
    RuleLimit,
    Run,
    Step,
    User,
)
from dashboard.rules import active_rules
from dashboard.rules.backtest import job, replay
from tests import make
from tests.rules import agree
from tests.rules.engine import LOG, NOON, event, notify, queue_id, rule, send, take, user_id

HOUR_LATER = NOON / 1000 + 3600
BIG = {"all": [{"field": "data.value", "op": "matches", "value": "^[0-9]{3}$"}]}
PERIOD = {"often": "period", "by": "subject", "seconds": 900}


@pytest.fixture(autouse=True)
def hour(app: Flask) -> Iterator[None]:
    """An hour after the first event; runs are a minute apart from the clock's own midnight."""
    with app.app_context(), time_machine.travel(HOUR_LATER, tick=False):
        yield


def sale(second: float, value: int, about: str = "c1", **more: Any) -> dict[str, Any]:
    return event(
        seconds=second, data={"value": str(value), **more.pop("data", {})}, interaction=about, **more
    )


SALES = [sale(n * 60, 50 + n * 25, f"c{n % 3}") for n in range(12)]

# Rules whose runs at work and in a backtest must be the same, one by one.
AGREEING: dict[str, dict[str, Any]] = {
    "of a condition": {"if": BIG},
    "of every event": {},
    "in error": {"if": {"all": [{"field": "data.list", "op": "is", "value": "x"}]}},
    "of a change": {"if": {"all": [{"field": "data.value", "op": "changed"}]}},
    "three times in five minutes": {"times": {"number": 3, "seconds": 300, "by": "rule"}},
    "twice for the same": {"times": {"number": 2, "seconds": 600, "by": "subject"}},
    "at most once every a quarter": {"then": [{**LOG, "limit": PERIOD}]},
    "once per subject": {"then": [{**LOG, "limit": {"often": "once", "by": "subject"}}, LOG]},
    "once in a stretch": {"then": [{**LOG, "limit": {"often": "episode", "by": "subject"}}]},
    "two actions limited apart": {
        "then": [{**LOG, "limit": PERIOD}, {**LOG, "limit": {"often": "once", "by": "rule"}}]
    },
}


@pytest.mark.parametrize("state", ["on", "shadow"])
@pytest.mark.parametrize("name", AGREEING)
def test_a_backtest_finds_the_runs_of_the_rule_at_work(name: str, state: str) -> None:
    said = dict(AGREEING[name])
    one = rule(said.pop("then", LOG), state=state, **said)
    for part in range(0, len(SALES), 5):
        take(*SALES[part : part + 5])
    take(sale(800, 100, "c9", data={"list": ["a"]}), sale(30, 100, "c1"))  # the last comes late
    assert agree.names(one) == agree.live(one) != []
    assert {each.name: each.held for each in agree.found(one)} == agree.held(one)


def test_what_came_before_the_period_or_comes_after_it_is_left_out() -> None:
    one = rule(LOG)
    take(*SALES)
    period = replay.Period(NOON + 60_000, NOON + 180_000)
    assert [each.at_ms for each in agree.found(one, period)] == [NOON + 60_000, NOON + 120_000]
    assert agree.found(one, replay.Period(0, NOON)) == []


def test_a_personal_rule_is_tried_on_what_its_owner_may_see() -> None:
    send(event(user="jana"), event(user="petr", seconds=1), event(seconds=2))
    jana = User.get(User.login == "jana")
    User.update(access=make.access([Permission.RULES_OWN])).where(User.id == jana.id).execute()
    mine = rule([notify(jana)], owner_id=jana.id)
    site = rule(LOG)
    assert [each.facts["user"] for each in agree.found(mine)] == [jana.id]
    assert len(agree.found(site)) == 3


def test_an_event_that_the_rule_caused_is_a_loop_in_the_backtest_too() -> None:
    one = rule([{"do": "emit", "type": "custom.sale", "data": {}}], types=["custom.sale"])
    take(event())
    assert [each.outcome for each in agree.found(one)] == ["acted", "loop_stopped"]
    assert agree.names(one) == agree.live(one)


def test_deadlines_fall_due_in_a_backtest_as_they_did() -> None:
    idle = rule(LOG, types=["ticket.idle"], after={"seconds": 600})
    moments = (
        ("created", 0, "t1"),
        ("updated", 300, "t1"),
        ("updated", 2000, "t1"),
        ("closed", 2300, "t1"),
        ("created", 100, "t2"),
    )
    take(*(event(f"ticket.{verb}", at, interaction=about, user="jana") for verb, at, about in moments))
    worker.drain()
    assert agree.names(idle) == agree.live(idle)
    assert [each.at_ms - NOON for each in agree.found(idle)] == [700_000, 900_000]


def test_an_agent_is_idle_in_a_backtest_as_at_work() -> None:
    idle = rule(LOG, types=["agent.idle"], after={"seconds": 600})
    acts = (
        ("signed_in", 0),
        ("ready", 10),
        ("not_ready", 900),
        ("ready", 1000),
        ("pause_started", 1300),
        ("pause_ended", 1400),
        ("signed_out", 2500),
    )
    for verb, at in acts:
        data = {"pause": "lunch"} if verb == "pause_started" else {}
        take(event(f"agent.{verb}", at, user="jana", data=data))
    worker.drain()
    assert agree.names(idle) == agree.live(idle)
    assert [each.at_ms - NOON for each in agree.found(idle)] == [610_000, 2_000_000]


def test_a_date_that_was_agreed_long_ago_falls_due_in_the_period() -> None:
    due = rule(LOG, types=["ticket.followup_due"], after={"seconds": 0})
    send(
        event(
            "ticket.updated", interaction="t1", user="jana", data={"followup_at": "2026-03-05T12:00:00+00:00"}
        )
    )
    later = replay.Period(NOON + 86_400_000, NOON + 7 * 86_400_000)
    assert [each.at_ms - NOON for each in agree.found(due, later)] == [3 * 86_400_000]


def test_a_wait_that_something_called_off_does_not_come_true_in_a_backtest_either() -> None:
    waiting = rule(LOG, types=["chat.queued"], wait={"seconds": 120, "unless": ["chat.accepted"]})
    waits = [
        event("chat.queued", at, interaction=about, queue="q")
        for at, about in ((0, "a"), (5, "b"), (900, "c"))
    ]
    take(*waits, event("chat.accepted", 60, interaction="b", user="jana"))
    worker.drain()
    assert agree.names(waiting) == agree.live(waiting)
    assert [each.at_ms - NOON for each in agree.found(waiting)] == [120_000, 1_020_000]


def test_a_rule_that_runs_by_the_calendar_is_tried_on_its_planned_times() -> None:
    daily = rule(LOG, types=["schedule.reached"], schedule={"at": ["08:00", "12:30"]}, zone="Europe/Prague")
    found = agree.found(daily, replay.Period(NOON, NOON + 86_400_000))
    assert [each.at_ms - NOON for each in found] == [19 * 3_600_000, 23.5 * 3_600_000]


@pytest.mark.parametrize("by", ["agent", "queue"])
def test_a_count_is_reached_in_a_backtest_when_it_was(by: str) -> None:
    busy = rule(LOG, types=["ticket.count_reached"], count={"number": 2, "clear": 1, "by": by})
    acts = (
        "created a",
        "created b",
        "created c",
        "closed a",
        "closed b",
        "updated b",
        "reopened a",
        "closed c",
    )
    for second, act in enumerate(acts):
        verb, about = act.split()
        take(event(f"ticket.{verb}", second, interaction=about, user="jana", queue="q"))
    assert agree.names(busy) == agree.live(busy)
    assert [(each.at_ms - NOON, each.facts["data"]["count"]) for each in agree.found(busy)] == [
        (1000, 2),
        (6000, 2),
    ]


def ordered(one: Rule, viewer: User, days: int = 7) -> Backtest:
    """Ask for a backtest, let the worker make it, and return its row."""
    ready = active_rules.load(Rule.get_by_id(one.id))
    assert ready is not None
    ident = job.order(viewer.id, ready, one.definition, days)
    worker.drain(["backtest"])
    found: Backtest = Backtest.get_by_id(ident)
    return found


def test_the_job_sums_up_and_writes_nothing_else() -> None:
    viewer = make.administrator()
    send(*SALES)
    one = rule([{**notify(viewer), "limit": PERIOD}], **{"if": BIG})
    row = ordered(one, viewer)
    result = row.result
    assert (row.state, result["asked"], result["matched"], result["acted"]) == ("done", 12, 10, 3)
    assert (result["throttled"], result["held"], result["error"]) == (7, 7, 0)
    assert result["days"] == {"2026-03-02": [10, 3]}
    assert dict(map(tuple, result["subjects"])) == {
        "interaction:pbx:c2": 4,
        "interaction:pbx:c0": 3,
        "interaction:pbx:c1": 3,
    }
    assert [each["outcome"] for each in result["samples"]][:4] == ["acted", "acted", "acted", "throttled"]
    assert result["samples"][0]["trace"]["children"][0]["seen"] == "100"
    for table in (Run, Step, RuleLimit, RuleCount, Notification):
        assert table.select().count() == 0, table
    assert Job.get(Job.kind == "backtest").state == "done"


def test_runs_outside_the_viewers_scope_are_not_even_counted() -> None:
    send(sale(0, 100, "a", user="jana", queue="one"), sale(1, 100, "b", user="petr", queue="two"))
    viewer = make.user(
        "viewer",
        access=make.access(
            [Permission.RULES_BACKTEST], [("users", user_id("jana")), ("queues", queue_id("one"))]
        ),
    )
    result = ordered(rule(LOG), viewer).result
    assert (result["matched"], result["acted"], result["asked"], len(result["samples"])) == (1, 1, None, 1)
    assert result["days"] == {"2026-03-02": [1, 1]}
    assert result["subjects"] == [["interaction:pbx:a", 1]]


def test_a_rule_that_would_have_paused_itself_says_when() -> None:
    send(*(sale(n, 100, "same") for n in range(25)))
    row = ordered(rule(LOG), make.administrator())
    assert row.result["paused_ms"] == NOON + 20_000


@pytest.mark.parametrize(
    "more",
    [{}, {"if": {"all": [{"field": "user", "op": "is_empty"}]}}, {"owner_id": None, "zone": "Europe/Prague"}],
    ids=["no condition", "a condition on an absent field", "a zone"],
)
def test_backtest_of_a_schedule_rule_completes_with_samples(more: dict[str, Any]) -> None:
    at = {"at": ["12:30"], "days": [7]}
    row = ordered(rule(LOG, types=["schedule.reached"], schedule=at, **more), make.administrator(), days=7)
    assert (row.state, row.result["matched"]) == ("done", 1)
    (sample,) = row.result["samples"]
    assert (sample["event"], sample["user"], sample["queue"]) == (None, None, None)


def test_backtest_fails_with_its_reason_where_the_calendar_of_a_timer_is_missing() -> None:
    schedule = {"at": ["08:00"], "calendar": "Gone"}
    row = ordered(rule(LOG, types=["schedule.reached"], schedule=schedule), make.administrator())
    assert (row.state, job.failure(row).render()) == ("failed", "The calendar “Gone” doesn't exist.")


def test_backtest_that_raises_fails_at_once_and_names_the_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job, "MOST", "many")  # comparing it with a number raises TypeError
    send(*SALES)
    row = ordered(rule(LOG), make.administrator())
    assert row.state == "failed"
    assert "(TypeError)" in job.failure(row).render()
    assert Job.get(Job.kind == "backtest").state == "failed"


def test_backtest_whose_worker_died_at_every_attempt_is_failed() -> None:
    viewer, one = make.administrator(), rule(LOG)
    ready = active_rules.load(Rule.get_by_id(one.id))
    assert ready is not None
    ident = job.order(viewer.id, ready, one.definition, 7)
    dead = {"state": "running", "lease_ms": 0, "attempts": len(queue.RETRIES_S) + 1}
    Job.update(dead).where(Job.kind == "backtest").execute()
    assert queue.claim("other", ["backtest"]) == []
    assert job.failure(Backtest.get_by_id(ident)).text == job.DIED


def test_a_viewer_who_is_gone_gets_nothing() -> None:
    viewer = make.administrator()
    one = rule(LOG)
    send(*SALES)
    ready = active_rules.load(Rule.get_by_id(one.id))
    assert ready is not None
    ident = job.order(viewer.id, ready, one.definition, 7)
    User.update(deactivated_ts=1).where(User.id == viewer.id).execute()
    worker.drain(["backtest"])
    assert Backtest.get_by_id(ident).state == "failed"
    assert Job.get(Job.kind == "backtest").state == "failed"


def test_only_the_latest_results_of_a_user_are_kept() -> None:
    viewer, one = make.administrator(), rule(LOG)
    ready = active_rules.load(Rule.get_by_id(one.id))
    assert ready is not None
    made = [job.order(viewer.id, ready, one.definition, 1) for _ in range(job.KEPT + 3)]
    assert sorted(row.id for row in Backtest.select()) == made[3:]


def test_it_ends_early_where_too_many_runs_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job, "MOST", 5)
    monkeypatch.setattr(replay, "STEP", 3)
    send(*SALES)
    result = ordered(rule(LOG), make.administrator()).result
    assert result["matched"] == 6
    assert result["until_ms"] == NOON + 5 * 60_000


def test_a_period_without_events_finds_nothing() -> None:
    result = ordered(rule(LOG), make.administrator(), days=1).result
    assert (result["asked"], result["matched"], result["days"]) == (0, 0, {})
