"""Changes of what is recorded and what rules may use: one transaction, its audit entry inside."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dashboard.audit import record as audit
from dashboard.db import database
from dashboard.events import switches
from dashboard.pages.settings.event_types.forms import Wanted

TARGET = ("settings", "system_events", "System events")


def save(wanted: Sequence[Wanted]) -> list[Wanted]:
    """Keep the choices, all or none; return those that somebody has changed otherwise meanwhile."""
    with database.atomic():
        now = {one.type: switches.choice(one.type) for one in wanted}
        if late := [one for one in wanted if now[one.type] not in (one.was, one.now)]:
            return late
        changes: dict[str, tuple[Any, Any]] = {}
        for one in wanted:
            was = now[one.type]._asdict()
            if differing := audit.differences(was, one.now._asdict()):
                switches.choose(one.type, one.now)
                changes |= {f"{one.type} {name}": values for name, values in differing.items()}
        if changes:
            audit.record("settings.updated", "u", TARGET, changes)
    return []
