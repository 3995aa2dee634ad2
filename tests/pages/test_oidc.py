"""Signing in by an OpenID Connect provider, a real one over HTTP."""

from __future__ import annotations

import json
from contextlib import ExitStack
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from dashboard.access import oidc, sign_in_settings
from dashboard.access.guard import COOKIE
from dashboard.access.sign_in_settings import Line, SignIn
from dashboard.models import Access, AuditEntry, Session, Team, TeamMember, TwoFactor, User, UserIdentity
from dashboard.notify import safe_http
from tests.pages import door, provider
from tests.pages.door import is_in
from tests.pages.provider import Provider

pytestmark = [
    pytest.mark.both_databases,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # of the provider
]


def details(action: str) -> list[dict[str, Any]]:
    query = AuditEntry.select(AuditEntry.details).where(AuditEntry.action == action)
    return [row.details for row in query.order_by(AuditEntry.id)]


def role(login: str) -> str | None:
    user = User.get(User.login == login)
    return user.access.name if user.access else None


def test_first_sign_in_adds_the_user_with_role_and_team_of_the_claims(
    client: FlaskClient, idp: Provider, roles: dict[str, int]
) -> None:
    north, south = (Team.create(name=name) for name in ("North", "South"))
    lines = (
        Line("realm.groups", "leads", roles["Team lead"], None),
        Line("realm.groups", "agents", roles["Agent"], north.id),
        Line("site", "south", None, south.id),
    )
    provider.use(idp, lines=lines)
    idp.give(
        "s1",
        preferred_username="jana",
        name="Jana Nová",
        email="jana@example.com",
        email_verified=True,
        realm={"groups": ["agents", "staff"]},
        site="north",
    )
    page = client.get("/sign-in?next=/my-data").text
    assert 'href="/sign-in/provider?next=/my-data"' in page
    assert 'name="password"' in page
    asked = parse_qs(urlsplit(provider.begin(client, "/my-data")).query)
    assert asked["code_challenge_method"] == ["S256"]
    assert asked["redirect_uri"] == ["http://127.0.0.1:8000/sign-in/callback"]
    assert len(asked["nonce"][0]) >= 20
    answer = provider.enter(client, idp, "s1", "/my-data")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/my-data")
    assert is_in(client)
    assert next(form["code_verifier"] for path, form in idp.seen if path == "/oauth2/token")
    user = User.get(User.login == "jana")
    assert (user.name, user.email, user.password_hash) == ("Jana Nová", "jana@example.com", None)
    assert role("jana") == "Agent"
    assert [member.team_id for member in TeamMember.select()] == [north.id]
    (row,) = UserIdentity.select()
    assert (row.issuer, row.subject, row.user_id) == (idp.issuer, "s1", user.id)
    assert [each["method"] for each in details("auth.signed_in")] == ["oidc"]
    (session,) = Session.select()
    assert (session.method, len(session.id_token) > 100) == ("oidc", True)
    assert "HttpOnly" in next(
        each for each in answer.headers.getlist("Set-Cookie") if each.startswith(COOKIE)
    )


def test_changed_claims_change_role_and_teams_at_the_next_sign_in(
    client: FlaskClient, idp: Provider, roles: dict[str, int]
) -> None:
    north, own = Team.create(name="North"), Team.create(name="Own")
    lines = (
        Line("groups", "admins", roles["Administrator"], None),
        Line("groups", "agents", roles["Agent"], north.id),
    )
    chosen = provider.use(idp, lines=lines)

    def enter(*groups: str) -> tuple[int, str | None, set[str]]:
        idp.give("s1", preferred_username="jana", groups=[*groups])
        status = provider.enter(client, idp, "s1").status_code
        teams = Team.select(Team.name).join(TeamMember).join(User).where(User.login == "jana")
        return status, role("jana"), {name for (name,) in teams.tuples()}

    assert enter("agents") == (302, "Agent", {"North"})
    jana = User.get(User.login == "jana")
    TeamMember.create(user=jana, team=own)
    assert enter("admins", "agents") == (302, "Administrator", {"North", "Own"})
    assert enter("admins") == (302, "Administrator", {"Own"}), "a team that no line names stays"
    User.update(deactivated_ts=1).where(User.login == "chief").execute()
    assert enter("agents") == (302, "Administrator", {"Own", "North"}), "the last administrator stays one"
    User.update(deactivated_ts=None).where(User.login == "chief").execute()
    assert enter("agents") == (302, "Agent", {"Own", "North"})
    User.update(access=roles["Administrator"]).where(User.login == "jana").execute()
    assert enter("agents")[1] == "Agent", "what somebody else gave meanwhile is taken back"
    assert enter("nobody") == (403, "Agent", {"Own", "North"})
    assert not is_in(client), "whoever has no role any more is signed out"
    sign_in_settings.save(SignIn(**{**vars(chosen), "access": roles["Agent"]}))
    assert enter("nobody") == (302, "Agent", {"Own"})
    changes = [
        row.changes["access"]
        for row in AuditEntry.select().where(AuditEntry.action == "user.updated").order_by(AuditEntry.id)
        if "access" in row.changes and row.actor_label == "sign-in"
    ]
    assert changes == [["Agent", "Administrator"], ["Administrator", "Agent"], ["Administrator", "Agent"]]


