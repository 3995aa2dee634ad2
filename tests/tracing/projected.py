"""What the projection holds, for comparison."""

from __future__ import annotations

from typing import Any

from dashboard.events import record
from dashboard.models import Activity, Interaction, Interval, User

COLUMNS = (
    *("n", "channel", "state", "start_ts", "end_ts", "end_bound", "end_reason"),
    *("handling_s", "talk_s", "hold_s", "ringing_s", "proved_s"),
)


def picture(name: str) -> list[Any]:
    """Return everything the projection holds of the users and interactions of one source."""
    source = record.source(name).id
    users = {user.id: user.login[len(name) :] for user in User.select() if user.login.startswith(name)}
    works = [
        (users[a.user_id], *(getattr(a, column) for column in COLUMNS))
        for a in Activity.select().where(Activity.source_id == source)
    ]
    rows = [
        (users[i.user_id], i.kind, i.start_ts, i.end_ts, i.inferred, i.end_reason or "")
        for i in Interval.select().where(Interval.source_id == source)
    ]
    whole = [
        (i.external_id, i.ended_ts, i.end_bound, i.end_reason, i.talk_s, i.wait_s, i.outcome)
        for i in Interaction.select().where(Interaction.source == source)
    ]
    return [sorted(part, key=repr) for part in (works, rows, whole)]
