"""How SQLite reads the lists that grow: with every filter of every page by an index, and without sorting.

The lists are found through the routes, their filters in their forms and links and in the description of the
API, so that a new list is tried without being named here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import combinations
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient

from dashboard.access import keys
from dashboard.db import database, keyset
from dashboard.models import Channel, Event, Invitation, Notification, Queue, Run, Site, Source, Step, Visit
from dashboard.rulelang.outcomes import ACTED, RunOutcome, StepState
from tests import make
from tests.api import Api
from tests.pages.html import Element, Page
from tests.rules import engine
from tests.test_sql_log import GROWING, Query, logged

ROWS = 600
TYPED = {
    "date": "2026-03-02",
    "search": "a",
    "text": "a",
    "number": "7",
    "datetime-local": "2026-03-02T00:00",
}
OF_API = {
    "from": "2026-03-02T00:00:00Z",
    "to": "2026-03-03T00:00:00Z",
    "date": "2026-03-02",
    "limit": "10",
    "after": "100",
    "type": "custom.a",
    "queue": "web",
    "interaction": "c1",
    "session": "s1",
    "tz": "UTC",
    "unit": "day",
    "period": "today",
    "columns": "id",
    "group": "day",
    "measures": "count",
    "compare": "previous",
    "sort": "-talk",
    "q": "c1-",
    "filter": "",
    "FIELD": "",
    "any": "",
    "none": "",
}
TWO_BOUNDS = re.compile(r'("t\d+"\."id") ([<>]).*\1 \2')  # SQLite seeks the first and reads past the other
Filters = dict[str, set[str]]
SORTS = re.compile(
    r"USE TEMP B-TREE(?! FOR (RIGHT PART|LAST TERM) OF).*"
)  # rows of one instant may be sorted
# A query sorted by a figure reads the rows of its period, for two seconds at most; one interaction has few.
IN_A_PERIOD = re.compile(
    r"(first_ms|start_ts|time_ms|made_ms) >= -?\d+ AND .*ORDER BY coalesce\(|i\.external_id IN"
)
on_sqlite = pytest.mark.parametrize("backend", ["sqlite"], indirect=True)


@pytest.fixture
def site(app: Flask, client: FlaskClient) -> FlaskClient:
    """A site whose lists have ROWS rows, with its administrator signed in."""
    user, queue = make.administrator(), Queue.create(name="web", label="Web", created_ts=0)
    channel = Channel.create(name="Hook", kind="webhook", address="https://example.org", created_ts=0)
    rule = engine.rule()
    outcomes, states = list(RunOutcome), list(StepState)
    numbers = range(1, ROWS + 1)
    events = [
        {
            "source_id": 1,
            "external_id": str(n),
            "type": ("call.accepted", "custom.a")[n % 2],
            "time_ms": engine.NOON + n,
            "recorded_ms": engine.NOON,
            "user_id": user.id,
            "queue_id": queue.id,
            "interaction": f"c{n % 50}",
            "session": f"s{n % 50}",
        }
        for n in numbers
    ]
    runs = [
        {
            "firing": str(n),
            "rule_id": rule.id,
            "version": 1,
            "event_id": n,
            "subject": "interaction:1:c1",
            "outcome": outcomes[n % len(outcomes)],
            "at_ms": engine.NOON,
            "made_ms": engine.NOON,
        }
        for n in numbers
    ]
    steps = [
        {
            "run": n,
            "rule_id": rule.id,
            "n": 0,
            "action": "webhook",
            "channel_id": channel.id,
            "key": str(n),
            "state": states[n % len(states)],
            "made_ms": engine.NOON,
        }
        for n in numbers
    ]
    notices = [
        {"user_id": user.id, "title": "x", "made_ms": n, "read_ms": None if n <= 30 else n} for n in numbers
    ]
    portal = Site.create(
        source=Source.create(name="portal", created_ts=0), key="key", secret="x", created_ts=0
    )
    visits = [
        {
            "site": portal.id,
            "token": str(n),
            "browser": str(n % 9),
            "started_ms": engine.NOON + n,
            "active_ms": engine.NOON + n,
            "ended_ms": None if n % 2 else engine.NOON + n,
        }
        for n in numbers
    ]
    invitations = [
        {"visit": n, "text": "x", "created_ms": engine.NOON + n, "until_ms": engine.NOON} for n in numbers
    ]
    tables = (
        (Event, events),
        (Run, runs),
        (Step, steps),
        (Notification, notices),
        (Visit, visits),
        (Invitation, invitations),
    )
    with database.atomic():
        for model, rows in tables:
            model.insert_many(rows).execute()
    make.sign_in(client, user)
    return client


def pages(client: FlaskClient) -> Iterator[tuple[str, Filters]]:
    """Yield the address of each page and the values of its filters."""
    for rule in client.application.url_map.iter_rules():
        path = re.sub(r"<int:[^>]+>", "1", rule.rule)
        if "GET" in (rule.methods or ()) and "<" not in path and not path.startswith(("/static", "/api/")):
            answer = client.get(path)
            if answer.mimetype == "text/html" and answer.status_code == 200:
                yield path, filters(path, Page(answer.text))


def filters(path: str, page: Page) -> Filters:
    """Return the values of each parameter that the page's links to itself and its forms by GET offer."""
    found: Filters = {}
    for link in page.links():
        parts = urlsplit(link)
        for name, value in parse_qsl(parts.query) if parts.path == path else ():
            found.setdefault(name, set()).add(value)
    by_get, name = False, ""
    for tag, attributes in page.elements:
        if tag == "form":
            by_get = attributes.get("method", "get") == "get"
        elif by_get and tag == "select":
            name = attributes.get("name", "")
        elif by_get and tag == "option" and attributes.get("value"):
            found.setdefault(name, set()).add(attributes["value"])
        elif by_get and tag == "input" and attributes.get("name"):
            kind = attributes.get("type", "text")
            value = attributes.get("value") or TYPED.get(kind, "")
            if value:
                found.setdefault(attributes["name"], set()).add(value)
    return found


