"""The right to choose how long data is kept."""

from __future__ import annotations

from typing import Any

from dashboard.db.granted import grant


def up(_migrator: Any, db: Any) -> None:
    grant(db, ("retention.edit",), ("Administrator",))
