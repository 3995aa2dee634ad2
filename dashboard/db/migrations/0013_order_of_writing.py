"""Columns for the order of events of one second: the number that a source gave, and the file of a line."""

from __future__ import annotations

from typing import Any

import peewee as pw


def up(migrator: Any, _db: Any) -> None:
    migrator.migrate(
        migrator.add_column("event", "file_ts", pw.BigIntegerField(null=True)),
        migrator.add_column("event", "uid", pw.BigIntegerField(null=True)),
    )
