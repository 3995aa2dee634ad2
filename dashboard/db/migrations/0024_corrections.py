"""Administrators correct signed-in time and pauses; corrections and what they replace are found by a user."""

from __future__ import annotations

from typing import Any

from dashboard.db.granted import grant

ADDED = "tracing.correct"


def up(_migrator: Any, db: Any) -> None:
    db.execute_sql('CREATE INDEX "interval_original" ON "interval" ("user_id") WHERE ("kind" >= 9)')
    db.execute_sql(
        """CREATE INDEX "event_corrections" ON "event" ("user_id") WHERE ("type" = 'agent.time_corrected')"""
    )
    grant(db, (ADDED,), ("Administrator",))
