"""Which valid events are stored: those of types that are recorded, of a time still kept, of sources
that are not paused."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from dashboard import clock
from dashboard.db.prepared import Prepared, slot
from dashboard.events import horizon, switches
from dashboard.i18n import site_zone
from dashboard.i18n.message import N_, Errors, Message, message
from dashboard.ingest.schema import NewEvent
from dashboard.models import Source

SWITCHED_OFF = N_("Events of this type aren't recorded. Turn them on in Settings > System events.")
TOO_OLD = N_("Events before %(time)s are no longer kept. See Settings > Retention.")
PAUSED = N_("This source is paused in Stopa. Send the same again later.")
PAUSED_S = 60  # after which a sender is to try again
_PAUSED = Prepared(
    lambda: Source.select(Source.id).where((Source.id == slot("id")) & Source.paused_ms.is_null(False))
)


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


def is_paused(source_id: int) -> bool:
    return bool(_PAUSED.rows(id=source_id))
