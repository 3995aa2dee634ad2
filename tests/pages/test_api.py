"""The read side of the API: events page by page, tracing, health, and the description of it all."""

from __future__ import annotations

import threading

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from dashboard.access.permissions import Permission
from dashboard.db import database
from dashboard.events import record
from dashboard.ingest.schema import NewEvent
from dashboard.models import AuditEntry, Source
from tests import make
from tests.api import Api, custom
from tests.ingest.day import DATE, DAY

DAY_QUERY = {"user": "jana", "date": DATE, "tz": "Europe/Prague"}


@pytest.fixture
def api(client: FlaskClient) -> Api:
    return Api(client)


def ids(api: Api, **query: object) -> list[str]:
    return [event["id"] for event in api.events(**query)]


def test_pages_of_events_contain_each_event_once(api: Api) -> None:
    api.take([custom(f"e{n}") for n in range(25)])
    sizes, after = [], "0"
    while after is not None:
        page = api.get("/api/v1/events", limit=10, after=after).json
        sizes.append(len(page["events"]))
        after = page["after"]
    assert sizes == [10, 10, 5]
    assert ids(api, limit=7) == [f"e{n}" for n in range(25)]


def test_paging_client_misses_no_late_commit(app: Flask, api: Api) -> None:
    """The first of two writers commits last: its event has the lower number."""
    begun, finish = threading.Event(), threading.Event()
    source = Source.get(Source.name == "pbx").id

    def slow() -> None:
        with database.connection_context(), database.atomic():
            record.append(source, [NewEvent("slow", "custom.x", 0)])
            begun.set()
            finish.wait(30)

    writer = threading.Thread(target=slow)
    writer.start()
    assert begun.wait(30)
    timer = threading.Timer(0.3, finish.set)
    timer.start()
    api.post(custom("quick"))
    seen = ids(api)
    last = max(int(event["cursor"]) for event in api.events())
    writer.join()
    assert sorted(seen + ids(api, after=last)) == ["quick", "slow"]


FILTERS = [
    ({"type": "call.accepted"}, ["c-1:call.accepted:09:00:00"]),
    ({"interaction": "c-1", "type": "call.closed"}, ["c-1:call.closed:09:06:40"]),
    ({"queue": "web", "user": "jana", "limit": 2}, 6),
    ({"user": "nobody"}, []),
    ({"session": "s-1"}, ["with a session"]),
    ({"from": f"{DATE}T16:20:00+01:00", "to": f"{DATE}T16:30:00+01:00"}, ["jana:agent.not_ready:16:20:00"]),
    ({"from": "2026-03-02T15:30:00Z"}, ["jana:agent.signed_out:16:30:00"]),
    ({"type": "call.%"}, []),
]


@pytest.mark.parametrize(("query", "expected"), FILTERS)
def test_events_are_filtered_by_exact_values_and_half_open_times(
    api: Api, query: dict[str, object], expected: list[str] | int
) -> None:
    api.take([*DAY, custom("with a session", session="s-1", time="2026-03-01T00:00:00Z")])
    found = ids(api, **query)
    assert found == expected if isinstance(expected, list) else len(found) == expected


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"limit": "0"}, "limit"),
        ({"limit": "1001"}, "limit"),
        ({"limit": "ten"}, "limit"),
        ({"limit": "１"}, "limit"),
        ({"after": "-1"}, "after"),
        ({"after": "9" * 19}, "after"),
        ({"from": "yesterday"}, "from"),
        ({"to": "2026-03-02T09:00:00"}, "to"),
        ({"from": "2026-03-02T09:00:00Z", "to": "2026-03-02T08:00:00Z"}, "to"),
    ],
)
def test_invalid_parameter_is_named(api: Api, query: dict[str, str], field: str) -> None:
    answer = api.get("/api/v1/events", **query)
    assert (answer.status_code, list(answer.json["errors"])) == (422, [field])


@pytest.mark.parametrize("path", ["events", "tracing", "queues"])
def test_unknown_parameters_are_named_with_what_else_is_wrong(api: Api, path: str) -> None:
    answer = api.get(f"/api/v1/{path}", colour="red", Limit="1", user="jana", queue="sales", tz="Mars/X")
    known = {"events": {"user", "queue"}, "tracing": {"user"}, "queues": {"queue"}}[path]
    wrong = {"colour", "Limit", "user", "queue", "tz"} - known
    assert (answer.status_code, set(answer.json["errors"])) == (400, wrong)
    assert answer.json["errors"]["colour"] == "Unknown parameter."


