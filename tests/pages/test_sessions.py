"""Co-browsing: the lists, the page of a session with its seven kinds, its scope, values, looks and files."""

from __future__ import annotations

import csv
import io
import re
from typing import Any

import pytest
import time_machine
from flask.testing import FlaskClient

from dashboard.models import AuditEntry, CobrowseSession, Site, Source, User, Visit
from dashboard.pages.sessions import timeline
from dashboard.sources.declared.visits import browser_name
from tests import make
from tests.pages import trail
from tests.pages.test_audit import LANGUAGES, P, speak

pytestmark = pytest.mark.both_databases
SHOP = "https://shop.example.org"

# The kinds of a co-browsing log as Chatvisor names them: type, data, kind, what the page shows.
LOG: dict[str, tuple[str, dict[str, Any], str, str]] = {
    "CLICK": ("cobrowse.clicked", {"element": "buy-button"}, "click", "buy-button"),
    "SCROLL": ("cobrowse.scrolled", {"element": "terms", "position": 62}, "scroll", "62"),
    "FORM": ("cobrowse.form_sent", {"form": "tariff-change"}, "form", "tariff-change"),
    "INPUT": ("cobrowse.input_changed", {"element": "phone", "length": 13}, "input", "phone"),
    "PAGE-CHANGE": ("cobrowse.page_changed", {"url": f"{SHOP}/compare?t=1"}, "page", "compare"),
    "SELECTION": ("cobrowse.selected", {"element": "price", "length": 4}, "selection", "price"),
    "CUSTOM_EVENT": ("cobrowse.custom", {"name": "order_sent", "value": "20418"}, "custom", "order_sent"),
}
BY = {"agent": ("Agent", "Operátor", "オペレーター"), "customer": ("Customer", "Zákazník", "顧客")}
WHOLE = [P.SESSIONS_VIEW, P.TRACING_EXPORT_DATA, P.TRACING_EXPORT_PDF]


@pytest.fixture(autouse=True)
def present() -> Any:
    with time_machine.travel(trail.at("18:00"), tick=False):
        yield


def done(time: str, type_: str, by: str = "customer", session: str = "s1", **data: Any) -> Any:
    user = {"agent": "jana", "customer": None}.get(by, by)
    said = {"by": "customer" if by == "customer" else "agent", **data}
    return trail.event(type_, f"09:{time}", user, session=session, **said)


def log(session: str = "s1") -> list[Any]:
    """Return a session in which agent and customer do everything."""
    return [
        done(f"{minute:02}:{second:02}", type_, by, session, **data)
        for minute, by in enumerate(BY)
        for second, (type_, data, *_rest) in enumerate(LOG.values())
    ]


def viewer(client: FlaskClient, *permissions: P, grants: Any = ("all_users", "all_queues")) -> User:
    user = make.user(access=make.access([*WHOLE, *permissions], grants))
    make.sign_in(client, user)
    return user


def number(session: str = "s1") -> int:
    return int(CobrowseSession.get(CobrowseSession.external_id == session).id)


def rows(text: str) -> list[str]:
    """Return the texts of the rows of the table of steps."""
    body = text.partition("<tbody>")[2].partition("</tbody>")[0]
    return [" ".join(re.sub("<[^>]+>", " ", row).split()) for row in body.split("</tr>")[:-1]]


