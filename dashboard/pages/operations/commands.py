"""Stopping all rules, and letting them go on."""

from __future__ import annotations

from dashboard.audit import record as audit
from dashboard.db import database
from dashboard.rules import active_rules


def stop(stopping: bool) -> None:
    """Let no rule be asked any more, or all of them again; events are recorded meanwhile. Twice is once."""
    with database.atomic():
        if active_rules.stopped() == stopping:
            return
        active_rules.stop(stopping)
        audit.record("rules.stopped" if stopping else "rules.resumed", "u", ("rules", "", ""))
