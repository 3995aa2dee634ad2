"""The page of operations, the kill switch, and rules that go on again."""

from __future__ import annotations

import pytest
import time_machine
from flask.testing import FlaskClient

from dashboard import clock, registry
from dashboard.access.permissions import Permission
from dashboard.jobs import heartbeat, worker
from dashboard.models import Event, Job, Rule, RuleGroup, Setting, Step, Timer
from dashboard.pages.operations import queries
from dashboard.rules import active_rules
from tests import make
from tests.pages import asks
from tests.pages.html import Page
from tests.pages.rulerows import rule, run

pytestmark = pytest.mark.dated

P = Permission
NOW = 1_772_442_030  # 2026-03-02 09:00:30 UTC


@pytest.fixture
def operator(client: FlaskClient) -> FlaskClient:
    asks.sign_in_with(client, P.RULES_OPERATE, P.RULES_VIEW, P.CHANNELS_VIEW)
    return client


def event(ago_s: int, number: int) -> None:
    Event.create(
        source_id=1,
        external_id=str(number),
        type="call.queued",
        recorded_ms=NOW * 1000,
        time_ms=(NOW - ago_s) * 1000,
    )


def test_events_are_counted_by_minute_of_the_last_hour(operator: FlaskClient) -> None:
    for number, ago_s in enumerate((10, 31, 60, 90, 91, 3629, 3631)):
        event(ago_s, number)
    with time_machine.travel(NOW, tick=False):
        rate = queries.rate(NOW * 1000)
        page = Page(operator.get("/operations").text).text
        table = Page(operator.get("/operations?table=1").text).rows
    assert [cells[-2:] for cells in list(table.values())[1:4]] == [
        ["08:00", "1"],
        ["08:58", "1"],
        ["08:59", "3"],
    ]
    assert rate.start_ts == NOW - 30 - 3600
    assert (rate.events[-1], rate.events[-2], rate.events[0]) == (3, 1, 1)
    assert sum(rate.events) == rate.most + 2 == 5
    assert "5 in the last hour" in page


def test_waiting_jobs_are_shown_with_their_age(operator: FlaskClient) -> None:
    now_ms = NOW * 1000
    for kind, state, ago_ms in (
        ("digest", "waiting", 4000),
        ("digest", "running", 9000),
        ("export", "failed", 1),
        ("export", "done", 1),
    ):
        Job.create(kind=kind, state=state, due_ms=now_ms, created_ms=now_ms - ago_ms)
    for number, due_ms in enumerate((now_ms - 61_000, now_ms, now_ms + 1)):
        Timer.create(kind="deadline", type="ticket.idle", subject=str(number), base_ms=0, due_ms=due_ms)
    Timer.create(kind="schedule", subject="rule:1", base_ms=0, due_ms=0, state="held")  # its group is paused
    board = queries.jobs(now_ms)
    assert [(each.kind, each.waiting, each.running, each.failed, each.oldest_s) for each in board] == [
        ("digest", 1, 1, 0, 9),
        ("export", 0, 0, 1, None),
    ]
    assert queries.timers(now_ms) == queries.Due(4, 2, 61)
    with time_machine.travel(NOW, tick=False):
        page = Page(operator.get("/operations").text).text
    assert "0:00:09" in page
    assert "The oldest has waited this long." in page
    assert "2 late, the oldest by 0:01:01." in page


def test_every_kind_of_background_work_is_named_in_words(operator: FlaskClient) -> None:
    for kind in registry.JOBS:
        Job.create(kind=kind, state="waiting", due_ms=NOW * 1000, created_ms=NOW * 1000)
    names = {row[0] for row in Page(operator.get("/operations").text).rows.values()}
    assert not set(registry.JOBS) & names
    assert "Erasure of contacts" in names


