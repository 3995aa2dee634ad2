"""Invitations of users by mail: who may invite, what the link opens, when it ends."""
# ruff: noqa: F811  fixtures are asked for by their names

from __future__ import annotations

from dataclasses import replace

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from dashboard.access import password_links, sign_in_settings
from dashboard.access.permissions import Permission
from dashboard.access.sign_in_settings import SignIn
from dashboard.models import Access, Job, User
from tests import make
from tests.notify.mail_server import Sink
from tests.pages.asks import audited, sign_in_with
from tests.pages.door import PASSWORD, enter
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
