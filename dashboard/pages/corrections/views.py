"""The page on which signed-in time and pauses of a user's day are corrected."""

from __future__ import annotations

from datetime import date

from flask import Blueprint, Response, abort, flash, g, make_response, redirect, request, url_for
from flask_babel import gettext as _

from dashboard import clock
from dashboard.access.guard import require
from dashboard.access.permissions import Permission
from dashboard.clock import Span
from dashboard.i18n import zone
from dashboard.ingest import corrections
from dashboard.ingest.corrections import CorrectionError
from dashboard.models import PauseType, User
from dashboard.pages.corrections import forms
from dashboard.pages.corrections.forms import CorrectionForm
from dashboard.tracing import corrections as made
from dashboard.tracing import people
from dashboard.tracing.corrections import NAMES, Stretch
from dashboard.tracing.types import NO_DATE, Kind, parse_date
from dashboard.web import correction_texts
from dashboard.web import forms as fields
from dashboard.web.page import render

bp = Blueprint("corrections", __name__)


@bp.get("/tracing/correct")
@require(Permission.TRACING_CORRECT)
def show() -> Response:
    """Show what counts as signed-in time and pauses on a day, the corrections, and the form of one."""
    user, on = _subject()
    counted = _counted(user, on)
    return _page(user, on, forms.filled(request.args, counted, zone()))


@bp.post("/tracing/correct")
@require(Permission.TRACING_CORRECT)
def correct() -> Response:
    """Make a correction; 422 with the fields that are wrong."""
    user, on = _subject()
    form, wanted = forms.parse(request.form, _counted(user, on), zone())
    if wanted is not None:
        try:
            corrections.correct(user, wanted, g.user, zone())
        except CorrectionError as error:
            form.errors[error.field] = error.problem.render(_)
    if form.errors:
        return _page(user, on, form, 422)
    flash(_("The correction was saved."), "ok")
    return make_response(redirect(_url(user, on)))


@bp.post("/tracing/correct/take-back")
@require(Permission.TRACING_CORRECT)
def take_back() -> Response:
    """Withdraw a correction; 404 for one that is not, or no longer, in force."""
    user, on = _subject()
    reason = fields.text(request.form, "reason")
    ident = request.form.get("correction", "")
    found = [one for one in made.of_user(user.id) if one.id == ident and one.taken_back is None]
    if not found:
        abort(404)
    problem = fields.line_problem(reason, forms.REASON_MAX)
    if problem is not None:
        return _page(user, on, None, 422, {ident: problem})
    corrections.take_back(user, found[0], reason, g.user, zone())
    flash(_("The correction was taken back."), "ok")
    return make_response(redirect(_url(user, on)))


def _subject() -> tuple[User, date]:
    """Return the user, oneself without one, and the day; 404 outside the scope, 400 for a bad date."""
    given = request.args if request.method == "GET" else request.form
    person = people.person(g.scope, given.get("user") or g.user.login)
    if person is None:
        abort(404)
    on = parse_date(given.get("date", ""), clock.local_date(clock.now_s(), zone()))
    if on is None:
        abort(400, _(NO_DATE))
    return User.get_by_id(person.id), on


def _url(user: User, on: date) -> str:
    return url_for(".show", user=user.login, date=on.isoformat())


def _counted(user: User, on: date) -> dict[Kind, list[Stretch]]:
    span, now = clock.day(on, zone()), clock.now_s()
    passed = Span(span.start, max(span.start, min(span.end, now)))
    return {kind: corrections.stretches(user.id, kind, passed, now) for kind in NAMES}


def _page(
    user: User,
    on: date,
    form: CorrectionForm | None,
    status: int = 200,
    refused: dict[str, str] | None = None,
) -> Response:
    here, span = zone(), clock.day(on, zone())
    pauses = dict(PauseType.select(PauseType.name, PauseType.label).order_by(PauseType.label).tuples())
    found = made.of_users(g.scope, [user.id], span).get(user.id, [])
    return render(
        "corrections/show.html",
        status=status,
        subject=user,
        date=on,
        zone=here,
        counted=[
            (
                kind is Kind.PAUSE,
                forms.key(kind, part),
                correction_texts.stretch(part, here, pauses),
                part.paid,
            )
            for kind, parts in _counted(user, on).items()
            for part in parts
        ],
        form=form,
        is_pause=form is not None and form.kind is Kind.PAUSE,
        kind=NAMES[form.kind] if form else "",
        pauses=list(pauses.items()),
        corrections=correction_texts.texts(found, here),
        refused=refused or {},
    )
