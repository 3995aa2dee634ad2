"""Built-in roles that view the audit log by a new installation's presets view it here, too."""

from __future__ import annotations

import json
from typing import Any

ADDED = ("audit.export", "audit.view")
ROLES = ("Administrator", "Auditor")


def up(_migrator: Any, db: Any) -> None:
    mark = db.param
    chosen = f'SELECT "id", "permissions" FROM "access" WHERE "is_system" AND "name" IN ({mark}, {mark})'  # noqa: S608
    update = f'UPDATE "access" SET "permissions" = {mark} WHERE "id" = {mark}'  # noqa: S608
    for ident, stored in db.execute_sql(chosen, ROLES).fetchall():
        held = json.loads(stored) if isinstance(stored, str) else stored  # PostgreSQL gives the list
        db.execute_sql(update, (json.dumps(sorted({*held, *ADDED})), ident))
