"""The data of CloudEvents is kept whatever it is: JSON of every kind, text, XML, bytes."""

from __future__ import annotations

import json

import pytest

from dashboard.ingest import cloudevents
from dashboard.jobs import worker
from tests.api import Api
from tests.ingest.envelope import ENVELOPE, HEADERS

pytestmark = pytest.mark.both_databases


@pytest.mark.parametrize(
    "value", [1.5, 7, "text", "<a/>", "", True, False, None, [1, "a"], [], {"a": [1]}, {}], ids=repr
)
def test_data_of_every_kind_of_json_is_kept(api: Api, value: object) -> None:
    given = {**ENVELOPE, "type": "custom.x", "data": value}
    assert api.send(json.dumps(given), cloudevents.STRUCTURED).json["accepted"] == 1
    headers = {**HEADERS, "ce-type": "custom.x", "ce-id": "b"}
    assert api.send(json.dumps(value), headers=headers).json["accepted"] == 1
    worker.drain()
    assert [one["data"] for one in api.events()] == [value, value]


@pytest.mark.parametrize(
    ("media", "body", "data", "coded"),
    [
        ("text/plain", "čau".encode(), "čau", None),
        ("text/plain; charset=iso-8859-2", "čau".encode("iso-8859-2"), "čau", None),
        ("text/xml", b"<a/>", "<a/>", None),
        ("application/soap+xml; charset=utf-8", b"<a/>", "<a/>", None),
        ("application/octet-stream", b"\x00\xff", {}, "AP8="),
        ("image/png", b"\x89PNG", {}, "iVBORw=="),
        ("text/plain; charset=klingon", b"abc", {}, "YWJj"),
        ("text/plain", b"\xff", {}, "/w=="),
        (None, b"[1]", [1], None),
        (None, b"\xff", {}, "/w=="),
        ("application/vnd.pbx+json", b" [1] ", [1], None),
    ],
)
def test_data_of_other_content_types_is_kept(
    api: Api, media: str | None, body: bytes, data: object, coded: str | None
) -> None:
    headers = {**HEADERS, "ce-type": "custom.x"}
    assert api.send(body, media, headers=headers).json["accepted"] == 1
    envelope = {**ENVELOPE, "id": "b", "type": "custom.x", "datacontenttype": media}
    member = {"data": data} if coded is None else {"data_base64": coded, "data": None}
    body = json.dumps({**envelope, **member}).encode()
    assert api.send(body, cloudevents.STRUCTURED).json["accepted"] == 1
    worker.drain()
    for found in api.events():
        attributes = found["cloudevent"]
        assert (found["data"], attributes.get("data_base64")) == (data, coded)
        assert attributes.get("datacontenttype") == media


def test_text_that_no_database_keeps_is_cleaned(api: Api) -> None:
    given = {**ENVELOPE, "user": "ja\0na", "tenant": "a\0", "data": "\0b"}
    halves = {**ENVELOPE, "id": "b", "tenant": "a\ud800", "data": "\udc00b"}
    for each in (given, halves):
        assert api.send(json.dumps(each), cloudevents.STRUCTURED).json["accepted"] == 1
    worker.drain()
    for found in api.events():
        assert (found["user"], found["cloudevent"]["tenant"], found["data"]) == ("jana", "a\ufffd", "\ufffdb")


def test_json_in_base64_is_data_where_its_content_type_says_so(api: Api) -> None:
    given = {**ENVELOPE, "data": None, "data_base64": "eyJkaXJlY3Rpb24iOiJpbiJ9"}
    assert api.send(json.dumps(given), cloudevents.STRUCTURED).json["accepted"] == 1
    [found] = api.events()
    assert (found["data"], "data_base64" in found["cloudevent"]) == ({"direction": "in"}, False)
