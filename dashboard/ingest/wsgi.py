"""The WSGI entry of POST /api/v1/events, /connect/<source> and /visit/<site key>: most requests need
nothing of Flask, which costs more than they do.

Of the first two it answers only a request whose every event is good. All others, and all that fail, go on to
the application with their body, which checks and answers them: no refusal is worded twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from io import BytesIO
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from flask import Flask

from dashboard.access import keys
from dashboard.db import database, end_request, migrate
from dashboard.events import holds
from dashboard.ingest import admission, schema, views
from dashboard.ingest.body import BodyError
from dashboard.ingest.connectors import views as connect
from dashboard.ingest.schema import NewEvent
from dashboard.jobs import counters
from dashboard.visitors import entry as visitors
from dashboard.web import security

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

PATH = "/api/v1/events"
CONNECT = "/connect/"
CONNECTED = "/connect/<source>"  # the route of the application
BEARER = "bearer "
# What only the application reads: a compressed body, the chain of a rule.
OTHERS = ("HTTP_CONTENT_ENCODING", "HTTP_TRANSFER_ENCODING", "HTTP_STOPA_CHAIN")


class EventsEntry:
    """Wraps the application; see the module."""

    def __init__(self, app: Flask, following: WSGIApplication) -> None:
        self._app, self._following = app, following
        self._most = int(app.config["MAX_CONTENT_LENGTH"])
        self._behind_proxy = app.config["STOPA"].trusted_proxies > 0

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if path.startswith(visitors.PATH):
            try:
                return visitors.respond(environ, start_response, self._behind_proxy)
            finally:
                end_request(self._app.testing)
        if environ["REQUEST_METHOD"] == "POST" and (path == PATH or path.startswith(CONNECT)):
            stored = self._store(environ)
            if stored is not None:
                counters.add("requests", route=PATH if path == PATH else CONNECTED, method="POST", status=202)
                start_response("202 ACCEPTED", _headers(stored, environ["wsgi.url_scheme"] == "https"))
                return [stored]
        return self._following(environ, start_response)

    def _store(self, environ: WSGIEnvironment) -> bytes | None:
        """Store the events of a request and return the body of its answer; None when the application
        has to answer."""
        length = environ.get("CONTENT_LENGTH", "")
        if (
            not length.isdecimal()
            or int(length) > self._most
            or any(environ.get(name) for name in OTHERS)
            or any(name.startswith("HTTP_CE_") for name in environ)
        ):
            return None
        login = environ.get("HTTP_AUTHORIZATION", "")
        plain = login[len(BEARER) :].strip() if login[: len(BEARER)].lower() == BEARER else ""
        try:
            if environ["PATH_INFO"] != PATH:
                return self._connected(environ, int(length), plain)
            parse = views.PARSERS.get(environ.get("CONTENT_TYPE", "").partition(";")[0].strip().lower())
            if parse is None or not plain or environ.get("QUERY_STRING"):
                return None
            return self._taken(environ, parse, int(length), plain)
        except Exception as error:
            environ[views.FAILED] = error  # the application logs and answers it
            return None
        finally:
            end_request(self._app.testing)

    def _taken(
        self,
        environ: WSGIEnvironment,
        parse: Callable[[bytes], list[schema.Outcome]],
        length: int,
        plain: str,
    ) -> bytes | None:
        database.connect(reuse_if_open=True)
        migrate.check(database.obj, migrate.CHECK_S)
        key = keys.find(plain)
        if key is None or key.allow != "ingest" or not key.makes or holds.hold(key.source_id):
            return None
        body = _body(environ, length)
        try:
            good = _all_good(parse(body))
        except BodyError:
            return None
        if not good:
            return None
        stored = views.store(key.source_id, good)
        views.note_use(key)
        return stored

    def _connected(self, environ: WSGIEnvironment, length: int, bearer: str) -> bytes | None:
        database.connect(reuse_if_open=True)
        migrate.check(database.obj, migrate.CHECK_S)
        headers = {
            name[len("HTTP_") :].replace("_", "-").lower(): value
            for name, value in environ.items()
            if name.startswith("HTTP_")
        }
        token = parse_qs(environ.get("QUERY_STRING", "")).get("token", [bearer])[0]
        body = _body(environ, length)
        connector = connect.find(environ["PATH_INFO"].removeprefix(CONNECT), headers, token, body)
        if connector is None or connector.kind == connect.EVENTS or holds.hold(connector.source_id):
            return None
        try:
            with connect.in_turn(connector):
                good = _all_good(connect.read(connector, body))
                chain = connect.causes(connector, good)
                return views.store(connector.source_id, good, chain=chain) if good else None
        except BodyError:
            return None


def _body(environ: WSGIEnvironment, length: int) -> bytes:
    """Return the body, and leave it to be read again."""
    body: bytes = environ["wsgi.input"].read(length)
    environ["wsgi.input"] = BytesIO(body)
    return body


def _all_good(outcomes: list[schema.Outcome]) -> list[NewEvent]:
    """Return the events of a request, none where one of them is refused."""
    good = [one for one in outcomes if isinstance(one, NewEvent)]
    return good if len(good) == len(outcomes) and all(map(admission.current().takes, good)) else []


def _headers(body: bytes, secure: bool) -> list[tuple[str, str]]:
    return [
        ("Content-Type", "application/json"),
        ("Content-Length", str(len(body))),
        *security.answer_headers(secure),
    ]