def test_answer_counts_once_in_the_browser_that_asked(
    client: FlaskClient, app: Flask, idp: Provider, roles: dict[str, int]
) -> None:
    provider.use(idp, access=roles["Agent"])
    idp.give("s1", preferred_username="jana")

    def callback(browser: FlaskClient, **query: str) -> tuple[int, bool]:
        answer = browser.get("/sign-in/callback", query_string=query)
        assert (answer.status_code == 302) or 'role="alert"' in answer.text
        return answer.status_code, is_in(browser)

    stranger = app.test_client()
    url = provider.begin(client)
    answer = idp.sign_in(url, "s1")._asdict()
    assert callback(stranger, **answer) == (400, False), "another browser"
    assert callback(client, **{**answer, "state": "x" * 30}) == (400, False), "another state"
    assert callback(client) == (400, False), "no state"
    assert callback(client, state="č") == (400, False), "a state that no application makes"
    kept = client.get_cookie("stopa_form")
    assert kept is not None
    assert callback(client, **answer) == (302, True)
    again = app.test_client()
    again.set_cookie("stopa_form", kept.value)
    assert callback(again, **answer) == (403, False), "the provider takes a code once"
    assert callback(client, **answer)[0] == 400, "and so does the browser"

    for change in ({"nonce": "n" * 30}, {"verifier": ""}):
        fresh = app.test_client()
        answer = idp.sign_in(provider.begin(fresh), "s1")._asdict()
        with fresh.session_transaction() as stored:
            (mark,) = stored["oidc"]
            started = oidc.Started(*mark[0])._replace(**change)
            stored["oidc"] = [[started, *mark[1:]]]
        assert callback(fresh, **answer) == ((403, False) if "nonce" in change else (302, True)), change

    fresh = app.test_client()
    url = provider.begin(fresh)
    state = parse_qs(urlsplit(url).query)["state"][0]
    assert callback(fresh, state=state, error="access_denied") == (403, False), "the user said no"
    with time_machine.travel(0, tick=False) as moved:
        late = app.test_client()
        moved.move_to(1_772_000_000)
        answer = idp.sign_in(provider.begin(late), "s1")._asdict()
        moved.move_to(1_772_000_000 + 601)
        assert callback(late, **answer) == (400, False), "too late"
    for _ in range(3):  # several tabs
        urls = [provider.begin(fresh) for _ in range(3)]
    for url in urls:
        assert callback(fresh, **idp.sign_in(url, "s1")._asdict())[0] == (302 if url == urls[0] else 400)
    for target in ("//evil.example", "https://evil.example", "/\\evil.example", "/" + "a" * 400):
        assert provider.enter(app.test_client(), idp, "s1", target).headers["Location"] == "/", target


def test_password_works_while_the_provider_is_down(
    client: FlaskClient, idp: Provider, roles: dict[str, int]
) -> None:
    provider.use(idp, access=roles["Agent"])
    idp.give("s1", preferred_username="jana")
    answer = idp.sign_in(provider.begin(client), "s1")
    idp.tampers["/oauth2/token"] = lambda _body: b"not today"
    assert client.get("/sign-in/callback", query_string=answer._asdict()).status_code == 503
    oidc._kept.clear()
    idp.tampers["/.well-known/openid-configuration"] = lambda _body: b"not today"
    for issuer in (idp.issuer, "http://localhost:9", "http://127.0.0.1:1", "http://no.invalid"):
        provider.use(idp, issuer=issuer)
        page = client.get("/sign-in/provider?next=/my-data")
        assert (page.status_code, "Location" in page.headers) == (503, False), issuer
        assert "The sign-in provider doesn&#39;t answer" in page.text
        assert 'name="next" value="/my-data"' in page.text
    assert door.enter(client, "chief").status_code == 302
    assert [each["method"] for each in details("auth.signed_in")] == ["password"]


