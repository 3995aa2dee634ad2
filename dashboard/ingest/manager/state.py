"""The state of the connection to a manager in words, for the pages of managers and sources."""

from __future__ import annotations

from typing import Any

from dashboard import clock
from dashboard.i18n.message import N_
from dashboard.tracing.ongoing import DEAD_MS

STATES = {
    "new": (N_("Not connected"), ""),
    "live": (N_("Connected to Asterisk"), "ok"),
    "lost": (N_("Connection lost"), "bad"),
    "denied": (N_("Login rejected"), "bad"),
    "gone": (N_("No worker keeps the connection"), "bad"),
}  # words, and the kind of their badge


def shown(row: Any) -> str:
    """Return the state of a connection, a key of STATES; one without a living process is gone."""
    is_dead = row.state != "new" and row.seen_ms < clock.now_ms() - DEAD_MS
    return "gone" if is_dead else str(row.state)


def since(row: Any) -> int | None:
    """Return the second since when the state is as it is shown."""
    at = row.seen_ms if shown(row) == "gone" else row.since_ms
    return at // 1000 if at else None
