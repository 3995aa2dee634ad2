"""The list of interactions: filters, columns, order, search, pages and files of one query."""

from __future__ import annotations

import csv
import io
import re
from typing import Any

import pytest
import time_machine
from flask.testing import FlaskClient
from openpyxl import load_workbook

from dashboard.access.permissions import Permission
from dashboard.models import AuditEntry, Contact, Interaction, Queue, Source
from tests import make

NOON = 1_772_456_400  # 2026-03-02 13:00 UTC
P = Permission


@pytest.fixture
def stored(client: FlaskClient) -> dict[str, Queue]:
    """Store 130 interactions, one a minute: every fifth abandoned, every second in sales."""
    source = Source.create(name="pbx", created_ts=0)
    queues = {name: make.queue(name) for name in ("support", "sales")}
    contact = Contact.create(
        key="1", name="Nováková Jana", phone="+420 123 456 789", search="novakova jana\n420123456789\n"
    )
    for n in range(130):
        Interaction.create(
            source=source,
            external_id=f"call-{n:03}",
            channel="call",
            direction="in",
            first_ms=(NOON - n * 60) * 1000,
            queue_id=queues["sales" if n % 2 else "support"].id,
            contact_id=contact.id if n < 3 else None,
            outcome="abandoned" if n % 5 == 0 else "answered",
            wait_s=n,
            talk_s=n * 2,
        )
    return queues


@pytest.fixture(autouse=True)
def present() -> Any:
    with time_machine.travel(NOON + 60, tick=False):
        yield


def viewer(client: FlaskClient, *permissions: Permission, grants: list[Any] | None = None) -> None:
    access = make.access([P.QUEUES_FIGURES, *permissions], grants or ["all_users", "all_queues"])
    make.sign_in(client, make.user(access=access))


def numbers(client: FlaskClient, address: str) -> list[str]:
    """Return the numbers of the interactions on a page, in order."""
    page = client.get(address)
    assert page.status_code == 200, page.text
    return re.findall(r">(call-\d{3})</a></td>", page.text)


def test_pages_follow_each_other_without_gap(client: FlaskClient, stored: Any) -> None:
    viewer(client)
    address: str | None = "/interactions?period=today&limit=50"
    seen: list[str] = []
    while address:
        page = client.get(address).text
        seen += numbers(client, address)
        _before, found, _after = page.partition('rel="next"')
        address = (
            page[: len(_before)].rpartition('href="')[2].split('"')[0].replace("&amp;", "&")
            if found
            else None
        )
        assert "130 interactions" in page
    assert seen == [f"call-{n:03}" for n in range(130)]


CASES = [
    ("outcome=abandoned&limit=3", ["call-000", "call-005", "call-010"]),
    ("outcome=abandoned&queue=sales&limit=2", ["call-005", "call-015"]),
    ("talk__gte=4:10&sort=talk", ["call-125", "call-126", "call-127", "call-128", "call-129"]),
    ("wait__lt=3&sort=-wait", ["call-002", "call-001", "call-000"]),
    ("q=call-12&sort=wait&limit=2", ["call-120", "call-121"]),
    ("contact__blank=0&sort=wait", ["call-000", "call-001", "call-002"]),
]


@pytest.mark.parametrize(("query", "expected"), CASES)
def test_filters_search_and_order(client: FlaskClient, stored: Any, query: str, expected: list[str]) -> None:
    viewer(client)
    assert numbers(client, f"/interactions?period=today&columns=created,id&{query}") == expected


SEARCHES = [
    ("novakova", 3),
    ("NOVÁKOVÁ JANA", 3),
    ("456789", 3),
    ("+420 123", 3),
    ("123-456", 3),
    ("nobody", 0),
]


