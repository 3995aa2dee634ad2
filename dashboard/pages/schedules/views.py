"""Schedules: the list and the form on the settings kit, what was sent, and sending one now."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from flask import Blueprint, Response, abort, g, make_response, redirect, request
from flask_babel import gettext as _
from flask_babel import ngettext

from dashboard import clock
from dashboard.access.guard import require
from dashboard.access.permissions import Permission
from dashboard.db import database
from dashboard.i18n import zone
from dashboard.i18n.message import N_
from dashboard.models import Schedule, ScheduleRecipient, User
from dashboard.pages.schedules import words
from dashboard.pages.schedules.forms import ScheduleForm
from dashboard.reports import history, library, schedules, timing
from dashboard.reports.ready import READERS
from dashboard.web import forms, lists
from dashboard.web.columns import Column, Texts, badge
from dashboard.web.resource import Crumbs, Resource
from dashboard.web.versioned import Changes, InvalidError

UPCOMING = 5
NO_SHARING = N_("Your role allows you to send reports to yourself only.")


class ScheduleRow(NamedTuple):
    """A schedule in the list; `last` is the latest run, None before the first."""

    id: int
    name: str
    report: str
    when: str
    next_ts: int | None
    last: history.RunRow | None
    owner: str


class Schedules(Resource[ScheduleForm]):
    """The viewer's schedules; those of everybody for an administrator."""

    model = Schedule
    kind = "schedule"
    form_class = ScheduleForm
    view = edit_permission = READERS[0]
    also = READERS[1:]
    leaves = "delete"
    stays = True
    form_template = "schedules/form.html"
    texts = Texts(
        title=N_("Schedules"),
        one=N_("Schedule"),
        new=N_("New schedule"),
        table=N_("Table of schedules"),
        count=lambda number: ngettext("%(num)d schedule", "%(num)d schedules", number),
        no_match=N_("No matching schedules"),
        none=N_("No schedules yet"),
        none_hint=N_("A schedule sends a report by mail every day, week or month."),
        about=N_("Each recipient gets what their own role allows at that moment, in their language."),
        leave=(N_("The history of what was sent is deleted too; the audit log keeps it."),),
        picture="report",
    )
    columns = (
        Column("name", N_("Name")),
        Column("report", N_("Report"), css="p2"),
        Column("when", N_("Times"), css="p2", sorts=False),
        Column(
            "next",
            N_("Next"),
            lambda row: row.next_ts,
            lambda row: words.instant(row.next_ts, zone()) if row.next_ts else badge(_("Paused")),
            css="nw",
        ),
        Column("last", N_("Last sending"), show=lambda row: words.run_badge(row.last), sorts=False),
        Column("owner", N_("Owner"), css="p2"),
    )

    def rows(self, gone: bool) -> Iterable[ScheduleRow]:
        query = Schedule.select(Schedule, User).join(User).where(_mine())
        if reference := request.args.get("report", ""):
            query = query.where(Schedule.report == reference)
        found = list(query)
        last = history.latest([row.id for row in found])
        names = {each.reference: each.name for each in library.readable(g.scope)}
        return [
            ScheduleRow(
                row.id,
                row.name,
                names.get(row.report, "–"),
                words.when(row),
                row.next_ts,
                last.get(row.id),
                row.user.name,
            )
            for row in found
        ]

    def searched(self, row: ScheduleRow) -> Sequence[str]:
        return (row.name, row.report, row.owner)

    def below(self, row: ScheduleRow) -> str:
        return row.when

    def crumbs(self, below: bool = False) -> Crumbs:
        return [(_("Schedules"), self.url("index"))] if below else []

    def one(self, ident: int) -> Schedule:
        known = 0 < ident <= forms.ID_MAX
        query = Schedule.select(Schedule, User).join(User).where((Schedule.id == ident) & _mine())
        found: Schedule | None = query.first() if known else None
        return found or abort(404)

    def filled(self, row: Schedule) -> dict[str, Any]:
        given = library.parameters(row.query)
        period = (given.pop("period", None) or [""])[0]
        stored = self.stored(row)
        return {
            **stored,
            "month_day": str(row.month_day),
            "period": period,
            "query": library.canonical(given),
        }

    def stored(self, row: Schedule) -> dict[str, Any]:
        names = [name for name in ScheduleForm().names if name not in ("period", "recipients")]
        return {**{name: getattr(row, name) for name in names}, "recipients": _recipients(row.id)}

    def audited(self, values: dict[str, Any]) -> dict[str, Any]:
        query = User.select(User.login).where(User.id.in_(sorted(values["recipients"])))
        return {**library.audited(values), "recipients": sorted(login for (login,) in query.tuples())}

    def form(self, row: Schedule | None, sent: Any = None) -> ScheduleForm:
        """Return the form; 404 when it names somebody outside the viewer's scope."""
        if sent is None and request.args.get("op") == "find":
            form = ScheduleForm(request.args)
        elif sent is None and row is None:
            form = ScheduleForm(data=_begun())
        else:
            form = super().form(row, sent)
        form.owner = row.user if row is not None else g.user
        chosen = [(each.reference, each.name) for each in library.readable(g.scope)]
        if row is not None and row.report not in dict(chosen):
            chosen.append((row.report, "–"))
        form.offer(chosen)
        kept = _recipients(row.id) if row is not None else frozenset()
        if sent is not None and lists.unknown(g.scope, form.recipients.data - kept):
            abort(404)
        return form

    def context(self, row: Schedule | None, form: ScheduleForm) -> dict[str, Any]:
        sought = lists.needle(request.values, "q")
        coming, runs = [], []
        if row is not None:
            runs = history.runs(row.id)
            if row.active:
                times = timing.upcoming(schedules.timing_of(row), clock.now_s(), UPCOMING)
                coming = [words.instant(each, row.zone) for each in times]
        return {
            "q": sought,
            "people": lists.offered(g.scope, form.recipients.data, sought),
            "days": words.days(),
            "coming": coming,
            "runs": runs,
            "words": words,
            "sentence": words.sentence(row, len(_recipients(row.id))) if row is not None else "",
        }

    def insert(self, form: ScheduleForm, context: Any) -> Schedule:
        values = form.values()
        recipients = _checked(values.pop("recipients"), g.user.id)
        row = Schedule(user=g.user.id, created_ts=clock.now_s(), **values)
        row.next_ts = schedules.next_of(row, clock.now_s())
        row.save(force_insert=True)
        _place(row.id, recipients)
        return row

    def write(self, row: Schedule, form: ScheduleForm, context: Any) -> bool:
        values = form.values()
        recipients = _checked(values.pop("recipients"), row.user_id)
        changed = Schedule(**values)
        next_ts = schedules.next_of(changed, clock.now_s()) if row.active else None
        if not self.set(row, form.version.data, next_ts=next_ts, **values):
            return False
        _place(row.id, recipients)
        return True

    def removing(self, row: Schedule, context: Any) -> Changes:
        return {name: (value, None) for name, value in self.audited(self.stored(row)).items()}

    def pause(self, row: Schedule, active: bool) -> None:
        """Pause a schedule, or resume it from now on; idempotent."""
        with database.atomic():
            next_ts = schedules.next_of(row, clock.now_s()) if active else None
            other = (Schedule.id == row.id) & (Schedule.active != active)
            values = {"active": active, "next_ts": next_ts, "version": Schedule.version + 1}
            if Schedule.update(values).where(other).execute():
                self.record("updated", "u", row, {"active": (not active, active)})


