"""The list of activities, pauses among them: rows, a page by keyset, counts and totals."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from operator import itemgetter
from typing import NamedTuple

from dashboard.access import masking
from dashboard.access.permissions import Permission
from dashboard.pages.tracing.forms import TraceQuery
from dashboard.tracing import load
from dashboard.tracing.load import ActivityRow
from dashboard.tracing.trace import Trace, length
from dashboard.tracing.types import IntervalRow, Kind, type_of

PAGE = 50
LAST_ID = 2**62  # above every id: what comes after all activities of one second
Key = tuple[int, int, int]


class Row(NamedTuple):
    """A line as page, PDF, Excel and CSV show it; `seconds` is handling time, whole and in the period.

    `label` names a pause or a ticket. A row of the type "free" is free time, which only the page shows.
    """

    key: Key
    id: str
    start: int
    end: int | None
    seconds: int
    seconds_in_period: int
    talk: int
    hold: int
    type: str
    ringing: int = 0
    channel: str = ""
    direction: str = ""
    label: str = ""
    paid: bool = False
    contact: str = ""
    queue: str = ""
    state: str = ""
    flags: tuple[str, ...] = ()
    end_bound: int | None = None  # the latest moment an end that never came can have had, and why
    end_reason: str = ""
    url: str = ""  # of the detail; the page puts it in

    @property
    def linked(self) -> bool:
        """Has it a detail that the viewer may open?"""
        return self.type != "free" and "hidden" not in self.flags


class Totals(NamedTuple):
    """Sums over the whole filtered list, inside the period: of one kind, the statistics' sum of times."""

    number: int
    ringing: int
    seconds_in_period: int
    talk: int
    hold: int


class Page(NamedTuple):
    rows: list[Row]
    first: int
    total: int
    number: int
    before: Key | None
    after: Key | None
    window: tuple[int, int]  # what lies between rows is on this page when it begins in [first, second)

    @property
    def last(self) -> int:
        return self.first + len(self.rows) - 1

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // PAGE))


