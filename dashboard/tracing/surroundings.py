"""Reads what bounds users' open work from the log and their presence, for the second pass of a fold."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from dashboard import clock
from dashboard.catalog import CATALOG, Origin
from dashboard.catalog.agents import TIME_CORRECTED
from dashboard.catalog.effects import RESTART
from dashboard.clock import DAY_S, Span
from dashboard.db.prepared import plain
from dashboard.events import horizon
from dashboard.intervals import union
from dashboard.models import Activity, Event, Interaction, Interval, Source, User
from dashboard.tracing.bounds import FOREVER, EndReason, Limits, Place, Presences
from dashboard.tracing.fold import Whole
from dashboard.tracing.types import Kind, State

MOVES = ("call.queued", "call.accepted", "call.connected")
CONNECTS = ("call.accepted", "call.connected", "call.dialled")
# What a user does in the dashboard itself is no work of their day.
INSIDE = frozenset(
    one.name for one in CATALOG.values() if one.internal and one.group in ("dashboard", "rules")
) | {TIME_CORRECTED}
LOGINS = (Kind.LOGIN, Kind.LOGIN_ORIGINAL)  # what the log says, whatever corrections lie over it
# What happens to a user, and is no act of theirs.
_PASSIVE = ("queued", "offered", "ignored", "withdrawn", "missed", "abandoned")
NO_ACTS = frozenset(
    one.name
    for one in CATALOG.values()
    if one.name.partition(".")[2] in _PASSIVE
    or one.origin in (Origin.TIMER, Origin.COUNTER)
    or one.name in INSIDE
)


class Touched(NamedTuple):
    """What a batch of events touches: interactions by source; users with the second from which on."""

    interactions: dict[int, set[str]]
    users: dict[int, int]


class _Connected(msgspec.Struct):
    connected: Any = None
    direction: Any = None


_connected = msgspec.json.Decoder(_Connected)


_limits = Limits()


def use_limits(chosen: Limits) -> None:
    """Bound with these limits from now on; what is folded already changes with a rebuild."""
    global _limits
    _limits = chosen


def limits() -> Limits:
    """Return the limits of the site."""
    return _limits


def as_of_sources() -> dict[int, int]:
    """Return by source the second up to which its time has passed: now, or the last line of a file."""
    now = clock.now_s()
    query = Source.select(Source.id, Source.is_file, Source.last_ms)
    return {ident: (last or 0) // 1000 if is_file else now for ident, is_file, last in plain(query)}


def acts(user: int, start: int, end: int) -> list[int]:
    """Return the seconds in [start, end) of the user's own events, rising."""
    query = Event.select(Event.time_ms, Event.type).where(
        (Event.user_id == user) & (Event.time_ms >= start * 1000) & (Event.time_ms < end * 1000)
    )
    return sorted(time_ms // 1000 for time_ms, type_ in plain(query) if type_ not in NO_ACTS)


def restarts(since: int) -> dict[int, list[int]]:
    """Return by source the seconds of its restarts from `since` on, rising."""
    query = Event.select(Event.source_id, Event.time_ms).where(
        (Event.type == RESTART) & (Event.time_ms >= since * 1000)
    )
    found: dict[int, list[int]] = {}
    for source, time_ms in plain(query.order_by(Event.time_ms)):
        found.setdefault(source, []).append(time_ms // 1000)
    return found


def login_sources(user: int) -> set[int]:
    """Return the sources that ever reported a sign-in of the user: in the log, or before its horizon."""
    of_user = (Event.user_id == user) & (Event.type == "agent.signed_in")
    found = plain(Event.select(Event.source_id).where(of_user).distinct())
    if horizon.horizon_ms():
        i = Interval
        recorded = i.end_reason.is_null() | (i.end_reason != EndReason.CORRECTED.value)
        logins = (i.user_id == user) & i.kind.in_(LOGINS) & recorded
        found += plain(i.select(i.source_id).where(logins).distinct())
    return {source for (source,) in found}


def presences(user: int, span: Span, restarted: Mapping[int, Sequence[int]]) -> Presences:
    """Return what bounds the user's work of that time."""
    i = Interval
    over = i.end_ts.is_null() | (i.end_ts >= span.start)
    recorded = i.end_reason.is_null() | (i.end_reason != EndReason.FIRST_TO_LAST.value)
    query = i.select(i.kind, i.source_id, i.start_ts, i.end_ts).where(
        (i.user_id == user) & (i.kind <= Kind.READY) & (i.start_ts <= span.end) & over & recorded
    )
    logins: list[tuple[int, int]] = []
    ready: dict[int, list[tuple[int, int]]] = {}
    for kind, source, start, end in plain(query):
        pair = (start, FOREVER if end is None else max(end, start + 1))
        if kind == Kind.LOGIN:
            logins.append(pair)
        else:
            ready.setdefault(source, []).append(pair)
    signs_in = login_sources(user)
    left = {
        source: [end for _, end in union(pairs) if end < FOREVER]
        for source, pairs in ready.items()
        if source not in signs_in
    }
    deactivated = User.select(User.deactivated_ts).where(User.id == user).scalar()
    return Presences(union(logins), left, _calls(user, span), restarted, deactivated)


def moved_on(place: Place, whole: Whole) -> int | None:
    """Return the second in which the call of a waiting interaction was queued or answered in another queue;
    None when it was not, or when the source has one interaction for all queues of a call."""
    if whole.waits_since is None or not whole.call:
        return None
    e = Event
    of_call = (e.interaction > f"{whole.call}/") & (e.interaction < f"{whole.call}0")
    later = of_call & (e.source_id == place.source) & (e.time_ms > whole.waits_since * 1000)
    query = e.select(e.time_ms).where(later & e.type.in_(MOVES) & (e.interaction != place.interaction))
    found = query.order_by(e.time_ms).limit(1).scalar()
    return None if found is None else found // 1000


def of_same_calls(touched: Mapping[int, set[str]]) -> dict[int, set[str]]:
    """Return by source the calls that wait in other queues than those of the touched interactions."""
    found: dict[int, set[str]] = {}
    i = Interaction
    for source, names in touched.items():
        calls = {name.partition("/")[0] for name in names if "/" in name}
        if not calls:
            continue
        waits = i.answered_ts.is_null() & i.ended_ts.is_null() & i.queued_ts.is_null(False)
        waiting = i.select(i.external_id).where((i.source == source) & waits & (i.channel == "call"))
        for (name,) in plain(waiting):
            if name.partition("/")[0] in calls:
                found.setdefault(source, set()).add(name)
    return found


def _calls(user: int, span: Span) -> list[tuple[int, int, str]]:
    e = Event
    inside = (e.time_ms >= span.start * 1000) & (e.time_ms < (span.end + 1) * 1000)
    query = e.select(e.time_ms, e.source_id, e.interaction, e.type, e.data).where(
        (e.user_id == user) & e.type.in_(CONNECTS) & inside & e.interaction.is_null(False)
    )
    found: list[tuple[int, int, str]] = []
    dialled: set[tuple[int, str]] = set()
    for time_ms, source, interaction, type_, data in plain(query.order_by(e.time_ms)):
        said = _connected.decode(data)
        if type_ == "call.dialled":
            dialled.add((source, interaction))
        elif said.direction != "out" and (type_ == "call.connected" or said.connected is True):
            found.append((time_ms // 1000, source, interaction))
    return [call for call in found if call[1:] not in dialled]


def affected(
    users: Mapping[int, int], connecting: Mapping[int, int], restarted: Mapping[int, int]
) -> dict[int, set[str]]:
    """Return by source the interactions that the presence of `users`, the calls of those `connecting`
    (user → from which second on) and restarts of sources may bound: those with open or bounded work,
    and stopped work since."""
    found: dict[int, set[str]] = {}
    a = Activity
    columns = (a.source_id, Interaction.external_id)
    joined = a.select(*columns).join(Interaction, on=(Interaction.id == a.interaction_id))
    for user, since in users.items():
        late = a.end_bound.is_null() | (a.end_bound >= since)
        still_open = (a.user_id == user) & a.long & a.end_ts.is_null() & late
        stopped = (a.user_id == user) & (a.start_ts >= since - DAY_S) & (a.end_ts >= since)
        written = a.channel.not_in(("call", "dialled", "ticket"))
        older = (a.user_id == user) & a.long & (a.end_ts >= since) & written
        wrapup = (a.channel == "call") & ((a.closed_ts < a.end_ts) | (a.state == State.TRANSFERRED))
        for part in (still_open, stopped & (written | wrapup), older):
            _add(found, plain(joined.where(part)))
    talking, first = sorted(connecting.keys() - users.keys()), min(connecting.values(), default=0)
    for place in range(0, len(talking), 500):
        some = a.user_id.in_(talking[place : place + 500])
        late = a.end_bound.is_null() | (a.end_bound >= first)
        _add(found, plain(joined.where(some & a.long & a.end_ts.is_null() & late)))
        ended = (a.start_ts >= first - DAY_S) & (a.end_ts >= first) & (a.channel == "call")
        wrapup = ended & ((a.closed_ts < a.end_ts) | (a.state == State.TRANSFERRED))
        _add(found, plain(joined.where(some & wrapup)))
    for source, since in restarted.items():
        late = a.end_bound.is_null() | (a.end_bound >= since)
        _add(found, plain(joined.where((a.source_id == source) & a.long & a.end_ts.is_null() & late)))
        i = Interaction
        late = i.end_bound.is_null() | (i.end_bound >= since)
        begun = i.queued_ts.is_null(False) | i.answered_ts.is_null(False)
        unnamed = (i.source == source) & i.ended_ts.is_null() & late & begun
        _add(found, plain(i.select(i.source, i.external_id).where(unnamed)))
    return found


def _add(found: dict[int, set[str]], rows: Iterable[tuple[int, str]]) -> None:
    for source, name in rows:
        found.setdefault(source, set()).add(name)


def paused(restarted: Mapping[int, int]) -> dict[int, int]:
    """Return the users with a pause that a restart of its source may end, each with the restart's second."""
    found: dict[int, int] = {}
    i = Interval
    for source, since in restarted.items():
        over = i.closed_ms.is_null() | (i.closed_ms >= since * 1000)
        query = (
            i.select(i.user_id)
            .where(i.kind.in_((Kind.PAUSE, Kind.PAUSE_ORIGINAL)) & (i.source_id == source) & over)
            .distinct()
        )
        for (user,) in plain(query):
            found[user] = min(found.get(user, since), since)
    return found


def forgotten(users: Mapping[int, int]) -> dict[int, int]:
    """Return those of `users` (user → second of an own event) with a login whose end was concluded then or
    may have been, each with that second."""
    i = Interval
    found: dict[int, int] = {}
    chosen = sorted(users)
    for place in range(0, len(chosen), 500):
        query = i.select(i.user_id, i.closed_ms, i.start_ts).where(
            i.user_id.in_(chosen[place : place + 500])
            & i.kind.in_(LOGINS)
            & (i.end_reason == EndReason.NO_SIGN_OUT.value)
        )
        for user, closed_ms, start in plain(query):
            if start <= users[user] and (closed_ms is None or closed_ms >= users[user] * 1000):
                found[user] = users[user]
    return found


def something_due(now: int) -> bool:
    """Say whether a row of a live source may be due: three steps in indexes, for every tick of the worker."""
    live = Source.select(Source.id).where(~Source.is_file)
    return any(
        model.select(model.id).where((model.expires_ts <= now) & column.in_(live) & more).exists()
        for model, column, more in (
            (Activity, Activity.source_id, Activity.end_ts.is_null()),
            (Interaction, Interaction.source, Interaction.ended_ts.is_null()),
            (Interval, Interval.source_id, Interval.kind.in_(LOGINS)),
        )
    )


def due(as_of: Mapping[int, int]) -> Touched:
    """Return what time alone bounds by now: rows whose `expires_ts` the time of their source has passed."""
    found = Touched({}, {})
    now = max(as_of.values(), default=0)
    a, i, n = Activity, Interval, Interaction
    works = a.select(a.source_id, n.external_id, a.expires_ts).join(n, on=(n.id == a.interaction_id))
    waits = n.select(n.source, n.external_id, n.expires_ts).where(n.expires_ts <= now)
    for source, name, expires in (*plain(works.where(a.expires_ts <= now)), *plain(waits)):
        if expires <= as_of.get(source, 0):
            found.interactions.setdefault(source, set()).add(name)
    logins = i.select(i.user_id, i.source_id, i.expires_ts).where((i.expires_ts <= now) & i.kind.in_(LOGINS))
    for user, source, expires in plain(logins):
        if expires <= as_of.get(source, 0):
            found.users[user] = min(found.users.get(user, expires), expires)
    return found
