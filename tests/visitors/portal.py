"""A portal site, and the requests of browsers on its pages."""

from __future__ import annotations

import json
from itertools import count
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from dashboard import clock
from dashboard.db import database
from dashboard.events import record
from dashboard.ingest.wsgi import EventsEntry
from dashboard.models import ALL, Event, Site, Visit

ORIGIN = "https://portal.example"
CHROME = "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36"
SECRET = "signing-secret"
_numbers = count(1)


def site(name: str = "Portal", **fields: Any) -> Site:
    """Make a site with the least that makes it work."""
    values = {
        "key": f"key{next(_numbers)}",
        "enabled": True,
        "origins": [ORIGIN],
        "secret": SECRET,
        "created_ts": clock.now_s(),
    }
    return Site.create(source=record.source(name), **{**values, **fields})


def ident(text: str) -> str:
    """Return an id as browsers make them, that can be recognised."""
    return text.ljust(22, "_")


def page(name: str, ago_ms: int = 0, path: str = "/", **more: Any) -> dict[str, Any]:
    """Return the record of a page that was viewed."""
    return {"i": name.ljust(11, "_"), "k": "page", "m": ago_ms, "u": ORIGIN + path, "t": path, **more}


def act(kind: str, ident_: str, ago_ms: int = 0, **more: Any) -> dict[str, Any]:
    """Return a record of another kind."""
    return {"i": ident_.ljust(11, "_"), "k": kind, "m": ago_ms, **more}


class Portal:
    """Requests to a site; `client` is that of the application."""

    def __init__(self, client: FlaskClient, **fields: Any) -> None:
        self.client, self.site = client, site(**fields)

    def send(
        self,
        body: bytes | str,
        key: str = "",
        headers: dict[str, str] | None = None,
        address: str = "127.0.0.1",
        method: str = "POST",
    ) -> TestResponse:
        """Send a body as it is; a header whose value is "" is left out."""
        head = {"Origin": ORIGIN, "User-Agent": CHROME, **(headers or {})}
        return self.client.open(
            f"/visit/{key or self.site.key}",
            method=method,
            data=body,
            content_type="text/plain",
            headers={name: value for name, value in head.items() if value},
            environ_overrides={"REMOTE_ADDR": address},
        )

    def report(
        self,
        *records: dict[str, Any],
        visit: str = "visit",
        browser: str = "browser",
        headers: dict[str, str] | None = None,
        address: str = "127.0.0.1",
        **more: Any,
    ) -> TestResponse:
        """POST a report of a visit."""
        body = {
            "v": ident(visit),
            "b": ident(browser),
            "l": "cs-CZ",
            "u": f"{ORIGIN}/",
            "t": "/",
            "r": "",
            "a": 0,
        }
        return self.send(json.dumps({**body, "e": records, **more}), headers=headers, address=address)

    def entry(self) -> Any:
        """Return the WSGI entry of the application."""
        found = self.client.application.wsgi_app
        while not isinstance(found, EventsEntry):
            found = found._following
        return found

    def visit(self, name: str = "visit") -> Visit:
        return Visit.get(Visit.token == ident(name))

    def types(self, name: str = "visit") -> list[str]:
        """Return the types of the events of a visit, in the order of time and arrival."""
        query = Event.select(Event.type).where(Event.session == ident(name))
        return [type_ for (type_,) in query.order_by(Event.time_ms, Event.id).tuples()]


def everything() -> str:
    """Return all that the database holds, as text."""
    tables = [model._meta.table_name for model in ALL]
    return "\n".join(str(row) for name in tables for row in database.execute_sql(f'SELECT * FROM "{name}"'))
