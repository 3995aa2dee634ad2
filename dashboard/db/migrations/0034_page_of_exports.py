"""Exported files know the page from which they were requested."""

from __future__ import annotations

from typing import Any


def up(_migrator: Any, db: Any) -> None:
    db.execute_sql("""ALTER TABLE "export_file" ADD COLUMN "page" TEXT NOT NULL DEFAULT ''""")
