"""Who may see whose trace, and what outsiders do not learn."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
import time_machine
from flask.testing import FlaskClient

from dashboard import clock
from dashboard.models import Activity, Queue, User
from tests import make
from tests.pages import trail
from tests.pages.html import Page
from tests.pages.watch import HTMX, ask, open_user, watcher

SECRET = ("supportline", "+420601234567", "Eva Malá", "Invoice")


@pytest.fixture(autouse=True)
def evening() -> Iterator[None]:
    with time_machine.travel(trail.at("2026-03-02 20:00"), tick=False):
        yield


def test_everybody_sees_the_own_trace_without_asking_for_it(client: FlaskClient) -> None:
    trail.store(trail.ordinary())
    open_user(client)
    for user in (None, "jana"):
        answer = ask(client, user)
        assert answer.status_code == 200
        assert set(Page(answer.text).values("user")) == {"jana"}
        assert "support" in answer.text


def test_a_stranger_and_nobody_answer_alike(client: FlaskClient) -> None:
    trail.store(trail.ordinary(), trail.stay("08:00", "09:00", "petr"))
    petr: User = User.get(User.login == "petr")
    watcher(client, ("users", petr.id), "all_queues")
    assert ask(client, "petr").status_code == 200
    foreign, absent = ask(client, "jana"), ask(client, "nobody")
    assert foreign.status_code == absent.status_code == 404
    number = re.compile(r"[0-9a-f]{16}")
    assert number.sub("", foreign.text).replace("jana", "") == number.sub("", absent.text).replace(
        "nobody", ""
    )


def test_without_the_permission_the_scope_opens_nobody(client: FlaskClient) -> None:
    trail.store(trail.ordinary(), trail.stay("08:00", "09:00", "petr"))
    user = make.user("viewer", access=make.access((), ["all_users", "all_queues"]))
    make.sign_in(client, user)
    assert ask(client, "jana").status_code == 404
    assert set(Page(ask(client, None).text).values("user")) == {"viewer"}
    ident = Activity.select().first().id
    assert client.get(f"/tracing/activities/{ident}").status_code == 404


def test_signed_out_the_page_leads_to_sign_in_and_back(client: FlaskClient) -> None:
    make.administrator(password="correct horse")
    answer = ask(client)
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("/sign-in?next=/tracing?date%3D2026-03-02")
    part = client.get("/tracing", headers={**HTMX, "HX-Target": "result"})
    assert (part.status_code, part.text) == (401, "")
    assert part.headers["HX-Redirect"].startswith("/sign-in?next=")


def queue_bound(client: FlaskClient) -> tuple[User, int]:
    """Sign in a viewer who may see the content of one of two queues; give the id of the hidden call."""
    trail.store(
        trail.stay("08:00", "16:00"),
        trail.work(
            "call",
            "secret-1",
            "09:00",
            "09:10",
            queue="supportline",
            direction="in",
            contact={"name": "Eva Malá", "phone": "+420601234567"},
        ),
        trail.work("email", "secret-2", "10:00", "10:20", queue="supportline", subject="Invoice"),
        trail.work("chat", "open-1", "11:00", "11:30", queue="web", channel="webchat"),
    )
    viewer = watcher(client, "all_users", ("queues", Queue.get(Queue.name == "web").id))
    return viewer, Activity.get(Activity.channel == "call").id


def test_work_outside_the_viewers_queues_keeps_its_time_and_loses_its_content(client: FlaskClient) -> None:
    _, hidden = queue_bound(client)
    page = Page(ask(client).text)
    for word in SECRET:
        assert word not in ask(client).text, word
    row = page.rows[f"a{hidden}"]
    assert row[3:5] == ["0:10:00", "0:10:00"]
    assert row[7] == "Other work (hidden)"
    for figure in ("0:10:00", "0:20:00", "0:30:00"):
        assert figure in page.text
    foot = next(cells for cells in page.rows.values() if cells[0] == "Total")
    assert foot[4] == "1:00:00"
    assert page.link(href=f"/tracing/activities/{hidden}?tz=Europe/Prague") is None
    assert client.get(f"/tracing/activities/{hidden}").status_code == 404
    assert client.get("/tracing/activities/999999").status_code == 404


def test_a_hidden_queue_cannot_be_asked_about(client: FlaskClient) -> None:
    queue_bound(client)
    secret = Queue.get(Queue.name == "supportline").id
    found = Page(ask(client, queue=secret).text)
    assert [row for row in found.rows if row.startswith("a")] == []
    assert "supportline" not in found.text
    assert str(secret) not in found.values("queue")


def test_one_sees_all_of_ones_own_work(client: FlaskClient) -> None:
    queue_bound(client)
    open_user(client)
    shown = ask(client, None).text
    assert "supportline" in shown
    assert "(hidden)" not in Page(shown).text


def test_deactivated_users_are_offered_on_request_to_who_may(client: FlaskClient) -> None:
    trail.store(trail.ordinary(), trail.ordinary("petr"))
    User.update(deactivated_ts=clock.now_s()).where(User.login == "petr").execute()
    viewer = watcher(client)
    assert "petr" not in Page(ask(client).text).values("user")
    assert "petr" in Page(ask(client, deactivated="1").text).values("user")
    direct = ask(client, "petr")
    assert direct.status_code == 200
    assert "is deactivated. Records are kept." in direct.text
    viewer.access.permissions = ["tracing.view"]
    viewer.access.save()
    page = Page(ask(client, deactivated="1").text)
    assert "petr" not in page.values("user")
    assert "checkbox" not in {one.attributes.get("type") for one in page.elements}


def test_tracing_opens_on_the_one_who_worked_last_and_leads_to_the_next(client: FlaskClient) -> None:
    ends = {"adam": "09:30", "jana": "11:00", "petr": "10:00"}
    for login, start in ends.items():
        trail.store(trail.work("email", f"m-{login}", start, "11:30", login, queue="mail"))
    viewer = watcher(client)
    page = Page(ask(client, None).text)
    assert page.text.count("jana · ") > 1
    logins = [viewer.login, *ends]
    names = sorted(logins, key=lambda login: User.get(User.login == login).name.lower())
    for way, by in (("user-back", -1), ("user-on", 1)):
        url = page.link(id=way) or ""
        assert f"user={names[names.index('jana') + by]}&" in url
        assert client.get(url).status_code == 200
    ids = [("users", User.get(User.login == login).id) for login in ("adam", "petr")]
    watcher(client, *ids)
    assert "petr · " in Page(ask(client, None).text).text
    open_user(client)
    own = Page(ask(client, None).text)
    assert "jana · " in own.text
    assert own.link(id="user-back") is own.link(id="user-on") is None
