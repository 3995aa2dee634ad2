"""The list of reports, the page of one, its files, and saving, copying and deleting."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

import msgspec
from flask import Blueprint, Response, abort, flash, g, make_response, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from dashboard import clock
from dashboard.access import masking
from dashboard.access.guard import MissingPermission, require
from dashboard.access.permissions import Permission
from dashboard.audit import record as audit
from dashboard.exports.registry import TRACING_RIGHTS, ExportOrder, Maker
from dashboard.exports.table import Report, file_name
from dashboard.i18n import zone
from dashboard.i18n.message import N_
from dashboard.pages.reports import bar, builder
from dashboard.reports import files, library, looks, result
from dashboard.reports.library import Origin, SavedReport
from dashboard.reports.ready import READERS
from dashboard.reports.types import Result
from dashboard.sources import answer, run
from dashboard.sources.period import TooManyBuckets
from dashboard.sources.period_parameters import OF_PERIOD
from dashboard.sources.query import QueryError
from dashboard.web import report_view
from dashboard.web.deliver import deliver, file_links
from dashboard.web.errors import Detail
from dashboard.web.listing import TOO_LONG, refusal, too_long
from dashboard.web.lists import here, one_period
from dashboard.web.page import render

bp = Blueprint("reports", __name__)

P = Permission
ACTION = "report.exported"
PREVIEW_ROWS, GROUP_ROWS = 20, 2
Parameters = Mapping[str, Sequence[str]]


@bp.get("/reports")
@require(*READERS)
def index() -> Response:
    """Show the reports that the viewer may read, by origin."""
    found = library.readable(g.scope)
    groups = [(each, [report for report in found if report.origin is each]) for each in Origin]
    return render("reports/index.html", groups=groups)


@bp.get("/reports/<reference>")
@require(*READERS)
def show(reference: str) -> Response:
    """Show the result of a report; 400 with the reason when its parameters cannot be used."""
    report, given, as_of = report_of(reference), _given(), clock.now_s()
    errors: list[str] = []
    found: Result | None = None
    try:
        found = result.build(g.scope, report, given, zone(), as_of)
    except QueryError as error:
        errors = refusal(error, report.source)
    except (run.TooLong, TooManyBuckets) as error:
        errors = [too_long(error)]
    viewed(report, found)
    change = {name: values for name, values in result.merged(report, given).items() if name != "after"}
    return render(
        "reports/show.html",
        {"result"},
        status=400 if errors else 200,
        report=report,
        errors=errors,
        bar=bar.bar(g.scope, report, given),
        exports=file_links("reports", ("after",)),
        new_url=builder.address(report, change) if found is not None else None,
        schedule_url=f"{url_for('schedules.new')}?{urlencode({**given, 'report': reference}, doseq=True)}",
        next_url=here(("after",), after=found.next) if found and found.next else None,
        first_url=here(("after",)) if given.get("after") else None,
        **shown(found),
    )


@bp.get("/reports/<reference>.csv", defaults={"format_": "csv"})
@bp.get("/reports/<reference>.xlsx", defaults={"format_": "xlsx"})
@bp.get("/reports/<reference>.pdf", defaults={"format_": "pdf"})
@require(*READERS)
def download(reference: str, format_: str) -> Response:
    """Export the result of a report."""
    report, given, as_of = report_of(reference), _given(), clock.now_s()
    rows = files.MAX_ROWS
    seen = None
    try:
        seen = looks.seen(g.scope, [result.read(g.scope, report, given, zone(), as_of).query])
        found = result.build(g.scope, report, given, zone(), as_of)
        rows = found.count if found.exact else files.MAX_ROWS
    except QueryError as error:
        abort(400, Detail(refusal(error, report.source)[0]))
    except (run.TooLong, TooManyBuckets) as error:
        if format_ == "pdf" or not isinstance(error, run.TooSlow):
            abort(400, Detail(too_long(error, format_)))
    name = file_name(report.name, "", clock.local_date(as_of, zone()), format_)
    kept = {name: "\n".join(values) for name, values in given.items() if name != "after"}
    order = {**kept, "report": reference, "of": request.args.get("source", "")}
    return deliver("reports", order, format_, name, rows, ACTION, seen=seen)


@bp.get("/reports/<reference>.json")
@require(*READERS)
def as_json(reference: str) -> Response:
    """Answer with the result of a report as the query API does; 400 with the errors by parameter."""
    report, given, as_of = report_of(reference), _given(), clock.now_s()
    if not g.scope.can(TRACING_RIGHTS["csv"]):
        raise MissingPermission(TRACING_RIGHTS["csv"])
    try:
        query = result.read(g.scope, report, given, zone(), as_of).query
        found = answer.answer(g.scope, query, as_of)
    except QueryError as error:
        return _json({"errors": {name: why.render(_) for name, why in error.errors.items()}}, 400)
    except (run.TooLong, TooManyBuckets):
        return _json({"errors": {"period": _(TOO_LONG)}}, 400)
    details = {"report": reference, "format": "json", "rows": len(found.rows)}
    seen = looks.seen(g.scope, [query])
    audit.record(ACTION, "r", ("export", "", report.name), details=details, seen=seen)
    return _json(found)


@bp.post("/reports/<reference>/copy")
@require(*READERS)
def copy(reference: str) -> Response:
    """Store a copy of a report as the viewer's own."""
    report = report_of(reference)
    try:
        result.read(g.scope, report, {}, zone(), clock.now_s())
    except QueryError as error:
        abort(400, Detail(refusal(error, report.source)[0]))
    row = library.copy(g.scope, report)
    flash(_("Copied. The copy is yours to change."), "ok")
    return to(url_for(".edit", reference=row.id))


