"""The first tables: people, accesses, events, tracing, work, audit."""

from dashboard import models


def up(migrator, db):
    db.create_tables(models.ALL)
