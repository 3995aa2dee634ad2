"""Bodies made to break the server: each gets the answer of the table on both databases, never a 5xx."""

from __future__ import annotations

import gzip
import json
import zlib
from typing import NamedTuple

import pytest

from dashboard.models import Event
from tests.api import Api, custom

pytestmark = pytest.mark.both_databases

JSON, LINES, FORM = "application/json", "application/x-ndjson", "application/x-www-form-urlencoded"
CLOUD, CLOUDS = "application/cloudevents+json", "application/cloudevents-batch+json"
GOOD = json.dumps(custom()).encode()
MB = 1024 * 1024


class Body(NamedTuple):
    """What is posted, and the status of the answer: 202 where an event is stored, 422 where none is."""

    status: int
    body: bytes
    kind: str | None = JSON
    headers: dict[str, str] = {}  # noqa: RUF012


def event(**fields: object) -> bytes:
    return json.dumps(custom(**fields)).encode()


def with_data(text: bytes) -> bytes:
    return GOOD[:-1] + b', "data": ' + text + b"}"


def parts(count: int) -> bytes:
    part = b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n'
    return part * count + b"--x--\r\n"


MULTIPART = "multipart/form-data; boundary=x"
XML = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "%s">]><a>&b;</a>'
BINARY = {
    "ce-specversion": "1.0",
    "ce-type": "custom.seen",
    "ce-source": "pbx",
    "ce-id": "1",
    "ce-time": "2026-03-02T09:00:00Z",
}
BODIES = {
    # Nesting
    "100,000 brackets": Body(400, b"[" * 100_000),
    "100,000 objects": Body(400, b'{"a":' * 100_000),
    "60,000 closed brackets in data": Body(400, with_data(b"[" * 60_000 + b"]" * 60_000)),
    "5,000 objects in data": Body(400, with_data(b'{"a":' * 5_000 + b"1" + b"}" * 5_000)),
    "brackets by turns": Body(400, b'[{"a":' * 50_000),
    "brackets in a line": Body(400, b"[" * 100_000, LINES),
    "brackets in an envelope": Body(400, b"[" * 100_000, CLOUD),
    "brackets in a batch of envelopes": Body(400, b"[" * 100_000, CLOUDS),
    # Size
    "11 MB of blanks": Body(413, b" " * 11 * MB),
    "11 MB of one text": Body(413, event(user="x" * 11 * MB)),
    "10,001 events": Body(400, b"[" + b",".join([GOOD] * 10_001) + b"]"),
    "10,001 lines": Body(400, b"\n".join([GOOD] * 10_001), LINES),
    "a text of 1 MB": Body(422, event(user="x" * MB)),
    "an id of 100,000 letters": Body(422, event(id="x" * 100_000)),
    "a key of 40,000 letters": Body(422, event(data={"k" * 40_000: 1})),
    "20,000 keys": Body(422, event(data={str(n): n for n in range(20_000)})),
    "a type of 10,000 letters": Body(422, event(type="a" * 10_000)),
    # Packed
    "gzip": Body(415, gzip.compress(GOOD), JSON, {"Content-Encoding": "gzip"}),
    "a gzip bomb": Body(415, gzip.compress(b"0" * 20 * MB), JSON, {"Content-Encoding": "gzip"}),
    "deflate": Body(415, zlib.compress(GOOD), JSON, {"Content-Encoding": "deflate"}),
    "brotli": Body(415, b"\x0b\x02\x80", JSON, {"Content-Encoding": "br"}),
    "two encodings": Body(415, gzip.compress(GOOD), JSON, {"Content-Encoding": "gzip, gzip"}),
    "gzip that nothing announces": Body(400, gzip.compress(GOOD)),
    # Numbers
    "6,000 digits": Body(422, with_data(b'{"a": ' + b"9" * 6_000 + b"}")),
    "6,000 digits as a whole": Body(422, b"9" * 6_000),
    "an exponent of 9 digits": Body(422, with_data(b'{"a": 1e999999999}')),
    "not a number": Body(422, with_data(b'{"a": NaN}')),
    "an infinite number": Body(422, with_data(b'{"a": -Infinity}')),
    "a number as a name": Body(422, event(user=5)),
    "a time in the year 10000": Body(422, event(time="10000-01-01T00:00:00Z")),
    "a time before 1970": Body(422, event(time="1969-12-31T23:59:59Z")),
    "a time as a huge number": Body(422, event(time=10**400)),
    # Letters
    "bad UTF-8": Body(400, GOOD.replace(b"seen", b"s\xffen")),
    "overlong UTF-8": Body(400, GOOD.replace(b"seen", b"s\xc0\xafen")),
    "UTF-16": Body(400, GOOD.decode().encode("utf-16")),
    "UTF-32": Body(400, GOOD.decode().encode("utf-32")),
    "a byte order mark": Body(400, b"\xef\xbb\xbf" + GOOD),
    "another charset": Body(202, GOOD, "application/json; charset=utf-16"),
    "half a surrogate pair": Body(
        202, b'{"type":"custom.seen","time":"2026-03-02T09:00:00Z","user":"\\ud800"}'
    ),
    "half a pair in data": Body(202, with_data(b'{"a": "\\udc00"}')),
    "NUL in an id": Body(422, event(id="a\0b")),
    "NUL in a type": Body(422, event(type="custom.\0")),
    "NUL in data": Body(202, event(data={"a": "b\0"})),
    "NUL bytes": Body(400, b"\0" * 1000),
    "line breaks in an id": Body(422, event(id="a\r\nERROR forged")),
    "letters that turn the direction": Body(202, event(user="\u202egro.elpmaxe")),
    # Forms of JSON
    "empty": Body(400, b""),
    "null": Body(422, b"null"),
    "a text": Body(422, b'"custom.seen"'),
    "an array of arrays": Body(422, b"[[[]]]"),
    "a key twice": Body(202, GOOD[:-1] + b', "type": "custom.other"}'),
    "a comment": Body(400, GOOD + b" // ok"),
    "two documents": Body(400, GOOD + GOOD),
    "an object that is cut": Body(400, GOOD[:-1]),
    "keys of the prototype": Body(202, event(data={"__proto__": {"admin": True}, "constructor": 1})),
    "columns of the table": Body(422, event(source_id=1, recorded_ms=0)),
    # Other kinds
    "XML with entities": Body(415, XML % b"x", "application/xml"),
    "XML as JSON": Body(400, XML % b"x"),
    "a form": Body(415, b"type=custom.seen", FORM),
    "2,000 parts": Body(413, parts(2_000), MULTIPART),
    "no kind": Body(415, GOOD, None),
    "a binary envelope of brackets": Body(400, b"[" * 100_000, JSON, BINARY),
    "an envelope with a bad version": Body(422, event(specversion="9.9"), CLOUD),
    "an envelope of bad base64": Body(
        422,
        json.dumps(
            {"specversion": "1.0", "id": "1", "source": "a", "type": "custom.seen", "data_base64": "!"}
        ).encode(),
        CLOUD,
    ),
}


