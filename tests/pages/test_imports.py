"""Files imported in the browser: what is understood is shown first, all records are accounted for, and an
import that is killed, cancelled or repeated stores each event once."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from dashboard.access import upload_pass
from dashboard.access.permissions import Permission
from dashboard.events import record
from dashboard.ingest import importer
from dashboard.ingest.imports import job, source_removal, upload
from dashboard.jobs import queue
from dashboard.models import AuditEntry, Event, FileImport, ImportPart, Interaction, Job, Source
from dashboard.retention.kinds import KINDS
from tests import make
from tests.pages import importing
from tests.pages.html import Page
from tests.pages.importing import HTMX, act, counts, events, send, sent, work

pytestmark = pytest.mark.both_databases

LOG = "".join(
    f"{1772438400 + n * 60}|c-{n}|support|{who}|{verb}\n"
    for n in range(30)
    for who, verb in (
        ("NONE", "ENTERQUEUE||601|1"),
        ("Agent/1", "CONNECT|10|c|8"),
        ("Agent/1", "COMPLETECALLER|10|20|1"),
    )
)
BROKEN = LOG + "not a record\n"
EVENT = '{"id": "%s", "type": "call.queued", "time": "2026-03-02T09:00:00Z", "interaction": "%s"}\n'
CSV = (
    "type;time;interaction;user\ncall.closed;2.3.2026 09:00:00;c1;jana\ncall.closed;31.2.2026 09:00;c2;jana\n"
)


@pytest.fixture
def owner(client: FlaskClient) -> None:
    importing.owner(client)


FILES: list[tuple[str, str | bytes, str, tuple[int, ...], str]] = [
    ("queue_log", BROKEN, "queue_log", (91, 90, 0, 1), "Call queued"),
    ("log.gz", gzip.compress(LOG.encode()), "queue_log", (90, 90, 0, 0), "Call queued"),
    ("a.jsonl", EVENT % ("1", "c1") + EVENT % ("1", "c1") + "{\n", "jsonl", (3, 1, 1, 1), "Call queued"),
    ("a.csv", CSV.encode("cp1250"), "csv", (2, 1, 0, 1), "Call closed"),
]


def test_a_dry_run_counts_what_the_import_stores(client: FlaskClient, app: Flask, owner: None) -> None:
    """Format told from the content, the same counts twice, nothing stored before; then all is known."""
    for n, (name, text, format_, expected, first) in enumerate(FILES):
        path, before = sent(client, text, name, source=f"source{n}"), events()
        assert FileImport.get_by_id(path.rpartition("/")[2]).format == format_, name
        page = client.get(path)
        assert (page.status_code, first in page.text) == (200, True), name
        act(client, path, "check")
        work(app)
        assert (counts(path, "checked"), events()) == (expected, before), name
        act(client, path, "start")
        assert 'hx-trigger="every 2s"' in client.get(path).text
        work(app)
        assert (counts(path), events()) == (expected, before + expected[1]), name
        read, stored, repeated, refused = expected
        again = sent(client, text, name, source=f"source{n}")
        for op, of in (("check", "checked"), ("start", "counts")):
            act(client, again, op)
            work(app)
            assert counts(again, of) == (read, 0, stored + repeated, refused), name
    entries = AuditEntry.select(AuditEntry.actor_label, AuditEntry.target_label, AuditEntry.details)
    found = list(entries.where(AuditEntry.action == "import.run").tuples())
    assert [(actor, source, details["stored"]) for actor, source, details in found] == [
        ("owner", f"source{n}", expected[1]) for n, (_n, _t, _f, expected, _w) in enumerate(FILES)
    ]


def test_refused_records_are_shown_and_sent_as_a_file(client: FlaskClient, app: Flask, owner: None) -> None:
    path = sent(client, BROKEN)
    act(client, path, "start")
    work(app)
    page = client.get(path).text
    assert ("not a record" in page, f"{path}/refused.csv" in page) == (True, True)
    file = client.get(f"{path}/refused.csv")
    assert [line.split(",")[0] for line in file.text.splitlines()[1:]] == ["91"]
    assert "not a record" in file.text
    assert AuditEntry.get(AuditEntry.action == "export.downloaded").details == {"rows": 1}
    make.sign_in(client, make.user("other", access=make.access(Permission, ["all_users"], "Others")))
    other = client.get(path)
    assert (other.status_code, "not a record" in other.text) == (200, False)
    assert client.get(f"{path}/refused.csv").status_code == 404


def test_an_import_goes_on_after_a_kill_and_after_a_cancel(
    client: FlaskClient, app: Flask, owner: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importer, "BATCH", 20)
    real, calls = job.Watch.stored, 0

    def interrupted(how: Callable[[job.Watch], None]) -> None:
        def stored(self: job.Watch, *given: Any) -> None:
            nonlocal calls
            calls += 1
            if calls % 3 == 0:
                how(self)
            real(self, *given)

        monkeypatch.setattr(job.Watch, "stored", stored)

    def kill(_watch: job.Watch) -> None:
        raise KeyboardInterrupt  # what no handler of errors catches, as a kill

    path = sent(client, "broken\n" + BROKEN)
    act(client, path, "start")
    interrupted(kill)
    with pytest.raises(KeyboardInterrupt):
        work(app)
    assert counts(path) == (41, 40, 0, 1)
    Job.update(lease_ms=0).where(Job.kind == "import").execute()
    interrupted(lambda watch: job.stop(watch._row))
    work(app)
    row = FileImport.get_by_id(path.rpartition("/")[2])
    assert (row.state, counts(path)[1] < 90) == (upload.State.CANCELLED, True)
    assert "was stopped" in client.get(path).text
    monkeypatch.setattr(job.Watch, "stored", real)
    client.post(f"{path}/continue")
    work(app)
    assert (counts(path), events()) == ((92, 90, 0, 2), 90)
    file = client.get(f"{path}/refused.csv").text.splitlines()
    assert [line.split(",")[0] for line in file[1:]] == ["1", "92"]


def test_what_is_wrong_with_a_file_is_said(
    client: FlaskClient, owner: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    live = Source.create(name="live", created_ts=0)
    Event.create(source_id=live.id, external_id="1", type="call.queued", time_ms=1, recorded_ms=1)
    monkeypatch.setattr(upload_pass, "FILE_MAX", 10_000)
    cases: list[tuple[str, dict[str, str], str]] = [
        ("", {}, "empty"),
        ("x" * 10_001, {}, "larger than 200 MB"),
        (LOG, {"zone": "Mars"}, "time zone"),
        (LOG, {"source": "live"}, "come in live"),
        (LOG, {"source": " Stopa"}, "own events"),
        (LOG, {"format": "xml"}, "Choose a format"),
    ]
    for text, fields, said in cases:
        answer = send(client, text, **fields)
        assert (answer.status_code, said in answer.text) == (422, True), said
    assert client.post("/import", data={"zone": "UTC", "format": "", "source": ""}).status_code == 422
    assert (FileImport.select().count(), ImportPart.select().count()) == (0, 0)
    unknown = client.get(sent(client, "one two three\n")).text
    assert "recognized" in unknown
    monkeypatch.setattr(upload, "ALL_MOST", 1)
    assert "Too many imported files" in send(client, LOG).text


def test_pages_of_an_import(client: FlaskClient, app: Flask, owner: None) -> None:
    """Fragment and page are the same; drafts are their owner's; what may not be asked is refused."""
    path = sent(client, LOG, "C:\\logs\\<b>.log")
    page, part = client.get(path), client.get(path, headers=HTMX)
    inner = re.sub(r'value="[^"]{50,}"', "", part.text)  # but for the token of the form
    assert inner in re.sub(r'value="[^"]{50,}"', "", page.text)
    assert "&lt;b&gt;.log" in page.text
    assert client.get("/import").text.count("&lt;b&gt;.log") == 1
    for action, method, status in (
        ("cancel", "GET", 405),
        ("cancel", "POST", 302),
        ("continue", "POST", 302),
        ("refused.csv", "GET", 200),
    ):
        assert client.open(f"{path}/{action}", method=method).status_code == status, action
    wrong = {**Page(page.text).filled(), "encoding": "utf-7"}
    assert client.post(path, data=wrong).status_code == 422
    make.sign_in(client, make.user("other", access=make.access(Permission, ["all_users"], "Others")))
    for method, address in (
        ("GET", path),
        ("POST", path),
        ("POST", f"{path}/discard"),
        ("GET", "/import/none"),
    ):
        assert client.open(address, method=method).status_code == 404, address
    assert "&lt;b&gt;.log" not in client.get("/import").text
    make.sign_in(client, make.user("nobody", access=make.access([Permission.SELF], [], "None")))
    assert (client.get("/import").status_code, client.get(path).status_code) == (403, 403)


