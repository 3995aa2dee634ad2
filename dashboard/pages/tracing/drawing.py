"""The plot of a trace: its stretches with what their bars say."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from flask import url_for

from dashboard.intervals import Pair
from dashboard.pages.tracing import listing, timeline
from dashboard.pages.tracing.forms import TraceQuery
from dashboard.pages.tracing.plot import Item, Plot
from dashboard.tracing.load import ActivityRow
from dashboard.tracing.ongoing import signed_in
from dashboard.tracing.trace import Trace
from dashboard.tracing.types import IntervalRow, Kind
from dashboard.web.page import row_url

CALLS = ("call", "dialled")
DRAWN = (Kind.LOGIN, Kind.READY, Kind.PAUSE, Kind.RINGING, Kind.HANDLING, Kind.UNPROVED)


def plot(trace: Trace, asked: TraceQuery, linked: bool = True) -> Plot:
    """Return the drawing, without rows for a month; for files, which no request asks for, without links and
    the room of their readouts."""
    if asked.unit == "month":
        return Plot("month", trace.span.start, trace.span.end, trace.as_of, (), ())
    drawn = items(trace, linked)
    if asked.unit == "week":
        look = timeline.WEEK if linked else timeline.PAPER_WEEK
        return timeline.week_plot(drawn, trace.span, trace.as_of, trace.zone, look)
    if asked.minutes:
        return timeline.minutes_plot(drawn, trace.span, trace.as_of, trace.zone, asked.minutes)
    all_day = asked.all_day or bool(asked.hours)
    return timeline.day_plot(drawn, trace.span, trace.as_of, trace.zone, all_day)


def items(trace: Trace, linked: bool = True) -> list[Item]:
    """Return the drawn stretches with what their bars say; those of a file source end where it ends."""
    wanted = [row for row in signed_in(trace.intervals, trace.as_of) if row.kind in DRAWN]
    drawn = any(row.activity_id for row in wanted)
    facts = {row.id: row for row in trace.activities} if drawn else {}
    talks = _talks(trace.intervals)
    return [
        _item(trace, row, facts.get(row.activity_id or 0), talks.get(row.activity_id or 0), linked)
        for row in wanted
    ]


class _Talk(NamedTuple):
    """When the customer hung up, None while they talk, and the holds of a call."""

    end: int | None
    holds: tuple[Pair, ...]


def _talks(intervals: Sequence[IntervalRow]) -> dict[int, _Talk]:
    found: dict[int, _Talk] = {}
    for row in intervals:
        if row.activity_id is None or row.hidden or row.channel not in CALLS:
            continue
        known = found.get(row.activity_id, _Talk(0, ()))
        if row.kind == Kind.TALK:
            end = None if known.end is None or row.end is None else max(known.end, row.end)
            found[row.activity_id] = known._replace(end=end)
        elif row.kind == Kind.HOLD and row.end is not None:
            found[row.activity_id] = known._replace(holds=(*known.holds, (row.start, row.end)))
    return found


def _item(trace: Trace, row: IntervalRow, fact: ActivityRow | None, talk: _Talk | None, linked: bool) -> Item:
    horizon = trace.horizons.get(row.source_id)
    lost = row.end is None and horizon is not None and horizon < trace.as_of
    shown = fact is not None and not row.hidden
    url = ""
    if linked and row.kind == Kind.PAUSE:
        url = pause_address(trace, row.start)
    elif linked and shown and fact:
        url = address(trace, fact.id)
    talk = talk if row.kind == Kind.HANDLING else None
    return Item(
        kind=row.kind,
        start=row.start,
        end=horizon if lost else row.end,
        channel=row.channel,
        activity_id=row.activity_id,
        label=row.label,
        paid=row.paid,
        inferred=row.inferred or lost,
        hidden=row.hidden,
        direction=fact.direction if shown and fact else "",
        contact=listing.title_or_contact(trace, fact) if shown and fact else "",
        queue=fact.queue if shown and fact else "",
        url=url,
        reason=row.reason or "",
        after=talk.end or None if talk else None,
        holds=talk.holds if talk else (),
    )


def address(trace: Trace, activity_id: int) -> str:
    return row_url("tracing.show", activity_id, tz=trace.zone)


def pause_address(trace: Trace, start: int) -> str:
    return url_for("tracing.pause", user=trace.person.login, at=start, tz=trace.zone)
