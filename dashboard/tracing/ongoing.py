"""What is open as of an instant: in the log, and as telephone exchanges report it beside their logs.

Rows that time or the end of a file has bounded are cut. The worker writes a bound when it is due; a reader
that comes earlier cuts the same rows the same way. What a file left open ends with its last line; nothing in
a file is ongoing.

While an exchange's connection is live, its members are there or not, ready or paused, as it says, whatever
its log left open; the log's beginning of the same pause or membership stays. Figures are the log's alone.
Without a live connection the log says who is there, and `lost` since when.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import peewee

from dashboard.db.prepared import plain
from dashboard.intervals import intersect, union
from dashboard.models import Manager, ManagerMember, ManagerWait, PauseType, Queue, Source
from dashboard.tracing.bounds import Bound, EndReason
from dashboard.tracing.types import IntervalRow, Kind, type_of

SEGMENTS = (Kind.RINGING, Kind.HANDLING, Kind.TALK, Kind.HOLD)
DEAD_MS = 45_000  # without a sign of life of the process that keeps the connection
STATES = (Kind.READY, Kind.PAUSE, Kind.RINGING)
UNREACHABLE = (4, 5)  # states of a device: invalid, unavailable
UNNAMED = "pause"  # the name of a pause without a reason, as in queue logs


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


class Lost(NamedTuple):
    """A source whose connection is lost, since a UTC second."""

    source: str
    since: int


class Present(NamedTuple):
    """A membership: UTC seconds since when it is, is paused and rings; None if not. `paid` is the pause."""

    source_id: int
    ready: int
    paused: int | None
    reason: str
    status: int
    ringing: int | None
    paid: bool | None


class Now(NamedTuple):
    """The sources with a live connection, their members by user, and the sources whose connection is lost."""

    sources: frozenset[int] = frozenset()
    members: Mapping[int, Sequence[Present]] = {}
    lost: tuple[Lost, ...] = ()

    def rows(self, user: int, recorded: Sequence[IntervalRow]) -> Sequence[IntervalRow]:
        """Return the stretches of a user's day with what is open as the exchanges say."""
        if not self.sources:
            return recorded
        said = [row for row in recorded if row.end is None and row.source_id in self.sources]
        said = [row for row in said if row.kind in STATES]
        found = [row for row in recorded if row not in said]
        for source in self.sources:
            mine = [each for each in self.members.get(user, ()) if each.source_id == source]
            found += _open(mine, [row for row in said if row.source_id == source])
        return found


def _open(members: Sequence[Present], recorded: Sequence[IntervalRow]) -> Iterator[IntervalRow]:
    """Yield what is open of a user in one source; a paused or reachable member is there."""
    there = [each for each in members if each.paused is not None or each.status not in UNREACHABLE]
    ready = [row for row in recorded if row.kind == Kind.READY]
    if members and not there:  # added, and the phone is off
        yield from (row._replace(kind=Kind.LOGIN) for row in ready)
    if there:
        begun = min(each.ready for each in there)
        yield from ready or [IntervalRow(Kind.READY, begun, None, source_id=there[0].source_id)]
    paused = [each for each in there if each.paused is not None]
    if paused:
        last = max(paused, key=lambda each: each.paused or 0)
        label = last.reason or UNNAMED
        same = [row for row in recorded if row.kind == Kind.PAUSE and row.label == label]
        new = IntervalRow(Kind.PAUSE, last.paused or 0, None, source_id=last.source_id, label=label)
        yield from same or [new._replace(paid=bool(last.paid))]
    ringing = [each.ringing for each in members if each.ringing is not None]
    if ringing:
        yield IntervalRow(Kind.RINGING, min(ringing), None, "call", source_id=members[0].source_id)


def is_live(as_of: int) -> Any:
    """Return the condition that the connection of a Manager is live at a UTC second."""
    return (Manager.state == "live") & (Manager.seen_ms >= as_of * 1000 - DEAD_MS)


def sources(as_of: int) -> Any:
    """Return the query of the ids of the sources with a live connection."""
    return Manager.select(Manager.source).where(is_live(as_of))


def members(as_of: int) -> Any:
    """Return the query of the ids of the users who are members now."""
    m = ManagerMember
    return m.select(m.user_id).join(Manager).where(is_live(as_of))


def read(users: Collection[int], as_of: int) -> Now:
    """Return what is live at `as_of` of these users, in one query."""
    m, c = ManagerMember, Manager
    columns = (m.user_id, c.source, m.ready_ts, m.paused_ts, m.reason, m.status, m.ringing_ts, PauseType.paid)
    wanted = (m.manager == c.id) & is_live(as_of) & m.user_id.in_(sorted(users))
    query = (
        c.select(is_live(as_of), Source.name, c.state, c.since_ms, c.seen_ms, *columns)
        .join(Source)
        .join(m, peewee.JOIN.LEFT_OUTER, on=wanted, src=c)
        .join(PauseType, peewee.JOIN.LEFT_OUTER, on=(PauseType.name == m.reason))
        .where((c.state != "new") | is_live(as_of))
        .order_by(Source.name)
    )
    live: set[int] = set()
    lost: dict[str, int] = {}
    found: dict[int, list[Present]] = {}
    for alive, name, state, since_ms, seen_ms, user, source, *rest in plain(query):
        if not alive:
            lost[name] = (seen_ms if state == "live" else since_ms) // 1000
            continue
        live.add(source)
        if user is not None:
            found.setdefault(user, []).append(Present(source, *rest))
    return Now(frozenset(live), found, tuple(Lost(*each) for each in lost.items()))


def waiting(wanted: Any, as_of: int) -> Any:
    """Return the query of (queue, number, since when the first waits) of calls in the wanted queues."""
    w = ManagerWait
    return (
        w.select(Queue.id, peewee.fn.COUNT(w.call), peewee.fn.MIN(w.since_ts))
        .join(Manager)
        .join(Queue, on=(Queue.name == w.queue))
        .where(is_live(as_of) & wanted)
        .group_by(Queue.id)
    )
