"""What a read key may read: events, tracing, queues; the description of the API; /healthz for monitoring."""

from __future__ import annotations

from flask import Blueprint, Response, abort, current_app, g, jsonify, make_response, request
from flask_babel import gettext as _

from dashboard import clock
from dashboard.access import keys
from dashboard.access.guard import public, require_key
from dashboard.access.permissions import Permission
from dashboard.access.scope import Scope
from dashboard.audit import record as audit
from dashboard.audit.subjects import Seen
from dashboard.clock import Span
from dashboard.events.health import database_problem
from dashboard.i18n import zone
from dashboard.i18n.message import N_, Message
from dashboard.models import User
from dashboard.pages.api import answers, openapi, queries
from dashboard.pages.api.parameters import (
    REVERSED,
    EventQuery,
    ParameterError,
    QueueQuery,
    TracingQuery,
    read,
)
from dashboard.reports import looks
from dashboard.sources import answer, run
from dashboard.sources.catalogue import SOURCES
from dashboard.sources.parameters import parse
from dashboard.sources.period import TooManyBuckets
from dashboard.sources.query import QueryError
from dashboard.tracing import queues, trace
from dashboard.tracing.types import hours_faults, period_span
from dashboard.web.errors import Detail

bp = Blueprint("api", __name__)

NO_SUCH_USER = N_("User not found.")
NO_SUCH_QUEUE = N_("Queue not found.")
TOO_LONG = N_("The query has too many rows or groups. Use a shorter period, or more filters.")


def _scope(permission: Permission = Permission.TRACING_VIEW) -> Scope:
    """Return what the request's key may show: what its maker may see now. Else 401 or 403 with the reason."""
    found = keys.scope_of(g.key.maker_id)
    if found is None:
        abort(401, Detail(_("The user who made this key may no longer view user tracing.")))
    if not found.can(permission):
        abort(403, Detail(_("The user who made this key may not view this.")))
    return found


@bp.errorhandler(ParameterError)
def on_parameter_error(error: ParameterError) -> Response:
    return answers.send(answers.Errors(error.errors), error.status)


@bp.get("/api/v1/events")
@require_key("read")
def events() -> Response:
    scope, query = _scope(), read(EventQuery, request.args)
    if query.since_ms is not None and query.until_ms is not None and query.since_ms > query.until_ms:
        raise ParameterError({"to": Message(REVERSED)})
    seen = looks.everybody(scope, None)
    if query.user:
        whose = User.select(User.id).where(User.login == query.user).tuples()
        seen = Seen({user for (user,) in whose if scope.sees(user)})
    audit.viewed(
        "list.viewed", ("list", "events", "events"), {"user": query.user} if query.user else {}, seen
    )
    found, after = queries.events(scope, query)
    return answers.send(answers.Events(found, None if after is None else str(after)))


@bp.get("/api/v1/tracing")
@require_key("read")
def tracing() -> Response:
    """Statistics and activities of a user's day, a part of it, or week, equal to those of the page."""
    scope, query = _scope(), read(TracingQuery, request.args)
    chosen, as_of = query.tz or zone(), clock.now_s()
    day = query.date or clock.local_date(as_of, chosen)
    hours = query.since or "", query.until or ""
    faults = hours_faults(query.unit, day, chosen, *hours)
    if faults:
        raise ParameterError({name: Message(text) for name, text in faults.items()})
    span = period_span(query.unit, day, chosen, *hours)
    found = trace.read(scope, query.user, span, chosen, as_of)
    if found is None:
        raise ParameterError({"user": Message(NO_SUCH_USER)}, 404)
    seen = Seen((found.person.id,), span)
    _note("tracing.viewed", ("user", found.person.id, found.person.name), span, seen)
    return answers.send(answers.tracing(found))


@bp.get("/api/v1/queues")
@require_key("read")
def queue() -> Response:
    """The figures of one queue's day, hour by hour: the same as on the page."""
    scope, query = _scope(Permission.QUEUES_FIGURES), read(QueueQuery, request.args)
    chosen, as_of = query.tz or zone(), clock.now_s()
    span = clock.day(query.date or clock.local_date(as_of, chosen), chosen)
    try:
        found = queues.day(scope, query.queue, span, chosen)
    except run.TooLong as error:
        raise ParameterError({"date": Message(TOO_LONG)}, 400) from error
    if found is None:
        raise ParameterError({"queue": Message(NO_SUCH_QUEUE)}, 404)
    _note("queue.viewed", ("queue", found.queue.id, found.queue.label), span)
    return answers.send(answers.queue(found, as_of))


@require_key("read")
def query_source() -> Response:
    """A query on the data source that the path names: rows, or figures by group."""
    source = request.path.rpartition("/")[2]
    viewer, as_of = _scope(SOURCES[source].permission), clock.now_s()
    given = {name: request.args.getlist(name) for name in request.args}
    try:
        query = parse(SOURCES[source], given, zone(), as_of, answer.names(viewer))
        found = answer.answer(viewer, query, as_of)
    except QueryError as error:
        raise ParameterError(error.errors, 400) from error
    except (run.TooLong, TooManyBuckets) as error:
        raise ParameterError({"period": Message(TOO_LONG)}, 400) from error
    target, details = ("source", source, source), looks.details(query, given)
    audit.viewed("query.run", target, details, looks.seen(viewer, [query]))
    return answers.send(found)


for _name in SOURCES:
    bp.add_url_rule(f"/api/v1/{_name}", _name, query_source)


@bp.get("/api/v1/openapi.json")
@public
def description() -> Response:
    """The OpenAPI document."""
    return make_response(jsonify(openapi.document(current_app.config["STOPA"].base_url)))


@bp.get("/healthz")
@public
def health() -> Response:
    """200 if the database can be written and is of this version; reveals nothing else."""
    problem = database_problem()
    return answers.send(answers.Health(problem or "ok"), 503 if problem else 200)


def _note(action: str, target: tuple[str, object, str], span: Span, seen: Seen | None = None) -> None:
    audit.viewed(action, target, {"from": span.start, "to": span.end}, seen)
