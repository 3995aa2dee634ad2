"""The builder's pages: a new report, and the change of one's own, with a preview; saving them."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode

from flask import Response, abort, flash, g, make_response, redirect, request, url_for
from flask_babel import gettext as _

from dashboard import clock
from dashboard.access.granting import RefusedError
from dashboard.access.guard import require
from dashboard.access.permissions import Permission
from dashboard.i18n import zone
from dashboard.i18n.message import N_, message
from dashboard.models import User
from dashboard.pages.reports import builder
from dashboard.pages.reports.builder import ABOUT, NAME, SHARING
from dashboard.pages.reports.views import bp, own, shown, to, viewed
from dashboard.reports import library, result
from dashboard.reports.library import Draft, SavedReport, Sharing
from dashboard.reports.ready import READERS
from dashboard.reports.types import Result
from dashboard.sources import run
from dashboard.sources.catalogue import SOURCES
from dashboard.sources.period import TooManyBuckets
from dashboard.sources.period_parameters import UNKNOWN_VALUE
from dashboard.sources.query import Query, QueryError
from dashboard.web.errors import Detail
from dashboard.web.forms import line_problem, text, whole
from dashboard.web.listing import TOO_LONG, refusal
from dashboard.web.page import render

NAME_MAX, ABOUT_MAX = 120, 500
CHANGED = N_("Not saved: this report was changed in the meantime. Open it again to see what it is now.")


@bp.get("/reports/new")
@require(*READERS)
def new() -> Response:
    """Show the builder with a preview; 400 with the reason when its parameters cannot be used."""
    known = builder.chosen_sources(g.scope)
    name = request.args.get("source") or known[0].name
    report = builder.unsaved(g.scope, name)
    if report is None:
        names = ", ".join(each.name for each in known)
        abort(400, Detail(f"source: {message(UNKNOWN_VALUE, names=names).render(_)}"))
    given = {**request.args.to_dict(flat=False), "source": [name]}
    return _form(report, builder.parameters(report, given))


@bp.get("/reports/<reference>/edit")
@require(*READERS)
def edit(reference: str) -> Response:
    """Show the builder with a report of the viewer."""
    report = own(reference)
    given = request.args.to_dict(flat=False)
    if given:
        given["source"] = given.get("source") or [report.source.name]
        if given["source"][0] not in [each.name for each in builder.chosen_sources(g.scope)]:
            abort(400, Detail(f"source: {message(UNKNOWN_VALUE, names=report.source.name).render(_)}"))
    return _form(report, builder.parameters(report, given))


@bp.post("/reports/new")
@require(*READERS)
def create() -> Response:
    """Store a report; 422 with the form and its errors."""
    report = builder.unsaved(g.scope, _sent()["source"][0]) or abort(400)
    draft, errors = _draft(report)
    if not errors:
        try:
            row = library.save(g.scope, draft)
        except RefusedError as error:
            errors = {SHARING: _(str(error))}
        else:
            flash(_("Report %(name)s saved.", name=row.name), "ok")
            return to(url_for(".show", reference=row.id))
    return _form(report, _sent(), errors, 422)


@bp.post("/reports/<reference>/edit")
@require(*READERS)
def update(reference: str) -> Response:
    """Change a report of the viewer; 422 with the form and its errors, 409 when it was changed meanwhile."""
    report = own(reference)
    draft, errors = _draft(report)
    if errors:
        return _form(report, _sent(), errors, 422)
    try:
        done = library.update(g.scope, report, draft, whole(text(request.form, "version"), 1, 2**31 - 1) or 0)
    except RefusedError as error:
        return _form(report, _sent(), {SHARING: _(str(error))}, 422)
    if not done:
        return _form(report, _sent(), {"": _(CHANGED)}, 409)
    flash(_("Report %(name)s saved.", name=draft.name), "ok")
    return to(url_for(".show", reference=reference))


def _sent() -> dict[str, list[str]]:
    sent = request.form.to_dict(flat=False)
    sent.pop("csrf_token", None)
    if not any(sent.get("source", ())):
        sent["source"] = [builder.chosen_sources(g.scope)[0].name]
    if sent["source"][0] not in SOURCES:
        abort(400)
    return builder.normal(sent)


def _draft(report: SavedReport) -> tuple[Draft, dict[str, str]]:
    """Return what the form says, and its errors by field."""
    given = _sent()
    name, about = text(request.form, NAME), text(request.form, ABOUT)
    found = {NAME: line_problem(name, NAME_MAX), ABOUT: line_problem(about, ABOUT_MAX, needed=False)}
    errors = {field: problem for field, problem in found.items() if problem}
    chosen = builder.query_of(given)
    source = builder.unsaved(g.scope, given["source"][0])
    if source is None:
        abort(400)
    try:
        result.read(g.scope, source, chosen, zone(), clock.now_s())
    except QueryError as error:
        errors[""] = " ".join(refusal(error, source.source))
    sharing = text(request.form, SHARING) or Sharing.PRIVATE
    if sharing not in list(Sharing):
        errors[SHARING] = message(UNKNOWN_VALUE, names=", ".join(Sharing)).render(_)
        sharing = Sharing.PRIVATE
    chart = "".join(chosen.pop("chart", []))
    role = User.select(User.access).where(User.id == g.scope.viewer_id).scalar()
    return Draft(name, about, source.source.name, chosen, chart, False, Sharing(sharing), role), errors


def _form(
    report: SavedReport,
    given: Mapping[str, list[str]],
    errors: Mapping[str, str] | None = None,
    status: int = 200,
) -> Response:
    """Answer with the form and the preview; another address of the same form leads to the normal one."""
    if request.method == "GET" and request.args.to_dict(flat=False) != given:
        return make_response(redirect(f"{request.path}?{urlencode(given, doseq=True)}"))
    base = builder.unsaved(g.scope, given["source"][0]) or abort(400)
    chosen, problems = builder.query_of(given), []
    found: Result | None = None
    query: Query | None = None
    try:
        query = result.read(g.scope, base, chosen, zone(), clock.now_s()).query
        found = result.build(g.scope, base, chosen, zone(), clock.now_s())
    except QueryError as error:
        problems = refusal(error, base.source)
    except (run.TooLong, TooManyBuckets):
        problems = [_(TOO_LONG)]
    viewed(base, found)
    return render(
        "reports/edit.html",
        {"builder"},
        status=400 if problems and status == 200 else status,
        report=report,
        given=given,
        form=builder.build(g.scope, base, given, query, request.path),
        problems=problems,
        errors=dict(errors or {}),
        may_share=g.scope.can(Permission.REPORTS_SHARE),
        sharings=[(each.value, _(label)) for each, label in builder.SHARED.items()],
        **shown(found, preview=True),
    )
