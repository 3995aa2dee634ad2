"""Exported files keep the scope that they were made with."""

from __future__ import annotations

from typing import Any


def up(_migrator: Any, db: Any) -> None:
    kind = "TEXT" if db.param == "?" else "JSONB"
    db.execute_sql(f"""ALTER TABLE "export_file" ADD COLUMN "scope" {kind} NOT NULL DEFAULT '{{}}'""")
