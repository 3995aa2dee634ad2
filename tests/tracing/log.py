"""Events to fold, written short."""

from __future__ import annotations

from typing import Any

from dashboard.tracing.types import EventRow

JANA, PETR = 1, 2


def event(at: float, kind: str, user: int | None = None, queue: int | None = None, **data: Any) -> EventRow:
    """Return an event `at` seconds after the epoch."""
    return EventRow(0, int(at * 1000), 0, kind, 1, f"{at}{kind}{user}", user, queue, None, data)
