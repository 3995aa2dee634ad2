"""Files that are hard to read: in any bytes, packed a thousandfold, without an end or without records."""

from __future__ import annotations

import gzip

import pytest
from flask import Flask
from flask.testing import FlaskClient

from dashboard.ingest import importer, lines
from dashboard.ingest.imports import dry_run, job, upload
from dashboard.models import FileImport, Job
from tests.pages import importing
from tests.pages.html import Page
from tests.pages.importing import act, counts, sent, work

pytestmark = pytest.mark.both_databases

EVENT = '{"type": "call.queued", "time": "2026-03-02T09:00:00Z", "user": "behind", "interaction": "c"}\n'


@pytest.fixture
def owner(client: FlaskClient) -> None:
    importing.owner(client)


HEAD = "time;user;type;interaction\n"
ROW = "2026-03-02T09:00:00Z;jana;call.queued;c1\n"
HARD: list[tuple[str, bytes, dict[str, str], tuple[int, ...] | None]] = [
    ("half a character", (HEAD + ROW).encode("utf-16") + b"x", {}, (2, 1, 0, 1)),
    ("no mark", (HEAD + ROW).encode("utf-16-le"), {"encoding": "utf-16"}, (1, 1, 0, 0)),
    ("no UTF-16", b"\0" * 100, {"format": "csv", "encoding": "utf-16"}, None),
    ("no characters", HEAD.encode() + b"\x80\xff;\x81;\x98\0;\x90\n", {"encoding": "utf-8"}, (1, 0, 0, 1)),
    ("columns that no option names", b";=x;time\n1;2;3\n", {"c0": "user", "c1": "queue", "c2": "time"}, None),
]


def test_pages_of_files_that_are_hard_to_read(client: FlaskClient, app: Flask, owner: None) -> None:
    for n, (name, text, fields, expected) in enumerate(HARD):
        path = sent(client, text, "hard.csv", source=f"hard{n}")
        values = {**Page(client.get(path).text).filled(), **fields}
        answer = client.post(path, data={**values, "rows": "" if expected else "call.queued", "op": "show"})
        assert (answer.status_code, client.get(path).status_code) == (302, 200), name
        if expected is not None:
            act(client, path, "start")
            work(app)
            found = counts(path), client.get(path).status_code, client.get(f"{path}/refused.csv").status_code
            assert found == (expected, 200, 200), name


def test_a_preview_reads_the_beginning_of_a_file(client: FlaskClient, owner: None) -> None:
    """Blank lines and bytes without an end, packed a thousandfold: a record behind them is not looked for."""
    row = ROW.replace("jana", "behind")
    for blank, shown in ((5_000, True), (50_000, False)):
        for text in ("\n" * blank + EVENT, HEAD + "\n" * blank + row):
            path = sent(client, gzip.compress(text.encode()))
            assert ("behind" in client.get(path).text) is shown, text.strip()
    path = sent(client, gzip.compress(b"x" * 9_000_000 + b"\n" + EVENT.encode()), format="jsonl")
    assert "behind" not in client.get(path).text


class Unstored(job.Watch):
    """Fails when the file is read to its end."""

    def stored(self, *_args: object) -> None:
        raise AssertionError


def test_a_file_without_records_is_stopped_on_the_way(
    client: FlaskClient, app: Flask, owner: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lines, "LOOK", 1000)
    path = sent(client, b"\n" * 100, format="queue_log")
    act(client, path, "start")
    client.post(f"{path}/cancel")
    row = FileImport.get_by_id(path.rpartition("/")[2])
    given = (upload.Upload(row), "queue_log", "s", "UTC", None)
    with pytest.raises(job.Stopped):
        importer.run(*given, observer=Unstored(row, Job.get_by_id(row.job_id)))
    positions: list[int] = []
    dry_run.run(*given, positions.append)
    assert len(positions) > 10
    work(app)
    assert FileImport.get_by_id(row.id).state == "cancelled"
