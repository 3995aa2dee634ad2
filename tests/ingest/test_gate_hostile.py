"""POST /api/v1/events with malformed JSON and strings that break software: answered, and kept as typed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.api import Api, custom

SHARED = Path(__file__).parents[2].parent / "shared" / "data"
pytestmark = pytest.mark.skipif(not SHARED.exists(), reason="the shared data is not on this machine")


def test_no_json_text_gets_another_answer_than_2xx_or_4xx(api: Api) -> None:
    answers = {}
    for path in sorted((SHARED / "json_parsing").glob("*.json")):
        text = path.read_bytes()
        for name, kind, body in (
            ("raw", "application/json", text),
            ("lines", "application/x-ndjson", text),
            ("envelope", "application/cloudevents+json", text),
            (
                "data",
                "application/json",
                b'{"type":"custom.x","time":"2026-03-02T09:00:00Z","data":%b}' % text,
            ),
        ):
            status = api.send(body, kind).status_code
            answers[f"{name} {path.name}"] = status
    assert set(answers.values()) <= {202, 400, 422}
    assert not [name for name, status in answers.items() if " n_" in name and status == 202]
    taken = {name for name, status in answers.items() if status == 202}
    assert len(api.events()) == len([name for name in taken if name.startswith("data ")])


def test_naughty_strings_are_read_back_exactly_as_typed_or_refused(api: Api) -> None:
    strings = json.loads((SHARED / "naughty_strings" / "blns.json").read_text())
    short = [text for text in strings if 0 < len(text) <= 60]
    sent = [
        {
            "id": f"{n}·{text}",
            "type": "custom.naughty",
            "time": "2026-03-02T09:00:00Z",
            "user": text,
            "queue": text,
            "interaction": text,
            "session": text,
            "contact": {"name": text, "phone": text, "email": text},
            "data": {text: text, "list": [text]},
        }
        for n, text in enumerate(short)
    ]
    answer = api.send(json.dumps(sent, ensure_ascii=False))
    refused = {one["index"] for one in answer.json["refused"]}
    assert {
        index for index, text in enumerate(short) if any(ord(c) < 32 or ord(c) == 127 for c in text)
    } == refused
    found = {event["id"]: event for event in api.events()}
    for event in [event for index, event in enumerate(sent) if index not in refused]:
        stored = found.pop(event["id"])
        assert {name: stored[name] for name in event if name != "time"} == {
            name: value for name, value in event.items() if name != "time"
        }
    assert found == {}


def test_any_naughty_string_is_kept_in_data(api: Api) -> None:
    strings = json.loads((SHARED / "naughty_strings" / "blns.json").read_text())
    body = "\n".join(json.dumps(custom(f"{n}", data={"note": text})) for n, text in enumerate(strings))
    assert api.send(body, "application/x-ndjson").json["refused"] == []
    assert [event["data"]["note"] for event in api.events()] == strings


def test_naughty_strings_as_parameters_get_an_answer(api: Api) -> None:
    strings = [*json.loads((SHARED / "naughty_strings" / "blns.json").read_text())[::20], "\0", "a\0b"]
    for text in strings:
        for name in ("type", "user", "queue", "interaction", "session", "from", "to", "limit", "after"):
            assert api.get("/api/v1/events", **{name: text}).status_code in (200, 400, 422)
        for name in ("user", "unit", "date", "tz"):
            query = {"user": "jana", name: text}
            assert api.get("/api/v1/tracing", **query).status_code in (400, 404, 422)
