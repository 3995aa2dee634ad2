"""What a user does with notifications of one's own. Reading and snoozing is nobody else's business; a
rule that is muted is one act of the audit log, for it is missed by whoever wrote the rule."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, time, timedelta
from typing import Any

from dashboard import clock
from dashboard.audit import record as audit
from dashboard.db import database
from dashboard.i18n.message import N_
from dashboard.models import Notification, Rule, RuleMute

SNOOZES = {
    "hour": N_("1 hour"),
    "tomorrow": N_("Until tomorrow 08:00"),
    "monday": N_("Until Monday 08:00"),
}
MORNING = time(8)


def read(viewer_id: int, ids: Collection[int]) -> int:
    """Mark as read, also what is snoozed; return how many were not."""
    change = Notification.update(read_ms=clock.now_ms(), snoozed_ms=None)
    return _execute(change, viewer_id, ids, Notification.read_ms.is_null())


def read_all(viewer_id: int) -> int:
    """Mark everything as read but what is snoozed."""
    now = clock.now_ms()
    n = Notification
    unread = n.read_ms.is_null() & (n.snoozed_ms.is_null() | (n.snoozed_ms <= now))
    return int(n.update(read_ms=now, snoozed_ms=None).where((n.user_id == viewer_id) & unread).execute())


def unread(viewer_id: int, ids: Collection[int]) -> int:
    """Mark as new again, which also wakes what is snoozed."""
    return _execute(Notification.update(read_ms=None, snoozed_ms=None), viewer_id, ids)


def snooze(viewer_id: int, ids: Collection[int], until: str, zone: str) -> int:
    """Put away until a moment of SNOOZES, when it is new again, be it read now or not."""
    change = Notification.update(read_ms=None, snoozed_ms=snoozed_until(until, clock.now_s(), zone) * 1000)
    return _execute(change, viewer_id, ids)


def snoozed_until(until: str, now: int, zone: str) -> int:
    """Return the second at which a snooze of SNOOZES ends; 8:00 is that of the reader's clock."""
    if until == "hour":
        return now + clock.HOUR_S
    today = clock.local_date(now, zone)
    later = 1 if until == "tomorrow" else 7 - today.weekday()
    return clock.resolve(datetime.combine(today + timedelta(days=later), MORNING), zone)


def mute(viewer_id: int, ids: Collection[int]) -> list[str]:
    """Mute for the viewer the rules that wrote these notifications; return their names."""
    n = Notification
    wrote = n.select(n.rule_id).where((n.user_id == viewer_id) & n.id.in_(sorted(ids)))
    names = []
    with database.atomic():
        for rule in Rule.select(Rule.id, Rule.name).where(Rule.id.in_(wrote)).order_by(Rule.id):
            made = RuleMute.insert(rule=rule.id, user_id=viewer_id).on_conflict_ignore()
            if made.as_rowcount().execute():
                audit.record("rule.muted", "c", ("rule", rule.id, rule.name))
            names.append(rule.name)
    return names


def unmute(viewer_id: int, rule: Rule) -> None:
    """Hear from a rule again; twice is once."""
    with database.atomic():
        mine = (RuleMute.rule == rule.id) & (RuleMute.user_id == viewer_id)
        if RuleMute.delete().where(mine).execute():
            audit.record("rule.unmuted", "d", ("rule", rule.id, rule.name))


def _execute(change: Any, viewer_id: int, ids: Collection[int], *also: Any) -> int:
    mine = (Notification.user_id == viewer_id) & Notification.id.in_(sorted(ids))
    return int(change.where(mine, *also).execute())
