"""Queries that take longer than a page may: the page says so, and their files are made in the background."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from dashboard.db import patience
from dashboard.jobs import worker
from dashboard.models import ExportFile, Job
from dashboard.sources import run
from tests import make
from tests.pages import trail
from tests.pages.trail import DAY

pytestmark = pytest.mark.both_databases
PERIOD = f"from={DAY}&to={DAY}"


@pytest.mark.parametrize("path", ["/interactions", "/figures", "/reports/calls-by-queue"])
def test_a_query_too_slow_for_a_page_is_run_in_the_background(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    trail.store(trail.ordinary())
    make.sign_in(client, make.administrator())
    expected = client.get(f"{path}.csv?{PERIOD}").data
    monkeypatch.setattr(run, "LIMIT_S", -1.0)
    monkeypatch.setattr(run, "STEPS", 1)
    page = client.get(f"{path}?{PERIOD}")
    assert page.status_code == 400
    assert "the file is made in the background" in page.text
    assert f"{path}.csv" in page.text
    assert client.get(f"{path}.pdf?{PERIOD}").status_code == 400
    assert client.get(f"{path}.json?{PERIOD}").status_code in (400, 404)
    answer = client.get(f"{path}.csv?{PERIOD}")
    assert answer.status_code == 302
    worker.drain()
    assert [job.error for job in Job.select() if job.error] == []
    ident = ExportFile.get().id
    assert client.get(f"/exports/{ident}/file").data == expected


@pytest.mark.usefixtures("db")
def test_a_job_is_not_patient_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "JOB_S", -1.0)
    endless = (
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000000) SELECT i FROM n"
    )
    with patience.patient(), pytest.raises(run.TooSlow), run.limited() as read:
        read(run.Sql(endless))
