"""The monitoring policy: what is recorded about users, why and for whom. One text a language, numbered.

A user is shown a version until they have acknowledged that they read it.
"""

from __future__ import annotations

from typing import Any

import peewee

from dashboard import clock
from dashboard.audit import record as audit
from dashboard.db import database
from dashboard.models import Policy, PolicyReading, User


def current() -> Policy | None:
    """Return the newest version; None while there is none."""
    found: Policy | None = Policy.select().order_by(Policy.id.desc()).first()
    return found


def text(policy: Policy, language: str) -> str:
    """Return the text in `language`, else in the first language that has one."""
    texts: dict[str, str] = {code: each for code, each in policy.texts.items() if each}
    return texts.get(language) or next(iter(texts.values()), "")


def read_at(user_id: int, policy: Policy) -> int | None:
    """Return when the user acknowledged this version, in UTC epoch seconds; None if not yet."""
    r = PolicyReading
    found: int | None = r.select(r.read_ts).where((r.user == user_id) & (r.policy == policy.id)).scalar()
    return found


def reader_of_newest(user: Any) -> Any:
    """Return the query of who acknowledged the newest version: the user, or 0; no row while there is none."""
    mine = (PolicyReading.policy == Policy.id) & (PolicyReading.user == user)
    each = Policy.alias()
    query = Policy.select(peewee.fn.COALESCE(PolicyReading.user, 0))
    query = query.join(PolicyReading, peewee.JOIN.LEFT_OUTER, on=mine)
    return query.where(Policy.id == each.select(peewee.fn.MAX(each.id)))


def acknowledge(user: User, number: int) -> bool:
    """Record that the user has read version `number`; False when it is not the newest. Idempotent."""
    with database.atomic():
        policy = current()
        if policy is None or policy.id != number:
            return False
        if read_at(user.id, policy) is None:
            PolicyReading.create(user=user, policy=policy, read_ts=clock.now_s())
            audit.record("policy.acknowledged", "c", ("policy", policy.id, str(policy.id)))
    return True
