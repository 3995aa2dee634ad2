"""Fields that several event types carry in their data. Pure."""

from __future__ import annotations

from dashboard.catalog.types import Field, Kind
from dashboard.i18n.mark import N_

DIRECTION = Field("direction", Kind.CHOICE, N_("Direction"), ("in", "out", "internal"))
CHANNEL = Field("channel", Kind.WORD, N_("Channel"))
SUBJECT = Field("subject", Kind.TEXT, N_("Subject"))
REASON = Field("reason", Kind.TEXT, N_("Reason"))
POSITION = Field("position", Kind.NUMBER, N_("Position in the queue"))
WAIT = Field("wait_s", Kind.SECONDS, N_("Waiting time"))
RINGING = Field("ring_s", Kind.SECONDS, N_("Ringing time"))
RINGING_MS = Field("ring_ms", Kind.MILLISECONDS, N_("Ringing time"))
TALK = Field("talk_s", Kind.SECONDS, N_("Talk time"))
CONNECTED = Field("connected", Kind.YES_NO, N_("Connected at once"))
ENDED_BY = Field("ended_by", Kind.CHOICE, N_("Ended by"), ("agent", "customer", "system"))
TO = Field("to", Kind.TEXT, N_("Transferred to"))
TO_USER = Field("to_user", Kind.TEXT, N_("Transferred to user"))
TO_QUEUE = Field("to_queue", Kind.TEXT, N_("Transferred to queue"))
ATTENDED = Field("attended", Kind.YES_NO, N_("Attended transfer"))
NAME = Field("name", Kind.TEXT, N_("Name"))
