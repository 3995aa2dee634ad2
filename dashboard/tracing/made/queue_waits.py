"""Stays of contacts in queues, as rows of the data source `queue_waits`.

An interaction that entered a queue once is told by its own columns; the stays of all others are folded from
their events.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import peewee

from dashboard import catalog
from dashboard.access.scope import Scope
from dashboard.clock import Span
from dashboard.db.prepared import plain
from dashboard.models import Event, Interaction
from dashboard.sources.query import Query
from dashboard.sources.run import TooLong
from dashboard.tracing import projection
from dashboard.tracing.fold import fold_whole
from dashboard.tracing.interaction import Stay

QUEUED = [name for name in catalog.CATALOG if name.endswith(".queued")]
UNTAKEN = [name for name in catalog.CATALOG if name.endswith((".missed", ".abandoned"))]
MAX_INTERACTIONS = 20_000
MAX_FOLDED = 2_000  # those whose stays their own columns do not tell; folding so many takes over a second
STAYS = 1 << 10  # ids of an interaction's stays are apart by so many


class Entered(NamedTuple):
    """An interaction that entered the queue `entered_id`, and what its columns hold.

    `marks` counts its events of entering, missing and giving up.
    """

    id: int
    source_id: int
    external_id: str
    entered_id: int | None
    queue_id: int | None
    queued_ts: int | None
    wait_s: int | None
    outcome: str
    reason: str
    marks: int


def rows(_scope: Scope, query: Query) -> Iterator[tuple[int | str | None, ...]]:
    """Yield the stays that begin in a query's period, with the columns of the source; what the viewer may see
    is chosen in SQL. Raises TooLong for more than MAX_INTERACTIONS, or MAX_FOLDED to fold."""
    entered = _entered(query.span)
    found = {each.id: [stay] for each in entered if (stay := only_stay(each)) is not None}
    folded = [each for each in entered if each.id not in found]
    if len(entered) > MAX_INTERACTIONS or len(folded) > MAX_FOLDED:
        raise TooLong
    for ident, stays in (*found.items(), *_folded(folded)):
        for n, stay in enumerate(stays[:STAYS]):
            if query.span.start <= stay.start < query.span.end:
                left = None if stay.wait_s is None else stay.start + stay.wait_s
                key = ident * STAYS + n
                yield (key, ident, stay.queue_id, stay.start, left, stay.wait_s, _result(stay), stay.reason)


def _folded(entered: Sequence[Entered]) -> Iterator[tuple[int, Sequence[Stay]]]:
    """Yield interactions with their stays, folded from their events."""
    by_source: dict[int, dict[str, int]] = {}
    for each in entered:
        by_source.setdefault(each.source_id, {})[each.external_id] = each.id
    for source, idents in by_source.items():
        for name, events in projection.events_of(source, list(idents)):
            yield idents[name], fold_whole(events).stays


def only_stay(one: Entered) -> Stay | None:
    """Return the stay of an interaction that entered a queue once and was taken there, or left it untaken;
    None where only its events tell."""
    known = one.queued_ts is not None and one.wait_s is not None and one.entered_id == one.queue_id
    if not known or one.marks != (1 if one.outcome == "answered" else 2) or not one.outcome:
        return None
    reason = "" if one.outcome == "answered" else one.reason
    start = one.queued_ts or 0
    return Stay(one.queue_id, start, start + (one.wait_s or 0), one.wait_s, one.outcome, reason)


def _entered(span: Span) -> list[Entered]:
    """Return the interactions that entered a queue in the period."""
    e, i, x = Event, Interaction, Event.alias()
    begun = e.type.in_(QUEUED) & (e.time_ms >= span.start * 1000) & (e.time_ms < span.end * 1000)
    same = (x.source_id == i.source) & (x.interaction == i.external_id) & x.type.in_([*QUEUED, *UNTAKEN])
    columns = (
        i.id,
        i.source,
        i.external_id,
        e.queue_id,
        i.queue_id,
        i.queued_ts,
        i.wait_s,
        i.outcome,
        i.reason,
    )
    query = (
        e.select(*columns, x.select(peewee.fn.COUNT(x.id)).where(same))
        .join(i, on=(i.source == e.source_id) & (i.external_id == e.interaction))
        .where(begun)
        .distinct()
        .limit(MAX_INTERACTIONS + 1)
    )
    return [Entered(*row) for row in plain(query)]


def _result(stay: Stay) -> str:
    if stay.end is None:
        return "waiting"
    return stay.result or "moved_on"
