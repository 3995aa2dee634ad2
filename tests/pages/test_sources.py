"""The list of sources, the page of one, a log that is followed, pausing, and new keys."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from dashboard.access import keys
from dashboard.access.permissions import Permission
from dashboard.events import record
from dashboard.ingest import followed, silence
from dashboard.ingest.imports import source_removal
from dashboard.ingest.imports.upload import State
from dashboard.jobs import worker
from dashboard.models import (
    Activity,
    ApiKey,
    AuditEntry,
    Connector,
    Contact,
    Event,
    FileImport,
    Follow,
    ImportRange,
    Interaction,
    Interval,
    Job,
    RefusedEvent,
    Source,
    SourceRhythm,
)
from tests.api import custom
from tests.ingest.webhooks import SECRET, connector
from tests.pages import asks
from tests.pages.html import Page

pytestmark = pytest.mark.own_database
P = Permission
URL = "/settings/sources"
NOW = "2026-03-02T12:00:10Z"
LINE = "1772438460|c-1|support|NONE|ENTERQUEUE||601|1\n"


@pytest.fixture
def editor(client: FlaskClient) -> FlaskClient:
    asks.sign_in_with(client, P.KEYS_VIEW, P.KEYS_EDIT, P.EVENTS_VIEW, P.RULES_EDIT)
    return client


@pytest.fixture
def folder(app: Flask, tmp_path: Path) -> Path:
    app.config["STOPA"] = dataclasses.replace(app.config["STOPA"], log_folders=(tmp_path,))
    return tmp_path


def ident(name: str) -> int:
    return int(Source.get(name=name).id)


def post(client: FlaskClient, key: str, *events: object) -> tuple[int, str | None]:
    answer = client.post("/api/v1/events", json=list(events), headers={"Authorization": f"Bearer {key}"})
    return answer.status_code, answer.headers.get("Retry-After")


def text(client: FlaskClient, url: str) -> str:
    """Return the page's text, without tags, in one line."""
    answer = client.get(url)
    assert answer.status_code == 200, answer.text
    return " ".join(re.sub(r"<[^>]+>", " ", answer.text).split())


@time_machine.travel(NOW, tick=False)
def test_list_and_page_say_what_came_how_late_and_what_was_refused(editor: FlaskClient) -> None:
    shop, _quiet = keys.make("till", "shop", "ingest"), keys.make("other", "quiet", "ingest")
    good = [custom(f"a{n}", time=f"2026-03-02T12:00:0{n}Z") for n in range(8)]
    bad = [custom(f"b{n}", time="soon") for n in range(3)]
    assert post(editor, shop, *good, *bad, custom("ahead", time="2026-03-02T13:00:00Z"))[0] == 202
    record.source("night", is_file=True)
    listed = text(editor, URL)
    assert "4 sources" not in listed
    assert "3 sources" in listed
    for row in (
        r"night Imported files Waiting for the first event – – .*0 0 –",
        r"quiet API key other Waiting for the first event – – .*0 0 –",
        r"shop API key till Some refused Today 12:00 0:00:00 .*9 3 6 s",
        r"Events, 24 h 9 Receiving 1 of 2 Refused, 24 h 3 Longest median delay 6 s shop",
    ):
        assert re.search(row, listed), (row, listed)
    asks.fragment_is_block(editor, URL)
    assert "quiet" not in text(editor, f"{URL}?q=till").split("Table")[-1]
    page = text(editor, f"{URL}/{ident('shop')}")
    for part in (
        "Events, 24 h 9 1 ahead of the clock Refused, 24 h 3 Silent for 0:00:00",
        "Event delay 6 s median 99% within 10 s",
        "Stored 9 Refused 3",
        "time: Must be a time such as 2026-03-02T09:00:00+01:00. 3 Today 12:00 Today 12:00 Show",
        "Last event 2 Mar 2026 12:00:10 custom.seen",
        "Rule Notify when a source is silent",
        "till stopa_",
    ):
        assert part in page, (part, page)
    found = re.search(
        r'href="(/events/refused\?[^"]+open=[^"]+)#detail"', editor.get(f"{URL}/{ident('shop')}").text
    )
    assert found is not None
    assert "b2" in editor.get(found[1].replace("&amp;", "&")).text, "the record itself is a click away"


def test_only_who_may_see_keys_sees_sources(client: FlaskClient) -> None:
    record.source("pbx")
    for url in (URL, f"{URL}/{ident('pbx')}"):
        asks.refuses_strangers(client, url)
    for path in ("pause", "resume", "stop"):
        asks.refuses_posts(client, f"{URL}/{ident('pbx')}/{path}", P.KEYS_VIEW)
    asks.sign_in_with(client, P.KEYS_VIEW)
    page = client.get(f"{URL}/{ident('pbx')}").text
    assert "Pause source" not in page
    own = record.source("stopa").id
    for path in ("/987654", "/0", f"/{2**40}", f"/{own}"):
        assert client.get(URL + path).status_code == 404
    assert client.get(f"{URL}/{ident('pbx')}/resume").status_code == 405