def page(trace: Trace, asked: TraceQuery, chosen: Sequence[ActivityRow], total: int) -> Page:
    """Return one page of the list; `total` is its whole length, `chosen` are its activities."""
    backward = asked.before is not None
    cursor = asked.before if backward else asked.after
    found = _keyed(trace, asked, chosen, cursor, asked.descending != backward)
    more = len(found) > PAGE
    shown = [_row(trace, *each) for each in found[:PAGE]]
    if backward:
        shown.reverse()
    earlier = more if backward else asked.after is not None
    later = True if backward else more
    number = min(asked.page, max(1, -(-total // PAGE))) if earlier else 1
    return Page(
        shown,
        (number - 1) * PAGE + 1,
        total,
        number,
        shown[0].key if earlier and shown else None,
        shown[-1].key if later and shown else None,
        _window(shown, cursor, found[PAGE][0] if more else None, asked.descending, backward),
    )


def _window(
    shown: list[Row], cursor: Key | None, beyond: Key | None, descending: bool, backward: bool
) -> tuple[int, int]:
    """Return from when to when the page reaches: from its first row in time to the first one after it.

    `cursor` and `beyond` are the rows next to the page, on the side it was read from and on the other.
    """
    if not shown:
        return 0, LAST_ID
    older, newer = (beyond, cursor) if descending != backward else (cursor, beyond)
    first = min(shown[0].start, shown[-1].start)
    return (0 if older is None else first), (LAST_ID if newer is None else newer[0])


def everything(trace: Trace, asked: TraceQuery) -> list[Row]:
    """Return the whole filtered list in the order of the page, as exports take it."""
    found = _keyed(trace, asked, chosen(trace, asked), None, asked.descending)
    return [_row(trace, *each) for each in found]


def counts(trace: Trace, asked: TraceQuery) -> dict[str, int]:
    """Return the number of rows by kind under the other filters: call, dialled, email, …, pause."""
    wanted = asked.filter()._replace(channels=())
    by_channel = Counter(row.channel for row in trace.activities if load.matches(row, wanted, trace.at))
    totals: dict[str, int] = {}
    for channel, count in by_channel.items():
        for kind in {channel, "chat"} if type_of(channel) == "chat" else {channel}:
            totals[kind] = totals.get(kind, 0) + count
    totals["pause"] = len(_pauses(trace, asked))
    totals[""] = sum(by_channel.values()) + totals["pause"]
    return totals


def totals(trace: Trace, asked: TraceQuery, chosen: Sequence[ActivityRow]) -> Totals:
    """Return the sums of the whole list from the intervals that the statistics are made of.

    `chosen` are its activities.
    """
    paused = listed_pauses(trace, asked)
    ids = {row.id for row in chosen}
    ringing, handling, talk, hold = (
        sum(
            seconds
            for ident, seconds in load.clipped(
                trace.intervals, trace.span, trace.as_of, trace.horizons, kind
            ).items()
            if ident in ids
        )
        for kind in (Kind.RINGING, Kind.HANDLING, Kind.TALK, Kind.HOLD)
    )
    pauses = sum(_inside(trace, row) for row in paused)
    return Totals(len(chosen) + len(paused), ringing, handling + pauses, talk, hold)


def chosen(trace: Trace, asked: TraceQuery) -> Sequence[ActivityRow]:
    """Return the activities of the whole filtered list, oldest first."""
    if not asked.filtered:
        return trace.activities
    if asked.kind == "pause":
        return []
    return [row for row in trace.activities if load.matches(row, asked.filter(), trace.at)]


def _keyed(
    trace: Trace,
    asked: TraceQuery,
    chosen: Sequence[ActivityRow],
    cursor: Key | None,
    descending: bool,
) -> list[tuple[Key, ActivityRow | IntervalRow]]:
    """Return the activities and pauses of the list behind `cursor`, in its order, with their keys."""
    found: list[tuple[Key, ActivityRow | IntervalRow]] = [((row.start, 0, row.id), row) for row in chosen]
    found += [((row.start, 1, n), row) for n, row in enumerate(listed_pauses(trace, asked))]
    if cursor is not None:
        found = [each for each in found if (each[0] < cursor if descending else each[0] > cursor)]
    return sorted(found, key=itemgetter(0), reverse=descending)


def _row(trace: Trace, key: Key, row: ActivityRow | IntervalRow) -> Row:
    return work(trace, row) if isinstance(row, ActivityRow) else pause(trace, key[2], row)


def listed_pauses(trace: Trace, asked: TraceQuery) -> Sequence[IntervalRow]:
    return _pauses(trace, asked) if asked.kind in ("", "pause") else []


def _pauses(trace: Trace, asked: TraceQuery) -> Sequence[IntervalRow]:
    """Return the pauses in the one order that pages count on; they have neither result nor queue."""
    if asked.state or asked.queue is not None:
        return []
    found = [
        row
        for row in trace.intervals
        if row.kind == Kind.PAUSE
        and (not asked.flagged or row.inferred or (row.end is None and row.source_id in trace.horizons))
    ]
    return sorted(found, key=lambda row: (row.start, row.source_id, row.label, row.end or LAST_ID))


def _inside(trace: Trace, row: IntervalRow) -> int:
    end = trace.last(row.source_id) if row.end is None else row.end
    return max(0, min(end, trace.span.end, trace.as_of) - max(row.start, trace.span.start))


def pause(trace: Trace, n: int, row: IntervalRow) -> Row:
    """Return a pause as a row of the list, the `n`th of its pauses."""
    end = trace.last(row.source_id) if row.end is None else row.end
    bound = trace.at.bound(row.source_id, "", None) if row.end is None else None
    marks = {
        "open": row.end is None and bound is None,
        "no_end": bound is not None,
        "inferred": row.inferred and bound is None,
    }
    return Row(
        key=(row.start, 1, n),
        id=f"p{row.start}",
        start=row.start,
        end=row.end,
        seconds=max(0, end - row.start),
        seconds_in_period=_inside(trace, row),
        talk=0,
        hold=0,
        type="pause",
        label=row.label,
        paid=row.paid,
        flags=tuple(name for name, there in marks.items() if there),
        end_bound=None if bound is None else bound.at,
        end_reason="" if bound is None else bound.reason,
    )


def title_or_contact(trace: Trace, row: ActivityRow) -> str:
    """Return what a bar calls an activity: the title of a ticket, else the contact."""
    return row.title if row.channel == "ticket" and row.title else contact_of(trace, row)


def contact_of(trace: Trace, row: ActivityRow) -> str:
    """Return how the contact is called on this viewer's page: masked without the right."""
    full = trace.scope.can(Permission.PII_UNMASK)
    details = row.contact_name, row.contact_phone, row.contact_email
    return masking.contact(*details, full, by_email=row.channel == "email")


def work(trace: Trace, row: ActivityRow) -> Row:
    """Return an activity as a row of the list."""
    bounded = row.end is None and row.end_bound is not None
    marks = {
        "open": row.end is None and not bounded,
        "no_end": bounded,
        "inferred": row.inferred and not bounded,
        "hidden": row.hidden,
    }
    return Row(
        key=(row.start, 0, row.id),
        id=str(row.id),
        start=row.start,
        end=row.end,
        seconds=length(trace, row, Kind.HANDLING),
        seconds_in_period=trace.seconds.get(row.id, 0),
        talk=length(trace, row, Kind.TALK),
        hold=length(trace, row, Kind.HOLD),
        type=type_of(row.channel),
        ringing=length(trace, row, Kind.RINGING),
        channel=row.channel,
        direction=row.direction,
        label=row.title if row.channel == "ticket" else "",
        contact=contact_of(trace, row),
        queue=row.queue,
        state=row.state,
        flags=tuple(name for name, there in marks.items() if there),
        end_bound=row.end_bound if bounded else None,
        end_reason=row.end_reason or "" if bounded else "",
    )
