"""Messages on any channel after they were sent: opened, delivered or not. Pure."""

from __future__ import annotations

from dashboard.catalog.fields import CHANNEL, DIRECTION, ERROR, STATUS
from dashboard.catalog.types import EventType, Origin, maker
from dashboard.i18n.mark import N_

MESSAGE = (CHANNEL, DIRECTION, STATUS, ERROR)

_message = maker("messages", "personal", origin=Origin.TRANSPORT)

TYPES: tuple[EventType, ...] = (
    _message("message.opened", N_("Message opened"), *MESSAGE),
    _message("message.delivery_changed", N_("Message delivery status changed"), *MESSAGE),
)
