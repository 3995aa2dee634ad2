"""A month as a calendar: a bar of each day's signed-in time by activity."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

from flask import url_for

from dashboard import clock
from dashboard.pages.tracing import summary
from dashboard.pages.tracing.forms import TraceQuery
from dashboard.tracing.figures import Figures
from dashboard.tracing.trace import Trace
from dashboard.tracing.types import FIRST_DATE
from dashboard.web.charts import Piece

WEEK = 7


class Day(NamedTuple):
    """A day of the calendar; `width` is its login time in percent of the longest day's, `figures` None for
    days to come."""

    date: date
    url: str
    figures: Figures | None
    pieces: tuple[Piece, ...]
    width: float


def weeks(trace: Trace, asked: TraceQuery, linked: bool = True) -> list[list[Day | None]]:
    """Return the weeks of a month from Monday, None for days of other months; [] for what is no month, and
    for a month without records. Files, which no request asks for, have no links."""
    if asked.unit != "month" or not trace.intervals:
        return []
    days = [_day(trace, asked, day, linked) for day in clock.local_dates(trace.span, trace.zone)]
    longest = max(day.figures.login if day.figures else 0 for day in days)
    scaled = [
        day._replace(width=round(100 * day.figures.login / longest, 3)) if day.figures and longest else day
        for day in days
    ]
    cells: list[Day | None] = [None] * days[0].date.weekday() + scaled
    cells += [None] * (-len(cells) % WEEK)
    return [cells[n : n + WEEK] for n in range(0, len(cells), WEEK)]


def _day(trace: Trace, asked: TraceQuery, day: date, linked: bool) -> Day:
    span = clock.day(day, trace.zone)
    if span.start > trace.as_of or day < FIRST_DATE:
        return Day(day, "", None, (), 0)
    part = trace.part(span)
    address = asked.query(unit="day", date=day, after=None, before=None, page=1)
    url = url_for("tracing.index", **address) if linked else ""
    return Day(day, url, part.figures, summary.ribbon(part), 0)
