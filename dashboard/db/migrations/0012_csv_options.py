"""A source keeps the options of its last CSV import."""

from __future__ import annotations

from typing import Any

import peewee as pw


def up(migrator: Any, _db: Any) -> None:
    migrator.migrate(migrator.add_column("source", "csv_options", pw.TextField(null=True)))
