"""No time zone names the machine's own: users get the default instead, calendars UTC."""

from __future__ import annotations

from typing import Any

USERS = """
    UPDATE "user" SET "timezone" = '' WHERE "timezone" IN ('localtime', 'posixrules', 'Factory')
    """
CALENDARS = """
    UPDATE "calendar" SET "zone" = 'UTC' WHERE "zone" IN ('localtime', 'posixrules', 'Factory')
    """


def up(_migrator: Any, db: Any) -> None:
    db.execute_sql(USERS)
    db.execute_sql(CALENDARS)
