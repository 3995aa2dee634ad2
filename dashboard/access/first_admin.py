"""Creates the first administrator with a one-time code, which a new installation prints at start."""

from __future__ import annotations

import hmac
import secrets

from dashboard import clock
from dashboard.access import passwords, presets
from dashboard.access.keys import digest
from dashboard.audit import record as audit
from dashboard.db import database
from dashboard.models import Access, Setting, User

CODE_NAME = "setup_code"


def needs_setup() -> bool:
    """Return whether no user can sign in yet."""
    return not User.select().where(User.password_hash.is_null(False)).exists()


def setup_code() -> str | None:
    """Create and return a new one-time code for the first administrator; None if not needed.

    Only its hash is stored, and a new code replaces the previous one.
    """
    if not needs_setup():
        return None
    code = secrets.token_hex(4)
    Setting.insert(name=CODE_NAME, value=digest(code)).on_conflict(
        conflict_target=[Setting.name], update={Setting.value: digest(code)}
    ).execute()
    return code


def code_is_right(code: str) -> bool:
    stored = Setting.get_or_none(Setting.name == CODE_NAME)
    return stored is not None and hmac.compare_digest(stored.value, digest(code.strip()))


def make_administrator(login: str, name: str, password: str) -> None:
    """Create the first administrator and invalidate the code. Does nothing if a user can already sign in."""
    with database.atomic():
        if not needs_setup():
            return
        presets.make()
        access = Access.get(Access.name == "Administrator")
        user = User.create(
            login=login,
            name=name,
            access=access,
            created_ts=clock.now_s(),
            password_hash=passwords.make(password),
        )
        Setting.delete().where(Setting.name == CODE_NAME).execute()
        audit.record("user.created", "c", audit.user_target(user), actor=("system", None, "setup"))
