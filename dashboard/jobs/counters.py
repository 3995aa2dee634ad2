"""Counts what the processes of this installation do, for the page of metrics.

A process counts in memory and adds its numbers to the table every FLUSH_S seconds and when it ends, so a
process that is killed loses at most those. Nothing is counted while the page is off.
"""

from __future__ import annotations

import atexit
import json
import logging
import os
import threading
from collections import Counter as Tally
from typing import NamedTuple

import peewee

from dashboard.db import connected, database
from dashboard.models import Counter

FLUSH_S = 10
log = logging.getLogger("stopa.counters")


class Key(NamedTuple):
    """A counter's name, and its labels as sorted pairs."""

    name: str
    labels: tuple[tuple[str, str], ...]


_on = False
_lock = threading.Lock()
_tally: Tally[Key] = Tally()
_flusher: int | None = None  # process whose thread flushes: a forked one needs a thread of its own


def use(on: bool) -> None:
    """Count from now on, or no more."""
    global _on
    _on = on


def add(name: str, number: int = 1, **labels: object) -> None:
    """Add `number` to the counter `name` of these labels."""
    if not _on or not number:
        return
    key = Key(name, tuple(sorted((label, str(value)) for label, value in labels.items())))
    with _lock:
        _tally[key] += number
    if _flusher != os.getpid():
        _start()


def flush() -> None:
    """Add to the table what this process has counted since the last time."""
    with _lock:
        counted = dict(_tally)
        _tally.clear()
    if not counted:
        return
    rows = [
        {"name": key.name, "labels": json.dumps(dict(key.labels)), "number": number}
        for key, number in sorted(counted.items())  # in one order, or two processes lock each other up
    ]
    try:
        with connected(), database.atomic():
            Counter.insert_many(rows).on_conflict(
                conflict_target=[Counter.name, Counter.labels],
                update={Counter.number: Counter.number + peewee.EXCLUDED.number},
            ).execute()
    except peewee.PeeweeException as error:
        with _lock:
            _tally.update(counted)
        log.warning("counts are kept for the next time: %s", error)


def totals() -> list[tuple[Key, int]]:
    """Return every counter with its number over all processes."""
    query = Counter.select(Counter.name, Counter.labels, Counter.number).order_by(
        Counter.name, Counter.labels
    )
    return [(Key(row.name, tuple(sorted(json.loads(row.labels).items()))), row.number) for row in query]


def _start() -> None:
    global _flusher
    with _lock:
        if _flusher == os.getpid():
            return
        _flusher = os.getpid()
    threading.Thread(target=_keep, name="counters", daemon=True).start()
    atexit.register(flush)


def _keep() -> None:
    pause = threading.Event()
    while not pause.wait(FLUSH_S):
        flush()