@time_machine.travel(NOW, tick=False)
def test_a_paused_source_is_asked_to_come_again_and_nothing_is_lost(editor: FlaskClient) -> None:
    key, known = keys.make("till", "shop", "ingest"), keys.make("known", "shop", "ingest", makes=False)
    connector("chatwoot")
    url, hook = f"{URL}/{ident('shop')}", f"/connect/chatwoot?token={SECRET}"
    body = {"event": "webwidget_triggered"}
    desk = Connector.get().source_id
    assert "Chatwoot" in text(editor, f"{url}/pause")
    for number in (url, f"{URL}/{desk}"):
        assert editor.post(f"{number}/pause").status_code == 302
    SourceRhythm.insert(source=ident("shop"), arrived_ms=0, due_ms=1, hours={}).execute()
    for one in (key, known):
        assert post(editor, one, custom("a")) == (503, "60")
    for answer in (editor.post(hook, json=body), editor.post(hook, data=b"{")):
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "60")
        assert "paused" in answer.get_json()["detail"]
    assert post(editor, "stopa_wrong", custom("a"))[0] == 401
    assert Event.select().where(Event.source_id == ident("shop")).count() == 0
    silence.look(every_s=0, grace_s=0)
    assert not Event.select().where(Event.type == "source.silent").exists(), "a pause is no silence"
    assert "Paused since 2 Mar 2026 12:00:10" in text(editor, url)
    for number in (url, url, f"{URL}/{desk}"):
        assert editor.post(f"{number}/resume").status_code == 302
    for one in (key, known):
        assert post(editor, one, custom("a"))[0] == 202
    assert editor.post(hook, json=body).status_code == 202
    changes = [entry.changes for entry in AuditEntry.select().where(AuditEntry.target_label == "shop")]
    assert changes == [{"paused": [False, True]}, {"paused": [True, False]}]


def test_a_log_is_followed_from_its_form_until_it_is_stopped(editor: FlaskClient, folder: Path) -> None:
    log = folder / "queue_log"
    log.write_text(LINE)
    form = {"path": str(log), "name": "pbx", "start": "start", "encoding": ""}
    assert str(log) in editor.get(f"{URL}/new").text, "it is offered"
    answer = editor.post(f"{URL}/new", data=form)
    assert answer.headers["Location"] == f"{URL}/{ident('pbx')}"
    worker.drain()
    assert [event.interaction for event in Event.select().where(Event.type == "call.queued")] == [
        "c-1/support"
    ]
    page = text(editor, answer.headers["Location"])
    assert f"Log {log} Read up to line 1," in page
    assert "Read by the worker" in page
    for changed, problem in (
        ({}, f"This source follows {log} already."),
        ({"name": "other"}, "Another source follows this log already."),
    ):
        again = editor.post(f"{URL}/new", data=form | changed)
        assert (again.status_code, problem in again.text) == (422, True), changed
    assert editor.get(f"{answer.headers['Location']}/stop").status_code == 200
    for _ in range(2):
        assert editor.post(f"{answer.headers['Location']}/stop").status_code == 302
    assert Follow.get().lease_ms is None
    followed.release()
    assert "Read by flask follow" in text(editor, answer.headers["Location"])
    changes = [e.changes for e in AuditEntry.select().where(AuditEntry.target_label == "pbx")]
    assert changes == [{"log": [None, str(log)]}, {"log": [str(log), None]}]


