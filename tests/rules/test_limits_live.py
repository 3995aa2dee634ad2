"""How often: "N times within M minutes", limits of actions, and episodes, out of events that come in."""

from __future__ import annotations

from typing import Any

import pytest

from dashboard.models import Event, Rule, Run, Step
from tests import make
from tests.rules.engine import LOG, NOON, acted, event, notices, notify, rule, steps, take

pytestmark = [pytest.mark.both_databases, pytest.mark.usefixtures("db")]

PERIOD = {"often": "period", "seconds": 900}


def limited(**limit: Any) -> dict[str, Any]:
    return {**LOG, "limit": limit}


def held() -> list[int]:
    return [row[0] for row in Run.select(Run.held).order_by(Run.id).tuples()]


def test_only_the_event_that_makes_the_number_full_acts() -> None:
    one = rule(LOG, times={"number": 3, "seconds": 600})
    assert take(*(event(seconds=60 * number, interaction="c1") for number in range(5))) == [(one.id, "done")]


def test_events_too_far_apart_do_not_meet() -> None:
    one = rule(LOG, times={"number": 3, "seconds": 600})
    take(*(event(seconds=300 * number, interaction="c1") for number in range(10)))
    assert acted() == []
    assert take(event(seconds=2701, interaction="c1"), event(seconds=2702, interaction="c1"))[0][0] == one.id


def test_a_number_counts_for_the_same_subject_contact_agent_or_rule() -> None:
    jana, petr = make.user("jana"), make.user("petr")
    by = {
        name: rule(LOG, times={"number": 2, "seconds": 600, "by": name})
        for name in ("subject", "contact", "agent", "rule")
    }
    phone = {"phone": "+420111222333"}
    take(event(interaction="c1", user=jana.login, contact={"phone": "1"}))
    assert take(event(seconds=1, interaction="c2", user=petr.login, contact=phone)) == [
        (by["rule"].id, "done")
    ]
    take(event(seconds=2, interaction="c2"))
    assert acted()[1:] == [(by["subject"].id, "done")]
    take(event(seconds=3, interaction="c3", user=jana.login, contact=phone))
    assert acted()[2:] == [(by["contact"].id, "done"), (by["agent"].id, "done")]


def test_a_number_comes_full_again_only_after_it_was_at_its_clear_level() -> None:
    one = rule(LOG, times={"number": 2, "seconds": 600, "clear": 0})
    take(*(event(seconds=at, interaction="c1") for at in (0, 1, 2, 500, 1200, 1201)))
    times = [row[0] for row in Run.select(Run.at_ms).where(Run.rule_id == one.id).order_by(Run.id).tuples()]
    assert times == [NOON + 1000, NOON + 1_201_000]


def test_an_action_is_held_back_within_its_period_and_counted() -> None:
    one = rule(limited(**PERIOD))
    take(*(event(seconds=at, interaction="c1") for at in (0, 10, 899, 900)))
    assert acted() == [(one.id, "done"), (one.id, "throttled"), (one.id, "throttled"), (one.id, "done")]
    assert held() == [0, 1, 1, 0]
    assert [state for _action, state in steps()] == ["done", "held", "held", "done"]


def test_a_limit_is_for_the_subject_unless_it_is_for_the_rule() -> None:
    rule([limited(**PERIOD), limited(**PERIOD, by="rule")])
    take(event(interaction="c1"), event(seconds=1, interaction="c2"))
    assert [outcome for _rule, outcome in acted()] == ["done", "done"]
    assert held() == [0, 1]


def test_limit_by_recipient_suppresses_notified_recipients() -> None:
    jana, petr = make.user("jana"), make.user("petr")
    one = rule([notify(jana, limit={**PERIOD, "by": "recipient"})])
    take(event())
    definition = Rule.get_by_id(one.id).definition
    definition["then"][0]["to"]["users"] = [jana.id, petr.id]
    Rule.update(definition=definition, version=2).execute()
    take(event(seconds=10))
    assert (len(notices(jana)), len(notices(petr))) == (1, 1)
    assert Run.select(Run.outcome, Run.held).order_by(Run.id.desc()).tuples().first() == ("done", 1)


def test_once_is_once_for_each_subject() -> None:
    rule(limited(often="once"))
    take(*(event(seconds=86_400 * day, interaction=name) for day in range(3) for name in ("c1", "c2")))
    assert [state for _action, state in steps()].count("done") == 2


def test_once_in_an_episode_is_again_after_the_state_has_changed_or_it_was_opened_again() -> None:
    types = ["ticket.updated", "ticket.reopened"]
    rule(limited(often="episode"), types)
    make.user("jana")
    told = {"interaction": "t1", "user": "jana"}
    take(event("ticket.created", 0, data={"status": "new"}, **told))
    take(event("ticket.updated", 1, **told), event("ticket.updated", 2, **told))
    assert [state for _action, state in steps()] == ["done", "held"]
    take(event("ticket.status_changed", 3, data={"status": "open"}, interaction="t1"))
    take(event("ticket.updated", 4, **told), event("ticket.updated", 5, **told))
    assert [state for _action, state in steps()] == ["done", "held", "done", "held"]
    take(
        event("ticket.closed", 6, **told),
        event("ticket.reopened", 7, **told),
        event("ticket.updated", 8, **told),
    )
    assert [state for _action, state in steps()][4:] == ["done", "held"]


def test_an_episode_of_a_number_is_its_crossing() -> None:
    rule(limited(often="episode", by="rule"), times={"number": 2, "seconds": 60, "by": "rule"})
    take(*(event(seconds=at) for at in (0, 1, 2, 1000, 1001)))
    assert [state for _action, state in steps()] == ["done", "done"]


def test_more_than_twenty_runs_an_hour_on_one_subject_pause_the_rule() -> None:
    admin = make.administrator("admin")
    one = rule(LOG)
    take(*(event(seconds=60 * at, interaction="c1") for at in range(25)))
    assert acted() == [(one.id, "done")] * 21
    row = Rule.get_by_id(one.id)
    assert (row.state, "20 times" in row.paused_reason) == ("paused", True)
    assert notices(admin) == [f"The rule “{one.name}” was paused"]
    assert len(take(event(interaction="c2"))) == 21


def test_a_storm_of_one_minute_pauses_the_rule_and_no_other() -> None:
    storm = rule({"do": "note", "text": "x"}, state="on")
    calm = rule(LOG, types=["custom.other"])
    take(*(event(interaction=f"c{number}", id=str(number)) for number in range(700)), event("custom.other"))
    outcomes = [outcome for rule_id, outcome in acted() if rule_id == storm.id]
    assert outcomes == ["done"] * 601
    assert Rule.get_by_id(storm.id).state == "paused"
    assert (calm.id, "done") in acted()
    assert Step.select().where(Step.rule_id == storm.id).count() == 601


def test_what_limits_hold_back_may_be_as_often_as_it_likes() -> None:
    one = rule(limited(often="once"))
    take(*(event(seconds=at, interaction="c1") for at in range(50)))
    assert Rule.get_by_id(one.id).state == "on"
    assert [outcome for _rule, outcome in acted()] == ["done"] + ["throttled"] * 49


def test_a_limit_that_begins_to_hold_back_is_an_event_once() -> None:
    one = rule(limited(**PERIOD))
    take(*(event(seconds=at, interaction="c1") for at in (0, 1, 2, 900, 901)))
    hits = [row.data for row in Event.select().where(Event.type == "rule.limit_hit")]
    assert len(hits) == 2
    assert one.name in hits[0]
