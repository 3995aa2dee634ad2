"""A queue's day: the page, its files and the interface show one set of figures, to whom they may."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from typing import Any

import openpyxl
import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from dashboard.access import keys
from dashboard.access.permissions import Permission
from dashboard.events import record
from dashboard.models import AuditEntry, Interaction, Queue, User
from tests import make

P = Permission
NIGHT = 1_792_879_200  # 2026-10-25 00:00 in Prague, a day of 25 hours
DAY = "queue=line&date=2026-10-25&tz=Europe/Prague"
URL = f"/queues/figures?{DAY}"


@pytest.fixture
def line(app: Flask) -> Iterator[Queue]:
    """A queue with a call at 00:00, one in each of the two hours from 02:00, and one while it was closed."""
    made = make.queue("line", label="Line <i>", sla_seconds=20)
    source = record.source("test")
    for number, (hours, outcome, reason, wait) in enumerate(
        (
            (0, "answered", "", 5),
            (2, "answered", "", 30),
            (3, "abandoned", "", 61),
            (9, "missed", "closed", None),
        )
    ):
        at = NIGHT + hours * 3600
        Interaction.create(
            source=source,
            external_id=str(number),
            channel="call",
            queue_id=made.id,
            first_ms=at * 1000,
            queued_ts=None if reason else at,
            outcome=outcome,
            reason=reason,
            wait_s=wait,
            talk_s=60 if outcome == "answered" else 0,
        )
    with time_machine.travel(NIGHT + 12 * 3600, tick=False):
        yield made


def viewer(*permissions: Permission, grants: tuple[object, ...] = ("all_queues",)) -> User:
    return make.user("viewer", access=make.access(permissions, grants))


def test_the_page_shows_each_hour_and_the_day(line: Queue, client: FlaskClient) -> None:
    make.sign_in(client, viewer(P.QUEUES_FIGURES))
    page = client.get(URL)
    assert page.status_code == 200
    assert page.text.count('<tr><th scope="row" class="nw">') == 25
    assert "02:00 (+02:00)" in page.text
    assert "02:00 (+01:00)" in page.text
    assert "Line &lt;i&gt;" in page.text
    assert "66%" in page.text  # two of three that came while it was open, cut down
    assert "Queue closed" in page.text


def test_without_a_queue_the_first_is_shown(line: Queue, client: FlaskClient) -> None:
    make.sign_in(client, viewer(P.QUEUES_FIGURES))
    assert "Line &lt;i&gt;" in client.get("/queues/figures").text
    Queue.delete().execute()
    assert "No queues in your scope." in client.get("/queues/figures").text


def test_the_fragment_is_the_block_of_the_page(line: Queue, client: FlaskClient) -> None:
    make.sign_in(client, viewer(P.QUEUES_FIGURES))
    answer = client.get(URL, headers={"HX-Request": "true", "HX-Target": "result"}).text
    title, alone = answer.strip().split("</title>")
    whole = client.get(URL).text
    assert alone.startswith('<div id="result">')
    assert alone in whole
    assert f"{title}</title>" in whole  # htmx takes it for the page's


def test_who_may_not_gets_nothing(line: Queue, client: FlaskClient) -> None:
    assert client.get(URL).status_code == 302
    assert client.get(URL, headers={"HX-Request": "true"}).status_code == 401
    make.sign_in(client, viewer(P.HOME_VIEW))
    assert client.get(URL).status_code == 403
    assert AuditEntry.select().where(AuditEntry.action == "access.denied").count() == 1


@pytest.mark.parametrize("queue", ["line", "unknown", "%27%3B--", "other"])
def test_a_queue_that_is_unknown_or_not_the_viewers_is_not_found(
    queue: str, line: Queue, client: FlaskClient
) -> None:
    own = make.queue("own")
    user = viewer(P.QUEUES_FIGURES, P.TRACING_EXPORT_DATA, grants=(("queues", own.id),))
    make.sign_in(client, user)
    assert client.get(f"/queues/figures?queue={queue}").status_code == 404
    assert client.get(f"/queues/figures.csv?queue={queue}").status_code == 404
    assert "Line" not in client.get("/queues/figures").text


BAD = [
    ("date=2026-02-30", "Enter a date from 1970-01-02 to 2100-12-31 as YYYY-MM-DD."),
    ("date=9999-12-31", "Enter a date from 1970-01-02 to 2100-12-31 as YYYY-MM-DD."),
    ("tz=Mars/Base", "Unknown time zone."),
    ("tz=localtime", "Unknown time zone."),
    ("unit=month", "Use day."),
]


@pytest.mark.parametrize(("query", "sentence"), BAD)
def test_a_wrong_value_is_named(query: str, sentence: str, line: Queue, client: FlaskClient) -> None:
    make.sign_in(client, viewer(P.QUEUES_FIGURES))
    page = client.get(f"/queues/figures?queue=line&{query}")
    assert page.status_code == 422
    assert sentence in page.text


def test_it_is_read_only(line: Queue, client: FlaskClient) -> None:
    make.sign_in(client, viewer(P.QUEUES_FIGURES))
    assert client.post(URL).status_code == 405


def test_files_need_their_own_right(line: Queue, client: FlaskClient) -> None:
    make.sign_in(client, viewer(P.QUEUES_FIGURES, P.TRACING_EXPORT_PDF))
    assert client.get(URL.replace("?", ".csv?")).status_code == 403
    assert "CSV export" not in client.get(URL).text
    assert "PDF export" in client.get(URL).text


def test_the_right_to_files_is_not_the_right_to_figures(line: Queue, client: FlaskClient) -> None:
    make.sign_in(client, viewer(P.TRACING_EXPORT_DATA))
    assert client.get(URL.replace("?", ".csv?")).status_code == 403


def test_csv_and_excel_carry_the_figures_of_the_interface(line: Queue, client: FlaskClient) -> None:
    total = json_of(client)["total"]
    make.sign_in(client, viewer(P.QUEUES_FIGURES, P.TRACING_EXPORT_DATA))
    answer = client.get(URL.replace("?", ".csv?"))
    rows = list(csv.reader(io.StringIO(answer.get_data(as_text=True).removeprefix("\ufeff"))))
    wanted = [total[name] for name in ("received", "entered", "answered", "abandoned")]
    assert [int(cell) for cell in rows[-1][1:5]] == wanted == [4, 3, 2, 1]
    assert len(rows) == 1 + 25 + 1
    book = openpyxl.load_workbook(io.BytesIO(client.get(URL.replace("?", ".xlsx?")).data))
    last = list(book.worksheets[0].iter_rows(values_only=True))[-1]
    assert list(last[1:5]) == wanted
    entry = AuditEntry.select().where(AuditEntry.action == "queue.exported").get()
    assert entry.details["queue"] == "line"


def test_pdf_is_a_pdf_with_the_day_in_its_name(line: Queue, client: FlaskClient) -> None:
    make.sign_in(client, viewer(P.QUEUES_FIGURES, P.TRACING_EXPORT_PDF))
    answer = client.get(URL.replace("?", ".pdf?"))
    assert answer.data.startswith(b"%PDF-")
    assert "stopa-queue-line-2026-10-25.pdf" in answer.headers["Content-Disposition"]


def json_of(client: FlaskClient, query: str = DAY) -> dict[str, Any]:
    token = keys.make("reader", "reader", "read")
    answer = client.get(f"/api/v1/queues?{query}", headers={"Authorization": f"Bearer {token}"})
    found: dict[str, Any] = json.loads(answer.data)
    return found


def test_the_interface_gives_each_hour_and_the_day(line: Queue, client: FlaskClient) -> None:
    found = json_of(client)
    assert found["period"] == {
        "start": "2026-10-25T00:00:00+02:00",
        "end": "2026-10-26T00:00:00+01:00",
        "seconds": 90_000,
        "zone": "Europe/Prague",
    }
    assert [hour["received"] for hour in found["hours"]][:4] == [1, 0, 1, 1]
    total = found["total"]
    expected = {
        "answered_pct": 66,
        "average_wait": 32,
        "longest_wait": 61,
        "in_level": 1,
        "lost": {"closed": 1},
    }
    assert {name: total[name] for name in expected} == expected
    assert total["level"] == pytest.approx(1 / 3)
    assert AuditEntry.select().where(AuditEntry.action == "queue.viewed").count() == 1


@pytest.mark.parametrize(
    ("query", "fields"),
    [
        ("", {"queue"}),
        ("queue=nobody", {"queue"}),
        ("queue=line&date=x&tz=y&unit=z", {"date", "tz", "unit"}),
    ],
)
def test_the_interface_names_wrong_fields(
    query: str, fields: set[str], line: Queue, client: FlaskClient
) -> None:
    assert set(json_of(client, query)["errors"]) == fields


def test_the_interface_wants_a_read_key(line: Queue, client: FlaskClient) -> None:
    assert client.get("/api/v1/queues?queue=line").status_code == 401
    token = keys.make("writer", "writer", "ingest")
    answer = client.get("/api/v1/queues?queue=line", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 403


@pytest.mark.parametrize("format_", ["csv", "xlsx", "pdf"])
def test_a_day_that_has_not_come_has_no_file(line: Queue, client: FlaskClient, format_: str) -> None:
    make.sign_in(client, viewer(*P))
    assert client.get(f"/queues/figures.{format_}?queue=line&date=2026-10-26").status_code == 404


def test_calls_without_an_end_are_counted_below_the_table(line: Queue, client: FlaskClient) -> None:
    make.sign_in(client, viewer(P.QUEUES_FIGURES))
    assert "without an end" not in client.get(URL).text
    Interaction.update(end_bound=NIGHT + 60, end_reason="next_call").where(
        Interaction.external_id == "0"
    ).execute()
    assert "1 call without an end." in client.get(URL).text
