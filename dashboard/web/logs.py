"""The log of a process: one level, text or JSON, the request of each line, requests that were slow, and at
`debug` a line for each request."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterable
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

import msgspec
from flask import Flask

from dashboard.settings import Settings

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

REQUEST_ID = "stopa.request_id"  # in the environment of a request, as its error page shows it
CHATTY = ("weasyprint", "fontTools", "peewee.migrations")
TEXT = "%(asctime)s %(levelname)s %(name)s %(request)s %(message)s"
log = logging.getLogger("stopa.request")
_request_id: ContextVar[str] = ContextVar("request_id", default="-")


class TextFormatter(logging.Formatter):
    """A record as TEXT; what a client sent begins no line and moves no cursor: it is escaped as in Python."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  the library's name
        line = super().formatMessage(record)
        return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in line)


class JsonFormatter(logging.Formatter):
    """A line of JSON: time in UTC, level, logger, request ("-" outside of one), message, and of a request
    that is logged its fields; of an error its trace."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
            + f".{record.msecs:03.0f}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "request": _request_id.get(),
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return msgspec.json.encode({name: _encodable(value) for name, value in line.items()}).decode()


def _encodable(value: Any) -> Any:
    """Return a value of a line; in a text, a surrogate without its other half is escaped: it has no bytes."""
    return value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else value


def init(app: Flask, chosen: Settings) -> None:
    """Write what is at least as urgent as the level of the settings to standard error; of other libraries no
    debug lines, which hold the values of statements."""
    wanted = logging.getLevelNamesMapping()[chosen.log_level.upper()]
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter() if chosen.log_format == "json" else TextFormatter(TEXT))
    handler.addFilter(_name_request)
    logging.basicConfig(handlers=[handler], level=max(wanted, logging.INFO))
    logging.getLogger("stopa").setLevel(wanted)
    for chatty in CHATTY:
        logging.getLogger(chatty).setLevel(logging.ERROR)
    app.wsgi_app = RequestLog(app.wsgi_app, chosen.slow_request_ms)  # type: ignore[method-assign]


def _name_request(record: logging.LogRecord) -> bool:
    record.request = _request_id.get()
    return True


class RequestLog:
    """Numbers each request, and logs client, method, path, status, length and time until its answer begins:
    as a warning from `slow_ms` on (0: never), otherwise at debug. No query, which may hold names."""

    def __init__(self, following: WSGIApplication, slow_ms: int) -> None:
        self._following, self._slow_ms = following, slow_ms

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        begun = time.monotonic()
        number = environ[REQUEST_ID] = os.urandom(8).hex()
        token = _request_id.set(number)

        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            ms = (time.monotonic() - begun) * 1000
            slow = 0 < self._slow_ms <= ms
            if slow or log.isEnabledFor(logging.DEBUG):
                length = next((value for name, value in headers if name.lower() == "content-length"), "-")
                fields = {
                    "client": environ.get("REMOTE_ADDR", "-"),
                    "method": environ["REQUEST_METHOD"],
                    "path": environ["PATH_INFO"],
                    "status": int(status[:3]),
                    "bytes": length,
                    "ms": round(ms),
                }
                log.log(
                    logging.WARNING if slow else logging.DEBUG,
                    "%s%s %s %r %d %s B %.0f ms",
                    *("slow: " if slow else "", *fields.values()),
                    extra={"fields": fields},
                )
            return start_response(status, headers, exc_info)

        try:
            return self._following(environ, start)
        finally:
            _request_id.reset(token)
