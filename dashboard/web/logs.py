"""The log of a process: one level for all, and at `debug` a line for each request."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from flask import Flask

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

REQUEST_ID = "stopa.request_id"  # in the environment of a request, as its error page shows it
CHATTY = ("weasyprint", "fontTools", "peewee.migrations")
log = logging.getLogger("stopa.request")


def init(app: Flask, level: str) -> None:
    """Write what is at least as urgent as `level` to standard error; of other libraries no debug lines,
    which hold the values of statements."""
    wanted = logging.getLevelNamesMapping()[level.upper()]
    logging.basicConfig(
        format="%(asctime)s %(levelname)s %(name)s %(message)s", level=max(wanted, logging.INFO)
    )
    logging.getLogger("stopa").setLevel(wanted)
    for chatty in CHATTY:
        logging.getLogger(chatty).setLevel(logging.ERROR)
    if log.isEnabledFor(logging.DEBUG):
        app.wsgi_app = RequestLog(app.wsgi_app)  # type: ignore[method-assign]


class RequestLog:
    """Logs client, method, path, status, length and time of each request; no query, which may hold names."""

    def __init__(self, following: WSGIApplication) -> None:
        self._following = following

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        begun = time.monotonic()

        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            log.debug(
                "%s %s %r %s %s B %.0f ms %s",
                environ.get("REMOTE_ADDR", "-"),
                environ["REQUEST_METHOD"],
                environ["PATH_INFO"],
                status[:3],
                next((value for name, value in headers if name.lower() == "content-length"), "-"),
                (time.monotonic() - begun) * 1000,
                environ.get(REQUEST_ID, "-"),
            )
            return start_response(status, headers, exc_info)

        return self._following(environ, start)
