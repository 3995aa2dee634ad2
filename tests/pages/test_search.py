"""The search of the header: what it finds of each kind, folded, and never outside scope and permissions."""

from __future__ import annotations

from typing import NamedTuple

import pytest
from flask.testing import FlaskClient

from dashboard import clock
from dashboard.access.permissions import Permission as P
from dashboard.models import Contact, Interaction, Source, User
from dashboard.pages.search import queries
from dashboard.sources import run
from tests import make
from tests.pages.html import Page
from tests.pages.rulerows import rule

pytestmark = pytest.mark.both_databases

EVERYBODY, ALL_QUEUES = "all_users", "all_queues"
EVER = "from=1970-01-02"


@pytest.fixture(autouse=True)
def stored(client: FlaskClient) -> dict[str, int]:
    """Store two people, two queues with an interaction each, and a rule of the site and one of a person."""
    people = {
        login: make.user(login, name=name)
        for login, name in (("jana", "Jana Šafářová"), ("sato", "佐藤 美咲"))
    }
    people["gone"] = make.user("gone", name="Šafář Bývalý", deactivated_ts=1)
    source = Source.create(name="pbx", created_ts=0)
    contact = Contact.create(
        key="1", name="Šafránek", phone="+420 123 456 789", search="safranek\n420123456789\n"
    )
    for number, name in ((1, "support"), (2, "sales")):
        Interaction.create(
            source=source,
            external_id=f"saf-{number}",
            channel="call",
            first_ms=clock.now_ms() - 60_000 + number,
            queue_id=make.queue(name, label=f"Šafrán {name}").id,
            contact_id=contact.id if number == 1 else None,
        )
    rules = {"site": rule("Šafárek waits"), "own": rule("Šafka of mine", people["jana"])}
    return {name: row.id for name, row in {**rules, **people}.items()}


class Case(NamedTuple):
    permissions: list[P]
    grants: list[str]
    text: str
    found: list[str]


JANA, GONE = "/tracing?user=jana", "/tracing?user=gone&deactivated=1"
QUEUES = ["/interactions?queue=sales", "/interactions?queue=support"]
CALLS = ["/interactions/1"]  # found by the contact; numbers are not folded
CASES = {
    "everything, folded": Case(
        list(P), [EVERYBODY, ALL_QUEUES], "ŠAF", [JANA, GONE, *QUEUES, *CALLS, "site", "own"]
    ),
    "every word": Case(list(P), [EVERYBODY, ALL_QUEUES], "jana saf", [JANA]),
    "Japanese": Case(list(P), [EVERYBODY, ALL_QUEUES], "佐藤", ["/tracing?user=sato"]),
    "a contact": Case(list(P), [EVERYBODY, ALL_QUEUES], "123 456", ["/interactions/1"]),
    "no contact that is masked": Case([P.QUEUES_FIGURES], [ALL_QUEUES], "123 456", []),
    "nobody deactivated": Case([P.TRACING_VIEW], [EVERYBODY], "saf", [JANA]),
    "nobody without the right to trace": Case([], [EVERYBODY], "saf", []),
    "nobody outside the scope": Case([P.TRACING_VIEW], [], "saf", []),
    "oneself": Case([], [], "viewer", ["/tracing?user=viewer"]),
    "no queue outside the scope": Case([P.QUEUES_FIGURES], [], "saf", []),
    "rules of the site": Case([P.RULES_VIEW], [], "saf", ["site"]),
    "rules of others": Case([P.RULES_OVERSEE], [], "saf", ["own"]),
    "no rules without a right": Case([P.TRACING_VIEW], [], "saf", []),
    "signs of patterns as such": Case(list(P), [EVERYBODY, ALL_QUEUES], "s%f", []),
}


def viewer(client: FlaskClient, permissions: list[P], grants: list[str]) -> User:
    user = make.user("viewer", access=make.access(permissions, grants))
    make.sign_in(client, user)
    return user


def found(client: FlaskClient, text: str) -> list[str]:
    """Return where the hits of a search lead."""
    answer = client.get("/search", query_string={"q": text})
    assert answer.status_code == 200
    main = Page(answer.text.partition('<main id="main"')[2].partition("</main>")[0])
    return [url for url in main.links() if EVER not in url]


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_search_finds_what_the_viewer_may_see(
    client: FlaskClient, stored: dict[str, int], case: Case
) -> None:
    viewer(client, case.permissions, case.grants)
    wanted = [f"/rules/{stored[each]}" if each in ("site", "own") else each for each in case.found]
    assert found(client, case.text) == wanted


def test_each_hit_opens(client: FlaskClient) -> None:
    viewer(client, list(P), [EVERYBODY, ALL_QUEUES])
    urls = found(client, "saf")
    assert len(urls) == 8
    assert {client.get(url).status_code for url in urls} == {200}


@pytest.mark.parametrize("text", ["", " ", "sa", "藤"])
def test_a_text_that_is_too_short_finds_nothing_and_the_page_says_so(client: FlaskClient, text: str) -> None:
    viewer(client, list(P), [EVERYBODY, ALL_QUEUES])
    page = client.get("/search", query_string={"q": text}).text
    assert "Enter at least three characters" in page
    assert found(client, text) == []


def test_the_page_says_that_nothing_was_found_and_that_contacts_were_not_searched(
    client: FlaskClient,
) -> None:
    viewer(client, [P.QUEUES_FIGURES], [ALL_QUEUES])
    page = client.get("/search?q=zzzz").text
    assert "No results for “zzzz”." in page
    assert "aren't searched, as your role masks them" in page
    assert 'value="zzzz"' in page.partition("<main")[0]


def test_more_hits_than_are_shown_are_counted(client: FlaskClient) -> None:
    viewer(client, list(P), [EVERYBODY, ALL_QUEUES])
    source = Source.get()
    for number in range(12):
        make.user(f"many{number}")
        Interaction.create(
            source=source,
            external_id=f"many{number}",
            channel="call",
            first_ms=clock.now_ms() - 60_000 + number,
        )
    page = Page(client.get("/search?q=many").text)
    assert page.text.count("2 more aren't shown.") == 2
    assert {"/interactions?q=many&period=last_90_days", f"/interactions?q=many&{EVER}"} <= {*page.links()}


def test_interactions_that_take_too_long_are_named_beside_the_other_hits(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow(*_given: object) -> None:
        raise run.TooLong

    monkeypatch.setattr(queries.run, "rows", slow)
    viewer(client, list(P), [EVERYBODY, ALL_QUEUES])
    assert found(client, "saf")[:4] == [JANA, GONE, *QUEUES]
    page = client.get("/search?q=saf").text
    assert "This takes too long" in page
    assert "/interactions?q=saf" in Page(page).links()
