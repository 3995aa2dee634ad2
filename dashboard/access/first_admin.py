"""The first administrator, added with a one-time code that a new installation prints at start."""

from __future__ import annotations

import secrets

from dashboard.access import accounts, passwords, presets
from dashboard.access.keys import digest
from dashboard.audit import record as audit
from dashboard.db import database, dialect
from dashboard.db.locks import Lock
from dashboard.models import Access, Setting, User

CODE_NAME = "setup_code"
CODES_KEPT = 5


def needs_setup() -> bool:
    """Return whether no user can sign in yet."""
    return not User.select().where(User.password_hash.is_null(False)).exists()


def setup_code() -> str | None:
    """Create and return a new one-time code for the first administrator; None if not needed.

    Only its hash is stored. The latest CODES_KEPT codes are valid until an administrator has been added, so
    that a start that fails, or a second server, does not invalidate a code that has been printed.
    """
    if not needs_setup():
        return None
    code = secrets.token_hex(4)
    with database.atomic():
        dialect.one_at_a_time(Lock.GRANT)
        value = " ".join([*_hashes(), digest(code)][-CODES_KEPT:])
        Setting.put(CODE_NAME, value)
    return code


def code_is_right(code: str) -> bool:
    return digest(code.strip()) in _hashes()


def make_administrator(login: str, name: str, password: str) -> User | None:
    """Add the first administrator, invalidate the codes and return the user; None if one can already sign in.

    Of parallel calls exactly one adds one. A user known from events gets the password and the role.
    """
    hashed = passwords.make(password)
    with database.atomic():
        dialect.one_at_a_time(Lock.GRANT)
        if not needs_setup():
            return None
        presets.make()
        access = Access.get(Access.name == "Administrator")
        user, created = accounts.give(login, name, access, hashed)
        Setting.delete().where(Setting.name == CODE_NAME).execute()
        action = ("user.created", "c") if created else ("user.updated", "u")
        audit.record(*action, audit.user_target(user), actor=("system", None, "setup"))
    return user


def _hashes() -> list[str]:
    stored = Setting.get_or_none(Setting.name == CODE_NAME)
    return stored.value.split() if stored is not None else []
