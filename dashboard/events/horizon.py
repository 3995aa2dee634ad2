"""The horizon of the event log: events before it are deleted bit by bit, and no more of them are taken.

It is a midnight of the site, and only rises. It is stored before anything is deleted; what is deleted is
GAP_MS older still, because a fold that begins at the horizon looks that far back.
"""

from __future__ import annotations

from typing import Any

from dashboard.clock import DAY_MS
from dashboard.db.prepared import Prepared
from dashboard.models import Setting

NAME = "retention.horizon"  # of the setting
GAP_MS = 2 * DAY_MS  # more than the longest shift and a local day


def stored() -> Any:
    """Return the query of the horizon as a text; no row while there is none."""
    return Setting.select(Setting.value).where(Setting.name == NAME)


_STORED = Prepared(stored)


def horizon_ms() -> int:
    """Return the horizon in ms UTC; 0 while there is none."""
    found = _STORED.rows()
    return int(found[0][0]) if found else 0


def raise_to(time_ms: int) -> None:
    """Move the horizon up to `time_ms`, in the caller's transaction."""
    if time_ms > horizon_ms():
        Setting.put(NAME, str(time_ms))
