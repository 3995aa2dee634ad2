"""Meetings and conferences. Pure."""

from __future__ import annotations

from dashboard.catalog.fields import STARTS, TITLE, URL
from dashboard.catalog.types import EventType, maker
from dashboard.i18n.mark import N_

_meeting = maker("meetings", "personal")

TYPES: tuple[EventType, ...] = (
    _meeting("meeting.changed", N_("Meeting changed"), TITLE, STARTS, URL),
    _meeting("meeting.joined", N_("Meeting joined"), TITLE, STARTS, URL),
    _meeting("meeting.recording_started", N_("Conference recording started"), TITLE, STARTS, URL),
)
