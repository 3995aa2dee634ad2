"""Co-browsing sessions are what the log says, whenever, whence and how often its events came."""

from __future__ import annotations

import json
import random
from typing import Any

import peewee
import pytest
from flask import Flask

from dashboard.events import record
from dashboard.ingest import digest
from dashboard.ingest.imports import removal
from dashboard.ingest.schema import NewEvent
from dashboard.jobs import worker
from dashboard.models import (
    CobrowseAgent,
    CobrowseSession,
    CobrowseStep,
    Contact,
    Event,
    Job,
    Site,
    Source,
    User,
    Visit,
)
from dashboard.retention import content, log

pytestmark = pytest.mark.both_databases

NOON_MS = 1_777_896_000_000  # 2026-05-04 12:00 UTC
SHOP = "https://shop.example.org"


def event(
    ident: str, type_: str, second: int, session: str = "v1", user: str | None = None, **more: Any
) -> NewEvent:
    interaction, contact = more.pop("interaction", None), more.pop("contact", None)
    at = NOON_MS + second * 1000
    return NewEvent(
        ident, type_, at, user, None, interaction, contact, session=session, data=json.dumps(more)
    )


EVENTS = [
    event("1", "visitor.page_viewed", 0, url=f"{SHOP}/?utm=7#top"),
    event("2", "cobrowse.clicked", 5, by="customer", url=f"{SHOP}/", element="Offers"),
    event("3", "cobrowse.joined", 9, user="eva"),
    event("4", "cobrowse.scrolled", 12, by="customer", url=f"{SHOP}/tariffs", position=62),
    event("5", "cobrowse.clicked", 15, user="jan", by="agent", element="Compare"),
    event("6", "cobrowse.page_changed", 16, user="jan", url=f"{SHOP}/compare?token=1", title="Compare"),
    event("7", "cobrowse.input_changed", 20, by="customer", element="phone", length=13),
    event("8", "cobrowse.selected", 21, by="customer", text="from 1 January"),
    event("9", "cobrowse.form_sent", 30, by="customer", form="tariff"),
    event("10", "cobrowse.custom", 31, by="customer", name="order", value="20418"),
    event("11", "chat.queued", 40, interaction="chat-2", contact={"email": "eva@example.org"}),
    event("12", "chat.queued", 35, interaction="chat-1", contact={"email": "old@example.org"}),
    event("13", "cobrowse.left", 50, user="eva"),
    event("14", "visitor.page_viewed", 1, "v2", url=f"{SHOP}/"),  # a visit without co-browsing
    event("15", "cobrowse.clicked", 3, "v3", by="customer"),
    event("16", "visitor.page_viewed", 2, "v3", url="http://[bad", title="Bad"),
]


def picture(source: int) -> list[Any]:
    """Return everything that is stored of the sessions of a source, ids replaced by names."""
    s, users = CobrowseSession, dict(User.select(User.id, User.login).tuples())
    found = []
    for row in s.select().where(s.source == source).order_by(s.external_id):
        agents = CobrowseAgent.select(CobrowseAgent.user_id).where(CobrowseAgent.session == row.id).tuples()
        t = CobrowseStep
        steps = t.select(t.time_ms, t.kind, t.by_agent, t.user_id, t.page, t.element, t.length)
        steps = steps.where(t.session == row.id).order_by(t.time_ms, t.kind).tuples()
        contact = Contact.get_or_none(Contact.id == row.contact_id)
        facts = (row.external_id, row.interaction, contact and contact.key.partition(":")[2])
        sums = (row.first_ms, row.last_ms, row.steps, row.joined, row.page, row.visit_id)
        named = [(*step[:3], users.get(step[3]), *step[4:]) for step in steps]
        found.append([facts, sums, sorted(users[user] for (user,) in agents), named])
    return found


def stored(name: str, events: list[NewEvent], digested: bool = True) -> int:
    source = int(record.source(name).id)
    record.append(source, events)
    if digested:
        worker.drain()
    return source


def test_a_session_is_the_same_however_its_events_came(app: Flask) -> None:
    whole = picture(stored("at once", EVENTS))
    first, third = whole
    assert first[0] == ("v1", "chat-1", "eva@example.org")
    assert first[1] == (NOON_MS, NOON_MS + 50_000, 11, True, f"{SHOP}/", None)
    assert first[2] == ["eva", "jan"]
    lengths = {step[1]: step[6] for step in first[3] if step[6] is not None}
    assert lengths == {"input": 13, "selection": 14, "custom": 5}
    assert [step[2] for step in first[3]] == [*(False, False, True, False, True, True), *([False] * 4), True]
    assert (third[0][0], third[1][2:5]) == ("v3", (2, False, "http://[bad"))
    chance = random.Random(12)
    for n in range(6):
        events = chance.sample(EVENTS, len(EVENTS))
        source = stored(f"shuffled {n}", [])
        while events:
            size = chance.randrange(1, 6)
            stored(f"shuffled {n}", events[:size], digested=chance.random() < 0.7)
            events = events[size:]
        worker.drain()
        assert picture(source) == whole, n
    last = Event.select(peewee.fn.MAX(Event.id)).scalar()
    digest.digest([Job(args={"after": 0, "to": last, "source": None, "rules": False})])
    ids = sorted(CobrowseSession.select(CobrowseSession.external_id, CobrowseSession.id).tuples())
    for _again in range(2):
        for row in Source.select():
            assert picture(row.id) in ([], whole), row.name
        CobrowseStep.update(page="x").execute()
        CobrowseSession.update(steps=0).execute()
        assert app.test_cli_runner().invoke(args=["rebuild"]).exit_code == 0
    assert sorted(CobrowseSession.select(CobrowseSession.external_id, CobrowseSession.id).tuples()) == ids


def test_what_is_deleted_from_the_log_is_deleted_from_sessions(app: Flask) -> None:
    source = stored("shop", EVENTS)
    kept = stored("kept", [each for each in EVENTS if each.id not in ("5", "6", "15", "16")])
    e = Event
    gone = e.select(e.id).where((e.source_id == source) & e.external_id.in_(["5", "6", "15", "16"]))
    ranges = [(ident - 1, ident) for (ident,) in gone.tuples()]
    assert sum(removal.remove(source, ranges)) == 4
    assert picture(source) == picture(kept)
    middle = NOON_MS + 33_000
    before = picture(source)
    assert sum(content.delete(middle)) > 0
    [after] = picture(source)
    assert [step[:3] for step in after[3]] == [step[:3] for step in before[0][3]]
    assert {step[4:6] for step in after[3] if step[0] < middle} == {("", "")}
    assert after[1][4] == ""
    assert not e.select().where(e.data.contains("20418") | e.data.contains("1 January")).exists()
    list(log.delete(NOON_MS + 10**9))
    assert [
        CobrowseSession.select().count(),
        CobrowseStep.select().count(),
        CobrowseAgent.select().count(),
    ] == [*(0, 0, 0)]


def test_a_session_of_a_portal_knows_its_visit(app: Flask) -> None:
    source = record.source("portal")
    site = Site.create(source=source, key="k", secret="s", created_ts=0)
    visit = Visit.create(site=site, token="v1", browser="b", started_ms=0, active_ms=0)
    stored("portal", EVENTS)
    stored("other", EVENTS)
    s = CobrowseSession
    linked = s.select(s.source, s.external_id).where(s.visit == visit.id).tuples()
    assert list(linked) == [(source.id, "v1")]
    visit.delete_instance()
    assert not s.select().where(s.visit.is_null(False)).exists()
