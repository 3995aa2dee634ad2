"""Stops and resumes all rules."""

from __future__ import annotations

from dashboard.audit import record as audit
from dashboard.db import database
from dashboard.rules import active_rules


def stop(stopping: bool) -> None:
    """Stop or resume the evaluation of all rules. Events are still recorded. Idempotent."""
    with database.atomic():
        if active_rules.stopped() == stopping:
            return
        active_rules.stop(stopping)
        audit.record("rules.stopped" if stopping else "rules.resumed", "u", ("rules", "", ""))
