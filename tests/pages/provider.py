"""A real OpenID Connect provider on this machine, and a browser that signs in there."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from io import BytesIO
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from flask.testing import FlaskClient
from werkzeug.serving import ThreadedWSGIServer, make_server
from werkzeug.test import TestResponse

from dashboard.access import oidc, sign_in_settings
from dashboard.access.sign_in_settings import SignIn
from dashboard.notify import safe_http
from dashboard.settings import HostPort

CLIENT, SECRET = "stopa", "the secret of the client"


class Answer(NamedTuple):
    """What the provider sent the browser back with: the parameters of the callback."""

    code: str
    state: str


class Provider:
    """The server; `seen` are the paths and forms that it was asked, and `tampers` changes its answers."""

    def __init__(self) -> None:
        from oidc_provider_mock import app  # here: it warns, which the tests that need it ignore

        self.seen: list[tuple[str, dict[str, str]]] = []
        self.tampers: dict[str, Callable[[bytes], bytes]] = {}
        self._app = app()
        self.server = make_server("localhost", 0, self._answer, threaded=True)
        assert isinstance(self.server, ThreadedWSGIServer)
        self.issuer = f"http://localhost:{self.server.server_port}"
        self.place = HostPort("localhost", self.server.server_port)

    def _answer(self, environ: dict[str, Any], start: Any) -> Any:
        from werkzeug.wrappers import Request, Response

        body = Request(environ).get_data()
        request = Request(environ | {"wsgi.input": BytesIO(body)})
        self.seen.append((request.path, request.form.to_dict()))
        environ["wsgi.input"] = BytesIO(body)
        answer = Response.from_app(self._app, environ)
        if request.path in self.tampers:
            answer.set_data(self.tampers[request.path](answer.get_data()))
        return answer(environ, start)

    def give(self, subject: str, **claims: Any) -> None:
        """Make a user at the provider, or change the claims of one."""
        self.ask("PUT", f"/users/{subject}", json.dumps(claims), "application/json")

    def sign_in(self, url: str, subject: str) -> Answer:
        """Sign in at the page that `url` opens; return what the browser is sent back with."""
        form = urlencode({"sub": subject})
        location = self.ask("POST", url, form, "application/x-www-form-urlencoded")[1]
        return Answer(**dict(parse_qsl(urlsplit(location).query)))

    def ask(self, method: str, url: str, body: str = "", kind: str = "text/plain") -> tuple[int, str]:
        """Ask as a browser does, not as the application; return status and where the answer leads."""
        connection = HTTPConnection(*self.place, timeout=5)
        connection.request(method, url, body, {"Content-Type": kind})
        answer = connection.getresponse()
        connection.close()
        return answer.status, answer.headers.get("Location", "")


@contextmanager
def running() -> Iterator[Provider]:
    provider = Provider()
    thread = threading.Thread(target=provider.server.serve_forever, args=(0.02,))
    thread.start()
    safe_http.install([provider.place])
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("AUTHLIB_INSECURE_TRANSPORT", "1")  # of the provider itself
            yield provider
    finally:
        safe_http.install([])
        provider.server.shutdown()
        thread.join()
        provider.server.server_close()
        oidc._kept.clear()


def use(provider: Provider, **choices: Any) -> SignIn:
    """Save that users sign in at the provider, with these choices more."""
    values = {"enabled": True, "issuer": provider.issuer, "client_id": CLIENT, "client_secret": SECRET}
    chosen = SignIn(**{**values, "adds": True, "login_claim": "preferred_username", **choices})
    sign_in_settings.save(chosen)
    return chosen


def begin(client: FlaskClient, target: str = "") -> str:
    """Return where the button of the page for signing in leads."""
    return client.get("/sign-in/provider", query_string={"next": target}).headers["Location"]


def enter(client: FlaskClient, provider: Provider, subject: str, target: str = "") -> TestResponse:
    """Sign in by the provider and return the answer to its callback."""
    answer = provider.sign_in(begin(client, target), subject)
    return client.get("/sign-in/callback", query_string=answer._asdict())
