"""What the dashboard records itself: as any event, in the caller's transaction, unless switched off."""

from __future__ import annotations

import json

import pytest
from flask import Flask

from dashboard.access.permissions import Permission
from dashboard.audit import record as audit
from dashboard.db import database
from dashboard.events import internal, record, switches
from dashboard.events.switches import Choice
from dashboard.models import Event, EventCause, Job, Setting, Source, TypeSwitch, versions
from dashboard.pages.signin import commands
from tests import make

pytestmark = pytest.mark.both_databases

FAILED = "auth.sign_in_failed"


def jobs() -> int:
    return Job.select().where(Job.kind == "digest").count()


@pytest.mark.usefixtures("db")
def test_internal_event_has_the_source_of_its_interaction_or_stopa() -> None:
    pbx = record.source("pbx").id
    first = internal.append("schedule.reached", {"name": "Morning"})
    second = internal.append("ticket.idle", {}, user_id=3, queue_id=4, interaction="T1", source_id=pbx)
    row, other = Event.get_by_id(first), Event.get_by_id(second)
    assert (Source.get_by_id(row.source_id).name, row.type) == (internal.SOURCE, "schedule.reached")
    assert json.loads(row.data) == {"name": "Morning"}
    assert (other.source_id, other.user_id, other.queue_id, other.interaction) == (pbx, 3, 4, "T1")
    assert other.time_ms == other.recorded_ms
    ranges = [args for (args,) in Job.select(Job.args).order_by(Job.id).tuples()]
    assert all(r["after"] < one.id <= r["to"] for r, one in zip(ranges, (row, other), strict=True))


@pytest.mark.usefixtures("db")
def test_causation_chain_is_stored_with_the_event() -> None:
    plain, caused = internal.append("custom.a", {}), internal.append("custom.b", {}, chain=[4, 9])
    assert [(one.event_id, one.chain) for one in EventCause.select()] == [(caused, [4, 9])]
    assert plain != caused


@pytest.mark.usefixtures("db")
def test_internal_event_is_rolled_back_with_its_cause() -> None:
    with database.atomic() as transaction:
        internal.append("custom.a", {}, chain=[1])
        transaction.rollback()
    assert [model.select().count() for model in (Event, EventCause, Job, Source)] == [0, 0, 0, 0]


@pytest.mark.usefixtures("db")
def test_disabled_type_records_nothing() -> None:
    switches.choose("custom.a", Choice(recorded=False, in_rules=True))
    assert internal.append("custom.a", {}, chain=[1]) is None
    assert internal.append("custom.b", {}) is not None
    assert (Event.select().count(), EventCause.select().count(), jobs()) == (1, 0, 1)


@pytest.mark.usefixtures("db")
def test_no_digest_job_for_types_that_rules_cannot_use() -> None:
    internal.append("tracing.viewed", {})
    assert (Event.select().count(), jobs()) == (1, 0)
    internal.append("tracing.viewed", {}, interaction="T1")
    assert jobs() == 1


@pytest.mark.usefixtures("db")
def test_choice_applies_at_once_and_not_after_rollback() -> None:
    assert switches.choice("auth.signed_in") == Choice(recorded=True, in_rules=True)
    assert switches.choice("tracing.viewed") == Choice(recorded=True, in_rules=False)
    with database.atomic() as transaction:
        switches.choose("auth.signed_in", Choice(recorded=False, in_rules=False))
        assert not switches.recorded("auth.signed_in")
        transaction.rollback()
    assert switches.recorded("auth.signed_in")
    switches.choose("auth.signed_in", Choice(recorded=True, in_rules=False))
    assert (switches.recorded("auth.signed_in"), switches.in_rules("auth.signed_in")) == (True, False)
    assert not switches.off()


@pytest.mark.usefixtures("db")
def test_unrecorded_type_is_not_usable_in_rules() -> None:
    switches.choose("custom.a", Choice(recorded=False, in_rules=True))
    assert not switches.in_rules("custom.a")
    assert set(switches.off()) == {"custom.a"}


@pytest.mark.usefixtures("db")
def test_choice_equal_to_default_stores_no_row() -> None:
    switches.choose("custom.a", Choice(recorded=False, in_rules=False))
    switches.choose("custom.a", Choice(recorded=True, in_rules=True))
    assert TypeSwitch.select().count() == 0
    assert {row.name for row in Setting.select()} == {versions.RULES, versions.TYPES}


@pytest.mark.usefixtures("db")
def test_audited_action_becomes_an_event_with_catalogued_fields_only() -> None:
    jana = make.user("jana")
    audit.record(
        "user.updated",
        "u",
        audit.user_target(jana),
        {"email": ("", "jana@example.org")},
        {"password": "p", "note": "n"},
    )
    audit.record("import.run", "c", ("source", 1, "pbx"), details={"file": "a.log", "stored": 7})
    audit.record("no.such_type", "c", ("", "", ""))
    found = Event.select().order_by(Event.id)
    assert [(one.type, one.user_id, json.loads(one.data)) for one in found] == [
        ("user.updated", jana.id, {"name": "Jana"}),
        ("import.finished", None, {"rows": 7}),
    ]


@pytest.mark.parametrize(("login", "known"), [("jana", True), ("nobody", False), ("{{7*7}}\r\n", False)])
def test_failed_sign_in_event_names_the_user_if_known(app: Flask, login: str, known: bool) -> None:
    jana = make.user("jana", access=make.access([Permission.HOME_VIEW]), password="right and long")
    with app.app_context(), pytest.raises(commands.Refused):
        commands.sign_in(login, "wrong", "192.0.2.1", "")
    event = Event.get(Event.type == FAILED)
    assert event.user_id == (jana.id if known else None)
    assert "wrong" not in event.data


@pytest.mark.usefixtures("db")
def test_rolled_back_action_records_no_event() -> None:
    with database.atomic() as transaction:
        audit.record("team.created", "c", ("team", 1, "Support"))
        transaction.rollback()
    assert Event.select().count() == 0
