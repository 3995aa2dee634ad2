"""The columns of a CSV file are chosen with selects, and shown with what the rows become."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient
from peewee import JOIN

from dashboard.ingest import importer
from dashboard.models import Event, User
from tests.pages import importing
from tests.pages.html import Page
from tests.pages.importing import HTMX, act, counts, sent, work

pytestmark = pytest.mark.both_databases

CALLS = (
    "day;start;answer;end;agent;service;result;number\n"
    "2.3.2026;09:00:00;09:00:10;09:01:00;jana;sales;OK;+420601\n"
    "2.3.2026;09:10:00;-;09:11:00;-;sales;LOST;+420602\n"
    "2.3.2026;09:20:00;-;-;-;sales;TEST;+420603\n"
    "2.3.2026;25:00:00;09:30:00;09:31:00;jana;sales;OK;+420604\n"
)
CHOSEN = {
    "c0": "date",
    "c1": "call.queued:time",
    "c2": "call.accepted:time",
    "c3": "call.closed:time",
    "c4": "user",
    "c5": "queue",
    "c6": "type",
    "c7": "contact.phone",
    "v.OK": "call.queued,call.accepted,call.closed",
    "v.LOST": "call.queued,call.abandoned",
    "v.TEST": "-",
    "empty": "-",
    "more": "map interaction=day+start\nmap call.abandoned:time=day+end",
}


def test_columns_are_mapped_by_selects(client: FlaskClient, app: Flask) -> None:
    """Guessed by name, then chosen, shown with what each row becomes, and kept for the source's next file."""
    importing.owner(client)
    path = sent(client, CALLS, "calls.csv", source="exchange")
    page = client.get(path)
    assert [Page(page.text).filled()[f"c{n}"] for n in (0, 1, 4)] == ["", "time", "user"]
    assert "Event type: Required. Choose its column." in page.text
    base = Page(page.text).filled()
    assert client.post(path, data={**base, "op": "start"}).status_code == 422
    bad = client.post(path, data={**base, **CHOSEN, "more": "map x", "op": "start"})
    assert (bad.status_code, "“map x” is no option" in bad.text) == (422, True)
    assert client.post(path, data={**base, **CHOSEN, "op": "show"}).status_code == 302
    page = client.get(path, headers=HTMX)
    assert page.text.count('class="bd ok"') == 7
    for text in (
        "09:00:10 Call accepted · jana",
        "09:11:00 Call abandoned<",
        "Left out",
        "Waiting time",
    ):
        assert text in page.text, text
    act(client, path, "check")
    work(app)
    assert counts(path, "checked") == (8, 7, 0, 1)
    act(client, path, "start")
    work(app)
    assert counts(path) == (8, 7, 0, 1)
    found = Event.select(Event.type, User.login, Event.interaction).join(
        User, JOIN.LEFT_OUTER, on=(Event.user_id == User.id)
    )
    stored = found.where(Event.type.startswith("call.")).order_by(Event.id).tuples()
    assert list(stored)[:5] == [
        ("call.queued", None, "2.3.2026 09:00:00"),
        ("call.accepted", "jana", "2.3.2026 09:00:00"),
        ("call.closed", "jana", "2.3.2026 09:00:00"),
        ("call.queued", None, "2.3.2026 09:10:00"),
        ("call.abandoned", None, "2.3.2026 09:10:00"),
    ]
    again = sent(client, CALLS, "next.csv", source="exchange")
    filled = Page(client.get(again).text).filled()
    assert {name: filled.get(name) for name in CHOSEN if name != "more"} == {
        name: value for name, value in CHOSEN.items() if name != "more"
    }
    by_command = importer.kept_options("exchange")
    assert by_command is not None
    assert "call.accepted:user=agent" in by_command.map


def test_a_preview_of_refused_records_alone_warns(client: FlaskClient) -> None:
    importing.owner(client)
    useless = b"type;time;user\nhotline;2026-03-02 09:00;jana\nhotline;2026-03-02 10:00;petr\n"
    page = client.get(sent(client, useless, "calls.csv", source="exchange")).text
    assert "Every record of the preview has an error." in page
    assert 'class="btn" name="op" value="start"' in page
    assert "Every record" not in client.get(sent(client, CALLS, "calls.csv", source="exchange")).text
