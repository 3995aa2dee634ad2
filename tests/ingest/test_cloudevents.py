"""CloudEvents in their three forms over HTTP: the same event however it is wrapped."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.ingest import cloudevents
from dashboard.ingest.body import BodyError
from dashboard.ingest.schema import NewEvent, Refusal
from tests.api import Api

VECTORS = Path(__file__).parents[2].parent / "shared" / "data" / "cloudevents" / "vectors.json"
needs_shared = pytest.mark.skipif(not VECTORS.exists(), reason="the shared data is not on this machine")

ENVELOPE: dict[str, Any] = {
    "specversion": "1.0",
    "id": "c-1:accepted",
    "source": "/pbx/1",
    "type": "call.accepted",
    "time": "2026-03-02T09:00:00+01:00",
    "datacontenttype": "application/json",
    "traceparent": "00-1-1-00",
    "user": "jana",
    "queue": "support",
    "interaction": "c-1",
    "session": "s-1",
    "data": {"direction": "in", "x": 1.5},
}
OURS = {name: ENVELOPE[name] for name in ("id", "type", "user", "queue", "interaction", "session", "data")}
HEADERS = {f"ce-{name}": text for name, text in ENVELOPE.items() if name not in ("data", "datacontenttype")}


def told(body: object) -> dict[str, str]:
    [found] = cloudevents.parse_structured(json.dumps(body).encode())
    assert isinstance(found, Refusal)
    return {name: why.render() for name, why in found.errors.items()}


@needs_shared
def test_the_conformance_requests_are_taken_and_are_one_event(api: Api) -> None:
    vectors = json.loads(VECTORS.read_text())["vectors"]
    for vector in vectors:
        headers = dict(vector["headers"])
        answer = api.send(vector["body"], headers.pop("Content-Type"), headers=headers)
        assert (answer.status_code, answer.json["ids"]) == (202, [vector["attributes"]["id"]]), vector["name"]
    [found] = api.events()
    assert (found["time"], found["data"]) == ("2018-04-05T03:56:24.000Z", vectors[0]["data"])
    assert found["type"] == "custom.com.example.someevent"


@pytest.mark.parametrize(
    ("kind", "body", "headers"),
    [
        ("application/cloudevents+json", ENVELOPE, {}),
        ("application/cloudevents+json; charset=UTF-8", ENVELOPE, {}),
        ("application/cloudevents-batch+json", [ENVELOPE], {}),
        ("application/json", ENVELOPE["data"], HEADERS),
        ("application/vnd.pbx+json", ENVELOPE["data"], HEADERS),
    ],
)
def test_every_form_gives_the_same_event(api: Api, kind: str, body: object, headers: dict[str, str]) -> None:
    answer = api.send(json.dumps(body), kind, headers=headers)
    assert answer.json == {"accepted": 1, "repeated": 0, "refused": [], "ids": ["c-1:accepted"]}
    [found] = api.events()
    assert {name: found[name] for name in OURS} == OURS


def test_a_batch_keeps_its_good_events_and_names_the_others(api: Api) -> None:
    batch = [ENVELOPE, {**ENVELOPE, "id": "b", "time": None}, 7, {**ENVELOPE, "id": "d"}]
    answer = api.send(json.dumps(batch), cloudevents.BATCH)
    assert (answer.status_code, answer.json["ids"]) == (202, ["c-1:accepted", "d"])
    assert [(one["index"], list(one["errors"])) for one in answer.json["refused"]] == [
        (1, ["time"]),
        (2, ["event"]),
    ]


def test_a_header_may_be_percent_encoded_utf8_and_a_body_may_be_missing(api: Api) -> None:
    headers = {**HEADERS, "ce-user": "%C5%98eho%C5%99%20%F0%9F%98%80", "ce-type": "agent.ready"}
    assert api.send(b"", None, headers=headers).status_code == 202
    [found] = api.events()
    assert (found["user"], found["data"]) == ("Řehoř 😀", {})


@pytest.mark.parametrize(
    ("change", "errors"),
    [
        ({"specversion": "0.3"}, {"specversion": "Must be 1.0."}),
        ({"specversion": None}, {"specversion": "Must be 1.0."}),
        ({"id": ""}, {"id": "Required."}),
        ({"id": 7}, {"id": "Must be text."}),
        ({"source": None}, {"source": "Required."}),
        ({"type": None}, {"type": "Required."}),
        ({"time": None}, {"time": "Required."}),
        ({"user": True}, {"user": "Must be text."}),
        ({"user": "a\nb"}, {"user": "Must not contain control characters."}),
        ({"data": [1]}, {"data": "Must be an object."}),
        (
            {"data_base64": "AA=="},
            {"data_base64": "Binary data isn't supported. Send a JSON object in “data”."},
        ),
        ({"datacontenttype": "text/xml"}, {"datacontenttype": "Must be JSON, not text/xml."}),
        (
            {"type": "call.acepted"},
            {"type": "Unknown event type. Custom names start with “custom.”"},
        ),
    ],
)
def test_what_is_wrong_is_told_by_attribute(change: dict[str, Any], errors: dict[str, str]) -> None:
    body = {**ENVELOPE, **change}
    found = told(body)
    assert {name: found.get(name) for name in errors} == errors
    assert found.keys() - errors.keys() <= {"user", "interaction"}


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("call.accepted", "call.accepted"),
        ("custom.paid", "custom.paid"),
        ("com.example.someevent", "custom.com.example.someevent"),
        ("com.GitHub.pull-request..opened.", "custom.com.github.pull_request.opened"),
        ("Zakázka", "custom.zak_zka"),
        ("x" * 200, f"custom.{'x' * 73}"),
        ("call.acepted", "call.acepted"),
        ("", ""),
    ],
)
def test_a_foreign_type_is_kept_as_a_custom_one(given: str, kept: str) -> None:
    assert cloudevents.type_of(given) == kept


def test_the_subject_names_the_interaction_unless_an_extension_does() -> None:
    rest = {name: value for name, value in ENVELOPE.items() if name != "interaction"}
    found = [
        cloudevents.parse_structured(json.dumps({**each, "subject": "t-7"}).encode())[0]
        for each in (rest, ENVELOPE)
    ]
    assert [one.interaction for one in found if isinstance(one, NewEvent)] == ["t-7", "c-1"]


def test_a_broken_header_or_body_in_binary_mode_is_told(api: Api) -> None:
    answer = api.send(b"{}", headers={**HEADERS, "ce-user": "%FF%00"})
    assert (answer.status_code, list(answer.json["refused"][0]["errors"])) == (422, ["user"])
    assert api.send(b"{", headers=HEADERS).status_code == 400
    answer = api.send(b"<a/>", "text/xml", headers=HEADERS)
    assert answer.status_code == 400


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@given(st.dictionaries(st.sampled_from([*ENVELOPE, "data_base64", "subject", "x"]), JSON) | JSON)
def test_any_envelope_ends_in_an_event_or_named_errors(value: object) -> None:
    try:
        [found] = cloudevents.parse_structured(
            json.dumps({**ENVELOPE, **value} if isinstance(value, dict) else value).encode()
        )
    except BodyError:
        return
    assert isinstance(found, NewEvent) or found.errors


@given(st.binary(max_size=40), st.sampled_from(["parse_structured", "parse_batch"]))
def test_any_bytes_end_in_outcomes_or_a_body_error(body: bytes, parse: str) -> None:
    try:
        found = getattr(cloudevents, parse)(body)
    except BodyError:
        return
    assert all(isinstance(one, Refusal) for one in found)
