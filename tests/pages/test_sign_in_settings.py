"""Settings > Sign-in: who may choose the provider, what is refused, and the secret that never comes back."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from flask import Flask
from flask.testing import FlaskClient

from dashboard.access import presets, sign_in_settings
from dashboard.access.permissions import Permission
from dashboard.access.sign_in_settings import Line, SignIn
from dashboard.models import Access, Setting, Team
from dashboard.notify import safe_http
from dashboard.settings import HostPort
from tests import make
from tests.pages import asks, door, provider
from tests.pages.door import PASSWORD

P = Permission
URL = "/settings/sign-in"
SECRET = "a secret that nobody sees again"
GOOD = {
    "enabled": "1",
    "issuer": "https://id.example.com/realms/staff",
    "client_id": "stopa",
    "scopes": "openid profile email groups",
    "label": "Sign in with Keycloak",
    "login_claim": "preferred_username",
    "version": "0",
}


@pytest.fixture
def admin(client: FlaskClient) -> FlaskClient:
    presets.make()
    make.sign_in(client, make.administrator(password=PASSWORD))
    return client


def test_saved_choices_are_shown_and_the_secret_is_not(admin: FlaskClient) -> None:
    team, agent = Team.create(name="North"), Access.get(Access.name == "Agent")
    line = {"claim.1": "groups", "value.1": "agents", "access.1": str(agent.id), "team.1": str(team.id)}
    sent = {**GOOD, **line, "client_secret": SECRET, "adds": "1", "emergency_only": "1", "emergency": "admin"}
    assert admin.post(URL, data=sent).headers["Location"] == URL
    chosen = sign_in_settings.load()
    assert (chosen.client_secret, chosen.version, chosen.adds, chosen.links_emails) == (
        SECRET,
        1,
        True,
        False,
    )
    assert chosen.lines == (Line("groups", "agents", agent.id, team.id),)
    page = admin.get(URL).text
    assert all(f'value="{text}"' in page for text in (GOOD["issuer"], GOOD["label"], "agents", "admin"))
    assert "http://127.0.0.1:8000/sign-in/callback" in page
    stored = Setting.get(Setting.name == sign_in_settings.NAME).value
    assert SECRET not in page + stored
    entry = asks.audited("settings.updated")
    assert SECRET not in str(entry.changes)
    assert entry.changes["lines"] == [[], ["groups=agents: Agent, North"]]
    assert entry.changes["client_secret"] == ["•••", "•••"]
    assert admin.post(URL, data={**GOOD, "version": "1"}).headers["Location"] == URL
    chosen = sign_in_settings.load()
    assert (chosen.client_secret, chosen.lines) == (SECRET, ()), "an empty field keeps it"
    late = admin.post(URL, data={**GOOD, "label": "Other", "version": "1"})
    assert (late.status_code, "someone else changed this" in late.text) == (422, True)
    assert sign_in_settings.load().label == GOOD["label"]
    assert '<a class="btn pri" href="/sign-in/provider?next=/">Sign in with Keycloak</a>' in re.sub(
        r"\s+", " ", admin.application.test_client().get("/sign-in").text
    )


def test_what_cannot_work_is_refused_with_its_field(admin: FlaskClient) -> None:
    poor = make.user("poor", access=make.access(), password=PASSWORD)
    for change, field, text in (
        ({"issuer": ""}, "issuer", "Enter the address of the provider."),
        ({"issuer": "id.example.com"}, "issuer", "The address must start with https://"),
        ({"issuer": "http://id.example.com"}, "issuer", "Use https://"),
        ({"issuer": "https://10.0.0.5/x"}, "issuer", "private network"),
        ({"issuer": "https://u:p@id.example.com"}, "issuer", "Remove the username"),
        ({"client_id": ""}, "client_id", "Enter the client ID"),
        ({"scopes": "profile"}, "scopes", "must include openid"),
        ({"access": "987654"}, "access", "Choose a role."),
        ({"emergency": "poor, ghost"}, "emergency", "No user with a password: ghost"),
        ({"emergency_only": "1"}, "emergency", "Name at least one administrator"),
        ({"emergency_only": "1", "emergency": poor.login}, "emergency", "Name at least one administrator"),
        ({"claim.0": "groups"}, "", "Line 1: enter a claim, a value and a role or a team."),
        ({"claim.0": "g", "value.0": "a"}, "", "Line 1: enter a claim"),
        ({"claim.7": "g", "value.7": "a", "access.7": "x"}, "", "Line 1: choose a role"),
        ({"claim.0": "g", "value.0": "a", "team.0": "99"}, "", "Line 1: choose a role and a team"),
    ):
        answer = admin.post(URL, data={**GOOD, **change})
        assert (answer.status_code, text in answer.text) == (422, True), change
        assert not field or f'id="e-{field}"' in answer.text, change
    assert sign_in_settings.load().version == 0
    safe_http.install([HostPort("10.0.0.5", 80)])
    try:
        assert admin.post(URL, data={**GOOD, "issuer": "http://10.0.0.5"}).status_code == 302
    finally:
        safe_http.install([])


def test_only_who_edits_roles_and_users_may_choose(client: FlaskClient) -> None:
    asks.refuses_strangers(client, URL)
    for path in (URL, f"{URL}/test"):
        asks.refuses_posts(client, path, P.USERS_EDIT)
        asks.refuses_posts(client, path, P.ACCESSES_EDIT)
    presets.make()
    asks.sign_in_with(client, P.ACCESSES_EDIT, P.USERS_EDIT)
    assert client.get(URL).status_code == 200
    chief = Access.get(Access.name == "Administrator")
    for given in ({"access": str(chief.id)}, {"claim.0": "g", "value.0": "a", "access.0": str(chief.id)}):
        answer = client.post(URL, data={**GOOD, **given})
        assert (answer.status_code, "permissions that yours lacks" in answer.text) == (422, True)
    make.user("boss", access=chief)
    linking = {"links_logins": "y", "links_emails": "y"}
    for given in linking:
        answer = client.post(URL, data={**GOOD, given: "y"})
        assert (answer.status_code, "permissions that yours lacks" in answer.text) == (422, True), given
    plain = {name: value for name, value in GOOD.items() if name not in linking}
    assert client.post(URL, data=plain).status_code == 302


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_test_says_what_the_saved_provider_answers(admin: FlaskClient) -> None:
    def test() -> str:
        assert admin.post(f"{URL}/test").headers["Location"] == URL
        return admin.get(URL).text

    with provider.running() as idp:
        for issuer, text in (
            (idp.issuer, "The provider answers."),
            (f"{idp.issuer}/", "The provider answers."),
            (f"{idp.issuer}/realm", "404"),
            (idp.issuer.replace("localhost", "127.0.0.1"), "private network"),
        ):
            provider.use(idp, issuer=issuer)
            assert text in test(), issuer
        provider.use(idp)
        for change in (b'{"issuer": "https://evil.example"}', b"[]", b"<html>", b"x" * 300_000):
            idp.tampers = {"/.well-known/openid-configuration": lambda _body, change=change: change}
            assert "The provider doesn&#39;t answer as it should" in test(), change[:40]


def test_what_signing_in_gives_is_not_deleted(admin: FlaskClient) -> None:
    role, team = make.access(name="Night"), Team.create(name="North")
    lines = (Line("groups", "night", role.id, None), Line("groups", "north", None, team.id))
    sign_in_settings.save(SignIn(lines=lines))
    for path in (f"/accesses/{role.id}/delete", f"/teams/{team.id}/delete"):
        answer = admin.post(path)
        assert (answer.status_code, "Sign-in gives this to users" in answer.text) == (422, True), path
    sign_in_settings.save(SignIn())
    for path in (f"/accesses/{role.id}/delete", f"/teams/{team.id}/delete"):
        assert admin.post(path).status_code == 302, path


def test_password_is_for_emergencies_where_that_was_chosen(client: FlaskClient, app: Flask) -> None:
    jana = make.user("jana", access=make.access(), password=PASSWORD)
    make.administrator("chief", password=PASSWORD)
    sign_in_settings.save(SignIn(enabled=True, emergency_only=True, emergency=(jana.id,)))
    assert 'name="password"' not in client.get("/sign-in").text
    assert 'name="password"' in client.get("/sign-in?password=1").text
    refused = door.enter(client, "chief")
    assert (refused.status_code, 'name="password"' in refused.text) == (422, True)
    assert door.enter(client, "jana").status_code == 302
    done = app.test_cli_runner().invoke(
        args=["user", "password", "chief", "--password-stdin"], input="a new long password\n"
    )
    assert done.exit_code == 0, done.output
    assert door.enter(app.test_client(), "chief", "a new long password").status_code == 302
    sign_in_settings.save(replace(sign_in_settings.load(), enabled=False))
    fresh = app.test_client()
    assert 'name="password"' in fresh.get("/sign-in").text
    assert fresh.get("/sign-in/callback?state=x").status_code == 400
    assert fresh.get("/sign-in/provider").headers["Location"].startswith("/sign-in?")
