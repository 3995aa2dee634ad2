"""A new password by mail: who gets a link, what it opens, when it ends; and invitations."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from dashboard.access import password_links, sign_in_settings
from dashboard.access.keys import digest
from dashboard.access.permissions import Permission
from dashboard.access.sign_in_settings import SignIn
from dashboard.jobs import worker
from dashboard.models import Access, AuditEntry, Job, PasswordLink, Session, User
from dashboard.notify import account_mail
from tests import make
from tests.notify.mail_server import Sink, serving
from tests.pages.asks import audited, sign_in_with
from tests.pages.door import PASSWORD, enter, is_in

pytestmark = pytest.mark.both_databases

NOW = 1_772_000_000
FORGOTTEN, NEW = "/sign-in/forgotten", "/sign-in/new-password"
BETTER = "battery staple"
LINK = re.compile(r"http://127\.0\.0\.1:8000/sign-in/new-password\?token=([\w-]{43})")


@pytest.fixture(autouse=True)
def today() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def sink(app: Flask) -> Iterator[Sink]:
    sink = Sink()
    with serving(sink) as place:
        app.config["STOPA"] = replace(app.config["STOPA"], smtp_url=f"smtp://{place}")
        yield sink


@pytest.fixture
def jana(app: Flask) -> User:
    return make.user(
        "jana", access=make.access(name="Agents"), password=PASSWORD, email="jana@example.org", locale="cs"
    )


def work(app: Flask) -> None:
    with app.app_context():
        worker.drain([account_mail.REQUEST, account_mail.KIND])


def token(sink: Sink) -> str:
    """Return the token of the latest mail, the same in its text and its HTML."""
    mail = sink.got[-1][1]
    found = {
        part for kind in ("plain", "html") for part in LINK.findall(mail.get_body((kind,)).get_content())
    }  # type: ignore[union-attr]
    (only,) = found
    return only


def ask(app: Flask, client: FlaskClient, account: str = "jana") -> None:
    assert client.post(FORGOTTEN, data={"account": account}).status_code == 302
    work(app)


def choose(client: FlaskClient, given: str, password: str = BETTER) -> int:
    return client.post(NEW, data={"token": given, "password": password}).status_code


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


def test_an_invited_user_chooses_the_first_password(
    app: Flask, client: FlaskClient, jana: User, sink: Sink, today: time_machine.Traveller
) -> None:
    make.sign_in(client, make.administrator())
    data = {"login": "eva", "name": "Eva", "access": jana.access_id, "email": "eva@example.org"}
    without = client.post("/users/new", data={**data, "email": ""})
    assert without.status_code == 422
    assert "Enter a password or an email address" in without.text
    assert client.post("/users/new", data=data).status_code == 302
    eva, stranger = User.get(User.login == "eva"), app.test_client()
    page = f"/users/{eva.id}"
    assert "on its way to eva@example.org" in client.get(page).text
    work(app)
    assert audited("user.invited").target_id == str(eva.id)
    assert sink.got[0][1]["Subject"] == "Your account in Stopa"
    first = token(sink)
    assert "Invited until" in client.get(page).text
    ask(app, stranger, "eva")  # a request sends nothing to who has no password
    assert len(sink.got) == 1
    assert client.post(f"{page}/invite").status_code == 302
    work(app)
    assert stranger.get(f"{NEW}?token={first}").status_code == 404
    assert client.post(f"{page}/withdraw").status_code == 302
    assert stranger.get(f"{NEW}?token={token(sink)}").status_code == 404
    audited("user.invitation_withdrawn")
    client.post(f"{page}/invite")
    work(app)
    today.shift(7 * 86400 - 1)
    assert enter(stranger, "eva", "").status_code == 422
    assert choose(stranger, token(sink)) == 302
    assert audited("auth.password_changed").details == {"by": "invitation"}
    assert enter(stranger, "eva", BETTER).status_code == 302
    make.sign_in(client, User.get(User.login == "admin"))
    assert client.post(f"{page}/invite").status_code == 422  # has a password now
    assert "Send invitation" not in client.get(page).text


def test_an_invitation_that_was_not_sent_or_has_ended_says_so(
    app: Flask, client: FlaskClient, jana: User, sink: Sink, today: time_machine.Traveller
) -> None:
    make.sign_in(client, make.administrator())
    eva = make.user("eva", access=jana.access, email="eva@example.org")
    sink.refuses["eva@example.org"] = "550 No such user"
    client.post(f"/users/{eva.id}/invite")
    work(app)
    assert "The invitation was not sent" in client.get(f"/users/{eva.id}").text
    sink.refuses.clear()
    client.post(f"/users/{eva.id}/invite")
    work(app)
    given = token(sink)
    today.shift(7 * 86400)
    make.sign_in(client, User.get(User.login == "admin"))
    assert "The invitation ended" in client.get(f"/users/{eva.id}").text
    assert app.test_client().get(f"{NEW}?token={given}").status_code == 404


def test_who_may_not_assign_a_role_neither_invites_nor_moves_the_address(
    app: Flask, client: FlaskClient, sink: Sink
) -> None:
    """Either would open an account with more rights than one's own."""
    P = Permission  # noqa: N806
    wider = make.access([P.USERS_EDIT, P.USERS_VIEW, P.ACCESSES_EDIT, P.PII_UNMASK], name="Wider")
    eva = make.user("eva", access=wider, email="eva@example.org")
    sign_in_with(client, P.USERS_EDIT, P.USERS_VIEW, P.ACCESSES_EDIT)
    assert client.post(f"/users/{eva.id}/invite").status_code == 422
    form = {"name": "Eva", "email": "evil@example.org", "access": wider.id, "version": eva.version}
    answer = client.post(f"/users/{eva.id}", data=form)
    assert answer.status_code == 422
    assert 'id="e-email"' in answer.text
    assert User.get_by_id(eva.id).email == "eva@example.org"
    assert not Job.select().exists()