def alone(filters: Filters) -> Iterator[dict[str, str]]:
    """Yield the query without a filter and every value of every filter alone, a dozen of each at most."""
    yield {}
    yield from ({name: value} for name, values in filters.items() for value in sorted(values)[:12])


def pairs(filters: Filters) -> Iterator[dict[str, str]]:
    first = {name: min(values) for name, values in filters.items()}
    yield from (dict(pair) for pair in combinations(first.items(), 2))


def is_list(query: Query) -> bool:
    """Tell whether the query reads a page of a growing table. Summaries (GROUP BY) are no lists: they read
    a bounded time and sort a row for each rule."""
    parts = ("ORDER BY" in query.sql, "LIMIT" in query.sql, "GROUP BY" not in query.sql)
    return all(parts) and GROWING.search(query.sql) is not None


def slow(log: list[Query]) -> set[str]:
    """Return the lists of the log that sort or read a growing table from end to end, with SQLite's plan."""
    found = set()
    for sql, params in set(filter(is_list, log)):
        plan = [str(row[3]) for row in database.execute_sql(f"EXPLAIN QUERY PLAN {sql}", params)]
        bad = any(SORTS.fullmatch(step) or re.fullmatch(r"SCAN (t\d+|[a-z])", step) for step in plan)
        if IN_A_PERIOD.search(sql):
            bad = False
        if bad or TWO_BOUNDS.search(sql):
            found.add(f"{sql}\n    {'; '.join(plan)}")
    return found


@on_sqlite
def test_every_filter_of_every_page_reads_its_list_by_an_index(site: FlaskClient) -> None:
    seen: list[Query] = []
    for path, offered in list(pages(site)):
        with logged(database.obj) as log:
            for query in alone(offered):
                site.get(f"{path}?{urlencode(query)}").close()
            for query in pairs(offered) if any(map(is_list, log)) else ():
                site.get(f"{path}?{urlencode(query)}").close()
        seen += log
    lists = {query for query in seen if is_list(query)}
    assert len(lists) > 100
    for table in ("activity", "invitation", "notification", "run", "step", "visit"):
        assert any(f'FROM "{table}"' in query.sql for query in lists), table
    assert slow(seen) == set()


