"""Built-in roles that view events by a new installation's presets view them here, too."""

from __future__ import annotations

from typing import Any

from dashboard.db.granted import grant

ADDED = "events.view"
ROLES = ("Administrator", "Agent", "Quality", "Team lead")


def up(_migrator: Any, db: Any) -> None:
    grant(db, (ADDED,), ROLES)
