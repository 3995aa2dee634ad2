"""Signing in at an OpenID Connect provider: discovery, authorization code with PKCE, ID token, sign-out.

The protocol is Authlib's. What is asked of the provider goes out by `requests`: the caller bounds its time
and size.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from threading import BoundedSemaphore
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import requests

from dashboard.access.sign_in_settings import SignIn

DISCOVERY = "/.well-known/openid-configuration"
KEPT_S = 3600  # what the provider says about itself; a key that it has changed is fetched at once
RETRY_S = 5  # after a provider did not answer: each try may take a thread of the server for as long
CALLS, TURN_S = 2, 2  # threads of the server that wait for it at once, and how long others wait for a turn
LEEWAY_S = 60  # between the clocks
BODY_MAX = 256 * 1024  # bytes of an answer
SIGNATURES = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")
SUBJECT_MAX = 255
Claims = Mapping[str, Any]


class UnreachableError(Exception):
    """The provider does not answer, or not as one; the text says what came, for the log."""


class RejectedError(Exception):
    """The provider does not accept the code, or its ID token proves nothing; the text says why."""


class Started(NamedTuple):
    """Where the browser goes to sign in, and what its answer must fit."""

    url: str
    state: str
    nonce: str
    verifier: str


class Proof(NamedTuple):
    """Who signed in: the provider's name, all claims, and the ID token as it came."""

    issuer: str
    claims: Claims
    id_token: str


_turns = BoundedSemaphore(CALLS)
_kept: dict[SignIn, tuple[float, Any]] = {}  # the client of the settings in force, or why there is none


def check(chosen: SignIn) -> None:
    """Ask the provider anew what it is. Raises UnreachableError."""
    _kept.clear()
    _client(chosen)


def start(chosen: SignIn, callback: str) -> Started:
    """Begin a sign-in whose answer comes to the address `callback`. Raises UnreachableError."""
    client = _client(chosen)
    with _errors():
        made = client.create_authorization_url(callback)
    return Started(made["url"], made["state"], made["nonce"], made["code_verifier"])


def finish(chosen: SignIn, callback: str, code: str, started: Started) -> Proof:
    """Exchange the code for the ID token and check it. Raises UnreachableError, RejectedError."""
    client = _client(chosen)
    with _errors(), _turn():
        metadata = client.load_server_metadata()
        token = client.fetch_access_token(
            redirect_uri=callback, code=code, code_verifier=started.verifier, grant_type="authorization_code"
        )
        issuer = metadata["issuer"]
        wanted = {
            "iss": {"essential": True, "value": issuer},
            "aud": {"essential": True, "value": chosen.client_id},
        }
        claims = client.parse_id_token(token, started.nonce, claims_options=wanted, leeway=LEEWAY_S)
        if claims is None or not _is_subject(claims.get("sub")):
            raise RejectedError("there is no ID token, or it names nobody")
        more = client.userinfo(token=token) if "userinfo_endpoint" in metadata else claims
        if more.get("sub") != claims["sub"]:
            raise RejectedError("the claims of the user are another user's")
    return Proof(issuer, {**more, **claims}, token["id_token"])


def sign_out_url(chosen: SignIn, id_token: str, back: str) -> str:
    """Return where the provider signs the user out and leads to the address `back`; "" if it does not.

    Raises UnreachableError.
    """
    client = _client(chosen)
    with _errors():
        if "end_session_endpoint" not in client.load_server_metadata():
            return ""
        made = client.create_logout_url(back, id_token or None, client_id=chosen.client_id)
    return str(made["url"])


def _client(chosen: SignIn) -> Any:
    until, client = _kept.get(chosen, (0.0, None))
    if until < time.monotonic():
        try:
            client, kept_s = _made(chosen), KEPT_S
        except UnreachableError as error:
            client, kept_s = error, RETRY_S
        _kept.clear()
        _kept[chosen] = time.monotonic() + kept_s, client
    if isinstance(client, UnreachableError):
        raise client
    return client


def _made(chosen: SignIn) -> Any:
    from authlib.integrations.flask_client import FlaskOAuth2App  # here: it takes 80 ms

    client = FlaskOAuth2App(
        None,
        "oidc",
        client_id=chosen.client_id,
        client_secret=chosen.client_secret,
        server_metadata_url=chosen.issuer.rstrip("/") + DISCOVERY,
        client_kwargs={"scope": chosen.scopes, "code_challenge_method": "S256"},
    )
    with _errors(), _turn():
        _check_metadata(client.load_server_metadata(), chosen.issuer)
        client.client_kwargs["token_endpoint_auth_method"] = _proof_of_client(client.server_metadata, chosen)
    return client


def _check_metadata(found: dict[str, Any], issuer: str) -> None:
    """Raise UnreachableError unless `found` describes this provider; drop signatures that prove nothing."""
    if str(found.get("issuer", "")).rstrip("/") != issuer.rstrip("/"):
        raise UnreachableError(f"it calls itself {found.get('issuer')!r}")
    scheme = issuer.partition("://")[0]
    for name in (*ENDPOINTS, *({"userinfo_endpoint", "end_session_endpoint"} & found.keys())):
        if not _is_address(str(found.get(name, "")), scheme):
            raise UnreachableError(f"{name} is {found.get(name)!r}")
    given = found.get("id_token_signing_alg_values_supported", SIGNATURES[:1])
    found["id_token_signing_alg_values_supported"] = [each for each in given if each in SIGNATURES]


def _is_address(text: str, scheme: str) -> bool:
    """Return whether a text is an address by `scheme` or https; ValueError where it is no address at all."""
    parts = urlsplit(text)
    whole = text.isprintable() and bool(parts.hostname) and parts.port != 0
    return whole and parts.scheme in (scheme, "https")


def _is_subject(value: Any) -> bool:
    return isinstance(value, str) and value.isprintable() and 0 < len(value) <= SUBJECT_MAX


def _proof_of_client(metadata: Mapping[str, Any], chosen: SignIn) -> str:
    if not chosen.client_secret:
        return "none"
    basic, post = "client_secret_basic", "client_secret_post"
    taken = metadata.get("token_endpoint_auth_methods_supported", (basic,))
    return post if basic not in taken and post in taken else basic


@contextmanager
def _turn() -> Iterator[None]:
    """Call the provider, at most CALLS threads at once, so that a slow one leaves threads to other pages."""
    if not _turns.acquire(timeout=TURN_S):
        raise UnreachableError("it is slow, and others wait for it")
    try:
        yield
    finally:
        _turns.release()


@contextmanager
def _errors() -> Iterator[None]:
    """Raise what the libraries raise as one of the two errors of this module."""
    from authlib.common.errors import AuthlibBaseError
    from joserfc.errors import JoseError

    try:
        yield
    except (requests.RequestException, OSError) as error:
        raise UnreachableError(str(error)) from error
    except (AuthlibBaseError, JoseError) as error:
        raise RejectedError(str(error)) from error
    except (
        AttributeError,
        KeyError,
        RuntimeError,
        TypeError,
        ValueError,
    ) as error:  # an odd answer
        raise UnreachableError(repr(error)) from error
