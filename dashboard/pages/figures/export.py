"""The table of figures as a file."""

from __future__ import annotations

from flask_babel import gettext as _

from dashboard.exports.registry import ExportOrder
from dashboard.exports.table import Column as FileColumn
from dashboard.exports.table import Kind, Report, Sheet
from dashboard.i18n import formats
from dashboard.pages.figures import tables
from dashboard.pages.figures.model import FiguresRequest, table
from dashboard.pages.figures.tables import BY, Values
from dashboard.sources.display import period_text


def report(wanted: FiguresRequest, order: ExportOrder) -> Report:
    """Return the table as a file."""
    found = table(wanted)
    columns = (
        FileColumn("group", _(BY[wanted.by]), Kind.TEXT, 28),
        *(FileColumn(each.key, _(each.label), each.kind, 14) for each in wanted.table.columns),
    )
    stamp = formats.stamp(order.as_of, wanted.query.zone)
    total = (_("Total"), *(_cell(each, found.total) for each in wanted.table.columns))
    rows = [(row.label, *(_cell(each, row.values) for each in wanted.table.columns)) for row in found.rows]
    title = _("Figures")
    return Report(
        title=title,
        subtitle=" · ".join((period_text(wanted.query), wanted.query.zone, stamp, order.exporter)),
        meta=(
            (_("Period"), period_text(wanted.query)),
            (_("Time zone"), wanted.query.zone),
            (_("Group by"), _(BY[wanted.by])),
            (_("As of"), stamp),
            (_("Exported by"), order.exporter),
        ),
        sheets=(Sheet(title, columns, rows, total),),
        locale=formats.language(),
        zone=wanted.query.zone,
        footer=_("As of %(time)s · exported by %(name)s", time=stamp, name=order.exporter),
    )


def _cell(column: tables.Column, values: Values) -> float | int | None:
    value = column.value(values)
    return value if value is None or column.kind is Kind.PERCENT else round(value)
