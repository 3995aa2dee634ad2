"""Stretches of time in which a user was in one state, as rows of the data source `time_in_state`.

They are made of the sets that the statistics of a day are made of, so they add up to them: signed_in is
`login`, the work layer divides `ready` into ringing, busy and free.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date
from itertools import combinations, pairwise
from typing import NamedTuple

from dashboard import clock
from dashboard.access.scope import Scope
from dashboard.clock import DAY_S, Span
from dashboard.intervals import Pair, clip, intersect, subtract, union
from dashboard.models import Interval, User
from dashboard.sources.declared.time_in_state import LAYERS, SEVERAL
from dashboard.sources.period import Bucket
from dashboard.sources.query import Op, Query, Sum, base
from dashboard.sources.run import TooLong
from dashboard.tracing import people, team
from dashboard.tracing.statistics import Base, Cut, base_sets, cut_rows, winning_pauses
from dashboard.tracing.types import PRESENCE, IntervalRow, Kind

MAX_DAYS = 92
MAX_INTERVALS = 100_000  # of all users; making stretches of so many takes two or three seconds
KINDS = (*PRESENCE, Kind.RINGING, Kind.HANDLING)
# What the stretches of a group have in common when they are added up before the database gets them.
OF_CELLS = frozenset(("user", "layer", "state", "pause", "paid", "channel"))
HOURLY = (Bucket.HOUR, Bucket.HOUR_OF_DAY, Bucket.HOUR_OF_WEEK)


class Stretch(NamedTuple):
    """One user in one state without a break; `paid` is None but for pauses.

    `begun` is 0 for the part of a stretch that goes on from before, and how many begin in an added-up one.
    """

    layer: str
    state: str
    start: int
    end: int
    seconds: int
    begun: int = 1
    pause: str = ""
    paid: int | None = None
    channel: str = ""


def rows(scope: Scope, query: Query) -> Iterator[tuple[int | str | None, ...]]:
    """Yield the stretches of a query's period, cut at its buckets of time, with the columns of the source.

    Raises TooLong for more than MAX_DAYS or MAX_INTERVALS.
    """
    now = clock.now_s()
    span = Span(query.span.start, min(query.span.end, now))
    if span.seconds > (MAX_DAYS + 1) * DAY_S:
        raise TooLong
    edges, adds_up = _edges(query, span), _adds_up(query)
    for user, found in _of_users(scope, query, span, now):
        parts = _cut_at(edges, found)
        for each in _cells(edges, parts) if adds_up else parts:
            key = each.start << 21 | user << 2 | list(LAYERS).index(each.layer)
            yield (
                key,
                user,
                each.layer,
                each.state,
                each.pause,
                each.paid,
                each.channel,
                each.start,
                each.end,
                each.seconds,
                each.begun,
            )


def _chosen(query: Query, name: str) -> set[str | int]:
    """Return the values by which a filter narrows a field; none without one."""
    field = query.source.fields[name][1]
    chosen = [set(each.values) for each in query.filters if each.field is field and each.op is Op.ANY_OF]
    return set.intersection(*chosen) if chosen else set()


def _of_users(scope: Scope, query: Query, span: Span, now: int) -> Iterator[tuple[int, list[Stretch]]]:
    if span.end <= span.start:
        return
    layers, users = _chosen(query, "layer") or set(LAYERS), _chosen(query, "user")
    ids = [each.id for each in team.worked(scope, span) if not users or each.id in users]
    kinds = KINDS if "work" in layers else PRESENCE
    if _is_too_much(ids, span, kinds):
        raise TooLong
    stretches = team.day(scope, ids, span, kinds, now)
    never, labels = team.without_sign_in(ids), {name: each.label for name, each in team.limits().items()}
    employed, channels = _employed(ids, layers, query.zone, now), _tells_channels(query)
    for ident, found in stretches.items():
        named = [row._replace(label=labels[row.label]) if row.label in labels else row for row in found]
        yield ident, of_user(named, span, now, ident in never, employed.get(ident), layers, channels)


def _is_too_much(ids: Sequence[int], span: Span, kinds: Sequence[Kind]) -> bool:
    i = Interval
    chosen = i.user_id.in_(ids) & (i.start_ts >= span.start) & (i.start_ts < span.end) & i.kind.in_(kinds)
    return len(i.select(i.user_id).where(chosen).limit(MAX_INTERVALS + 1).tuples()) > MAX_INTERVALS


def _employed(ids: Sequence[int], layers: set[str | int], zone: str, now: int) -> Mapping[int, Span]:
    """Return from when and until when users were there to be signed out, as their days tell it."""
    if "attendance" not in layers:
        return {}
    query = User.select(User.id, User.deactivated_ts).where(User.id.in_(ids))
    return {
        ident: Span(people.employed_since(ident, zone), now if left is None else left)
        for ident, left in query.tuples()
    }


def of_user(
    found: Sequence[IntervalRow],
    span: Span,
    as_of: int,
    never_signed_in: bool,
    employed: Span | None = None,
    layers: Collection[str | int] = tuple(LAYERS),
    channels: bool = True,
) -> list[Stretch]:
    """Return the stretches of one user in `span`, by `layers`; those of a layer do not overlap.

    Without `channels` all work is on one channel "", which is less to find out.
    `found` are the user's intervals that overlap the span, as `statistics.figures` takes them; without those
    of work, that layer is missing. `employed` is when the user can be signed out.
    """
    limit = min(span.end, as_of)
    cuts = cut_rows(found, span.start, limit, {})
    sets = base_sets(cuts, never_signed_in)
    begun = {row.start for row in found}

    def of(layer: str, state: str, pairs: Iterable[Pair], channel: str = "") -> list[Stretch]:
        return [
            Stretch(layer, state, a, b, b - a, int(a > span.start or a in begun), channel=channel)
            for a, b in pairs
        ]

    not_ready = subtract(subtract(sets.login, sets.ready), sets.pause)
    made: list[Stretch] = []
    if "attendance" in layers:
        there = clip([employed], span.start, limit) if employed else []
        made += of("attendance", "signed_in", sets.login)
        made += of("attendance", "signed_out", subtract(there, sets.login))
    if "state" in layers:
        made += of("state", "ready", sets.ready)
        made += of("state", "not_ready", not_ready)
        made += [
            each._replace(pause=row.label, paid=int(row.paid), begun=int(each.start == row.start))
            for row, start, end in winning_pauses(cuts[Kind.PAUSE])
            for each in of("state", "pause", intersect([(start, end)], sets.login))
        ]
    if "work" in layers:
        busy = _by_channel(cuts[Kind.HANDLING]) if channels else {"": sets.busy}
        worked = _worked(sets, not_ready, busy)
        made += [each for state, channel, pairs in worked for each in of("work", state, pairs, channel)]
    return made


def _worked(
    sets: Base, not_ready: Sequence[Pair], busy: Mapping[str, list[Pair]]
) -> Iterator[tuple[str, str, list[Pair]]]:
    """Yield state, channel and times: ringing, free, and what was worked on, ready or not."""
    yield "ringing", "", subtract(intersect(sets.ready, sets.ring), sets.busy)
    yield "free", "", subtract(subtract(sets.ready, sets.busy), sets.ring)
    for channel, pairs in busy.items():
        yield "busy", channel, intersect(pairs, sets.ready)
        yield "busy_not_ready", channel, intersect(pairs, not_ready)
        yield "busy_in_pause", channel, intersect(pairs, sets.pause)
        yield "busy_signed_out", channel, subtract(pairs, sets.login)


def _by_channel(handled: Iterable[Cut]) -> dict[str, list[Pair]]:
    """Return disjoint times by channel; those of more than one channel at once are SEVERAL."""
    times: dict[str, list[Pair]] = {}
    for row, start, end in handled:
        times.setdefault(row.channel, []).append((start, end))
    both = union(pair for one, other in combinations(times.values(), 2) for pair in intersect(one, other))
    return {channel: subtract(pairs, both) for channel, pairs in times.items()} | {SEVERAL: both}


def _tells_channels(query: Query) -> bool:
    """Return whether the answer to a query may differ by channels, at which stretches of work end."""
    used = [each.field for each in query.filters] + [each.field for each in query.groups]
    used += [each.field for each in base(query.measures) if each.field]
    return not _adds_up(query) or any(each.name in ("channel", "begun") for each in used)


def _edges(query: Query, span: Span) -> list[int]:
    """Return the beginnings of the buckets of time by which a query groups."""
    buckets = [each.bucket for each in query.groups if each.bucket]
    if any(each in HOURLY for each in buckets):
        return [slot.start for slot in clock.hours(span, query.zone)]
    days = clock.local_dates(span, query.zone) if buckets and span.seconds > 0 else []
    return [clock.day(on, query.zone).start for on in days if any(_begins(each, on) for each in buckets)]


def _begins(bucket: Bucket, on: date) -> bool:
    match bucket:
        case Bucket.WEEK:
            return on.weekday() == 0
        case Bucket.MONTH:
            return on.day == 1
        case _:
            return True


def _cut_at(edges: Sequence[int], found: Iterable[Stretch]) -> Iterator[Stretch]:
    """Yield the stretches cut at the edges; the parts after the first have not begun."""
    for each in found:
        at = bisect_right(edges, each.start)
        if at == len(edges) or edges[at] >= each.end:
            yield each
            continue
        bounds = [each.start, *edges[at : bisect_left(edges, each.end)], each.end]
        for n, (start, end) in enumerate(pairwise(bounds)):
            begun = each.begun if n == 0 else 0
            yield each._replace(start=start, end=end, seconds=end - start, begun=begun)


def _adds_up(query: Query) -> bool:
    """Return whether a query needs no single stretch, so that those of a bucket can be added up before."""
    grain = query.source.entities[0]
    of_grain = [each for each in base(query.measures) if each.entity is grain]
    used = [(each.entity, each.field) for each in query.filters]
    used += [(each.entity, each.field) for each in query.groups if each.bucket is None]
    used += [(each.entity, each.field) for each in of_grain if each.field and each.sum is Sum.COUNT_DISTINCT]
    return (
        bool(query.measures)
        and query.tree is None
        and all(entity is not grain or field.name in OF_CELLS for entity, field in used)
        and all(each.sum in (Sum.SUM, Sum.COUNT_DISTINCT) for each in of_grain)
    )


def _cells(edges: Sequence[int], parts: Iterable[Stretch]) -> Iterator[Stretch]:
    """Yield the stretches of each bucket and state added up, at the beginning of the first one."""
    cells: dict[tuple[object, ...], tuple[Stretch, list[int]]] = {}
    for each in parts:
        key = (bisect_right(edges, each.start), each.state, each.pause, each.paid, each.channel)
        _, sums = cells.setdefault(key, (each, [0, 0]))
        sums[0] += each.seconds
        sums[1] += each.begun
    for each, (seconds, begun) in cells.values():
        yield each._replace(seconds=seconds, begun=begun)
