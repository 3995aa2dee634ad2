"""The API as an OpenAPI 3.1 document, made from the types that read requests and write answers."""

from __future__ import annotations

from typing import Any

import msgspec

from dashboard.ingest import cloudevents
from dashboard.ingest.body import MAX_EVENTS
from dashboard.ingest.schema import Event, Taken
from dashboard.pages.api.answers import Errors, Events, Health, Queue, Tracing
from dashboard.pages.api.parameters import EventQuery, QueueQuery, TracingQuery
from dashboard.sources.answer import Answer
from dashboard.sources.catalogue import SOURCES
from dashboard.sources.conditions import OPERATORS, RELATED
from dashboard.sources.measures import OF_FIELDS
from dashboard.sources.period import NAMED, UNITS, Bucket
from dashboard.sources.query import DEFAULT_PERIOD, MAX_ROWS, PAGE, Op
from dashboard.sources.types import Source
from dashboard.web.errors import Problem

Json = dict[str, Any]

DESCRIPTION = (
    "Events come in, figures come out. A 202 means that the events are committed; sending the same again "
    "changes nothing. No body of any kind is answered 5xx but 503, which carries Retry-After."
)
SENDING = (
    "The good events are stored whatever the others are. CloudEvents in binary mode, with ce- "
    f"headers, are taken too. At most 10 MiB and {MAX_EVENTS:,} events a request, not compressed."
)
PROBLEMS = {
    "400": "The body is no JSON.",
    "401": "There is no such key, or it is revoked or has expired.",
    "403": "The key is made for something else.",
    "413": "The body is too large.",
    "415": "The content is of another kind, or compressed.",
    "503": "The database is busy or the source is paused; Retry-After says when to come again.",
}
_TYPES = (Event, cloudevents.CloudEvent, Taken, Events, Tracing, Queue, Answer, Errors, Problem, Health)
_REF = "#/components/schemas/{name}"


def document(base_url: str) -> Json:
    """Return the document for a site whose address is `base_url`."""
    _refs, schemas = msgspec.json.schema_components(_TYPES, ref_template=_REF)
    event = schemas["Event"]  # nothing is required by the type, so that the gate names all faults at once
    event["required"] = ["type", "time"]
    for name in event["required"]:
        del event["properties"][name]["default"]
    return {
        "openapi": "3.1.0",
        "info": {"title": "Stopa", "version": "1", "description": DESCRIPTION},
        "servers": [{"url": base_url}],
        "security": [{"key": []}],
        "paths": {
            "/api/v1/events": {
                "post": _send(),
                "get": _read("readEvents", "Events in the order of arrival, by page.", EventQuery, Events),
            },
            "/api/v1/tracing": {
                "get": _read(
                    "readTracing",
                    "The figures and activities of one user's day or week.",
                    TracingQuery,
                    Tracing,
                    "There is no such user.",
                )
            },
            "/api/v1/queues": {
                "get": _read(
                    "readQueue",
                    "The figures of one queue's day, hour by hour.",
                    QueueQuery,
                    Queue,
                    "There is no such queue.",
                )
            },
            **{f"/api/v1/{name}": {"get": _source(source)} for name, source in SOURCES.items()},
            "/api/v1/openapi.json": {"get": _public("This document.", {"type": "object"})},
            "/healthz": {"get": _health()},
        },
        "components": {
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer", "description": "An API key."}},
            "schemas": schemas,
        },
    }


def _health() -> Json:
    found = _public("The database can be written and is of this version.", _ref(Health))
    found["responses"]["503"] = _answer(
        "The database is away, read-only or of another version.", _ref(Health)
    )
    return found


def _send() -> Json:
    event, cloud = _ref(Event), _ref(cloudevents.CloudEvent)
    bodies = {
        "application/json": {"oneOf": [event, {"type": "array", "items": event, "maxItems": MAX_EVENTS}]},
        "application/x-ndjson": {"type": "string", "description": "One event a line."},
        cloudevents.STRUCTURED: cloud,
        cloudevents.BATCH: {"type": "array", "items": cloud, "maxItems": MAX_EVENTS},
    }
    return {
        "operationId": "sendEvents",
        "summary": "Store one event or many.",
        "description": SENDING,
        "requestBody": {
            "required": True,
            "content": {kind: {"schema": shape} for kind, shape in bodies.items()},
        },
        "responses": {
            "202": _answer("Committed.", _ref(Taken)),
            "422": _answer("No event was good; nothing was stored.", _ref(Taken)),
            **_problems("400", "401", "403", "413", "415", "503"),
        },
    }


