"""What the dashboard records itself: as any event, in the caller's transaction, unless switched off."""

from __future__ import annotations

import json

import pytest

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
def test_an_event_of_its_own_comes_from_the_dashboard_unless_its_subject_has_a_source() -> None:
    pbx = record.source("pbx").id
    first = internal.append("schedule.reached", {"name": "Morning"})
    second = internal.append(
        "ticket.idle", {}, user_id=3, queue_id=4, interaction="T1", source_id=pbx, time_ms=7
    )
    row, other = Event.get_by_id(first), Event.get_by_id(second)
    assert (Source.get_by_id(row.source_id).name, row.type) == (internal.SOURCE, "schedule.reached")
    assert json.loads(row.data) == {"name": "Morning"}
    assert (other.source_id, other.user_id, other.queue_id, other.interaction, other.time_ms) == (
        pbx,
        3,
        4,
        "T1",
        7,
    )
    ranges = [args for (args,) in Job.select(Job.args).order_by(Job.id).tuples()]
    assert all(r["after"] < one.id <= r["to"] for r, one in zip(ranges, (row, other), strict=True))


@pytest.mark.usefixtures("db")
def test_what_rules_led_to_an_event_is_kept_with_it() -> None:
    plain, caused = internal.append("custom.a", {}), internal.append("custom.b", {}, chain=[4, 9])
    assert [(one.event_id, one.chain) for one in EventCause.select()] == [(caused, [4, 9])]
    assert plain != caused


@pytest.mark.usefixtures("db")
def test_an_event_of_its_own_goes_back_with_its_cause() -> None:
    with database.atomic() as transaction:
        internal.append("custom.a", {}, chain=[1])
        transaction.rollback()
    assert [model.select().count() for model in (Event, EventCause, Job, Source)] == [0, 0, 0, 0]


@pytest.mark.usefixtures("db")
def test_a_type_that_is_switched_off_leaves_nothing() -> None:
    switches.choose("custom.a", Choice(recorded=False, in_rules=True))
    assert internal.append("custom.a", {}, chain=[1]) is None
    assert internal.append("custom.b", {}) is not None
    assert (Event.select().count(), EventCause.select().count(), jobs()) == (1, 0, 1)


@pytest.mark.usefixtures("db")
def test_no_digest_is_asked_for_where_no_rule_may_look() -> None:
    internal.append("tracing.viewed", {})
    assert (Event.select().count(), jobs()) == (1, 0)
    internal.append("tracing.viewed", {}, interaction="T1")
    assert jobs() == 1


@pytest.mark.usefixtures("db")
def test_a_choice_holds_at_once_and_an_undone_one_never() -> None:
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
def test_what_is_not_recorded_is_not_in_rules_either() -> None:
    switches.choose("custom.a", Choice(recorded=False, in_rules=True))
    assert not switches.in_rules("custom.a")
    assert set(switches.off()) == {"custom.a"}


@pytest.mark.usefixtures("db")
def test_a_choice_that_equals_the_catalogue_leaves_no_row() -> None:
    switches.choose("custom.a", Choice(recorded=False, in_rules=False))
    switches.choose("custom.a", Choice(recorded=True, in_rules=True))
    assert TypeSwitch.select().count() == 0
    assert {row.name for row in Setting.select()} == {versions.RULES, versions.TYPES}


@pytest.mark.usefixtures("db")
def test_an_act_of_the_catalogue_is_an_event_with_its_fields_alone() -> None:
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


@pytest.mark.usefixtures("app")
@pytest.mark.parametrize(("login", "known"), [("jana", True), ("nobody", False), ("{{7*7}}\r\n", False)])
def test_a_sign_in_that_fails_is_about_the_user_where_there_is_one(login: str, known: bool) -> None:
    jana = make.user("jana", access=make.access([Permission.HOME_VIEW]), password="right and long")
    with pytest.raises(commands.Refused):
        commands.sign_in(login, "wrong", "192.0.2.1")
    event = Event.get(Event.type == FAILED)
    assert event.user_id == (jana.id if known else None)
    assert "wrong" not in event.data


@pytest.mark.usefixtures("db")
def test_an_act_that_is_undone_leaves_no_event() -> None:
    with database.atomic() as transaction:
        audit.record("team.created", "c", ("team", 1, "Support"))
        transaction.rollback()
    assert Event.select().count() == 0
