"""What a source says about itself. Pure."""

from __future__ import annotations

from dashboard.catalog.types import EventType, maker
from dashboard.i18n.mark import N_

_source = maker("sources", "system")

TYPES: tuple[EventType, ...] = (
    _source("source.restarted", N_("Source restarted")),
    _source("source.reloaded", N_("Source configuration reloaded")),
)