def test_a_file_that_is_no_log_of_the_folders_is_refused_with_the_reason(
    editor: FlaskClient, folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    (folder / "text").write_text("root:x:0:0\n")
    (folder / "log").write_text(LINE)
    outside = tmp_path_factory.mktemp("outside") / "queue_log"
    outside.write_text(LINE)
    (folder / "link").symlink_to(outside)
    elsewhere = f"folder that STOPA_LOG_FOLDERS names: {folder}."
    for changed, problem in (
        ({"path": ""}, "Enter 1 to 500 characters."),
        ({"path": "queue_log"}, "Enter a path that begins with /."),
        ({"path": str(outside)}, elsewhere),
        ({"path": "/etc/passwd"}, elsewhere),
        ({"path": str(folder / ".." / "x")}, elsewhere),
        ({"path": str(folder / "link")}, elsewhere),
        ({"path": str(folder / "absent")}, "There is no file at this path."),
        ({"path": str(folder)}, "There is no file at this path."),
        ({"path": str(folder / "text")}, "The file doesn&#39;t begin with a record of a queue_log."),
        ({"name": ""}, "Enter 1 to 120 characters."),
        ({"name": "Stopa"}, "This is the name of Stopa&#39;s own events. Choose another."),
        ({"start": "soon"}, "Choose where to begin."),
        ({"encoding": "klingon"}, "Enter an encoding such as utf-8"),
    ):
        form = {"path": str(folder / "log"), "name": "pbx", "start": "now", "encoding": ""} | changed
        answer = editor.post(f"{URL}/new", data=form)
        assert (answer.status_code, problem in answer.text) == (422, True), (changed, answer.text)
    assert not Follow.select().exists()
    assert not Source.select().where(Source.name == "pbx").exists()


def test_a_new_key_works_beside_the_old_one_until_that_is_revoked(editor: FlaskClient) -> None:
    old = keys.make("till", "shop", "ingest", makes=False)
    row = ApiKey.get()
    url = f"/settings/keys/new?like={row.id}"
    assert f'href="{url}"' in editor.get(f"{URL}/{ident('shop')}").text
    for number in (2, 3):
        page = Page(editor.get(url).text)
        [box] = page.having(name="known_only")
        form = page.filled() | {"known_only": "1" if "checked" in box.attributes else ""}
        assert form["name"] == f"till {number}"
        [new] = set(re.findall(r"stopa_[\w-]{30,}", editor.post("/settings/keys/new", data=form).text))
        found = keys.find(new)
        assert found is not None
        assert (found.source_id, found.allow, found.makes) == (ident("shop"), "ingest", False)
    assert [post(editor, key, custom("a"))[0] for key in (old, new)] == [202, 202]
    editor.post(f"/settings/keys/{row.id}/revoke")
    assert [post(editor, key, custom("a"))[0] for key in (old, new)] == [401, 202]
    for wrong in (row.id, 987654, 0, -1, 2**70, "x", ""):
        assert editor.get(f"/settings/keys/new?like={wrong}").status_code == 404, wrong


@pytest.mark.both_databases
def test_a_source_is_deleted_with_all_that_came_of_it_and_nothing_else(
    editor: FlaskClient, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = folder / "queue_log"
    log.write_text(LINE + "1772438463|c-1|support|Agent/1|CONNECT|3|c-2|2\n" + LINE.replace("c-1", "c-9"))
    other = keys.make("other", "other", "ingest")
    call = {"type": "call.accepted", "user": "Agent/1", "interaction": "o-1", "queue": "support"}
    assert post(editor, other, custom("o", **call), custom("bad", time="soon"))[0] == 202
    worker.drain()
    before = folded("other")
    key = keys.make("till", "pbx", "ingest")
    editor.post(f"{URL}/new", data={"path": str(log), "name": "pbx", "start": "start", "encoding": ""})
    mine = call | {"contact": {"phone": "601"}, "interaction": "p-1"}
    assert post(editor, key, custom("p", **mine), custom("b", time="x"))[0] == 202
    with editor.application.app_context():
        followed.read(renew_s=0)
    worker.drain()
    pbx, url = ident("pbx"), f"{URL}/{ident('pbx')}"
    asked = text(editor, f"{url}/delete")
    number = Event.select().where(Event.source_id == pbx).count()
    assert f"deletes {number} events, 3 interactions and 1 refused records" in asked, asked
    assert "Its 1 key, connector and followed log go at once" in asked
    texts = {"id": "x", "name": "f", "source": "pbx", "zone": "UTC", "state": State.IMPORTING}
    upload = FileImport.create(**texts, user_id=1, source_id=pbx, created_ts=0, expires_ts=0)
    assert "Stop that first." in editor.post(f"{url}/delete").text
    FileImport.update(state=State.DONE).execute()
    ImportRange.create(file=upload, after=0, to=99)
    for _ in range(2):
        assert editor.post(f"{url}/delete").status_code == 302
    assert (FileImport.get().state, ImportRange.select().exists()) == (State.UNDONE, False)
    assert Job.select().where(Job.kind == source_removal.KIND).count() == 1
    assert post(editor, key, custom("late"))[0] == 401
    assert "Being deleted" in text(editor, URL)
    assert "is being deleted with all its data" in text(editor, url)
    for path in ("pause", "resume"):
        assert editor.post(f"{url}/{path}").status_code == 404
    with editor.application.app_context():
        followed.read(renew_s=0)
    assert not followed._readers.by_source, "its log is let go before the job is due"
    Job.update(due_ms=0).execute()
    with monkeypatch.context() as broken:
        broken.setattr(source_removal.pieces, "delete", _killed)
        worker.drain()
    assert Source.select().where(Source.id == pbx).exists(), "the job was killed in the middle"
    Job.update(due_ms=0).execute()
    worker.drain()
    assert editor.get(url).status_code == 404
    for model in (Event, RefusedEvent, Interval, Activity, ApiKey):
        assert not model.select().where(model.source_id == pbx).exists(), model
    assert not Contact.select().where(Contact.key.startswith(f"{pbx}:")).exists()
    assert not Interaction.select().where(Interaction.source == pbx).exists()
    assert not Follow.select().exists()
    assert folded("other") == before
    assert RefusedEvent.select().count() == 1
    assert asks.audited("source.deleted").details == {"events": number, "figures_stay": False}
    assert editor.get("/settings/keys?revoked=1").status_code == 200
    keys.make("till", "pbx", "ingest")
    assert "Waiting for the first event" in text(editor, f"{URL}/{ident('pbx')}")


def folded(source: str) -> list[list[str]]:
    """Return what was made of the events of a source, in all columns but the ids of rows."""
    rows = (
        model.select().where(model.source_id == ident(source)).dicts()
        for model in (Activity, Interval, Interaction)
    )
    return [
        sorted(repr({name: each[name] for name in each if name != "id"}) for each in part) for part in rows
    ]


def _killed(*_given: object) -> None:
    raise RuntimeError