def test_where_there_are_other_ways_to_sign_in(
    app: Flask, client: FlaskClient, jana: User, sink: Sink
) -> None:
    """Nobody is invited unasked; where passwords are for emergencies alone, nobody else gets a link."""
    make.sign_in(client, make.administrator())
    chosen = SignIn(enabled=True, issuer="https://login.example", client_id="stopa")
    sign_in_settings.save(chosen)
    for login, email in (("eva", "eva@example.org"), ("ota", "")):
        data = {"login": login, "name": login, "access": jana.access_id, "email": email}
        assert client.post("/users/new", data=data).status_code == 302
    eva = User.get(User.login == "eva")
    work(app)
    assert sink.got == []
    assert client.post(f"/users/{eva.id}/invite").status_code == 302
    work(app)
    given = token(sink)
    sign_in_settings.save(replace(chosen, emergency_only=True))
    assert app.test_client().get(f"{NEW}?token={given}").status_code == 404
    assert client.post(f"/users/{eva.id}/invite").status_code == 422
    ask(app, app.test_client())
    assert len(sink.got) == 1
    sign_in_settings.save(replace(chosen, emergency_only=True, emergency=(jana.id,)))
    ask(app, app.test_client())
    assert len(sink.got) == 2


def test_who_is_only_invited_is_not_the_administrator_that_stays(
    app: Flask, client: FlaskClient, sink: Sink
) -> None:
    boss = make.administrator("boss", PASSWORD)
    eva = make.user("eva", access=boss.access, email="eva@example.org")
    run = app.test_cli_runner().invoke
    run(args=["user", "invite", "eva"])
    assert "must keep permission" in run(args=["user", "deactivate", "boss"]).output
    work(app)
    assert choose(client, token(sink)) == 302
    assert run(args=["user", "deactivate", "boss"]).exit_code == 0
    assert "must keep permission" in run(args=["user", "deactivate", "eva"]).output
    assert eva.id == User.get(User.deactivated_ts.is_null()).id


def test_the_command_line_invites(app: Flask, sink: Sink) -> None:
    make.access(name="Agents")
    run = app.test_cli_runner().invoke
    for words, says in (
        (["eva"], "Unknown user"),
        (["eva", "--access", "Agents"], "needs a role"),
        (["eva", "--access", "None"], "Unknown role"),
        (["eva", "--access", "Agents", "--email", "eva@example.org"], "on its way to eva@example.org"),
        (["eva"], "on its way"),
        (["eva", "--cancel"], "Invitation withdrawn."),
        (["eva", "--cancel"], "has no invitation"),
    ):
        assert says in run(args=["user", "invite", *words]).output, words
    assert User.get(User.login == "eva").access == Access.get(Access.name == "Agents")
    User.update(password_hash="x").execute()
    assert "has a password" in run(args=["user", "invite", "eva"]).output
    assert password_links.of_user(User.get().id) is None
