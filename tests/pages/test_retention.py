"""Settings > Retention: what a period deletes is shown, then saved by whoever saw the newest periods."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
import time_machine
from flask.testing import FlaskClient

from dashboard.access.permissions import Permission
from dashboard.db.prepared import insert_row
from dashboard.events import kept
from dashboard.events.kept import Kept
from dashboard.models import Run, Setting
from tests.pages import asks, trail

P = Permission
URL = "/settings/retention"
NOW = trail.at("2026-03-02 12:00")


@pytest.fixture(autouse=True)
def noon() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def editor(client: FlaskClient) -> FlaskClient:
    asks.sign_in_with(client, P.RETENTION_EDIT)
    return client


def typed(**days: str) -> dict[str, str]:
    """Return the fields of the form: what applies without a choice, and `days`."""
    defaults = {kind.value: str(days or "") for kind, days in kept.DEFAULTS.items()}
    return {**defaults, "version": "0", **days}


def deleted(page: str) -> dict[str, str]:
    """Return by kind how many rows the page says will be deleted."""
    rows = re.findall(r'<tr>.*?name="(\w+)".*?<td class="n">[^<]*</td>\s*</tr>', page, re.DOTALL)
    counts = re.findall(r'<td class="n">([^<]*)</td>\s*</tr>', page)
    return dict(zip(rows, counts, strict=True))


def test_a_period_is_shown_with_what_it_deletes_and_then_saved(editor: FlaskClient) -> None:
    for days_ago in (20, 10, 3):
        made_ms = (NOW - days_ago * 86_400) * 1000
        insert_row(Run, firing=f"f{days_ago}", rule_id=9, version=1, at_ms=0, outcome="done", made_ms=made_ms)
    page = editor.get(URL).text
    assert deleted(page)["runs"] == "0"
    assert "Save these periods" not in page
    shown = editor.get(URL, query_string=typed(runs="15"))
    assert (shown.status_code, deleted(shown.text)["runs"]) == (200, "1")
    assert "Save these periods" in shown.text
    assert kept.days(Kept.RUNS) == 30
    assert editor.post(URL, data=typed(runs="15")).headers["Location"] == URL
    assert (kept.days(Kept.RUNS), kept.days(Kept.AUDIT)) == (15, None)
    assert asks.audited("settings.updated").changes == {"runs": [30, 15]}


def test_the_later_of_two_editors_sees_both_values_and_may_save_again(editor: FlaskClient) -> None:
    editor.post(URL, data=typed(runs="15"))
    late = editor.post(URL, data=typed(runs="9"))
    assert late.status_code == 422
    assert "<td>15</td>" in late.text
    assert kept.days(Kept.RUNS) == 15
    assert 'name="version" value="1"' in late.text
    editor.post(URL, data=typed(runs="9", version="1"))
    assert kept.days(Kept.RUNS) == 9


BAD = [
    pytest.param({"runs": "0"}, "runs", id="too short"),
    pytest.param({"runs": "36501"}, "runs", id="too long"),
    pytest.param({"exports": ""}, "exports", id="must not stay for ever"),
    pytest.param({"audit": "30"}, "audit", id="shorter than a month"),
    pytest.param({"events": "100", "intervals": "99"}, "events", id="longer than the days made of them"),
    pytest.param({"intervals": "99"}, "events", id="for ever, and not the days made of them"),
    pytest.param({"audit": asks.HOSTILE}, "audit", id="no number"),
]


@pytest.mark.parametrize(("days", "field"), BAD)
def test_a_period_that_cannot_be_is_refused_by_name(
    editor: FlaskClient, days: dict[str, str], field: str
) -> None:
    for answer in (editor.get(URL, query_string=typed(**days)), editor.post(URL, data=typed(**days))):
        assert answer.status_code == 422
        assert f'id="e-{field}"' in answer.text
        assert "Save these periods" not in answer.text
        assert asks.HOSTILE not in answer.text
    assert not Setting.select().where(Setting.name == kept.NAME).exists()


def test_who_lacks_the_right_is_refused(client: FlaskClient) -> None:
    asks.refuses_strangers(client, URL)
    asks.refuses_posts(client, URL, P.POLICY_EDIT, P.SYSTEM_EVENTS_EDIT)
