"""What a user's day amounts to: set algebra over login, ready, pause and work. Pure.

Source of the definitions: base sets LOGIN, PAUSE, READY, BUSY and RING of user tracing. Every
stretch is cut to the period first; a set is sorted and disjoint, so its length is real time.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from heapq import heappop, heappush
from itertools import pairwise
from typing import NamedTuple

from dashboard.clock import Span
from dashboard.intervals import Pair, clip, intersect, load, subtract, union
from dashboard.tracing.figures import Figures, PauseFigures, Pauses, Quality, Tickets, Work, as_json
from dashboard.tracing.types import CHAT_CHANNELS, ClosedRow, IntervalRow, Kind, State, type_of

__all__ = ["Figures", "PauseFigures", "Pauses", "Quality", "Tickets", "Work", "as_json", "figures"]


class Cut(NamedTuple):
    """A row with the part of it that lies in the period and before `as_of`; empty when start >= end."""

    row: IntervalRow
    start: int
    end: int


class Base(NamedTuple):
    """The base sets of a period."""

    login: list[Pair]
    pause: list[Pair]
    ready: list[Pair]
    busy: list[Pair]
    ring: list[Pair]


def figures(
    intervals: Sequence[IntervalRow],
    closed: Sequence[ClosedRow],
    span: Span,
    as_of: int,
    horizons: Mapping[int, int] = {},
    never_signed_in: bool = False,
    employed: tuple[int, int | None] | None = None,
    events: Mapping[str, int] = {},
) -> Figures:
    """Return the statistics of one user in `span`.

    `intervals` are the user's stretches that overlap the span, in any order. An open one runs to
    `as_of`, to the end of the span, or to the `horizons` of its source (source id → last known
    second), whichever is earliest. `closed` are the activities that ended in the span. With
    `never_signed_in` the login is whatever was ready or pause. `employed` is (first, last or None)
    second of employment, outside of which nobody is offline. `events` is passed through.
    """
    limit = min(span.end, as_of)
    cuts = cut_rows(intervals, span.start, limit, horizons)
    base = base_sets(cuts, never_signed_in)
    pause = _pauses(cuts, base, limit)
    ready, login, busy = load(base.ready), load(base.login), load(intersect(base.ready, base.busy))
    ringing = load(subtract(intersect(base.ready, base.ring), base.busy))
    works = _works(cuts, closed, limit)
    return Figures(
        login=login,
        ready=ready,
        not_ready=login - ready - pause.total,
        busy=busy,
        ringing=ringing,
        free=ready - busy - ringing,
        offline=_offline(base, Span(span.start, limit), employed),
        pause=pause,
        calls=works.get("call", Work()),
        dialled=works.get("dialled", Work()),
        emails=works.get("email", Work()),
        chats=_all_chats(cuts, works),
        chat_channels=_chats(works),
        tickets=_tickets(closed),
        work_in_pause=load(intersect(base.busy, base.pause)),
        work_logged_out=load(subtract(base.busy, base.login)),
        occupancy=busy / ready if ready else None,
        utilisation=load(union(base.ready + intersect(base.busy, base.login))) / login if login else None,
        aht=_aht(closed),
        quality=_quality(cuts, span.start, limit),
        login_reported=_login_reported(intervals, span, as_of),
        login_inferred=never_signed_in and login > 0,
        events=dict(events),
    )


def cut_rows(
    rows: Iterable[IntervalRow], first: int, last: int, horizons: Mapping[int, int]
) -> dict[int, list[Cut]]:
    """Return the rows by kind, each with its part in [first, last)."""
    cuts: dict[int, list[Cut]] = {kind: [] for kind in Kind}
    for row in rows:
        end = row.end
        if end is None:
            end = min(last, horizons.get(row.source_id, last))
        cuts[row.kind].append(Cut(row, max(row.start, first), min(end, last)))
    return cuts


def pairs_of(cuts: Iterable[Cut]) -> list[Pair]:
    return [(start, end) for _, start, end in cuts if start < end]


def base_sets(cuts: Mapping[int, list[Cut]], never_signed_in: bool) -> Base:
    login = union(pairs_of(cuts[Kind.LOGIN]))
    if never_signed_in:
        login = union(login + pairs_of(cuts[Kind.READY]) + pairs_of(cuts[Kind.PAUSE]))
    pause = intersect(pairs_of(cuts[Kind.PAUSE]), login)
    ready = subtract(intersect(pairs_of(cuts[Kind.READY]), login), pause)
    return Base(
        login, pause, ready, union(pairs_of(cuts[Kind.HANDLING])), union(pairs_of(cuts[Kind.RINGING]))
    )


def _pauses(cuts: Mapping[int, list[Cut]], base: Base, limit: int) -> Pauses:
    """Split PAUSE by pause type; a pause that began in the span counts once, for all its queues."""
    pairs: dict[tuple[str, bool], list[Pair]] = {}
    begun: dict[tuple[str, bool], set[int]] = {}
    for row, start, end in winning_pauses(cuts[Kind.PAUSE]):
        pairs.setdefault((row.label, row.paid), []).append((start, end))
    for row, start, _ in cuts[Kind.PAUSE]:
        if row.start == start < limit:
            begun.setdefault((row.label, row.paid), set()).add(start)
    seconds = {name: load(intersect(parts, base.login)) for name, parts in pairs.items()}
    names = sorted({name for name, length in seconds.items() if length} | set(begun))
    paid = sum(length for (_, is_paid), length in seconds.items() if is_paid)
    total = load(base.pause)
    types = (PauseFigures(*name, seconds.get(name, 0), len(begun.get(name, ()))) for name in names)
    return Pauses(total, paid, total - paid, tuple(types))


def winning_pauses(cuts: Iterable[Cut]) -> list[Cut]:
    """Return disjoint parts of the pauses: where they overlap, the one that began last wins.

    What began at the same second is told apart by end and name, so that adjacent spans agree.
    """
    waiting = sorted((cut for cut in cuts if cut.start < cut.end), key=lambda cut: cut.start)
    bounds = sorted({bound for _, start, end in waiting for bound in (start, end)})
    running: list[tuple[int, int, str, bool, int]] = []
    won: list[Cut] = []
    place = 0
    for start, end in pairwise(bounds):
        while place < len(waiting) and waiting[place].start <= start:
            row = waiting[place].row
            heappush(running, (-row.start, row.end or 0, row.label, row.paid, place))
            place += 1
        while running and waiting[running[0][-1]].end <= start:
            heappop(running)
        if running:
            won.append(Cut(waiting[running[0][-1]].row, start, end))
    return won


def _works(cuts: Mapping[int, list[Cut]], closed: Sequence[ClosedRow], limit: int) -> dict[str, Work]:
    """Return the work on each channel that has a row or a closed activity."""
    times: dict[str, dict[Kind, list[Pair]]] = {}
    begun: dict[str, set[int | None]] = {}
    counts: dict[str, int] = {}
    endless: dict[str, set[int | None]] = {}
    for row, start, _end in cuts[Kind.UNPROVED]:
        if row.start == start < limit:
            endless.setdefault(row.channel, set()).add(row.activity_id)
    for kind in (Kind.HANDLING, Kind.TALK, Kind.HOLD, Kind.UNPROVED):
        for row, start, end in cuts[kind]:
            of_channel = times.setdefault(row.channel, {})
            of_channel.setdefault(kind, []).append((start, end))
            if kind == Kind.HANDLING and row.start == start < limit:
                begun.setdefault(row.channel, set()).add(row.activity_id)
    for one in closed:
        counts[one.channel] = counts.get(one.channel, 0) + (one.state == State.CLOSED)
    nothing: dict[Kind, list[Pair]] = {}
    return {
        channel: _work(
            times.get(channel, nothing),
            counts.get(channel, 0),
            len(begun.get(channel, ())),
            len(endless.get(channel, ())),
        )
        for channel in dict.fromkeys([*times, *counts])
    }


def _work(parts: Mapping[Kind, list[Pair]], closed: int, begun: int, endless: int) -> Work:
    handling = parts.get(Kind.HANDLING, [])
    talk, hold = (load(union(parts.get(kind, ()))) for kind in (Kind.TALK, Kind.HOLD))
    unproved = load(parts.get(Kind.UNPROVED, ()))
    return Work(load(union(handling)), load(handling), closed, talk, hold, begun, endless, unproved)


def _chats(works: Mapping[str, Work]) -> dict[str, Work]:
    used = {channel for channel, work in works.items() if type_of(channel) == "chat" and work.used}
    return {
        channel: works[channel]
        for channel in (*CHAT_CHANNELS, *sorted(used.difference(CHAT_CHANNELS)))
        if channel in used
    }


def _all_chats(cuts: Mapping[int, list[Cut]], works: Mapping[str, Work]) -> Work:
    pairs = pairs_of(cut for cut in cuts[Kind.HANDLING] if type_of(cut.row.channel) == "chat")
    chats = _chats(works).values()
    return Work(
        load(union(pairs)),
        load(pairs),
        sum(work.closed for work in chats),
        without_end=sum(work.without_end for work in chats),
        unproved=sum(work.unproved for work in chats),
    )


def _tickets(closed: Sequence[ClosedRow]) -> Tickets:
    tickets = [row for row in closed if type_of(row.channel) == "ticket"]
    ended = {row.interaction_id for row in tickets if row.state == State.CLOSED}
    return Tickets(len({row.interaction_id for row in tickets}), len(ended))


def _offline(base: Base, elapsed: Span, employed: tuple[int, int | None] | None) -> int:
    """Return the part of the elapsed time, within employment, that is without login."""
    first, last = employed or (elapsed.start, None)
    here = clip([elapsed], first, elapsed.end if last is None else last)
    return load(subtract(here, base.login))


def _aht(closed: Sequence[ClosedRow]) -> dict[str, int]:
    """Return the mean full handling of closed activities by type, with dialled calls apart."""
    lengths: dict[str, list[int]] = {}
    for row in closed:
        if row.state == State.CLOSED:
            kind = "dialled" if row.channel == "dialled" else type_of(row.channel)
            lengths.setdefault(kind, []).append(row.handling_s)
    return {kind: sum(each) // len(each) for kind, each in sorted(lengths.items())}


def _quality(cuts: Mapping[int, list[Cut]], first: int, limit: int) -> Quality:
    """Count rows of the span that no event ended, or whose bounds were concluded; a file's rest is both."""
    inferred = still_open = 0
    for kind, of_kind in cuts.items():
        for row, start, end in of_kind if kind != Kind.UNPROVED else ():
            if not (start < end or first <= row.start < limit):
                continue
            cut_short = row.end is None and end < limit
            inferred += row.inferred or cut_short
            still_open += row.end is None or row.was_open
    return Quality(inferred, still_open)


def _login_reported(rows: Sequence[IntervalRow], span: Span, as_of: int) -> int | None:
    """Sum the lengths that sources gave for logins that ended in the span; None when none did."""
    given = [
        row.reported_s
        for row in rows
        if row.kind == Kind.LOGIN
        and row.reported_s is not None
        and row.end is not None
        and span.start <= row.end < min(span.end, as_of + 1)
    ]
    return sum(given) if given else None
