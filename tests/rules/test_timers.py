"""Deadlines: fired when the log says so, however late or often somebody looks."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import time_machine

from dashboard.jobs import worker
from dashboard.models import Rule, RuleGroup, Run, Timer
from dashboard.rules import active_rules
from dashboard.rules.timing import backfill, deadline_worker
from tests import make
from tests.rules import engine
from tests.rules.engine import NOON, event, notices, notify, rule
from tests.rules.time import DAY, HOUR, MINUTE, Site, fired, pending

pytestmark = [pytest.mark.both_databases, pytest.mark.usefixtures("db")]

IDLE = {"types": ["ticket.idle"], "after": {"seconds": HOUR}}


@pytest.fixture
def site() -> Iterator[Site]:
    with time_machine.travel(NOON / 1000, tick=False) as travel:
        yield Site(travel)


def test_an_idle_ticket_fires_once_and_says_how_long(site: Site) -> None:
    jana = make.user("jana")
    one = rule([notify(jana, title="{{ ticket.number }} for {{ data.idle_s }}")], **IDLE)
    site.comes("ticket.created", 0, data={"number": "7"}, user="jana")
    site.wake(HOUR - 1)
    assert fired() == []
    site.wake(HOUR)
    site.wake(5 * HOUR)
    assert fired() == [(one.id, "done", HOUR)]
    assert notices(jana) == ["7 for 1:00:00"]
    assert pending() == []


def test_activity_moves_the_deadline_without_touching_the_timer(site: Site) -> None:
    one = rule(**IDLE)
    site.comes("ticket.created", 0)
    row = Timer.get()
    site.comes("ticket.message_received", 40 * MINUTE)
    assert Timer.get() == row
    assert Timer.get().due_ms == row.due_ms
    site.wake(HOUR)
    assert fired() == []
    assert pending() == [("ticket.idle", "T-1", 100 * MINUTE)]
    site.wake(100 * MINUTE)
    assert fired() == [(one.id, "done", 100 * MINUTE)]


def test_twice_on_one_day_and_again_after_being_reopened(site: Site) -> None:
    one = rule(**IDLE)
    site.comes("ticket.created", 0)
    site.comes("ticket.message_sent", 2 * HOUR)
    site.comes("ticket.closed", 4 * HOUR)
    site.comes("ticket.reopened", 6 * HOUR)
    site.wake(8 * HOUR)
    assert fired() == [(one.id, "done", at * HOUR) for at in (1, 3, 7)]


def test_five_hundred_rules_share_one_row(site: Site) -> None:
    for hours in range(1, 501):
        rule(types=["ticket.idle"], after={"seconds": hours * HOUR}, state="shadow")
    site.comes("ticket.created", 0)
    assert pending() == [("ticket.idle", "T-1", HOUR)]
    site.wake(3 * HOUR)
    assert len(fired()) == 3
    assert pending() == [("ticket.idle", "T-1", 4 * HOUR)]


AGE = {"types": ["ticket.age_reached"], "after": {"seconds": 2 * HOUR}}
FOLLOW_UP = {"types": ["ticket.followup_due"], "after": {"seconds": 0}}


def at(seconds: float) -> dict[str, object]:
    return {"data": {"followup_at": event(seconds=seconds)["time"]}}


def test_an_age_is_counted_from_the_first_event_and_anew_from_being_reopened(site: Site) -> None:
    one = rule(**AGE)
    site.comes("ticket.created", 0)
    site.comes("ticket.message_sent", HOUR)
    site.comes("ticket.closed", 3 * HOUR)
    site.comes("ticket.reopened", 5 * HOUR)
    site.wake(9 * HOUR)
    assert fired() == [(one.id, "done", 2 * HOUR), (one.id, "done", 7 * HOUR)]


def test_a_moved_follow_up_is_due_once_at_its_new_time(site: Site) -> None:
    one = rule(**FOLLOW_UP)
    site.comes("ticket.followup_scheduled", 0, **at(2 * HOUR))
    site.comes("ticket.followup_scheduled", HOUR, **at(5 * HOUR))
    site.wake(6 * HOUR)
    assert fired() == [(one.id, "done", 5 * HOUR)]


@pytest.mark.parametrize("settled", ["ticket.followup_done", "ticket.closed"])
def test_a_follow_up_that_is_settled_in_time_is_not_due(site: Site, settled: str) -> None:
    rule(**FOLLOW_UP)
    site.comes("ticket.followup_scheduled", 0, **at(2 * HOUR))
    site.comes(settled, HOUR)
    site.wake(3 * HOUR)
    assert fired() == []
    assert pending() == []


def test_a_follow_up_that_is_brought_forward_is_due_at_the_earlier_time(site: Site) -> None:
    one = rule(**FOLLOW_UP)
    site.comes("ticket.followup_scheduled", 0, **at(5 * HOUR))
    site.comes("ticket.followup_scheduled", HOUR, **at(2 * HOUR))
    site.wake(2 * HOUR)
    assert fired() == [(one.id, "done", 2 * HOUR)]


def test_an_agent_is_idle_while_ready_and_free(site: Site) -> None:
    one = rule(types=["agent.idle"], after={"seconds": HOUR})
    site.wake(0)
    engine.send(event("agent.ready", 0, user="jana"))
    engine.digest()
    site.comes("chat.accepted", 30 * MINUTE, "C-1")
    site.comes("chat.closed", 2 * HOUR, "C-1")
    site.wake(4 * HOUR)
    site.wake(5 * HOUR)
    # Work on a chat of an agent who signed in nowhere stops an hour after the last event on it.
    assert fired() == [(one.id, "done", 2.5 * HOUR)]


@pytest.mark.parametrize("fraction_s", [0.0, 0.388, 0.5, 0.999])
@pytest.mark.parametrize("after_s", [[6], [6, 10], [1]])
def test_the_first_idle_stretch_fires_whatever_the_milliseconds_of_the_ready_event(
    site: Site, fraction_s: float, after_s: list[int]
) -> None:
    rules = [rule(types=["agent.idle"], after={"seconds": seconds}) for seconds in after_s]
    site.wake(0)
    engine.send(event("agent.ready", fraction_s, user="jana"))
    engine.digest()
    site.wake(12)
    assert fired() == [(each.id, "done", seconds) for each, seconds in zip(rules, after_s, strict=True)]


@pytest.mark.parametrize("fraction_s", [0.1, 0.9])
def test_an_idle_stretch_that_begins_when_work_ends_fires_whatever_the_milliseconds(
    site: Site, fraction_s: float
) -> None:
    one = rule(types=["agent.idle"], after={"seconds": 60})
    site.wake(0)
    engine.send(event("agent.ready", 0.5, user="jana"))
    engine.digest()
    site.comes("chat.accepted", 1, "C-1")
    site.wake(90.7)  # looked at while the agent works
    site.comes("chat.closed", 91 + fraction_s, "C-1")
    site.wake(200)
    assert fired() == [(one.id, "done", 151)]


def test_a_chat_that_nobody_takes_in_time_fires_and_one_that_is_taken_does_not(site: Site) -> None:
    one = rule(types=["chat.queued"], wait={"seconds": 120, "unless": ["chat.accepted"]})
    site.comes("chat.queued", 0, "C-1")
    site.comes("chat.queued", 10, "C-2")
    site.comes("chat.accepted", 60, "C-1")
    site.wake(HOUR)
    assert fired() == [(one.id, "cancelled", 120), (one.id, "done", 130)]


@pytest.mark.parametrize(("late", "outcome"), [(DAY, "done"), (DAY + 1, "expired")])
def test_a_worker_that_was_away_for_over_a_day_lets_deadlines_expire_visibly(
    site: Site, late: float, outcome: str
) -> None:
    one = rule(**IDLE)
    site.comes("ticket.created", 0)
    site.wake(HOUR + late)
    assert fired() == [(one.id, outcome, HOUR)]
    assert Run.get().late_s == late


def test_events_that_come_in_late_are_no_delay_of_ours(site: Site) -> None:
    one = rule(**IDLE)
    site.at(20 * HOUR)
    engine.send(event("ticket.created", 0, interaction="T-1", user="jana"))
    engine.digest()
    site.wake(20 * HOUR)
    assert fired() == [(one.id, "done", HOUR)]
    assert Run.get().late_s == 0


def test_an_edit_while_pending_holds_from_now_on(site: Site) -> None:
    one = rule(**IDLE)
    site.comes("ticket.created", 0)
    edited = {**one.definition, "after": {"seconds": 3 * HOUR}}
    Rule.update(definition=edited, version=2).where(Rule.id == one.id).execute()
    site.wake(2 * HOUR)
    assert fired() == []
    site.wake(3 * HOUR)
    assert fired() == [(one.id, "done", 3 * HOUR)]


def test_a_rule_that_is_off_fires_nothing_and_its_waits_say_so(site: Site) -> None:
    idle = rule(**IDLE)
    waits = rule(types=["ticket.created"], wait={"seconds": 60})
    site.comes("ticket.created", 0)
    Rule.update(state="off").where(Rule.id.in_([idle.id, waits.id])).execute()
    site.wake(2 * HOUR)
    assert fired() == [(waits.id, "disabled", 60)]
    assert pending() == []


def test_a_rule_knows_of_stretches_begun_since_it_was_armed(site: Site) -> None:
    early = rule(**IDLE)
    site.comes("ticket.created", 0)
    late = rule(**IDLE)
    Rule.update(armed_ms=NOON + 1).where(Rule.id == late.id).execute()
    site.comes("ticket.message_sent", 2 * HOUR)
    site.wake(4 * HOUR)
    assert fired() == [(early.id, "done", HOUR), (early.id, "done", 3 * HOUR), (late.id, "done", 3 * HOUR)]


def test_the_kill_switch_holds_deadlines_and_they_fire_when_it_is_lifted(site: Site) -> None:
    one = rule(**IDLE)
    site.comes("ticket.created", 0, "T-1")
    active_rules.stop(True)
    site.comes("ticket.created", HOUR, "T-2")
    site.wake(3 * HOUR)
    assert fired() == []
    active_rules.stop(False)
    site.wake(3 * HOUR)
    worker.drain()
    assert fired() == [(one.id, "done", HOUR), (one.id, "done", 2 * HOUR)]
    assert [row.late_s for row in Run.select().order_by(Run.id)] == [2 * HOUR, HOUR]


def test_a_paused_group_holds_its_own_deadlines_alone(site: Site) -> None:
    group = RuleGroup.create(name="Night")
    held = rule(group=group, **IDLE)
    waits = rule(group=group, types=["ticket.created"], wait={"seconds": 60})
    free = rule(**IDLE)
    site.comes("ticket.created", 0)
    pause(group, True)
    site.wake(2 * HOUR)
    assert fired() == [(free.id, "done", HOUR)]
    pause(group, False)
    site.wake(3 * HOUR)
    assert sorted(fired()[1:]) == [(held.id, "done", HOUR), (waits.id, "done", 60)]


def pause(group: RuleGroup, paused: bool) -> None:
    RuleGroup.update(paused=paused).where(RuleGroup.id == group.id).execute()


def test_a_row_that_crashes_is_tried_again_is_marked_and_holds_up_no_other(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = rule(**IDLE)
    site.comes("ticket.created", 0, "T-1")
    site.comes("ticket.created", 1, "T-2")
    read = deadline_worker.subject_history.read

    def crash(type_: str, source: int, name: str, user: int | None, since: int) -> object:
        if name == "T-1":
            raise ValueError("no such thing")
        return read(type_, source, name, user, since)

    monkeypatch.setattr(deadline_worker.subject_history, "read", crash)
    site.wake(HOUR + 1)
    assert fired() == [(one.id, "done", HOUR + 1)]
    row = Timer.get()
    assert (row.error, row.attempts) == ("ValueError: no such thing", 1)
    moment = HOUR + 1
    for pause in (*deadline_worker.RETRIES_S, deadline_worker.RETRIES_S[-1]):  # never given up
        moment += pause
        assert Timer.get().due_ms == NOON + moment * 1000
        site.wake(moment - 1)
        site.wake(moment)
    assert Timer.get().attempts == len(deadline_worker.RETRIES_S) + 2
    monkeypatch.undo()
    moment += deadline_worker.RETRIES_S[-1]
    site.wake(moment)
    assert fired()[1:] == [(one.id, "done", HOUR)]


def test_existing_subjects_are_counted_and_backfilled_on_request(site: Site) -> None:
    for number in range(3):
        site.comes("ticket.created", number * HOUR, f"T-{number}")
    site.comes("ticket.closed", 3 * HOUR, "T-0")
    site.at(3.5 * HOUR)
    one = rule(**{**IDLE, "after": {"seconds": 2 * HOUR}})
    Rule.update(armed_ms=NOON + 3 * HOUR * 1000).where(Rule.id == one.id).execute()
    live = active_rules.load(Rule.get_by_id(one.id))
    assert live is not None
    assert backfill.count_existing(live.definition) == 2
    backfill.arm_existing(one.id)
    worker.drain()
    assert fired() == [(one.id, "done", 3 * HOUR)]
    site.wake(4 * HOUR)
    assert fired()[1:] == [(one.id, "done", 4 * HOUR)]


def test_a_drain_fires_what_is_due(site: Site) -> None:
    one = rule(**IDLE)
    site.comes("ticket.created", 0)
    site.at(HOUR)
    worker.drain()
    assert fired() == [(one.id, "done", HOUR)]


def test_a_schedule_runs_from_the_planned_time_on_and_not_twice(site: Site) -> None:
    one = rule(types=["schedule.reached"], schedule={"at": ["13:00"]}, zone="UTC")
    site.wake(0)
    assert pending() == [("schedule.reached", str(one.id), HOUR)]
    site.wake(HOUR + 7)
    site.wake(2 * DAY)
    assert fired() == [(one.id, "done", HOUR), (one.id, "done", HOUR + DAY)]
    Rule.update(state="off").where(Rule.id == one.id).execute()
    site.wake(3 * DAY)
    assert pending() == []
