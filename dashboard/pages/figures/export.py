"""The table of figures as a file."""

from __future__ import annotations

from dataclasses import replace

from flask_babel import gettext as _

from dashboard.exports.registry import ExportOrder
from dashboard.exports.table import Column, Kind, Report, Sheet
from dashboard.i18n import formats
from dashboard.pages.figures import model
from dashboard.pages.figures.model import FiguresRequest, Result
from dashboard.pages.figures.tables import BY
from dashboard.sources import display
from dashboard.sources.display import period_text

PRINTED = 10  # figures beside each other on a page


def report(wanted: FiguresRequest, found: Result, order: ExportOrder) -> Report:
    """Return the table as a file, with what was lost by reason as a table of its own."""
    stamp = formats.stamp(order.as_of, wanted.query.zone)
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
        sheets=(*_tables(wanted, found, order.format), *_losses(wanted)),
        locale=formats.language(),
        zone=wanted.query.zone,
        footer=_("As of %(time)s · exported by %(name)s", time=stamp, name=order.exporter),
    )


def _tables(wanted: FiguresRequest, found: Result, format_: str) -> list[Sheet]:
    """Return the table; on paper in parts of as many columns as a page holds."""
    whole = _table(wanted, found)
    if format_ != "pdf" or len(whole.columns) <= PRINTED:
        return [whole]
    return [
        replace(
            whole,
            columns=(whole.columns[0], *whole.columns[start : start + PRINTED]),
            rows=[(row[0], *row[start : start + PRINTED]) for row in whole.rows],
            total=whole.total and (whole.total[0], *whole.total[start : start + PRINTED]),
        )
        for start in range(1, len(whole.columns), PRINTED)
    ]


def _table(wanted: FiguresRequest, found: Result) -> Sheet:
    columns = (
        Column("group", _(BY[wanted.by]), Kind.TEXT, 28),
        *(
            Column(each.measure, _(each.label), display.KINDS[wanted.types[each.measure]], 12)
            for each in wanted.table.columns
        ),
    )
    rows = [(row.label, *model.cells(wanted, row.values)) for row in found.rows]
    total = (_("Total"), *model.cells(wanted, found.total))
    note = _("Groups overlap: the total counts each once.") if found.overlap else ""
    return Sheet(_("Figures"), columns, rows, total, note)


def _losses(wanted: FiguresRequest) -> list[Sheet]:
    rows = [(each.label, each.number) for each in model.losses(wanted)]
    columns = (Column("reason", _("Reason"), Kind.TEXT, 28), Column("number", _("Lost"), Kind.INT, 12))
    return [Sheet(_("Lost by reason"), columns, rows)] if rows else []
