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
from tests.ingest.envelope import ENVELOPE, HEADERS, OURS

VECTORS = Path(__file__).parents[2].parent / "shared" / "data" / "cloudevents" / "vectors.json"
pytestmark = pytest.mark.both_databases
needs_shared = pytest.mark.skipif(not VECTORS.exists(), reason="the shared data is not on this machine")


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
    assert (found["id"], found["time"]) == ("1234-1234-1234", "2018-04-05T03:56:24.000Z")
    assert (found["data"], found["cloudevent"]) == (vectors[0]["data"], vectors[0]["attributes"])
    assert found["type"] == "custom.com.example.someevent"


@needs_shared
def test_each_conformance_request_is_stored_with_its_attributes_and_data(api: Api) -> None:
    vectors = json.loads(VECTORS.read_text())["vectors"]
    for number, vector in enumerate(vectors):
        own = f"1234-{number}"
        headers = {name: text.replace("1234-1234-1234", own) for name, text in vector["headers"].items()}
        body = vector["body"].replace("1234-1234-1234", own)
        assert api.send(body, headers.pop("Content-Type"), headers=headers).json["accepted"] == 1
    assert [(one["cloudevent"], one["data"]) for one in api.events()] == [
        ({**vector["attributes"], "id": f"1234-{number}"}, vector["data"])
        for number, vector in enumerate(vectors)
    ]


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
    attributes = {name: ENVELOPE[name] for name in ENVELOPE if name not in OURS or name in ("id", "type")}
    assert found["cloudevent"] | {"datacontenttype": ""} == attributes | {"datacontenttype": ""}
    assert found["cloudevent"]["datacontenttype"] in (kind, ENVELOPE["datacontenttype"])
    assert found["time_of_arrival"] is False


def test_events_of_two_sources_with_one_id_are_two_events(api: Api) -> None:
    sources = ["/site/a", "/site/b", "/site/a"]
    batch = [
        {**ENVELOPE, "source": source, "type": "task.created", "interaction": None} for source in sources
    ]
    for stored in (2, 0):
        answer = api.send(json.dumps(batch), cloudevents.BATCH).json
        assert (answer["accepted"], answer["repeated"], answer["ids"]) == (
            stored,
            3 - stored,
            ["c-1:accepted"] * 3,
        )
    found = api.events()
    assert [(one["id"], one["cloudevent"]["source"]) for one in found] == [
        ("c-1:accepted", "/site/a"),
        ("c-1:accepted", "/site/b"),
    ]
    assert len({one["interaction"] for one in found}) == 2


@needs_shared
def test_the_reported_events_of_two_sources_are_both_stored(api: Api) -> None:
    body = json.loads((VECTORS.parents[1] / "bug_cases" / "cloudevents_two_sources.json").read_text())["send"]
    assert api.send(json.dumps(body), cloudevents.BATCH).json["accepted"] == 2
    assert [one["interaction"] for one in api.events()] == ["a-1", "b-1"]


@pytest.mark.parametrize(
    ("change", "accepted"),
    [({}, 0), ({"source": "/pbx/2", "time": "2026-03-02T09:00:01+01:00"}, 1), ({"type": "call.held"}, 1)],
    ids=["the same event", "another source", "another type"],
)
def test_an_event_stored_under_its_id_alone_is_repeated_by_the_same_event_only(
    api: Api, change: dict[str, Any], accepted: int
) -> None:
    """Rows of versions that kept no source of an event; those of plain JSON are alike."""
    assert api.post({**OURS, "time": ENVELOPE["time"]}).json["accepted"] == 1
    body = json.dumps({**ENVELOPE, **change})
    for expected in (accepted, 0):
        answer = api.send(body, cloudevents.STRUCTURED).json
        assert (answer["accepted"], answer["repeated"]) == (expected, 1 - expected)


def test_an_event_without_a_time_happens_when_it_arrives(api: Api) -> None:
    body = json.dumps({name: value for name, value in ENVELOPE.items() if name != "time"})
    for accepted in (1, 0):
        assert api.send(body, cloudevents.STRUCTURED).json["accepted"] == accepted
    [found] = api.events()
    assert (found["time_of_arrival"], found["time"]) == (True, found["recorded"])
    assert "time" not in found["cloudevent"]


