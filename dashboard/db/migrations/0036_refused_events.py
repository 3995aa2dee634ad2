"""The table of records that sources sent and that are no events."""

from __future__ import annotations

from typing import Any

import peewee as pw


class RefusedEvent(pw.Model):
    id = pw.BigAutoField()
    source_id = pw.IntegerField()
    recorded_ms = pw.BigIntegerField()
    file = pw.CharField(200, default="")
    line = pw.IntegerField(null=True)
    errors = pw.TextField()
    text = pw.TextField(default="")

    class Meta:
        table_name = "refused_event"
        indexes = (
            (("recorded_ms",), False),
            (("source_id", "recorded_ms"), False),
        )


def up(_migrator: Any, db: Any) -> None:
    with db.bind_ctx([RefusedEvent]):
        db.create_tables([RefusedEvent])
