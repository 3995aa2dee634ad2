"""API keys: 32 random bytes with a recognisable prefix, stored as SHA-256 and shown once."""

from __future__ import annotations

import hashlib
import secrets
from typing import NamedTuple

from dashboard import clock
from dashboard.db.prepared import Prepared, slot
from dashboard.models import ApiKey, Source

PREFIX = "stopa_"


class Key(NamedTuple):
    """The columns of a valid key that a request needs; see models.access.ApiKey."""

    id: int
    name: str
    source_id: int
    allow: str
    makes: bool
    last_used_ts: int | None


_BY_HASH = Prepared(
    lambda: ApiKey.select(
        ApiKey.id, ApiKey.name, ApiKey.source_id, ApiKey.allow, ApiKey.makes, ApiKey.last_used_ts
    ).where((ApiKey.key_hash == slot("hash")) & ApiKey.revoked_ts.is_null())
)


def make(name: str, source: str, allow: str, makes: bool = True) -> str:
    """Add a key for `source`, creating the source if it is new, and return the key in plain text."""
    plain = PREFIX + secrets.token_urlsafe(32)
    row, _ = Source.get_or_create(name=source, defaults={"created_ts": clock.now_s()})
    ApiKey.create(
        name=name,
        source_id=row.id,
        allow=allow,
        makes=makes,
        prefix=plain[:12],
        key_hash=digest(plain),
        created_ts=clock.now_s(),
    )
    return plain


def find(plain: str) -> Key | None:
    """Return the key, or None if it is unknown or revoked. The look-up by hash leaks no timing."""
    rows = _BY_HASH.rows(hash=digest(plain))
    return Key(*rows[0]) if rows else None


def digest(plain: str) -> str:
    return hashlib.sha256(plain.encode()).hexdigest()
