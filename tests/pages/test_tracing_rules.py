"""An activity as rules see it: their tags, notes and runs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from dashboard.models import Mark, Run
from tests import make
from tests.pages import trail
from tests.pages.activities import (
    MARKS,
    SEES,
    P,
    chat,
    page,
)
from tests.pages.asks import SHOWN, sign_in_with
from tests.pages.html import Page
from tests.rules.engine import rule


@pytest.fixture(autouse=True)
def evening(app: Flask) -> Iterator[None]:
    with time_machine.travel(trail.at("2026-03-02 20:00"), tick=False):
        yield


def test_tags_and_notes_of_rules_are_shown_as_typed(client: FlaskClient) -> None:
    author = make.user(access=make.access(P, ["all_users", "all_queues"]))
    rule(MARKS, ["chat.closed"], name="Marks <b>", updated_by=author.id)
    chat()
    sign_in_with(client, *SEES, P.PII_UNMASK)
    shown = page(client)
    assert ("vip" in shown.text, SHOWN in shown.source) == (True, True)
    assert "Call w-1 +420601234567" in shown.text
    assert "Rule “Marks <b>”" in shown.text


def test_contact_details_in_notes_are_masked_but_for_the_right(client: FlaskClient) -> None:
    rule([{"do": "note", "text": "Call +420601234567"}], ["chat.closed"])
    chat()
    sign_in_with(client, *SEES)
    shown = page(client).source
    assert "567" in shown
    assert "601234567" not in shown


def test_a_rule_that_the_viewer_may_not_see_has_no_name(client: FlaskClient) -> None:
    rule(MARKS, ["chat.closed"], name="Secret rule")
    chat()
    sign_in_with(client, P.TRACING_VIEW)
    shown = page(client)
    assert "vip" in shown.text
    assert "Secret rule" not in shown.source
    assert "/runs" not in shown.source


def test_marks_of_other_interactions_and_sources_stay_there(client: FlaskClient) -> None:
    chat()
    trail.store(trail.work("chat", "w-1", "10:00", "10:30", "petr", channel="sms"), source="other")
    for subject in ("interaction:other:w-1", "interaction:pbx:w-2", "session:pbx:w-1"):
        Mark.create(subject=subject, kind="tag", text=f"of {subject}", rule_id=1, run_id=1, made_ms=1)
    sign_in_with(client, *SEES)
    assert "of interaction" not in page(client).text
    assert "of interaction:other:w-1" in page(client, "sms").text


def test_the_latest_three_runs_lead_to_their_pages(client: FlaskClient) -> None:
    for name in ("First", "Second", "Third", "Fourth"):
        rule(types=["chat.closed"], name=name)
    chat()
    sign_in_with(client, *SEES)
    shown = page(client)
    ids = [row.id for row in Run.select().order_by(Run.id.desc()).limit(3)]
    assert [url for url in shown.links() if url.startswith("/runs/")] == [f"/runs/{each}" for each in ids]
    rows = [cells[1:] for cells in shown.rows.values() if cells[-1] == "Done"]
    assert rows == [["Fourth", "Done"], ["Third", "Done"], ["Second", "Done"]]
    everything = next(url for url in shown.links() if url.startswith("/runs?"))
    assert len(Page(client.get(everything).text).rows) == 5
    assert [client.get(f"/runs/{each}").status_code for each in ids] == [200] * 3


def test_runs_of_rules_or_events_outside_the_viewers_rights_are_left_out(client: FlaskClient) -> None:
    jana, petr = (make.user(login, access=make.access([P.RULES_OWN])) for login in ("jana", "petr"))
    rule(types=["chat.closed"], name="The site's")
    rule(types=["chat.accepted"], name="Of jana", owner_id=jana.id)
    chat()
    trail.store(trail.work("chat", "w-1", "10:00", "10:30", "petr", queue="mail"))
    make.sign_in(client, jana)
    shown = page(client)
    assert ("Of jana" in shown.text, "The site's" in shown.text) == (True, False)
    sign_in_with(client, *SEES, grants=[("users", jana.id), "all_queues"])
    rows = [cells for cells in page(client).rows.values() if cells[-1] == "Done"]
    assert [cells[1] for cells in rows] == ["The site's"], "the other run is about petr"
    assert petr.name not in page(client).source


def test_without_runs_the_page_says_so(client: FlaskClient) -> None:
    chat()
    sign_in_with(client, *SEES)
    assert "No rules have evaluated this interaction yet." in page(client).text