def test_a_date_outside_the_calendar_of_events_is_refused_with_the_bounds(api: Api) -> None:
    errors = api.get("/api/v1/tracing", user="jana", date="9999-12-31").json["errors"]
    assert errors == {"date": "Enter a date from 1970-01-02 to 2100-12-31 as YYYY-MM-DD."}


@pytest.mark.parametrize(
    ("query", "status", "field"),
    [
        ({}, 422, "user"),
        ({"user": ""}, 422, "user"),
        ({"user": "nobody"}, 404, "user"),
        ({**DAY_QUERY, "unit": "month"}, 422, "unit"),
        ({**DAY_QUERY, "date": "2026-02-30"}, 422, "date"),
        ({**DAY_QUERY, "date": "9999-12-31"}, 422, "date"),
        ({**DAY_QUERY, "tz": "Mars/Olympus"}, 422, "tz"),
        ({**DAY_QUERY, "tz": "../../etc/passwd"}, 422, "tz"),
        ({**DAY_QUERY, "tz": "posixrules"}, 422, "tz"),
    ],
)
def test_unavailable_trace_says_why(api: Api, query: dict[str, str], status: int, field: str) -> None:
    api.take(DAY)
    answer = api.get("/api/v1/tracing", **query)
    assert (answer.status_code, list(answer.json["errors"])) == (status, [field])


def test_first_value_of_repeated_parameter_counts(api: Api) -> None:
    api.take(DAY)
    headers = {"Authorization": f"Bearer {api.read_key}"}
    answer = api.client.get("/api/v1/tracing?user=jana&user=petr&date=2026-03-02", headers=headers)
    assert answer.json["user"] == "jana"


def test_nul_is_rejected_on_every_page(app: Flask, client: FlaskClient) -> None:
    make.sign_in(client, make.administrator())
    rules = [rule for rule in app.url_map.iter_rules() if "GET" in (rule.methods or set())]
    for rule in rules:
        path = rule.rule.replace("<", "").replace(">", "")
        assert client.get(path, query_string={"user": "a\0b"}).status_code == 400, path
    assert client.get("/pauses/a%00b").status_code == 400
    assert client.post("/sign-in", data={"login": "a\0", "password": "x"}).status_code == 400


def test_date_defaults_to_today(api: Api) -> None:
    api.take(DAY)
    with time_machine.travel(f"{DATE}T23:30:00Z"):
        answer = api.get("/api/v1/tracing", user="jana", tz="Europe/Prague").json
    assert answer["period"]["start"] == "2026-03-03T00:00:00+01:00"


DAY_ONLY = {"from": DATE, "to": DATE, "tz": "Europe/Prague"}
QUERIES = [
    ("interactions", {"measures": "count,sum:talk"}, "totals", {"count": 5, "sum:talk": 300}),
    ("user_events", {"kind": "accepted", "measures": "count"}, "totals", {"count": 5}),
    ("activities", {"user": "jana", "queue": "support"}, "count", 2),
]


@pytest.mark.parametrize(("source", "query", "part", "expected"), QUERIES)
def test_data_sources_answer_queries(
    api: Api, source: str, query: dict[str, str], part: str, expected: object
) -> None:
    api.take(DAY)
    answer = api.get(f"/api/v1/{source}", **DAY_ONLY, **query)
    assert (answer.status_code, answer.json[part]) == (200, expected)
    assert answer.json["period"]["to"] == "2026-03-03T00:00:00+01:00"
    refused = api.get(f"/api/v1/{source}", colour="red")
    assert (refused.status_code, list(refused.json["errors"])) == (400, ["colour"])
    assert api.get(f"/api/v1/{source}", key=api.ingest_key).status_code == 403


def test_reading_a_trace_is_audited(api: Api) -> None:
    api.take(DAY)
    for _ in range(3):  # a wallboard
        api.tracing("jana", DATE)
    (entry,) = AuditEntry.select().where(AuditEntry.action == "tracing.viewed")
    assert len(api.events(type="tracing.viewed")) == 1
    assert (entry.actor_type, entry.actor_label, entry.target_label, entry.interface) == (
        "key",
        "reader",
        "jana",
        "api",
    )


