"""The search in texts of a long list: piece by piece, for a bounded time, in what the viewer sees."""

from __future__ import annotations

from typing import Any

import pytest
import time_machine
from flask.testing import FlaskClient

from dashboard.access.permissions import Permission
from dashboard.access.scope import Scope
from dashboard.clock import Span
from dashboard.models import Event
from dashboard.reports.result import all_rows
from dashboard.sources import answer, scan
from dashboard.sources.catalogue import EVENTS
from dashboard.sources.compiler import Compiler
from dashboard.sources.parameters import parse
from dashboard.sources.query import Column, Query, Sort
from tests.pages import asks, trail
from tests.pages.html import Page

P = Permission
PHONE, MAIL = "+420601234567", "petra@example.org"


@pytest.fixture(autouse=True)
def present() -> Any:
    with time_machine.travel(trail.at("18:00"), tick=False):
        yield


@pytest.fixture
def stored(client: FlaskClient) -> None:
    """Store events of a morning, ten in the same millisecond."""
    about = {"queue": "support", "contact": {"name": "Petra Nováková", "phone": PHONE}}
    trail.store(
        [trail.event("custom.a", "08:00", "jana", note="Žluťoučký KŮŇ")],
        [trail.event("custom.b", "08:10", "jana", note=f"write to {MAIL}")],
        [trail.event("custom.c", "08:20", "jana", text="100% _done_!")],
        [trail.event("custom.d", "08:30", "jana", session="sess-77", quoted='say "hello"')],
        [trail.event("custom.e", "08:40", "jana", number=420601234567)],
        [trail.event("custom.f", "09:00", "jana", word="needle", at=at) for at in range(10)],
        trail.work("call", "c-needles", "10:00", "10:10", "jana", **about, direction="in"),
    )
    Event.update(data=r'{"note": "\u010derven\u00fd"}').where(Event.type == "custom.a").execute()


def types(client: FlaskClient, text: str, more: str = "") -> list[str]:
    """Return the types of the events that a search finds on all its pages, newest first."""
    found, url = [], f"/events?period=today&columns=time,type&q={text}{more}"
    for _page in range(40):
        page = client.get(url)
        assert page.status_code == 200, page.text
        rows = Page(page.text.partition("<tbody>")[2].partition("</tbody>")[0])
        found += [
            each for each in (text.strip() for text in rows.texts) if each.startswith(("custom.", "Call"))
        ]
        url = Page(page.text).link(rel="next")
        if url is None:
            return found
    raise AssertionError("the pages of a search never end")


CASES = [
    ("NEEDLE", ["Call ended", "Call accepted", "Call started", *["custom.f"] * 10]),
    ("sess-7", ["custom.d"]),
    ("100%25+_d", ["custom.c"]),
    ("done_!", ["custom.c"]),
    ("say+%22hello", ["custom.d"]),
    ("ČERVENÝ", ["custom.a"]),
    ("zzz-nothing", []),
]


@pytest.mark.both_databases
def test_texts_of_events_are_found_on_every_page(
    client: FlaskClient, stored: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    asks.sign_in_with(client, P.EVENTS_VIEW, grants=("all_users", "all_queues"))
    expected = {text: types(client, text) for text, _found in CASES}
    for text, found in CASES[1:]:
        assert expected[text] == found, text
    assert expected["NEEDLE"].count("custom.f") == 10
    assert len(expected["NEEDLE"]) > 10
    for piece, most_s, limit in ((1, 1, 100), (3, 0, 100), (4, 0, 2), (20_000, 0, 1)):
        monkeypatch.setattr(scan, "PIECE", piece)
        monkeypatch.setattr(scan, "SCANNED_S", most_s)
        for text, _found in CASES:
            assert types(client, text, f"&limit={limit}") == expected[text], (text, piece, limit)


@pytest.mark.both_databases
def test_what_is_masked_is_found_by_who_sees_it_only(client: FlaskClient, stored: None) -> None:
    sought = ("petra@exam", "601234", "420601234567", "Nováková", "602")
    asks.sign_in_with(client, P.EVENTS_VIEW, grants=("all_users", "all_queues"))
    assert [types(client, text) for text in sought] == [[]] * len(sought)
    assert types(client, "example.org") == ["custom.b"]  # the domain is shown
    asks.sign_in_with(client, P.EVENTS_VIEW, P.PII_UNMASK, grants=("all_users", "all_queues"))
    numbers = [len(types(client, text)) for text in sought]
    assert numbers[0] == 1
    assert numbers[1] > numbers[4] == 0
    assert numbers[2] > 1
    assert numbers[3] > 0
    asks.sign_in_with(client, P.EVENTS_VIEW, P.PII_UNMASK, grants=())
    assert types(client, "needle") == []


@pytest.mark.both_databases
def test_a_search_that_is_not_finished_says_how_far_it_came(
    client: FlaskClient, stored: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scan, "PIECE", 3)
    monkeypatch.setattr(scan, "SCANNED_S", 0)
    asks.sign_in_with(client, P.EVENTS_VIEW, P.TRACING_EXPORT_DATA, grants=("all_users", "all_queues"))
    page = client.get("/events?period=today&q=sess-77").text
    assert "Searched back to 2 Mar 2026" in page
    assert ">Continue searching</a>" in page
    assert "No events in this period" not in page
    file = client.get("/events.csv?period=today&q=sess-77")  # has all of it, made in the background
    assert (file.status_code, file.location[:9]) == (302, "/exports/")
    body = client.get("/events.json?period=today&q=sess-77").json
    assert (body["rows"], body["count_exact"]) == ([], False)
    assert body["next"]
    scope = Scope(1, frozenset({P.EVENTS_VIEW}), None, None)
    given = {"q": ["sess-77"], "period": ["today"], "columns": ["id"]}
    query = parse(EVENTS, given, "UTC", trail.at("18:00"), answer.names(scope))
    with client.application.test_request_context():
        assert len(list(all_rows(scope, query, 1))) == 1  # however many pages without a row come before


def test_a_page_far_behind_has_one_bound_at_each_side() -> None:
    at, scope = 1_772_449_200_000, Scope(1, frozenset(P), None, None)
    span = Span(1_772_000_000, 1_773_000_000)
    for sort, after, expected in (
        (None, None, ("1772000000000", "1773000000000")),
        (None, (at, 7), ("1772000000000", str(at + 1))),
        (Sort("time", True), (at, 7), ("1772000000000", str(at + 1))),
        (Sort("time", False), (at, 7), (str(at), "1773000000000")),
        (Sort("recorded", True), (at, 7), ("1772000000000", "1773000000000")),
        (None, (at * 2, 7), ("1772000000000", "1773000000000")),
    ):
        columns = (Column("id", *EVENTS.fields["id"]),)
        compiler = Compiler(Query(EVENTS, span, "UTC", columns=columns, sort=sort, after=after), scope)
        assert f"e.time_ms >= {expected[0]} AND e.time_ms < {expected[1]}" in compiler.rows().text, (
            sort,
            after,
        )
        assert "e.time_ms >= 1772000000000 AND e.time_ms < 1773000000000" in compiler.count().text
