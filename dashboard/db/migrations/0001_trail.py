"""The first tables: people, accesses, events, tracing, work, audit."""

from typing import Any

from dashboard import models


def up(_migrator: Any, db: Any) -> None:
    db.create_tables(models.ALL)