def test_the_seven_kinds_of_agents_and_customers_are_shown_in_every_language(client: FlaskClient) -> None:
    admin = make.administrator()
    make.sign_in(client, admin)
    trail.store(log())
    address = f"/sessions/{number()}"
    seen: dict[str, set[str]] = {}
    for place, language in enumerate(LANGUAGES):
        speak(admin, language)
        for code, (_type, _data, kind, what) in LOG.items():
            agents, customers = rows(client.get(f"{address}?kind={kind}").text)
            for line, by in ((agents, "agent"), (customers, "customer")):
                assert re.match(rf"08:0\d:0\d {BY[by][place]} ", line), line
                assert what in line, (code, line)
            label = customers.split()[2]
            seen.setdefault(language, set()).add(label)
            (step,) = set(rows(client.get(f"{address}?kind={kind}&by=customer").text))
            assert step == customers
        assert len(seen[language]) == len(LOG)
        listed = client.get("/sessions/actions?period=today").text
        assert all(by[place] in listed for by in BY.values())
    assert not seen["en"] & seen["ja"]
    found = client.get("/sessions/actions.json?period=today&sort=time&limit=50").json["rows"]
    expected = [(kind, by) for by in BY for _type, _data, kind, _what in LOG.values()]
    assert [(row["kind"], row["by"]) for row in found] == expected
    assert {row["page"] for row in found} == {"", f"{SHOP}/compare"}


def test_steps_lead_from_one_to_the_next_and_stay_within_the_filters(client: FlaskClient) -> None:
    viewer(client)
    trail.store(log())
    address = f"/sessions/{number()}"

    def links(query: str) -> dict[str, str | None]:
        page = client.get(f"{address}?{query}").text
        assert re.search(r"<h2[^>]*>Step (\d+) of 14", page)
        found = {
            name: re.search(rf'id="go-{name}"[^>]*href="([^"]*)"', page) for name in ("back", "next", "last")
        }
        return {
            name: each and each[1].replace("&amp;", "&").partition("?")[2] for name, each in found.items()
        }

    assert links("") == {"back": None, "next": "step=2", "last": "step=14"}
    assert links("step=8") == {"back": "step=7", "next": "step=9", "last": "step=14"}
    assert links("step=14") == {"back": "step=13", "next": None, "last": None}
    assert links("kind=input&step=5") == {
        "back": "kind=input&step=4",
        "next": "kind=input&step=11",
        "last": "kind=input&step=11",
    }
    assert links("by=customer&kind=click&kind=form")["next"] == "by=customer&kind=click&kind=form&step=10"
    part = client.get(f"{address}?step=8", headers={"HX-Request": "true", "HX-Target": "session"}).text
    assert part.startswith('<div id="session">')
    assert part in client.get(f"{address}?step=8").text
    assert client.get(f"{address}?kind=joined").status_code == 200
    refused = ("step=0", "step=15", "step=x", "step=9999999999", "kind=jump", "by=robot")
    assert {client.get(f"{address}?{query}").status_code for query in refused} == {400}
    assert "1 to 14" in client.get(f"{address}?step=15").text
    absent = ("/sessions/987654", "/sessions/99999999999999999999", f"{address}.txt", "/sessions/987654.csv")
    assert {client.get(each).status_code for each in absent} == {404}
    assert client.post(address).status_code == 405


FILTERS = [
    ("", ["s3", "s2", "s1"]),
    ("joined=1", ["s2", "s1"]),
    ("joined=0", ["s3"]),
    ("agent.user=petr", ["s2"]),
    ("action.kind=form", ["s1"]),
    ("action.kind=click&joined=0", ["s3"]),
    ("q=compare", ["s1"]),
    ("action.page__contains=PRICES", ["s3"]),
    ("contact__contains=Eva", ["s2"]),
    ("q=eva", ["s2"]),
    ("sort=-steps", ["s1", "s3", "s2"]),
]
SCOPES: list[tuple[Any, list[str]]] = [
    (["all_users"], ["s2", "s1"]),  # of no queue, with an agent
    (["all_queues"], ["s3", "s2", "s1"]),
    ([("users", "petr")], ["s2"]),
    ([("queues", "web")], []),
    ([("queues", "shop")], ["s3"]),
    ([("users", "jana"), ("queues", "shop")], ["s3", "s1"]),
]


