"""User tracing: the page, one activity, the files."""

from __future__ import annotations

from datetime import timedelta

from flask import Blueprint, Response, abort, g, request

from dashboard import clock
from dashboard.access.guard import require
from dashboard.access.permissions import Permission
from dashboard.audit import record as audit
from dashboard.exports.table import file_name
from dashboard.pages.tracing import context, export, forms, listing, queries
from dashboard.tracing import trace as traces
from dashboard.web.deliver import asked as query
from dashboard.web.deliver import deliver
from dashboard.web.page import render, zone

bp = Blueprint("tracing", __name__)


@bp.get("/tracing")
@require(Permission.SELF)
def index() -> Response:
    """One's own trace for everybody; others' with the permission and inside the scope, else 404."""
    asked = forms.parse(request.args, g.user.login, zone())
    found = traces.read(g.scope, asked.user, asked.span, asked.zone, clock.now_s())
    if found is None:
        abort(404)
    audit.viewed(
        "tracing.viewed", ("user", found.person.id, found.person.name), context.period_details(asked)
    )
    values = context.page(found, asked)
    return render("tracing/index.html", fragments={"result", "activities"}, **values)


@bp.get("/tracing/activities/<int:ident>")
@require(Permission.SELF)
def show(ident: int) -> Response:
    """An activity with the events of its interaction; 404 outside the scope or the viewer's queues."""
    row = queries.activity(g.scope, ident)
    if row is None or row.hidden:
        abort(404)
    login = queries.login(row.user_id)
    asked = forms.parse(request.args, login, zone())
    day = clock.local_date(row.start, asked.zone)
    span = clock.Span(row.start - 1, max(row.start + 1, row.end or clock.now_s() + 1))
    found = traces.read(g.scope, login, span, asked.zone, clock.now_s())
    if found is None:
        abort(404)
    details = {"activity": ident}
    audit.viewed("activity.viewed", ("user", found.person.id, found.person.name), details)
    return render("tracing/activity.html", **context.detail(found, row, day))


@bp.get("/tracing.pdf", defaults={"format_": "pdf"})
@bp.get("/tracing.xlsx", defaults={"format_": "xlsx"})
@bp.get("/tracing.csv", defaults={"format_": "csv"})
@require(Permission.TRACING_EXPORT_PDF, Permission.TRACING_EXPORT_DATA)
def download(format_: str) -> Response:
    """Exactly what the page shows, all pages of the list, under exactly its rights."""
    asked = forms.parse(request.args, g.user.login, zone())
    found = traces.read(g.scope, asked.user, asked.span, asked.zone, clock.now_s())
    if found is None:
        abort(404)
    count = sum(listing.counts(found, asked).get(kind, 0) for kind in {asked.kind})
    day = asked.date - timedelta(days=asked.date.weekday()) if asked.unit == "week" else asked.date
    name = file_name("tracing", found.person.login, day, format_)
    asked_for = {**query(), "user": asked.user, "date": asked.date.isoformat()}
    return deliver("tracing", asked_for, format_, name, count, "tracing.exported")


export.init()
