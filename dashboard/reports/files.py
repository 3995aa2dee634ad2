"""The result of a report as a file: the same cells, with group totals on a sheet of their own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from flask_babel import gettext as _

from dashboard.access.scope import Scope
from dashboard.exports import table
from dashboard.exports.table import Cell, Report, Sheet
from dashboard.i18n import formats
from dashboard.reports import result
from dashboard.reports.library import SavedReport
from dashboard.reports.types import Result, Row
from dashboard.sources.query import Query

MAX_ROWS = 1_000_000  # of an Excel sheet
PRINTED = 10  # columns that fit on a page


def file(
    scope: Scope,
    report: SavedReport,
    given: Mapping[str, Sequence[str]],
    zone: str,
    as_of: int,
    exporter: str,
) -> Report:
    """Return a report with all its rows as the content of a file; the arguments are those of `result.build`,
    which says what is raised. `exporter` is the name of the reader.
    """
    found = result.build(scope, report, given, zone, as_of)
    rows: Iterable[tuple[Cell, ...]] = (_cells(row) for row in found.rows)
    if found.next is not None:
        query: Query = result.read(scope, report, given, zone, as_of).query
        rows = result.all_rows(scope, query, MAX_ROWS)
    return of(found, rows, exporter)


def of(found: Result, rows: Iterable[tuple[Cell, ...]], exporter: str) -> Report:
    """Return a result as the content of a file with `rows`."""
    columns = _columns(found)
    totals = [_cells(each.total) for each in found.sections if each.total is not None]
    stamp = formats.stamp(found.as_of, found.zone)
    notes = [*([_("Groups overlap: the total counts each once.")] if found.overlap else []), *found.notes]
    total = _cells(found.total) if found.total else None
    sheets = [Sheet(found.title, columns, rows, total, " ".join(notes))]
    if totals:
        kept = [n for n, each in enumerate(found.columns) if n == 0 or each.is_figure]
        kept += range(len(found.columns), len(columns))
        sheets.append(
            Sheet(
                _("By group"),
                tuple(columns[n] for n in kept),
                [tuple(row[n] for n in kept) for row in totals],
            )
        )
    return Report(
        title=found.title,
        subtitle=" · ".join((found.period, found.zone, stamp, exporter)),
        meta=(
            (_("Period"), found.period),
            *([(_("Compared with"), found.compared)] if found.compared else []),
            (_("Time zone"), found.zone),
            *((_("Filter"), text) for text in found.filters),
            (_("Rows"), _(found.source.grain)),
            (_("As of"), stamp),
            (_("Exported by"), exporter),
        ),
        sheets=tuple(sheets),
        locale=formats.language(),
        zone=found.zone,
        footer=_("As of %(time)s · exported by %(name)s", time=stamp, name=exporter),
    )


def _columns(found: Result) -> tuple[table.Column, ...]:
    """Return the columns, and behind them each figure of the period compared with.

    On paper there is room for the first of these alone where there are many.
    """
    shown = [table.Column(each.name, each.label, each.kind, each.width) for each in found.columns]
    before = found.figures if found.compared else []
    most = len(before) if len(shown) + len(before) <= PRINTED else 1
    for n, each in enumerate(before):
        title = _("%(field)s, before", field=each.label)
        shown.append(table.Column(f"{each.name}:before", title, each.kind, each.width, printed=n < most))
    return tuple(shown)


def _cells(row: Row) -> tuple[Cell, ...]:
    return (*row.cells, *row.before)
