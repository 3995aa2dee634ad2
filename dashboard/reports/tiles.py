"""What the tiles of a dashboard show to one reader: results of reports, kept for the refresh interval.

Results are kept by report, parameters, scope, language and zone, so that ten screens cost as much as one.
A tile that fails or takes too long says so; the others stand.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from datetime import date
from typing import Any, Generic, NamedTuple, TypeVar

from dashboard import clock
from dashboard.access.scope import Scope
from dashboard.clock import DAY_S
from dashboard.db import failure
from dashboard.exports.table import Cell
from dashboard.i18n import formats
from dashboard.i18n.message import N_
from dashboard.models import Tile
from dashboard.reports import library, result
from dashboard.reports.dashboards import Kind
from dashboard.reports.library import SavedReport
from dashboard.reports.types import Result
from dashboard.sources.period import TooManyBuckets
from dashboard.sources.query import QueryError
from dashboard.sources.run import TooLong

MOST_KEPT = 500
ROWS = 12  # of a table
HOURLY_S = 2 * DAY_S  # a figure of a longer period has a line by day

NO_REPORT = N_("The report was deleted, or your role doesn't allow it.")
TOO_SLOW = N_("This took too long. Choose a shorter period.")
BAD_QUERY = N_("The report can't be read: a field or filter is no longer valid.")
BROKEN = N_("This tile failed. The error was logged.")
NO_FIGURE = N_("The report has no figures.")

log = logging.getLogger("stopa.reports")
Value = TypeVar("Value")


class View(NamedTuple):
    """Who looks: the reader's rights and zone; the present instant and the refresh interval."""

    scope: Scope
    zone: str
    as_of: int
    refresh_s: int


@dataclass(frozen=True, slots=True)
class TileResult:
    """The result of a report for a tile, or the marked message of why there is none."""

    report: SavedReport | None = None
    found: Result | None = None
    error: str = ""

    @property
    def figure(self) -> Cell:
        """The total of the first figure."""
        return self._last(self.found.total.cells if self.found and self.found.total else ())

    @property
    def before(self) -> Cell:
        """That of the period before."""
        return self._last(self.found.total.before if self.found and self.found.total else ())

    @property
    def course(self) -> list[float | None]:
        """The figure by hour or day, up to the present one; None where there is none."""
        if self.found is None:
            return []
        as_of, zone = self.found.as_of, self.found.zone
        ends: dict[type, Any] = {int: as_of, date: clock.local_date(as_of, zone)}
        rows = [row.cells for row in self.found.rows if row.cells[0] <= ends[type(row.cells[0])]]
        return [cells[-1] if isinstance(cells[-1], (int, float)) else None for cells in rows]

    @staticmethod
    def _last(cells: tuple[Cell, ...]) -> Cell:
        return cells[-1] if cells else None


class Kept(Generic[Value]):
    """Values for some time by key, the latest MOST_KEPT; one thread makes a value, the others wait for it."""

    def __init__(self) -> None:
        self._values: OrderedDict[Hashable, tuple[float, Value]] = OrderedDict()
        self._making: dict[Hashable, threading.Lock] = {}
        self._changing = threading.Lock()

    def get(self, key: Hashable, keep_s: float, make: Callable[[], Value]) -> Value:
        with self._changing:
            if (found := self.fresh(key)) is not None:
                return found
            lock = self._making.setdefault(key, threading.Lock())
        with lock:
            with self._changing:
                if (found := self.fresh(key)) is not None:
                    return found
            try:
                made = make()
            finally:
                with self._changing:
                    self._making.pop(key, None)
            with self._changing:
                self._values[key] = (time.monotonic() + keep_s, made)
                while len(self._values) > MOST_KEPT:
                    self._values.popitem(last=False)
            return made

    def fresh(self, key: Hashable) -> Value | None:
        """Return a value that is still kept."""
        found = self._values.get(key)
        return found[1] if found is not None and found[0] > time.monotonic() else None

    def clear(self) -> None:
        with self._changing:
            self._values.clear()


KEPT: Kept[TileResult] = Kept()


def read(view: View, tile: Tile, kept_only: bool = False) -> TileResult | None:
    """Return what a tile of a report shows to a reader; raises nothing but the loss of the database.

    With `kept_only`, None when it would have to be read.
    """
    report = library.find(view.scope, tile.report)
    if report is None:
        return TileResult(error=NO_REPORT)
    stored = (report.reference, report.source.name, report.query, report.chart, report.name)
    key = (stored, tile.kind, tile.query, tile.measure, view.scope, formats.language(), view.zone)
    if kept_only:
        return KEPT.fresh(key)
    return KEPT.get(key, view.refresh_s, lambda: _made(view, tile, report))


def _made(view: View, tile: Tile, report: SavedReport) -> TileResult:
    try:
        found = _built(view, tile, report)
        return TileResult(report, found, "" if found else NO_FIGURE)
    except QueryError:
        return TileResult(report, error=BAD_QUERY)
    except (TooLong, TooManyBuckets):
        return TileResult(report, error=TOO_SLOW)
    except Exception as error:
        if failure.is_away(error):
            raise
        log.exception("tile %s failed", tile.id)
        return TileResult(report, error=BROKEN)


def _built(view: View, tile: Tile, report: SavedReport) -> Result | None:
    """Return the result; None for a figure of a report without any."""
    given = library.parameters(tile.query)
    if tile.kind == Kind.TABLE:
        given.setdefault("limit", [str(ROWS)])
    if tile.kind == Kind.FIGURE:
        query = result.read(view.scope, report, given, view.zone, view.as_of).query
        if not query.measures:
            return None
        bucket = "hour" if query.span.seconds <= HOURLY_S else "day"
        given |= {
            "measures": [tile.measure or query.measures[0].name],
            "group": [bucket],
            "sort": [""],
            "limit": [""],
            "compare": ["previous"],
            "chart": ["none"],
        }
    return result.build(view.scope, report, given, view.zone, view.as_of)
