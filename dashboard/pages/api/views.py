"""GET /api/v1/events and /api/v1/tracing by read key; /healthz for whoever watches the server."""

from __future__ import annotations

from flask import Blueprint, Response, abort, current_app, jsonify, make_response, request
from flask_babel import gettext as _

from dashboard import clock
from dashboard.access import scope
from dashboard.access.guard import public, require_key
from dashboard.audit import record as audit
from dashboard.db import database, migrate
from dashboard.models import Event
from dashboard.pages.api import forms, openapi, queries
from dashboard.tracing import trace
from dashboard.web.page import zone

bp = Blueprint("api", __name__)


@bp.get("/api/v1/events")
@require_key("read")
def events() -> Response:
    asked, errors = forms.events(request.args)
    if asked is None:
        return _invalid(errors)
    found = queries.events(scope.whole(), asked)
    more = found[-1]["cursor"] if len(found) == asked.limit else None
    return make_response(jsonify(events=found, after=more))


@bp.get("/api/v1/tracing")
@require_key("read")
def tracing() -> Response:
    """The figures of one user's day or week: the same as on the page, to the second."""
    asked, errors = forms.tracing(request.args, zone())
    if asked is None:
        return _invalid(errors)
    found = trace.read(scope.whole(), asked.user, asked.span, asked.zone, clock.now_s())
    if found is None:
        return make_response(jsonify(errors={"user": _("There is no user of that name.")}), 404)
    audit.record(
        "tracing.viewed",
        "r",
        ("user", found.person.id, found.person.name),
        details={"from": asked.span.start, "to": asked.span.end},
    )
    return make_response(jsonify(trace.as_answer(found)))


@bp.get("/api/v1/openapi.json")
@public
def description() -> Response:
    """What these addresses take and answer, for whoever writes a client."""
    return make_response(jsonify(openapi.document(current_app.config["STOPA"].base_url)))


@bp.get("/healthz")
@public
def health() -> Response:
    """200 when the database answers and is of this version; says no more than that."""
    if migrate.pending(database.obj):
        return make_response(jsonify(status="not migrated"), 503)
    Event.select(Event.id).limit(1).execute()
    return make_response(jsonify(status="ok"))


def _invalid(errors: dict[str, str]) -> Response:
    if not errors:
        abort(400)
    return make_response(jsonify(errors=errors), 422)
