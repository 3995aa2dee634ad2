"""The interface as an OpenAPI 3.1 document; what it says of limits and fields is read from the gate."""

from __future__ import annotations

from typing import Any

from dashboard import catalog
from dashboard.ingest import cloudevents, schema
from dashboard.ingest.body import MAX_EVENTS
from dashboard.ingest.data import MAX_BYTES, MAX_DEPTH, MAX_KEYS
from dashboard.pages.api.forms import LIMIT_MAX

Json = dict[str, Any]

DESCRIPTION = (
    "Events come in, figures come out. A 202 means that the events are committed; sending the same again "
    "changes nothing. No body of any kind is answered 5xx but 503, which carries Retry-After."
)
TIME = {"type": "string", "format": "date-time", "examples": ["2026-03-02T09:00:00+01:00"]}
SECONDS = {"type": "integer", "minimum": 0}


def _query(name: str, shape: Json, text: str = "") -> Json:
    found = {"name": name, "in": "query", "schema": shape}
    return {**found, "description": text} if text else found


DATE = _query("date", {"type": "string", "format": "date"}, "A day of the period; today by default.")
ZONE = _query("tz", {"type": "string", "examples": ["Europe/Prague"]}, "An IANA time zone.")


def document(base_url: str) -> Json:
    """Return the document for a site whose address is `base_url`."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "Stopa", "version": "1", "description": DESCRIPTION},
        "servers": [{"url": base_url}],
        "security": [{"key": []}],
        "paths": {
            "/api/v1/events": {"post": _send(), "get": _read()},
            "/api/v1/tracing": {"get": _tracing()},
            "/api/v1/queues": {"get": _queues()},
            "/api/v1/openapi.json": {"get": _public("This document.", {"type": "object"})},
            "/healthz": {"get": _health()},
        },
        "components": {
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer", "description": "An API key."}},
            "schemas": {
                "Event": _event(),
                "CloudEvent": _cloud_event(),
                "Taken": _taken(),
                "Stored": _stored(),
                "Tracing": _trace(),
                "Queue": _queue(),
                "Errors": _errors(),
                "Problem": _problem(),
            },
        },
    }


def _send() -> Json:
    event, cloud = _ref("Event"), _ref("CloudEvent")
    bodies = {
        "application/json": {"oneOf": [event, {"type": "array", "items": event, "maxItems": MAX_EVENTS}]},
        "application/x-ndjson": {"type": "string", "description": "One event a line."},
        cloudevents.STRUCTURED: cloud,
        cloudevents.BATCH: {"type": "array", "items": cloud, "maxItems": MAX_EVENTS},
    }
    return {
        "operationId": "sendEvents",
        "summary": "Store one event or many.",
        "description": (
            "The good events are stored whatever the others are. CloudEvents in binary mode, with ce- "
            "headers, are taken too. At most 10 MiB and 10,000 events a request, not compressed."
        ),
        "requestBody": {
            "required": True,
            "content": {kind: {"schema": shape} for kind, shape in bodies.items()},
        },
        "responses": {
            "202": _answer("Committed.", _ref("Taken")),
            "422": _answer("No event was good; nothing was stored.", _ref("Taken")),
            **_problems("400", "401", "403", "413", "415", "503"),
        },
    }


def _read() -> Json:
    texts = [_query(name, {"type": "string"}) for name in ("type", "user", "queue", "interaction", "session")]
    return {
        "operationId": "readEvents",
        "summary": "Read events in the order of their arrival, page by page.",
        "parameters": [
            *texts,
            _query("from", TIME, "First instant of the events' time."),
            _query("to", TIME, "First instant after it."),
            _query("limit", {"type": "integer", "minimum": 1, "maximum": LIMIT_MAX, "default": 100}),
            _query("after", {"type": "string"}, "The `after` of the page before."),
        ],
        "responses": {
            "200": _answer(
                "A page; `after` is null on the last one.",
                {
                    "type": "object",
                    "required": ["events", "after"],
                    "properties": {
                        "events": {"type": "array", "items": _ref("Stored")},
                        "after": {"type": ["string", "null"]},
                    },
                },
            ),
            "422": _answer("A parameter cannot be read.", _ref("Errors")),
            **_problems("401", "403", "503"),
        },
    }


def _tracing() -> Json:
    return {
        "operationId": "readTracing",
        "summary": "The figures and activities of one user's day or week.",
        "parameters": [
            {**_query("user", {"type": "string"}, "The user name."), "required": True},
            _query("unit", {"enum": ["day", "week"], "default": "day"}),
            DATE,
            ZONE,
        ],
        "responses": {
            "200": _answer("The figures, the same as on the page.", _ref("Tracing")),
            "404": _answer("There is no such user.", _ref("Errors")),
            "422": _answer("A parameter cannot be read.", _ref("Errors")),
            **_problems("401", "403", "503"),
        },
    }


def _queues() -> Json:
    return {
        "operationId": "readQueue",
        "summary": "The figures of one queue's day, hour by hour.",
        "parameters": [
            {**_query("queue", {"type": "string"}, "The queue's name."), "required": True},
            DATE,
            ZONE,
        ],
        "responses": {
            "200": _answer("The figures, the same as on the page.", _ref("Queue")),
            "404": _answer("There is no such queue.", _ref("Errors")),
            "422": _answer("A parameter cannot be read.", _ref("Errors")),
            **_problems("401", "403", "503"),
        },
    }


def _health() -> Json:
    status = {"type": "object", "properties": {"status": {"type": "string"}}}
    found = _public("The database answers and is of this version.", status)
    found["responses"]["503"] = _answer("The database is away or of another version.", {"type": "object"})
    return found


def _event() -> Json:
    texts = {name: {"type": ["string", "null"], "maxLength": limit} for name, limit in schema.LIMITS.items()}
    texts["id"]["description"] = "Unique in the source: makes a repeat harmless. Made when left out."
    contact = {
        name: {"type": ["string", "null"], "maxLength": limit}
        for name, limit in schema.CONTACT_LIMITS.items()
    }
    known = [name for name, type_ in catalog.CATALOG.items() if not type_.own]
    return {
        "type": "object",
        "required": ["type", "time"],
        "additionalProperties": False,
        "properties": {
            **texts,
            "type": {
                "anyOf": [
                    {"enum": known},
                    {
                        "type": "string",
                        "pattern": r"^custom\.[a-z0-9_]+(\.[a-z0-9_]+)*$",
                        "maxLength": catalog.NAME_LIMIT,
                    },
                ]
            },
            "time": TIME,
            "contact": {"type": ["object", "null"], "properties": contact, "additionalProperties": False},
            "data": {
                "type": ["object", "null"],
                "description": f"Kept as it came: at most {MAX_BYTES} bytes, {MAX_DEPTH} levels, "
                f"{MAX_KEYS} keys.",
            },
        },
    }


def _cloud_event() -> Json:
    names = {name: {"type": "string"} for name in cloudevents.ATTRIBUTES}
    return {
        "type": "object",
        "description": "CloudEvents 1.0. The key fixes the source; a foreign type is kept as custom.<type>.",
        "required": ["specversion", "id", "source", "type", "time"],
        "properties": {**names, "specversion": {"const": "1.0"}, "time": TIME, "data": {"type": "object"}},
    }


def _taken() -> Json:
    refused = {
        "type": "object",
        "required": ["index", "errors"],
        "properties": {"index": SECONDS, "line": SECONDS, "errors": _texts()},
    }
    return {
        "type": "object",
        "required": ["accepted", "repeated", "refused", "ids"],
        "properties": {
            "accepted": SECONDS,
            "repeated": SECONDS,
            "refused": {"type": "array", "items": refused},
            "ids": {
                "type": "array",
                "items": {"type": "string"},
                "description": "Of the good ones, in order.",
            },
        },
    }


def _stored() -> Json:
    text = {"type": "string"}
    optional = {name: {"type": ["string", "null"]} for name in ("user", "queue", "interaction", "session")}
    return {
        "type": "object",
        "required": ["cursor", "source", "id", "type", "time", "recorded", *optional, "contact", "data"],
        "properties": {
            **dict.fromkeys(("cursor", "source", "id", "type"), text),
            **optional,
            "time": TIME,
            "recorded": TIME,
            "contact": {"type": ["object", "null"]},
            "data": {"type": "object"},
        },
    }


def _trace() -> Json:
    activity = {
        "type": "object",
        "required": ["id", "type", "state", "start", "seconds", "seconds_in_period"],
    }
    return _figures(
        {
            "user": {"type": "string"},
            "statistics": {"type": "object", "description": "Whole seconds and counts."},
            "activities": {"type": "array", "items": activity},
        }
    )


def _queue() -> Json:
    figures = {
        "type": "object",
        "description": "Counts, whole seconds, whole percent; null without a figure.",
    }
    hour = {**figures, "required": ["start", "end"]}
    return _figures(
        {
            "queue": {"type": "string"},
            "hours": {"type": "array", "items": hour},
            "total": figures,
        }
    )


def _figures(more: Json) -> Json:
    """Return the shape of an answer about a period."""
    period = {
        "type": "object",
        "required": ["start", "end", "seconds", "zone"],
        "properties": {"start": TIME, "end": TIME, "seconds": SECONDS, "zone": {"type": "string"}},
    }
    shapes = {"period": period, "as_of": TIME, **more}
    return {"type": "object", "required": list(shapes), "properties": shapes}


def _errors() -> Json:
    return {"type": "object", "required": ["errors"], "properties": {"errors": _texts()}}


def _problem() -> Json:
    text = {"type": "string"}
    return {
        "type": "object",
        "required": ["error", "detail"],
        "properties": {"error": text, "detail": text, "request": {"type": ["string", "null"]}},
    }


PROBLEMS = {
    "400": "The body is no JSON.",
    "401": "There is no such key, or it is revoked.",
    "403": "The key is made for something else.",
    "413": "The body is too large.",
    "415": "The content is of another kind, or compressed.",
    "503": "The database is busy; Retry-After says when to come again.",
}


def _problems(*codes: str) -> Json:
    return {code: _answer(PROBLEMS[code], _ref("Problem")) for code in codes}


def _public(text: str, shape: Json) -> Json:
    return {"summary": text, "security": [], "responses": {"200": _answer(text, shape)}}


def _answer(text: str, shape: Json) -> Json:
    return {"description": text, "content": {"application/json": {"schema": shape}}}


def _texts() -> Json:
    return {"type": "object", "additionalProperties": {"type": "string"}}


def _ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}
