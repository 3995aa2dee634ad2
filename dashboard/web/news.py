"""How many notifications the viewer has not read: shown on every page, so asked at the driver's cost."""

from __future__ import annotations

from typing import Any

import peewee

from dashboard import clock
from dashboard.db.prepared import Prepared, slot
from dashboard.models import Notification


def _unread() -> Any:
    n = Notification
    awake = n.snoozed_ms.is_null() | (n.snoozed_ms <= slot("now"))
    unread = (n.user_id == slot("user")) & n.read_ms.is_null() & awake
    return n.select(peewee.fn.COUNT(n.user_id)).where(unread)


_UNREAD = Prepared(_unread)


def unread(user_id: int) -> int:
    """Count the user's unread notifications; one that is snoozed counts as read until then."""
    return int(_UNREAD.rows(user=user_id, now=clock.now_ms())[0][0])
