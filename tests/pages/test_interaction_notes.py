"""The page of one interaction: whom it went to, comments, events by user, rules that acted, and its files."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
from flask.testing import FlaskClient

from dashboard.access.permissions import Permission
from dashboard.models import Activity, Interaction, Rule, Run, Step
from tests.api import Api
from tests.pages.test_interaction_story import EVENTS, event, sign_in

P = Permission
MORE = [
    event("12:00:00", "call.queued", "", "c3"),
    event("12:00:10", "call.accepted", "jana", "c3"),
    event("12:02:10", "call.transferred", "jana", "c3", data={"to_user": "eva"}),
    event("12:02:20", "call.accepted", "eva", "c3"),
    event("12:03:00", "call.closed", "eva", "c3"),
    event("12:10:00", "ticket.updated", "jana", "t1", data={"comment": "Called <b>back</b>"}),
    event("12:11:00", "ticket.updated", "jana", "t1"),
    event("12:12:00", "ticket.closed", "eva", "t1"),
    event("12:13:00", "ticket.merged", "", "t1", data={"related": "t9"}),
]


@pytest.fixture
def more(client: FlaskClient) -> dict[str, int]:
    Api(client).take([*EVENTS, *MORE])
    return {row.external_id: row.id for row in Interaction.select()}


SAID = [
    ("c2", "The customer gave up. 2 users were free."),
    ("c3", "Taken by jana for 0:02:00, then transferred to eva. Taken by eva for 0:00:40."),
    ("t1", "Edited by jana (2×). Closed by eva. Merged with t9."),
]


@pytest.mark.parametrize(("name", "said"), SAID)
def test_the_sentence_says_what_became_of_it(client: FlaskClient, more: Any, name: str, said: str) -> None:
    sign_in(client, P.TRACING_VIEW)
    assert said in client.get(f"/interactions/{more[name]}").text


def test_events_are_counted_by_user_and_chosen_by_one(client: FlaskClient, more: Any) -> None:
    sign_in(client, P.TRACING_VIEW)
    page = client.get(f"/interactions/{more['c3']}").text
    jana = page.partition("<dt>jana</dt>")[2].partition("<dt>")[0]
    assert re.findall(r">([^<]+) <b>(\d)</b>", jana) == [("Call accepted", "1"), ("Call transferred", "1")]
    of_eva = client.get(f"/interactions/{more['c3']}?who=eva").text.partition('id="events"')[2]
    rows = of_eva.partition("<tbody>")[2].partition("</tbody>")[0]
    assert (rows.count("<tr>"), "jana" in rows) == (2, False)


def test_comments_stand_on_the_page(client: FlaskClient, more: Any) -> None:
    sign_in(client, P.TRACING_VIEW)
    assert "Called &lt;b&gt;back&lt;/b&gt;" in client.get(f"/interactions/{more['t1']}").text


def test_files_hold_the_user_events_of_the_interaction(client: FlaskClient, more: Any) -> None:
    sign_in(client, P.TRACING_VIEW, P.TRACING_EXPORT_DATA, P.TRACING_EXPORT_PDF)
    page = client.get(f"/interactions/{more['c3']}").text
    links = [
        html.unescape(url) for url in re.findall(r'href="(/interactions/user-events\.\w+\?[^"]+)"', page)
    ]
    assert [url.partition("?")[0].rpartition(".")[2] for url in links] == ["pdf", "xlsx", "csv"]
    lines = client.get(links[2]).data.decode("utf-8-sig").splitlines()
    assert len([line for line in lines if "c3" in line]) == 4
    assert not any("c1" in line for line in lines)
    sign_in(client)
    assert "user-events." not in client.get(f"/interactions/{more['c3']}").text


def test_rules_that_acted_are_shown_with_whom_they_notified(client: FlaskClient, more: Any) -> None:
    user = sign_in(client, P.TRACING_VIEW, P.RULES_VIEW, P.RULES_TRACES)
    rule = Rule.create(name="Tell the lead", definition={}, created_ts=0, updated_ts=0)
    source = Interaction.get_by_id(more["c2"]).source.name
    about = {"rule_id": rule.id, "made_ms": 0}
    subject = f"interaction:{source}:c2"
    run = Run.create(version=1, firing="1", subject=subject, outcome="done", at_ms=0, **about)
    Step.create(run=run, n=0, action="notify", key="k", state="done", payload={"user": user.id}, **about)
    page = client.get(f"/interactions/{more['c2']}").text
    assert f'href="/runs/{run.id}">Tell the lead</a>' in page
    assert f"Notified: {user.name}" in page
    assert f'href="/interactions/{more["c2"]}">Open the interaction' in client.get(f"/runs/{run.id}").text
    assert f"/runs?subject=interaction:{source}:c2" in html.unescape(page).replace("%3A", ":")
    sign_in(client, P.TRACING_VIEW)
    assert "Tell the lead" not in client.get(f"/interactions/{more['c2']}").text


def test_an_activity_leads_to_its_interaction(client: FlaskClient, more: Any) -> None:
    sign_in(client, P.TRACING_VIEW)
    work = Activity.get(Activity.interaction_id == more["c3"])
    link = f'href="/interactions/{more["c3"]}">Open the interaction'
    assert link in client.get(f"/tracing/activities/{work.id}").text