def test_slow_provider_leaves_threads_to_other_pages(
    client: FlaskClient, idp: Provider, roles: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    provider.use(idp, access=roles["Agent"])
    idp.give("s1", preferred_username="jana")
    monkeypatch.setattr(oidc, "TURN_S", 0.01)
    answer = idp.sign_in(provider.begin(client), "s1")
    with ExitStack() as waiting:
        for _ in range(oidc.CALLS):
            waiting.enter_context(oidc._turn())
        assert client.get("/sign-in/callback", query_string=answer._asdict()).status_code == 503
    assert provider.enter(client, idp, "s1").status_code == 302


def test_provider_signs_the_user_out_too(client: FlaskClient, idp: Provider, roles: dict[str, int]) -> None:
    provider.use(idp, access=roles["Agent"])
    idp.give("s1", preferred_username="jana")
    provider.enter(client, idp, "s1")
    (token,) = [row.id_token for row in Session.select()]
    answer = client.post("/sign-out")
    assert answer.status_code == 200
    seconds, _, url = answer.headers["Refresh"].partition("; url=")
    query = parse_qs(urlsplit(url).query)
    assert (seconds, url.partition("?")[0]) == ("0", f"{idp.issuer}/oauth2/end_session")
    assert (query["id_token_hint"], query["client_id"]) == ([token], [provider.CLIENT])
    assert query["post_logout_redirect_uri"] == ["http://127.0.0.1:8000/sign-in"]
    assert idp.ask("GET", url)[0] == 200
    assert url.replace("&", "&amp;") in answer.text
    assert not is_in(client)
    assert Session.select().count() == 0
    provider.enter(client, idp, "s1")
    oidc._kept.clear()
    path = "/.well-known/openid-configuration"
    odd = {"end_session_endpoint": "http://[::1", "token_endpoint_auth_methods_supported": 5}
    for name, value in odd.items():
        idp.tampers[path] = lambda body, n=name, v=value: json.dumps({**json.loads(body), n: v}).encode()
        assert client.get("/sign-in/provider").status_code == 503, name
        assert client.post("/sign-out").headers["Location"] == "/sign-in", name
        assert not is_in(client), name
        idp.tampers.clear()
        oidc._kept.clear()
        provider.enter(client, idp, "s1")
        oidc._kept.clear()
    safe_http.install([])  # the provider cannot be reached
    assert client.post("/sign-out").headers["Location"] == "/sign-in"
    assert not is_in(client)
    door.enter(client, "chief")
    assert client.post("/sign-out").headers["Location"] == "/sign-in", "who came by password stays here"


def test_deactivation_ends_what_the_provider_began(
    client: FlaskClient, idp: Provider, roles: dict[str, int]
) -> None:
    provider.use(idp, access=roles["Agent"])
    idp.give("s1", preferred_username="jana")
    provider.enter(client, idp, "s1")
    assert is_in(client)
    User.update(deactivated_ts=1).where(User.login == "jana").execute()
    assert not is_in(client)
    answer = provider.enter(client, idp, "s1")
    assert (answer.status_code, "Your user is deactivated" in answer.text) == (403, True)
    assert role("jana") == "Agent"


def test_own_second_factor_is_asked_for_only_where_the_role_requires_it(
    client: FlaskClient, app: Flask, idp: Provider, roles: dict[str, int]
) -> None:
    provider.use(idp, access=roles["Agent"])
    idp.give("s1", preferred_username="jana")
    provider.enter(client, idp, "s1")
    jana = User.get(User.login == "jana")
    TwoFactor.create(user_id=jana.id, secret="A" * 32, confirmed_ts=1)
    assert provider.enter(app.test_client(), idp, "s1", "/my-data").headers["Location"] == "/my-data"
    Access.update(two_factor=True).where(Access.id == roles["Agent"]).execute()
    fresh = app.test_client()
    answer = provider.enter(fresh, idp, "s1", "/my-data")
    assert answer.headers["Location"] == "/sign-in/second-step?next=/my-data"
    assert not is_in(fresh)
