"""A new password by mail: who gets a link, what it opens, when it ends."""
# ruff: noqa: F811  fixtures are asked for by their names

from __future__ import annotations

import re

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from dashboard.access.keys import digest
from dashboard.models import AuditEntry, Job, PasswordLink, Session, User
from dashboard.notify import account_mail
from tests import make
from tests.notify.mail_server import Sink
from tests.pages.asks import audited
from tests.pages.door import PASSWORD, enter, is_in
from tests.pages.password_mails import (  # noqa: F401  fixtures
    BETTER,
    FORGOTTEN,
    LINK,
    NEW,
    NOW,
    ask,
    choose,
    jana,
    sink,
    today,
    token,
    work,
)

pytestmark = pytest.mark.both_databases


def test_a_forgotten_password_is_replaced_by_a_link_that_works_once(
    app: Flask, client: FlaskClient, jana: User, sink: Sink
) -> None:
    elsewhere = app.test_client()
    enter(elsewhere)
    assert FORGOTTEN in client.get("/sign-in").text
    ask(app, client, "Jana@Example.org")
    assert [to for to, _mail in sink.got] == [["jana@example.org"]]
    mail = sink.got[0][1]
    assert mail["Subject"] == "Nové heslo pro Stopa"
    given = token(sink)
    stored = str(list(PasswordLink.select().dicts())) + str(list(Job.select().dicts()))
    assert given not in stored + str(list(AuditEntry.select().dicts()))
    assert PasswordLink.get().token_hash == digest(given)
    assert audited("auth.password_requested").details == {"ip": "127.0.0.1"}
    page = client.get(f"{NEW}?token={given}")
    assert "jana" in page.text
    assert page.headers["Referrer-Policy"] == "same-origin"
    assert choose(client, given, "short") == 422
    assert choose(client, given) == 302
    assert audited("auth.password_changed").details == {"by": "password request"}
    assert not Session.select().exists()
    assert not is_in(elsewhere)
    assert enter(client).status_code == 422
    assert enter(client, password=BETTER).status_code == 302
    assert choose(client, given) == 404
    assert client.get(f"{NEW}?token={given}").status_code == 404


def test_the_answer_is_the_same_for_every_account(
    app: Flask, client: FlaskClient, jana: User, sink: Sink
) -> None:
    """Also what the request does: it queues one job, whatever is asked for."""
    make.user("gone", access=jana.access, password=PASSWORD, email="gone@example.org", deactivated_ts=1)
    make.user("barred", password=PASSWORD, email="barred@example.org")
    make.user("silent", access=jana.access, password=PASSWORD)
    make.user("invited", access=jana.access, email="invited@example.org")
    answers, requests = set(), Job.select().where(Job.kind == account_mail.REQUEST)
    for account in ("jana", "nobody", "gone", "barred@example.org", "silent", "invited", "%", "x" * 254):
        fresh = app.test_client()
        answer = fresh.post(
            FORGOTTEN,
            data={"account": account},
            environ_base={"REMOTE_ADDR": f"10.0.{len(account)}.{ord(account[0])}"},
        )
        answers.add((answer.status_code, answer.headers["Location"], answer.text, requests.count()))
        shown = re.sub(r"csrf_token.*", "", fresh.get("/sign-in").text)
        answers.add((200, "", shown, 1))
        Job.delete().where(Job.args != {}).execute() if account != "jana" else work(app)
    assert len(answers) == 2
    assert len(sink.got) == 1


def test_every_account_of_an_address_gets_its_own_link(
    app: Flask, client: FlaskClient, jana: User, sink: Sink
) -> None:
    make.user("jana2", access=jana.access, password=PASSWORD, email="jana@example.org")
    ask(app, client, "jana@example.org")
    texts = [mail.get_body(("plain",)).get_content() for _to, mail in sink.got]  # type: ignore[union-attr]
    named = [line.rpartition(" ")[2] for text in texts for line in text.splitlines() if "jana" in line]
    assert named == ["jana", "jana2"]


def test_what_ends_a_link(app: Flask, jana: User, sink: Sink, today: time_machine.Traveller) -> None:
    """A table of what happens between the mail and its link."""
    other = make.user("petr", access=jana.access, password=PASSWORD)

    def later(seconds: int) -> None:
        today.shift(seconds)

    for n, (name, act, works) in enumerate(
        (
            ("nothing", lambda: later(3599), True),
            ("an hour", lambda: later(3600), False),
            ("a new password", lambda: set_user(password_hash=other.password_hash), False),
            ("another address", lambda: set_user(email="new@example.org"), False),
            ("deactivation", lambda: set_user(deactivated_ts=NOW), False),
            ("no role", lambda: set_user(access=None), False),
            ("a newer link", lambda: ask(app, app.test_client(), "JANA@example.org"), False),
            ("a change of name", lambda: set_user(name="Jana Nová"), True),
        )
    ):
        today.move_to(NOW + n * 7200)
        User.update(
            password_hash=jana.password_hash, email=jana.email, deactivated_ts=None, access=jana.access_id
        ).where(User.id == jana.id).execute()
        client = app.test_client()
        ask(app, client)
        given = token(sink)
        act()
        assert client.get(f"{NEW}?token={given}").status_code == (200 if works else 404), name
        assert choose(client, given) == (302 if works else 404), name


def set_user(**values: object) -> None:
    User.update(values).where(User.login == "jana").execute()


def test_requests_are_limited_by_account_and_by_address(
    app: Flask, client: FlaskClient, jana: User, sink: Sink, today: time_machine.Traveller
) -> None:
    statuses = []
    for n in range(4):
        answer = client.post(
            FORGOTTEN,
            data={"account": "JANA" if n % 2 else "jana"},
            environ_base={"REMOTE_ADDR": f"10.0.0.{n}"},
        )
        statuses.append(answer.status_code)
    assert statuses == [302, 302, 302, 429]
    assert answer.headers["Retry-After"] == "900"
    statuses = [client.post(FORGOTTEN, data={"account": f"user{n}"}).status_code for n in range(6)]
    assert statuses == [302] * 5 + [429]
    today.shift(901)
    assert client.post(FORGOTTEN, data={"account": "jana"}).status_code == 302
    assert client.post(FORGOTTEN, data={"account": " "}).status_code == 422


def test_without_a_mail_server_the_page_says_whom_to_ask(client: FlaskClient, jana: User) -> None:
    assert "Ask an administrator for a new password" in client.get(FORGOTTEN).text
    assert client.post(FORGOTTEN, data={"account": "jana"}).status_code == 404
    assert not Job.select().exists()


def test_a_mail_that_is_not_taken_is_tried_again_with_a_new_link(
    app: Flask, client: FlaskClient, jana: User, sink: Sink, today: time_machine.Traveller
) -> None:
    sink.refuses["jana@example.org"] = "451 Try again"
    ask(app, client)
    assert sink.got == []
    assert not any(client.get(f"{NEW}?token={each}").status_code == 200 for each in ("", "x", "0" * 43))
    sink.refuses.clear()
    today.shift(60)
    work(app)
    assert choose(client, token(sink)) == 302
