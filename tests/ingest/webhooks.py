"""Webhooks as Zammad and Chatwoot send them, and the events that they became."""

from __future__ import annotations

import hmac
import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from dashboard.models import Connector, Event, Queue, Source, User

DATA = Path(__file__).parents[2].parent / "shared" / "data"
NEEDS_SHARED = pytest.mark.skipif(not DATA.exists(), reason="the shared data is not on this machine")
SECRET = "s3cret-Ω"
Json = dict[str, Any]


@cache
def _text(name: str) -> str:
    return (DATA / f"{name}.json").read_text()


def sample(name: str) -> Json:
    return dict(json.loads(_text(name)))


def connector(kind: str, secret: str = SECRET) -> None:
    source = Source.create(name=kind, created_ts=1)
    Connector.create(source=source, kind=kind, secret=secret, created_ts=1)


def send(
    client: FlaskClient, kind: str, body: object, *, delivery: str = "d-1", **headers: str
) -> TestResponse:
    """POST a payload as its vendor does: Zammad with a signature, others with the token in the address."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    query = "" if kind == "zammad" else f"?token={SECRET.replace('Ω', '%CE%A9')}"
    signature = hmac.digest(SECRET.encode(), raw, "sha1").hex()
    given = {"X-Hub-Signature": f"sha1={signature}", "X-Zammad-Delivery": delivery, **headers}
    return client.post(f"/connect/{kind}{query}", data=raw, content_type="application/json", headers=given)


def stored() -> list[tuple[str, str, str | None, str | None]]:
    """Return id, type, user and queue of all events, in the order of their time and arrival."""
    users = {row.id: row.login for row in User.select()}
    queues = {row.id: row.name for row in Queue.select()}
    rows = Event.select().order_by(Event.time_ms, Event.id)
    return [(e.external_id, e.type, users.get(e.user_id), queues.get(e.queue_id)) for e in rows]
