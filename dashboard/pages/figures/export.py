"""The table of figures as a file."""

from __future__ import annotations

from dataclasses import replace

from flask_babel import gettext as _

from dashboard.exports.registry import ExportOrder
from dashboard.exports.table import Column, Kind, Report, Sheet
from dashboard.i18n import formats
from dashboard.pages.figures import model
from dashboard.pages.figures.model import Result
from dashboard.pages.figures.reading import FiguresRequest
from dashboard.pages.figures.tables import BY, By
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


def headings(wanted: FiguresRequest) -> list[str]:
    """Return the headings of the groups."""
    return [_("User"), _("Hour")] if wanted.by is By.USER_HOUR else [_(BY[wanted.by])]


def notes(found: Result) -> list[str]:
    """Return what is to be said below the table."""
    overlap = [_("Groups overlap: the total counts each once.")] if found.overlap else []
    too_long = [_("The period is too long for ready time, busy time and occupancy.")]
    return overlap + (too_long if found.left_out else [])


def _tables(wanted: FiguresRequest, found: Result, format_: str) -> list[Sheet]:
    """Return the table; on paper in parts of as many columns as a page holds."""
    whole, first = _table(wanted, found), len(headings(wanted))
    if format_ != "pdf" or len(whole.columns) <= first + PRINTED:
        return [whole]
    return [
        replace(
            whole,
            columns=(*whole.columns[:first], *whole.columns[start : start + PRINTED]),
            rows=[(*row[:first], *row[start : start + PRINTED]) for row in whole.rows],
            total=whole.total and (*whole.total[:first], *whole.total[start : start + PRINTED]),
        )
        for start in range(first, len(whole.columns), PRINTED)
    ]


def _table(wanted: FiguresRequest, found: Result) -> Sheet:
    columns = (
        *(Column(f"group{n}", text, Kind.TEXT, 28) for n, text in enumerate(headings(wanted))),
        *(
            Column(each.measure, _(each.label), display.KINDS[wanted.types[each.measure]], 12)
            for each in wanted.columns
        ),
    )
    rows = [(*row.labels, *model.cells(wanted, row.values)) for row in found.rows]
    blank = [""] * (len(headings(wanted)) - 1)
    total = (_("Total"), *blank, *model.cells(wanted, found.total))
    return Sheet(_("Figures"), columns, rows, total, " ".join(notes(found)))


def _losses(wanted: FiguresRequest) -> list[Sheet]:
    rows = [(each.label, each.number) for each in model.losses(wanted)]
    columns = (Column("reason", _("Reason"), Kind.TEXT, 28), Column("number", _("Lost"), Kind.INT, 12))
    return [Sheet(_("Lost by reason"), columns, rows)] if rows else []
