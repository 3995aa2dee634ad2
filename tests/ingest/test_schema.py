"""The pure half of the gate: what is an event, and what is told about one that is not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dashboard.ingest.schema import NewEvent, Refusal, parse_json

SHARED = Path(__file__).parents[2].parent / "shared" / "data"
needs_shared = pytest.mark.skipif(not SHARED.exists(), reason="the shared data is not on this machine")

GOOD = {"type": "call.accepted", "time": "2026-03-02T09:00:00+01:00", "user": "jana", "interaction": "c-1"}
PAUSE = {"type": "agent.pause_started", "time": "2026-03-02T09:00:00Z", "user": "jana"}
CUSTOM = {"type": "custom.paid", "time": "2026-03-02T09:00:00Z"}


def one(event: object) -> NewEvent | Refusal:
    [found] = parse_json(json.dumps(event).encode())
    return found


def told(found: NewEvent | Refusal) -> dict[str, str]:
    assert isinstance(found, Refusal)
    return {name: why.render() for name, why in found.errors.items()}


def test_an_event_keeps_every_part_and_its_data_as_it_came():
    body = (
        b'{"id": "c-1842:accepted", "type": "call.accepted", "time": "2026-03-02T09:00:00.1239+01:00",'
        b'"user": "jana", "queue": "support", "interaction": "c-1842", "session": null,'
        b'"contact": {"name": "\xc5\x98eh\xc5\x99", "phone": "+420", "email": null},'
        b'"data": { "direction":"in",  "x": 1.50 }}'
    )
    assert parse_json(body) == [
        NewEvent(
            id="c-1842:accepted",
            type="call.accepted",
            time_ms=1772438400123,
            user="jana",
            queue="support",
            interaction="c-1842",
            contact={"name": "Řehř", "phone": "+420"},
            session=None,
            data='{ "direction":"in",  "x": 1.50 }',
            seq=0,
        )
    ]


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ({"contact": {"name": "Jan\tNov\x16ák\r\n"}}, {"contact": {"name": "Jan Novák"}}),
        ({"contact": {"name": "Jan\x0bNovák"}}, {"contact": {"name": "Jan Novák"}}),
        ({"contact": {"phone": "\x00"}}, {"contact": None}),
        ({"user": "jana\x0b"}, {"user": "jana"}),
        ({"queue": "a\u0000"}, {"queue": "a"}),
        ({"session": "\ud800"}, {"session": None}),
        ({"interaction": "c\x7f-1\udc00"}, {"interaction": "c-1"}),
        ({"data": {"note": "a\u0000b\x0bc"}}, {"data": '{"note":"a\ufffdb\\u000bc"}'}),
        ({"data": {"\udc00": [1, {"a": "\ud800"}]}}, {"data": '{"\ufffd":[1,{"a":"\ufffd"}]}'}),
        ({"user": "x" * 119 + "\x00\x00"}, {"user": "x" * 119}),
    ],
)
def test_control_characters_are_taken_out_and_the_event_is_kept(given, kept):
    found = one({**CUSTOM, **given})
    assert isinstance(found, NewEvent), found
    assert {name: getattr(found, name) for name in kept} == kept


@pytest.mark.parametrize(
    ("time", "ms"),
    [
        pytest.param("1970-01-01T00:00:00Z", 0, id="the first instant"),
        pytest.param("1970-01-01T01:00:00+01:00", 0, id="the first instant elsewhere"),
        pytest.param("2100-12-31T23:59:59.999Z", 4133980799999, id="the last instant"),
        pytest.param("2026-03-02t09:00:00z", 1772442000000, id="small letters"),
        pytest.param("2026-03-02 09:00:00-05:30", 1772461800000, id="a space and half an hour"),
        pytest.param("2026-03-02T09:00:00.999999999Z", 1772442000999, id="a fraction is cut, not rounded"),
        pytest.param("2016-12-31T23:59:60Z", 1483228799000, id="the leap second is the second before"),
    ],
)
def test_a_time_is_rfc3339_with_an_offset(time, ms):
    found = one({**CUSTOM, "time": time})
    assert isinstance(found, NewEvent)
    assert found.time_ms == ms


@pytest.mark.parametrize(
    ("time", "why"),
    [
        pytest.param("2026-03-02T09:00:00", "UTC offset required, such as Z or +01:00.", id="civil time"),
        pytest.param("1969-12-31T23:59:59Z", "years 1970 and 2100", id="before 1970"),
        pytest.param("2101-01-01T00:00:00Z", "years 1970 and 2100", id="after 2100"),
        pytest.param("0001-01-01T00:00:00+14:00", "years 1970 and 2100", id="year 1 ahead of UTC"),
        pytest.param("9999-12-31T23:59:59-14:00", "years 1970 and 2100", id="year 9999 behind UTC"),
        pytest.param("2026-02-29T09:00:00Z", "such as", id="no such day"),
        pytest.param("2026-03-02T24:00:00Z", "such as", id="no such hour"),
        pytest.param("2026-03-02T09:00:00+24:00", "such as", id="no such offset"),
        pytest.param("2026-W10-1T09:00:00Z", "such as", id="a week date"),
        pytest.param("20260302T090000Z", "such as", id="without separators"),
        pytest.param("٢٠٢٦-03-02T09:00:00Z", "such as", id="digits outside 0-9"),
        pytest.param("2026-03-02T09:00:00Z\n", "such as", id="a line break after it"),
        pytest.param("1772438400", "such as", id="an epoch number"),
        pytest.param("", "Required", id="empty"),
        pytest.param(1772438400, "Must be text", id="a number"),
        pytest.param(None, "Required", id="null"),
    ],
)
def test_any_other_time_is_refused_by_name(time, why):
    errors = told(one({**CUSTOM, "time": time}))
    assert list(errors) == ["time"]
    assert why in errors["time"]


WRONG = [
    pytest.param(
        {**CUSTOM, "type": "call.acepted"}, {"type": "Unknown event type"}, id="type not in the catalogue"
    ),
    pytest.param(
        {**CUSTOM, "type": "auth.signed_in"},
        {"type": "This event type is recorded by Stopa itself."},
        id="our own act",
    ),
    pytest.param(
        {**CUSTOM, "type": "import.run"},
        {"type": "This event type is recorded by Stopa itself."},
        id="alias of an act",
    ),
    pytest.param(
        {**CUSTOM, "type": "ticket.idle", "interaction": "1"},
        {"type": "This event type is recorded by Stopa itself."},
        id="timer",
    ),
    pytest.param(
        {**CUSTOM, "type": "agent.break_started", "user": "jana"}, {"data.pause": "Required"}, id="alias"
    ),
    pytest.param({**CUSTOM, "type": "cobrowse.joined"}, {"session": "Required"}, id="no session"),
    pytest.param({**CUSTOM, "type": ["a"]}, {"type": "Must be text"}, id="type no text"),
    pytest.param({}, {"type": "Required", "time": "Required"}, id="nothing given"),
    pytest.param({**CUSTOM, "kind": 1}, {"kind": "Unknown field"}, id="unknown field"),
    pytest.param({**CUSTOM, "id": "x" * 201}, {"id": "at most 200"}, id="id too long"),
    pytest.param({**CUSTOM, "id": "a\x1bb"}, {"id": "control characters"}, id="control character in an id"),
    pytest.param({**CUSTOM, "user": "x" * 121}, {"user": "at most 120"}, id="user too long"),
    pytest.param({**CUSTOM, "user": 7}, {"user": "Must be text"}, id="user no text"),
    pytest.param({**GOOD, "user": "\x0b\ud800"}, {"user": "Required"}, id="nothing but control characters"),
    pytest.param({**CUSTOM, "contact": "Petr"}, {"contact": "an object"}, id="contact no object"),
    pytest.param({**CUSTOM, "contact": {"fax": "1"}}, {"contact.fax": "Unknown field"}, id="contact field"),
    pytest.param(
        {**CUSTOM, "contact": {"phone": "1" * 61}}, {"contact.phone": "at most 60"}, id="phone long"
    ),
    pytest.param({**CUSTOM, "contact": {"name": 5}}, {"contact.name": "Must be text"}, id="name no text"),
    pytest.param({**CUSTOM, "data": []}, {"data": "an object"}, id="data a list"),
    pytest.param({**CUSTOM, "data": "x"}, {"data": "an object"}, id="data a text"),
    pytest.param({**CUSTOM, "data": {"x": "y" * 32768}}, {"data": "32768 bytes"}, id="data too large"),
    pytest.param({**CUSTOM, "data": {"x": 2**63}}, {"data": "64 bits"}, id="integer beyond 64 bits"),
    pytest.param({**CUSTOM, "data": {"x": float("nan")}}, {"data": "finite"}, id="NaN"),
    pytest.param({**CUSTOM, "data": {str(n): n for n in range(201)}}, {"data": "200 keys"}, id="201 keys"),
    pytest.param({**GOOD, "user": None}, {"user": "Required"}, id="accepted by nobody"),
    pytest.param({**GOOD, "user": ""}, {"user": "Required"}, id="accepted by an empty name"),
    pytest.param({**GOOD, "user": " \u3000"}, {"user": "Required"}, id="accepted by a blank name"),
    pytest.param({**GOOD, "interaction": None}, {"interaction": "Required"}, id="call without interaction"),
    pytest.param(
        {**GOOD, "data": {"direction": "up"}}, {"data.direction": "in, out, internal"}, id="direction"
    ),
    pytest.param({**GOOD, "data": {"wait_s": -1}}, {"data.wait_s": "whole number"}, id="negative seconds"),
    pytest.param({**GOOD, "data": {"wait_s": 1.5}}, {"data.wait_s": "whole number"}, id="half a second"),
    pytest.param({**GOOD, "data": {"wait_s": True}}, {"data.wait_s": "whole number"}, id="seconds as yes"),
    pytest.param({**GOOD, "data": {"wait_s": 10**12}}, {"data.wait_s": "whole number"}, id="seconds of ages"),
    pytest.param(
        {**GOOD, "data": {"connected": 1}}, {"data.connected": "true or false"}, id="yes as a number"
    ),
    pytest.param(PAUSE, {"data.pause": "Required"}, id="pause without a name"),
    pytest.param({**PAUSE, "data": {"pause": 3}}, {"data.pause": "Must be text"}, id="pause name no text"),
    pytest.param({**PAUSE, "data": {"pause": "a", "paid": "no"}}, {"data.paid": "true or false"}, id="paid"),
    pytest.param(
        {**CUSTOM, "type": "chat.queued", "interaction": "1", "data": {"channel": "Web Chat"}},
        {"data.channel": "Must be a lowercase word of up to 20 letters."},
        id="channel no word",
    ),
    pytest.param("text", {"event": "an object"}, id="not an object"),
    pytest.param(
        {**GOOD, "user": 1, "time": "x", "kind": 1, "data": {"wait_s": "9"}},
        {"user": "Must be text", "time": "such as", "kind": "Unknown field", "data.wait_s": "whole number"},
        id="all errors at once",
    ),
]


@pytest.mark.parametrize(("event", "errors"), WRONG)
def test_errors_name_the_field_alone_and_among_valid_events(event, errors):
    good = json.dumps(CUSTOM)
    for index, body in ((0, json.dumps(event)), (1, f"[{good}, {json.dumps(event)}, {good}]")):
        found = parse_json(body.encode())
        assert [type(each) for each in found].count(NewEvent) == len(found) - 1
        assert found[index].index == index
        why = told(found[index])
        assert why.keys() == errors.keys()
        assert all(part in why[name] for name, part in errors.items())


@pytest.mark.parametrize(
    "extra",
    [
        pytest.param({"data": {"x": 2**63 - 1, "y": -(2**63)}}, id="64-bit integers"),
        pytest.param(
            {"data": {"x": "0" * 40, "y": 0.1234567890123456789}}, id="many digits that are no integer"
        ),
        pytest.param({"data": {"text": "\\u0000 {{{{[[[[{{{{[[[[{{{{[[[[:::"}}, id="text that looks deep"),
        pytest.param({"data": {str(n): n for n in range(200)}}, id="200 keys"),
        pytest.param({"data": None, "user": None, "contact": {}, "session": ""}, id="null is absent"),
        pytest.param({"user": "山田　太郎", "queue": "Péče 🙂"}, id="names in any script"),
        pytest.param(
            {"type": "chat.queued", "interaction": "1", "data": {"channel": "telegram"}}, id="channel"
        ),
        pytest.param(
            {"type": "ticket.updated", "user": "a", "interaction": "1", "data": {"number": 7}}, id="no."
        ),
        pytest.param({"type": "call.closed", "interaction": "1"}, id="closed by nobody"),
        pytest.param({"type": "survey.answered", "data": {"rating": 4.5}}, id="half a point"),
        pytest.param({"type": "article.created", "data": {"keywords": ["a", "b"]}}, id="a list of texts"),
        pytest.param({"type": "article.created", "data": {"keywords": "a"}}, id="one text for a list"),
        pytest.param({"type": "visit.started", "data": {"triggers": [], "country": None}}, id="a visit"),
        pytest.param({"id": "x" * 200, "user": "u" * 120, "session": "s" * 200}, id="the longest names"),
    ],
)
def test_what_is_within_the_limits_is_kept(extra):
    found = one({**CUSTOM, **extra})
    assert isinstance(found, NewEvent), told(found)
    assert json.loads(found.data) == (extra.get("data") or {})


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ("call.answered", "call.accepted"),
        ("agent.break_started", "agent.pause_started"),
        ("call.accepted", "call.accepted"),
        ("custom.paid", "custom.paid"),
    ],
)
def test_a_type_is_stored_under_the_catalogues_own_name(sent, stored):
    found = one({**GOOD, "type": sent, "data": {"pause": "Lunch"}})
    assert isinstance(found, NewEvent), told(found)
    assert found.type == stored


@pytest.mark.parametrize(("depth", "kept"), [(20, True), (21, False)])
def test_data_is_nested_at_most_20_levels(depth, kept):
    inner = "[" * (depth - 1) + "]" * (depth - 1)
    [found] = parse_json(json.dumps(CUSTOM)[:-1].encode() + f', "data": {{"x": {inner}}}}}'.encode())
    assert isinstance(found, NewEvent) is kept


@pytest.mark.parametrize(
    ("type_", "data"),
    [
        ("survey.answered", {"rating": "4"}),
        ("article.created", {"keywords": ["a", 1]}),
        ("ticket.updated", {"priority": 2.5, "tags": "vip", "title": 7}),
        ("call.closed", {"ended_by": "caller", "reason": ["busy"]}),
    ],
)
def test_fields_that_no_figure_hangs_on_are_kept_as_they_came(type_, data):
    found = one({**GOOD, "type": type_, "data": data})
    assert isinstance(found, NewEvent)
    assert json.loads(found.data) == data
