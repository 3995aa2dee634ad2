"""One pause: its kind, its limit and the work during it."""

from __future__ import annotations

from typing import Any

from flask import url_for
from flask_babel import gettext as _

from dashboard import clock
from dashboard.access.scope import Scope
from dashboard.clock import Span
from dashboard.i18n.formats import duration, stamp
from dashboard.pages.tracing import drawing, listing, names
from dashboard.pages.tracing.forms import TraceQuery
from dashboard.tracing import team
from dashboard.tracing import trace as traces
from dashboard.tracing.trace import Trace
from dashboard.tracing.types import IntervalRow, Kind


def read(scope: Scope, asked: TraceQuery, start: int, as_of: int) -> tuple[Trace, IntervalRow] | None:
    """Return the trace of a pause that began at `start`, and the pause; None where the viewer sees none."""
    found = traces.read(scope, asked.user, Span(start, start + 1), asked.zone, as_of)
    if found is None:
        return None
    row = next((row for row in found.intervals if row.kind == Kind.PAUSE and row.start == start), None)
    if row is None:
        return None
    end = found.last(row.source_id) if row.end is None else row.end
    whole = traces.read(scope, asked.user, Span(start, max(end, start + 1)), asked.zone, as_of)
    return None if whole is None else (whole, row)


def page(trace: Trace, row: IntervalRow) -> dict[str, Any]:
    """Return the context of tracing/pause.html."""
    shown = listing.pause(trace, 0, row)
    day = clock.local_date(row.start, trace.zone).isoformat()
    limits = (limit.seconds for limit in team.limits().values() if limit.label == row.label)
    limit = next((seconds for seconds in limits if seconds), None)
    over = max(0, shown.seconds - limit) if limit else 0
    bound = stamp(shown.end_bound, trace.zone)
    work = [listing.work(trace, each) for each in trace.activities]
    work = [one._replace(url=drawing.address(trace, one.key[2])) if one.linked else one for one in work]
    return {
        "pause": shown,
        "title": names.row("pause", "", "", row.paid),
        "person": trace.person,
        "zone": trace.zone,
        "over": over,
        "no_end": names.no_end(shown.end_reason, bound),
        "facts": [
            (_("Pause"), row.label),
            (_("Start"), stamp(row.start, trace.zone)),
            (_("End"), stamp(row.end, trace.zone)),
            (_("Duration"), duration(shown.seconds)),
            (_("Limit"), duration(limit) if limit else ""),
            (_("Over the limit"), duration(over) if over else ""),
        ],
        "work": work,
        "say": names.speaker(),
        "back_url": url_for("tracing.index", user=trace.person.login, date=day, tz=trace.zone),
    }
