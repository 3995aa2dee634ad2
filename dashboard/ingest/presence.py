"""The end of a user's presence when the user is deactivated; the page of users and a command share it."""

from __future__ import annotations

import json

from dashboard import clock
from dashboard.access import sessions
from dashboard.events import internal
from dashboard.events import record as events
from dashboard.ingest.schema import NewEvent
from dashboard.models import User


def end(user: User) -> None:
    """End the user's sign-in sessions and open stretches of the day; the history stays."""
    moment = clock.now_ms()
    sessions.end_all(user.id)
    signed_out = NewEvent(
        id=f"deactivated:{user.id}:{moment}",
        type="agent.signed_out",
        time_ms=moment,
        user=user.login,
        data=json.dumps({"reason": "deactivated"}),
    )
    events.append(events.source(internal.SOURCE).id, [signed_out], makes=False)
