"""Saved reports give the figures that are known of a real log, on the page and in every file."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from openpyxl import load_workbook

from dashboard.ingest import importer
from tests.pages.files import text_of
from tests.pages.reports import rows_of, save, sign_in

pytestmark = pytest.mark.both_databases

REAL = Path(__file__).parents[2].parent / "shared" / "data" / "queue_log_real"
PERIOD = "from=2018-11-29&to=2018-12-04&tz=UTC"
QUEUES = (
    "source=interactions&group=queue&measures=count&measures=sum:is_answered&measures=sum:is_abandoned"
    "&measures=sum:talk&channel=call&queue__blank=0"
)
AGENTS = "source=user_events&group=user&measures=sum:is_accepted&measures=sum:is_ignored&interaction.queue=IT"


@pytest.fixture
def known(client: FlaskClient) -> dict[str, Any]:
    if not REAL.exists():
        pytest.skip("no recorded logs here")
    found: dict[str, Any] = json.loads((REAL / "expected.json").read_text())["reconstructed.queue_log"]
    path = REAL / "reconstructed.queue_log"
    importer.run(path, "queue_log", path.name, "UTC", None, lambda _at: None)
    sign_in(client)
    return found


def seconds(text: str) -> int:
    hours, minutes, rest = text.split(":")
    return int(hours) * 3600 + int(minutes) * 60 + int(rest)


def test_calls_of_the_queue_are_those_of_the_log_on_page_and_in_files(
    client: FlaskClient, known: dict[str, Any]
) -> None:
    path = save(client, f"{QUEUES}&{PERIOD}", "Queues")
    expected = known["queues"]["IT"]
    wanted = [expected[name] for name in ("calls", "answered", "lost_abandon", "talk_s")]
    row = next(row for row in rows_of(client.get(path)) if row[0] == "IT")
    assert [*map(int, row[1:4]), seconds(row[4])] == wanted
    lines = csv.reader(io.StringIO(client.get(f"{path}.csv").data.decode("utf-8-sig")))
    assert next(list(map(int, line[1:])) for line in lines if line[0] == "IT") == wanted
    sheet = load_workbook(io.BytesIO(client.get(f"{path}.xlsx").data)).worksheets[0]
    excel = next(line for line in sheet.iter_rows(values_only=True) if line[0] == "IT")
    assert list(excel[1:4]) == wanted[:3]
    assert wanted[3] in excel
    paper = text_of(client.get(f"{path}.pdf").data).split()
    assert all(cell in paper for cell in row)
    answer = client.get(f"{path}.json").json
    assert [list(each.values())[1:] for each in answer["rows"] if each["queue"] == "IT"] == [wanted]


def test_calls_of_each_agent_are_those_of_the_log(client: FlaskClient, known: dict[str, Any]) -> None:
    path = save(client, f"{AGENTS}&{PERIOD}", "Agents")
    answer = client.get(f"{path}.json").json
    found = {each["user"]: (each["sum:is_accepted"], each["sum:is_ignored"]) for each in answer["rows"]}
    wanted = {
        name: (each["connects"], each["ring_no_answer"])
        for name, each in known["agents"].items()
        if "connects" in each
    }
    assert found == wanted
