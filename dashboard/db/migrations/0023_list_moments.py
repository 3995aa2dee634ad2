"""Indexes of the lists of runs and deliveries in the order of their moment instead of their ids."""

from __future__ import annotations

from typing import Any

DROPPED = {
    "run_rule_id_id": '"run" ("rule_id", "id")',
    "run_subject_id": '"run" ("subject", "id")',
    "step_state_id": '"step" ("state", "id")',
}
CREATED = {
    "run_rule_id_made_ms_id": '"run" ("rule_id", "made_ms", "id")',
    "run_subject_made_ms_id": '"run" ("subject", "made_ms", "id")',
    "step_made_ms": '"step" ("made_ms")',
    "step_state_made_ms_id": '"step" ("state", "made_ms", "id")',
}


def up(_migrator: Any, db: Any) -> None:
    _change(db, DROPPED, CREATED)


def down(_migrator: Any, db: Any) -> None:
    _change(db, CREATED, DROPPED)


def _change(db: Any, dropped: dict[str, str], created: dict[str, str]) -> None:
    for name in dropped:
        db.execute_sql(f'DROP INDEX "{name}"')
    for name, columns in created.items():
        db.execute_sql(f'CREATE INDEX "{name}" ON {columns}')
