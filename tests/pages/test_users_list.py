"""The list of users: filters, search, the order of the reader's language, addresses of earlier versions."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from dashboard.access.permissions import Permission
from dashboard.models import Access, User
from tests import make
from tests.pages import asks
from tests.pages.html import Page

P = Permission


@pytest.fixture
def agents(client: FlaskClient) -> Access:
    """Sign an administrator in, and return another role."""
    make.sign_in(client, make.administrator())
    return make.access([P.HOME_VIEW], name="Agents")


def names(client: FlaskClient, query: str) -> list[str]:
    """Return the names of the users on a page of the list, in order."""
    return [row["name"] for row in client.get(f"/users.json?columns=name&{query}").json["rows"]]


def test_the_list_shows_state_filters_and_the_way_to_the_trace(client: FlaskClient, agents: Access) -> None:
    make.user("jana", access=agents, name="Jana Malá")
    make.user("from events", name="Only Traced")
    make.user("gone", access=agents, name="Gone Away", deactivated_ts=make.CREATED_TS)
    page = client.get("/users").text.partition('id="result"')[2]
    assert "Jana Malá" in page
    assert "Known from events" in page
    assert "Gone Away" not in page
    assert 'href="/tracing?user=from+events&amp;deactivated=1"' in page
    assert 'href="/users?active="' in page
    assert "Gone Away" in client.get("/users?active=").text
    assert names(client, "active=0") == ["Gone Away"]
    assert names(client, f"access={agents.id}&q=ma mala") == ["Jana Malá"]
    assert names(client, "state=known") == ["Only Traced"]
    assert "No matching users" in client.get("/users?q=nobody").text
    assert client.get("/users.json?measures=count&q=MALÁ").json["rows"][0]["count"] == 1
    asks.fragment_is_block(client, "/users?sort=-login&active=")


OLD = [
    ("access=none&q=x", "q=x&access__blank=1"),
    ("deactivated=1&page=2&sort=-login", "sort=-login&active=1&active=0"),
]


@pytest.mark.parametrize(("query", "new"), OLD)
def test_addresses_of_earlier_versions_lead_to_the_same_rows(
    client: FlaskClient, agents: Access, query: str, new: str
) -> None:
    answer = client.get(f"/users?{query}")
    assert (answer.status_code, answer.location) == (302, f"/users?{new}")
    assert client.get(answer.location).status_code == 200


@pytest.mark.both_databases
@pytest.mark.parametrize(
    ("language", "query", "expected"),
    [
        ("en", "", ["Admin", "Čáp", "chata", "Dana", "hora"]),
        ("cs", "", ["Admin", "Čáp", "Dana", "hora", "chata"]),
        ("cs", "sort=-name", ["chata", "hora", "Dana", "Čáp", "Admin"]),
        ("en", "sort=last", ["Dana", "Čáp", "Admin", "chata", "hora"]),
        ("en", "sort=-access&access__blank=0", ["Dana", "Admin"]),
    ],
)
def test_users_stand_in_the_order_of_the_readers_language_on_all_pages(
    client: FlaskClient, language: str, query: str, expected: list[str]
) -> None:
    make.sign_in(client, make.administrator())
    Access.update(name="A").execute()
    for name, last in (("hora", None), ("Čáp", 20), ("Dana", 10), ("chata", None)):
        access = make.access(name="B") if name == "Dana" else None
        make.user(name.lower(), name=name, last_sign_in_ts=last, access=access)
    User.update(last_sign_in_ts=30).where(User.login == "admin").execute()
    client.set_cookie("stopa_language", language)
    seen: list[str] = []
    address: str | None = f"/users?columns=name&limit=2&{query}"
    while address is not None:
        page = Page(client.get(address, headers={"Accept-Language": language}).text)
        seen += [row[0] for row in list(page.rows.values())[1:]]
        address = page.link(rel="next")
    assert seen == expected
