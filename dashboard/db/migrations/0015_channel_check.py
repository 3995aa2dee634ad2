"""The table of the latest check of each channel, which the worker makes."""

from __future__ import annotations

from typing import Any

import peewee as pw


class Channel(pw.Model):
    id = pw.AutoField()

    class Meta:
        table_name = "channel"


class ChannelCheck(pw.Model):
    channel = pw.ForeignKeyField(Channel, primary_key=True, on_delete="CASCADE")
    key = pw.CharField(40, unique=True)
    sends = pw.BooleanField()
    made_ms = pw.BigIntegerField()
    done_ms = pw.BigIntegerField(null=True)
    ok = pw.BooleanField(default=False)
    status = pw.IntegerField(default=0)
    why = pw.CharField(500, default="")
    note = pw.CharField(500, default="")

    class Meta:
        table_name = "channel_check"


def up(migrator: Any, db: Any) -> None:
    with db.bind_ctx([Channel, ChannelCheck]):
        db.create_tables([ChannelCheck])