def _mine() -> Any:
    """Return the condition of the schedules that the viewer may see and change."""
    if g.scope.can(Permission.ACCESSES_EDIT):
        return g.scope.allows(Schedule.user)
    return Schedule.user == g.user.id


def _begun() -> dict[str, Any]:
    """Return what the form of a new schedule shows: the report of the address with its filters."""
    given = request.args.to_dict(flat=False)
    reference = (given.pop("report", None) or [""])[0]
    period = (given.pop("period", None) or [""])[0]
    report = library.find(g.scope, reference)
    return {
        "name": report.name if report else "",
        "report": reference if report else "",
        "period": period,
        "query": library.canonical(given)[:500],
        "frequency": "weekly",
        "weekdays": [1],
        "month_day": "1",
        "at": "07:00",
        "zone": zone(),
        "format": "pdf",
        "recipients": [g.user.id],
    }


def _recipients(ident: int) -> frozenset[int]:
    r = ScheduleRecipient
    return frozenset(user for (user,) in r.select(r.user).where(r.schedule == ident).tuples())


def _checked(recipients: frozenset[int], owner: int) -> frozenset[int]:
    """Return the recipients. Raises InvalidError when the viewer may send to nobody but the owner."""
    if recipients - {owner} and not g.scope.can(Permission.REPORTS_SHARE):
        raise InvalidError("recipients", _(NO_SHARING))
    return recipients


def _place(ident: int, recipients: frozenset[int]) -> None:
    ScheduleRecipient.delete().where(ScheduleRecipient.schedule == ident).execute()
    rows = [{"schedule": ident, "user": user} for user in sorted(recipients)]
    ScheduleRecipient.insert_many(rows).execute()


bp = Blueprint("schedules", __name__, url_prefix="/reports")
SCHEDULES = Schedules(bp, "/schedules")


@bp.post("/schedules/<int:ident>/send")
@require(*READERS)
def send(ident: int) -> Response:
    """Send the report to the viewer now."""
    row = SCHEDULES.one(ident)
    if not g.user.email:
        return SCHEDULES.done(_("Your account has no email address."), SCHEDULES.url("edit", row), "bad")
    schedules.send_now(row, g.user.id)
    text = _("The report is on its way to %(address)s.", address=g.user.email)
    return SCHEDULES.done(text, SCHEDULES.url("edit", row))


@bp.post("/schedules/<int:ident>/pause")
@require(*READERS)
def pause(ident: int) -> Response:
    row = SCHEDULES.one(ident)
    SCHEDULES.pause(row, False)
    return SCHEDULES.done(_("%(name)s is paused.", name=row.name), SCHEDULES.url("edit", row))


@bp.post("/schedules/<int:ident>/resume")
@require(*READERS)
def resume(ident: int) -> Response:
    row = SCHEDULES.one(ident)
    SCHEDULES.pause(row, True)
    return SCHEDULES.done(_("%(name)s sends again.", name=row.name), SCHEDULES.url("edit", row))


@bp.get("/<reference>/schedules")
@require(*READERS)
def of_report(reference: str) -> Response:
    """Lead to the schedules of a report."""
    if library.find(g.scope, reference) is None:
        abort(404)
    return make_response(redirect(SCHEDULES.url("index", report=reference)))
