"""Events keep the attributes of CloudEvents, and whether their time is that of their arrival."""

from __future__ import annotations

from typing import Any

import peewee as pw


def up(migrator: Any, _db: Any) -> None:
    migrator.migrate(
        migrator.add_column("event", "envelope", pw.TextField(null=True)),
        migrator.add_column("event", "time_of_arrival", pw.BooleanField(null=True)),
    )