def test_deliveries_are_counted_by_state(operator: FlaskClient) -> None:
    made = run(rule("One"))
    for number, state in enumerate(("waiting", "running", "failed", "dead", "dead", "uncertain", "done")):
        Step.create(run=made, rule_id=1, n=number, action="email", key=str(number), state=state, made_ms=1)
    page = operator.get("/operations").text
    assert "1 failed, 2 undeliverable, 1 possibly sent." in page
    assert 'href="/settings/channels/deliveries?state=failed' in page


def test_counts_beyond_the_limit_are_marked(operator: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queries, "COUNTED", 2)
    for number in range(4):
        Timer.create(kind="deadline", type="ticket.idle", subject=str(number), base_ms=0, due_ms=0)
    assert queries.timers(1).waiting == 3
    assert "more than 2" in operator.get("/operations").text


def test_the_slowest_rules_stand_first(operator: FlaskClient) -> None:
    quick, slow, hidden = rule("Quick"), rule("Slow"), rule("Hidden", make.user("jana"))
    for made, took_us, ago_s in (
        (quick, 100, 0),
        (slow, 3000, 0),
        (slow, 5000, 0),
        (hidden, 9000, 0),
        (quick, 99_000, 90_000),
    ):
        run(made, took_us=took_us, ago_s=ago_s)
    page = operator.get("/operations").text
    assert page.index("another rule") < page.index(">Slow</a>") < page.index(">Quick</a>")
    assert '<td class="n">2</td><td class="n">4</td><td class="n p2">5</td>' in page
    assert "Hidden" not in page


def test_workers_are_shown_with_their_last_heartbeat(operator: FlaskClient) -> None:
    assert (
        "Rules, messages and files wait. Start the process: flask worker" in operator.get("/operations").text
    )
    worker.drain()
    with time_machine.travel(NOW, tick=False):
        heartbeat.mark(every_s=0)
        assert f"Process {worker.name()}, active 0:00:00 ago" in operator.get("/operations").text
    with time_machine.travel(NOW + 25 * 3600, tick=False):
        assert heartbeat.workers(clock.now_ms()) == [(worker.name(), 25 * 3600)]
        Setting.create(name="worker:other:1", value=str(NOW * 1000))
        heartbeat.mark(every_s=0)
        assert heartbeat.workers(clock.now_ms()) == [(worker.name(), 0)]


def test_a_worker_says_that_it_is_here_once_in_a_while(operator: FlaskClient) -> None:
    heartbeat.mark(every_s=0)
    Setting.delete().execute()
    assert heartbeat.mark() == 0
    assert not Setting.select().exists()


def test_all_rules_stop_and_go_on(operator: FlaskClient) -> None:
    made = rule("One", state="on")
    assert "rules don&#39;t evaluate events" in operator.get("/operations/stop").text
    assert not active_rules.stopped()
    for _twice in range(2):
        assert operator.post("/operations/stop").location == "/operations"
    assert active_rules.stopped()
    assert "All rules are stopped" in operator.get("/operations").text
    for _twice in range(2):
        assert operator.post("/operations/resume").location == "/operations"
    assert not active_rules.stopped()
    assert set(active_rules.live().rules) == {made.id}
    assert asks.audited("rules.stopped").outcome == asks.audited("rules.resumed").outcome == "success"


def test_a_rule_that_paused_itself_goes_on_once(operator: FlaskClient) -> None:
    made = rule("Tired", state="paused", paused_reason="Its conditions failed ten times in a row.")
    assert "failed ten times" in operator.get("/operations").text
    for _twice in range(2):
        assert operator.post(f"/operations/rules/{made.id}/resume").location == "/operations"
    assert Rule.get().state == "shadow"  # nothing tells what it was
    assert asks.audited("rule.switched").changes == {"state": ["paused", "shadow"]}


def test_groups_are_paused_from_here(operator: FlaskClient) -> None:
    group = RuleGroup.create(name="Night")
    assert f'action="/rules/groups/{group.id}/pause"' in operator.get("/operations").text


def test_the_fragment_is_the_block(operator: FlaskClient) -> None:
    with time_machine.travel(NOW, tick=False):
        for url in ("/operations", "/operations?table=1"):
            asks.fragment_is_block(operator, url)
