"""Stays of contacts in queues, as rows of the data source `queue_waits`: folded from the events."""

from __future__ import annotations

from collections.abc import Iterator

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
MAX_INTERACTIONS = 10_000  # folding so many takes about two seconds
STAYS = 1 << 10  # ids of an interaction's stays are apart by so many


def rows(_scope: Scope, query: Query) -> Iterator[tuple[int | str | None, ...]]:
    """Yield the stays that begin in a query's period, with the columns of the source; what the viewer may see
    is chosen in SQL. Raises TooLong for more than MAX_INTERACTIONS."""
    for source, idents in _interactions(query.span).items():
        for name, events in projection.events_of(source, list(idents)):
            for n, stay in enumerate(fold_whole(events).stays[:STAYS]):
                if query.span.start <= stay.start < query.span.end:
                    left = None if stay.wait_s is None else stay.start + stay.wait_s
                    yield (
                        idents[name] * STAYS + n, idents[name], stay.queue_id, stay.start, left, stay.wait_s,
                        _result(stay), stay.reason,
                    )  # fmt: skip


def _interactions(span: Span) -> dict[int, dict[str, int]]:
    """Return source → external id → id of the interactions that entered a queue in the period."""
    e, i = Event, Interaction
    begun = e.type.in_(QUEUED) & (e.time_ms >= span.start * 1000) & (e.time_ms < span.end * 1000)
    query = (
        e.select(e.source_id, e.interaction, i.id)
        .join(i, on=(i.source == e.source_id) & (i.external_id == e.interaction))
        .where(begun)
        .distinct()
        .limit(MAX_INTERACTIONS + 1)
    )
    found: dict[int, dict[str, int]] = {}
    entered = plain(query)
    if len(entered) > MAX_INTERACTIONS:
        raise TooLong
    for source, name, ident in entered:
        found.setdefault(source, {})[name] = ident
    return found


def _result(stay: Stay) -> str:
    if stay.end is None:
        return "waiting"
    return stay.result or "moved_on"
