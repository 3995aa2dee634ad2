"""Reports of pages become visits and events."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import peewee
import pytest
import time_machine

from dashboard.jobs import worker
from dashboard.models import Contact, Event, Site, Visit
from dashboard.visitors import deadlines, identify, invitations, visits
from dashboard.visitors.entry import RULES_MS
from tests.test_sql_log import logged
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


AGENT = {"by": "agent"}
PAID = '{"sum": 5}'
EVENTS: dict[str, tuple[dict[str, Any], str, dict[str, Any]]] = {
    "page": (
        page("k", path="/a?q=1#x", r=f"{ORIGIN}/from"),
        "visitor.page_viewed",
        {"url": f"{ORIGIN}/a", "title": "/a?q=1#x", "referrer": f"{ORIGIN}/from"},
    ),
    "click": (act("click", "k", el="menu"), "cobrowse.clicked", {"element": "menu"}),
    "scroll": (act("scroll", "k", p=50), "cobrowse.scrolled", {"position": 50}),
    "form": (act("form", "k", name="order"), "cobrowse.form_sent", {"form": "order"}),
    "input": (
        act("input", "k", el="note", n=7, x="nothing"),
        "cobrowse.input_changed",
        {"element": "note", "length": 7},
    ),
    "allowed input": (
        act("input", "k", el="city", n=4, x="Brno"),
        "cobrowse.input_changed",
        {"element": "city", "length": 4, "value": "Brno"},
    ),
    "selection": (act("select", "k", x="words"), "cobrowse.selected", {"length": 5}),
    "custom": (act("custom", "k", name="paid", x=PAID), "cobrowse.custom", {"name": "paid", "value": PAID}),
    "agent's click": (
        act("agent", "k", name="click", el="pay"),
        "cobrowse.clicked",
        {"element": "pay", **AGENT},
    ),
    "agent's page": (act("agent", "k", name="page"), "cobrowse.page_changed", AGENT),
    "agent joins": (act("agent", "k", name="join"), "cobrowse.joined", AGENT),
    "agent's own": (act("agent", "k", name="draw"), "cobrowse.custom", {"name": "draw", **AGENT}),
}


def test_each_kind_of_record_becomes_its_event(portal: Portal) -> None:
    Site.update(elements=["city"]).execute()
    wrong = {}
    for number, (name, (record, type_, data)) in enumerate(EVENTS.items()):
        assert portal.report(record, visit=f"visit{number}").status_code == 200
        e = Event
        ((stored, text, session),) = (
            e.select(e.type, e.data, e.session)
            .where(e.external_id.endswith(f":{record['i']}") & (e.session == ident(f"visit{number}")))
            .tuples()
        )
        place = {} if name == "page" else {"url": f"{ORIGIN}/", "by": "customer"}
        if (stored, json.loads(text), session) != (type_, {**place, **data}, ident(f"visit{number}")):
            wrong[name] = stored, json.loads(text)
    assert wrong == {}


def test_a_page_that_comes_back_within_half_a_minute_closes_nothing(portal: Portal) -> None:
    with time_machine.travel(START, tick=False) as now:
        portal.report(page("p1"), bye=1)
        now.shift(29)
        deadlines.run_due()
        portal.report(page("p2"))
        now.shift(31)
        deadlines.run_due()
    assert portal.types() == ["visit.started", "session.opened", *["visitor.page_viewed"] * 2]


def test_a_visitor_who_was_offline_goes_on_with_the_visit(portal: Portal) -> None:
    with time_machine.travel(START, tick=False) as now:
        portal.report(page("p1"))
        now.shift(1800)
        deadlines.run_due()
        assert portal.visit().ended_ms == portal.visit().active_ms + visits.END_MS
        now.shift(600)
        late = [act("click", f"c{n}", (40 - n) * 60_000) for n in (15, 30, 40)]
        portal.report(*late)
        assert (portal.visit().ended_ms, portal.visit().closed_ms) == (None, None)
        now.shift(1800)
        deadlines.run_due()
        now.shift(3600)
        portal.report(act("click", "late", 80 * 60_000), a=80 * 60_000)  # ten minutes after the last click
        visit, ended_ms = portal.visit(), portal.visit().active_ms + visits.END_MS
        assert (visit.ended_ms, visit.closed_ms, visit.due_ms) == (ended_ms, ended_ms, None)
        assert visit.active_ms == int(START.timestamp() + 50 * 60) * 1000
    assert portal.types().count("session.opened") == portal.types().count("visit.ended") == 2
    assert portal.types().count("visit.started") == 1


def test_a_visitor_who_only_moves_the_mouse_is_not_idle_too_early(portal: Portal) -> None:
    with time_machine.travel(START, tick=False) as now:
        portal.report(page("p1"))
        for second in range(5, 300, 5):
            now.shift(5)
            portal.report(a=max(0, second - 114) * 1000)  # moves for 114 seconds
            deadlines.run_due()
        idle = Event.get(Event.type == "visitor.idle")
    assert idle.time_ms == int(START.timestamp() + 114 + 120) * 1000


def test_an_invitation_comes_with_the_next_report_and_its_answer_is_recorded_once(portal: Portal) -> None:
    with time_machine.travel(START, tick=False) as now:
        portal.report(page("p1"))
        now.shift(117)
        assert portal.report(a=117_000).json == {"ok": [], "next": 3000 + RULES_MS}
        now.shift(3)
        invitation = invitations.invite(portal.visit().id, {"": "Hello"})
        assert invitation is not None
        now.shift(5)
        invite = portal.report(a=125_000).json["invite"]
        assert (invite["id"], invite["text"]) == (invitation.id, "Hello")
        for state in ("shown", "accepted", "accepted", "rejected"):
            portal.report(act("invite", f"invite-{state}", id=invitation.id, s=state))
        assert "invite" not in portal.report().json
        portal.report(act("invite", "invite-of-another", id=invitation.id, s="rejected"), visit="other")
    assert portal.visit().invitation == "accepted"
    made = [type_ for type_ in portal.types() if type_.startswith("chat.")]
    assert (made, portal.types("other")) == (
        ["chat.invited", "chat.invite_accepted"],
        ["visit.started", "session.opened"],
    )


def test_a_preflight_is_answered_for_the_origins_of_the_site(portal: Portal) -> None:
    answer = portal.send("", method="OPTIONS")
    assert (answer.status_code, answer.headers["Vary"]) == (204, "Origin")
    assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert answer.headers["Access-Control-Allow-Methods"] == "POST"
    assert portal.send("", method="OPTIONS", headers={"Origin": "https://evil.example"}).status_code == 403


def test_what_is_due_costs_the_same_among_many_open_visits(portal: Portal, db: peewee.Database) -> None:
    with time_machine.travel(START, tick=False) as now:

        def cost() -> int:
            now.shift(200)
            due = Visit.select(Visit.id).where(Visit.token.startswith("visit"))
            Visit.update(due_ms=1, active_ms=0, started_ms=0, ended_ms=None).where(
                Visit.id.in_(due)
            ).execute()
            with logged(db) as run:
                assert deadlines.run_due() == 3
            return len(run)

        for n in range(3):
            portal.report(page("p1"), visit=f"visit{n}")
        cost()
        few = cost()
        row = {**Visit.get().__data__, "due_ms": 2**50}
        del row["id"]
        rows = [{**row, "token": f"open{n}"} for n in range(3000)]
        with db.atomic():
            for start in range(0, len(rows), 500):
                Visit.insert_many(rows[start : start + 500]).execute()
        assert cost() == few
        db.execute_sql("ANALYZE")
        with logged(db) as run:
            deadlines.run_due()
    ((sql, params),) = run
    explain = "EXPLAIN QUERY PLAN " if isinstance(db, peewee.SqliteDatabase) else "EXPLAIN "
    assert "visit_due" in str(db.execute_sql(explain + sql, params).fetchall())