def test_session_cookie_does_not_authenticate_api_requests(api: Api) -> None:
    make.sign_in(api.client, make.administrator())
    for path in ("/api/v1/events", "/api/v1/tracing?user=jana"):
        assert api.client.get(path).status_code == 401


def test_errors_are_json_and_never_cached(api: Api) -> None:
    for path, status in (("/api/v1/nowhere", 404), ("/api/v1/events", 401)):
        answer = api.client.get(path)
        assert (answer.status_code, answer.is_json, answer.headers["Cache-Control"]) == (
            status,
            True,
            "no-store",
        )


def test_health_reports_database_and_version(client: FlaskClient) -> None:
    answer = client.get("/healthz")
    assert (answer.status_code, answer.json) == (200, {"status": "ok"})
    database.execute_sql("DELETE FROM schema_migration")
    answer = client.get("/healthz")
    assert (answer.status_code, answer.json) == (503, {"status": "not migrated"})
    database.execute_sql("INSERT INTO schema_migration (name, applied) VALUES ('9999_later', '2030-01-01')")
    answer = client.get("/healthz")
    assert (answer.status_code, answer.json) == (503, {"status": "newer version"})


@pytest.mark.own_database
@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
def test_health_reports_a_read_only_database(client: FlaskClient) -> None:
    database.execute_sql("ALTER DATABASE own SET default_transaction_read_only = on")
    database.close()
    database.close_all()
    database.connect()
    answer = client.get("/healthz")
    assert (answer.status_code, answer.json) == (503, {"status": "read-only"})


@pytest.mark.parametrize("path", ["/tracing", "/signin", "/api/v1/events"])
def test_requests_to_a_database_of_another_version_are_503(client: FlaskClient, path: str) -> None:
    database.execute_sql("DELETE FROM schema_migration")
    assert client.get(path).status_code == 503
    assert client.post(path).status_code == 503


def test_openapi_document_is_valid_and_public(client: FlaskClient) -> None:
    answer = client.get("/api/v1/openapi.json")
    assert answer.status_code == 200
    validate(answer.json)
    assert answer.json["servers"] == [{"url": "http://127.0.0.1:8000"}]


def test_openapi_document_covers_every_path_and_method(app: Flask) -> None:
    described = app.test_client().get("/api/v1/openapi.json").json["paths"]
    for rule in app.url_map.iter_rules():
        if rule.rule.startswith("/api/") or rule.rule == "/healthz":
            methods = {method.lower() for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}}
            assert methods <= described[rule.rule].keys(), rule.rule
    public = {path for path, verbs in described.items() if verbs.get("get", {}).get("security") == []}
    assert public == {"/healthz", "/api/v1/openapi.json"}


def test_requests_and_responses_match_the_openapi_document(api: Api) -> None:
    document = api.client.get("/api/v1/openapi.json").json

    def fits(name: str, value: object) -> bool:
        schema = {"$ref": f"#/components/schemas/{name}", "components": document["components"]}
        return bool(Draft202012Validator(schema).is_valid(value))

    assert all(fits("Event", event) for event in DAY)
    assert not fits("Event", {"type": "unheard.of", "time": "2026-03-02T09:00:00Z"})
    assert not fits("Event", {"type": "custom.x", "time": "2026-03-02T09:00:00Z", "fax": "1"})
    assert fits("Taken", api.post([*DAY, {"type": "x"}]).json)
    assert fits("Taken", api.post({"type": "x"}).json)
    assert all(fits("Stored", event) for event in api.events())
    assert fits("Tracing", api.tracing("jana", DATE))
    assert fits("Queue", api.get("/api/v1/queues", queue="support", date=DATE).json)
    by_kind = {"group": "kind", "measures": "count,median:interaction.talk", "from": DATE, "to": DATE}
    assert fits("Answer", api.get("/api/v1/user_events", **by_kind).json)
    assert fits("Answer", api.get("/api/v1/activities", **{"from": DATE, "to": DATE}).json)
    assert fits("Problem", api.send("{").json)
    assert fits("Errors", api.get("/api/v1/tracing").json)
    assert not fits("Taken", {"accepted": 1})


def test_user_permissions_do_not_extend_a_key(api: Api) -> None:
    api.take(DAY)
    make.sign_in(api.client, make.user(access=make.access([Permission.SELF])))
    assert api.get("/api/v1/tracing", **DAY_QUERY).status_code == 200
    assert api.get("/api/v1/tracing", key=api.ingest_key, **DAY_QUERY).status_code == 403