@on_sqlite
def test_every_filter_of_the_api_reads_its_list_by_an_index(site: FlaskClient) -> None:
    headers = {"Authorization": f"Bearer {keys.make('reader', 'pbx', 'read')}"}
    described = site.get("/api/v1/openapi.json").json["paths"]
    samples = {**OF_API, "user": "admin"}
    with logged(database.obj) as log:
        for path, verbs in described.items():
            names = [parameter["name"] for parameter in verbs.get("get", {}).get("parameters", ())]
            offered = {name: {samples[name]} for name in names}
            for query in (*alone(offered), *pairs(offered)):
                assert site.get(path, query_string=query, headers=headers).status_code in (200, 400, 422), (
                    query
                )
    assert sum('FROM "event"' in query.sql for query in filter(is_list, log)) > 40
    assert slow(log) == set()


@pytest.fixture
def short_reach(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a page read 40 entries of an index at most, so that most filters end a page early."""
    monkeypatch.setattr(keyset, "LOOKED_THROUGH", 40)


LISTS = [
    ("/rules/1/runs", {"acted": ""}, 600),
    ("/rules/1/runs", {"acted": "1"}, 600 * len(ACTED) // len(RunOutcome)),
    ("/rules/1/runs", {"outcome": "done"}, 600 // len(RunOutcome)),
    ("/rules/1/runs", {"q": "nothing like this"}, 0),
    ("/runs", {"subject": "interaction:1:c1", "acted": "1"}, 600 * len(ACTED) // len(RunOutcome)),
    ("/settings/channels/deliveries", {}, 600),
    ("/settings/channels/deliveries", {"state": ["failed", "dead", "uncertain"]}, 600 * 3 // len(StepState)),
    ("/settings/channels/deliveries", {"channel": "1"}, 600),
]


@pytest.mark.usefixtures("short_reach")
@pytest.mark.parametrize(("path", "query", "number"), LISTS)
def test_pages_that_end_early_lead_to_every_row_once(
    site: FlaskClient, path: str, query: dict[str, Any], number: int
) -> None:
    seen: list[str] = []
    address: str | None = f"{path}?{urlencode(query, doseq=True)}"
    visited = 0
    while address is not None:
        page = Page(site.get(address).text)
        seen += [one.attributes["value"] for one in page.elements if is_row(one)] or runs_of(page)
        address = page.link(rel="next")
        visited += 1
        assert visited < 40
    assert len(set(seen)) == len(seen)
    assert abs(len(seen) - number) <= len(RunOutcome)
    assert seen == sorted(seen, key=int, reverse=True)


def is_row(element: Element) -> bool:
    """Tell whether the element ticks a row of deliveries."""
    return element.tag == "input" and element.attributes.get("name") == "id"


def runs_of(page: Page) -> list[str]:
    return [found[1] for link in page.links() if (found := re.fullmatch(r"/runs/(\d+)", link))]


@pytest.mark.both_databases
@pytest.mark.usefixtures("short_reach")
@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, range(1, 601)),
        ({"type": "custom.a"}, range(1, 601, 2)),
        ({"type": "custom.a", "session": "s7"}, range(7, 601, 50)),
        ({"user": "admin", "queue": "web", "type": "call.accepted"}, range(2, 601, 2)),
        ({"from": "2026-03-02T12:00:00.590Z"}, range(590, 601)),
        ({"type": "custom.a", "to": "2026-03-02T12:00:00.010Z"}, range(1, 10, 2)),
        ({"user": "nobody"}, ()),
    ],
)
def test_the_api_gives_every_event_once_through_pages_that_end_early(
    site: FlaskClient, query: dict[str, str], expected: Iterable[int]
) -> None:
    assert [int(event["id"]) for event in Api(site).events(**query, limit=9)] == list(expected)


@on_sqlite
def test_a_list_that_sorts_or_scans_is_found(site: FlaskClient) -> None:
    e = Event
    with logged(database.obj) as log:
        list(e.select().where(e.source_id == 1).order_by(e.id).limit(5))
        list(e.select().where(e.data == "{}").order_by(e.id).limit(5))
        list(e.select().where((e.id < 9) & (e.data == "") & (e.id <= 5)).order_by(e.id).limit(5))
        list(e.select().where((e.type == "custom.a") & (e.id > 1) & (e.id < 9)).order_by(e.id).limit(5))
    assert len(slow(log)) == 3
