"""POST /api/v1/events: what is taken, what is refused and how, and that twice is once."""

from __future__ import annotations

import gzip
import json
import random
from concurrent.futures import ThreadPoolExecutor

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from flask_babel import force_locale, gettext

from dashboard.access import keys
from dashboard.db import database
from dashboard.ingest.body import MAX_EVENTS
from dashboard.ingest.times import NO_OFFSET
from dashboard.models import ApiKey, Event, Job, Queue, User
from tests.api import Api, custom

NOW = "2026-03-02T12:00:00Z"
CALL = {
    "id": "c-1842:accepted",
    "type": "call.accepted",
    "time": "2026-03-02T09:00:00+01:00",
    "user": "jana",
    "queue": "support",
    "interaction": "c-1842",
    "contact": {"name": "Řehoř", "phone": "+420 601 000 000"},
    "session": None,
    "data": {"direction": "in"},
}


def test_one_event_is_taken_and_read_back_as_it_came(api: Api) -> None:
    answer = api.post(CALL)
    assert (answer.status_code, answer.json) == (
        202,
        {"accepted": 1, "repeated": 0, "refused": [], "ids": ["c-1842:accepted"]},
    )
    [found] = api.events()
    assert {name: found[name] for name in CALL} == {**CALL, "time": "2026-03-02T08:00:00.000Z"}
    assert found["source"] == "pbx"


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (json.dumps([custom("a"), custom("b")]), "application/json"),
        (json.dumps([custom("a"), custom("b")]), "application/json; charset=utf-8"),
        (json.dumps(custom("a")) + "\r\n\n" + json.dumps(custom("b")), "application/x-ndjson"),
    ],
)
def test_many_events_come_as_an_array_or_as_lines(api: Api, body: str, kind: str) -> None:
    answer = api.send(body, kind)
    assert (answer.status_code, answer.json["ids"]) == (202, ["a", "b"])
    assert [found["id"] for found in api.events()] == ["a", "b"]


def test_an_event_without_id_gets_one_and_comes_twice_when_sent_twice(api: Api) -> None:
    ids = [api.post(custom()).json["ids"][0] for _ in range(2)]
    assert [found["id"] for found in api.events()] == ids
    assert len(set(ids)) == 2


def test_the_good_events_are_kept_and_the_bad_ones_named_by_index_and_field(api: Api) -> None:
    bad = [custom("x", time="2026-03-02 09:00"), custom("y", type="call.closed"), 7, custom("z", fax="1")]
    answer = api.post([custom("a"), *bad, custom("b")])
    assert (answer.status_code, answer.json["accepted"], answer.json["ids"]) == (202, 1 + 1, ["a", "b"])
    assert {one["index"]: sorted(one["errors"]) for one in answer.json["refused"]} == {
        1: ["time"],
        2: ["interaction"],
        3: ["event"],
        4: ["fax"],
    }


def test_no_good_event_is_422_and_nothing_is_stored(api: Api) -> None:
    answer = api.post([custom("x", time=""), custom("y", type="unheard.of")])
    assert (answer.status_code, answer.json["accepted"], answer.json["ids"]) == (422, 0, [])
    assert (Event.select().count(), Job.select().count()) == (0, 0)


def test_an_empty_array_is_nothing_wrong(api: Api) -> None:
    answer = api.send("[]")
    assert (answer.status_code, answer.json["accepted"]) == (202, 0)


@pytest.mark.parametrize(
    ("asked", "language"), [("en", "en"), ("cs;q=0.9, en;q=0.1", "cs"), ("ja", "ja"), ("xx", "en")]
)
def test_errors_are_in_the_language_of_the_reader(app: Flask, api: Api, asked: str, language: str) -> None:
    answer = api.send(json.dumps(custom(time="2026-03-02T09:00:00")), headers={"Accept-Language": asked})
    with app.test_request_context(), force_locale(language):
        words = gettext(NO_OFFSET)
    assert answer.json["refused"][0]["errors"] == {"time": words}
    assert (words == NO_OFFSET) is (language == "en")


def test_sending_again_changes_nothing(api: Api) -> None:
    first = [custom(f"e{n}", user="jana") for n in range(5)]
    assert api.post(first).json["accepted"] == 5
    changed = [{**event, "type": "custom.other"} for event in first]
    assert api.post([*changed, custom("new")]).json == {
        "accepted": 1,
        "repeated": 5,
        "refused": [],
        "ids": ["e0", "e1", "e2", "e3", "e4", "new"],
    }
    assert api.post([custom("twin"), custom("twin")]).json["repeated"] == 1
    assert {found["type"] for found in api.events()} == {"custom.seen"}
    assert len(api.events()) == 7


def parallel(app: Flask, api: Api, bodies: list[list[dict[str, object]]]) -> list[int]:
    """Send every body from a thread of its own with a connection of its own; return the statuses."""

    def one(body: list[dict[str, object]]) -> int:
        database.connect(reuse_if_open=True)
        try:
            headers = {"Authorization": f"Bearer {api.ingest_key}"}
            return app.test_client().post("/api/v1/events", json=body, headers=headers).status_code
        finally:
            database.close()

    with ThreadPoolExecutor(len(bodies)) as threads:
        return list(threads.map(one, bodies))


def test_ten_at_once_are_stored_once(app: Flask, api: Api) -> None:
    batch = [custom(f"e{n}", user=f"u{n % 7}", queue=f"q{n % 5}") for n in range(60)]
    assert parallel(app, api, [batch] * 10) == [202] * 10
    assert sorted(found["id"] for found in api.events()) == sorted(event["id"] for event in batch)
    assert User.select().count() == 7
    assert Queue.select().count() == 5


