"""Which user here a user of the provider is, and how administrators undo it."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

from dashboard.access import throttle
from dashboard.models import AuditEntry, Session, SignInAttempt, User, UserIdentity
from tests import make
from tests.pages import door, provider
from tests.pages.door import is_in
from tests.pages.provider import Provider

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the provider

LINKS = (
    # choices, user here, claims, answer
    ({}, {"login": "jana"}, {}, "A user with your username already exists"),
    ({"links_logins": True}, {"login": "jana"}, {}, ""),
    ({"links_logins": True, "adds": False}, {"login": "other"}, {}, "There is no user for you here"),
    (
        {"links_emails": True, "adds": False},
        {"email": "j@x.cz"},
        {"email": "j@x.cz", "email_verified": True},
        "",
    ),
    (
        {"links_emails": True, "adds": False},
        {"email": "j@x.cz"},
        {"email": "J@X.cz", "email_verified": "true"},
        "",
    ),
    (
        {"links_emails": True, "adds": False},
        {"email": "j@x.cz"},
        {"email": "j@x.cz", "email_verified": False},
        "There is no user for you here",
    ),
    ({"links_emails": True, "adds": False}, {"email": "j@x.cz"}, {"email": "j@x.cz"}, "There is no user"),
    (
        {"links_emails": True, "adds": False},
        {"email": "kate@x.cz"},
        {"email": "\u212aate@x.cz", "email_verified": True},  # the sign of kelvin, a k in lower case
        "There is no user",
    ),
    ({"adds": False}, {"email": "j@x.cz"}, {"email": "j@x.cz", "email_verified": True}, "There is no user"),
    (
        {"links_logins": True, "login_claim": "email"},
        {"login": "j@x.cz"},
        {"email": "j@x.cz"},
        "Your email address isn&#39;t verified",
    ),
    ({"links_logins": True}, {"login": "jana", "deactivated_ts": 1}, {}, "Your user is deactivated"),
    ({"links_logins": True, "access": None}, {"login": "jana"}, {}, "You have no role here"),
    ({"login_claim": "nick"}, {}, {"nick": "two words"}, "sent no usable username"),
    ({"login_claim": "nick"}, {}, {"nick": ["jana"]}, "sent no usable username"),
)


def test_user_here_is_linked_only_where_the_administrator_allows_it(
    app: Flask, idp: Provider, roles: dict[str, int]
) -> None:
    for number, (choices, fields, claims, text) in enumerate(LINKS):
        User.delete().where(User.login != "chief").execute()
        here = make.user(**{"login": f"here{number}", **fields})  # type: ignore[arg-type]
        provider.use(idp, **{"access": roles["Agent"], **choices})
        idp.give(f"s{number}", **{"preferred_username": "jana", **claims})
        client = app.test_client()
        answer = provider.enter(client, idp, f"s{number}")
        where = (choices, fields, claims)
        assert (answer.status_code, text in answer.text) == ((403 if text else 302), True), where
        assert is_in(client) == (not text), where
        linked = [row.user_id for row in UserIdentity.select()]
        assert linked == ([] if text else [here.id]), where
    other = make.user("second", access=make.access())
    UserIdentity.create(issuer=idp.issuer, subject="s-old", user=other, created_ts=0)
    provider.use(idp, access=roles["Agent"], links_logins=True)
    idp.give("s-new", preferred_username="second")
    answer = provider.enter(app.test_client(), idp, "s-new")
    assert answer.status_code == 403, "a user of the provider is not another one there"
    failed = AuditEntry.select().where(AuditEntry.action == "auth.sign_in_failed")
    assert {row.details["method"] for row in failed} == {"oidc"}


def test_new_account_at_the_provider_is_linked_after_the_old_one_was_unlinked(
    client: FlaskClient, idp: Provider, roles: dict[str, int]
) -> None:
    provider.use(idp, access=roles["Agent"], links_logins=True)
    for subject in ("s1", "s2"):
        idp.give(subject, preferred_username="jana")
    assert provider.enter(client, idp, "s1").status_code == 302
    assert provider.enter(client, idp, "s2").status_code == 403
    jana = User.get(User.login == "jana")
    make.sign_in(client, User.get(User.login == "chief"))
    page = client.get(f"/users/{jana.id}").text
    assert idp.issuer in page
    assert "Unlink Jana" in client.get(f"/users/{jana.id}/unlink").text.replace("jana", "Jana")
    assert client.post(f"/users/{jana.id}/unlink").headers["Location"] == f"/users/{jana.id}"
    assert [row.user_id for row in Session.select()] == [User.get(User.login == "chief").id]
    assert idp.issuer not in client.get(f"/users/{jana.id}").text
    assert provider.enter(client, idp, "s2").status_code == 302
    assert [row.subject for row in UserIdentity.select()] == ["s2"]


def test_refused_answers_are_limited_by_address_and_passwords_are_not(
    client: FlaskClient, app: Flask, idp: Provider, roles: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(throttle, "MAX_PER_ADDRESS", 3)
    provider.use(idp, adds=False)
    idp.give("s1", preferred_username="jana")
    for _ in range(throttle.MAX_PER_ADDRESS):
        assert provider.enter(client, idp, "s1").status_code == 403
    for _ in range(2):
        assert provider.enter(client, idp, "s1").status_code == 429
    reasons = [
        row.details["why"] for row in AuditEntry.select().where(AuditEntry.action == "auth.sign_in_failed")
    ]
    assert reasons.count("throttled") == 1
    assert door.enter(client, "chief").status_code == 302
    idp.tampers = {"/oauth2/token": lambda _body: b"not today"}
    SignInAttempt.delete().execute()
    for _ in range(2):
        assert provider.enter(app.test_client(), idp, "s1").status_code == 503
    assert SignInAttempt.select().count() == 0, "the provider's failure is nobody's attempt"
