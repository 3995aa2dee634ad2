"""The detail of a row, on its page and beside its list; the rows newer than those of a page."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import time_machine
from flask.testing import FlaskClient

from dashboard import registry
from dashboard.access.permissions import Permission
from dashboard.models import AuditEntry, Event, Source
from tests import make
from tests.pages import asks, trail
from tests.pages.html import Page

P = Permission
PAGES = {
    "audit": "/audit",
    "audit_batches": "/audit/batches",
    "access_log": "/audit/access",
    "events": "/events",
    "refused_events": "/events/refused",
}
HTMX = {"HX-Request": "true", "HX-Target": "result"}


@pytest.fixture(autouse=True)
def present() -> Iterator[None]:
    with time_machine.travel(trail.at("18:00"), tick=False):
        yield


@pytest.fixture
def events(client: FlaskClient) -> list[int]:
    """Store three events of a user; return their ids, the newest first."""
    trail.store([trail.event("custom.paid", f"1{hour}:00", "jana", amount=hour) for hour in range(3)])
    return [each.id for each in Event.select().order_by(Event.time_ms.desc())]


def test_every_list_with_details_is_asked() -> None:
    assert {each.source.name for each in registry.LISTS if each.detail} == PAGES.keys()


def test_a_drawer_holds_what_the_page_of_the_row_holds(client: FlaskClient, events: list[int]) -> None:
    make.sign_in(client, make.administrator())
    client.get("/events")
    for path in ("/events", "/audit"):
        listed = Page(client.get(f"{path}?period=today").text)
        opening = next(url for url in listed.links() if "open=" in url)
        drawer = Page(client.get(opening).text.partition('<aside id="detail"')[2])
        page = Page(client.get(f"{path}/{opening.rpartition('=')[2]}").text.partition('class="say"')[2])
        parts = [part for part in page.elements if part.attributes.get("id", "").startswith("part-")]
        assert len(parts) >= 3
        for part in parts:
            assert drawer.having(id=part.attributes["id"]), path
        facts = [text for text in page.texts if ":" in text]
        assert set(facts) <= set(drawer.texts), path


def test_a_drawer_leads_to_the_rows_around_and_back(client: FlaskClient, events: list[int]) -> None:
    make.sign_in(client, make.administrator())
    newest, middle, oldest = events
    query = "user=jana&period=today"
    text = client.get(f"/events?{query}&open={middle}").text
    links = Page(text.partition('<aside id="detail"')[2]).links()
    assert text.count('<tr class="on">') == 1
    assert {f"/events?{query}", f"/events/{middle}"} <= set(links)
    assert {f"/events?{query}&open={newest}", f"/events?{query}&open={oldest}"} <= set(links)
    first = Page(client.get(f"/events?{query}&open={newest}").text.partition('<aside id="detail"')[2])
    assert [each for each in first.links() if "open=" in each] == [f"/events?{query}&open={middle}"]
    other = client.get(f"/events?period=yesterday&open={middle}").text  # not on the page of the list
    assert "open=" not in "".join(Page(other.partition('<aside id="detail"')[2]).links())


def test_the_fragment_with_a_drawer_is_a_part_of_its_page_and_no_file_has_one(
    client: FlaskClient, events: list[int]
) -> None:
    make.sign_in(client, make.administrator())
    url = f"/events?period=today&user=jana&open={events[0]}"
    part = client.get(url, headers=HTMX).text.strip()
    assert part in client.get(url).text
    assert 'id="detail"' in part
    for format_ in ("csv", "json", "xlsx"):
        assert client.get(url.replace("/events", f"/events.{format_}")).status_code == 200
    assert AuditEntry.select().where(AuditEntry.action == "event.viewed").count() == 1


def test_a_row_that_is_unknown_or_out_of_scope_opens_nowhere(client: FlaskClient, events: list[int]) -> None:
    for path in PAGES.values():
        asks.sign_in_with(client, P.AUDIT_VIEW, P.EVENTS_VIEW, P.KEYS_VIEW, grants=())
        for ident in ("x", "0", "-1", "99999999", "9" * 30, "1.5"):
            assert client.get(f"{path}?open={ident}").status_code == 404, (path, ident)
        assert client.get(f"{path}?open=").status_code == 200
    assert client.get(f"/events?open={events[0]}").status_code == 404
    asks.sign_in_with(client, P.EVENTS_VIEW, grants=("all_users", "all_queues"))
    assert client.get(f"/events?open={events[0]}").status_code == 200


NEWER = {"HX-Request": "true", "HX-Target": "newer"}


@pytest.mark.both_databases
def test_a_page_says_how_many_rows_of_its_query_are_newer(client: FlaskClient, events: list[int]) -> None:
    make.sign_in(client, make.administrator())
    url = "/events?period=today&type=custom.paid"
    (link,) = (one.attributes["hx-get"] for one in Page(client.get(url).text).having(id="newer"))
    for minutes, others, said in ((), (), ""), ((1, 2), (3,), "2 events"), (range(10, 60), (), "52 events"):
        trail.store([trail.event("custom.paid", f"12:{at:02}", "jana") for at in minutes])
        trail.store([trail.event("custom.lost", f"13:{at:02}", "jana") for at in others])
        text = Page(client.get(link, headers=NEWER).text).text.strip()
        assert (said in text, bool(text)) == (True, bool(said)), said
    trail.store([trail.event("custom.paid", f"13:{at:02}", "jana") for at in range(10, 60)])
    text = client.get(link, headers=NEWER).text
    assert "New since 11:00:00: More than 99 events" in text
    assert Page(text).links() == ["/events?period=today&type=custom.paid"]


def test_newer_rows_are_those_of_the_scope(client: FlaskClient, events: list[int]) -> None:
    make.sign_in(client, make.administrator())
    (link,) = (one.attributes["hx-get"] for one in Page(client.get("/events").text).having(id="newer"))
    trail.store([trail.event("custom.paid", "13:00", "jana")])
    assert "1 event" in client.get(link, headers=NEWER).text
    asks.sign_in_with(client, P.EVENTS_VIEW, grants=())
    assert Page(client.get(link, headers=NEWER).text).text.strip() == ""
    asks.sign_in_with(client, P.HOME_VIEW)
    assert client.get(link, headers=NEWER).status_code == 403


def test_only_the_newest_page_in_order_of_time_asks(client: FlaskClient, events: list[int]) -> None:
    make.sign_in(client, make.administrator())
    for query, asking in {
        "": True,
        "sort=-time": True,
        "sort=time": False,
        "sort=-recorded": False,
        "period=yesterday": False,
        "limit=1": True,
        "type=x": True,
        "colour=red": False,
    }.items():
        assert ('id="newer"' in client.get(f"/events?{query}").text) == asking, query
    following = Page(client.get("/events?limit=1").text).link(rel="next")
    assert following
    assert 'id="newer"' not in client.get(following).text
    assert client.get("/events?newer=x", headers=NEWER).status_code == 400
    assert client.get("/events?newer=x").status_code == 200
    assert (
        "hx-get=" not in client.get("/interactions").text.partition('id="result"')[2].partition("<table")[0]
    )


def test_the_stream_opens_on_what_sources_sent(client: FlaskClient, events: list[int]) -> None:
    admin = make.administrator()
    make.sign_in(client, admin)
    client.get(f"/events/{events[0]}")  # an event of Stopa itself
    number = {
        query: client.get(f"/events.json?period=today&{query}").json["count"]
        for query in ("", "origin=", "origin=stopa", "type=event.viewed", "type=", "origin=sources")
    }
    assert number["origin="] - 3 == number["origin=stopa"] - 1 > 0  # a file is an event of Stopa, too
    assert [number[query] for query in ("", "type=event.viewed", "type=", "origin=sources")] == [3, 1, 3, 3]
    page = client.get("/events").text
    assert "Origin: Connected systems" in page


@pytest.mark.both_databases
def test_events_are_marked_with_the_reason(client: FlaskClient, events: list[int]) -> None:
    make.sign_in(client, make.administrator())
    hour = 3_600_000
    shifts = {"ahead": (301_000, 300_000), "late": (-24 * hour - 1, -24 * hour)}
    ids = iter(events)
    for mark, (marked, plain) in shifts.items():
        ident = next(ids)
        for shift, found in ((plain, 0), (marked, 1)):
            row = Event.get_by_id(ident)
            Event.update(recorded_ms=row.time_ms - shift).where(Event.id == ident).execute()
            rows = client.get(f"/events.json?period=today&mark={mark}&columns=id,mark").json["rows"]
            assert rows == [{"id": ident, "mark": mark}] * found, (mark, shift)
        assert "Mark" in client.get(f"/events/{ident}").text
    Event.update(time_of_arrival=True).where(Event.id == (ident := next(ids))).execute()
    assert "The source gave no time" in client.get(f"/events/{ident}").text
    Source.update(is_file=True).execute()
    assert client.get("/events.json?period=today&mark=late").json["rows"] == []
    assert client.get("/events?mark=x").status_code == 400
