"""What is open as of an instant: rows that time or the end of a file has bounded are cut. Pure.

The worker writes a bound when it is due; a reader that comes earlier cuts the same rows the same way.
What a file left open ends with its last line; nothing in a file is ongoing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from dashboard.intervals import intersect, union
from dashboard.tracing.bounds import Bound, EndReason
from dashboard.tracing.types import IntervalRow, Kind, type_of

SEGMENTS = (Kind.RINGING, Kind.HANDLING, Kind.TALK, Kind.HOLD)


class AsOf(NamedTuple):
    """An instant, and by source that is a file the second of its last line."""

    instant: int
    horizons: Mapping[int, int] = {}

    def bound(self, source: int, channel: str, expires: int | None) -> Bound | None:
        """Return what bounds an open activity without a stored bound; None while it is ongoing."""
        last = min(self.instant, self.horizons.get(source, self.instant))
        if expires is not None and expires <= last:
            reason = EndReason.NO_END if type_of(channel) == "call" else EndReason.IDLE
            return Bound(expires, reason)
        return Bound(last, EndReason.END_OF_FILE) if source in self.horizons else None


def settled(rows: Iterable[IntervalRow], as_of: AsOf) -> list[IntervalRow]:
    """Return the intervals with open segments of activities ended where they are proved, if something
    bounds them, and an interval of kind UNPROVED from there to the bound. Presence stays as it is."""
    found: list[IntervalRow] = []
    reach: dict[int | None, tuple[IntervalRow, Bound]] = {}
    for row in rows:
        bound = None
        if row.end is None and row.kind in SEGMENTS:
            bound = as_of.bound(row.source_id, row.channel, row.expires)
        if bound is None:
            found.append(row)
            continue
        proved = row.start if row.kind == Kind.RINGING else max(row.start, row.proved or row.start)
        cut = row._replace(end=min(proved, max(bound.at, row.start)), inferred=True, was_open=True)
        found.append(cut)
        known = reach.get(row.activity_id)
        if known is None or (cut.end or 0) > (known[0].end or 0):
            reach[row.activity_id] = (cut, bound)
    for cut, bound in reach.values():
        since = cut.end or cut.start
        rest = cut._replace(kind=Kind.UNPROVED, start=since, end=max(since, bound.at), was_open=False)
        found.append(rest._replace(reason=str(bound.reason), expires=None, proved=None))
    return found


def signed_in(rows: Iterable[IntervalRow], as_of: int) -> list[IntervalRow]:
    """Return the rows as they are drawn: ready time and pauses within signed-in time, as figures count them.

    Without a sign-in among them, as they are.
    """
    found = list(rows)
    logins = union(_pair(row, as_of) for row in found if row.kind == Kind.LOGIN)
    if not logins:
        return found
    drawn = []
    for row in found:
        if row.kind not in (Kind.READY, Kind.PAUSE):
            drawn.append(row)
            continue
        for start, end in intersect([_pair(row, as_of)], logins):
            goes_on = row.end is None and end == as_of
            drawn.append(row._replace(start=start, end=None if goes_on else end))
    return drawn


def _pair(row: IntervalRow, as_of: int) -> tuple[int, int]:
    return row.start, as_of if row.end is None else row.end
