"""What pages say of schedules: when they send, what became of a run and its mails."""

from __future__ import annotations

from flask_babel import gettext as _
from flask_babel import ngettext
from markupsafe import Markup

from dashboard import clock
from dashboard.i18n import formats
from dashboard.i18n.message import N_
from dashboard.models import Schedule
from dashboard.pages.schedules.forms import FORMATS
from dashboard.reports.history import MailRow, RunRow
from dashboard.reports.schedules import timing_of
from dashboard.reports.timing import LAST_DAY, Frequency
from dashboard.rulelang.outcomes import StepState
from dashboard.ruletext.names import day_name
from dashboard.web.columns import badge

STATES = {
    StepState.WAITING: (N_("Waiting"), ""),
    StepState.RUNNING: (N_("Sending"), "info"),
    StepState.DONE: (N_("Sent"), "ok"),
    StepState.FAILED: (N_("Failed"), "bad"),
    StepState.DEAD: (N_("Given up"), "bad"),
    StepState.UNCERTAIN: (N_("Uncertain"), "warn"),
    StepState.CANCELLED: (N_("Not sent"), "warn"),
}


def days() -> list[tuple[int, str]]:
    """Return number and name of each weekday, from Monday."""
    return [(day, day_name(day)) for day in range(1, 8)]


def instant(ts: int, zone: str) -> str:
    """Return an instant as date and time of a zone's clock."""
    return f"{formats.date_short(clock.local_date(ts, zone))} {formats.clock_short(ts, zone)}"


def when(row: Schedule) -> str:
    """Return when a schedule sends: "Every week on Mon, Fri at 07:00"."""
    timing = timing_of(row)
    if timing.frequency is Frequency.WEEKLY:
        names = formats.listed(day_name(day) for day in sorted(timing.weekdays))
        return str(_("Every week on %(days)s at %(time)s", days=names, time=row.at))
    if timing.frequency is Frequency.MONTHLY and timing.month_day == LAST_DAY:
        return str(_("On the last day of each month at %(time)s", time=row.at))
    if timing.frequency is Frequency.MONTHLY:
        return str(_("On day %(day)s of each month at %(time)s", day=timing.month_day, time=row.at))
    return str(_("Every day at %(time)s", time=row.at))


def sentence(row: Schedule, recipients: int) -> str:
    """Return what a schedule does in one sentence."""
    return str(
        ngettext(
            "%(when)s (%(zone)s): %(format)s to %(num)d recipient.",
            "%(when)s (%(zone)s): %(format)s to %(num)d recipients.",
            recipients,
            when=when(row),
            zone=row.zone,
            format=_(FORMATS[row.format]),
        )
    )


def run_badge(run: RunRow | None) -> Markup | None:
    """Return what became of a run, None before the first."""
    if run is None:
        return None
    if run.unsent:
        return badge(ngettext("%(num)d not sent", "%(num)d not sent", run.unsent), "warn")
    if run.sent < len(run.mails):
        return badge(_("Sending"), "info")
    if not run.mails:
        return badge(_("No recipients"), "warn")
    return badge(_("Sent, not at the first try") if run.retried else _("Sent"), "ok")


def mail_badge(mail: MailRow) -> Markup:
    text, kind = STATES[mail.state]
    return badge(_(text), kind)
