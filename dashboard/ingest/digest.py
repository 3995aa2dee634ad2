"""Orders the folding of new events and asks the rules about them, one transaction at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from dashboard.db import database, dialect
from dashboard.db.locks import Lock
from dashboard.ingest import silence
from dashboard.models import Job
from dashboard.rules import engine
from dashboard.rules.engine import Ranges
from dashboard.tracing import contacts, projection
from dashboard.tracing.cobrowsing import projection as cobrowsing

EVENTS_AT_ONCE = 20_000  # bounds the memory of one digest
# PostgreSQL burns ids, and another transaction's events may lie between those of two jobs. Folding these
# as well does no harm, for folding is idempotent, and costs less than a fold for each job.
GAP = 1000


def digest(jobs: list[Job]) -> None:
    """Fold the events that these jobs' transactions stored, and ask the rules about them; one digest at
    a time, one transaction. Rules do not evaluate the events of a quiet job (`rules` false: an import)."""
    ranges = _merged(((job.args["after"], job.args["to"]) for job in jobs), GAP)
    asked, quiet = (_by_source(jobs, rules) for rules in (True, False))
    for after, to in _parts(ranges):
        with database.atomic():
            dialect.one_at_a_time(Lock.PROJECTION)
            contacts.note(after, to, lambda *event: not engine.is_within(quiet, *event))
            silence.note(after, to)
            types = projection.fold_range(after, to)
            cobrowsing.note(after, to)
            if asked:
                engine.evaluate_safely(after, to, asked, types)


def _by_source(jobs: Iterable[Job], rules: bool) -> Ranges:
    """Return the id ranges that rules evaluate, or those that they do not, by source, because on PostgreSQL
    others may lie between."""
    by_source: dict[int | None, list[tuple[int, int]]] = {}
    for job in jobs:
        if job.args.get("rules", True) == rules:
            by_source.setdefault(job.args.get("source"), []).append((job.args["after"], job.args["to"]))
    return {source: _merged(ranges) for source, ranges in by_source.items()}


def _merged(ranges: Iterable[tuple[int, int]], gap: int = 0) -> list[tuple[int, int]]:
    """Return rising ranges of ids; those with at most `gap` ids between them become one."""
    merged: list[tuple[int, int]] = []
    for after, to in sorted(ranges):
        if merged and after <= merged[-1][1] + gap:
            merged[-1] = (merged[-1][0], max(merged[-1][1], to))
        else:
            merged.append((after, to))
    return merged


def _parts(ranges: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    for after, to in ranges:
        for start in range(after, to, EVENTS_AT_ONCE):
            yield start, min(start + EVENTS_AT_ONCE, to)
