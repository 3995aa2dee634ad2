"""One activity in full: the facts of its kind, the events of its interaction, and no names of strangers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import time_machine
from flask.testing import FlaskClient

from dashboard.access.permissions import Permission
from dashboard.models import Activity, User
from tests import make
from tests.pages import trail
from tests.pages.html import Page

NUMBER = "+420601234567"


@pytest.fixture(autouse=True)
def evening() -> Iterator[None]:
    with time_machine.travel(trail.at("2026-03-02 20:00"), tick=False):
        yield


def activity(channel: str, login: str = "jana") -> int:
    found = Activity.select(Activity.id).join(User, on=(User.id == Activity.user_id))
    return int(found.where((Activity.channel == channel) & (User.login == login)).scalar())


def shown(client: FlaskClient, channel: str, login: str = "jana") -> Page:
    answer = client.get(f"/tracing/activities/{activity(channel, login)}?tz=Europe/Prague")
    assert answer.status_code == 200
    return Page(answer.text)


def viewer(client: FlaskClient, *grants: str | tuple[str, int], more: tuple[Permission, ...] = ()) -> User:
    user = make.user(access=make.access((Permission.TRACING_VIEW, *more), grants))
    make.sign_in(client, user)
    return user


def handed_over() -> None:
    """A call that petr takes, holds and transfers to jana, who closes it."""
    call = {"queue": "support", "interaction": "c-1"}
    contact = {"name": "Eva Malá", "phone": NUMBER}
    trail.store(
        trail.event("call.queued", "08:59:40", None, **call, contact=contact, direction="in"),
        trail.event("call.offered", "08:59:50", "petr", **call),
        trail.event("call.accepted", "09:00", "petr", **call, direction="in"),
        trail.event("call.connected", "09:00", "petr", **call),
        trail.event("call.held", "09:02", "petr", **call),
        trail.event("call.resumed", "09:03", "petr", **call),
        trail.event("call.transferred", "09:05", "petr", **call, to_user="jana"),
        trail.event("call.accepted", "09:05:10", "jana", **call, direction="in"),
        trail.event("call.connected", "09:05:10", "jana", **call),
        trail.event("call.closed", "09:10", "jana", **call),
    )


def test_a_call_tells_all_that_happened(client: FlaskClient) -> None:
    handed_over()
    viewer(client, "all_users", "all_queues")
    page = shown(client, "call", "petr")
    steps = [
        cells for cells in page.rows.values() if len(cells) == 4 and cells[0].startswith(("08:59", "09:"))
    ]
    assert [step[1] for step in steps] == [
        "Call queued",
        "Call offered",
        "Call accepted",
        "Call connected",
        "Call held",
        "Call resumed",
        "Call transferred",
        "Call accepted",
        "Call connected",
        "Call closed",
    ]
    assert [step[2] for step in steps] == ["", *["petr"] * 6, *["jana"] * 3]
    assert steps[-1][3] == "0:10:20"
    for fact in ("Transferred", "0:05:00", "0:01:00", "0:00:20", "support", "c-1"):
        assert fact in page.text, fact
    other = activity("call", "jana")
    assert f"/tracing/activities/{other}?tz=Europe/Prague" in page.links()


def test_contact_details_are_masked_but_for_the_right(client: FlaskClient) -> None:
    handed_over()
    viewer(client, "all_users", "all_queues")
    masked = shown(client, "call").source
    assert "567" in masked
    assert NUMBER not in masked
    assert "Eva Malá" not in masked
    viewer(client, "all_users", "all_queues", more=(Permission.PII_UNMASK,))
    assert f"Eva Malá · {NUMBER}" in shown(client, "call").text


def test_users_outside_the_scope_have_no_name(client: FlaskClient) -> None:
    handed_over()
    User.update(name="Petr Tajný").where(User.login == "petr").execute()
    viewer(client, ("users", User.get(User.login == "jana").id), "all_queues")
    page = shown(client, "call")
    assert "Another user" in page.text
    assert "Petr" not in page.source
    assert "petr" not in page.source
    assert "Other users on this interaction" not in page.text
    foreign = client.get(f"/tracing/activities/{activity('call', 'petr')}")
    absent = client.get("/tracing/activities/987654")
    assert foreign.status_code == absent.status_code == 404


@pytest.mark.parametrize(
    ("kind", "channel", "data", "facts"),
    [
        ("email", "email", {"subject": "Invoice 7"}, ("Email", "0:30:00", "mail")),
        ("chat", "whatsapp", {"channel": "whatsapp"}, ("WhatsApp", "0:30:00", "mail")),
    ],
)
def test_written_work_names_channel_and_queue(
    client: FlaskClient, kind: str, channel: str, data: dict[str, str], facts: tuple[str, ...]
) -> None:
    trail.store(trail.work(kind, "w-1", "09:00", "09:30", queue="mail", **data))
    viewer(client, "all_users", "all_queues")
    page = shown(client, channel)
    for fact in (*facts, "Closed", "w-1"):
        assert fact in page.text, fact


def test_a_ticket_shows_its_title_and_what_was_done_to_it(client: FlaskClient) -> None:
    ticket = {"interaction": "t-9", "number": "T-9", "title": "Broken headset"}
    trail.store(
        trail.event("ticket.updated", "10:00", **ticket, seconds=120),
        trail.event("ticket.closed", "11:00", **ticket, seconds=60, contact={"name": "Eva Nová"}),
    )
    viewer(client, "all_users", "all_queues")
    page = shown(client, "ticket")
    assert "Broken headset" in page.text
    assert "ContactE•••TitleBroken headset" in page.text
    steps = [cells[1] for cells in page.rows.values() if len(cells) == 4 and cells[0].startswith("1")]
    assert steps == ["Ticket updated", "Ticket closed"]


def test_open_work_runs_to_now(client: FlaskClient) -> None:
    trail.store(trail.work("call", "c", "19:30", None, direction="in"))
    viewer(client, "all_users", "all_queues")
    page = shown(client, "call")
    assert "This activity is still open; times are counted until now." in page.text
    assert "0:30:00" in page.text
    assert "still open" in page.text


def test_previous_next_and_the_day_it_belongs_to(client: FlaskClient) -> None:
    trail.store(trail.ordinary())
    viewer(client, "all_users", "all_queues")
    chats = [row.id for row in Activity.select().order_by(Activity.start_ts, Activity.id)]
    seen, url = [], f"/tracing/activities/{chats[0]}?tz=Europe/Prague"
    while url:
        page = Page(client.get(url).text)
        seen.append(int(url.partition("?")[0].rpartition("/")[2]))
        url = page.link(rel="next") or ""
    assert seen == chats
    assert any("user=jana&date=2026-03-02" in link for link in page.links())


@pytest.mark.parametrize("ident", ["0", "-1", "99999999999999999999999", "x", "1;2", "9223372036854775808"])
def test_an_id_of_nothing_is_not_found(client: FlaskClient, ident: str) -> None:
    make.sign_in(client, make.administrator())
    assert client.get(f"/tracing/activities/{ident}").status_code == 404


def test_the_detail_is_refused_like_the_page(client: FlaskClient) -> None:
    trail.store(trail.ordinary())
    url = f"/tracing/activities/{activity('call')}"
    assert client.get(url).headers["Location"].startswith("/sign-in?next=")
    assert client.get(url, headers={"HX-Request": "true"}).status_code == 401
    make.sign_in(client, make.administrator())
    assert client.post(url).status_code == 405
    wrong = client.get(f"{url}?tz=Mars")
    assert wrong.status_code == 422
    assert "Unknown time zone" in wrong.text
