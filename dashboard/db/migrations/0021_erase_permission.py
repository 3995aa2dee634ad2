"""Administrators, who may erase contacts by a new installation's presets, may do so here, too."""

from __future__ import annotations

from typing import Any

from dashboard.db.granted import grant

ADDED = "contacts.erase"
ROLE = "Administrator"


def up(_migrator: Any, db: Any) -> None:
    grant(db, (ADDED,), (ROLE,))
