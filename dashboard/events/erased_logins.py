"""User names of erased users: kept as digests, so that a later event brings back neither name nor user."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable

from dashboard.i18n.message import N_
from dashboard.models import ErasedLogin, Setting

SALT = "erasure.salt"  # name of the setting
TAKEN = N_("This username belonged to an erased user and can't be used again.")


def keep(login: str, user_id: int) -> None:
    """Keep that the user with this name is erased, in the caller's transaction."""
    if not _salt():
        Setting.put(SALT, secrets.token_hex(32))
    digest = _digest(login, _salt())
    ErasedLogin.insert(digest=digest, user_id=user_id).on_conflict_ignore().execute()


def is_kept(user_id: int) -> bool:
    """Say whether the user is erased."""
    return bool(ErasedLogin.select().where(ErasedLogin.user_id == user_id).exists())


def users(logins: Iterable[str]) -> dict[str, int]:
    """Return the ids of the erased users who had these names, by name."""
    salt = _salt()
    if not salt:
        return {}
    digests = {_digest(login, salt): login for login in logins}
    found = ErasedLogin.select().where(ErasedLogin.digest.in_(sorted(digests)))
    return {digests[row.digest]: row.user_id for row in found}


def _salt() -> str:
    return Setting.select(Setting.value).where(Setting.name == SALT).scalar() or ""


def _digest(login: str, salt: str) -> str:
    return hashlib.blake2b(login.encode(), key=bytes.fromhex(salt), digest_size=32).hexdigest()