def test_batches_that_overlap_in_any_order_never_block_each_other(app: Flask, api: Api) -> None:
    batch = [custom(f"e{n}") for n in range(200)]
    shuffled = [random.Random(seed).sample(batch, len(batch)) for seed in range(10)]
    assert parallel(app, api, shuffled) == [202] * 10
    assert len(api.events()) == 200


@pytest.mark.parametrize("bearer", ["", "Bearer", "Bearer stopa_nonsense", "Basic {key}", "Bearer {key}x"])
def test_without_a_known_key_nothing_opens(api: Api, bearer: str) -> None:
    headers = {"Authorization": bearer.format(key=api.ingest_key)}
    for answer in (
        api.client.post("/api/v1/events", json=CALL, headers=headers),
        api.client.get("/api/v1/events", headers=headers),
        api.client.get("/api/v1/tracing", query_string={"user": "jana"}, headers=headers),
    ):
        assert (answer.status_code, answer.json["error"]) == (401, "Sign in to continue")
    assert Event.select().count() == 0


def test_a_key_does_only_what_it_is_made_for(api: Api) -> None:
    assert api.post(CALL, key=api.read_key).status_code == 403
    assert api.get("/api/v1/events", key=api.ingest_key).status_code == 403
    assert api.get("/api/v1/tracing", key=api.ingest_key, user="jana").status_code == 403
    assert {row[0] for row in Event.select(Event.type).tuples()} == {"access.denied"}


def test_a_key_is_no_session_and_opens_no_page(api: Api) -> None:
    headers = {"Authorization": f"Bearer {api.read_key}"}
    answer = api.client.get("/tracing", headers=headers)
    assert (answer.status_code, answer.location.partition("?")[0]) == (302, "/sign-in")


def test_a_revoked_key_is_refused_at_once(api: Api) -> None:
    assert api.post(custom("a")).status_code == 202
    ApiKey.update(revoked_ts=1).where(ApiKey.key_hash == keys.digest(api.ingest_key)).execute()
    assert api.post(custom("b")).status_code == 401
    assert [found["id"] for found in api.events()] == ["a"]


def test_the_key_fixes_the_source_so_equal_ids_of_two_sources_are_two_events(api: Api) -> None:
    other = keys.make("other", "crm", "ingest")
    api.post(custom("same", user="jana"))
    api.post(custom("same", user="petr"), key=other)
    api.post(custom("same", user="eva"), key=other)
    assert [(found["source"], found["user"]) for found in api.events()] == [("pbx", "jana"), ("crm", "petr")]
    assert api.post(custom("b", source="pbx"), key=other).status_code == 422


def test_a_key_for_known_names_makes_no_users_and_no_queues(api: Api) -> None:
    api.post(CALL)
    known = keys.make("known", "crm", "ingest", makes=False)
    given = [
        custom("a", user="jana", queue="support"),
        custom("b", user="nobody", queue="nowhere"),
        custom("c", time=""),
        custom("d"),
    ]
    answer = api.post(given, key=known)
    assert (answer.status_code, answer.json["ids"]) == (202, ["a", "d"])
    assert [(one["index"], sorted(one["errors"])) for one in answer.json["refused"]] == [
        (1, ["queue", "user"]),
        (2, ["time"]),
    ]
    assert (User.select().count(), Queue.select().count()) == (1, 1)


@pytest.mark.parametrize(
    ("kind", "headers"),
    [
        (None, {}),
        ("text/plain", {}),
        ("application/xml", {}),
        ("application/x-www-form-urlencoded", {}),
        ("application/json", {"Content-Encoding": "gzip"}),
        ("application/json", {"Content-Encoding": "br"}),
        ("application/cloudevents+xml", {}),
    ],
)
def test_another_kind_of_content_is_415(api: Api, kind: str | None, headers: dict[str, str]) -> None:
    body = gzip.compress(json.dumps(CALL).encode()) if headers else json.dumps(CALL).encode()
    assert api.send(body, kind, headers=headers).status_code == 415
    assert Event.select().count() == 0


@pytest.mark.parametrize("body", ["", " \n", "{", "[", "nonsense", '{"a": 1}{', "\xff", "[" * 100_000])
@pytest.mark.parametrize(
    "kind",
    [
        "application/json",
        "application/x-ndjson",
        "application/cloudevents+json",
        "application/cloudevents-batch+json",
    ],
)
def test_a_body_that_is_no_json_is_400_and_says_why(client: FlaskClient, body: str, kind: str) -> None:
    answer = Api(client).send(body.encode("latin-1"), kind)
    assert (answer.status_code, bool(answer.json["detail"])) == (400, True)


def test_a_body_over_10_mib_is_413_and_one_below_is_read(api: Api) -> None:
    space = b" " * (10 * 1024 * 1024 - 200)
    assert api.send(json.dumps(custom("a")).encode() + space).status_code == 202
    assert api.send(json.dumps(custom("b")).encode() + space + b" " * 200).status_code == 413
    assert [found["id"] for found in api.events()] == ["a"]


def test_more_than_10000_events_are_refused_whole(api: Api) -> None:
    line = json.dumps(custom())
    assert api.send("\n".join([line] * (MAX_EVENTS + 1)), "application/x-ndjson").status_code == 400
    assert Event.select().count() == 0


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_the_address_takes_get_and_post_only(api: Api, method: str) -> None:
    answer = getattr(api.client, method)("/api/v1/events")
    assert answer.status_code == 405
    assert "POST" in answer.headers["Allow"]


def test_the_last_use_of_a_key_is_noted_once_a_minute(api: Api) -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        noted = []
        for _ in range(4):
            api.post(custom())
            noted.append(ApiKey.get(ApiKey.key_hash == keys.digest(api.ingest_key)).last_used_ts)
            clock.shift(40)
    assert [ts - noted[0] for ts in noted] == [0, 0, 80, 80]