def test_each_hostile_body_gets_its_answer_and_a_reason(api: Api) -> None:
    found = {}
    for name, one in BODIES.items():
        before = Event.select().count()
        answer = api.send(one.body, one.kind, headers=one.headers)
        found[name] = answer.status_code
        stored = Event.select().count() - before
        assert (stored > 0) == (answer.status_code == 202), name
        if answer.status_code >= 400:
            said = answer.json
            assert said.get("detail") or said.get("errors") or said.get("refused"), name
            assert len(answer.data) < 20_000, name
    assert found == {name: one.status for name, one in BODIES.items()}


def test_after_the_attack_an_ordinary_event_is_taken(api: Api) -> None:
    api.send(b"[" * 100_000)
    assert api.post(custom("a")).status_code == 202


PAGES = {  # what a stranger may post to the one form that is open to all
    "parts of a form": ("/sign-in", parts(2_000), MULTIPART, 413),
    "a form of 1 MB": ("/sign-in", b"login=" + b"x" * MB, FORM, 413),
    "2,000 fields": ("/sign-in", b"&".join(b"a%d=1" % n for n in range(2_000)), FORM, 422),
    "a form of 11 MB": ("/sign-in", b"login=" + b"x" * 11 * MB, FORM, 413),
    "JSON for a form": ("/sign-in", GOOD, JSON, 422),
    "a part without an end": ("/sign-in", parts(1)[:-8], MULTIPART, 422),
    "no boundary": ("/sign-in", parts(1), "multipart/form-data", 422),
    "bad UTF-8 in a form": ("/sign-in", b"login=%ff%fe&password=%00", FORM, 400),
}


@pytest.mark.parametrize("name", PAGES)
def test_a_hostile_form_is_refused(api: Api, name: str) -> None:
    path, body, kind, wanted = PAGES[name]
    assert api.client.post(path, data=body, content_type=kind).status_code == wanted
