"""Why no events of a source are taken at this moment: it is paused, or the disk is almost full."""

from __future__ import annotations

from typing import NamedTuple

from dashboard.db.prepared import Prepared, slot
from dashboard.events import room
from dashboard.i18n.message import N_
from dashboard.models import Source

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


def hold(source_id: int) -> Hold | None:
    """Return why no events of a source are taken now, None while they are."""
    if room.is_scarce():
        return FULL
    return PAUSED if _PAUSED.rows(id=source_id) else None
