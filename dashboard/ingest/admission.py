"""Which valid events are stored: those of types that are recorded, and of a time still kept."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from dashboard import clock
from dashboard.events import horizon, switches
from dashboard.i18n import site_zone
from dashboard.i18n.message import N_, Errors, Message, message
from dashboard.ingest.schema import NewEvent

SWITCHED_OFF = N_("Events of this type aren't recorded. Turn them on in Settings > System events.")
TOO_OLD = N_("Events before %(time)s are no longer kept. See Settings > Retention.")


class Admission(NamedTuple):
    """The types that are `off`, and the beginning of what is kept, in ms UTC."""

    off: Collection[str]
    since_ms: int

    def takes(self, event: NewEvent) -> bool:
        return event.type not in self.off and (event.time_ms >= self.since_ms or event.time_of_arrival)

    def errors(self, event: NewEvent) -> Errors:
        """Return by field why an event is refused, nothing for one that is taken."""
        found: dict[str, Message] = {}
        if event.type in self.off:
            found["type"] = Message(SWITCHED_OFF)
        if event.time_ms < self.since_ms and not event.time_of_arrival:
            found["time"] = message(TOO_OLD, time=clock.iso(self.since_ms // 1000, site_zone()))
        return found


def current() -> Admission:
    return Admission(switches.off(), horizon.horizon_ms())
