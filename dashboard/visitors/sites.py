"""Sites by their public keys, cached for a few seconds: every report of an open page asks for one."""

from __future__ import annotations

import re
import time
from typing import NamedTuple
from weakref import WeakKeyDictionary

import peewee

from dashboard.db import database
from dashboard.models import Queue, Site

FRESH_S = 5
LEAST_IDLE_S, MOST_IDLE_S = 10, 1800  # a visit ends after half an hour without activity
MOST = 1000  # keys that are remembered; unknown ones among them
_KEY = re.compile(r"[\w-]{1,32}", re.ASCII)


class Portal(NamedTuple):
    """A site as reports need it; see `models.Site`. `queue` is the name of its queue."""

    id: int
    source_id: int
    queue: str | None
    enabled: bool
    origins: frozenset[str]
    elements: frozenset[str]
    secret: str
    idle_ms: int


Cached = dict[str, tuple[float, Portal | None]]
_CACHE: WeakKeyDictionary[peewee.Database, Cached] = WeakKeyDictionary()


def find(key: str) -> Portal | None:
    """Return the site with this public key as it was at most FRESH_S seconds ago; None if there is none."""
    if not _KEY.fullmatch(key):  # PostgreSQL takes no NUL
        return None
    cached = _CACHE.setdefault(database.obj, {})
    now = time.monotonic()
    known = cached.get(key)
    if known is None or known[0] < now:
        if len(cached) >= MOST:
            cached.clear()
        known = cached[key] = now + FRESH_S, _read(Site.key == key)
    return known[1]


def of_id(ident: int) -> Portal | None:
    """Return a site by its id, as it is now."""
    return _read(Site.id == ident)


def forget() -> None:
    """Forget what is cached in this process, after a site was changed."""
    _CACHE.pop(database.obj, None)


def _read(where: peewee.Expression) -> Portal | None:
    site = Site.get_or_none(where)
    if site is None:
        return None
    queue = Queue.get_or_none(Queue.id == site.queue_id) if site.queue_id else None
    return Portal(
        site.id,
        site.source_id,
        queue.name if queue else None,
        site.enabled,
        frozenset(site.origins),
        frozenset(site.elements),
        site.secret or "",
        site.idle_s * 1000,
    )
