"""Records that are no events are kept with the reason, masked, and shown to who looks after the sources."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from dashboard.access.permissions import Permission
from dashboard.events import record
from dashboard.i18n.message import Message
from dashboard.ingest import importer, refused
from dashboard.models import RefusedEvent, User
from dashboard.retention import nightly
from tests import make
from tests.api import Api
from tests.pages import asks

P = Permission
GOOD = {"type": "agent.ready", "time": "2026-03-02T09:00:00Z", "user": "jana"}
CONTACT = {"name": "Eva Malá", "phone": "+420601234567", "email": "eva@example.org"}
BAD = {**GOOD, "type": "call.x", "contact": CONTACT, "data": {"note": "Eva Malá, +420601234567"}}

MASKS = [
    (json.dumps(BAD), ("call.x", "jana", "E•••", "e•••@example.org"), ("Eva", "601234567", "eva@")),
    ("1700000000|17.1|web|NONE|ENTERQUEUE||420601234567|1", ("1700000000|17.1|web", "567|1"), ("601234",)),
    ("eva@example.org;+420 601 234 567;call", ("e•••@example.org;", ";call"), ("eva@", "601")),
    ('{"time": "x", "contact": "Eva Malá", "a": 420601234567}', ('"time": "x"', "567"), ("Eva", "601")),
    ('{"id": "a\\u0000b", "cut', ("id",), ("\0",)),
    (
        '2026-03-02 09:00:00;02.03.2026 9:00;"601234567"; 601 234 567 ;call-1234567;caller=601234567',
        ("2026-03-02 09:00:00;02.03.2026 9:00;", ";call-1234567;"),
        ("601",),
    ),
    ('{"time": 1767225600, "contact": {"phone": "601234567", "a": 601234567', ("1767225600",), ("601",)),
    *(('{"a": ' * depth + '"601234567"' + "}" * depth, (), ("a",)) for depth in (600, 2000)),
    ('{"note": " 601234567 ", "day": "2026-03-02"}', ("2026-03-02",), ("601",)),
    ("[1, [2, 420601234567]]", ("[1, [2,",), ("601",)),
    ('"\\ud800"', ("?",), ("\ud800",)),
    ("x" * 100_000, (), ("x",)),
]


def test_no_contact_is_kept_in_the_clear() -> None:
    for text, kept, gone in MASKS:
        shown = refused.masked(text)
        assert len(shown.encode()) <= refused.TEXT_BYTES
        assert [part for part in kept if part not in shown] == [], shown
        assert [part for part in gone if part in shown] == [], shown
    assert len(refused.masked("é" * 5000).encode()) == refused.TEXT_BYTES


def lines(*values: Any) -> bytes:
    return b"\n".join(json.dumps(value).encode() for value in values)


BODIES = [
    ("application/json", json.dumps(BAD).encode(), [(None, "type", "call.x")]),
    (
        "application/json",
        json.dumps([GOOD, BAD, 7]).encode(),
        [(None, "type", "call.x"), (None, "event", "7")],
    ),
    (
        "application/x-ndjson",
        lines(GOOD, BAD) + b"\n\nnothing",
        [(2, "type", "call.x"), (4, "event", "nothing")],
    ),
    (
        "application/cloudevents+json",
        json.dumps({"specversion": "1.0", "id": "1", "source": "s", "type": "call.y"}).encode(),
        [(None, "type", "call.y")],
    ),
    ("application/json", b'{"type": "a", "data": ' + b"[" * 600 + b"]" * 600 + b"}", [(None, "type", "")]),
    ("application/cloudevents+json", b"[]", [(None, "event", "[]")]),
    ("application/json", json.dumps(GOOD).encode(), []),
]


@pytest.mark.both_databases
def test_what_the_gate_refuses_is_kept_in_order(api: Api) -> None:
    for kind, body, expected in BODIES:
        RefusedEvent.delete().execute()
        answer = api.send(body, kind)
        assert answer.status_code in (202, 422), answer.text
        rows = list(RefusedEvent.select().order_by(RefusedEvent.id))
        found = [(row.line, next(iter(json.loads(row.errors)))) for row in rows]
        assert found == [(line, name) for line, name, _text in expected], kind
        for row, (_line, _name, text) in zip(rows, expected, strict=True):
            assert text in row.text
            assert "601234567" not in row.text


def test_a_source_that_sends_nothing_else_does_not_fill_the_disk(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refused, "HOURLY", 150)
    body = json.dumps([7] * 120).encode()
    numbers = []
    with time_machine.travel(1_772_449_200, tick=False) as now:
        for _ in range(3):
            api.send(body)
            numbers.append(RefusedEvent.select().count())
        now.shift(3601)
        api.send(body)
    assert (numbers, RefusedEvent.select().count()) == ([100, 150, 150], 250)


def test_refused_lines_of_a_file_are_kept_with_their_numbers(app: Flask, db: Any, tmp_path: Path) -> None:
    file = tmp_path / "day.jsonl"
    file.write_bytes(lines(GOOD, BAD, GOOD) + b"\nbroken +420601234567\n")
    with app.app_context():
        importer.run(file, "jsonl", "pbx", "UTC", None, lambda done: None)
        rows = list(RefusedEvent.select().order_by(RefusedEvent.line))
    assert [(row.file, row.line) for row in rows] == [("day.jsonl", 2), ("day.jsonl", 4)]
    assert "call.x" in rows[0].text
    assert "601234567" not in rows[0].text + rows[1].text


def test_refused_events_are_shown_in_the_readers_language_and_deleted_after_a_week(
    api: Api, client: FlaskClient
) -> None:
    with time_machine.travel("2026-03-02T12:00:00Z", tick=False) as now:
        api.post(BAD)
        ident = RefusedEvent.get().id
        asks.refuses_strangers(client, "/events/refused")
        asks.sign_in_with(client, P.EVENTS_VIEW, grants=("all_users", "all_queues"))
        assert client.get("/events/refused").status_code == 403
        assert "/events/refused" not in client.get("/events").text
        admin = make.administrator()
        make.sign_in(client, admin)
        assert 'href="/events/refused"' in client.get("/events").text
        said = {"en": "Unknown event type.", "cs": "Neznámý typ události.", "ja": "「custom.」"}
        for language, words in said.items():
            User.update(locale=language).where(User.id == admin.id).execute()
            for url in ("/events/refused", f"/events/refused?open={ident}"):
                assert words in client.get(url).text, (language, url)
        assert client.get("/events/refused.json?source=nobody").status_code == 400
        for days, left in ((7, 1), (8, 0)):
            now.move_to(f"2026-03-{2 + days:02}T12:00:00Z")
            nightly.run([])
            assert RefusedEvent.select().count() == left, days


def test_hostile_records_are_shown_as_text(client: FlaskClient, db: Any) -> None:
    text = "<script>alert(1)</script>"
    make.sign_in(client, make.administrator())
    refused.keep(record.source(text).id, [refused.Record({text: Message(text)}, 1, text)], text)
    page = client.get(f"/events/refused?open={RefusedEvent.get().id}&columns=text,errors,file,source").text
    assert text not in page
    assert page.count("&lt;script&gt;alert(1)") >= 6
