"""Every list page, asked the same: what it states, its files, who may open it, what it refuses."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from flask.testing import FlaskClient

from dashboard import registry
from dashboard.access import keys
from dashboard.access.permissions import Permission
from dashboard.events import record
from dashboard.i18n.message import Message
from dashboard.ingest import refused
from dashboard.models import AuditEntry, Invitation
from dashboard.sources.catalogue import SOURCES
from dashboard.web.listing import Listing
from tests import make
from tests.notify import steps
from tests.pages import trail
from tests.rules import engine
from tests.visitors import visits

P = Permission
PATHS = {
    "access_log": "/audit/access",
    "audit": "/audit",
    "audit_activity": "/audit/activity",
    "audit_batches": "/audit/batches",
    "cobrowsing": "/sessions/actions",
    "cobrowsing_sessions": "/sessions",
    "deliveries": "/settings/channels/deliveries",
    "events": "/events",
    "interactions": "/interactions",
    "invitations": "/visitors/invitations",
    "looks": "/my-data",
    "refused_events": "/events/refused",
    "rule_runs": "/runs",
    "user_events": "/interactions/user-events",
    "users": "/users",
    "visits": "/visitors/past",
}
OF_API = [name for name in PATHS if name in SOURCES]
each_list = pytest.mark.parametrize("listing", registry.LISTS, ids=lambda listing: listing.source.name)


@pytest.fixture(autouse=True)
def present() -> Iterator[None]:
    with time_machine.travel(trail.at("18:00"), tick=False):
        yield


@pytest.fixture
def stored(client: FlaskClient) -> None:
    """Store a day of two users in two queues, with a visit of a web site."""
    about = {"queue": "support", "contact": {"name": "Nováková Jana", "phone": "+420123456214"}}
    rule = engine.rule()
    run = steps.run(rule, outcome="done", made_ms=trail.at("10:00") * 1000)
    steps.step("webhook", run, state="failed", attempts=1, made_ms=trail.at("10:01") * 1000)
    refused.keep(record.source("pbx").id, [refused.Record({"time": Message("Wrong.")}, 3, "{}")], "log")
    trail.store(
        trail.work("call", "c1", "09:00", "09:10", "jana", **about, direction="in"),
        trail.work("email", "c2", "11:00", "11:20", "petr", queue="sales"),
        [trail.event("cobrowse.clicked", "11:30", "jana", session="s1", element="buy-button", by="agent")],
    )
    now_ms = trail.at("12:00") * 1000
    visit = visits.visit(visits.site(), started_ms=now_ms, active_ms=now_ms, ended_ms=now_ms + 1)
    Invitation.create(visit=visit, text="Hello", created_ms=now_ms, until_ms=now_ms + 1)


def viewer(client: FlaskClient, *permissions: Permission, grants: Any = ("all_users", "all_queues")) -> None:
    make.sign_in(client, make.user(access=make.access(permissions, grants)))


def path(listing: Listing) -> str:
    return PATHS[listing.source.name]


def test_every_list_is_asked() -> None:
    assert {each.source.name for each in registry.LISTS} == PATHS.keys()


@each_list
def test_a_list_says_what_a_row_is_and_of_when(client: FlaskClient, stored: Any, listing: Listing) -> None:
    viewer(client, *listing.permissions)
    page = client.get(path(listing)).text
    assert listing.source.grain.replace("'", "&#39;") in page
    assert " · UTC · " in page
    assert re.search(r"As of [^<]*2026[^<]*17:00", page)
    assert "within your scope" not in page
    viewer(client, *listing.permissions, grants=["all_users"])
    note = "Only rows within your scope are shown."
    assert (note in client.get(path(listing)).text) != listing.source.unlimited


@each_list
def test_who_has_none_of_its_permissions_gets_no_list_and_no_file(
    client: FlaskClient, listing: Listing
) -> None:
    viewer(client, *set(Permission) - set(listing.permissions))
    for end in ("", ".csv", ".xlsx", ".pdf", ".json") if P.SELF not in listing.permissions else ():
        assert client.get(path(listing) + end).status_code == 403
    viewer(client, *listing.permissions)
    assert client.post(path(listing) + ".json").status_code == 405
    for format_, right in (*listing.rights.items(), ("json", listing.rights["csv"])):
        allowed = right in (*listing.permissions, P.SELF)
        assert client.get(f"{path(listing)}.{format_}").status_code == (200 if allowed else 403)


@each_list
def test_a_wrong_parameter_is_named_by_its_label_on_the_page_and_in_every_file(
    client: FlaskClient, stored: Any, listing: Listing
) -> None:
    make.sign_in(client, make.administrator())
    wrong = {
        "colour=red": "colour",
        "period=ever": "Period",
        "sort=x": "Order",
        "columns=password_hash": "Columns",
        "after=x": "after",
    }
    for query, label in wrong.items():
        name = query.partition("=")[0]
        for end in ("", ".csv", ".xlsx", ".pdf"):
            answer = client.get(f"{path(listing)}{end}?{query}")
            assert answer.status_code == 400
            assert f"{label}: " in answer.text
        answer = client.get(f"{path(listing)}.json?{query}")
        assert (answer.status_code, list(answer.json["errors"])) == (400, [name])


@each_list
def test_the_fragment_of_a_list_is_a_part_of_its_page(
    client: FlaskClient, stored: Any, listing: Listing
) -> None:
    make.sign_in(client, make.administrator())
    part = client.get(path(listing), headers={"HX-Request": "true", "HX-Target": "result"}).text.strip()
    assert part.startswith('<section id="result"')
    assert part in client.get(path(listing)).text


@pytest.mark.both_databases
@each_list
def test_every_file_holds_the_rows_of_the_page_and_leaves_an_audit_entry(
    client: FlaskClient, stored: Any, listing: Listing
) -> None:
    make.sign_in(client, make.administrator())
    before = "from=2026-03-02&to=2026-03-02T17:00"  # an export is an event, too
    page = client.get(f"{path(listing)}?{before}").text
    number = len(re.findall('<th scope="row"', page.partition('id="result"')[2].partition("</section>")[0]))
    lines = client.get(f"{path(listing)}.csv?{before}").data.decode("utf-8-sig").splitlines()
    assert len(lines) == number + 1
    found = client.get(f"{path(listing)}.json?{before}").json
    assert (found["count"], len(found["rows"])) == (number, number)
    assert [each["name"] for each in found["columns"]] == list(listing.columns)
    assert client.get(f"{path(listing)}.xlsx?{before}").status_code == 200
    entries = AuditEntry.select().where(AuditEntry.action == listing.exported)
    assert [entry.details["rows"] for entry in entries] == [number] * 3


@pytest.mark.both_databases
@pytest.mark.parametrize("name", OF_API)
@pytest.mark.parametrize("query", ["", "&measures=count&group=hour"])
def test_json_is_what_the_api_answers(client: FlaskClient, stored: Any, name: str, query: str) -> None:
    admin = make.administrator()
    make.sign_in(client, admin)
    (listing,) = (each for each in registry.LISTS if each.source.name == name)
    columns = "" if "measures" in query else f"&columns={','.join(listing.columns)}"
    if listing.sort and "measures" not in query:
        query += f"&sort={listing.sort}"
    asked = f"period=today&tz=UTC{query}{columns}"
    bearer = {"Authorization": f"Bearer {keys.make('reader', 'pbx', 'read', maker_id=admin.id)}"}
    answer = client.get(f"/api/v1/{name}?{asked}", headers=bearer).json
    assert answer["rows"]
    assert client.get(f"{PATHS[name]}.json?{asked}").json == answer


@pytest.mark.parametrize("path", ["/interactions", "/reports/calls-by-queue", "/attendance", "/audit"])
def test_a_named_period_chosen_while_dates_are_shown_replaces_them(client: FlaskClient, path: str) -> None:
    make.sign_in(client, make.administrator())
    dates = "from=2026-03-01&to=2026-03-02"
    answer = client.get(f"{path}?period=last_week&{dates}", follow_redirects=True)
    assert answer.status_code == 200
    assert '<option value="last_week" selected>' in answer.text
    assert client.get(f"{path}.csv?period=last_week&{dates}").status_code == 200
    assert client.get(f"{path}?period=&{dates}").status_code == 200
