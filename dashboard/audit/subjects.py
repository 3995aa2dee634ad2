"""Whose data audit entries are about: each user sees on their page My data who looked at theirs."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from typing import NamedTuple

from dashboard.clock import Span
from dashboard.db import dialect
from dashboard.models import LookGroup

FEW = 5  # users of an act that get a row each; more are a group


class Seen(NamedTuple):
    """Whose data an act showed, None for everybody's, and from which period where there is one."""

    users: Collection[int] | None
    span: Span | None = None


def add(number: int, moment: int, seen: Seen, actor: int | None) -> None:
    """Store whose data an entry is about; what users see of their own is left out."""
    start, end = seen.span or (None, None)
    whose = [0] if seen.users is None else sorted(set(seen.users) - {actor})
    if len(whose) > FEW:
        whose = [-_group(whose)]
    names = ("user_id", "occurred_ms", "seq", "start_ts", "end_ts")
    dialect.insert_many("audit_subject", names, [(user, moment, number, start, end) for user in whose])


def _group(users: Sequence[int]) -> int:
    """Return the id of the group of these users; the lock of the chain lets one writer store it."""
    digest = hashlib.sha256(",".join(map(str, users)).encode()).hexdigest()
    found: int | None = LookGroup.select(LookGroup.id).where(LookGroup.digest == digest).scalar()
    if found is None:
        found = int(LookGroup.insert(digest=digest).execute())
        dialect.insert_many("look_member", ("user_id", "group_id"), [(user, found) for user in users])
    return found
