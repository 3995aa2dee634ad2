"""Permissions that a migration adds to built-in roles, which have them by a new installation's presets."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any


def grant(db: Any, permissions: Sequence[str], roles: Sequence[str]) -> None:
    """Add `permissions` to the built-in roles of these names; those that hold them keep them."""
    mark = db.param
    names = ", ".join([mark] * len(roles))
    chosen = f'SELECT "id", "permissions" FROM "access" WHERE "is_system" AND "name" IN ({names})'  # noqa: S608
    update = f'UPDATE "access" SET "permissions" = {mark} WHERE "id" = {mark}'  # noqa: S608
    for ident, stored in db.execute_sql(chosen, tuple(roles)).fetchall():
        held = json.loads(stored) if isinstance(stored, str) else stored  # PostgreSQL gives the list
        db.execute_sql(update, (json.dumps(sorted({*held, *permissions})), ident))
