"""The forms of a dashboard and of a tile's contents."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from flask import g
from flask_babel import gettext as _

from dashboard import clock
from dashboard.exports.table import Kind as CellKind
from dashboard.i18n import zone
from dashboard.i18n.message import N_
from dashboard.reports import library, result, words
from dashboard.reports.dashboards import OF_REPORT, REFRESH_S, Kind
from dashboard.reports.library import Sharing
from dashboard.sources import display
from dashboard.sources.query import QueryError
from dashboard.web import report_fields
from dashboard.web.fields import Choice, Field, Form, TextLine
from dashboard.web.listing import refusal
from dashboard.web.report_fields import CHOOSE

SHARED = {
    Sharing.PRIVATE.value: N_("Only me"),
    Sharing.ACCESS.value: N_("Everybody with my role"),
    Sharing.ALL.value: N_("Everybody"),
}
KINDS = {
    Kind.FIGURE.value: N_("Figure"),
    Kind.CHART.value: N_("Chart"),
    Kind.TABLE.value: N_("Table"),
    Kind.ALARMS.value: N_("Needs attention"),
    Kind.TEXT.value: N_("Text"),
}
INTERVALS = {
    15: N_("Every 15 seconds"),
    30: N_("Every 30 seconds"),
    60: N_("Every minute"),
    300: N_("Every 5 minutes"),
}
assert tuple(INTERVALS) == REFRESH_S  # noqa: S101 - an interval without a label fails at the start
WARNS = {
    "": N_("Never"),
    "below": N_("Below the limit"),
    "above": N_("Above the limit"),
}
TEXT_MAX = 1000
_NUMBER = re.compile(r"\d{1,9}(\.\d{1,4})?")


class DashboardForm(Form):
    name = TextLine(N_("Name"), 120)
    refresh_s = Choice(
        N_("Refresh"), [(str(each), text) for each, text in INTERVALS.items()], problem=CHOOSE, name="refresh"
    )
    shared = Choice(
        N_("Who sees it"),
        SHARED,
        problem=CHOOSE,
        hint=N_("Each reader sees what their own role allows."),
    )

    def values(self) -> dict[str, Any]:
        return {**super().values(), "refresh_s": int(self.refresh_s.data)}


class Limit(Field):
    """A number, a percentage, or a duration as seconds, m:ss or h:mm:ss; None for none."""

    @property
    def value(self) -> Any:
        if self.raw_data:
            return self.raw_data[0]
        return "" if self.data is None else f"{self.data:g}"

    def process_formdata(self, valuelist: list[Any]) -> None:
        typed = str(valuelist[0]).strip().rstrip("% ").replace(",", ".") if valuelist else ""
        self.data = None
        if not typed:
            return
        parts = typed.split(":")
        if len(parts) > 3 or not all(_NUMBER.fullmatch(part) for part in parts):
            raise ValueError(_("Enter a number, a percentage or a duration such as 1:30."))
        total = 0.0
        for part in parts:
            total = total * 60 + float(part)
        self.data = total


class TileForm(Form):
    """What a tile shows; the fields of a report and of a figure are left out for tiles of other kinds."""

    title = TextLine(N_("Title of the tile"), 120, needed=False, hint=N_("Empty: the name of the report."))
    report = Choice(N_("Report"), problem=CHOOSE)
    period = report_fields.period()
    query = report_fields.filters()
    measure = Choice(N_("Figure"), problem=CHOOSE)
    warn = Choice(N_("Warn"), WARNS, problem=CHOOSE)
    limit = Limit(N_("Limit"))
    text = TextLine(N_("Text"), TEXT_MAX, needed=False, element="textarea")
    is_share = False  # the figure is a share: its limit is typed in percent

    def fit(self, kind: Kind, reports: list[tuple[str, str]], measures: list[tuple[str, str]]) -> None:
        """Keep the fields of a kind of tile, with the reports and figures to choose from."""
        gone = {"text"} if kind is not Kind.TEXT else set()
        if kind not in OF_REPORT:
            gone |= {"report", "period", "query"}
        if kind is not Kind.FIGURE:
            gone |= {"measure", "warn", "limit"}
        for name in gone:
            del self[name]
        if kind in OF_REPORT:
            self.report.options = reports
        if kind is Kind.FIGURE:
            self.measure.options = [("", _("The first of the report")), *measures]

    def values(self) -> dict[str, Any]:
        found = super().values()
        if "period" in found:
            given = library.parameters(found["query"])
            found["query"] = library.canonical({**given, "period": [found.pop("period")]})
        if self.is_share and found["limit"] is not None:
            found["limit"] /= 100
        return found

    def validate(self, extra_validators: Any = None) -> bool:
        super().validate(extra_validators)
        if "warn" in self and self.warn.data and self.limit.data is None and not self.limit.errors:
            self.reject("limit", _("Enter the limit."))
        if "report" in self and not self.problems:
            report = library.find(g.scope, str(self.report.data))
            given = library.parameters(self.values()["query"])
            if report is not None:
                try:
                    result.read(g.scope, report, given, zone(), clock.now_s())
                except QueryError as error:
                    self.reject("query", " ".join(refusal(error, report.source)))
        return not self.problems


class Figure(NamedTuple):
    """A figure of a report: the name of its measure, its label and what its values are."""

    name: str
    label: str
    kind: CellKind


def figures(reference: str) -> list[Figure]:
    """Return the figures of a report; none where the viewer cannot read it."""
    report = library.find(g.scope, reference)
    if report is None:
        return []
    try:
        query = result.read(g.scope, report, {}, zone(), clock.now_s()).query
    except QueryError:
        return []
    return [
        Figure(each.name, display.measure_label(query.source, each), words.measure_kind(each))
        for each in query.measures
    ]
