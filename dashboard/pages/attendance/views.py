"""The page of attendance and its files: a row a person on the page, a row a person and day in files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from flask import Blueprint, Response, abort, g, request
from flask_babel import gettext as _

from dashboard import clock
from dashboard.access.guard import require
from dashboard.access.permissions import Permission
from dashboard.access.scope import Scope
from dashboard.audit import record as audit
from dashboard.audit.subjects import Seen
from dashboard.clock import Span
from dashboard.exports.registry import TRACING_RIGHTS, ExportOrder, Maker
from dashboard.exports.table import Column, Kind, Report, Row, Sheet, file_name
from dashboard.i18n import formats, zone
from dashboard.i18n.message import N_, Message, message
from dashboard.sources.display import span_text
from dashboard.sources.period_parameters import parse_period
from dashboard.sources.query import QueryError
from dashboard.tracing import team as teams
from dashboard.tracing.made import attendance as model
from dashboard.tracing.made.attendance import Person, Times
from dashboard.web import correction_texts
from dashboard.web.deliver import deliver, file_links
from dashboard.web.errors import Detail
from dashboard.web.listing import PERIODS, refusal
from dashboard.web.lists import here, one_period
from dashboard.web.page import render

bp = Blueprint("attendance", __name__)

DEFAULT = "last_month"
KNOWN = frozenset(("period", "from", "to", "tz", "team", "user"))
UNKNOWN = N_("Unknown parameter.")
NO_TEAM = N_("There is no such team that you lead.")
TOO_LONG = N_("Choose at most %(days)s days.")


class AttendanceQuery(NamedTuple):
    span: Span
    zone: str
    team: int | None
    user: str


@bp.get("/attendance")
@require(Permission.TRACING_VIEW)
def index() -> Response:
    """Show the presence of everybody in scope in a period, and of one of them by day."""
    given = one_period(request.args.to_dict(flat=False))
    as_of, errors = clock.now_s(), []
    try:
        query = read(g.scope, given, zone(), as_of)
    except QueryError as error:
        errors, query = refusal(error), read(g.scope, {}, zone(), as_of)
    people = _people(g.scope, query, as_of) if not errors else []
    if not errors:
        details = {"from": query.span.start, "to": query.span.end, "user": query.user}
        audit.viewed("attendance.viewed", ("team", query.team or "", ""), details, _seen(people, query))
    custom = any(any(given.get(name, ())) for name in ("from", "to"))
    return render(
        "attendance/index.html",
        {"result"},
        status=400 if errors else 200,
        errors=errors,
        query=query,
        people=people,
        total=model.total(people),
        about=f"{span_text(query.span, query.zone)} · {query.zone}",
        period="" if custom else request.args.get("period") or DEFAULT,
        periods=[("", _("Choose dates")), *((name, _(text)) for name, text in PERIODS.items())],
        teams=[("", _("Everybody")), *teams.choices(g.scope)],
        user_url=lambda login: here(("user",), user=login),
        all_url=here(("user",)) if query.user else None,
        exports=file_links("attendance"),
        corrections=correction_texts.texts(
            [one for person in people for one in person.corrections] if query.user else [], query.zone
        ),
    )


@bp.get("/attendance.csv", defaults={"format_": "csv"})
@bp.get("/attendance.xlsx", defaults={"format_": "xlsx"})
@bp.get("/attendance.pdf", defaults={"format_": "pdf"})
@require(Permission.TRACING_VIEW)
def download(format_: str) -> Response:
    """Export a row for each person and day."""
    given = one_period(request.args.to_dict(flat=False))
    try:
        query = read(g.scope, given, zone(), clock.now_s())
    except QueryError as error:
        abort(400, Detail(refusal(error)[0]))
    people = _people(g.scope, query, clock.now_s())
    name = file_name("attendance", query.user, clock.local_date(query.span.start, query.zone), format_)
    kept = {name: "\n".join(values) for name, values in given.items()}
    rows = sum(len(each.days) for each in people)
    return deliver("attendance", kept, format_, name, rows, "report.exported", seen=_seen(people, query))


def _seen(people: Sequence[Person], query: AttendanceQuery) -> Seen:
    return Seen([each.member.id for each in people], query.span)


def read(scope: Scope, given: Mapping[str, Sequence[str]], here_zone: str, as_of: int) -> AttendanceQuery:
    """Return what the address asks for. Raises QueryError, which names every bad parameter."""
    errors = {name: Message(UNKNOWN) for name in given if name not in KNOWN}
    if errors:
        raise QueryError(errors)
    span, chosen_zone = parse_period(given, here_zone, as_of, DEFAULT)
    if len(clock.local_dates(span, chosen_zone)) > model.MAX_DAYS:
        raise QueryError({"period": message(TOO_LONG, days=model.MAX_DAYS)})
    text = next((value for value in given.get("team", ()) if value), "")
    ident = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None
    if text and ident not in [each for each, _name in teams.choices(scope)]:
        raise QueryError({"team": Message(NO_TEAM)})
    return AttendanceQuery(
        span, chosen_zone, ident, next((value for value in given.get("user", ()) if value), "")
    )


def _people(scope: Scope, query: AttendanceQuery, as_of: int) -> list[Person]:
    return model.read(scope, query.team, query.user, query.span, query.zone, as_of, formats.language())


def _build(order: ExportOrder) -> Report | None:
    """Return the file; None without the right to see it."""
    if not order.scope.can(Permission.TRACING_VIEW):
        return None
    given = {name: text.split("\n") for name, text in order.query.items()}
    query = read(order.scope, given, order.zone, order.as_of)
    people = _people(order.scope, query, order.as_of)
    stamp, title = formats.stamp(order.as_of, query.zone), _("Attendance")
    about = span_text(query.span, query.zone)
    return Report(
        title=title,
        subtitle=" · ".join((about, query.zone, stamp, order.exporter)),
        meta=(
            (_("Period"), about),
            (_("Time zone"), query.zone),
            (_("As of"), stamp),
            (_("Exported by"), order.exporter),
        ),
        sheets=(
            Sheet(title, _columns(), _rows(people, query.zone), _total(model.total(people))),
            Sheet(_("By person"), _columns()[:2] + _columns()[5:], _by_person(people)),
            *_corrections(people, query.zone),
        ),
        locale=formats.language(),
        zone=query.zone,
        footer=_("As of %(time)s · exported by %(name)s", time=stamp, name=order.exporter),
    )


EXPORT = Maker(TRACING_RIGHTS, _build, N_("Attendance"))


def _columns() -> tuple[Column, ...]:
    return (
        Column("user", _("User"), Kind.TEXT, 24),
        Column("login", _("User name"), Kind.TEXT, 18),
        Column("date", _("Date"), Kind.DATE, 12),
        Column("first", _("Signed in at"), Kind.TIME, 20, with_offset=False),
        Column("last", _("Signed out at"), Kind.TIME, 20, with_offset=False),
        Column("signed_in", _("Login time"), Kind.DURATION, 12),
        Column("ready", _("Ready"), Kind.DURATION, 12),
        Column("paid", _("Paid pauses"), Kind.DURATION, 14),
        Column("unpaid", _("Unpaid pauses"), Kind.DURATION, 14),
        Column("worked", _("Without unpaid pauses"), Kind.DURATION, 16),
        Column("inferred", _("Inferred"), Kind.TEXT, 10),
        Column("corrected", _("Corrected"), Kind.TEXT, 40),
    )


def _figures(times: Times) -> Row:
    figures = (times.login, times.ready, times.paid, times.unpaid, times.worked)
    return (*figures, _("Yes") if times.inferred else "")


def _corrections(people: Sequence[Person], zone: str) -> tuple[Sheet, ...]:
    rows = [
        (person.member.name, text)
        for person in people
        for text in correction_texts.texts(person.corrections, zone)
    ]
    return (correction_texts.sheet(rows),) if rows else ()


def _rows(people: Sequence[Person], zone: str) -> Iterator[Row]:
    for person in people:
        for day in person.days:
            who = (person.member.name, person.member.login)
            said = "; ".join(text.line for text in correction_texts.texts(day.corrections, zone))
            yield (*who, day.on, day.first, day.last, *_figures(day.times), said)


def _by_person(people: Sequence[Person]) -> Iterator[Row]:
    for person in people:
        said = formats.number(person.corrected) if person.corrected else ""
        yield (person.member.name, person.member.login, *_figures(person.total), said)


def _total(times: Times) -> Row:
    return (_("Total"), "", None, None, None, *_figures(times), "")
