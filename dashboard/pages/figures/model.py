"""What the page of figures shows: queries of one table, and their results in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple
from urllib.parse import urlencode

from babel.dates import get_day_names
from flask import request
from flask_babel import gettext as _

from dashboard.access.scope import Scope
from dashboard.clock import DAY_S
from dashboard.exports.table import Kind
from dashboard.i18n import formats
from dashboard.i18n.message import message
from dashboard.pages.figures import tables
from dashboard.pages.figures.tables import BY, TIMED, By, Table, Values
from dashboard.sources import answer, display, period, run
from dashboard.sources.parameters import UNKNOWN_VALUE, parse
from dashboard.sources.period import NAMED, Bucket
from dashboard.sources.query import DEFAULT_PERIOD, Query, QueryError
from dashboard.sources.types import Type
from dashboard.web import charts
from dashboard.web.charts import Cell, Chart, Row, Series
from dashboard.web.deliver import file_links
from dashboard.web.listing import PERIODS, TOO_LONG, Choice, options_of

WRITE: Mapping[Kind, Callable[[Any], str]] = {
    Kind.INT: formats.number,
    Kind.PERCENT: lambda value: formats.percent(value, 1),
    Kind.DURATION: lambda value: formats.duration(round(value)),
}


@dataclass(frozen=True)
class FiguresRequest:
    """What the address asks for; `query` has the groups and measures of the table."""

    scope: Scope
    by: By
    table: Table
    query: Query
    as_of: int


class GroupRow(NamedTuple):
    """A group: its label, the filters of its rows in the list of interactions, and its figures."""

    label: str
    filters: Mapping[str, str] | None
    values: Values


class Result(NamedTuple):
    rows: list[GroupRow]
    total: Values
    overlap: bool


class Tile(NamedTuple):
    """A key figure with its difference to the period before, in words."""

    label: str
    text: str
    difference: str
    url: str | None


def read(scope: Scope, given: Mapping[str, Sequence[str]], zone: str, as_of: int) -> FiguresRequest:
    """Return what the parameters of the address ask for. Raises QueryError."""
    rest = {name: values for name, values in given.items() if name != "by"}
    name = next((value for value in given.get("by", ()) if value), By.QUEUE)
    if name not in list(By):
        raise QueryError({"by": message(UNKNOWN_VALUE, names=", ".join(By))})
    for reserved in ("group", "measures", "columns", "sort", "limit", "after", "q"):
        if any(rest.get(reserved, ())):
            raise QueryError(
                {reserved: message(UNKNOWN_VALUE, names=", ".join(("by", "period", "from", "to")))}
            )
    by = By(name)
    table = tables.of(by)
    if "queue" in rest and "queue" not in table.source.fields:
        rest["interaction.queue"] = rest.pop("queue")
    chosen = {**rest, **{key: [value] for key, value in table.always.items()}}
    chosen |= {"group": [by], "measures": list(table.measures)}
    return FiguresRequest(
        scope, by, table, parse(table.source, chosen, zone, as_of, answer.names(scope)), as_of
    )


def too_long() -> str:
    return str(_(TOO_LONG))


def table(wanted: FiguresRequest) -> Result:
    """Return the rows of the table, those without a value last, and the total. Raises run.TooLong."""
    found = run.figures(wanted.scope, wanted.query)
    group = wanted.query.groups[0]
    values = {key[0] for key, _values in found.rows} - {None}
    if wanted.by in TIMED:
        write, key_of = display.bucket_writer(Bucket(wanted.by), wanted.query.zone), None
    else:
        write = display.writer(wanted.scope, group.field, values, wanted.query.zone)
        key_of = (
            display.named(wanted.scope, group.field.type, values)
            if group.field.type is not Type.TEXT
            else None
        )
    rows = [
        GroupRow(
            write(key[0]) if key[0] is not None else _("None"),
            _filters(wanted, key[0], key_of),
            figures,
        )
        for key, figures in found.rows
    ]
    if wanted.by not in TIMED:
        rows.sort(key=lambda row: -int(row.values["count"]))
    return Result(rows, found.total, found.overlap)


def _filters(
    wanted: FiguresRequest, value: Any, names: Mapping[int, display.Name] | None
) -> Mapping[str, str] | None:
    """Return the filters of the list behind a group; None where the list cannot choose its rows."""
    query = wanted.query
    if wanted.table.source.name != "interactions":
        return None
    if wanted.by is By.DAY:
        day = str(period.key(Bucket.DAY, value, query.zone))
        return {"from": day, "to": day}
    if wanted.by in TIMED:
        return None
    if value is None:
        return {f"{wanted.by}__blank": "1"}
    return {wanted.by: names[value].key if names is not None else str(value)}


def page(wanted: FiguresRequest) -> dict[str, Any]:
    """Return the context of the page."""
    found = table(wanted)
    before = replace(
        wanted.query, span=period.before(wanted.query.span, wanted.query.zone, wanted.as_of), groups=()
    )
    previous = run.figures(wanted.scope, before)
    return {
        "by": wanted.by,
        "by_label": _(BY[wanted.by]),
        "columns": wanted.table.columns,
        "rows": found.rows,
        "total": found.total,
        "overlap": found.overlap,
        "text": lambda column, values: tables.written(column, values, WRITE),
        "url": lambda column, row: _url(wanted, column, row),
        "tiles": [
            _tile(wanted, column, found.total, previous.total)
            for column in wanted.table.columns
            if column.tile
        ],
        "about": f"{display.period_text(wanted.query)} · {wanted.query.zone}",
        "compared": display.period_text(before),
        "chart": _chart(wanted),
        "heat": _heat(wanted),
        "weekdays": [
            name for _day, name in sorted(get_day_names("abbreviated", locale=formats.language()).items())
        ],
        "exports": file_links("figures"),
    }


def _tile(wanted: FiguresRequest, column: tables.Column, now: Values, then: Values) -> Tile:
    value, old = column.value(now), column.value(then)
    said = ""
    if value is not None and old is not None:
        change = value - old
        sign = "+" if change > 0 else "−" if change < 0 else "±"
        said = f"{sign}{WRITE[column.kind](abs(change))}"
    url = _url(wanted, column, None)
    return Tile(_(column.label), tables.written(column, now, WRITE) or "–", said, url)


def _url(wanted: FiguresRequest, column: tables.Column, row: GroupRow | None) -> str | None:
    """Return the list of the rows behind a figure of a row, or of the total without one."""
    if column.rows is None or wanted.table.source.name != "interactions" or (row and row.filters is None):
        return None
    kept = {name: values for name, values in request.args.lists() if name != "by"}
    if not {"period", "from", "to"} & kept.keys():
        kept["period"] = [DEFAULT_PERIOD]
    for name, value in {**(row.filters or {} if row else {}), **column.rows, **wanted.table.always}.items():
        kept[name] = [value]
    if "from" in kept:
        kept.pop("period", None)
    return "/interactions?" + urlencode(kept, doseq=True)


def _chart(wanted: FiguresRequest) -> Chart:
    """Return bars over time: hours of up to two days, days of two months, else weeks or months."""
    days = wanted.query.span.seconds / DAY_S
    bucket = (
        Bucket.HOUR
        if days <= 2
        else Bucket.DAY
        if days <= 62
        else Bucket.WEEK
        if days <= 400
        else Bucket.MONTH
    )
    entity, field = wanted.table.source.fields[wanted.table.source.moment]
    group = wanted.query.groups[0]._replace(name=bucket, entity=entity, field=field, bucket=bucket)
    names = [name for name, _label, _css in wanted.table.parts if name]
    measures = tuple(each for each in wanted.query.measures if each.name in (*names, "count"))
    found = run.figures(wanted.scope, replace(wanted.query, groups=(group,), measures=measures))
    zone = wanted.query.zone
    rows = [
        Row(display.bucket_short(bucket, key[0], zone), tables.parts(wanted.table, values))
        for key, values in found.rows
    ]
    return charts.bars(rows, [Series(_(label), css) for _name, label, css in wanted.table.parts])


def _heat(wanted: FiguresRequest) -> list[list[Cell]] | None:
    """Return the load of the hours of a week; None for less than a week."""
    if wanted.query.span.seconds < 6 * DAY_S:
        return None
    entity, field = wanted.table.source.fields[wanted.table.source.moment]
    bucket = Bucket.HOUR_OF_WEEK
    group = wanted.query.groups[0]._replace(name=bucket, entity=entity, field=field, bucket=bucket)
    measures = tuple(each for each in wanted.query.measures if each.name == "count")
    found = run.figures(wanted.scope, replace(wanted.query, groups=(group,), measures=measures))
    return charts.heat({key[0]: values["count"] for key, values in found.rows})


def bar(scope: Scope, given: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """Return the fields of the filter bar."""
    custom = any(given.get("from", ())) or any(given.get("to", ()))
    chosen = next((value for value in given.get("by", ()) if value), By.QUEUE)
    queues = [value for value in given.get("queue", ()) if value]
    _entity, field = tables.CONTACTS.source.fields["queue"]
    shown = [each for each in By if scope.can(tables.of(each).source.permission)]
    in_bar = ("by", "period", "from", "to", *(["queue"] if len(queues) < 2 else []))
    return {
        "bys": Choice("by", _("Group by"), [(each, _(BY[each])) for each in shown], chosen),
        "period": ""
        if custom
        else next((value for value in given.get("period", ()) if value), DEFAULT_PERIOD),
        "periods": [("", _("Choose dates")), *((name, _(PERIODS[name])) for name in NAMED)],
        "queues": Choice(
            "queue",
            _("Queue"),
            [("", _("All")), *options_of(scope, field)],
            queues[0] if len(queues) == 1 else "",
        ),
        "hidden": [(name, value) for name, values in given.items() for value in values if name not in in_bar],
    }
