"""The page of figures and its files: key figures against the period before, a chart, a heat map, a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Blueprint, Response, abort, g, request

from dashboard import clock
from dashboard.access.guard import require
from dashboard.access.permissions import Permission
from dashboard.exports.registry import TRACING_RIGHTS, ExportOrder, Maker
from dashboard.exports.table import Report, file_name
from dashboard.i18n import zone
from dashboard.pages.figures import export, model
from dashboard.pages.figures.model import FiguresRequest
from dashboard.sources import run
from dashboard.sources.period import TooManyBuckets
from dashboard.sources.query import QueryError
from dashboard.web.deliver import deliver
from dashboard.web.errors import Detail
from dashboard.web.listing import refusal
from dashboard.web.page import render

bp = Blueprint("figures", __name__)


@bp.get("/figures")
@require(Permission.QUEUES_FIGURES)
def index() -> Response:
    """Show the figures that the address asks for; 400 with the reason when it cannot be used."""
    given = {name: request.args.getlist(name) for name in request.args}
    errors: list[str] = []
    try:
        page = _page(given)
    except QueryError as error:
        errors, page = refusal(error), _page({})
    except (run.TooLong, TooManyBuckets):
        errors, page = [model.too_long()], _page({})
    return render(
        "figures/index.html",
        {"result"},
        status=400 if errors else 200,
        page=page,
        errors=errors,
        **model.bar(g.scope, given),
    )


@bp.get("/figures.csv", defaults={"format_": "csv"})
@bp.get("/figures.xlsx", defaults={"format_": "xlsx"})
@bp.get("/figures.pdf", defaults={"format_": "pdf"})
@require(Permission.QUEUES_FIGURES)
def download(format_: str) -> Response:
    """Export the table."""
    given = {name: request.args.getlist(name) for name in request.args}
    try:
        wanted = _request(given)
        rows = len(model.table(wanted).rows)
    except QueryError as error:
        abort(400, Detail(refusal(error)[0]))
    except (run.TooLong, TooManyBuckets):
        abort(400, Detail(model.too_long()))
    name = file_name("figures", wanted.by, clock.local_date(clock.now_s(), zone()), format_)
    kept = {name: "\n".join(values) for name, values in given.items()}
    return deliver("figures", kept, format_, name, rows, "report.exported")


def _build(order: ExportOrder) -> Report | None:
    if not order.scope.can(Permission.QUEUES_FIGURES):
        return None
    given = {name: text.split("\n") for name, text in order.query.items()}
    return export.report(model.read(order.scope, given, order.zone, order.as_of), order)


EXPORT = Maker(TRACING_RIGHTS, _build)


def _request(given: Mapping[str, Sequence[str]]) -> FiguresRequest:
    wanted = model.read(g.scope, given, zone(), clock.now_s())
    if not g.scope.can(wanted.table.source.permission):
        abort(403)
    return wanted


def _page(given: Mapping[str, Sequence[str]]) -> Any:
    return model.page(_request(given))