def three() -> None:
    """Store sessions of jana, of petr with a contact, and of a visitor of a site with a queue."""
    eva = {"name": "Eva Malá", "email": "eva@example.org"}
    trail.store(
        log(),
        [done("20:00", "cobrowse.joined", "petr", "s2")],
        [trail.event("chat.accepted", "09:21", "petr", session="s2", interaction="c-2", contact=eva)],
        [done("30:00", "cobrowse.clicked", session="s3", url=f"{SHOP}/prices")],
    )
    shop = Source.create(name="shop", created_ts=0)
    queue = make.queue("shop")
    make.queue("web")
    site = Site.create(source=shop, key="k", secret="s", created_ts=0, queue_id=queue.id, elements=["city"])
    visit = Visit.create(site=site, token="s3", browser="b", started_ms=0, active_ms=0)
    CobrowseSession.update(source=shop.id, visit=visit.id).where(
        CobrowseSession.external_id == "s3"
    ).execute()


def test_filters_choose_sessions(client: FlaskClient) -> None:
    viewer(client, P.PII_UNMASK)
    three()
    for query, expected in FILTERS:
        found = client.get(f"/sessions.json?period=today&columns=id&{query}").json
        assert [row["id"] for row in found["rows"]] == expected, query
        page = client.get(f"/sessions?period=today&{query}")
        assert page.status_code == 200
        assert re.findall(r'href="/sessions/\d+">(s\d|Visitor \d+)<', page.text) == [
            browser_name("b") if name == "s3" else name for name in expected
        ], query


def test_only_sessions_in_scope_are_listed_shown_counted_and_exported(client: FlaskClient) -> None:
    three()
    ids = {row.external_id: row.id for row in CobrowseSession.select()}
    for grants, expected in SCOPES:
        known = {user.login: user.id for user in User.select()} | {"shop": 1, "web": 2}
        given = [each if isinstance(each, str) else (each[0], known[each[1]]) for each in grants]
        viewer(client, grants=given)
        found = client.get("/sessions.json?period=today&columns=id,agents").json
        assert [row["id"] for row in found["rows"]] == expected, grants
        shown = [name for name, ident in ids.items() if client.get(f"/sessions/{ident}").status_code == 200]
        assert sorted(shown) == sorted(expected), grants
        saved = [
            name for name, ident in ids.items() if client.get(f"/sessions/{ident}.csv").status_code == 200
        ]
        assert saved == shown
        steps = client.get("/sessions/actions.json?period=today&columns=session.start,user&limit=100").json
        assert len(steps["rows"]) == sum(14 if name == "s1" else 1 for name in expected)
    petr = [User.get(User.login == "petr").id]
    viewer(client, grants=[("users", petr[0]), "all_queues"])
    text = client.get(f"/sessions/{ids['s1']}").text + client.get("/sessions").text
    assert "jana" not in text.lower()
    assert "Another user" in text
    agent = User.get(User.login == "jana")
    User.update(access=make.access(WHOLE)).where(User.id == agent.id).execute()
    make.sign_in(client, agent)
    assert [row["id"] for row in client.get("/sessions.json?period=today&columns=id").json["rows"]] == ["s1"]


VALUES = [
    done("40:00", "cobrowse.input_changed", session="s4", element="city", value="Kutná Hora"),
    done("40:01", "cobrowse.input_changed", session="s4", element="card", value="4111 1111"),
    done("40:02", "cobrowse.selected", session="s4", element="city", text="in Kolín"),
    done("40:03", "cobrowse.custom", session="s4", name="order", value="20418"),
]


