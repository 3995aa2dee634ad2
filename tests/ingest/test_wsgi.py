"""Good requests are answered before Flask, with the same answer; all others by the application."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from typing import Any

import peewee
import pytest
from flask import Flask, request_started

from dashboard.access import keys
from dashboard.db import dialect
from dashboard.events import record, room, switches
from dashboard.events.switches import Choice
from dashboard.models import Event
from tests.api import Api, custom

BAD = {"type": "custom.sale", "time": "yesterday"}


@pytest.fixture
def asked(app: Flask) -> Iterator[list[str]]:
    """The requests that Flask has had to answer."""
    paths: list[str] = []

    def note(_app: Flask, **_more: Any) -> None:
        paths.append("/api/v1/events")

    with request_started.connected_to(note, app):
        yield paths


@pytest.mark.parametrize(
    "kind", ["application/json", "Application/JSON; charset=utf-8", "application/x-ndjson"]
)
def test_good_events_are_answered_before_flask(api: Api, asked: list[str], kind: str) -> None:
    answer = api.send(json.dumps(custom("a")), kind)
    assert (answer.status_code, answer.json["ids"], asked) == (202, ["a"], [])
    assert api.send(json.dumps(custom("a")), kind).json["repeated"] == 1
    assert Event.select().count() == 1


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_the_answer_is_that_of_the_application(api: Api, asked: list[str], scheme: str) -> None:
    body = json.dumps([custom("a"), custom("b")])
    head = {"Authorization": f"Bearer {api.ingest_key}"}
    more = {"content_type": "application/json", "base_url": f"{scheme}://localhost", "headers": head}
    early = api.client.post("/api/v1/events", data=body, **more)
    assert asked == []
    late = api.client.post("/api/v1/events", data=body, query_string="x=1", **more)
    assert len(asked) == 1
    assert (early.status, early.json) == (late.status, {**late.json, "accepted": 2, "repeated": 0})
    lower = [sorted((name.lower(), value) for name, value in each.headers) for each in (early, late)]
    assert lower[0] == lower[1]


@pytest.mark.parametrize(
    ("body", "more", "status"),
    [
        pytest.param(json.dumps([custom("a"), BAD]).encode(), {}, 202, id="one bad event"),
        pytest.param(json.dumps(BAD).encode(), {}, 422, id="no good event"),
        pytest.param(b"{", {}, 400, id="no JSON"),
        pytest.param(b"[]", {}, 202, id="no event"),
        pytest.param(json.dumps(custom("a")).encode(), {"kind": "text/plain"}, 415, id="no known kind"),
        pytest.param(gzip.compress(b"{}"), {"headers": {"Content-Encoding": "gzip"}}, 415, id="compressed"),
        pytest.param(json.dumps(custom("a")).encode(), {"key": "stopa_unknown"}, 401, id="unknown key"),
        pytest.param(
            json.dumps(custom("a")).encode(), {"headers": {"Stopa-Chain": "1 x"}}, 202, id="a chain of rules"
        ),
        pytest.param(
            b"1",
            {"headers": {"ce-id": "1", "ce-source": "s", "ce-specversion": "1.0", "ce-type": "custom.sale"}},
            202,
            id="a CloudEvent in headers",
        ),
    ],
)
def test_everything_else_is_answered_by_the_application(
    api: Api, asked: list[str], body: bytes, more: dict[str, Any], status: int
) -> None:
    assert api.send(body, **{"kind": "application/json", **more}).status_code == status
    assert len(asked) == 1


def test_keys_and_types_that_are_limited_are_checked_by_the_application(api: Api, asked: list[str]) -> None:
    assert api.post(custom("a"), key=api.read_key).status_code == 403
    known_only = keys.make("known only", "pbx", "ingest", makes=False)
    assert api.post({**custom("a"), "user": "nobody"}, key=known_only).status_code == 422
    switches.choose("custom.noise", Choice(recorded=False, in_rules=True))
    assert api.post({**custom("n"), "type": "custom.noise"}).status_code == 422
    assert len(asked) == 3
    assert not Event.select().where(Event.type.startswith("custom.")).exists()


def test_a_failure_is_answered_by_the_application_without_a_second_try(
    api: Api, asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    tries: list[int] = []

    def away(*_args: Any, **_more: Any) -> None:
        tries.append(1)
        raise peewee.OperationalError("the database is away")

    monkeypatch.setattr(record, "append", away)
    answer = api.post(custom("a"))
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert (len(tries), len(asked)) == (1, 1)


@pytest.fixture
def scarce() -> Iterator[None]:
    room.keep_free(10_000_000)
    yield
    room.keep_free(0)


@pytest.mark.usefixtures("scarce")
def test_nothing_is_taken_before_the_disk_is_full(api: Api) -> None:
    events = [custom("a"), custom("b")]
    if not dialect.is_sqlite():  # the disk of the server is not seen from here
        assert api.send(json.dumps(events)).status_code == 202
        return
    answer = api.send(json.dumps(events))
    assert (answer.status_code, answer.headers["Retry-After"]) == (507, "60")
    assert "almost full" in answer.json["detail"]
    assert Event.select().count() == 0
    assert api.client.get("/healthz").status_code == 200
    room.keep_free(0)
    assert api.send(json.dumps(events)).json["accepted"] == 2
