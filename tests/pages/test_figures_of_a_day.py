"""Figures of a day by hours: those still to come, the repeated one, the files, and the periods beside it."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import time_machine
from flask.testing import FlaskClient
from openpyxl import load_workbook

from dashboard.access import keys
from dashboard.access.permissions import Permission
from dashboard.events import record
from dashboard.ingest import importer
from dashboard.models import Interaction, Queue
from dashboard.pages.figures.tables import CONTACTS
from tests import make
from tests.pages.figures_page import sign_in, table
from tests.pages.files import text_of
from tests.pages.html import Page

P = Permission
NIGHT = 1_792_879_200  # 2026-10-25 00:00 in Prague, a day of 25 hours
OF_DAY = "by=hour&queue=line&unit=day&date=2026-10-25&tz=Europe/Prague"


@pytest.fixture
def line(client: FlaskClient) -> Iterator[Queue]:
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


def test_hours_that_are_still_to_come_are_absent_and_the_repeated_one_has_its_offset(
    client: FlaskClient, line: Queue
) -> None:
    sign_in(client)
    found = table(client, OF_DAY)
    assert list(found)[:4] == ["00:00", "01:00", "02:00 (+02:00)", "02:00 (+01:00)"]
    assert list(found)[-2:] == ["11:00", "Total"]
    assert [found[hour][0] for hour in ("00:00", "02:00 (+02:00)", "02:00 (+01:00)", "08:00")] == ["1"] * 4
    assert found["Total"] == [
        "4", "2", "66.7%", "1", "·", "1", "·", "33.3%", "0:00:20",
        "0:00:32", "0:00:30", "0:01:01", "0:01:01", "0:02:00", "·", "3",
    ]  # fmt: skip
    page = client.get(f"/figures?{OF_DAY}").text
    assert "Queue closed" in page
    assert 'href="?' not in page
    assert ">11:00<" in page
    assert ">12:00<" not in page  # neither in the chart


def test_buckets_of_a_running_period_end_with_today(client: FlaskClient, line: Queue) -> None:
    sign_in(client)
    week = "unit=week&date=2026-10-25&tz=Europe/Prague"
    with time_machine.travel(NIGHT - 3 * 86_400 + 3600, tick=False):  # Thursday
        assert list(table(client, f"by=weekday&{week}"))[:-1] == [
            "Monday",
            "Tuesday",
            "Wednesday",
            "Thursday",
            "Sunday",
        ]
        assert len(table(client, "by=hour_of_day&unit=day&tz=Europe/Prague")) == 3


FORMER = [
    ("/queues/figures?queue=line&date=2026-10-25", "/figures?by=hour&unit=day&queue=line&date=2026-10-25"),
    ("/queues/figures?tz=Asia/Tokyo", "/figures?by=hour&unit=day&tz=Asia%2FTokyo"),
    ("/queues/figures", "/figures?by=hour&unit=day"),
    ("/queues/figures.xlsx?queue=line&unit=day", "/figures.xlsx?by=hour&unit=day&queue=line"),
]


@pytest.mark.parametrize(("former", "now"), FORMER)
def test_the_former_address_of_a_queues_day_leads_to_its_figures(
    client: FlaskClient, line: Queue, former: str, now: str
) -> None:
    sign_in(client, P.TRACING_EXPORT_DATA)
    answer = client.get(former)
    assert (answer.status_code, answer.location) == (302, now)
    assert client.get(now).status_code == 200


def test_page_files_and_interface_hold_the_same_figures(client: FlaskClient, line: Queue) -> None:
    sign_in(client, P.TRACING_EXPORT_DATA, P.TRACING_EXPORT_PDF)
    rows = list(csv.reader(io.StringIO(client.get(f"/figures.csv?{OF_DAY}").data.decode("utf-8-sig"))))
    book = load_workbook(io.BytesIO(client.get(f"/figures.xlsx?{OF_DAY}").data))
    sheet = [row for row in book.worksheets[0].iter_rows(values_only=True) if row[0] in ("00:00", "Total")]
    token = keys.make("reader", "reader", "read")
    measures = ",".join(CONTACTS.measures)
    api = client.get(
        f"/api/v1/interactions?{OF_DAY.replace('by=', 'group=')}&is_received=1&measures={measures}",
        headers={"Authorization": f"Bearer {token}"},
    ).json
    assert api is not None
    total = [api["totals"][each.measure] for each in CONTACTS.columns]
    assert [api["rows"][0][each.measure] for each in CONTACTS.columns][:3] == [1, 1, 1.0]
    wanted = [None if value is None else int(value) if value > 1 else value for value in total]
    assert [float(cell) if cell else None for cell in rows[-1][1:]] == pytest.approx(wanted)
    assert len(rows) == 1 + 13 + 1
    assert sheet[-1][1:6] == (4, 2, pytest.approx(2 / 3), 1, 0)
    assert [sheet.title for sheet in book.worksheets][:2] == ["Figures", "Lost by reason"]
    pdf = text_of(client.get(f"/figures.pdf?{OF_DAY}").data)
    for text in table(client, OF_DAY)["Total"]:
        assert text == "·" or text in pdf


def test_calls_without_an_end_are_counted(client: FlaskClient, line: Queue) -> None:
    sign_in(client)
    Interaction.update(end_bound=NIGHT + 60, end_reason="next_call").where(
        Interaction.external_id == "0"
    ).execute()
    Interaction.update(expires_ts=NIGHT + 12 * 3600).where(Interaction.external_id == "1").execute()
    Interaction.update(expires_ts=NIGHT + 12 * 3600 + 1).where(Interaction.external_id == "2").execute()
    assert table(client, OF_DAY)["Total"][-1] == "2"


PERIODS = [
    ("unit=day&date=2026-10-24", "unit=day&date=2026-10-23", "unit=day&date=2026-10-25"),
    ("unit=week&date=2026-10-01", "unit=week&date=2026-09-27", "unit=week&date=2026-10-05"),
    ("unit=month&date=2026-02-05", "unit=month&date=2026-01-31", "unit=month&date=2026-03-01"),
    ("unit=quarter&date=2026-02-05", "unit=quarter&date=2025-12-31", "unit=quarter&date=2026-04-01"),
    ("from=2026-03-03&to=2026-03-05", "from=2026-02-28&to=2026-03-02", "from=2026-03-06&to=2026-03-08"),
    ("period=today", "unit=day&date=2026-10-24", None),
]


@pytest.mark.parametrize(("given", "before", "after"), PERIODS)
def test_the_periods_beside_it_are_a_link_away(
    client: FlaskClient, line: Queue, given: str, before: str, after: str | None
) -> None:
    sign_in(client)
    links = Page(client.get(f"/figures?tz=Europe/Prague&{given}").text).links()
    assert f"/figures?tz=Europe%2FPrague&{before}" in links
    found = [f"/figures?tz=Europe%2FPrague&{after}" in links] if after else [False]
    assert found == [after is not None]
    assert after is not None or not any("date=2026-10-26" in link for link in links)


def test_the_fragment_is_the_block_of_the_page(client: FlaskClient, line: Queue) -> None:
    sign_in(client)
    answer = client.get(f"/figures?{OF_DAY}", headers={"HX-Request": "true", "HX-Target": "result"}).text
    assert answer.strip().startswith('<div id="result">')
    assert "Line &lt;i&gt;" in client.get(f"/figures?{OF_DAY}").text
    title = re.search("<title>(.*?)</title>", answer)
    assert title
    assert title[0] in client.get(f"/figures?{OF_DAY}").text


HOURLY = sorted((Path(__file__).parents[2].parent / "shared/data/queue_log_hourly").glob("queue_*.queue_log"))
EXPECTED = {  # of the known figures, the columns of the file
    "received": "Received",
    "answered": "Answered",
    "abandoned": "Abandoned",
    "closed": "While closed",
    "blocked_joinempty": "Blocked",
    "avg_wait_s": "Average wait (seconds)",
    "answered_rate_pct": "Answer rate",
}


@pytest.mark.parametrize("path", HOURLY, ids=lambda path: path.stem)
def test_files_hold_the_known_figures_of_queue_logs_hour_by_hour(path: Path, client: FlaskClient) -> None:
    importer.run(path, "queue_log", path.name, "UTC", None, lambda _at: None)
    sign_in(client, P.TRACING_EXPORT_DATA)
    case = json.loads(path.with_suffix(".json").read_text())
    for known in case["expect_from_queue_log_file"]:
        query = f"by=hour&queue={known['id']}&unit=day&date={known['date']}&tz=UTC"
        text = client.get(f"/figures.csv?{query}").data.decode("utf-8-sig")
        rows = {row["Hour"]: row for row in csv.DictReader(io.StringIO(text))}
        for hour, figures in known["per_hour"].items():
            row = rows[f"{int(hour):02}:00"]
            found = {name: float(row[EXPECTED[name]]) if row[EXPECTED[name]] else None for name in figures}
            if found.get("answered_rate_pct") is not None:
                found["answered_rate_pct"] = int(found["answered_rate_pct"] * 100 + 1e-9)
            assert found == figures, hour
