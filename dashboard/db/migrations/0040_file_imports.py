"""Imports of files in the browser, and the right to them."""

from __future__ import annotations

from typing import Any

import peewee as pw

from dashboard.db.granted import grant


class Table(pw.Model):
    class Meta:
        legacy_table_names = False


class FileImport(Table):
    id = pw.CharField(40, primary_key=True)
    user_id = pw.IntegerField()
    name = pw.CharField(200)
    size = pw.BigIntegerField(default=0)
    packed = pw.BigIntegerField(default=0)
    format = pw.CharField(10, default="")
    source = pw.CharField(120)
    zone = pw.CharField(64)
    encoding = pw.CharField(20, default="")
    columns = pw.JSONField(default=dict)
    state = pw.CharField(10)
    stopping = pw.BooleanField(default=False)
    job_id = pw.BigIntegerField(null=True)
    checked = pw.JSONField(default=dict)
    counts = pw.JSONField(default=dict)
    source_id = pw.IntegerField(null=True)
    created_ts = pw.BigIntegerField()
    finished_ts = pw.BigIntegerField(null=True)
    expires_ts = pw.BigIntegerField()

    class Meta:
        indexes = ((("created_ts",), False), (("expires_ts",), False))


class ImportPart(Table):
    file = pw.ForeignKeyField(FileImport, on_delete="CASCADE")
    n = pw.IntegerField()
    data = pw.BlobField()

    class Meta:
        primary_key = pw.CompositeKey("file", "n")


class ImportRange(Table):
    file = pw.ForeignKeyField(FileImport, on_delete="CASCADE")
    after = pw.BigIntegerField()
    to = pw.BigIntegerField()


class ImportRefused(Table):
    file = pw.ForeignKeyField(FileImport, on_delete="CASCADE")
    line = pw.IntegerField()
    errors = pw.TextField()


TABLES = [FileImport, ImportPart, ImportRange, ImportRefused]


def up(_migrator: Any, db: Any) -> None:
    with db.bind_ctx(TABLES):
        db.create_tables(TABLES)
    grant(db, ("events.import",), ("Administrator",))
