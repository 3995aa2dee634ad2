"""The history of rules: what is listed, to whom, with what filters; one run whole; files."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

import openpyxl
import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from dashboard.access.permissions import Permission
from dashboard.models import Rule, Run, Step
from dashboard.rulelang.outcomes import RunOutcome
from tests import make
from tests.pages.asks import HOSTILE, SHOWN, audited, fragment_is_block, refuses_strangers, sign_in_with
from tests.pages.html import Page
from tests.rules.engine import LOG, NOON, event, notify, queue_id, rule, take, user_id

P = Permission
TRACES = (P.RULES_VIEW, P.RULES_TRACES)
BIG = {
    "all": [
        {"field": "data.value", "op": "is", "value": "100"},
        {"field": "contact.phone", "op": "is_not_empty"},
    ]
}
CONTACT = {"name": "Eva Fialová", "phone": "+420123456214"}


@pytest.fixture(autouse=True)
def soon(app: Flask) -> Iterator[None]:
    with time_machine.travel(NOON / 1000 + 60, tick=False):
        yield


def runs(page: str) -> list[dict[str, str]]:
    """Return the rows of the list by heading."""
    rows = list(Page(page).rows.values())
    return [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]


def sold(seconds: float = 0, value: str = "100", about: str = "c1", **more: object) -> dict[str, object]:
    return event(seconds=seconds, data={"value": value}, interaction=about, contact=CONTACT, **more)


@pytest.fixture
def one(app: Flask) -> Rule:
    """A rule of the site with three runs, the last of them held back by its limit."""
    boss = make.administrator("boss")
    limited = {"often": "period", "by": "subject", "seconds": 900}
    made = rule(
        [{**notify(boss, title="Sold to {{ contact.phone }}"), "limit": limited}, LOG],
        name="Big sale",
        **{"if": BIG},
    )
    take(sold(), sold(10, about="c2", user="jana", queue="web"), sold(20))
    return made


def test_the_runs_of_a_rule_are_listed_newest_first(one: Rule, client: FlaskClient) -> None:
    sign_in_with(client, *TRACES)
    page = client.get(f"/rules/{one.id}/runs")
    assert page.status_code == 200
    cells = runs(page.text)
    assert [row["Item"] for row in cells] == ["c1", "c2", "c1"]
    assert [row["Outcome"] for row in cells] == ["Done", "Done", "Done"]
    assert [row["Actions done"] for row in cells] == ["1", "2", "2"]
    held = runs(client.get(f"/rules/{one.id}/runs?columns=held,rule").text)
    assert [row["Actions rate-limited"] for row in held] == ["1", "0", "0"]
    assert {row["Rule"] for row in held} == {"Big sale"}


def test_who_may_not_gets_nothing(one: Rule, client: FlaskClient) -> None:
    for url in (f"/rules/{one.id}/runs", "/runs", f"/runs/{Run.get().id}", f"/rules/{one.id}/runs.csv"):
        refuses_strangers(client, url)
    sign_in_with(client, P.RULES_OWN)
    assert client.get(f"/rules/{one.id}/runs").status_code == 404, "the site's rules are not for this user"
    sign_in_with(client, P.RULES_OWN, P.RULES_VIEW)
    assert client.get(f"/rules/{one.id}/runs").status_code == 403, "seen, but without the right to its runs"
    assert client.get(f"/runs/{Run.get().id}").status_code == 404
    assert client.post(f"/rules/{one.id}/runs").status_code == 405


@pytest.mark.parametrize(
    "url", ["/rules/99/runs", "/runs/99", "/rules/99/runs.csv", "/runs/99999999999999999999"]
)
def test_what_is_not_there_is_not_found(url: str, one: Rule, client: FlaskClient) -> None:
    sign_in_with(client, *TRACES)
    assert client.get(url).status_code == 404


def test_the_owner_sees_the_runs_of_his_own_rule_and_nobody_elses(client: FlaskClient) -> None:
    jana, petr = (make.user(login, access=make.access([P.RULES_OWN])) for login in ("jana", "petr"))
    mine = rule([notify(jana)], owner_id=jana.id)
    take(event(user="jana"), event(user="petr", seconds=1))
    run = Run.get()
    make.sign_in(client, jana)
    for url in (f"/rules/{mine.id}/runs", f"/runs/{run.id}"):
        assert client.get(url).status_code == 200
    make.sign_in(client, petr)
    for url in (f"/rules/{mine.id}/runs", f"/runs/{run.id}"):
        assert client.get(url).status_code == 404
    sign_in_with(client, P.RULES_OVERSEE)
    assert client.get(f"/rules/{mine.id}/runs").status_code == 403


@pytest.mark.both_databases
def test_runs_about_what_the_viewer_may_not_see_are_neither_listed_nor_counted(
    one: Rule, client: FlaskClient
) -> None:
    grants = [("users", user_id("jana")), ("queues", queue_id("web"))]
    sign_in_with(client, *TRACES, grants=grants)
    page = client.get(f"/rules/{one.id}/runs").text
    assert [row["Item"] for row in runs(page)] == ["c2"]
    assert "Only rows within your scope are shown." in page
    visible = Run.get(Run.at_ms == NOON + 10_000).id
    hidden = Run.get(Run.at_ms != NOON + 10_000).id
    assert client.get(f"/runs/{visible}").status_code == 200
    assert client.get(f"/runs/{hidden}").status_code == 404
    rows = list(csv.reader(io.StringIO(client.get(f"/rules/{one.id}/runs.csv").text.lstrip("\ufeff"))))
    assert len(rows) == 2
    about = client.get("/runs?subject=interaction:pbx:c1").text
    assert runs(about) == []
    assert "No runs" in about


FILTERS = [
    ("acted=1", 3),
    ("acted=0", 0),
    ("outcome=error", 0),
    ("outcome=done&outcome=error", 3),
    ("outcome__not=done", 0),
    ("q=interaction", 3),
    ("q=R:C1", 0),
    ("q=:C2", 1),
    ("from=2026-03-02", 3),
    ("to=2026-03-01", 0),
    ("from=2026-03-01&to=2026-03-02", 3),
    ("period=yesterday", 0),
    ("held__gte=1", 1),
    ("subject=interaction:pbx:c1&subject=interaction:pbx:c2", 3),
    ("of_rule.name=Big sale", 3),
]
OLD = [
    ("outcome=acted", "acted=1"),
    ("first=2026-03-01&last=2026-03-02&outcome=done", "from=2026-03-01&to=2026-03-02&outcome=done"),
    ("before=7", ""),
    ("after=7&subject=interaction:pbx:c1", "subject=interaction%3Apbx%3Ac1"),
]


@pytest.mark.both_databases
@pytest.mark.parametrize(("query", "count"), FILTERS)
def test_filters_narrow_the_list_and_its_files(
    query: str, count: int, one: Rule, client: FlaskClient
) -> None:
    sign_in_with(client, *TRACES)
    page = client.get(f"/rules/{one.id}/runs?{query}")
    assert page.status_code == 200
    assert len(runs(page.text)) == count
    answer = client.get(f"/rules/{one.id}/runs.csv?{query}")
    assert len(answer.text.strip().splitlines()) == count + 1


@pytest.mark.parametrize(("query", "new"), OLD)
def test_addresses_of_earlier_versions_lead_to_the_same_rows(
    query: str, new: str, one: Rule, client: FlaskClient
) -> None:
    sign_in_with(client, *TRACES)
    assert client.get(f"/runs.csv?{query}").data == client.get(f"/runs.csv?{new}").data
    for path in (f"/rules/{one.id}/runs", "/runs"):
        answer = client.get(f"{path}?{query}")
        assert (answer.status_code, answer.location) == (302, f"{path}?{new}".rstrip("?"))
        assert client.get(answer.location).status_code == 200


def test_nobody_removes_the_rule_of_the_page_by_a_parameter(one: Rule, client: FlaskClient) -> None:
    other = rule(LOG, name="Every sale")
    take(sold(30))
    sign_in_with(client, *TRACES)
    page = client.get(f"/rules/{other.id}/runs?rule={one.id}&columns=rule").text
    assert [row["Rule"] for row in runs(page)] == ["Every sale"]
    assert client.get(f"/rules/{other.id}/runs.json?rule={one.id}").json["count"] == 1


def test_the_fragment_is_the_block_of_the_page(one: Rule, client: FlaskClient) -> None:
    sign_in_with(client, *TRACES)
    fragment_is_block(client, f"/rules/{one.id}/runs?q=:c1")
    fragment_is_block(client, "/runs?subject=interaction:pbx:c1")


def test_long_lists_are_turned_page_by_page(one: Rule, client: FlaskClient) -> None:
    sign_in_with(client, *TRACES)
    first = client.get(f"/rules/{one.id}/runs?limit=2").text
    older = Page(first).link(rel="next")
    assert older
    second = client.get(older).text
    assert (len(runs(first)), len(runs(second))) == (2, 1)
    back = Page(second).link(rel="prev")
    assert back
    assert runs(client.get(back).text) == runs(first)


def test_runs_about_one_subject_are_those_of_all_rules_the_viewer_may_see(
    one: Rule, client: FlaskClient
) -> None:
    jana = make.user("rose", access=make.access([P.RULES_OWN]))
    other = rule(LOG, name="Every sale")
    rule([notify(jana)], owner_id=jana.id, name="Hidden")
    take(sold(30))
    sign_in_with(client, *TRACES)
    page = client.get("/runs?subject=interaction:pbx:c1")
    named = [row["Rule"] for row in runs(page.text)]
    assert sorted(named) == ["Big sale", "Big sale", "Big sale", other.name]


def test_a_run_shows_event_trace_and_steps_with_contacts_masked(one: Rule, client: FlaskClient) -> None:
    run = Run.get()
    sign_in_with(client, *TRACES)
    page = client.get(f"/runs/{run.id}").text
    said = " ".join(Page(page).text.split())
    assert "(100) is 100" in said
    assert "+420 ••• ••• 214" in said
    assert "123456214" not in said
    assert "Notify users" in said
    assert "Boss" in said
    entry = audited("run.viewed")
    assert (entry.target_type, entry.target_id) == ("run", str(run.id))
    sign_in_with(client, *TRACES, P.PII_UNMASK)
    assert "+420123456214" in client.get(f"/runs/{run.id}").text


def test_the_texts_sent_are_shown_as_the_viewer_may_see_them(client: FlaskClient) -> None:
    boss = make.user("boss", access=make.access([P.PII_UNMASK], ["all_users", "all_queues"]))
    rule([notify(boss, title="{{ contact.name }} bought for {{ data.value }}")])
    take(sold())
    url = f"/runs/{Run.get().id}"
    assert Step.get().payload["title"] == "Eva Fialová bought for 100"
    sign_in_with(client, *TRACES)
    page = client.get(url).text
    assert "E••• bought for 100" in page
    assert "Fialová" not in page
    sign_in_with(client, *TRACES, P.PII_UNMASK)
    assert "Eva Fialová bought for 100" in client.get(url).text


def test_a_run_says_which_actions_were_held_and_what_their_limits_are(one: Rule, client: FlaskClient) -> None:
    sign_in_with(client, *TRACES)
    page = client.get(f"/runs/{Run.get(Run.held == 1).id}").text
    assert "1 action was stopped by its rate limit." in page
    assert "at most once every 15 minutes per item" in page


def test_a_run_names_what_led_to_it_and_what_followed(client: FlaskClient) -> None:
    first = rule([{"do": "emit", "type": "custom.next", "data": {}}], name="First")
    second = rule(LOG, types=["custom.next"], name="Second")
    take(event())
    sign_in_with(client, *TRACES)
    start = client.get(f"/runs/{Run.get(Run.rule_id == first.id).id}").text
    follow = client.get(f"/runs/{Run.get(Run.rule_id == second.id).id}").text
    assert "Subsequent runs" in start
    assert "Second" in start
    assert "Triggered by" in follow
    assert f'href="/rules/{first.id}/runs">First</a>' in follow


def test_a_receipt_and_an_error_are_shown_as_typed(one: Rule, client: FlaskClient) -> None:
    run = Run.get()
    Step.update(
        receipt={"status": 502, "took_ms": 1500, "note": HOSTILE}, error=HOSTILE, attempts=3
    ).execute()
    Run.update(subject=f"interaction:pbx:{HOSTILE}").execute()
    Rule.update(name=HOSTILE).execute()
    sign_in_with(client, *TRACES)
    for url in (f"/runs/{run.id}", f"/rules/{one.id}/runs", "/runs"):
        page = client.get(url).text
        assert HOSTILE not in page
        assert SHOWN in page
    assert "502 · 1,500 ms" in client.get(f"/runs/{run.id}").text


def test_every_outcome_has_its_words(one: Rule, client: FlaskClient) -> None:
    sign_in_with(client, *TRACES)
    ident = Run.get().id
    for outcome in RunOutcome:
        Run.update(outcome=outcome.value).execute()
        assert client.get(f"/rules/{one.id}/runs?outcome={outcome.value}").status_code == 200
        assert client.get(f"/runs/{ident}").status_code == 200


def test_a_run_without_an_event_or_trace_is_shown(one: Rule, client: FlaskClient) -> None:
    Run.update(event_id=None, trace=None, subject=f"rule:{one.id}").execute()
    sign_in_with(client, *TRACES, grants=())
    page = client.get(f"/runs/{Run.get().id}").text
    assert "No evaluation details were kept for this run." in page
    assert "No single event: the rule was triggered by time or by a count." in page


def test_files_carry_the_list_and_leave_an_entry(one: Rule, client: FlaskClient) -> None:
    sign_in_with(client, *TRACES)
    answer = client.get(f"/rules/{one.id}/runs.xlsx?q=:c1")
    lines = list(openpyxl.load_workbook(io.BytesIO(answer.data)).worksheets[0].iter_rows(values_only=True))
    assert [cell for line in lines for cell in line if cell == "c1"] == ["c1", "c1"]
    assert audited("report.exported").details["rule"] == str(one.id)
