"""The interface as a client sees it: one key that sends, one that reads, and the worker's turn."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from dashboard.access import keys
from dashboard.jobs import worker

Event = dict[str, Any]


class Api:
    """What a test may do from outside; `client` is that of the application."""

    def __init__(self, client: FlaskClient, source: str = "pbx") -> None:
        self.client, self.source = client, source
        self.ingest_key = keys.make("sender", source, "ingest")
        self.read_key = keys.make("reader", source, "read")

    def send(
        self,
        body: bytes | str,
        kind: str | None = "application/json",
        key: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> TestResponse:
        """POST a body as it is."""
        bearer = {"Authorization": f"Bearer {key or self.ingest_key}"}
        return self.client.post(
            "/api/v1/events", data=body, content_type=kind, headers={**bearer, **(headers or {})}
        )

    def post(self, events: Event | Iterable[Event], key: str | None = None) -> TestResponse:
        """POST one event or an array of them."""
        return self.send(json.dumps(events if isinstance(events, dict) else list(events)), key=key)

    def take(self, events: Event | Iterable[Event]) -> dict[str, Any]:
        """Post events that must all be taken, fold them, and return the answer."""
        answer = self.post(events)
        assert answer.status_code == 202, answer.text
        assert answer.json["refused"] == []
        worker.drain()
        return answer.json

    def get(self, path: str, key: str | None = None, **query: object) -> TestResponse:
        bearer = {"Authorization": f"Bearer {key or self.read_key}"}
        return self.client.get(path, query_string=query, headers=bearer)

    def events(self, **query: object) -> list[Event]:
        """Return all stored events that match, page by page."""
        found: list[Event] = []
        after: str | None = str(query.pop("after", 0))
        while after is not None:
            answer = self.get("/api/v1/events", **{"limit": 1000, **query, "after": after})
            assert answer.status_code == 200, answer.text
            found += answer.json["events"]
            after = answer.json["after"]
        return found

    def tracing(self, user: str, date: str, unit: str = "day", tz: str = "Europe/Prague") -> dict[str, Any]:
        """Return a user's day or week."""
        answer = self.get("/api/v1/tracing", user=user, date=date, unit=unit, tz=tz)
        assert answer.status_code == 200, answer.text
        return answer.json


def custom(ident: str | None = None, **more: object) -> Event:
    """Return the plainest event that may be stored."""
    event: Event = {"type": "custom.seen", "time": "2026-03-02T09:00:00Z", **more}
    return event if ident is None else {"id": ident, **event}
