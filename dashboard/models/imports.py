"""Files that are imported in the browser, what became of each, and the events that it stored."""

from __future__ import annotations

import peewee as pw
from peewee import JSONField

from dashboard.db import Model


class FileImport(Model):
    """One import of a file. Its content, and which records were refused, go after `expires_ts`."""

    id = pw.CharField(40, primary_key=True)
    user_id = pw.IntegerField()
    name = pw.CharField(200)
    size = pw.BigIntegerField(default=0)  # bytes as sent
    packed = pw.BigIntegerField(default=0)  # bytes as kept
    format = pw.CharField(10, default="")  # queue_log, jsonl, csv, or "" while unknown
    source = pw.CharField(120)
    zone = pw.CharField(64)  # of times without an offset
    encoding = pw.CharField(20, default="")  # "" to detect it
    columns = JSONField(default=dict)  # an ingest.imports.columns.ColumnMap
    state = pw.CharField(10)  # an ingest.imports.upload.State
    stopping = pw.BooleanField(default=False)  # its job ends at the next batch
    job_id = pw.BigIntegerField(null=True)
    checked = JSONField(default=dict)  # Counts of the last dry run, {} without one
    counts = JSONField(default=dict)  # Counts of what is stored
    source_id = pw.IntegerField(null=True)
    created_ts = pw.BigIntegerField()
    finished_ts = pw.BigIntegerField(null=True)
    expires_ts = pw.BigIntegerField()

    class Meta:
        indexes = ((("created_ts",), False), (("expires_ts",), False))


class ImportPart(Model):
    """A piece of a file, gzipped, in the database so that the worker of any machine can read it."""

    file = pw.ForeignKeyField(FileImport, on_delete="CASCADE")
    n = pw.IntegerField()
    data = pw.BlobField()

    class Meta:
        primary_key = pw.CompositeKey("file", "n")


class ImportRange(Model):
    """Events of the import's source with `after` < id <= `to` that it stored."""

    file = pw.ForeignKeyField(FileImport, on_delete="CASCADE")
    after = pw.BigIntegerField()
    to = pw.BigIntegerField()


class ImportRefused(Model):
    """A record that was refused: its first line and, as JSON by field, the messages why."""

    file = pw.ForeignKeyField(FileImport, on_delete="CASCADE")
    line = pw.IntegerField()
    errors = pw.TextField()
