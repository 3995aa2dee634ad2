"""Indexes of the long lists: a filter of one value in the order of ids."""

from __future__ import annotations

from typing import Any

CREATED = (
    'CREATE INDEX "event_type_id" ON "event" ("type", "id")',
    'CREATE INDEX "event_user_id" ON "event" ("user_id", "id") WHERE "user_id" IS NOT NULL',
    'CREATE INDEX "event_queue_id" ON "event" ("queue_id", "id") WHERE "queue_id" IS NOT NULL',
    'CREATE INDEX "event_interaction_id" ON "event" ("interaction", "id") WHERE "interaction" IS NOT NULL',
    'CREATE INDEX "event_session_id" ON "event" ("session", "id") WHERE "session" IS NOT NULL',
    'CREATE INDEX "step_state_id" ON "step" ("state", "id")',
    'CREATE INDEX "step_channel_id_state_id" ON "step" ("channel_id", "state", "id")',
)


def up(_migrator: Any, db: Any) -> None:
    for statement in CREATED:
        db.execute_sql(statement)
    db.execute_sql('DROP INDEX "step_channel_id_state"')


def down(_migrator: Any, db: Any) -> None:
    db.execute_sql('CREATE INDEX "step_channel_id_state" ON "step" ("channel_id", "state")')
    for statement in CREATED:
        name = statement.split('"')[1]
        db.execute_sql(f'DROP INDEX "{name}"')
