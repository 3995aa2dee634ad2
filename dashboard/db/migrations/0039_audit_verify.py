"""Built-in roles that verify the audit log by a new installation's presets verify it here, too."""

from __future__ import annotations

from typing import Any

from dashboard.db.granted import grant


def up(_migrator: Any, db: Any) -> None:
    grant(db, ("audit.verify",), ("Administrator", "Auditor"))
