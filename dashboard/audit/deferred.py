"""Entries of looks that the database does not take at this moment, because it is locked or its disk is full.

A page that is only read must not fail for that, and must not go unrecorded either: its entry waits in this
process and is written as soon as the database takes it, with the time of the look. At most MOST wait; then
pages fail until some are written. What a killed process had waiting stands in its log.
"""

from __future__ import annotations

import atexit
import logging
import threading
import time
from collections.abc import Callable, Hashable

from dashboard.db import connected
from dashboard.db.failure import explain, is_away

MOST = 1000
RETRY_S = 2.0

log = logging.getLogger("stopa.audit")
_waiting: dict[Hashable, Callable[[], None]] = {}
_changing = threading.Lock()
_writing = threading.Lock()


def write(key: Hashable, entry: Callable[[], None], text: str) -> None:
    """Write an entry, or keep it until it can be written; one entry of a `key` is kept.

    `text` describes it in the log. Raises the database's error when too many wait.
    """
    if key in _waiting:
        return
    try:
        entry()
    except Exception as error:
        if not is_away(error) or len(_waiting) >= MOST:
            raise
        log.warning("audit entry waits: %s: %s", explain(error), text)
        with _changing:
            _waiting[key] = entry
            first = len(_waiting) == 1
        if first:
            threading.Thread(target=_retry, name="audit", daemon=True).start()


def flush() -> None:
    """Write what waits, in order. Raises the database's error when it does not take it yet."""
    if not _waiting:
        return
    with _writing, connected():
        for key, entry in list(_waiting.items()):
            entry()
            with _changing:
                del _waiting[key]


def _retry() -> None:
    """Try until nothing waits."""
    while _waiting:
        time.sleep(RETRY_S)
        try:
            flush()
        except Exception as error:
            if not is_away(error):
                log.exception("audit entries are not written")


@atexit.register
def _last_try() -> None:
    if _waiting:
        try:
            flush()
        except Exception:
            log.exception("%d audit entries are lost; they stand above", len(_waiting))
