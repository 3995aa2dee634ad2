"""Whole bodies at the gate: what cannot be read at all, lines of JSON, and bytes meant to break it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dashboard.ingest import body as bodies
from dashboard.ingest import data, schema
from dashboard.ingest.schema import BodyError, NewEvent, Refusal, parse_json, parse_ndjson
from tests.ingest.test_schema import CUSTOM, one

SHARED = Path(__file__).parents[2].parent / "shared" / "data"
needs_shared = pytest.mark.skipif(not SHARED.exists(), reason="the shared data is not on this machine")

BODIES = [
    pytest.param(b"", id="empty"),
    pytest.param(b" \n", id="blank"),
    pytest.param(b"{", id="cut"),
    pytest.param(b'[{"type": "a"}', id="array cut"),
    pytest.param(b'[{"type": "a"} {"type": "b"}]', id="no comma"),
    pytest.param(b'[{"type": "a"},]', id="comma too many"),
    pytest.param(b'[{"type": 1}] x', id="something after it"),
    pytest.param(b"\xff\xfe{\x00}\x00", id="UTF-16"),
    pytest.param(b'{"type": "\xff"}', id="bad UTF-8"),
    pytest.param(b"[" * 100_000, id="100,000 brackets"),
    pytest.param(b'{"data":' * 100_000, id="100,000 objects"),
    pytest.param(b'[{"data":' + b"[" * 100_000 + b"]" * 100_000 + b"}]", id="deep and closed"),
    pytest.param(b"[" + b",".join([b"{}"] * (bodies.MAX_EVENTS + 1)) + b"]", id="too many events"),
    pytest.param(b"[" + b",".join([b"1"] * (bodies.MAX_EVENTS + 1)) + b"]", id="too many numbers"),
]


@pytest.mark.parametrize("body", BODIES)
def test_a_body_that_cannot_be_read_is_refused_as_a_whole(body):
    with pytest.raises(BodyError) as caught:
        parse_json(body)
    assert caught.value.message.render()


def test_huge_numbers_and_many_keys_are_refused_alone():
    good = json.dumps(CUSTOM)
    digits = good[:-1] + ', "data": {"x": ' + "9" * 6000 + "}}"
    keys = good[:-1] + ', "data": {' + ",".join(f'"{n}":1' for n in range(20_000)) + "}}"
    top = good[:-1] + "," + ",".join(f'"{n}":1' for n in range(20_000)) + "}"
    found = parse_json(f"[{good},{digits},{keys},{top}]".encode())
    assert [isinstance(each, NewEvent) for each in found] == [True, False, False, False]
    assert list(found[1].errors) == list(found[2].errors) == ["data"]
    assert len(found[3].errors) == schema.MAX_ERRORS


def test_json_lines_are_numbered_and_a_bad_one_is_refused_alone():
    good = json.dumps(CUSTOM).encode()
    found = parse_ndjson(b"\n" + good + b"\r\n\n{cut\n" + b'{"type": "custom.x"}\n' + good)
    assert [isinstance(each, NewEvent) for each in found] == [True, False, False, True]
    assert [(each.index, each.line, *each.errors) for each in found[1:3]] == [(1, 4, "event"), (2, 5, "time")]


@pytest.mark.parametrize("body", [b"", b"\n\n", b"no json\nat all", b"\n".join([b"1"] * 10_001)])
def test_json_lines_without_any_json_are_no_body(body):
    with pytest.raises(BodyError):
        parse_ndjson(body)


def test_a_message_is_put_into_words_by_the_readers_language():
    refusal = parse_json(json.dumps({**CUSTOM, "data": {"x": "y" * 32768}}).encode())[0]
    czech = {data.TOO_LARGE: "Nejvýše %(limit)s bajtů."}
    assert refusal.errors["data"].render(czech.__getitem__) == "Nejvýše 32768 bajtů."
    assert refusal.text(czech.__getitem__) == "data: Nejvýše 32768 bajtů."


@given(st.binary(max_size=300))
def test_any_bytes_end_in_events_refusals_or_a_body_error(body):
    for parse in (parse_json, parse_ndjson):
        try:
            found = parse(body)
        except BodyError:
            continue
        assert all(isinstance(each, NewEvent | Refusal) for each in found)


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(alphabet=st.characters(categories=None)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
NAMES = st.sampled_from(schema.Event.__struct_fields__)


@settings(max_examples=150)
@given(st.dictionaries(NAMES | st.text(max_size=4), VALUES, max_size=6))
def test_any_object_is_accepted_and_storable_or_refused_with_a_reason(fields):
    for event in (fields, {**CUSTOM, **fields}):
        found = one(event)
        if isinstance(found, Refusal):
            assert found.errors
            continue
        texts = [found.id, found.user, found.queue, found.interaction, found.session, found.data]
        assert all("\x00" not in text for text in texts if text is not None)
        assert all(text.encode() is not None for text in texts if text is not None)
        assert json.loads(found.data) == (event.get("data") or {})


@needs_shared
@pytest.mark.parametrize("kind", ["y", "n", "i"])
def test_no_file_of_the_json_test_suite_is_an_event_or_an_accident(kind):
    files = sorted((SHARED / "json_parsing").glob(f"{kind}_*.json"))
    assert files
    for file in files:
        body = file.read_bytes()
        for wrapped in (
            body,
            b'[{"type":"custom.x","time":"2026-01-01T00:00:00Z","data":{"x":' + body + b"}}]",
        ):
            try:
                found = parse_json(wrapped)
            except BodyError:
                assert kind != "y", file.name
                continue
            if kind == "n":
                assert not any(isinstance(each, NewEvent) for each in found), file.name
            if kind == "y" and wrapped is not body:
                assert len(found) == 1, file.name


@needs_shared
def test_naughty_strings_are_kept_as_they_came_but_for_control_characters():
    for text in json.loads((SHARED / "naughty_strings" / "blns.json").read_text()):
        found = one({**CUSTOM, "user": text[:120], "contact": {"name": text[:200]}, "data": {"note": text}})
        assert isinstance(found, NewEvent)
        assert json.loads(found.data) == {"note": text}
        clean = not any(ord(letter) < 32 or ord(letter) == 127 for letter in text[:120])
        assert (found.user == (text[:120] or None)) is clean