EXTENSIONS = {
    "comexampleextension1": "value",
    "comexampleothervalue": 5,
    "sampled": True,
    "tenant": "Řehoř 😀",
    "dataschema": "https://example.com/schema",
    "subject": "s" * 300,
}


def test_extensions_and_other_attributes_are_kept(api: Api) -> None:
    body = {**ENVELOPE, **EXTENSIONS, "unset": None}
    assert api.send(json.dumps(body), cloudevents.STRUCTURED).status_code == 202
    headers = {f"ce-{name}": f"{value}".lower() for name, value in EXTENSIONS.items() if name != "tenant"}
    headers |= {"ce-tenant": '"%C5%98eho%C5%99 \\"A\\" 😀"'.encode().decode("latin-1"), "ce-id": "b"}
    assert api.send(b"", None, headers={**HEADERS, **headers}).status_code == 202
    first, second = (one["cloudevent"] for one in api.events())
    assert {name: first[name] for name in EXTENSIONS} == EXTENSIONS
    assert "unset" not in first
    assert {name: second[name] for name in EXTENSIONS} == {
        **EXTENSIONS,
        "comexampleothervalue": "5",
        "sampled": "true",
        "tenant": 'Řehoř "A" 😀',
    }


def test_a_quoted_header_names_the_same_user(api: Api) -> None:
    for number, user in enumerate(["jana", '"jana"', '"j%61na"']):
        headers = {**HEADERS, "ce-id": str(number), "ce-user": user}
        assert api.send(b"", None, headers=headers).status_code == 202
    assert {one["user"] for one in api.events()} == {"jana"}


def test_a_batch_keeps_its_good_events_and_names_the_others(api: Api) -> None:
    batch = [ENVELOPE, {**ENVELOPE, "id": "b", "time": ""}, 7, {**ENVELOPE, "id": "d"}]
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
        ({"time": ""}, {"time": "Required."}),
        ({"time": 7}, {"time": "Must be text."}),
        ({"user": True}, {"user": "Must be text."}),
        ({"data": ["x" * 33000]}, {"data": "Must not be larger than 32768 bytes."}),
        ({"data": None, "data_base64": "AAAA" * 11000}, {"data": "Must not be larger than 32768 bytes."}),
        ({"tenant": ["x" * 66000]}, {"tenant": "Must not be larger than 32768 bytes."}),
        ({"data_base64": "AA=="}, {"data_base64": "Send either data or data_base64."}),
        ({"data": None, "data_base64": "A"}, {"data_base64": "Must be base64."}),
        ({"data": None, "data_base64": 7}, {"data_base64": "Must be text."}),
        ({"datacontenttype": 7}, {"datacontenttype": "Must be text."}),
        ({"subject": "x" * 66000}, {"event": "Must not be larger than 65536 bytes."}),
        ({f"x{n}": n for n in range(201)}, {"event": "Must not have more than 200 keys."}),
        ({"x": float("inf")}, {"event": "Must contain only finite numbers; integers up to 64 bits."}),
        ({"x": 2**64}, {"x": "Must contain only finite numbers; integers up to 64 bits."}),
        (
            {"type": "call.acepted"},
            {"type": "Unknown event type. Custom names start with “custom.”"},
        ),
    ],
)
def test_errors_name_the_attribute(change: dict[str, Any], errors: dict[str, str]) -> None:
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


def test_broken_header_or_body_in_binary_mode_is_reported(api: Api) -> None:
    answer = api.send(b"{}", headers={**HEADERS, "ce-user": "%FF"})
    assert (answer.status_code, list(answer.json["refused"][0]["errors"])) == (422, ["user"])
    assert api.send(b"{", headers=HEADERS).status_code == 400
    answer = api.send(b"", headers={**HEADERS, "ce-tenant": "%FF", "ce-data": "x"})
    assert {one: why[:20] for one, why in answer.json["refused"][0]["errors"].items()} == {
        "tenant": "Must not contain NUL",
        "data": "Unknown field.",
    }


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
