"""Whether an event was recorded at about its own time: too old to act on, or ahead of the server's clock.

Both are predicates over two stored columns, so nothing about it is stored (spec/rules.md, RD4 and RD5).
"""

from __future__ import annotations

from typing import Any

from dashboard.models import Event, Source

MAX_LATE_S = 24 * 3600  # rules do nothing about what is later than this
AHEAD_MS = 5 * 60_000


def is_clock_ahead(time_ms: int, recorded_ms: int) -> bool:
    """Say whether an event lay over 5 minutes ahead of the server's clock when it was recorded.

    It is stored, and moves no window, limit, timer, counter or subject state of rules.
    """
    return time_ms > recorded_ms + AHEAD_MS


def clock_ahead() -> Any:
    """Return `is_clock_ahead` as a condition of a query of events."""
    return Event.time_ms > Event.recorded_ms + AHEAD_MS


def late_s(source_id: int, time_ms: int, recorded_ms: int, due_ms: int) -> int:
    """Return by how many seconds an event came too late for what fell due at `due_ms`, 0 if it did not.

    An event that was recorded over 24 hours after its time is too late for all that was due by then; what
    falls due later is not. Events of files are never late: rules see them only where the import says so.
    """
    age_ms = recorded_ms - time_ms
    if age_ms <= MAX_LATE_S * 1000 or due_ms > recorded_ms or _is_file(source_id):
        return 0
    return -(-age_ms // 1000)


def _is_file(source_id: int) -> bool:
    return bool(Source.select().where((Source.id == source_id) & Source.is_file).exists())
