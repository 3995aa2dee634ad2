"""What the mails of schedules hold: a file, a link, or nothing and why."""

from __future__ import annotations

import pytest
import time_machine
from flask.testing import FlaskClient

from dashboard.jobs import worker
from dashboard.models import ScheduleMail
from dashboard.reports import mailing
from tests import make
from tests.notify.mail_server import Sink
from tests.pages.html import Page
from tests.reports.mails import DUE, reader, schedule

pytestmark = pytest.mark.both_databases


@pytest.mark.parametrize(
    ("format_", "mime", "starts"),
    [
        ("pdf", "application/pdf", b"%PDF"),
        ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", b"PK"),
        ("csv", "text/csv", b"\xef\xbb\xbf"),
    ],
)
def test_formats(clock: time_machine.Coordinates, sink: Sink, format_: str, mime: str, starts: bytes) -> None:
    schedule(reader("boss"), format=format_, subject="Monday")
    clock.move_to(DUE)
    worker.drain()
    [(_to, got)] = sink.got
    [part] = list(got.iter_attachments())
    assert got["Subject"] == "Monday"
    assert part.get_content_type() == mime
    assert part.get_filename() == f"stopa-Calls-by-queue-2026-03-09.{format_}"
    assert part.get_payload(decode=True).startswith(starts)


def test_a_link_has_no_file_and_a_file_that_is_too_large_is_left_out(
    clock: time_machine.Coordinates, sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    boss = reader("boss")
    schedule(boss, format="link")
    schedule(boss, format="csv", name="Large")
    monkeypatch.setattr(mailing, "MOST_BYTES", 10)
    clock.move_to(DUE)
    worker.drain()
    texts = [got.get_body(("plain",)).get_content() for _to, got in sink.got]
    assert len(texts) == 2
    assert not [part for _to, got in sink.got for part in got.iter_attachments() if part.get_filename()]
    for _to, got in sink.got:
        page = Page(got.get_body(("html",)).get_content())
        [button] = [each.attributes["href"] for each in page.elements if each.tag == "a"]
        assert "/reports/calls-by-queue?" in button
    assert sum("too large" in text for text in texts) == 1
    facts = [[line.partition(":")[0] for line in text.splitlines()] for text in texts]
    assert all({"Period", "Filter", "Rows"} <= set(labels) for labels in facts)


def test_a_filter_that_is_no_longer_valid_is_named(clock: time_machine.Coordinates, sink: Sink) -> None:
    schedule(reader("boss"), query="colour=red")
    clock.move_to(DUE)
    worker.drain()
    [sent] = list(ScheduleMail.select())
    assert (sent.state, sent.error) == ("cancelled", mailing.BAD_QUERY)


def test_the_file_of_a_mail_is_that_of_the_page(
    clock: time_machine.Coordinates, client: FlaskClient, sink: Sink
) -> None:
    boss = reader("boss")
    schedule(boss, query="queue=support&period=last_week")
    clock.move_to(DUE)
    worker.drain()
    make.sign_in(client, boss)
    query = "queue=support&period=last_week&tz=Europe/Prague"
    page = client.get(f"/reports/calls-by-queue.csv?{query}")
    assert page.status_code == 200
    [(_to, got)] = sink.got
    [part] = list(got.iter_attachments())
    assert part.get_payload(decode=True).splitlines() == page.data.splitlines()
    assert len(page.data.splitlines()) > 5