def _read(name: str, summary: str, query: type, answer: type, missing: str | None = None) -> Json:
    """Return the description of a GET; `missing` says what a 404 means."""
    _refs, schemas = msgspec.json.schema_components([query])
    schema = schemas[query.__name__]
    required = schema["required"]
    return {
        "operationId": name,
        "summary": summary,
        "parameters": [
            _parameter(key, shape, key in required) for key, shape in schema["properties"].items()
        ],
        "responses": {
            "200": _answer(summary, _ref(answer)),
            "400": _answer("There is no such parameter.", _ref(Errors)),
            "422": _answer("A parameter cannot be read.", _ref(Errors)),
            **({"404": _answer(missing, _ref(Errors))} if missing else {}),
            **_problems("401", "403", "503"),
        },
    }


QUERY_PARAMETERS = {
    "period": f"One of {', '.join(NAMED)}; {DEFAULT_PERIOD} by default.",
    "from": "The first date or time, instead of a named period.",
    "to": "The last date, or the first time after the period.",
    "unit": f"One of {', '.join(UNITS)}: the one that holds `date`, instead of a named period.",
    "date": "A date of the unit; today by default.",
    "tz": "An IANA time zone.",
    "columns": "Fields of the rows, separated by commas; those of the finest entity by default.",
    "group": f"Fields, or one of {', '.join(Bucket)}, separated by commas; needs measures.",
    "measures": "Figures, separated by commas: count, count:ENTITY, count_distinct:FIELD, one of "
    f"{', '.join(OF_FIELDS)} with a field (sum:FIELD), share:MEASURE of the total or running:MEASURE (a "
    "running total by time) of a count or sum, or a ratio by its name. A ratio and a share are 1.0 for 100 "
    "%, and null where the whole is 0.",
    "compare": "previous: each figure has MEASURE__previous, that of as long a time before (whole months "
    "with whole months), MEASURE__difference, and MEASURE__change as a share of it. A bucket of time is "
    "compared with the one in the same place; these are null where there is none.",
    "any": f"SOURCE:FIELD=VALUE;FIELD__OP=VALUE with one of {', '.join(RELATED)}: rows whose interaction has "
    "such a row there; a field given twice means any of its values. Repeated, all must be true.",
    "none": "As any: rows whose interaction has no such row, such as user_events:kind=accepted.",
    "filter": 'A tree of conditions as JSON, {"all": [{"field": "talk", "op": "ge", "value": 90}, '
    f'{{"none": […]}}]}}, three levels of all, any and none. Operators: {", ".join(OPERATORS)}.',
    "sort": "A column, group or measure; -NAME for falling order.",
    "limit": f"Rows a page, {PAGE} by default, or groups; at most {MAX_ROWS}.",
    "after": "The `next` of the page before.",
}


def _source(source: Source) -> Json:
    """Return the description of a query on a data source."""
    fields = ", ".join(sorted(source.fields))
    filters = (
        "FIELD=VALUE, repeated for any of several values, or FIELD__OP=VALUE with one of "
        f"{', '.join(each for each in Op if each)}. Fields: {fields}."
    )
    described = QUERY_PARAMETERS | {
        "measures": f"{QUERY_PARAMETERS['measures']} Ratios: {', '.join(sorted(source.ratios))}."
    }
    shown = {"name": "FIELD", "in": "query", "style": "form", "explode": True, "description": filters}
    texts = [
        {"name": name, "in": "query", "required": False, "description": text, "schema": {"type": "string"}}
        for name, text in described.items()
    ]
    strings: Json = {"type": "object", "additionalProperties": {"type": "string"}}
    return {
        "operationId": "query" + "".join(part.capitalize() for part in source.name.split("_")),
        "summary": "Rows of the data source, or figures by group.",
        "parameters": [*texts, {**shown, "required": False, "schema": strings}],
        "responses": {
            "200": _answer("Rows or figures.", _ref(Answer)),
            "400": _answer("A parameter cannot be used.", _ref(Errors)),
            **_problems("401", "403", "503"),
        },
    }


def _parameter(name: str, shape: Json, required: bool) -> Json:
    """Return a parameter; one that may be left out has no null, and what its Meta says of its type holds."""
    text = {"description": shape.pop("description")} if "description" in shape else {}
    value = next(variant for variant in shape.pop("anyOf", [{}]) if variant != {"type": "null"})
    schema = value | {key: said for key, said in shape.items() if said is not None}
    return {"name": name, "in": "query", "required": required, **text, "schema": schema}


def _public(text: str, shape: Json) -> Json:
    return {"summary": text, "security": [], "responses": {"200": _answer(text, shape)}}


def _problems(*codes: str) -> Json:
    return {code: _answer(PROBLEMS[code], _ref(Problem)) for code in codes}


def _answer(text: str, shape: Json) -> Json:
    return {"description": text, "content": {"application/json": {"schema": shape}}}


def _ref(type_: type) -> Json:
    return {"$ref": _REF.format(name=type_.__name__)}
