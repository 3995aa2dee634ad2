"""API keys: 32 random bytes with a recognisable prefix, stored as SHA-256 and shown once."""

from __future__ import annotations

import hashlib
import re
import secrets
import unicodedata
from itertools import count
from typing import Any, NamedTuple

from dashboard import clock
from dashboard.access import scope as scopes
from dashboard.access.permissions import Permission
from dashboard.access.scope import Scope
from dashboard.db.prepared import Prepared, slot
from dashboard.events import internal
from dashboard.i18n.message import N_
from dashboard.models import ApiKey, Source, User

PREFIX = "stopa_"
RESERVED = N_("This is the name of Stopa's own events. Choose another.")


class Key(NamedTuple):
    """The columns of a valid key that a request needs; see models.access.ApiKey."""

    id: int
    name: str
    source_id: int
    allow: str
    makes: bool
    last_used_ts: int | None
    maker_id: int | None
    expires_ts: int | None

    @property
    def is_expired(self) -> bool:
        return self.expires_ts is not None and clock.now_s() >= self.expires_ts


_BY_HASH = Prepared(
    lambda: ApiKey.select(
        ApiKey.id,
        ApiKey.name,
        ApiKey.source_id,
        ApiKey.allow,
        ApiKey.makes,
        ApiKey.last_used_ts,
        ApiKey.maker_id,
        ApiKey.expires_ts,
    ).where((ApiKey.key_hash == slot("hash")) & ApiKey.revoked_ts.is_null())
)


def is_reserved(source: str) -> bool:
    """Return whether a source is named like one of Stopa's own, for which no key and no file may speak."""
    name = unicodedata.normalize("NFKC", source).strip().casefold()
    return name in (internal.SOURCE, internal.SAMPLE)


def is_valid() -> Any:
    """Return the condition for keys that are neither revoked nor expired."""
    expires = ApiKey.expires_ts
    return ApiKey.revoked_ts.is_null() & (expires.is_null() | (expires > clock.now_s()))


def sharing(source: str) -> list[str]:
    """Return the names of the valid keys that send events of `source`, in order."""
    query = ApiKey.select(ApiKey.name).join(Source, on=(ApiKey.source_id == Source.id))
    sending = (Source.name == source) & (ApiKey.allow == "ingest") & is_valid()
    return [name for (name,) in query.where(sending).order_by(ApiKey.name).tuples()]


def make(
    name: str,
    source: str,
    allow: str,
    makes: bool = True,
    maker_id: int | None = None,
    expires_ts: int | None = None,
) -> str:
    """Add a key for `source`, creating the source if it is new, and return the key in plain text.

    `maker_id` is the user who makes it; see scope_of(). Raises ValueError for a reserved source.
    """
    if is_reserved(source):
        raise ValueError(RESERVED)
    plain = PREFIX + secrets.token_urlsafe(32)
    row, _ = Source.get_or_create(name=source, defaults={"created_ts": clock.now_s()})
    ApiKey.create(
        name=name,
        source_id=row.id,
        allow=allow,
        makes=makes,
        prefix=plain[:12],
        key_hash=digest(plain),
        maker_id=maker_id,
        created_ts=clock.now_s(),
        expires_ts=expires_ts,
    )
    return plain


def successor(ident: int) -> dict[str, Any] | None:
    """Return the values of a key that does what a valid one does, with a name that no valid one has.

    None if the key is unknown or revoked.
    """
    valid = ApiKey.revoked_ts.is_null()
    row = ApiKey.get_or_none((ApiKey.id == ident) & valid) if 0 < ident < 2**31 else None
    if row is None:
        return None
    base = re.sub(r" \d{1,6}$", "", row.name)[:110]
    known = {name for (name,) in ApiKey.select(ApiKey.name).where(valid).tuples()}
    name = next(each for number in count(2) if (each := f"{base} {number}") not in known)
    source = Source.get_by_id(row.source_id).name
    return {"name": name, "source": source, "allow": row.allow, "known_only": not row.makes}


def find(plain: str) -> Key | None:
    """Return the key, or None if it is unknown, revoked or expired. The look-up by hash leaks no timing."""
    key = find_expired(plain)
    return key if key is not None and not key.is_expired else None


def find_expired(plain: str) -> Key | None:
    """Return the key although it may have expired, or None if it is unknown or revoked."""
    rows = _BY_HASH.rows(hash=digest(plain))
    return Key(*rows[0]) if rows else None


def scope_of(maker_id: int | None) -> Scope | None:
    """Return what a read key shows now: what its maker may see at this moment.

    None if the maker has been deactivated or may no longer view user tracing: the key is refused. A key
    without a maker was made on the server's command line and shows everything.
    """
    if maker_id is None:
        return scopes.whole()
    maker = User.get_or_none((User.id == maker_id) & User.deactivated_ts.is_null())
    found = scopes.of_user(maker) if maker is not None else None
    return found if found is not None and found.can(Permission.TRACING_VIEW) else None


def read_keys_of(maker_id: int) -> int:
    """Return how many valid read keys a user has made."""
    made = (ApiKey.maker_id == maker_id) & (ApiKey.allow == "read") & is_valid()
    number: int = ApiKey.select().where(made).count()
    return number


def digest(plain: str) -> str:
    return hashlib.sha256(plain.encode()).hexdigest()
