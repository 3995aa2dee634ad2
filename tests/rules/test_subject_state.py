"""What an event changed: out of the log, whatever else is kept, asked live and asked again later."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
import time_machine
from hypothesis import given
from hypothesis import strategies as st

from dashboard.models import Event, Subject
from dashboard.rulelang.fields import ABSENT, Change
from dashboard.rules import event_facts, subject_state
from dashboard.rules.event_rows import EventRow
from dashboard.rules.subject_fold import MAX_FIELDS, State, apply_event
from tests import make
from tests.rules.engine import LOG, NOON, acted, event, rule, send, take

pytestmark = pytest.mark.both_databases

ticket: dict[str, Any] = {"interaction": "t1", "user": "jana"}


def line(ident: int, type_: str, time_ms: int, data: dict[str, Any], user: int | None = None) -> EventRow:
    return EventRow(ident, 1, type_, time_ms, time_ms, user, None, "t1", None, None, json.dumps(data))


def updated(seconds: float, **data: Any) -> dict[str, Any]:
    return event("ticket.updated", seconds, data=data, **ticket)


def changed(path: str, old: Any, new: Any) -> dict[str, Any]:
    return {"if": {"all": [{"field": path, "op": "changed_from_to", "value": [old, new]}]}}


@pytest.mark.usefixtures("db")
def test_changes_of_an_event_are_available_to_rules() -> None:
    one = rule(LOG, ["ticket.updated"], **changed("data.status", "open", "closed"))
    take(event("ticket.created", 0, data={"status": "open"}, **ticket), updated(1, status="open"))
    assert acted() == []
    assert take(updated(2, status="closed"), updated(3, status="closed"))[-1] == (one.id, "done")
    assert len(acted()) == 1


@pytest.mark.usefixtures("db")
def test_the_old_value_of_a_change_may_come_from_any_earlier_event() -> None:
    one = rule(LOG, ["ticket.updated"], **changed("data.priority", "1", "2"))
    take(updated(1, priority="1"))
    take(updated(2, title="something else"))
    assert take(updated(5, priority="2"))[-1] == (one.id, "done")


@pytest.mark.usefixtures("db")
def test_an_event_that_arrives_late_changes_nothing_for_rules() -> None:
    both = changed("data.status", "closed", "open"), changed("data.status", "open", "closed")
    for condition in both:
        rule(LOG, ["ticket.updated"], **condition)
    take(updated(10, status="closed"))
    take(updated(5, status="open"))
    assert acted() == []
    late = event_facts.of_event(max(row.id for row in Event.select()))
    assert late is not None
    assert (late["late"], late["changes"], late["data.status"]) == (True, {}, "open")
    state = subject_state.state_at(Event.get().source_id, "t1")
    assert state is not None
    assert state.values["data.status"] == "closed"


@pytest.mark.usefixtures("db")
def test_a_condition_reads_the_subject_as_it_was_at_the_event() -> None:
    high = {"if": {"all": [{"field": "data.priority", "op": "is", "value": "high"}]}}
    one = rule(LOG, ["ticket.message_received"], **high)
    take(event("ticket.created", 0, data={"priority": "high", "requester_tags": ["VIP"]}, **ticket))
    assert take(event("ticket.message_received", 1, data={"message": "hello"}, **ticket))[-1] == (
        one.id,
        "done",
    )
    take(updated(2, priority="low"))
    take(event("ticket.message_received", 3, data={"message": "again"}, **ticket))
    assert len(acted()) == 1
    tickets = Event.select().where(Event.type.startswith("ticket.")).order_by(Event.id)
    facts = event_facts.of_events([row.id for row in tickets])
    assert [each["data.priority"] for each in facts] == ["high", "high", "low", "low"]
    assert [each["data.message"] for each in facts][2:] == [ABSENT, "again"]  # an event's own field


@pytest.mark.usefixtures("db")
def test_several_changes_at_one_moment_are_one_change() -> None:
    direct = rule(LOG, ["ticket.updated"], **changed("data.status", "open", "closed"))
    rule(LOG, ["ticket.updated"], **changed("data.status", "open", "pending"))
    take(event("ticket.created", 0, data={"status": "open"}, **ticket))
    with time_machine.travel(NOON / 1000 + 60, tick=False):
        take(updated(1, status="pending"), updated(1, status="closed"))
    assert acted() == [(direct.id, "done")]


@pytest.mark.usefixtures("db")
def test_a_change_of_user_and_queue_is_a_change() -> None:
    one = rule(LOG, ["ticket.updated"], **{"if": {"all": [{"field": "user", "op": "changed"}]}})
    take(updated(0), event("ticket.updated", 1, interaction="t1", user="petr"), updated(2))
    assert acted() == [(one.id, "done")] * 2


@pytest.mark.usefixtures("db")
def test_changes_do_not_depend_on_what_is_kept_of_a_subject() -> None:
    rule(LOG, ["ticket.updated"], **{"if": {"all": [{"field": "data.status", "op": "changed"}]}})
    words = random.Random(7).choices(["a", "b", None], k=12)
    for at, word in enumerate(words):
        take(updated(at, status=word))
    kept = {fact["id"]: fact["changes"] for fact in event_facts.of_events([row.id for row in Event.select()])}
    Subject.delete().execute()
    assert {
        fact["id"]: fact["changes"] for fact in event_facts.of_events([row.id for row in Event.select()])
    } == kept
    assert Subject.select().count() == 0


@pytest.mark.usefixtures("db")
def test_a_row_that_is_behind_or_missing_is_brought_up_to_the_log() -> None:
    send(event("ticket.created", 0, data={"status": "new"}, **ticket), updated(1, status="open"))
    source = Event.get().source_id
    [state] = subject_state.refresh(source, ["t1", "unknown"]).values()
    first, second = [row.id for row in Event.select().order_by(Event.id)]
    assert (state.values["data.status"], state.event_id, state.kind) == ("open", second, "ticket")
    send(event("ticket.closed", 2, **ticket))
    assert subject_state.refresh(source, ["t1"])["t1"].ended_ms is not None
    row = Subject.get()
    assert (row.ended_ms, row.opened_ms) == (state.opened_ms + 2000, state.opened_ms)
    then = subject_state.state_at(source, "t1", first)
    assert then is not None
    assert (then.values["data.status"], then.ended_ms) == ("new", None)


@pytest.mark.usefixtures("db")
def test_interactions_of_the_same_name_in_two_sources_are_two_subjects() -> None:
    one = rule(LOG, ["ticket.updated"], **changed("data.status", "a", "b"))
    take(updated(0, status="a"), source="first")
    take(updated(1, status="b"), source="second")
    assert acted() == []
    assert take(updated(2, status="b"), source="first")[-1] == (one.id, "done")


@pytest.mark.usefixtures("db")
def test_the_facts_of_an_event_hold_what_it_names() -> None:
    make.queue("sales", channel="chat")
    contact = {"name": "Eva", "email": "eva@example.org"}
    send(event("ticket.updated", data={"number": 7}, queue="sales", contact=contact, session="s1", **ticket))
    found = event_facts.of_event(Event.get().id)
    assert found is not None
    assert (found["source"], found["interaction"], found["session"]) == ("pbx", "t1", "s1")
    assert (found["queue.channel"], found["user.team"]) == ("chat", [])
    assert (found["contact.email"], found["contact.phone"], found["data.number"]) == (
        "eva@example.org",
        "",
        7,
    )
    assert "eva" not in found["contact.id"]
    assert event_facts.of_event(99_999) is None


def test_a_list_and_an_object_within_the_data_are_compared_by_path() -> None:
    state, first = apply_event(None, line(1, "ticket.created", 0, {"tags": ["a"], "custom": {"vip": True}}))
    state, second = apply_event(
        state, line(2, "ticket.updated", 1, {"tags": ["a", "b"], "custom": {"vip": False}})
    )
    assert first == {}
    assert second == {"data.tags": (["a"], ["a", "b"]), "data.custom.vip": (True, False)}


def test_long_texts_are_distinct_though_they_are_stored_cut() -> None:
    long = "x" * 100_000
    state, _changes = apply_event(None, line(1, "ticket.created", 0, {"message": long + "a"}))
    state, same = apply_event(state, line(2, "ticket.updated", 1, {"message": long + "a"}))
    state, other = apply_event(state, line(3, "ticket.updated", 1, {"message": long + "b"}))
    assert (same, list(other)) == ({}, ["data.message"])
    assert len(str(state.values)) < 1000


def test_ever_new_fields_do_not_fill_a_subject() -> None:
    state: State | None = None
    for number in range(MAX_FIELDS + 50):
        state, _changes = apply_event(state, line(number, "ticket.updated", 0, {f"f{number}": 1}))
    assert state is not None
    assert len(state.values) == MAX_FIELDS


values = st.one_of(st.none(), st.sampled_from(["a", "b", ""]), st.booleans(), st.integers(0, 2))


@given(st.lists(values, max_size=8))
def test_change_goes_from_the_last_known_value_to_the_new_one(told: list[Any]) -> None:
    state: State | None = None
    last: Any = None
    for number, value in enumerate(told):
        state, changes = apply_event(state, line(number, "ticket.updated", 0, {"x": value}))
        if changes:
            assert Change(*changes["data.x"]) == Change(last, value)
        elif value is not None and number and last not in (None, ""):
            assert value == last
        last = last if value is None else value
