"""Reports of pages become visits and events."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
import time_machine

from dashboard.jobs import worker
from dashboard.models import Contact, Event, Visit
from dashboard.visitors import deadlines, identify, visits
from tests.visitors.portal import ORIGIN, SECRET, Portal, act, ident, page

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
pytestmark = pytest.mark.both_databases


def test_a_visit_from_its_first_page_to_its_end(portal: Portal) -> None:
    with time_machine.travel(START, tick=False) as now:
        first = portal.report(page("p1", r="https://search.example/?q=secret"))
        assert (first.status_code, first.json) == (200, {"ok": [page("p1")["i"]]})
        assert first.headers["Access-Control-Allow-Origin"] == ORIGIN
        now.shift(5)
        portal.report(act("click", "c1", 250, el="menu"), page("p2", 0, "/prices"))
        now.shift(120)
        assert deadlines.run_due() == 1  # two minutes without activity
        now.shift(15)
        portal.report(act("scroll", "s1", 0, p=50))
        now.shift(5)
        portal.report(bye=1, a=5000)
        now.shift(30)
        assert deadlines.run_due() == 1
        now.shift(60)
        portal.report(page("p3"))
        now.shift(visits.INACTIVE_MS / 1000)
        deadlines.run_due()
        now.shift(visits.INACTIVE_MS / 1000)
        deadlines.run_due()
        assert deadlines.run_due() == 0
    assert portal.types() == [
        *(
            "visit.started",
            "session.opened",
            "visitor.page_viewed",
            "cobrowse.clicked",
            "visitor.page_viewed",
        ),
        *("visitor.idle", "visitor.active", "cobrowse.scrolled", "session.closed", "session.opened"),
        *("visitor.page_viewed", "visitor.idle", "session.inactive", "session.closed", "visit.ended"),
    ]
    visit = portal.visit()
    assert (visit.pages, visit.first_url, visit.url) == (3, f"{ORIGIN}/", f"{ORIGIN}/")
    assert (visit.referrer, visit.language) == ("https://search.example/", "cs-CZ")
    assert (visit.browser_name, visit.os, visit.ip) == ("Chrome", "Windows", "127.0.0.0")
    assert (visit.due_ms, visit.number, visit.ended_ms) == (None, 1, visit.active_ms + visits.END_MS)


def test_a_report_without_news_writes_nothing(portal: Portal) -> None:
    with time_machine.travel(START, tick=False) as now:
        portal.report(page("p1"))
        before = portal.visit().__data__
        for turn in range(1, 6):
            now.shift(5)
            assert portal.report(a=5000 * turn).json == {"ok": []}
        assert portal.visit().__data__ == before
        portal.report(a=0)
        assert portal.visit().active_ms == before["active_ms"] + 25_000


def test_a_repeated_record_is_acknowledged_and_counted_once(portal: Portal) -> None:
    for _ in range(3):
        assert portal.report(page("p1"), page("p1"), act("click", "c1")).json["ok"]
    assert portal.types() == ["visit.started", "session.opened", "visitor.page_viewed", "cobrowse.clicked"]
    assert portal.visit().pages == 1


def test_a_known_visitor_is_named_by_the_sites_signature(portal: Portal) -> None:
    signed = {"id": "eva@example.com", "sig": identify.signature(SECRET, "eva@example.com"), "name": "Eva"}
    refused = portal.report(page("p1"), c={**signed, "sig": "0" * 64})
    assert (refused.json["errors"], portal.visit().contact_key) == (
        {"c.sig": "The signature does not fit the id."},
        "",
    )
    for _ in range(2):
        answer = portal.report(c=signed)
        assert "errors" not in answer.json
        worker.drain()
    contact = Contact.get()
    assert (contact.email, contact.name, portal.visit().contact_id) == ("eva@example.com", "Eva", contact.id)
    named = Event.select(Event.type).where(Event.type.startswith("contact.")).order_by(Event.id)
    assert [type_ for (type_,) in named.tuples()] == ["contact.identified", "contact.created"]


def test_the_visits_of_a_browser_are_numbered(portal: Portal) -> None:
    for name in ("one", "two", "three"):
        portal.report(page("p1"), visit=name)
    portal.report(page("p1"), visit="other", browser="another")
    numbers = dict(Visit.select(Visit.token, Visit.number).tuples())
    assert numbers == {ident("one"): 1, ident("two"): 2, ident("three"): 3, ident("other"): 1}
