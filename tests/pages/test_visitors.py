"""Visitors now, past visits, invitations, the story of a visit, and inviting by hand."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from flask.testing import FlaskClient

from dashboard.access import scope as scopes
from dashboard.access.permissions import Permission as P
from dashboard.models import (
    AuditEntry,
    CobrowseSession,
    Contact,
    Event,
    Invitation,
    Site,
    Source,
    User,
    Visit,
)
from tests import make
from tests.pages.html import Page
from tests.visitors import portal

pytestmark = pytest.mark.both_databases
NOW = 1_795_309_200  # 2026-11-22 01:00 UTC
RIGHTS = (P.VISITORS_VIEW, P.VISITORS_INVITE, P.TRACING_EXPORT_DATA)
WHOLE: tuple[str, str] = ("all_users", "all_queues")


@pytest.fixture(autouse=True)
def still() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


def site(name: str, queue: int | None) -> Site:
    source = Source.create(name=name, created_ts=0)
    return Site.create(source=source, key=f"key-{name}", secret="x", queue_id=queue, created_ts=0)


def visit(of: Site, name: str, ago_s: int, **fields: Any) -> Visit:
    """Store a visit that began `ago_s` seconds ago, with an open page and activity a second ago."""
    given = {
        "started_ms": (NOW - ago_s) * 1000,
        "active_ms": (NOW - 1) * 1000,
        "pages": 2,
        "first_url": "https://portal.example/",
        "url": f"https://portal.example/{name}",
        "language": "cs-CZ",
        "country": "CZ",
        **fields,
    }
    return Visit.create(site=of, token=f"token-{name}", browser=f"browser-{name}", **given)


@pytest.fixture
def visits(client: FlaskClient) -> dict[str, Visit]:
    """Store visits of the portal in the queue chat, and one of a site in another queue."""
    chat, other = make.queue("chat"), make.queue("other")
    portal, foreign = site("portal", chat.id), site("foreign", other.id)
    person = Contact.create(key="1", name="Hana Nová", email="hana@example.org")
    at = NOW * 1000
    found = {
        "new": visit(portal, "new", 60),
        "idle": visit(portal, "idle", 900, active_ms=at - 300_000, idle_ms=at - 180_000),
        "known": visit(portal, "known", 400, contact_id=person.id, country="SK"),
        "invited": visit(portal, "invited", 500, invited_ms=at - 60_000, invitation="shown"),
        "away": visit(portal, "away", 300, away_ms=at - 20_000),
        "past": visit(portal, "past", 7200, active_ms=at - 7_000_000, ended_ms=at - 5_200_000),
        "earlier": visit(portal, "earlier", 90_000, ended_ms=at - 80_000_000),
        "foreign": visit(foreign, "foreign", 100),
        "foreign past": visit(foreign, "foreign-past", 8000, ended_ms=at - 5_000_000),
    }
    Visit.update(browser="browser-new").where(Visit.id == found["earlier"].id).execute()
    rule_made = {"text": "Hello", "created_ms": at - 60_000, "until_ms": at + 60_000}
    Invitation.create(visit=found["invited"], state="shown", shown_ms=at - 59_000, rule_id=None, **rule_made)
    return found


def viewer(client: FlaskClient, *permissions: P, grants: Any = WHOLE) -> User:
    user = make.user(access=make.access(permissions or RIGHTS, grants))
    make.sign_in(client, user)
    return user


def here(client: FlaskClient, query: str = "") -> list[str]:
    """Return the pages of the visitors now, as the table shows them."""
    page = client.get(f"/visitors?{query}")
    assert page.status_code == 200, page.text
    return re.findall(r"<code>/([^<]*)</code>", page.text)


FILTERS = [
    ("", ["idle", "invited", "known", "new"]),
    ("page=ID", ["idle"]),
    ("page=_", []),
    ("stay=300", ["idle", "invited", "known"]),
    ("country=SK", ["known"]),
    ("known=1", ["known"]),
    ("known=0&invitation=none", ["idle", "new"]),
    ("invitation=shown", ["invited"]),
    ("ident=1&_external=1&_scheme=evil", ["idle", "invited", "known", "new"]),
]


def test_filters_choose_visitors_with_an_open_page_longest_there_first(
    client: FlaskClient, visits: dict[str, Visit]
) -> None:
    seen = viewer(client, *RIGHTS, grants=["all_users", ("queues", visits["new"].site.queue_id)])
    for query, expected in FILTERS:
        assert here(client, query) == expected, query
    assert "evil:" not in client.get(f"/visitors?{FILTERS[-1][0]}").text
    for query in ("stay=x", "stay=-1", "known=2", "invitation=x", "page=%00", "country=c%00", "country=x"):
        assert client.get(f"/visitors?{query}").status_code == 400, query
    assert scopes.of_user(seen).queues is not None


def test_a_fragment_is_the_table_of_the_page_with_new_figures(
    client: FlaskClient, visits: dict[str, Visit]
) -> None:
    viewer(client)
    whole = client.get("/visitors?known=0").text
    part = client.get("/visitors?known=0", headers={"HX-Request": "true", "HX-Target": "now"}).text
    table = re.search(r"<table>.*</table>", whole, re.DOTALL)
    assert table
    assert table[0] in part
    assert part.startswith("<section")
    assert 'hx-swap-oob="true"' in part
    assert "<h1" not in part
    assert Page(whole).link(href="/visitors?known=0"), "the way to refresh without scripts"
    assert client.post("/visitors").status_code == 405


def test_the_figures_count_who_is_here_and_the_invitations_of_today(
    client: FlaskClient, visits: dict[str, Visit]
) -> None:
    at, of = NOW * 1000, visits["past"]
    user = viewer(client)
    days = [(0, user.id, "accepted"), (0, None, "rejected"), (0, user.id, "shown"), (3, user.id, "accepted")]
    for n, (ago, by, state) in enumerate(days):
        made = {"created_ms": at - ago * 86_400_000 - n, "until_ms": at, "text": "x"}
        Invitation.create(visit=of, user_id=by, state=state, **made)
    text = "".join(Page(client.get("/visitors").text).text.split())
    assert "5now1idle,1known" in text
    assert "2byarule,2byhand" in text
    assert "1of4invited25%;last7days:100%" in text


@pytest.mark.parametrize(
    ("path", "number"),
    [
        ("/visitors/past?period=last_7_days", 3),
        ("/visitors/past?period=last_7_days&is_open=", 9),
        ("/visitors/past?period=last_7_days&is_open=1&is_known=1", 1),
        ("/visitors/past?period=last_7_days&page__contains=past", 2),
        ("/visitors/past?period=today&q=/new&is_open=", 1),
        ("/visitors/invitations?state=shown", 1),
        ("/visitors/invitations?how=hand", 0),
        ("/visitors/past?colour=red", None),
        ("/visitors/invitations?state=x", None),
    ],
)
def test_lists_of_visits_and_invitations(
    client: FlaskClient, visits: dict[str, Visit], path: str, number: int | None
) -> None:
    viewer(client)
    page = client.get(path)
    assert page.status_code == (400 if number is None else 200)
    if number is not None:
        rows = [each for each in Page(page.text).rows.values() if each]
        assert max(0, len(rows) - 1) == number
        first, _, query = path.partition("?")
        data = client.get(f"{first}.csv?{query}")
        assert data.status_code == 200
        assert len(data.text.strip().splitlines()) == number + 1
        assert len(client.get(f"{first}.json?{query}").json["rows"]) == number


def test_events_of_a_site_without_a_queue_are_for_viewers_of_all_queues(client: FlaskClient) -> None:
    chat = make.queue("chat").id
    for name, queue in (("open", None), ("chat", chat)):
        made = portal.Portal(client, name=name, queue_id=queue)
        assert made.report(portal.page("p", path=f"/of-{name}"), visit=name).status_code == 200
    hidden = {ident for (ident,) in Event.select(Event.id).where(Event.queue_id.is_null()).tuples()}
    for grants, sees in ((WHOLE, True), (["all_users", ("queues", chat)], False)):
        user = viewer(client, P.EVENTS_VIEW, grants=grants)
        listed = set(map(int, re.findall(r"open=(\d+)#detail", client.get("/events").text)))
        assert (hidden <= listed, len(listed)) == (sees, 6 if sees else 3)
        pages = {client.get(f"/events/{ident}").status_code for ident in hidden}
        assert pages == {200 if sees else 404}
        kept = Event.select(Event.id).where(Event.id > 0, *scopes.of_user(user).allows_events()).tuples()
        assert hidden.isdisjoint({ident for (ident,) in kept}) == (not sees)


def test_who_may_not_see_the_queue_of_a_site_sees_none_of_its_visits(
    client: FlaskClient, visits: dict[str, Visit]
) -> None:
    mine = [("queues", visits["new"].site.queue_id), "all_users"]
    viewer(client, *RIGHTS, P.PII_UNMASK, grants=mine)
    foreign = visits["foreign"]
    assert "foreign" not in client.get("/visitors/past?is_open=&period=last_7_days").text
    assert client.get("/visitors/past.json?is_open=&period=last_7_days").json["count"] == 7
    for path in (
        f"/visitors/{foreign.id}",
        f"/visitors/{foreign.id}/invite",
        "/visitors/987654",
        "/visitors/9" * 3,
    ):
        assert client.get(path).status_code == 404, path
    assert client.post(f"/visitors/{foreign.id}/invite", data={"op": "invite"}).status_code == 404
    Site.update(queue_id=None).execute()
    assert here(client) == [], "a site without a queue is for viewers of all queues"
    assert client.get(f"/visitors/{visits['new'].id}").status_code == 404
    viewer(client, P.SELF)
    for path in ("/visitors", "/visitors/past", "/visitors/invitations", f"/visitors/{foreign.id}"):
        assert client.get(path).status_code == 403, path
    viewer(client, P.VISITORS_VIEW)
    assert client.get(f"/visitors/{foreign.id}/invite").status_code == 403
    viewer(client, P.VISITORS_INVITE)
    assert client.get(f"/visitors/{foreign.id}/invite").status_code == 403


def happen(of: Visit, type_: str, ago_s: int, user: User | None = None, **data: Any) -> None:
    Event.create(
        source_id=of.site.source_id,
        external_id=f"{type_}-{ago_s}",
        type=type_,
        time_ms=(NOW - ago_s) * 1000,
        recorded_ms=0,
        user_id=user.id if user else None,
        session=of.token,
        data=json.dumps(data),
    )


def test_the_story_of_a_visit_names_its_steps_and_nothing_typed(
    client: FlaskClient, visits: dict[str, Visit]
) -> None:
    known, agent = visits["known"], make.user("jana", name="Jana Agent")
    url = "https://portal.example/tariffs?plan=solar"
    happen(known, "visitor.page_viewed", 300, url=url, title="Tariffs of hana@example.org", by="customer")
    for ago in (290, 285, 280):
        happen(known, "cobrowse.clicked", ago, url=url, element=f"b{ago % 2}", by="customer")
    happen(known, "cobrowse.input_changed", 270, url=url, element="note", value="typed secret", by="customer")
    happen(known, "cobrowse.clicked", 260, agent, url=url, element="help", by="agent")
    together = CobrowseSession.create(
        source=known.site.source_id, external_id=known.token, visit=known, first_ms=0, last_ms=0, steps=4
    )
    user = viewer(client, *RIGHTS, P.EVENTS_VIEW, P.SESSIONS_VIEW)
    page = Page(client.get(f"/visitors/{known.id}").text)
    lines = [each for each in page.rows.values() if each][1:]
    who = [line[2] for line in lines]
    assert who == ["Customer", "Customer", "Customer", "Jana Agent"]
    steps = [line[1].removesuffix(name) for line, name in zip(lines, who, strict=True)]
    assert steps == ["Page viewed", "Click× 3", "Input changed", "Click"]
    assert [line[4] for line in lines] == ["Tariffs of h•••@example.org", "b0 · b1", "note", "help"]
    assert "typed secret" not in page.source
    assert "Hana" not in page.source
    assert page.link(href=f"/events?session={known.token}&from=2026-11-22")
    assert page.link(href=f"/sessions/{together.id}")
    entry = AuditEntry.get(AuditEntry.action == "visit.viewed")
    assert (entry.target_type, entry.target_id, entry.target_label) == (
        "visit",
        str(known.id),
        "h•••@example.org",
    )
    assert entry.actor_id == user.id
    viewer(client, *RIGHTS, P.PII_UNMASK, P.QUEUES_FIGURES, grants=["all_queues"])
    page = Page(client.get(f"/visitors/{known.id}").text)
    assert page.link(href=f"/interactions?contact={known.contact_id}&period=last_90_days")
    assert "Hana Nová · hana@example.org" in page.text
    assert not page.link(href=f"/sessions/{together.id}")
    assert "Jana Agent" not in page.text
    assert "Another user" in page.text


def test_earlier_visits_of_the_browser_are_linked(client: FlaskClient, visits: dict[str, Visit]) -> None:
    viewer(client)
    links = Page(client.get(f"/visitors/{visits['new'].id}").text).links()
    assert f"/visitors/{visits['earlier'].id}" in links
    assert f"/visitors/{visits['known'].id}" not in links


def test_a_visitor_is_invited_once_and_a_refusal_says_why(
    client: FlaskClient, visits: dict[str, Visit]
) -> None:
    user, new = viewer(client), visits["new"]
    path = f"/visitors/{new.id}/invite"
    form = Page(client.get(f"{path}?known=0").text)
    assert form.filled()["language"] == "cs"
    assert form.having(action=f"{path}?known=0#detail")
    seen = client.post(path, data={"language": "en", "text": "Hi there", "op": "see"}).text
    assert "Start the chat" in seen
    assert not Invitation.select().where(Invitation.visit == new.id).exists()
    for wrong in ({"language": "xx", "text": "a"}, {"language": "cs", "text": "a" * 501}):
        assert client.post(path, data={**wrong, "op": "invite"}).status_code == 422
    sent = client.post(f"{path}?known=0", data={"language": "en", "text": "Hi there", "op": "invite"})
    assert (sent.status_code, sent.headers["Location"]) == (302, "/visitors?known=0")
    made = Invitation.get(Invitation.visit == new.id)
    assert (made.text, made.language, made.user_id, made.state) == ("Hi there", "en", user.id, "waiting")
    entry = AuditEntry.get(AuditEntry.action == "visitor.invited")
    assert (entry.target_type, entry.target_id) == ("visit", str(new.id))
    refused = {"new": "answered", "invited": "answered", "away": "no page open", "past": "has ended"}
    for name, why in refused.items():
        answer_ = client.post(f"/visitors/{visits[name].id}/invite", data={"language": "cs", "op": "invite"})
        assert answer_.status_code == 422, name
        assert why in answer_.text, name
    assert Invitation.select().count() == 2
