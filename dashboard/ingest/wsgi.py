"""The WSGI entry of POST /api/v1/events: most requests need nothing of Flask, which costs more than they do.

It answers only a request whose every event is good. All others, and all that fail, go on to the
application with their body, which checks and answers them: no refusal is worded twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from io import BytesIO
from typing import TYPE_CHECKING

from flask import Flask

from dashboard.access import keys
from dashboard.db import database, end_request, migrate
from dashboard.ingest import admission, schema, views
from dashboard.ingest.body import BodyError
from dashboard.ingest.schema import NewEvent
from dashboard.web import security

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

PATH = "/api/v1/events"
BEARER = "bearer "
# What only the application reads: a compressed body, a query, the chain of a rule.
OTHERS = ("HTTP_CONTENT_ENCODING", "HTTP_TRANSFER_ENCODING", "HTTP_STOPA_CHAIN", "QUERY_STRING")


class EventsEntry:
    """Wraps the application; see the module."""

    def __init__(self, app: Flask, following: WSGIApplication) -> None:
        self._app, self._following = app, following
        self._most = int(app.config["MAX_CONTENT_LENGTH"])

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ["PATH_INFO"] == PATH and environ["REQUEST_METHOD"] == "POST":
            stored = self._store(environ)
            if stored is not None:
                start_response("202 ACCEPTED", _headers(stored, environ["wsgi.url_scheme"] == "https"))
                return [stored]
        return self._following(environ, start_response)

    def _store(self, environ: WSGIEnvironment) -> bytes | None:
        """Store the events of a request and return the body of its answer; None when the application
        has to answer."""
        parse = views.PARSERS.get(environ.get("CONTENT_TYPE", "").partition(";")[0].strip().lower())
        length = environ.get("CONTENT_LENGTH", "")
        login = environ.get("HTTP_AUTHORIZATION", "")
        if (
            parse is None
            or not length.isdecimal()
            or int(length) > self._most
            or login[: len(BEARER)].lower() != BEARER
            or any(environ.get(name) for name in OTHERS)
            or any(name.startswith("HTTP_CE_") for name in environ)
        ):
            return None
        try:
            return self._taken(environ, parse, int(length), login[len(BEARER) :].strip())
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
        if key is None or key.allow != "ingest" or not key.makes:
            return None
        body = environ["wsgi.input"].read(length)
        environ["wsgi.input"] = BytesIO(body)
        try:
            outcomes = parse(body)
        except BodyError:
            return None
        good = [one for one in outcomes if isinstance(one, NewEvent)]
        if not good or len(good) < len(outcomes) or not all(map(admission.current().takes, good)):
            return None
        stored = views.store(key.source_id, good)
        views.note_use(key)
        return stored


def _headers(body: bytes, secure: bool) -> list[tuple[str, str]]:
    return [
        ("Content-Type", "application/json"),
        ("Content-Length", str(len(body))),
        *security.answer_headers(secure),
    ]
