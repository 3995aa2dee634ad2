"""Cells of exports as texts in the reader's language, as the PDF and pages show them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dashboard.exports.table import Cell, Clock, Kind, clean, offset_label, shorten
from dashboard.i18n import formats

CELL_UNITS = 2_000  # of a text; more would fill pages, and Excel or CSV holds it all


def show(kind: Kind, zone: str, clocks: bool = False) -> Callable[[Cell], str]:
    """Return what writes a cell of this kind as the reader's language does; "" for None.

    With `clocks` a time is written without its date.
    """
    clock = Clock(zone)
    writers: dict[Kind, Callable[[Any], str]] = {
        Kind.TEXT: lambda cell: shorten(clean(cell), CELL_UNITS),
        Kind.INT: formats.number,
        Kind.DECIMAL: formats.number,
        Kind.DURATION: formats.duration,
        Kind.PERCENT: lambda cell: formats.percent(cell, 1),
        Kind.TIME: lambda cell: _moment(cell, clock, zone, clocks),
        Kind.DATE: formats.date_plain,
    }
    write, text = writers[kind], writers[Kind.TEXT]
    return lambda cell: "" if cell is None else text(cell) if isinstance(cell, str) else write(cell)


def _moment(ts: int, clock: Clock, zone: str, clocks: bool) -> str:
    """Return date and time on one line, with the offset in an hour that the clocks go through twice."""
    moment = clock.local(ts)
    twice = moment.replace(fold=1 - moment.fold).utcoffset() != moment.utcoffset()
    stamp = formats.clock(ts, zone) if clocks else formats.stamp(ts, zone).replace(" ", formats.NBSP)
    return stamp + (f"{formats.NBSP}{offset_label(clock.offset(ts))}" if twice else "")
