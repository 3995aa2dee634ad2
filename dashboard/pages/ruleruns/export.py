"""Exports the runs of a rule: the rows of the page, in the same order."""

from __future__ import annotations

from collections.abc import Iterator

from flask_babel import gettext as _

from dashboard.access.permissions import Permission
from dashboard.exports.registry import ExportOrder
from dashboard.exports.table import Column, Kind, Report, Row, Sheet
from dashboard.i18n.formats import language, stamp
from dashboard.models import Rule
from dashboard.pages.ruleruns import forms, queries
from dashboard.pages.ruleruns.run_page import Words
from dashboard.rules import permissions

MOST = 1_000_000  # rows of an Excel sheet
# Owners need no permission to export their rules' runs; build() checks those of other viewers.
RIGHTS = {"xlsx": Permission.SELF, "csv": Permission.SELF}


def build(order: ExportOrder) -> Report | None:
    """Return the runs that the query selects within the order's scope; None outside it."""
    ident = order.query.get("rule", "")
    rule = Rule.get_or_none(Rule.id == int(ident)) if ident.isdigit() else None
    if rule is None or not permissions.can_see_traces(order.scope, rule.owner_id):
        return None
    asked = forms.parse(order.query, order.zone)
    made = stamp(order.as_of, order.zone)
    return Report(
        title=_("Runs of the rule"),
        subtitle=" · ".join((rule.name, made, order.exporter)),
        meta=(
            (_("Rule"), rule.name),
            (_("Time zone"), order.zone),
            (_("As of"), made),
            (_("Exported by"), order.exporter),
        ),
        sheets=(Sheet(_("Runs"), _columns(), _rows(order, asked, rule.id)),),
        locale=language(),
        zone=order.zone,
        footer=_("As of %(time)s · exported by %(name)s", time=made, name=order.exporter),
    )


def _columns() -> tuple[Column, ...]:
    return (
        Column("time", _("Time"), Kind.TIME, 20),
        Column("subject", _("Item"), Kind.TEXT, 30),
        Column("type", _("Event type"), Kind.TEXT, 24),
        Column("outcome", _("Outcome"), Kind.TEXT, 20),
        Column("done", _("Done"), Kind.INT, 8),
        Column("held", _("Rate-limited"), Kind.INT, 8),
        Column("failed", _("Failed"), Kind.INT, 8),
        Column("late", _("Delayed by"), Kind.DURATION, 10),
        Column("version", _("Version"), Kind.INT, 8),
        Column("error", _("Error"), Kind.TEXT, 40),
        Column("run", _("Run"), Kind.INT, 10),
    )


def _rows(order: ExportOrder, asked: forms.RunQuery, rule_id: int) -> Iterator[Row]:
    for part in queries.portions(order.scope, asked, [rule_id]):
        words = Words.load(order.scope, [line.subject for line in part])
        for line in part:
            yield (
                line.at_ms // 1000,
                words.subject(line.subject),
                words.type(line.type),
                words.outcome(line.outcome),
                line.done,
                line.held,
                line.failed,
                line.late_s,
                line.version,
                _(line.error) if line.error else "",
                line.id,
            )
