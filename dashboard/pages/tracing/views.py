"""User tracing: the page, one activity, the files."""

from __future__ import annotations

from flask import Blueprint, Response, abort, flash, g, make_response, redirect, request, url_for
from flask_babel import gettext as _

from dashboard import clock
from dashboard.access.guard import require
from dashboard.access.permissions import Permission
from dashboard.audit import record as audit
from dashboard.audit.subjects import Seen
from dashboard.exports.table import file_name
from dashboard.i18n import zone
from dashboard.pages.tracing import (
    activity_page,
    context,
    export,
    forms,
    listing,
    manual,
    marks,
    pause_page,
    queries,
)
from dashboard.tracing import trace as traces
from dashboard.tracing.load import ActivityRow
from dashboard.web.deliver import deliver
from dashboard.web.errors import Detail
from dashboard.web.page import render, wanted

bp = Blueprint("tracing", __name__)
BLOCKS = ("result", "activities")


@bp.get("/tracing")
@require(Permission.SELF)
def index() -> Response:
    """One's own trace for everybody; others' with the permission and inside the scope, else 404. Without a
    user in the address, it is that of the user who worked last.

    What is wrong in the address is said above the trace, with 422; all else of it is kept.
    """
    own = "" if request.args.get("user") else queries.last_worked(g.scope)
    asked = forms.parse(request.args, own or g.user.login, zone())
    found = traces.read(g.scope, asked.user, asked.span, asked.zone, clock.now_s())
    if found is None:
        abort(404)
    audit.viewed(
        "tracing.viewed",
        ("user", found.person.id, found.person.name),
        context.period_details(asked),
        Seen((found.person.id,), asked.span),
    )
    make = context.activities if wanted(BLOCKS) == "activities" else context.page
    status = 422 if asked.errors else 200
    return render("tracing/index.html", fragments=BLOCKS, status=status, **make(found, asked))


@bp.get("/tracing/activities/<int:ident>")
@require(Permission.SELF)
def show(ident: int) -> Response:
    """An activity with the events of its interaction and what rules made of it; 404 outside the scope or
    the viewer's queues."""
    row = _visible(ident)
    user = queries.user(row.user_id)
    answer = _detail(row, user.login, manual.blank())
    audit.viewed("activity.viewed", audit.user_target(user), {"activity": ident}, Seen((user.id,)))
    return answer


@bp.get("/tracing/pause")
@require(Permission.SELF)
def pause() -> Response:
    """A pause with its limit and the work during it: of `user`, begun at the UTC second `at`; else 404."""
    asked, given = _faultless(g.user.login), request.args.get("at", "")
    start = int(given) if given.isascii() and given.isdecimal() and len(given) < 12 else 0
    found = pause_page.read(g.scope, asked, start, clock.now_s())
    if found is None:
        abort(404)
    trace, row = found
    audit.viewed(
        "tracing.viewed",
        ("user", trace.person.id, trace.person.name),
        context.period_details(asked),
        Seen((trace.person.id,), trace.span),
    )
    return render("tracing/pause.html", **pause_page.page(trace, row))


@bp.post("/tracing/activities/<int:ident>/manual")
@require(Permission.RULES_OWN, Permission.RULES_EDIT)
def record_manual(ident: int) -> Response:
    """Record a manual event about the activity's interaction; 404 where none is offered."""
    row = _visible(ident)
    type_ = manual.offered(g.scope, row)
    if type_ is None:
        abort(404)
    asked = manual.parse(request.form)
    if asked.errors:
        return _detail(row, queries.user(row.user_id).login, asked)
    if manual.record(g.user, row, type_, asked):
        flash(_("Event recorded. Rules will run within seconds."), "ok")
    else:
        flash(_("Duplicate event; already recorded."))
    return make_response(redirect(url_for(".show", ident=ident, tz=request.args.get("tz"))))


def _visible(ident: int) -> ActivityRow:
    """Return the activity, or answer 404: outside the scope, or its content is not for the viewer."""
    row = queries.activity(g.scope, ident)
    if row is None or row.hidden:
        abort(404)
    return row


def _detail(row: ActivityRow, login: str, form: manual.ManualEventForm) -> Response:
    """Answer with the page of an activity; 422 for a form with errors."""
    asked, moment = _faultless(login), clock.now_s()
    day = clock.local_date(row.start, asked.zone)
    at = moment if row.end is None else row.start  # what is open now is all that the detail reads of a day
    found = traces.read(g.scope, login, clock.Span(at, at + 1), asked.zone, moment)
    if found is None:
        abort(404)
    offered = manual.offered(g.scope, row)
    return render(
        "tracing/activity.html",
        status=422 if form.errors else 200,
        form=form if offered else None,
        **activity_page.page(found, row, day),
        **marks.about(g.scope, row),
    )


@bp.get("/tracing.pdf", defaults={"format_": "pdf"})
@bp.get("/tracing.xlsx", defaults={"format_": "xlsx"})
@bp.get("/tracing.csv", defaults={"format_": "csv"})
@require(Permission.TRACING_EXPORT_PDF, Permission.TRACING_EXPORT_DATA)
def download(format_: str) -> Response:
    """Exactly what the page shows, all pages of the list, under exactly its rights."""
    asked = _faultless(g.user.login)
    found = traces.read(g.scope, asked.user, asked.span, asked.zone, clock.now_s())
    if found is None or asked.span.start > clock.now_s():
        abort(404)
    count = listing.counts(found, asked).get(asked.kind, 0)
    day = clock.local_date(asked.whole.start, asked.zone) if asked.unit != "day" else asked.date
    name = file_name("tracing", found.person.login, day, format_)
    asked_for = asked.query(after=None, before=None, page=1)
    return deliver(
        "tracing",
        asked_for,
        format_,
        name,
        count,
        "tracing.exported",
        lambda order: export.report(found, asked, order),
        Seen((found.person.id,), asked.span),
    )


def _faultless(own: str) -> forms.TraceQuery:
    """Return the parsed query, or answer 422 where there is no page to say above what is wrong."""
    asked = forms.parse(request.args, own, zone())
    if asked.errors:
        abort(422, Detail(" ".join(asked.errors.values())))
    return asked
