"""Saved views of list pages: whose they are, what they open, which are refused."""
# ruff: noqa: F811  fixtures are asked for by their names

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from dashboard.models import Access, AuditEntry, SavedQuery, User
from dashboard.reports import ready
from dashboard.web.listing import Listing
from tests import make
from tests.web.test_listing import OF_API, PATHS, P, each_list, path, present, stored, viewer  # noqa: F401  fixtures


def save(
    client: FlaskClient, query: str, name: str = "Mine", shared: str = "private", path: str = "/events"
) -> int:
    """Save a view and return its id."""
    answer = client.post(f"{path}/views?{query}", data={"name": name, "shared": shared})
    assert answer.status_code == 302, answer.text
    assert f"View {name} saved." in client.get(answer.location, follow_redirects=True).text
    return int(answer.location.rpartition("=")[2])


def owner(client: FlaskClient, role: Access, login: str) -> User:
    user = make.user(login, access=role)
    make.sign_in(client, user)
    return user


@pytest.fixture
def role(client: FlaskClient) -> Access:
    return make.access([P.EVENTS_VIEW, P.REPORTS_SHARE, P.TRACING_EXPORT_DATA], ["all_users", "all_queues"])


@pytest.mark.both_databases
def test_a_view_opens_its_query_and_other_parameters_replace_its_own(
    client: FlaskClient, stored: Any, role: Access
) -> None:
    owner(client, role, "rose")
    ident = save(client, "period=today&type_group=calls&user=jana&after=x&sort=time")
    cases = {
        "": "period=today&sort=time&type_group=calls&user=jana",
        "&user=petr": "period=today&sort=time&type_group=calls&user=petr",
        "&from=2026-03-01": "sort=time&type_group=calls&user=jana&from=2026-03-01",
    }
    for more, query in cases.items():
        assert client.get(f"/events?view={ident}{more}").location == f"/events?{query}"
    page = client.get(f"/events?view={ident}", follow_redirects=True).text
    assert f'<a href="/events?view={ident}" aria-current="true">Mine</a>' in page
    assert client.get(f"/events.json?view={ident}").json["count"] == 2
    assert client.get(f"/events.csv?view={ident}").status_code == 200


@pytest.mark.both_databases
def test_a_private_view_is_its_owners_and_a_shared_one_runs_with_the_readers_rights(
    client: FlaskClient, stored: Any, role: Access
) -> None:
    owner(client, role, "rose")
    private, of_role, of_all = (
        save(client, "period=today", f"View {shared}", shared) for shared in ("private", "access", "all")
    )
    owner(client, role, "max")
    page = client.get("/events").text
    assert ("View private" in page, "View access" in page, "View all" in page) == (False, True, True)
    assert "Rose" in page
    assert client.get(f"/events?view={private}").status_code == 404
    assert client.get(f"/events.json?view={of_role}").json["count"] > 2
    owner(client, make.access([P.EVENTS_VIEW, P.TRACING_EXPORT_DATA]), "stranger")
    assert client.get(f"/events?view={of_role}").status_code == 404
    assert client.get(f"/events.json?view={of_all}").json["rows"] == []
    for ident in (private, of_role, of_all):
        assert client.post(f"/events/views/{ident}/delete").status_code == 404
    assert SavedQuery.select().count() == 3


@pytest.mark.both_databases
@pytest.mark.parametrize(
    "query",
    [
        "user=jana",
        "filter=%7B%22all%22:[%7B%22field%22:%22user%22,%22op%22:%22is%22,%22value%22:%22jana%22%7D]%7D",
    ],
)
def test_a_shared_view_does_not_tell_whom_it_is_about_outside_the_scope(
    client: FlaskClient, stored: Any, role: Access, query: str
) -> None:
    owner(client, role, "rose")
    ident = save(client, query, "One", "all")
    owner(client, make.access([P.EVENTS_VIEW, P.TRACING_EXPORT_DATA], ["all_queues"]), "stranger")
    for suffix in ("", ".json", ".csv"):
        answer = client.get(f"/events{suffix}?view={ident}")
        assert (answer.status_code, answer.location) == (400, None), suffix
        assert "outside your scope" in answer.text, suffix
        assert "jana" not in answer.text, suffix


def test_a_contact_that_is_sought_is_masked_in_the_entry_of_a_list_as_json(
    client: FlaskClient, stored: Any
) -> None:
    make.sign_in(client, make.administrator())
    assert client.get("/events.json?q=%2B420601234567").status_code == 200
    entry = AuditEntry.select().where(AuditEntry.action.endswith(".exported")).get()
    assert entry.details["q"] == "+420 ••• ••• 567"


def test_the_owner_deletes_a_view_and_no_other_list_opens_it(
    client: FlaskClient, stored: Any, role: Access
) -> None:
    make.sign_in(client, make.administrator())
    ident = save(client, "period=today")
    assert client.get(f"/interactions?view={ident}").status_code == 404
    assert client.post(f"/interactions/views/{ident}/delete").status_code == 404
    assert client.get(f"/events/views/{ident}/delete").status_code == 405
    answer = client.post(f"/events/views/{ident}/delete")
    assert (answer.status_code, answer.location) == (302, "/events")
    assert client.get(f"/events?view={ident}").status_code == 404
    made = AuditEntry.select(AuditEntry.action).where(AuditEntry.action.startswith("view."))
    assert [entry.action for entry in made.order_by(AuditEntry.seq)] == ["view.created", "view.deleted"]


REFUSED_VIEWS = [
    ("period=today", {"name": " "}, 422, "Name: Enter 1 to 120 characters."),
    ("period=today", {"name": "x" * 121}, 422, "Name: Enter 1 to 120 characters."),
    ("period=today", {"name": "a\nb"}, 422, "Name: Remove control characters."),
    ("period=today", {"name": "x", "shared": "world"}, 422, "Sharing: choose an option from the list."),
    ("colour=red", {"name": "x"}, 400, "colour: "),
    ("period=today", {"name": "x", "shared": "all"}, 403, "Your role doesn&#39;t allow sharing."),
]


@pytest.mark.parametrize(("query", "data", "status", "why"), REFUSED_VIEWS)
def test_a_view_that_cannot_be_saved_says_why(
    client: FlaskClient, query: str, data: dict[str, str], status: int, why: str
) -> None:
    viewer(client, P.EVENTS_VIEW)
    answer = client.post(f"/events/views?{query}", data=data)
    assert (answer.status_code, why in answer.text) == (status, True)
    assert SavedQuery.select().count() == 0


@each_list
def test_every_list_saves_views_for_who_may_query_its_source(
    client: FlaskClient, stored: Any, listing: Listing
) -> None:
    viewer(client, listing.source.permission)
    if listing.source.name not in ready.sources():  # the list of the viewer's own data
        assert "Save this view" not in client.get(path(listing)).text
        assert client.post(f"{path(listing)}/views", data={"name": "x"}).status_code == 404
        return
    ident = save(client, "period=today", path=path(listing))
    assert client.get(f"{path(listing)}?view={ident}").location == f"{path(listing)}?period=today"
    for other in listing.also:
        viewer(client, other)
        assert "Save this view" not in client.get(path(listing)).text
        assert client.post(f"{path(listing)}/views", data={"name": "x"}).status_code == 404
