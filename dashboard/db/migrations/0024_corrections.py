"""Administrators correct signed-in time and pauses; corrections and what they replace are found by a user."""

from __future__ import annotations

import json
from typing import Any

ADDED = "tracing.correct"


def up(_migrator: Any, db: Any) -> None:
    db.execute_sql('CREATE INDEX "interval_original" ON "interval" ("user_id") WHERE ("kind" >= 9)')
    db.execute_sql(
        """CREATE INDEX "event_corrections" ON "event" ("user_id") WHERE ("type" = 'agent.time_corrected')"""
    )
    mark = db.param
    chosen = f'SELECT "id", "permissions" FROM "access" WHERE "is_system" AND "name" = {mark}'  # noqa: S608
    update = f'UPDATE "access" SET "permissions" = {mark} WHERE "id" = {mark}'  # noqa: S608
    for ident, stored in db.execute_sql(chosen, ("Administrator",)).fetchall():
        held = json.loads(stored) if isinstance(stored, str) else stored  # PostgreSQL gives the list
        db.execute_sql(update, (json.dumps(sorted({*held, ADDED})), ident))
