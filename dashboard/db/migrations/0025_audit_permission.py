"""Built-in roles that view the audit log by a new installation's presets view it here, too."""

from __future__ import annotations

from typing import Any

from dashboard.db.granted import grant

ADDED = ("audit.export", "audit.view")
ROLES = ("Administrator", "Auditor")


def up(_migrator: Any, db: Any) -> None:
    grant(db, ADDED, ROLES)
