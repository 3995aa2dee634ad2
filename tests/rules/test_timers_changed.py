"""Deadlines while their rules and calendars change under them."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
import time_machine

from dashboard.events import record
from dashboard.ingest.schema import NewEvent
from dashboard.jobs import worker
from dashboard.models import Calendar, Job, Rule
from dashboard.rules import limit_store
from dashboard.rules.timing import timer_sync
from tests.rules import engine
from tests.rules.engine import NOON, event, rule
from tests.rules.time import DAY, HOUR, MINUTE, Site, fired, pending

pytestmark = pytest.mark.usefixtures("db")

# 2 March 2026 is a Monday; noon UTC is 13:00 in Prague.
OFFICE = {str(day): [["08:00", "17:00"]] for day in range(1, 6)}
WORKING = {"types": ["ticket.idle"], "after": {"seconds": 6 * HOUR, "calendar": "Office"}}
IDLE = {"types": ["ticket.idle"], "after": {"seconds": 2 * HOUR}}


@pytest.fixture
def site() -> Iterator[Site]:
    with time_machine.travel(NOON / 1000, tick=False) as travel:
        yield Site(travel)


def office(hours: dict[str, list[list[str]]] = OFFICE) -> Calendar:
    return Calendar.create(name="Office", zone="Europe/Prague", hours=hours)


def open_at(hours: dict[str, list[list[str]]]) -> None:
    """Change the opening hours as the page does."""
    Calendar.update(hours=hours).where(Calendar.name == "Office").execute()
    timer_sync.calendar_changed("Office")
    worker.drain()


def edited(one: Rule, after: dict[str, object]) -> None:
    """Change how long a rule waits as the editor does."""
    definition = {**one.definition, "after": after}
    Rule.update(definition=definition, version=Rule.version + 1).where(Rule.id == one.id).execute()
    timer_sync.enqueue_backfill([one.id])
    worker.drain()


def test_working_hours_pass_over_a_weekend_in_which_the_clock_changes(site: Site) -> None:
    office()
    one = rule(**WORKING)
    friday = 25 * DAY  # 27 March; 13:00 in Prague, four hours before closing
    site.comes("ticket.created", friday)
    site.wake(friday + 3 * DAY)
    assert fired() == [(one.id, "done", friday + 2 * DAY + 20 * HOUR)]  # 10:00 on the 30th is 08:00 UTC


def test_longer_opening_hours_bring_a_pending_deadline_forward(site: Site) -> None:
    office()
    one = rule(**WORKING)
    site.comes("ticket.created", 0)
    assert pending() == [("ticket.idle", "T-1", 21 * HOUR)]
    open_at({str(day): [["08:00", "24:00"]] for day in range(1, 6)})
    assert pending() == [("ticket.idle", "T-1", 6 * HOUR)]
    site.wake(6 * HOUR)
    assert fired() == [(one.id, "done", 6 * HOUR)]


def test_shorter_opening_hours_put_a_pending_deadline_off(site: Site) -> None:
    office()
    one = rule(**WORKING)
    site.comes("ticket.created", 0)
    open_at({str(day): [["13:00", "15:00"]] for day in range(1, 6)})
    site.wake(21 * HOUR)
    assert fired() == []
    site.wake(3 * DAY)
    assert fired() == [(one.id, "done", 2 * DAY + 2 * HOUR)]


def test_a_wait_in_working_time_moves_with_its_calendar(site: Site) -> None:
    office()
    one = rule(types=["chat.queued"], wait={"seconds": 6 * HOUR, "calendar": "Office"})
    site.comes("chat.queued", 0)
    open_at({str(day): [["13:00", "15:00"]] for day in range(1, 6)})
    site.wake(21 * HOUR)
    assert fired() == []
    site.wake(3 * DAY)
    assert fired() == [(one.id, "done", 2 * DAY + 2 * HOUR)]


def test_a_shorter_time_holds_for_what_has_not_fired_yet(site: Site) -> None:
    one = rule(**IDLE)
    site.comes("ticket.created", 0)
    site.wake(90 * MINUTE)
    edited(one, {"seconds": HOUR})
    assert fired() == [(one.id, "done", HOUR)]


def test_an_edit_is_no_second_cause_for_what_has_fired(site: Site) -> None:
    one = rule(**IDLE)
    site.comes("ticket.created", 0)
    site.wake(3 * HOUR)
    edited(one, {"seconds": HOUR})
    assert fired() == [(one.id, "done", 2 * HOUR)]


def test_what_is_long_past_does_not_expire_once_more_at_an_edit(site: Site) -> None:
    one = rule(**IDLE)
    site.comes("ticket.created", 0)
    Rule.update(state="off").where(Rule.id == one.id).execute()
    site.wake(3 * DAY)
    Rule.update(state="on").where(Rule.id == one.id).execute()
    edited(one, {"seconds": HOUR})
    assert fired() == []


def test_an_event_that_comes_in_late_counts_at_its_own_time(site: Site) -> None:
    one = rule(**IDLE)
    site.comes("ticket.message_sent", 5 * HOUR)
    engine.send(event("ticket.created", 0, interaction="T-1", user="jana"))
    engine.digest()
    site.wake(8 * HOUR)
    assert fired() == [(one.id, "done", 2 * HOUR), (one.id, "done", 7 * HOUR)]


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "soon", "", 7, None, ["x"]])
@pytest.mark.parametrize("calendar", ["", "Office"])
def test_no_time_that_an_event_names_stops_the_digest(site: Site, at: object, calendar: str) -> None:
    office()
    rule(types=["ticket.followup_due"], after={"seconds": HOUR, "calendar": calendar})
    data = json.dumps({"followup_at": at})  # as stored before such times were refused
    stored = NewEvent("f", "ticket.followup_scheduled", NOON, "jana", interaction="T-1", data=data)
    record.append(record.source("pbx").id, [stored])
    engine.digest()
    assert not Job.select().where(Job.kind == "digest").exists()
    site.wake(HOUR)


def test_many_deadlines_of_one_moment_are_no_storm(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limit_store, "MOST_A_MINUTE", 2)
    one = rule(**IDLE)
    for number in range(5):
        site.comes("ticket.created", 0, f"T-{number}")
    site.wake(2 * HOUR)
    assert fired() == [(one.id, "done", 2 * HOUR)] * 5
