"""Contacts have a folded text in which they are searched, interactions the user who completed them."""

from __future__ import annotations

from typing import Any

import peewee as pw

from dashboard.db.search import of_contact

CHUNK = 1000
COMPLETED_BY = """
    UPDATE "interaction" SET "completed_by" = (
        SELECT a.user_id FROM "activity" a
        WHERE a.interaction_id = "interaction".id AND a.closed_ts IS NOT NULL
        ORDER BY a.closed_ts DESC, a.id DESC LIMIT 1
    )
    """


def up(migrator: Any, db: Any) -> None:
    db.execute_sql('ALTER TABLE "contact" ADD COLUMN "search" TEXT NOT NULL DEFAULT \'\'')
    migrator.migrate(migrator.add_column("interaction", "completed_by", pw.IntegerField(null=True)))
    db.execute_sql(COMPLETED_BY)
    mark = "?" if isinstance(db, pw.SqliteDatabase) else "%s"
    page = f'SELECT id, name, phone, email FROM "contact" WHERE id > {mark} ORDER BY id LIMIT {CHUNK}'  # noqa: S608
    update = f'UPDATE "contact" SET "search" = {mark} WHERE id = {mark}'  # noqa: S608
    after = 0
    while found := db.execute_sql(page, (after,)).fetchall():
        for ident, *details in found:
            db.execute_sql(update, (of_contact(*details), ident))
        after = found[-1][0]
