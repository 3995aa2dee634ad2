"""The page of one interaction: its sentence, lanes, events, who was free, and who may see it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask.testing import FlaskClient

from dashboard.access.permissions import Permission
from dashboard.jobs import worker
from dashboard.models import AuditEntry, Contact, Interaction, Queue, User
from dashboard.pages.interactions.queries import Facts, Part, Work
from dashboard.pages.interactions.story import Shape, draw
from dashboard.tracing.types import Kind
from tests import make
from tests.api import Api
from tests.pages.html import Page

P = Permission
DAY = "2026-03-02"


def event(clock: str, type_: str, user: str = "", interaction: str = "c1", **more: Any) -> dict[str, Any]:
    found = {
        "id": f"{type_}{clock}{user}",
        "type": type_,
        "time": f"{DATE(clock)}",
        "queue": "billing",
        **more,
    }
    if user:
        found["user"] = user
    if interaction:
        found["interaction"] = interaction
    else:
        found.pop("queue")
    return found


def DATE(clock: str) -> str:  # noqa: N802
    return f"{DAY}T{clock}Z"


EVENTS = [
    event("09:00:00", "agent.signed_in", "eva", ""),
    event("09:00:00", "agent.ready", "eva", ""),
    event("09:00:00", "agent.signed_in", "jana", ""),
    event("09:00:00", "agent.ready", "jana", ""),
    event("10:00:00", "call.queued", contact={"phone": "+420123456789"}),
    event("10:00:20", "call.offered", "tomas"),
    event("10:00:32", "call.ignored", "tomas"),
    event("10:00:40", "call.offered", "jana"),
    event("10:00:58", "call.accepted", "jana"),
    event("10:00:58", "call.connected", "jana"),
    event("10:02:00", "call.held", "jana"),
    event("10:02:30", "call.resumed", "jana"),
    event("10:04:40", "call.disconnected", "jana"),
    event("10:05:00", "call.closed", "jana"),
    event("11:00:00", "call.queued", "", "c2", contact={"phone": "+420123456789"}),
    event("11:01:00", "call.abandoned", "", "c2"),
    event("17:00:00", "agent.signed_out", "eva", ""),
    event("17:00:00", "agent.signed_out", "jana", ""),
]


@pytest.fixture
def told(client: FlaskClient) -> dict[str, int]:
    Api(client).take(EVENTS)
    return {row.external_id: row.id for row in Interaction.select()}


def sign_in(client: FlaskClient, *permissions: Permission, grants: list[Any] | None = None) -> User:
    access = make.access([P.QUEUES_FIGURES, *permissions], grants or ["all_users", "all_queues"])
    user = make.user(access=access)
    make.sign_in(client, user)
    return user


def test_the_story_says_who_waited_who_was_rung_and_who_took_it(client: FlaskClient, told: Any) -> None:
    sign_in(client, P.TRACING_VIEW)
    page = client.get(f"/interactions/{told['c1']}").text
    said = page.partition('<p class="say">')[2].partition("<")[0]
    assert said == (
        "Waited 0:00:58 in billing. Rang at tomas for 0:00:12, not taken. Taken by jana for 0:03:42."
    )
    for text in (
        "10:00:20–10:00:32 · Ringing · 0:00:12",
        "10:00:32 · Not taken",
        "10:02:00–10:02:30 · Hold · 0:00:30",
    ):
        assert f'aria-label="{text}"' in page
    assert "Who was free at 10:00:20" in page
    assert page.count("1:00:20") == 2  # eva and jana were both free since 9:00


def test_an_interaction_that_nobody_took_has_a_page_of_its_own(client: FlaskClient, told: Any) -> None:
    sign_in(client)
    page = client.get(f"/interactions/{told['c2']}").text
    assert "Waited 0:01:00 in billing. The customer gave up." in page
    assert f'href="/interactions/{told["c1"]}"' in page  # the customer's other call
    assert "Who was free" not in page  # without the right to user tracing


def test_why_an_interaction_was_missed_is_said_in_words(client: FlaskClient) -> None:
    Api(client).take([event("11:00:00", "call.missed", "", "c3", data={"reason": "closed"})])
    sign_in(client)
    page = client.get(f"/interactions/{Interaction.get(Interaction.external_id == 'c3').id}").text
    assert "Reason: Queue closed" in page


def test_users_outside_the_scope_have_no_name(client: FlaskClient, told: Any) -> None:
    jana = User.get(User.login == "jana")
    sign_in(client, P.TRACING_VIEW, grants=["all_queues", ("users", jana.id)])
    page = client.get(f"/interactions/{told['c1']}").text
    assert "Rang at Another user" in page
    assert "tomas" not in page
    assert ">eva<" not in page


@pytest.mark.parametrize(
    ("permissions", "shown"), [([], "+420 ••• ••• 789"), ([P.PII_UNMASK], "+420123456789")]
)
def test_the_contact_is_masked(
    client: FlaskClient, told: Any, permissions: list[Permission], shown: str
) -> None:
    sign_in(client, *permissions)
    page = client.get(f"/interactions/{told['c1']}").text
    assert shown in page
    assert ("+420123456789" in page) is bool(permissions)


def test_a_contact_is_erased_by_those_who_may_after_a_confirmation(client: FlaskClient, told: Any) -> None:
    path = f"/interactions/{told['c1']}/erase-contact"
    sign_in(client)
    assert "Erase contact" not in client.get(f"/interactions/{told['c1']}").text
    assert [client.get(path).status_code, client.post(path).status_code] == [403, 403]
    sign_in(client, P.CONTACTS_ERASE)
    assert path in client.get(f"/interactions/{told['c1']}").text
    page = client.get(path).text
    assert "Erase this contact?" in page
    assert "+420123456789" not in page
    assert client.post(path).status_code == 302
    worker.drain()
    erased = Contact.get()
    assert (erased.name, erased.phone) == (f"erased-{erased.id}", "")
    entry = AuditEntry.get(AuditEntry.action == "contact.erased")
    assert (entry.target_id, entry.target_label) == (str(erased.id), "+420 ••• ••• 789")
    assert client.get("/interactions/999/erase-contact").status_code == 404


def test_a_contact_outside_the_scope_cannot_be_erased(client: FlaskClient, told: Any) -> None:
    sign_in(client, P.CONTACTS_ERASE, grants=["all_users"])
    path = f"/interactions/{told['c1']}/erase-contact"
    assert [client.get(path).status_code, client.post(path).status_code] == [404, 404]


TRANSFERS = [
    event(
        "12:00:00",
        "call.transferred",
        "jana",
        "c3",
        contact={"name": "Nora Bílá", "phone": "+420123456789"},
        data={"to": "+420 770 123 456", "to_user": "tomas", "to_queue": "vip"},
    ),
    event(
        "12:01:00",
        "ticket.updated",
        "jana",
        "c3",
        data={"title": "Nora Bílá, nora@example.org", "assignee": "jana"},
    ),
]


@pytest.mark.parametrize(
    ("permissions", "users", "shown"),
    [
        ([P.PII_UNMASK], [], ("+420 770 123 456", "nora@example.org", "user: tomas", "queue: vip", "jana")),
        ([], [], ("+420 ••• ••• 456", "n•••@example.org", "user: tomas", "queue: vip", "jana")),
        ([], ["jana"], ("+420 ••• ••• 456", "n•••@example.org", "Assignee: jana")),
    ],
)
def test_details_of_events_are_masked_and_name_nobody_outside_the_scope(
    client: FlaskClient, told: Any, permissions: list[Permission], users: list[str], shown: tuple[str, ...]
) -> None:
    make.queue("vip")
    Api(client).take(TRANSFERS)
    grants = [("users", User.get(User.login == login).id) for login in users]
    billing = Queue.get(Queue.name == "billing").id
    sign_in(client, *permissions, grants=[*grants, ("queues", billing)] if users else None)
    page = client.get(f"/interactions/{Interaction.get(external_id='c3').id}").text
    for text in ("+420 770 123 456", "nora@example.org", "user: tomas", "queue: vip", *shown):
        assert (text in page) is (text in shown), text
    assert ("Nora Bílá" in page) is bool(permissions)


def test_only_interactions_of_visible_queues_or_own_work_open(client: FlaskClient, told: Any) -> None:
    other = make.queue("other")
    sign_in(client, grants=["all_users", ("queues", other.id)])
    assert client.get(f"/interactions/{told['c1']}").status_code == 404
    assert client.get("/interactions/999999").status_code == 404
    assert client.get("/interactions/99999999999999999999").status_code == 404
    jana = User.get(User.login == "jana")
    User.update(access=make.access([P.QUEUES_FIGURES], [("queues", other.id)])).where(
        User.id == jana.id
    ).execute()
    make.sign_in(client, User.get_by_id(jana.id))
    assert client.get(f"/interactions/{told['c1']}").status_code == 200
    assert client.get(f"/interactions/{told['c2']}").status_code == 404


def test_looking_is_audited_once(client: FlaskClient, told: Any) -> None:
    sign_in(client)
    for _ in range(2):
        client.get(f"/interactions/{told['c1']}")
    assert AuditEntry.select().where(AuditEntry.action == "interaction.viewed").count() == 1


def test_the_list_leads_to_the_story(client: FlaskClient, told: Any) -> None:
    sign_in(client)
    page = client.get(f"/interactions?from={DAY}&to={DAY}").text
    assert page.count(f'href="/interactions/{told["c1"]}"') == 2
    assert Queue.select().count() == 1


FACTS = Facts(
    1, "c1", 1, "pbx", "call", "in", 1, "Billing", 20, None, 1000_000, 1000, 1058, 1400, 58, 300, "answered",
    "", None, None,
)  # fmt: skip
WORK = Work(7, 3, "Jana", "jana", "call", "closed", 1040, 1400, 18, 342, 300, 30, None)


def test_bars_lie_on_one_axis_with_ticks_of_the_zone() -> None:
    parts = [
        Part(7, Kind.RINGING, 1040, 1058),
        Part(7, Kind.HANDLING, 1058, 1400),
        Part(7, Kind.TALK, 1058, 1358),
        Part(7, Kind.HOLD, 1100, 1130),
    ]
    drawn = draw(FACTS, [WORK], parts, 1400, 9999, "UTC")
    assert [lane.key for lane in drawn.lanes] == ["customer", "queue", "user-3"]
    shapes = [(bar.shape, bar.start, bar.end) for bar in drawn.lanes[2].bars]
    assert shapes == [
        (Shape.RING, 1040, 1058),
        (Shape.AFTER, 1058, 1400),
        (Shape.TALK, 1058, 1358),
        (Shape.HOLD, 1100, 1130),
    ]
    for lane in drawn.lanes:
        for bar in lane.bars:
            assert 0 <= bar.x <= bar.x + bar.width <= 100
    assert drawn.step == 60
    assert [tick.at for tick in drawn.ticks] == list(range(1020, 1408, 60))
    assert [lane.bars[0].x for lane in drawn.lanes][1:] == [drawn.lanes[1].bars[0].x, drawn.hops[1].x]


USER_EVENTS = [
    ("kind=accepted", ["jana"]),
    ("interaction.id=c1&kind=ignored&kind=offered&sort=time", ["tomas", "tomas", "jana"]),
    ("user=tomas&sort=time", ["tomas", "tomas"]),
    ("kind=rejected", []),
]


@pytest.mark.parametrize(("query", "users"), USER_EVENTS)
def test_user_events_answer_who_did_what_and_when(
    client: FlaskClient, told: Any, query: str, users: list[str]
) -> None:
    sign_in(client, P.TRACING_VIEW)
    page = client.get(f"/interactions/user-events?from={DAY}&to={DAY}&columns=time,user,kind&{query}")
    assert page.status_code == 200, page.text
    assert re.findall(r"<td[^>]*>(?:<[^>]*>)?(jana|tomas)(?:</[a-z]*>)?</td>", page.text) == users
    sign_in(client)
    assert client.get("/interactions/user-events").status_code == 403


def test_figures_count_user_events_and_their_interactions(client: FlaskClient, told: Any) -> None:
    sign_in(client, P.TRACING_VIEW)
    page = client.get(f"/figures?by=kind&from={DAY}&to={DAY}&queue=billing").text
    rows = [cells[:3] for cells in Page(page).rows.values()]
    assert ["Offered", "2", "1"] in rows
    assert ["Put on hold", "1", "1"] in rows
