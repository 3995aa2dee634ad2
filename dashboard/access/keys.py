"""API keys: 32 random bytes behind a recognisable prefix, kept as SHA-256, shown once."""

from __future__ import annotations

import hashlib
import secrets

from dashboard import clock
from dashboard.models import ApiKey, Source

PREFIX = "stopa_"


def make(name: str, source: str, allow: str, makes: bool = True) -> str:
    """Add a key for `source` (made when new) and return its only plain copy."""
    plain = PREFIX + secrets.token_urlsafe(32)
    row, _ = Source.get_or_create(name=source, defaults={"created_ts": clock.now_s()})
    ApiKey.create(
        name=name, source_id=row.id, allow=allow, makes=makes, prefix=plain[:12],
        key_hash=digest(plain), created_ts=clock.now_s(),
    )  # fmt: skip
    return plain


def find(plain: str) -> ApiKey | None:
    """Return the key's row unless unknown or revoked; looked up by hash, so in constant time."""
    return ApiKey.get_or_none((ApiKey.key_hash == digest(plain)) & ApiKey.revoked_ts.is_null())


def digest(plain: str) -> str:
    return hashlib.sha256(plain.encode()).hexdigest()
