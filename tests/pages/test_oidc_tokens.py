"""ID tokens that prove nothing: of another key, provider, client or time, or about somebody else."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

from dashboard.access import oidc
from tests import make
from tests.pages import provider
from tests.pages.door import is_in
from tests.pages.provider import CLIENT, SECRET, Provider

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the provider
Token = Callable[
    [list[str], dict[str, Any]], str | None
]  # parts of the provider's token, its claims -> another
OWN = RSAKey.generate_key()


@pytest.fixture
def idp(app: Flask) -> Iterator[Provider]:
    with provider.running() as running:
        provider.use(running, access=make.access(name="Agent").id)
        running.give("s1", preferred_username="jana")
        yield running


def encoded(value: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def status(app: Flask, idp: Provider, token: Token) -> int:
    """Return the answer to a sign-in for which the provider sends another token instead of its own."""

    def answer(body: bytes) -> bytes:
        sent = json.loads(body)
        parts = sent["id_token"].split(".")
        sent["id_token"] = token(parts, json.loads(base64.urlsafe_b64decode(parts[1] + "==")))
        return json.dumps({name: value for name, value in sent.items() if value is not None}).encode()

    idp.tampers["/oauth2/token"] = answer
    client = app.test_client()
    found = provider.enter(client, idp, "s1").status_code
    assert is_in(client) == (found == 302)
    return found


def signed(key: Any, algorithm: str = "RS256", **changed: Any) -> Token:
    return lambda _parts, claims: jwt.encode({"alg": algorithm}, claims | changed, key)


FORGED: tuple[tuple[str, Token, int], ...] = (
    ("as it is", lambda parts, _claims: ".".join(parts), 302),
    (
        "changed claims",
        lambda parts, claims: f"{parts[0]}.{encoded(claims | {'sub': 'admin'})}.{parts[2]}",
        403,
    ),
    ("another key", signed(OWN), 403),
    ("no signature", lambda parts, _claims: f"{encoded({'alg': 'none'})}.{parts[1]}.", 403),
    ("the secret as key", signed(OctKey.import_key(SECRET), "HS256"), 403),
    ("no token", lambda _parts, _claims: None, 403),
    ("no token at all", lambda _parts, _claims: "x", 403),
)
CLAIMS: tuple[tuple[dict[str, Any], int], ...] = (
    ({}, 302),
    ({"iss": "https://evil.example"}, 403),
    ({"aud": "other"}, 403),
    ({"aud": ["other"], "azp": CLIENT}, 403),
    ({"aud": [CLIENT, "other"], "azp": "other"}, 403),
    ({"exp": 1}, 403),
    ({"iat": 2**33}, 403),
    ({"nonce": "another"}, 403),
    ({"at_hash": "another"}, 403),
    *(({"sub": subject}, 403) for subject in ("", 5, ["s1"], "a\0b", "s" * 256)),
)


def test_only_tokens_of_this_provider_for_this_client_count(app: Flask, idp: Provider) -> None:
    for name, token, wanted in FORGED:
        assert (status(app, idp, token), name) == (wanted, name)
    own = json.dumps({"keys": [OWN.as_dict(private=False)]}).encode()
    idp.tampers["/jwks"] = lambda _body: own  # now only what the token says can be wrong
    same: list[Any] = []
    idp.tampers["/userinfo"] = lambda body: json.dumps({**json.loads(body), "sub": same[-1]}).encode()
    oidc._kept.clear()
    for changed, wanted in CLAIMS:
        same.append(changed.get("sub", "s1"))
        assert (status(app, idp, signed(OWN, **changed)), changed) == (wanted, changed)


def test_claims_of_another_user_are_not_taken(app: Flask, idp: Provider) -> None:
    idp.tampers["/userinfo"] = lambda _body: b'{"sub": "s2", "preferred_username": "chief"}'
    assert status(app, idp, FORGED[0][1]) == 403
    idp.tampers = {"/oauth2/token": lambda _body: b"<html>"}
    assert provider.enter(app.test_client(), idp, "s1").status_code == 503
