"""The nightly job that deletes what is kept no longer. It goes on from wherever it was interrupted."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import time as day_time

from dashboard.audit import record as audit
from dashboard.db import database
from dashboard.events import kept
from dashboard.events.kept import Kept
from dashboard.jobs import queue
from dashboard.jobs.nightly import Nightly
from dashboard.models import Job
from dashboard.retention import log, visits
from dashboard.retention.kinds import KINDS

KIND = "retention"
NIGHT = Nightly(KIND, day_time(2), "retention.due")
TARGET = ("settings", "retention", "Retention")
ACTOR = ("system", None, "nightly deletion")
AT_ONCE_S = 20


def run(_jobs: Sequence[Job], at_once_s: float = AT_ONCE_S) -> None:
    """Delete what is kept no longer and record how much it was.

    After `at_once_s` seconds the job queues itself again, so that other jobs come in between.
    """
    until = time.monotonic() + at_once_s
    deleted: Counter[str] = Counter()
    finished = True
    for kind, number in _pieces():
        deleted[kind] += number
        if time.monotonic() >= until:
            finished = False
            break
    with database.atomic():
        if deleted.total():
            audit.record("retention.run", "d", TARGET, details=dict(deleted), actor=ACTOR)
        if not finished:
            queue.enqueue(KIND, {})


def _pieces() -> Iterator[tuple[str, int]]:
    """Delete piece by piece; yield the kind and number of rows of each."""
    days = kept.periods().days
    for kind in KINDS:
        if (period := days[kind.kept]) is not None:
            for number in kind.delete(kept.first_ms(period)):
                yield kind.kept.value, number
    for number in log.delete_by_type():
        yield Kept.EVENTS.value, number
    for number in visits.delete():
        yield "visits", number
