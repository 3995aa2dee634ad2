"""The plot of a trace: its stretches with what their bars say."""

from __future__ import annotations

from dashboard.pages.tracing import listing, timeline
from dashboard.pages.tracing.forms import TraceQuery
from dashboard.pages.tracing.plot import Item, Plot
from dashboard.tracing.load import ActivityRow
from dashboard.tracing.ongoing import signed_in
from dashboard.tracing.trace import Trace
from dashboard.tracing.types import IntervalRow, Kind
from dashboard.web.page import row_url

DRAWN = (Kind.LOGIN, Kind.READY, Kind.PAUSE, Kind.RINGING, Kind.HANDLING, Kind.UNPROVED)


def plot(trace: Trace, asked: TraceQuery, linked: bool = True) -> Plot:
    """Return the drawing; without links for files, which no request asks for."""
    drawn = items(trace, linked)
    if asked.unit == "week":
        return timeline.week_plot(drawn, trace.span, trace.as_of, trace.zone)
    if asked.minutes:
        return timeline.minutes_plot(drawn, trace.span, trace.as_of, trace.zone, asked.minutes)
    all_day = asked.all_day or bool(asked.hours)
    return timeline.day_plot(drawn, trace.span, trace.as_of, trace.zone, all_day)


def items(trace: Trace, linked: bool = True) -> list[Item]:
    """Return the drawn stretches with what their bars say; those of a file source end where it ends."""
    wanted = [row for row in signed_in(trace.intervals, trace.as_of) if row.kind in DRAWN]
    drawn = any(row.activity_id for row in wanted)
    facts = {row.id: row for row in trace.activities} if drawn else {}
    return [_item(trace, row, facts.get(row.activity_id or 0), linked) for row in wanted]


def _item(trace: Trace, row: IntervalRow, fact: ActivityRow | None, linked: bool) -> Item:
    horizon = trace.horizons.get(row.source_id)
    lost = row.end is None and horizon is not None and horizon < trace.as_of
    shown = fact is not None and not row.hidden
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
        url=address(trace, fact.id) if shown and fact and linked else "",
        reason=row.reason or "",
    )


def address(trace: Trace, activity_id: int) -> str:
    return row_url("tracing.show", activity_id, tz=trace.zone)
