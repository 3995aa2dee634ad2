"""Addresses, secrets and headers of channels are sealed with the secret key."""

from __future__ import annotations

import json
from typing import Any

from dashboard.db.sealed import seal


def up(_migrator: Any, db: Any) -> None:
    if db.param == "?":
        db.execute_sql("PRAGMA secure_delete = ON")  # overwrites what the old columns held
    for column in ("address", "secret", "headers"):
        db.execute_sql('ALTER TABLE "channel" ADD COLUMN "sealed" TEXT NOT NULL DEFAULT \'\'')
        for ident, value in db.execute_sql(f'SELECT "id", "{column}" FROM "channel"').fetchall():  # noqa: S608
            text = value if isinstance(value, str) else json.dumps(value)
            mark = db.param
            db.execute_sql(
                f'UPDATE "channel" SET "sealed" = {mark} WHERE "id" = {mark}',  # noqa: S608
                (seal(text), ident),
            )
        db.execute_sql(f'ALTER TABLE "channel" DROP COLUMN "{column}"')
        db.execute_sql(f'ALTER TABLE "channel" RENAME COLUMN "sealed" TO "{column}"')
