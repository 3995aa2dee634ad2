"""The list of activities: every row once on its pages, filters, chips and totals that agree."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
import time_machine
from flask.testing import FlaskClient

from dashboard import clock
from dashboard.access import scope as scopes
from dashboard.events import record
from dashboard.models import Queue
from dashboard.pages.tracing import listing
from dashboard.tracing import trace as traces
from dashboard.tracing.statistics import as_json
from tests import make
from tests.pages import trail
from tests.pages.html import Page
from tests.pages.trail import DAY

ROW = re.compile(r'<tr id="(a[^"]+)"')
ADDRESS = f"/tracing?user=jana&date={DAY}&tz=Europe/Prague"


@pytest.fixture(autouse=True)
def evening() -> Iterator[None]:
    with time_machine.travel(trail.at("2026-03-02 20:00"), tick=False):
        yield


@pytest.fixture
def busy(client: FlaskClient) -> FlaskClient:
    """A viewer of everything, and jana's day with work of every kind, many beginning together."""
    events = [*trail.stay("08:00", "18:00")]
    for n in range(24):  # six at a time begin together, two of them e-mails
        kind = "email" if n % 3 == 0 else "chat"
        data = {} if kind == "email" else {"channel": ("webchat", "sms")[n % 2]}
        start = f"09:{n // 6 * 10:02}:00"
        events += trail.work(kind, f"x{n}", start, f"10:{n:02}:00", queue=("web", "mail")[n % 2], **data)
    for n in range(4):  # pauses begin in the same seconds
        events += trail.pause("short", f"09:{n * 10:02}:00", f"09:{n * 10 + 5:02}:00", paid=n % 2 == 0)
    events += trail.work("call", "c1", "2026-03-01 23:50", "00:20", queue="support", direction="in")
    events += trail.work("call", "c2", "17:00", None, queue="support", direction="out")
    events += [
        trail.event("call.offered", "16:00", queue="support", interaction="c3"),
        trail.event("call.rejected", "16:00:10", queue="support", interaction="c3"),
        trail.event("call.dialled", "16:30", interaction="d1", direction="out"),
        trail.event("ticket.updated", "15:00", interaction="t1", number="T-1", title="Broken", seconds=120),
        trail.event("ticket.closed", "15:30", interaction="t1", number="T-1", title="Broken", seconds=60),
    ]
    trail.store(events)
    make.sign_in(client, make.administrator())
    return client


def ids(page: str) -> list[str]:
    return ROW.findall(page)


def walk(client: FlaskClient, address: str, way: str) -> list[list[str]]:
    """Return the row ids page by page, following the links of that direction."""
    pages, url = [], address
    while url:
        page = client.get(url)
        assert page.status_code == 200
        pages.append(ids(page.text))
        url = Page(page.text).link(rel=way) or ""
    return pages


def last_page(client: FlaskClient, address: str) -> str:
    url = address
    while following := Page(client.get(url).text).link(rel="next"):
        url = following
    return url