def test_an_import_is_undone_as_a_whole(client: FlaskClient, app: Flask, owner: None) -> None:
    """What another file of the source had stored stays; the file can be imported again."""
    lines = LOG.splitlines(keepends=True)
    kept = sent(client, "".join(lines[:30]), source="pbx")
    act(client, kept, "start")
    work(app)
    path = sent(client, LOG, source="pbx")
    act(client, path, "start")
    work(app)
    page = client.get(path).text
    assert (counts(path), "Removes 60 events" in page, events()) == ((90, 60, 30, 0), True, 90)
    assert client.post(f"{path}/undo").status_code == 302
    assert "every 2s" in client.get(path).text
    work(app)
    page = client.get(path).text
    assert ("was undone" in page, f"{path}/undo" in page, events()) == (True, False, 30)
    assert [row.ended_ts is not None for row in Interaction.select()] == [True] * 10
    entry = AuditEntry.get(AuditEntry.action == "import.undone")
    assert (entry.actor_label, entry.target_label, entry.details["events"]) == ("owner", "pbx", 60)
    client.post(f"{path}/undo")
    client.post(f"{path}/continue")
    work(app)
    assert events() == 30
    again = sent(client, LOG, source="pbx")
    act(client, again, "start")
    work(app)
    assert (counts(again), events()) == ((90, 60, 30, 0), 90)


