"""Tiles as pages and wall screens show them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import NamedTuple

from flask import url_for
from flask_babel import gettext as _

from dashboard import clock
from dashboard.access.permissions import Permission
from dashboard.audit.subjects import Seen
from dashboard.clock import Span
from dashboard.exports.cells import show
from dashboard.exports.table import Cell
from dashboard.exports.table import Kind as CellKind
from dashboard.i18n import formats
from dashboard.i18n.message import N_
from dashboard.models import Tile
from dashboard.reports import looks, tiles
from dashboard.reports.dashboards import Kind
from dashboard.reports.tiles import Kept, TileResult, View
from dashboard.reports.types import Result
from dashboard.sources.query import Query
from dashboard.web import charts, queues_now, report_view, team_day
from dashboard.web.report_view import UNITS, Drawn, Table
from dashboard.web.report_view import Cell as ShownCell
from dashboard.web.status import PAUSE, READY

BUDGET_S = 6.0  # of a page; tiles that it does not reach are read with the next refresh
LATER = N_("Not read yet; it follows with the next refresh.")
NO_RIGHT = N_("Your role doesn't allow this.")
FEW = {3: 3, 4: 3, 6: 5}  # columns of a table by the width of its tile
FEW_ON_WALL = {3: 2, 4: 2, 6: 3, 8: 4, 12: 6}
WALL_ROWS = 5
HOUR_S = 3600


STATES = {
    ("below", True): N_("below %(limit)s"),
    ("below", False): N_("target %(limit)s"),
    ("above", True): N_("above %(limit)s"),
    ("above", False): N_("limit %(limit)s"),
}


class Figure(NamedTuple):
    """`state` is ok, warn or "" without a limit; `state_text` says it in words with the limit; `change` is
    the difference to the figure `before`; `url` leads to the rows that it counts."""

    text: str
    url: str
    change: str
    before: str
    state: str
    state_text: str
    spark: charts.Spark | None


class Alarm(NamedTuple):
    label: str
    text: str


class Now(NamedTuple):
    """The moment `as_of`: alarms, and how many wait and are ready."""

    as_of: int
    alarms: tuple[Alarm, ...]
    waiting: int
    longest: int | None
    ready: int
    here: int
    paused: int


class Shown(NamedTuple):
    """A tile as of an instant: one of figure, table, drawn, now and text, or an error; `url` leads to the
    report."""

    as_of: int
    id: int
    width: int
    kind: str
    title: str
    period: str = ""
    url: str = ""
    figure: Figure | None = None
    table: Table | None = None
    drawn: Drawn | None = None
    now: Now | None = None
    text: str = ""
    more: str = ""
    error: str = ""
    query: Query | None = None


KEPT_NOW: Kept[Now] = Kept()


def as_of(rows: Sequence[Shown], now: int) -> int:
    """Return the instant of the oldest tile: nothing on the page is older."""
    return min((tile.as_of for tile in rows), default=now)


def seen(view: View, rows: Sequence[Shown]) -> Seen | None:
    """Return whose data the tiles show: alarms name whoever has one."""
    if any(tile.now is not None for tile in rows):
        return looks.everybody(view.scope, clock.day(clock.local_date(view.as_of, view.zone), view.zone))
    return looks.seen(view.scope, [tile.query for tile in rows if tile.query is not None])


def shown(view: View, rows: Sequence[Tile], wall: bool = False) -> list[Shown]:
    """Return what the tiles show to a reader; on a `wall` without links and with fewer rows and columns."""
    end = time.monotonic() + BUDGET_S
    return [_shown(view, tile, wall, time.monotonic() < end) for tile in rows]


def _shown(view: View, tile: Tile, wall: bool, in_time: bool) -> Shown:
    made = Shown(view.as_of, tile.id, tile.width, tile.kind, tile.title)
    if tile.kind == Kind.TEXT:
        return made._replace(text=tile.text)
    if tile.kind == Kind.ALARMS:
        made = made._replace(title=tile.title or _("Needs attention"))
        if not view.scope.can(Permission.HOME_VIEW):
            return made._replace(error=_(NO_RIGHT))
        key = (view.scope, formats.language(), view.zone)
        now = KEPT_NOW.get(key, view.refresh_s, lambda: _now(view))
        return made._replace(as_of=now.as_of, now=now, url="" if wall else url_for("home.index"))
    read = tiles.read(view, tile, kept_only=not in_time)
    if read is None:
        return made._replace(title=tile.title or _("Report"), error=_(LATER))
    return _of_report(made, tile, read, wall)


def _of_report(made: Shown, tile: Tile, read: TileResult, wall: bool) -> Shown:
    report, found = read.report, read.found
    title = tile.title or (report.name if report else _("Report"))
    made = made._replace(title=title, error=_(read.error) if read.error else "")
    if report is None or found is None:
        return made
    url = "" if wall else f"/reports/{report.reference}?{tile.query}".rstrip("?")
    made = made._replace(as_of=found.as_of, url=url, period=found.period, query=found.query)
    if tile.kind == Kind.FIGURE:
        return made._replace(figure=_figure(tile, read, found, wall))
    if tile.kind == Kind.CHART:
        drawn = report_view.chart(found)
        return made._replace(drawn=drawn, error="" if drawn else _("The report has no chart."))
    table, left = _cut(report_view.table(found), tile.width, wall)
    more = _("%(number)s more rows", number=formats.number(left)) if left else ""
    return made._replace(table=table, more=more)


def _figure(tile: Tile, read: TileResult, found: Result, wall: bool) -> Figure:
    column = found.figures[0]
    write = _short if wall and column.kind is CellKind.DURATION else show(column.kind, found.zone)
    value, before = read.figure, read.before
    change, state, text = "", "", ""
    if isinstance(value, (int, float)) and isinstance(before, (int, float)):
        change = report_view.difference(write, value, before)
    if tile.warn and tile.limit is not None and isinstance(value, (int, float)):
        bad = value < tile.limit if tile.warn == "below" else value > tile.limit
        limit = write(tile.limit if column.kind is CellKind.PERCENT else round(tile.limit))
        state, text = ("warn" if bad else "ok"), _(STATES[tile.warn, bad], limit=limit)
    course = [] if wall else read.course
    spark = charts.spark(course, UNITS.get(column.kind, charts.Unit.NUMBER)) if len(course) > 1 else None
    url = "" if wall or not found.total else report_view.rows_url(found, found.total, column) or ""
    shown = write(value) if value is not None else "–"
    return Figure(shown, url, change, write(before) if change else "", state, text, spark)


def _short(seconds: Cell) -> str:
    """Return a duration as m:ss where it is shorter than an hour."""
    whole = int(seconds) if isinstance(seconds, (int, float)) else 0
    return formats.duration(whole) if abs(whole) >= HOUR_S else f"{whole // 60}:{whole % 60:02}"


def _cut(table: Table, width: int, wall: bool) -> tuple[Table, int]:
    """Return as much of a table as a tile has room for, and the number of rows left out."""
    columns = FEW_ON_WALL[width] if wall else FEW.get(width, len(table.headings))
    room = WALL_ROWS if wall else tiles.ROWS
    count = sum(len(part.rows) for part in table.parts)

    def cells(row: list[ShownCell]) -> list[ShownCell]:
        return [cell._replace(url=None, change="") if wall else cell for cell in row[:columns]]

    parts, left = [], room
    for part in table.parts:
        rows = [cells(row) for row in part.rows[:left]]
        left -= len(rows)
        if rows:
            parts.append(part._replace(rows=rows, total=None))
    total = cells(table.total) if table.total and not wall else None
    return Table(table.headings[:columns], parts, total), max(0, count - room)


def _now(view: View) -> Now:
    """Return what needs attention at the moment, and who waits and is ready."""
    span = clock.day(clock.local_date(view.as_of, view.zone), view.zone)
    language = formats.language()
    members = team_day.people(view.scope, None, span, view.as_of)
    day = team_day.read(view.scope, members, span, view.zone, view.as_of, language)
    lines = queues_now.read(view.scope, Span(span.start, view.as_of), language)
    alarms = [
        Alarm(
            _("Pause over its limit"),
            _(
                "%(name)s, %(time)s of %(limit)s",
                name=row.member.name,
                time=formats.duration(row.for_s),
                limit=formats.duration(row.pause.seconds if row.pause else None),
            ),
        )
        for row in day.rows
        if row.is_too_long
    ]
    alarms += [
        Alarm(
            _("Call waiting too long"),
            _("%(queue)s, %(time)s", queue=line.queue.label, time=formats.duration(line.longest)),
        )
        for line in queues_now.late(view.scope, lines, view.as_of)
    ]
    return Now(
        view.as_of,
        tuple(alarms),
        sum(line.waiting for line in lines),
        max((line.longest for line in lines if line.longest is not None), default=None),
        sum(row.status.state == READY for row in day.rows),
        day.here,
        sum(row.status.state == PAUSE for row in day.rows),
    )