@pytest.mark.parametrize("sort", ["", "-start"])
def test_pages_give_every_row_exactly_once_both_ways(
    busy: FlaskClient, monkeypatch: pytest.MonkeyPatch, sort: str
) -> None:
    address = f"{ADDRESS}&sort={sort}"
    whole = ids(busy.get(address).text)
    assert len(whole) == len(set(whole)) > 30
    for size in (1 + len(whole) // 3, 4):
        monkeypatch.setattr(listing, "PAGE", size)
        forward = walk(busy, address, "next")
        assert [row for page in forward for row in page] == whole
        assert all(len(page) == size for page in forward[:-1])
        backward = walk(busy, last_page(busy, address), "prev")
        assert backward == forward[::-1]


def test_the_other_order_is_the_same_list_turned_round(busy: FlaskClient) -> None:
    up, down = busy.get(ADDRESS), busy.get(f"{ADDRESS}&sort=-start")
    assert ids(up.text) == ids(down.text)[::-1]
    assert 'aria-sort="ascending"' in up.text
    assert 'aria-sort="descending"' in down.text


def test_a_row_that_comes_meanwhile_moves_nothing_to_another_page(
    busy: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "PAGE", 10)
    following = Page(busy.get(ADDRESS).text).link(rel="next")
    assert following is not None
    before = ids(busy.get(following).text)
    trail.store(trail.work("chat", "late", "08:30", "08:40", channel="sms"))
    assert ids(busy.get(following).text) == before


FILTERS = [
    {},
    {"kind": "call"},
    {"kind": "dialled"},
    {"kind": "email"},
    {"kind": "chat"},
    {"kind": "sms"},
    {"kind": "ticket"},
    {"kind": "pause"},
    {"state": "closed"},
    {"state": "rejected"},
    {"state": "open"},
    {"kind": "chat", "state": "closed"},
    {"kind": "pause", "state": "closed"},
    {"flagged": "1"},
    {"kind": "pause", "flagged": "1"},
    {"queue": "web"},
    {"queue": "web", "kind": "chat"},
    {"queue": "support", "kind": "pause"},
]


def seconds(shown: str) -> int:
    hours, minutes, rest = map(int, shown.split(":"))
    return hours * 3600 + minutes * 60 + rest


def test_chips_and_totals_count_the_rows_that_are_listed(busy: FlaskClient) -> None:
    """Under every filter: the chip in force counts the rows, the foot adds up the columns."""
    queues = dict(Queue.select(Queue.name, Queue.id).tuples())
    for query in FILTERS:
        asked = {**query, "queue": queues[query["queue"]]} if "queue" in query else query
        page = Page(busy.get("/tracing", query_string={**_parts(), **asked}).text)
        rows = [cells for name, cells in page.rows.items() if ROW.match(f'<tr id="{name}"')]
        chips = dict(
            re.findall(r'<a class="chip" href="([^"]+)"[^>]*>[^<]*<span class="mut">(\d+)', page.source)
        )
        wanted = next((count for url, count in chips.items() if _kind(url) == query.get("kind", "")), None)
        if wanted is not None:
            assert int(wanted) == len(rows), query
        if not rows:
            assert "No activities match these filters" in page.text
            continue
        foot = next(cells for cells in page.rows.values() if cells[0] == "Total")
        for column in (2, 4, 5, 6):
            assert seconds(foot[column]) == sum(seconds(row[column]) for row in rows if row[column]), query
        assert foot[7].startswith(f"{len(rows)} activit")


def _parts() -> dict[str, str]:
    return {"user": "jana", "date": DAY, "tz": "Europe/Prague"}


def _kind(url: str) -> str:
    found = re.search(r"kind=(\w+)", url)
    return found.group(1) if found else ""


def test_a_kinds_total_is_the_sum_of_times_of_the_statistics(busy: FlaskClient) -> None:
    for unit in ("day", "week"):
        span = (clock.week if unit == "week" else clock.day)(
            clock.local_date(trail.at("12:00"), "Europe/Prague"), "Europe/Prague"
        )
        trace = traces.read(scopes.whole(), "jana", span, "Europe/Prague", clock.now_s())
        assert trace is not None
        figures = as_json(trace.figures)
        loads = {
            "call": figures["calls"]["load"],
            "email": figures["emails"]["load"],
            "chat": figures["chats"]["load"],
            "sms": figures["chats"]["sms"]["load"],
            "webchat": figures["chats"]["webchat"]["load"],
            "pause": figures["pause"]["total"],
        }
        assert all(loads.values())
        for kind, load in loads.items():
            page = Page(busy.get(f"{ADDRESS}&unit={unit}&kind={kind}").text)
            foot = next(cells for cells in page.rows.values() if cells[0] == "Total")
            assert seconds(foot[4]) == load, (unit, kind)


def test_filters_narrow_to_what_they_name(busy: FlaskClient) -> None:
    def listed(**query: object) -> list[list[str]]:
        page = Page(busy.get("/tracing", query_string={**_parts(), **query}).text)
        return [cells for name, cells in page.rows.items() if ROW.match(f'<tr id="{name}"')]

    assert {row[7] for row in listed(kind="call")} == {"Call, inbound", "Call, outbound", "Call"}
    assert {row[7] for row in listed(kind="dialled")} == {"Dialled call"}
    assert {row[7] for row in listed(kind="sms")} == {"SMS"}
    assert {row[10] for row in listed(state="rejected")} == {"Rejected"}
    assert {row[10].partition(" (")[0] for row in listed(state="open")} == {"OpenNo end recorded"}
    web = Queue.get(Queue.name == "web").id
    assert {row[9] for row in listed(queue=web)} == {"web"}
    assert {row[7] for row in listed(kind="ticket")} == {"Ticket· Broken"}
    assert listed(queue=2**29) == []


def test_a_row_over_midnight_shows_its_whole_and_its_part(busy: FlaskClient) -> None:
    page = Page(busy.get(f"{ADDRESS}&kind=call").text)
    first = next(cells for name, cells in page.rows.items() if name.startswith("a"))
    assert first[0] == "1 Mar 2026 23:50:00"
    assert first[3:5] == ["0:30:00", "0:20:00"]


def test_pauses_of_two_sources_in_one_second_keep_their_places(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    make.sign_in(client, make.administrator())
    for source in ("pbx", "import"):
        record.source(source, is_file=source == "import")
        trail.store(trail.stay("08:00", "12:00"), trail.pause(source, "09:00", "09:10"), source=source)
    monkeypatch.setattr(listing, "PAGE", 1)
    pages = walk(client, f"{ADDRESS}&kind=pause", "next")
    assert len(pages) == 2