def test_no_file_goes_into_a_source_that_is_being_deleted(client: FlaskClient, owner: None) -> None:
    draft = sent(client, LOG, source="old")
    source_removal.start(record.source("old", is_file=True), ("user", 1, "owner"))
    for answer in (
        send(client, LOG, source="old"),
        client.post(draft, data={**Page(client.get(draft).text).filled(), "op": "start"}),
    ):
        assert (answer.status_code, "This source is being deleted." in answer.text) == (422, True)


def test_files_expire_and_imports_stay(client: FlaskClient, app: Flask, owner: None) -> None:
    path, draft = sent(client, BROKEN), sent(client, LOG, source="draft")
    act(client, path, "start")
    work(app)
    discarded = sent(client, LOG, source="discarded")
    assert client.post(f"{discarded}/discard").status_code == 302
    FileImport.update(expires_ts=1).execute()
    [files] = [kind for kind in KINDS if kind.kept == "exports"]
    list(files.delete(0))
    assert (FileImport.select().count(), ImportPart.select().count()) == (2, 0)
    assert "not a record" not in client.get(path).text
    assert [client.get(each).status_code for each in (path, f"{path}/refused.csv", draft)] == [200, 404, 404]


def test_what_is_started_while_the_job_before_ends_is_done(
    client: FlaskClient, app: Flask, owner: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The state is committed before the job is finished: an import is undone in between."""
    path, before = sent(client, LOG), events()
    act(client, path, "start")
    finish = queue.finish

    def late(jobs: list[Job]) -> None:
        if jobs[0].kind == job.KIND:
            monkeypatch.setattr(queue, "finish", finish)
            assert client.post(f"{path}/undo").status_code == 302
        finish(jobs)

    monkeypatch.setattr(queue, "finish", late)
    work(app)
    work(app)
    row = FileImport.get_by_id(path.rpartition("/")[2])
    waiting = Job.select().where((Job.kind == job.KIND) & (Job.state != "done")).count()
    assert (row.state, events(), waiting) == ("undone", before, 0)


@pytest.mark.parametrize(
    ("path", "query", "allowed"),
    [
        ("/import", "pass={good}", True),
        ("/import", "", False),
        ("/import", "pass=x", False),
        ("/import", "pass={other}", False),
        ("/import/", "pass={good}", False),
        ("/api/v1/events", "pass={good}", False),
    ],
)
def test_only_the_form_of_an_import_may_send_a_large_body(path: str, query: str, allowed: bool) -> None:
    given = query.format(good=upload_pass.make("secret"), other=upload_pass.make("another"))
    assert (upload_pass.body_max("secret", path, given) > upload_pass.FILE_MAX) is allowed
