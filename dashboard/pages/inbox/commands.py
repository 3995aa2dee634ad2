"""What a user does with notifications of one's own; `which` is a condition on them.

Reading and snoozing is nobody else's business; a rule that is muted is one act of the audit log, for it is
missed by whoever wrote the rule.
"""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any

from flask_babel import gettext as _

from dashboard import clock
from dashboard.audit import record as audit
from dashboard.db import database
from dashboard.i18n.message import N_
from dashboard.models import Notification, Profile, Rule, RuleMute, User

SNOOZES = {
    "hour": N_("1 hour"),
    "tomorrow": N_("Until tomorrow 08:00"),
    "monday": N_("Until Monday 08:00"),
}
MORNING = time(8)


def read(viewer_id: int, which: Any) -> int:
    """Mark as read, also what is snoozed; return how many were not."""
    change = Notification.update(read_ms=clock.now_ms(), snoozed_ms=None)
    return _execute(change, viewer_id, which, Notification.read_ms.is_null())


def read_all(viewer_id: int) -> int:
    """Mark everything as read but what is snoozed."""
    now = clock.now_ms()
    n = Notification
    unread = n.read_ms.is_null() & (n.snoozed_ms.is_null() | (n.snoozed_ms <= now))
    return int(n.update(read_ms=now, snoozed_ms=None).where((n.user_id == viewer_id) & unread).execute())


def unread(viewer_id: int, which: Any) -> int:
    """Mark as new again, which also wakes what is snoozed."""
    return _execute(Notification.update(read_ms=None, snoozed_ms=None), viewer_id, which)


def snooze(viewer_id: int, which: Any, until: str, zone: str) -> int:
    """Put away until a moment of SNOOZES, when it is new again, be it read now or not."""
    change = Notification.update(read_ms=None, snoozed_ms=snoozed_until(until, clock.now_s(), zone) * 1000)
    return _execute(change, viewer_id, which)


def snoozed_until(until: str, now: int, zone: str) -> int:
    """Return the second at which a snooze of SNOOZES ends; 8:00 is that of the reader's clock."""
    if until == "hour":
        return now + clock.HOUR_S
    today = clock.local_date(now, zone)
    later = 1 if until == "tomorrow" else 7 - today.weekday()
    return clock.resolve(datetime.combine(today + timedelta(days=later), MORNING), zone)


def mute(viewer_id: int, which: Any) -> list[str]:
    """Mute for the viewer the rules that wrote these notifications; return their names."""
    n = Notification
    wrote = n.select(n.rule_id).where((n.user_id == viewer_id) & which)
    names = []
    with database.atomic():
        for rule in Rule.select(Rule.id, Rule.name).where(Rule.id.in_(wrote)).order_by(Rule.id):
            made = RuleMute.insert(rule=rule.id, user_id=viewer_id).on_conflict_ignore()
            if made.as_rowcount().execute():
                audit.record("rule.muted", "c", ("rule", rule.id, rule.name))
            names.append(rule.name)
    return names


def notify_by(user: User, screen: bool, email: bool | None) -> None:
    """Set how a user is notified in the default profile, which is made if there is none.

    None leaves email as it is: on in a new profile.
    """
    with database.atomic():
        new = {"screen": screen} if email is None else {"screen": screen, "email": email}
        row = Profile.get_or_none((Profile.user_id == user.id) & Profile.is_default)
        if row is None:
            new = {"email": True, **new}
            row = Profile.create(user_id=user.id, name=_("Standard"), is_default=True, **new)
            audit.record("profile.created", "c", ("profile", row.id, row.name), audit.differences({}, new))
            return
        changes = audit.differences({name: getattr(row, name) for name in new}, new)
        if changes:
            Profile.update(**new, version=Profile.version + 1).where(Profile.id == row.id).execute()
            audit.record("profile.updated", "u", ("profile", row.id, row.name), changes)


def unmute(viewer_id: int, rule: Rule) -> None:
    """Hear from a rule again; twice is once."""
    with database.atomic():
        mine = (RuleMute.rule == rule.id) & (RuleMute.user_id == viewer_id)
        if RuleMute.delete().where(mine).execute():
            audit.record("rule.unmuted", "d", ("rule", rule.id, rule.name))


def _execute(change: Any, viewer_id: int, which: Any, *also: Any) -> int:
    return int(change.where(Notification.user_id == viewer_id, which, *also).execute())
