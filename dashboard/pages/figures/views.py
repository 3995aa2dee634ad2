"""The page of figures and its files: key figures against the period before, a chart, a heat map, a table."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import msgspec
from flask import Blueprint, Response, abort, g, make_response, redirect, request
from flask_babel import gettext as _

from dashboard import clock
from dashboard.access.guard import MissingPermission, require
from dashboard.access.permissions import Permission
from dashboard.audit import record as audit
from dashboard.audit.subjects import Seen
from dashboard.exports.registry import TRACING_RIGHTS, ExportOrder, Maker
from dashboard.exports.table import Report, file_name
from dashboard.i18n import zone
from dashboard.i18n.message import N_
from dashboard.pages.figures import export, model, page, reading, tables
from dashboard.pages.figures.reading import FiguresRequest
from dashboard.reports import looks
from dashboard.reports.files import MAX_ROWS
from dashboard.sources import run
from dashboard.sources.period import TooManyBuckets
from dashboard.sources.query import QueryError
from dashboard.web.deliver import deliver, file_links
from dashboard.web.errors import Detail
from dashboard.web.listing import TOO_LONG, refusal, too_long
from dashboard.web.page import render

bp = Blueprint("figures", __name__)


@bp.get("/figures")
@require(Permission.QUEUES_FIGURES)
def index() -> Response:
    """Show the figures that the address asks for; 400 with the reason when it cannot be used."""
    given = _given()
    errors: list[str] = []
    try:
        wanted = _request(given)
        shown = page.page(wanted, given)
        if wanted.by in tables.OF_PEOPLE:
            details = looks.details(wanted.query, given)
            audit.viewed("figures.viewed", ("figures", wanted.by, ""), details, _seen(wanted))
    except QueryError as error:
        errors, shown = refusal(error), None
    except (run.TooLong, TooManyBuckets) as error:
        errors, shown = [too_long(error)], None
    return render(
        "figures/index.html",
        {"result"},
        status=400 if errors else 200,
        page=shown,
        errors=errors,
        exports=file_links("figures"),
        **page.bar(g.scope, given),
    )


@bp.get("/figures.csv", defaults={"format_": "csv"})
@bp.get("/figures.xlsx", defaults={"format_": "xlsx"})
@bp.get("/figures.pdf", defaults={"format_": "pdf"})
@require(Permission.QUEUES_FIGURES)
def download(format_: str) -> Response:
    """Export the table."""
    given = _given()
    found = None  # too slow for a page: the file is made in the background
    try:
        wanted = _request(given)
        found = model.table(wanted)
    except QueryError as error:
        abort(400, Detail(refusal(error)[0]))
    except (run.TooLong, TooManyBuckets) as error:
        if format_ == "pdf" or not isinstance(error, run.TooSlow):
            abort(400, Detail(too_long(error, format_)))
    name = file_name(
        "figures", wanted.by, clock.local_date(wanted.query.span.start, wanted.query.zone), format_
    )
    kept = {name: "\n".join(values) for name, values in given.items()}
    return deliver(
        "figures",
        kept,
        format_,
        name,
        len(found.rows) if found else MAX_ROWS,
        "report.exported",
        (lambda order: export.report(wanted, found, order)) if found else None,
        _seen(wanted),
    )


@bp.get("/figures.json")
@require(Permission.QUEUES_FIGURES)
def as_json() -> Response:
    """Answer with the table as the query API does; 400 with the errors by parameter."""
    if not g.scope.can(TRACING_RIGHTS["csv"]):
        raise MissingPermission(TRACING_RIGHTS["csv"])
    try:
        wanted = _request(_given())
        found = model.as_answer(wanted, clock.now_s())
    except QueryError as error:
        return _json({"errors": {name: why.render(_) for name, why in error.errors.items()}}, 400)
    except (run.TooLong, TooManyBuckets):
        return _json({"errors": {"period": _(TOO_LONG)}}, 400)
    details = {"by": wanted.by, "format": "json", "rows": len(found.rows)}
    audit.record("report.exported", "r", ("export", "", "figures"), details=details, seen=_seen(wanted))
    return _json(found)


def _seen(wanted: FiguresRequest) -> Seen | None:
    """Return whose figures a table shows."""
    seen = looks.seen(g.scope, [wanted.query])
    return seen or (looks.everybody(g.scope, wanted.query.span) if wanted.by in tables.OF_PEOPLE else None)


def _json(body: Any, status: int = 200) -> Response:
    return Response(msgspec.json.encode(body), status, content_type="application/json")


@bp.get("/queues/figures", defaults={"format_": ""})
@bp.get("/queues/figures.pdf", defaults={"format_": ".pdf"})
@bp.get("/queues/figures.xlsx", defaults={"format_": ".xlsx"})
@bp.get("/queues/figures.csv", defaults={"format_": ".csv"})
@require(Permission.QUEUES_FIGURES)
def former(format_: str) -> Response:
    """Redirect the address of a queue's day by hours, by which bookmarks and scripts know it."""
    kept = {name: request.args[name] for name in ("queue", "date", "tz") if request.args.get(name)}
    query = urlencode({"by": "hour", "unit": request.args.get("unit") or "day", **kept})
    return make_response(redirect(f"/figures{format_}?{query}"))


def _build(order: ExportOrder) -> Report | None:
    if not order.scope.can(Permission.QUEUES_FIGURES):
        return None
    given = {name: text.split("\n") for name, text in order.query.items()}
    wanted = reading.read(order.scope, given, order.zone, order.as_of)
    if not order.scope.can(wanted.table.source.permission):
        return None
    return export.report(wanted, model.table(wanted), order)


EXPORT = Maker(TRACING_RIGHTS, _build, N_("Figures"))


def _given() -> reading.Given:
    return {name: request.args.getlist(name) for name in request.args}


def _request(given: reading.Given) -> FiguresRequest:
    wanted = reading.read(g.scope, given, zone(), clock.now_s())
    if not g.scope.can(wanted.table.source.permission):
        abort(403)
    return wanted
