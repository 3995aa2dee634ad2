"""Stopping all rules, and letting them go on."""

from __future__ import annotations

from dashboard.audit import record as audit
from dashboard.db import database
from dashboard.rules import store


def stop(stopping: bool) -> None:
    """Let no rule be asked any more, or all of them again; events are recorded meanwhile. Twice is once."""
    with database.atomic():
        if store.stopped() == stopping:
            return
        store.stop(stopping)
        audit.record("rules.stopped" if stopping else "rules.resumed", "u", ("rules", "", ""))
