"""Keeps the leases of claimed rows alive while their work runs, however long it takes.

One thread of the process renews all of them every RENEW_S; with the process it ends, and then the leases run
out. A renewal that fails is retried: a lease lasts longer than two intervals of renewal.
"""

from __future__ import annotations

import itertools
import logging
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from dashboard.db import connected, failure
from dashboard.jobs.work import Work

RENEW_S = 20.0  # a third of a lease

log = logging.getLogger("stopa.worker")
_held: dict[int, tuple[Work[Any], Sequence[Any]]] = {}
_numbers = itertools.count()
_starting = threading.Lock()
_thread: threading.Thread | None = None


@contextmanager
def held(work: Work[Any], rows: Sequence[Any]) -> Iterator[None]:
    """Renew the leases of rows as claim() returned them until the block ends."""
    _start()
    number = next(_numbers)
    _held[number] = (work, rows)
    try:
        yield
    finally:
        del _held[number]


def _start() -> None:
    global _thread
    with _starting:
        if _thread is None or not _thread.is_alive():
            _thread = threading.Thread(target=_renew, name="leases", daemon=True)
            _thread.start()


def _renew() -> None:
    while True:
        time.sleep(RENEW_S)
        for work, rows in list(_held.values()):
            try:
                with connected():
                    work.renew(rows)
            except Exception as error:
                log.warning("a lease was not renewed: %s", failure.explain(error))
