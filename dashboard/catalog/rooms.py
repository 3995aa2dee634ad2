"""Chat rooms of agents. Pure."""

from __future__ import annotations

from dashboard.catalog.fields import MESSAGE
from dashboard.catalog.types import EventType, Field, Kind, maker
from dashboard.i18n.mark import N_

ROOM = (Field("room", Kind.TEXT, N_("Chat room")), MESSAGE)

_room = maker("rooms", "personal", "user")

TYPES: tuple[EventType, ...] = (
    _room("room.invited", N_("Invited to a chat room"), *ROOM),
    _room("room.joined", N_("Chat room joined"), *ROOM),
    _room("room.left", N_("Chat room left"), *ROOM),
)
