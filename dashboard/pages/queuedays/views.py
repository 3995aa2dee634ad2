"""A queue's day: the page and its files."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import Blueprint, Response, abort, g, request, url_for

from dashboard import clock
from dashboard.access.guard import require
from dashboard.access.permissions import Permission
from dashboard.exports.table import file_name
from dashboard.i18n import collation, zone
from dashboard.i18n.formats import language
from dashboard.pages.queuedays import forms
from dashboard.pages.queuedays.forms import QueueDayQuery
from dashboard.tracing import queues
from dashboard.web.deliver import asked as query
from dashboard.web.deliver import deliver, export_links
from dashboard.web.page import render

bp = Blueprint("queuedays", __name__)


@bp.get("/queues/figures")
@require(Permission.QUEUES_FIGURES)
def show() -> Response:
    """Show a queue's day, by default of the first queue in scope; 404 for a queue outside the scope."""
    as_of = clock.now_s()
    asked = forms.parse(request.args, zone(), as_of)
    choices = sorted(queues.queues(g.scope), key=lambda one: collation.key(one.label, language()))
    if not asked.queue and choices:
        asked = forms.parse({**request.args, "queue": choices[0].name}, zone(), as_of)
    found = queues.day(g.scope, asked.queue, asked.span, asked.zone)
    if found is None and asked.queue:
        abort(404)
    status = 422 if asked.errors else 200
    return render(
        "queuedays/show.html",
        fragments={"result"},
        status=status,
        asked=asked,
        found=found,
        as_of=as_of,
        choices=[(one.name, one.label) for one in choices],
        links=_links(asked, as_of),
        exports=export_links("queuedays", **asked.query()) if asked.span.start <= clock.now_s() else [],
    )


@bp.get("/queues/figures.pdf", defaults={"format_": "pdf"})
@bp.get("/queues/figures.xlsx", defaults={"format_": "xlsx"})
@bp.get("/queues/figures.csv", defaults={"format_": "csv"})
@require(Permission.QUEUES_FIGURES)
def download(format_: str) -> Response:
    """Send the page's table as a file. Requires the permissions for the page and for the format."""
    asked = forms.parse(request.args, zone(), clock.now_s())
    if asked.span.start > clock.now_s() or queues.queue(g.scope, asked.queue) is None:
        abort(404)
    name = file_name("queue", asked.queue, asked.date, format_)
    asked_for = {**query(), "date": asked.date.isoformat()}
    return deliver(
        "queuedays", asked_for, format_, name, len(clock.hours(asked.span, asked.zone)), "queue.exported"
    )


def _links(asked: QueueDayQuery, as_of: int) -> dict[str, Any]:
    today = clock.local_date(as_of, asked.zone)
    return {
        "prev": url_for(".show", **asked.query(date=(asked.date - timedelta(days=1)).isoformat())),
        "next": url_for(".show", **asked.query(date=(asked.date + timedelta(days=1)).isoformat())),
        "today": url_for(".show", **asked.query(date=None)) if asked.date != today else None,
    }
