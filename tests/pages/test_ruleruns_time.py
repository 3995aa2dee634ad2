"""Try and "Why not?" for rules that act by time: each obstacle has a sentence of its own, with its moment."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from flask.testing import FlaskClient

from dashboard.access.permissions import Permission
from dashboard.jobs import worker
from dashboard.models import Event, Rule, User
from tests import make
from tests.pages.asks import sign_in_with
from tests.pages.html import Page
from tests.rules.engine import LOG, NOON, event, rule, take, user_id

P = Permission
HOUR_LATER = "2 Mar 2026, 13:00:00"
IDLE = {"types": ["ticket.idle"], "after": {"seconds": 3600}}
AGE = {"types": ["ticket.age_reached"], "after": {"seconds": 3600}}
FOLLOW_UP = {"types": ["ticket.followup_due"], "after": {"seconds": 0}}
WAIT = {"types": ["chat.queued"], "wait": {"seconds": 3600, "unless": ["chat.accepted"]}}


@pytest.fixture
def travel(client: FlaskClient) -> Iterator[time_machine.Coordinates]:
    with time_machine.travel(NOON / 1000 + 1, tick=False) as moved:
        sign_in_with(client, P.RULES_VIEW, P.RULES_TRACES)
        yield moved


def ticket(verb: str, seconds: float = 0, **data: Any) -> dict[str, Any]:
    return event(f"ticket.{verb}", seconds, interaction="t", user="jana", data=data)


def chat(verb: str, seconds: float = 0) -> dict[str, Any]:
    return event(f"chat.{verb}", seconds, interaction="t", queue="web", user="jana")


def followup(seconds: float, hour: int) -> dict[str, Any]:
    return ticket("updated", seconds, followup_at=f"2026-03-02T{hour}:00:00+00:00")


def why(client: FlaskClient, one: Rule, query: str = "subject=t") -> str:
    return " ".join(Page(client.get(f"/rules/{one.id}/why?{query}").text).text.split())


def tried(client: FlaskClient, one: Rule) -> str:
    return " ".join(Page(client.get(f"/rules/{one.id}/try").text).text.split())


NOT_DUE = "Not due yet. The timer fires at {due} if nothing ends it before."
ENDED = "The state ended at {end}, before the timer at {due}."
CASES: dict[str, tuple[dict[str, Any], list[dict[str, Any]], int, str]] = {
    "idle, not yet": (IDLE, [ticket("created")], 60, NOT_DUE.format(due="13:00:00")),
    "idle, closed before": (
        IDLE,
        [ticket("created"), ticket("closed", 600)],
        7200,
        ENDED.format(end="12:10:00", due="13:00:00"),
    ),
    "age, closed before": (
        AGE,
        [ticket("created"), ticket("closed", 600)],
        7200,
        ENDED.format(end="12:10:00", due="13:00:00"),
    ),
    "follow-up moved to later": (
        FOLLOW_UP,
        [followup(0, 13), followup(10, 15)],
        7200,
        NOT_DUE.format(due="15:00:00"),
    ),
    "follow-up done before": (
        FOLLOW_UP,
        [followup(0, 13), ticket("followup_done", 600)],
        7200,
        ENDED.format(end="12:10:00", due="13:00:00"),
    ),
    "wait, not over": (
        WAIT,
        [chat("queued")],
        60,
        "The wait isn't over yet. The rule is evaluated again at {due}.".format(due="13:00:00"),
    ),
}


def stamped(text: str) -> str:
    """Return a sentence as the page writes it: clocks are moments of 2 March 2026."""
    return text.replace(" 1", " 2 Mar 2026 1")


@pytest.mark.parametrize("name", CASES)
def test_sentence_says_where_the_timer_is(
    name: str, client: FlaskClient, travel: time_machine.Coordinates
) -> None:
    definition, events, seconds, sentence = CASES[name]
    one = rule(LOG, **definition)
    for each in events:
        travel.move_to(each["time"])
        take(each)
    travel.move_to(NOON / 1000 + seconds)
    assert stamped(sentence) in why(client, one)
    assert stamped(sentence) in tried(client, one)
    assert "Matches" not in tried(client, one)


def test_wait_that_was_called_off_names_the_event_that_ended_it(
    client: FlaskClient, travel: time_machine.Coordinates
) -> None:
    one = rule(LOG, **WAIT)
    take(chat("queued"), chat("accepted", 30))
    travel.move_to(NOON / 1000 + 60)
    assert stamped("“Chat accepted” ended the wait at 12:00:30.") in why(client, one)
    assert stamped("“Chat accepted” ended the wait at 12:00:30.") in tried(client, one)


def test_period_that_began_before_the_rule_was_switched_on_is_named(
    client: FlaskClient, travel: time_machine.Coordinates
) -> None:
    one = rule(LOG, **AGE)
    Rule.update(armed_ms=NOON + 600_000).execute()
    take(ticket("created"), ticket("updated", 700))
    travel.move_to(NOON / 1000 + 7200)
    worker.drain()
    said = "The state began at 12:00:00, before the rule was turned on at 12:10:00."
    assert stamped(said) in why(client, one)
    assert stamped(said) in tried(client, one)


def test_timer_that_has_fired_shows_its_run(client: FlaskClient, travel: time_machine.Coordinates) -> None:
    one = rule(LOG, **AGE)
    take(ticket("created"))
    travel.move_to(NOON / 1000 + 7200)
    worker.drain()
    assert "The rule did run for this event. Outcome: Done." in why(client, one)


def test_window_that_must_clear_first_says_until_when(
    client: FlaskClient, travel: time_machine.Coordinates
) -> None:
    one = rule(LOG, types=["ticket.reopened"], times={"number": 2, "seconds": 3600, "by": "subject"})
    take(ticket("reopened", 0))
    assert "too seldom: 1 of 2 times within 1:00:00." in why(client, one)
    take(ticket("reopened", 60), ticket("reopened", 120))
    travel.move_to(NOON / 1000 + 180)
    sentence = "It runs again once at most 0 of the events lie within 1:00:00, from 13:02:00 on."
    assert sentence.replace("from ", "from 2 Mar 2026 ") in why(client, one)


def test_run_held_back_by_its_limit_says_until_when(
    client: FlaskClient, travel: time_machine.Coordinates
) -> None:
    limit = {"often": "period", "by": "subject", "seconds": 900}
    one = rule([{**LOG, "limit": limit}], types=["ticket.reopened"])
    take(ticket("reopened", 0), ticket("reopened", 60))
    assert stamped("held all of them back. The next is possible at 12:15:00.") in why(client, one)


def test_count_says_how_far_it_is_and_when_the_rule_runs_again(
    client: FlaskClient, travel: time_machine.Coordinates
) -> None:
    one = rule(LOG, types=["ticket.count_reached"], count={"number": 2, "clear": 0, "by": "agent"})
    take(ticket("created"))
    assert "The count is 1. The rule runs at 2." in why(client, one, "subject=jana")
    assert "The count is 1. The rule runs at 2." in tried(client, one)
    take(event("ticket.created", 1, interaction="u", user="jana"))
    reached = Event.get(Event.interaction == "u").id
    assert "The rule did run for this event" in why(client, one, f"event={reached}")
    travel.move_to(NOON / 1000 + 10)
    take(event("ticket.updated", 5, interaction="t", user="jana"))
    again = "The rule has run. The count is 2 and must fall to 0 before the rule runs again."
    assert again in why(client, one, "subject=jana")


@pytest.mark.parametrize("subject", ["jana", "JANA", "Jana Malá", "jana malá"])
def test_agent_is_found_by_name_or_username(
    subject: str, client: FlaskClient, travel: time_machine.Coordinates
) -> None:
    one = rule(LOG, types=["agent.idle"], after={"seconds": 3600})
    take(event("agent.signed_in", 0.5, user="jana"), event("agent.ready", 0.5, user="jana"))
    User.update(name="Jana Malá").where(User.login == "jana").execute()
    assert stamped(NOT_DUE.format(due="13:00:00")) in why(client, one, f"subject={subject}")


def test_agent_outside_the_scope_is_not_found_by_name(
    client: FlaskClient, travel: time_machine.Coordinates
) -> None:
    one = rule(LOG, types=["agent.idle"], after={"seconds": 3600})
    take(event("agent.signed_in", user="jana"), event("agent.ready", user="jana"))
    sign_in_with(client, P.RULES_VIEW, P.RULES_TRACES, grants=[("users", make.user("petr").id)])
    assert user_id("jana")
    assert Event.select().count() >= 2
    assert "types were received for this item. Types" in why(client, one, "subject=jana")