def test_typed_values_are_shown_to_who_may_see_them_of_fields_that_the_site_allows(
    client: FlaskClient,
) -> None:
    trail.store(VALUES)
    ident, source = number("s4"), Source.get(Source.name == "pbx")
    typed = ("Kutná Hora", "4111 1111", "in Kolín", "20418")

    def seen(query: str = "values=1") -> list[bool]:
        page = client.get(f"/sessions/{ident}?{query}")
        file = client.get(f"/sessions/{ident}.csv?{query}")
        assert (page.status_code, file.status_code) == (200, 200)
        found = [text in page.text for text in typed]
        assert found == [text in file.text for text in typed]
        assert page.text.count("•••") >= found.count(False)
        return found

    viewer(client, P.COBROWSE_VALUES)
    assert seen("") == [False] * 4
    assert seen() == [False, False, False, True]  # a source without a site allows no field
    Site.create(source=source, key="k", secret="s", created_ts=0, elements=["city"])
    assert seen() == [True, False, True, True]
    assert seen("") == [False] * 4
    actions = [row.action for row in AuditEntry.select().order_by(AuditEntry.seq)]
    assert actions.count("cobrowsing.unmasked") == 1  # looks within 15 minutes are one
    assert actions.count("cobrowsing.viewed") == 1
    viewer(client)
    assert seen("") == [False] * 4
    assert client.get(f"/sessions/{ident}?values=1").status_code == 403
    assert client.get(f"/sessions/{ident}.csv?values=1").status_code == 403


def test_looks_at_a_session_are_in_the_audit_log_and_on_my_data_of_its_agents(client: FlaskClient) -> None:
    reader = viewer(client)
    trail.store(log())
    assert client.get(f"/sessions/{number()}").status_code == 200
    client.get("/sessions?period=today")
    client.get(f"/sessions/{number()}.csv")
    recorded = {
        (row.action, row.target_type) for row in AuditEntry.select().where(AuditEntry.actor_id == reader.id)
    }
    expected = {("cobrowsing.viewed", "cobrowsing"), ("list.viewed", "list"), ("report.exported", "export")}
    assert recorded == expected
    jana = User.get(User.login == "jana")
    User.update(access=make.access([])).where(User.id == jana.id).execute()
    make.sign_in(client, jana)
    looks = client.get("/my-data.json?period=today").json["rows"]
    assert {row["action"] for row in looks} == {action for action, _target in expected}


def test_files_have_the_steps_that_the_page_shows(client: FlaskClient) -> None:
    viewer(client)
    trail.store(log())
    address = f"/sessions/{number()}"
    text = client.get(f"{address}.csv?by=agent&kind=click&kind=input").text
    found = list(csv.reader(io.StringIO(text.lstrip("\ufeff"))))
    steps = [row for row in found if row and row[0] in ("1", "4")]
    assert [(row[0], row[2], row[3], row[4]) for row in steps] == [
        ("1", "Agent", "jana", "Click"),
        ("4", "Agent", "jana", "Input"),
    ]
    for kind in ("xlsx", "pdf"):
        answer = client.get(f"{address}.{kind}")
        assert answer.status_code == 200
        assert len(answer.data) > 5000


def test_a_long_session_is_drawn_with_few_marks_and_listed_in_parts(client: FlaskClient) -> None:
    viewer(client)
    start = trail.at("09:00")
    trail.store(
        [
            trail.event(
                "cobrowse.clicked", start + n // 2, None, session="s1", element=f"b{n}", by="customer"
            )
            for n in range(3000)
        ]
    )
    page = client.get(f"/sessions/{number()}?step=1500").text
    assert 200 < page.count('class="bar-a') < 300
    assert [row.rsplit(" ", 1)[1] for row in rows(page)] == [f"b{n}" for n in range(1470, 1500)]
    later = re.search(r'href="([^"]*)"[^>]*>Later steps', page)
    assert later is not None
    assert rows(client.get(later[1].replace("&amp;", "&")).text)[0].endswith("b1500")


def test_a_session_of_one_step_is_drawn_whatever_it_says(client: FlaskClient) -> None:
    viewer(client)
    strange = {"position": int("9" * 300), "element": ["x"], "url": "http://[", "length": -1, "title": 7}
    trail.store([done("00:00", "cobrowse.scrolled", "agent", **strange)])
    page = client.get(f"/sessions/{number()}")
    assert page.status_code == 200
    assert page.text.count('class="bar-a') == 1
    assert timeline.HEIGHT == 142  # as the template draws it
