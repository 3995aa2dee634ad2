"""Which valid events are stored: those of types that are recorded, of a time still kept, of sources
that are not paused."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from dashboard import clock
from dashboard.db.prepared import Prepared, slot
from dashboard.events import horizon, room, switches
from dashboard.i18n import site_zone
from dashboard.i18n.message import N_, Errors, Message, message
from dashboard.ingest.schema import NewEvent
from dashboard.models import Source

SWITCHED_OFF = N_("Events of this type aren't recorded. Turn them on in Settings > System events.")
TOO_OLD = N_("Events before %(time)s are no longer kept. See Settings > Retention.")
_PAUSED = Prepared(
    lambda: Source.select(Source.id).where((Source.id == slot("id")) & Source.paused_ms.is_null(False))
)


class Hold(NamedTuple):
    """Why nothing is taken now: status and text of the answer. Nothing is stored; senders keep what they have
    and come again after RETRY_S seconds."""

    status: int
    text: str


RETRY_S = 60
PAUSED = Hold(503, N_("This source is paused in Stopa. Send the same again later."))
FULL = Hold(507, N_("The disk with the data of Stopa is almost full. Send the same again later."))


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


def hold(source_id: int) -> Hold | None:
    """Return why no events of a source are taken now, None while they are."""
    if room.is_scarce():
        return FULL
    return PAUSED if _PAUSED.rows(id=source_id) else None
