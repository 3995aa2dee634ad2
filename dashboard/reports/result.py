"""The result of a report: what a query found, from which pages, charts, files, mails and tiles are made.

It is the only place that turns the answer to a query into something shown.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace

from flask_babel import gettext as _

from dashboard.access.scope import Scope
from dashboard.exports.table import Cell
from dashboard.i18n.message import N_, Errors, Message, message
from dashboard.reports import figures, words
from dashboard.reports.library import SavedReport
from dashboard.reports.types import Column, Request, Result, Row, Section
from dashboard.sources import answer, display, period, run
from dashboard.sources.filters import NO_QUEUE, NO_USER
from dashboard.sources.parameters import parse
from dashboard.sources.period import Bucket
from dashboard.sources.period_parameters import OF_PERIOD, UNKNOWN_VALUE
from dashboard.sources.query import Query, QueryError, cursor
from dashboard.sources.types import Source

PERIOD = OF_PERIOD[:-1]  # without the zone
CHARTS = {
    "bar": N_("Bars"),
    "stacked": N_("Stacked bars"),
    "line": N_("Line"),
    "heat": N_("Hours of the week"),
}
OUTSIDE = N_("This report is about a user or queue outside your scope.")
NO_HEAT = N_("The chart of hours of the week needs hour_of_week as its only group.")


def read(
    scope: Scope, report: SavedReport, given: Mapping[str, Sequence[str]], zone: str, as_of: int
) -> Request:
    """Return the query of a report, of which `given` replaces parameters; an empty one removes a filter.

    Raises QueryError, which names every bad parameter.
    """
    chosen = merged(report, given)
    chart = _one(chosen.pop("chart", [report.chart]))
    if chart not in ("", "none", *CHARTS):
        raise QueryError({"chart": message(UNKNOWN_VALUE, names=", ".join(("none", *CHARTS)))})
    try:
        query = parse(report.source, chosen, zone, as_of, answer.names(scope))
    except QueryError as error:
        own = {_field_name(report.source, name) for name in given}
        raise QueryError(without_names(error.errors, own)) from None
    if chart == "heat" and [each.bucket for each in query.groups] != [Bucket.HOUR_OF_WEEK]:
        raise QueryError({"chart": Message(NO_HEAT)})
    return Request(query, chosen, "" if chart == "none" else chart)


def without_names(errors: Errors, own: Collection[str]) -> Errors:
    """Return errors that do not tell a reader whom or which queue a shared query is about: those of all
    parameters but the reader's `own`."""
    return {
        name: Message(OUTSIDE) if name not in own and _is_of_scope(why) else why
        for name, why in errors.items()
    }


def _is_of_scope(why: Message) -> bool:
    """Say whether an error, or one that it holds, names a user or queue outside the reader's scope."""
    inner = (value for _name, value in why.params if isinstance(value, Message))
    return why.text in (NO_USER, NO_QUEUE) or any(map(_is_of_scope, inner))


def merged(report: SavedReport, given: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """Return the parameters of a report with those of `given` in their place."""
    stored = report.parameters
    named = {_field_name(report.source, name): [each for each in given[name] if each] for name in given}
    if any(named.get(name) for name in PERIOD):
        stored = {name: values for name, values in stored.items() if name not in PERIOD}
    return {name: list(values) for name, values in (stored | named).items() if values}


def build(
    scope: Scope, report: SavedReport, given: Mapping[str, Sequence[str]], zone: str, as_of: int
) -> Result:
    """Return the result of a report for a reader; `given` holds parameters that replace the report's own:
    period, from, to, tz, and filters such as queue and user.

    Raises QueryError, run.TooLong, period.TooManyBuckets.
    """
    request = read(scope, report, given, zone, as_of)
    query = request.query
    dates = period.parameters(query.span, query.zone)
    kept = {name: values for name, values in request.parameters.items() if name not in PERIOD}
    filters = [display.sentence(scope, query, each) for each in query.filters]
    filters += [text for _name, text in display.conditions(scope, query)]
    if query.search:
        filters.append(_("Search: %(text)s", text=query.search))
    result = Result(
        report.name,
        report.source,
        query.span,
        query.zone,
        as_of,
        {**kept, **{name: [value] for name, value in dates.items()}, "tz": [query.zone]},
        (),
        (),
        0,
        query,
        tuple(filters),
        notes=tuple(display.notes(scope, query)),
    )
    return figures.figures(scope, request, result) if query.measures else _rows(scope, query, result)


def _one(values: Sequence[str]) -> str:
    return next((value for value in values if value), "")


def _field_name(source: Source, name: str) -> str:
    """Return the parameter of this source: the queue of user events is that of their interaction."""
    base, mark, suffix = name.partition("__")
    inside = f"interaction.{base}"
    return f"{inside}{mark}{suffix}" if base not in source.fields and inside in source.fields else name


def _row_columns(query: Query) -> tuple[Column, ...]:
    """Return the columns of a query for rows."""
    labels = [words.field_label(query.source, each) for each in query.columns]
    return tuple(
        Column(each.key, each.title, each.kind, each.width)
        for each in display.export_columns(query.columns, labels)
    )


def _rows(scope: Scope, query: Query, result: Result) -> Result:
    found = run.rows(scope, query)
    cells = display.export_rows(scope, query.columns, [row for _key, row in found.rows], query.zone)
    rows = tuple(Row(made, key=key) for (key, _row), made in zip(found.rows, cells, strict=True))
    return replace(
        result,
        columns=_row_columns(query),
        sections=(Section("", rows),),
        count=found.number,
        exact=found.exact,
        next=cursor(*found.next) if found.next else None,
    )


def all_rows(scope: Scope, query: Query, most: int) -> Iterator[tuple[Cell, ...]]:
    """Yield the cells of all rows of a query for rows, `most` at most.

    A search that is not finished gives short pages, or none but the place to go on from.
    """
    after: tuple[int, int] | None = None
    while most > 0:
        found = run.rows(scope, query.part(after, min(most, 1000)))
        most -= len(found.rows)
        yield from display.export_rows(scope, query.columns, [row for _key, row in found.rows], query.zone)
        if found.next is None:
            return
        after = found.next