@bp.post("/reports/<reference>/delete")
@require(*READERS)
def delete(reference: str) -> Response:
    """Delete a report of the viewer."""
    report = own(reference)
    library.delete(g.scope, report)
    flash(_("Report %(name)s deleted.", name=report.name), "ok")
    return to(url_for(".index"))


def viewed(report: SavedReport, found: Result | None) -> None:
    """Record that the viewer saw a result; a query that is not saved is recorded by its data source."""
    if found is None:
        return
    given = {name: ",".join(values) for name, values in found.parameters.items() if name not in OF_PERIOD}
    details = {"from": found.span.start, "to": found.span.end, **masking.query(given)}
    label = report.name if report.reference != builder.NEW else report.source.name
    seen = looks.seen(g.scope, [found.query])
    audit.viewed("report.viewed", ("report", report.reference, label), details, seen)


def shown(found: Result | None, preview: bool = False) -> dict[str, Any]:
    """Return what the template of a result needs; a preview has the first rows of each group."""
    if found is None:
        return {"found": None}
    table = report_view.table(found)
    if preview:
        most = PREVIEW_ROWS if len(table.parts) < 2 else GROUP_ROWS
        table = table._replace(parts=[each._replace(rows=each.rows[:most]) for each in table.parts])
    counted = ngettext("%(num)d row", "%(num)d rows", found.count)
    return {
        "found": found,
        "table": table,
        "drawn": report_view.chart(found),
        "counted": counted if found.exact else _("More than %(number)s", number=counted),
    }


def _given() -> dict[str, list[str]]:
    """Return the parameters of the address that belong to the query."""
    return builder.query_of(one_period(request.args.to_dict(flat=False)))


def report_of(reference: str) -> SavedReport:
    """Return the report of an address, or answer 404; `new` is the unsaved one of its parameters."""
    if reference == builder.NEW:
        return builder.unsaved(g.scope, request.args.get("source", "")) or abort(404)
    return library.find(g.scope, reference) or abort(404)


def own(reference: str) -> SavedReport:
    """Return a stored report of the viewer, or answer 404."""
    report = report_of(reference)
    if report.origin is not Origin.MINE or report.reference == builder.NEW:
        abort(404)
    return report


def _build(order: ExportOrder) -> Report | None:
    given = {name: text.split("\n") for name, text in order.query.items() if name not in ("report", "of")}
    reference = order.query["report"]
    report = (
        builder.unsaved(order.scope, order.query["of"])
        if reference == builder.NEW
        else library.find(order.scope, reference)
    )
    if report is None:
        return None
    return files.file(order.scope, report, given, order.zone, order.as_of, order.exporter)


EXPORT = Maker(TRACING_RIGHTS, _build, N_("Report"))


def _json(body: Any, status: int = 200) -> Response:
    return Response(msgspec.json.encode(body), status, content_type="application/json")


def to(url: str) -> Response:
    return make_response(redirect(url, 303))
