"""The form of a schedule: when, what, to whom."""

from __future__ import annotations

import re
from typing import Any

from flask_babel import gettext as _

from dashboard import clock
from dashboard.access import scope as scopes
from dashboard.i18n.message import N_
from dashboard.models import User
from dashboard.reports import library, result
from dashboard.reports.schedules import Format
from dashboard.reports.timing import LAST_DAY, Frequency
from dashboard.sources.query import QueryError
from dashboard.web import report_fields
from dashboard.web.fields import Choice, Form, Ids, TextLine, time_zone
from dashboard.web.listing import refusal
from dashboard.web.report_fields import CHOOSE

NO_TIME = N_("Enter a time such as 20:00.")
FREQUENCIES = {
    Frequency.DAILY.value: N_("Every day"),
    Frequency.WEEKLY.value: N_("Every week"),
    Frequency.MONTHLY.value: N_("Every month"),
}
FORMATS = {
    Format.PDF.value: "PDF",
    Format.XLSX.value: "Excel",
    Format.CSV.value: "CSV",
    Format.LINK.value: N_("Link to the report"),
}
_CLOCK = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d")
RECIPIENTS_MAX = 200


class ScheduleForm(Form):
    """Fields of a schedule; `weekdays` count for a weekly one, `month_day` for a monthly one."""

    name = TextLine(N_("Name"), 120)
    frequency = Choice(N_("How often"), FREQUENCIES, problem=CHOOSE)
    weekdays = Ids(N_("On"), name="weekday")
    month_day = Choice(N_("Day of the month"), problem=CHOOSE)
    at = TextLine(
        N_("Time of day"),
        5,
        input_type="time",
        fits=_CLOCK.fullmatch,
        problem=N_("Enter a time such as 20:00."),
    )
    zone = time_zone(N_("Time zone"))
    report = Choice(N_("Report"), problem=CHOOSE)
    period = report_fields.period()
    query = report_fields.filters()
    format = Choice(N_("Format"), FORMATS, problem=CHOOSE)
    subject = TextLine(
        N_("Subject of the mail"), 200, needed=False, hint=N_("Empty: the name and period of the report.")
    )
    recipients = Ids(N_("Recipients"), name="recipient")
    owner: User

    def offer(self, reports: list[tuple[str, str]]) -> None:
        """Set the reports to choose from, and the days."""
        self.report.options = reports
        self.month_day.options = [
            *((str(day), str(day)) for day in range(1, LAST_DAY)),
            (str(LAST_DAY), _("Last day")),
        ]

    def values(self) -> dict[str, Any]:
        """Return the columns; the recipients are rows of their own."""
        found = super().values()
        given = library.parameters(found["query"])
        period = [found.pop("period")]
        return {
            **found,
            "query": library.canonical({**given, "period": period}),
            "weekdays": sorted(day for day in found["weekdays"] if day <= 7),
            "month_day": int(found["month_day"]),
        }

    def validate(self, extra_validators: Any = None) -> bool:
        super().validate(extra_validators)
        if self.frequency.data == Frequency.WEEKLY and not any(day <= 7 for day in self.weekdays.data):
            self.reject("weekdays", _("Choose at least one day."))
        if not 0 < len(self.recipients.data) <= RECIPIENTS_MAX:
            self.reject("recipients", _("Choose 1 to %(most)s recipients.", most=RECIPIENTS_MAX))
        if not self.problems and (problem := self._unreadable()):
            self.reject("query", problem)
        return not self.problems

    def _unreadable(self) -> str:
        """Return why the owner could not read the report with these filters, "" when they can."""
        scope = scopes.of_user(self.owner)
        report = library.find(scope, str(self.report.data))
        if report is None:
            return str(_("The owner of the schedule can no longer open the report."))
        values = self.values()
        try:
            result.read(scope, report, library.parameters(values["query"]), values["zone"], clock.now_s())
        except QueryError as error:
            return " ".join(refusal(error, report.source))
        return ""
