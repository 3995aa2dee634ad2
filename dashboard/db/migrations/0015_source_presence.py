"""A setting of a source: where the presence of members comes from who never join a queue."""

from __future__ import annotations

from typing import Any

import peewee as pw


def up(migrator: Any, _db: Any) -> None:
    migrator.migrate(migrator.add_column("source", "presence", pw.CharField(20, default="recorded")))
