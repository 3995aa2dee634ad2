"""How long visits are kept, what erasing a contact leaves of them, and the worker's deadlines."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
import time_machine

from dashboard.clock import DAY_S
from dashboard.db import connected, database
from dashboard.events import erasure, record
from dashboard.ingest.schema import NewEvent
from dashboard.jobs import worker
from dashboard.models import Contact, Event, Invitation, Visit
from dashboard.retention import content, visits
from dashboard.visitors import deadlines, identify, invitations
from tests.test_sql_log import logged
from tests.visitors.portal import SECRET, Portal, act, everything, ident, page

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
MAIL = "eva.nova@example.com"
EVA = {"id": MAIL, "sig": identify.signature(SECRET, MAIL), "name": "Eva Nová"}
pytestmark = pytest.mark.both_databases


def test_visits_and_their_events_are_deleted_after_the_days_of_their_site(portal: Portal) -> None:
    with time_machine.travel(START, tick=False) as now:
        portal.report(page("p1"), act("click", "c1"), visit="old")
        invitations.invite(portal.visit("old").id, {"": "Hello"})
        other = NewEvent("e", "cobrowse.joined", 0, None, session=ident("old"))
        record.append(record.source("cobrowsing").id, [other])
        now.shift(1800)
        deadlines.run_due()
        now.shift(20 * DAY_S)
        portal.report(page("p1"), visit="new")
        worker.drain()
        now.shift(10 * DAY_S)
        assert sum(visits.delete()) == 0
        now.shift(DAY_S)
        deadlines.run_due()
        assert sum(visits.delete()) == 9 + 1  # events and the visit
        assert sum(visits.delete()) == 0
    assert [visit.token for visit in Visit.select()] == [ident("new")]
    assert not Invitation.select().exists()
    assert portal.types("old") == ["cobrowse.joined"]
    assert portal.types("new")[:3] == ["visit.started", "session.opened", "visitor.page_viewed"]


def test_a_contact_is_kept_as_long_as_its_latest_visit(portal: Portal) -> None:
    with time_machine.travel(START, tick=False) as now:
        portal.report(page("p1"), c=EVA)
        worker.drain()
        portal.report(act("click", "c1"))
        before_ms = int(START.timestamp() * 1000)
        list(content.delete(before_ms))
        assert Contact.get().email == MAIL
        now.shift(60)
        list(content.delete(before_ms + 60_000))
    contact = Contact.get()
    assert (contact.email, contact.name) == ("", f"erased-{contact.id}")
    assert portal.visit().contact_key == f"{portal.site.source_id}:erased-{contact.id}"
    assert MAIL not in everything()


def test_erasing_a_contact_leaves_nothing_of_it_in_visits(portal: Portal) -> None:
    portal.report(page("p1", t="Order of Eva Nová", path="/users/eva"), c=EVA)
    worker.drain()
    portal.report(act("custom", "c1", name="sent", x=f"to {MAIL}"))
    contact = Contact.get()
    assert portal.visit().contact_id == contact.id
    erasure.erase(contact.id)
    found = everything()
    assert not [text for text in (MAIL, "Eva Nová", "Nov\\u00e1") if text in found]
    assert portal.visit().contact_id == contact.id


def test_two_workers_do_what_is_due_once(portal: Portal) -> None:
    with time_machine.travel(START, tick=False) as now:
        for n in range(30):
            portal.report(page("p1"), visit=f"visit{n}")
        now.shift(1800)

        def work(_number: int) -> int:
            with connected():
                return deadlines.run_due()

        with ThreadPoolExecutor(4) as threads:
            assert sum(threads.map(work, range(4))) == 30
    wanted = {"visit.started", "session.opened", "visitor.page_viewed", "visitor.idle", "session.inactive"}
    wanted |= {"session.closed", "visit.ended"}
    for type_ in wanted:
        assert Event.select().where(Event.type == type_).count() == 30, type_


def test_a_turn_with_nothing_due_is_one_statement_that_reads_an_index(portal: Portal) -> None:
    with time_machine.travel(START, tick=False):
        portal.report(page("p1"))
        with logged(database.obj) as run:
            assert deadlines.run_due() == 0
    assert len(run) == 1