@pytest.mark.parametrize(("text", "number"), SEARCHES)
def test_contacts_are_searched_only_where_they_are_not_masked(
    client: FlaskClient, stored: Any, text: str, number: int
) -> None:
    address = "/interactions"
    viewer(client)
    masked = client.get(address, query_string={"period": "today", "q": text, "columns": "id"}).text
    assert masked.count("call-0") == 0
    viewer(client, P.PII_UNMASK)
    found = client.get(address, query_string={"period": "today", "q": text, "columns": "id"}).text
    assert len(re.findall(r">call-\d{3}</a></th>", found)) == number


def test_only_the_viewers_queues_are_listed(client: FlaskClient, stored: dict[str, Queue]) -> None:
    viewer(client, grants=["all_users", ("queues", stored["sales"].id)])
    page = client.get("/interactions?period=today").text
    assert "65 interactions" in page
    assert ">Support<" not in page
    assert client.get("/interactions?period=today&queue=support").status_code == 400


REFUSED = [
    "colour=red",
    "period=ever",
    "from=2026-13-01",
    "q=a",
    "columns=password_hash",
    "sort=title",
    "queue=x",
]


@pytest.mark.parametrize("query", REFUSED)
def test_what_cannot_be_used_is_said_and_lists_nothing(client: FlaskClient, stored: Any, query: str) -> None:
    viewer(client)
    page = client.get(f"/interactions?{query}")
    assert page.status_code == 400
    assert 'role="alert"' in page.text
    assert "call-0" not in page.text


@pytest.mark.parametrize("name", ["_external", "_anchor", "_scheme", "_method", "endpoint", "values"])
def test_parameters_with_names_of_the_framework_break_no_list(client: FlaskClient, name: str) -> None:
    make.sign_in(client, make.administrator())
    assert client.get(f"/interactions?{name}=x").status_code == 400
    assert client.get(f"/queues?{name}=x").status_code == 200


def test_a_chip_leads_to_the_list_without_its_filter(client: FlaskClient, stored: Any) -> None:
    viewer(client)
    page = client.get("/interactions?period=today&queue=sales&outcome__not=missed&after=").text
    assert "Queue: Sales" in page
    assert "Result: not Not answered" in page
    assert 'href="/interactions?period=today&amp;outcome__not=missed"' in page
    assert 'href="/interactions?period=today&amp;queue=sales"' in page


def test_files_hold_the_rows_of_the_query(client: FlaskClient, stored: Any) -> None:
    viewer(client, P.TRACING_EXPORT_DATA)
    query = "period=today&queue=sales&outcome=abandoned&sort=wait&columns=id,queue,wait,talk"
    text = client.get(f"/interactions.csv?{query}").data.decode("utf-8-sig")
    lines = list(csv.reader(io.StringIO(text)))
    expected = [n for n in range(130) if n % 2 and n % 5 == 0]
    assert [line[0] for line in lines[1:]] == [f"call-{n:03}" for n in expected]
    book = load_workbook(io.BytesIO(client.get(f"/interactions.xlsx?{query}").data))
    rows = list(book.worksheets[0].iter_rows(min_row=4, values_only=True))
    assert [row[0] for row in rows] == [f"call-{n:03}" for n in expected]
    assert client.get(f"/interactions.pdf?{query}").status_code == 403
    assert client.get("/interactions.csv?colour=red").status_code == 400


def test_what_was_searched_is_masked_in_the_audit_log(client: FlaskClient, stored: Any) -> None:
    viewer(client, P.TRACING_EXPORT_DATA, P.PII_UNMASK)
    for text in ("+420123456789", "eva@example.org", "novak"):
        client.get("/interactions.csv", query_string={"period": "today", "q": text})
    found = [row.details["q"] for row in AuditEntry.select().where(AuditEntry.action == "report.exported")]
    assert found == ["+420 ••• ••• 789", "e•••@example.org", "n•••"]


def test_the_fragment_equals_the_part_of_the_page(client: FlaskClient, stored: Any) -> None:
    viewer(client)
    headers = {"HX-Request": "true", "HX-Target": "result"}
    part = client.get("/interactions?period=today&queue=sales", headers=headers).text.strip()
    assert part.startswith('<section id="result"')
    assert part in client.get("/interactions?period=today&queue=sales").text
