"""Event types may be kept for a number of days of their own."""

from __future__ import annotations

from typing import Any


def up(_migrator: Any, db: Any) -> None:
    db.execute_sql('ALTER TABLE "type_switch" ADD COLUMN "days" INTEGER')
