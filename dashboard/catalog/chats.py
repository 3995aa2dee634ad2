"""Chats on any channel: web chat, SMS, messengers. Pure."""

from __future__ import annotations

from dashboard.catalog.fields import (
    ATTENDED,
    BUTTON,
    CHANNEL,
    COMMENT,
    CONNECTED,
    COUNTED,
    DEPARTMENT,
    DIRECTION,
    DURATION,
    ENDED_BY,
    ERROR,
    GROUP,
    IDLE,
    MESSAGE,
    MESSAGES_IN,
    MESSAGES_OUT,
    POSITION,
    RATING,
    REASON,
    REFERRER,
    RINGING,
    RINGING_MS,
    STATUS,
    TALK,
    TIME_LOG,
    TO,
    TO_QUEUE,
    TO_USER,
    URL,
    VISITOR,
    WAIT,
    WRAPUP,
)
from dashboard.catalog.types import EventType, Field, Kind, Origin, maker
from dashboard.i18n.message import N_

TICKET = Field("ticket", Kind.CODE, N_("Linked ticket"))

MESSAGE_ID = Field("message_id", Kind.TEXT, N_("Message ID"))
TRANSCRIPT = Field("transcript", Kind.TEXT, N_("Transcript"))
# What the steps of a chat may say of it besides their own figures.
OUTCOME = (DEPARTMENT, GROUP, TRANSCRIPT, RATING, DURATION)

# Custom fields stand in `custom`, by path.
CHAT = (
    CHANNEL,
    DEPARTMENT,
    GROUP,
    TRANSCRIPT,
    MESSAGE,
    MESSAGES_IN,
    MESSAGES_OUT,
    WAIT,
    IDLE,
    DURATION,
    TICKET,
    URL,
    REFERRER,
    RATING,
)
# What the chat says stands before what the visit says; both know the page and how long it is idle.
INVITED = (*CHAT, *(field for field in VISITOR if field not in CHAT))

_any = maker("chats", "personal", "interaction")
_agent = maker("chats", "personal", "interaction", "user")
_visitor = maker("chats", "personal")
_timer = maker("chats", "personal", "interaction", internal=True, origin=Origin.TIMER)
_counter = maker("chats", "personal", internal=True, origin=Origin.COUNTER)

TYPES: tuple[EventType, ...] = (
    _any("chat.queued", N_("Chat queued"), CHANNEL, POSITION, *OUTCOME),
    _any("chat.offered", N_("Chat offered"), CHANNEL),
    _any("chat.rejected", N_("Chat rejected"), CHANNEL, RINGING_MS),
    _any("chat.ignored", N_("Chat ignored"), CHANNEL, RINGING_MS),
    _any("chat.withdrawn", N_("Chat withdrawn"), CHANNEL, RINGING_MS),
    _any("chat.accepted", N_("Chat accepted"), CHANNEL, WAIT, RINGING, CONNECTED, *OUTCOME),
    _any("chat.connected", N_("Chat connected"), CHANNEL),
    _any("chat.disconnected", N_("Chat disconnected"), CHANNEL),
    _any("chat.held", N_("Chat held"), CHANNEL),
    _any("chat.resumed", N_("Chat resumed"), CHANNEL),
    _any("chat.muted", N_("Chat muted"), CHANNEL),
    _any("chat.unmuted", N_("Chat unmuted"), CHANNEL),
    _any(
        "chat.transferred", N_("Chat transferred"), CHANNEL, TO, TO_USER, TO_QUEUE, ATTENDED, TALK, *OUTCOME
    ),
    _any("chat.postponed", N_("Chat postponed"), CHANNEL),
    _any("chat.reopened", N_("Chat reopened"), CHANNEL),
    _any("chat.closed", N_("Chat closed"), CHANNEL, TALK, WAIT, ENDED_BY, *OUTCOME),
    _any("chat.abandoned", N_("Chat abandoned"), CHANNEL, WAIT, REASON),
    _any("chat.missed", N_("Chat missed"), CHANNEL, WAIT, REASON, *OUTCOME),
    _any("chat.started", N_("Chat started"), *CHAT),
    _any("chat.message_received", N_("Chat message received"), *CHAT),
    _any("chat.message_sent", N_("Chat message sent"), *CHAT),
    _any("chat.comment_added", N_("Chat comment added"), *CHAT, COMMENT),
    _any("chat.status_changed", N_("Chat status changed"), *CHAT, STATUS, MESSAGE_ID),
    _any("chat.linked", N_("Chat attached to a ticket"), *CHAT),
    _any("chat.unlinked", N_("Chat detached from a ticket"), *CHAT),
    _agent("chat.wrapup_started", N_("Chat wrap-up started"), WRAPUP),
    _agent("chat.wrapup_ended", N_("Chat wrap-up ended")),
    _any("chat.time_logged", N_("Time logged on a chat"), *CHAT, *TIME_LOG),
    _any("chat.rated", N_("Chat rated"), *CHAT, COMMENT),
    _any("chat.deleted", N_("Chat deleted"), *CHAT),
    _timer("chat.waiting", N_("Chat waiting"), *CHAT),
    _timer("chat.idle", N_("Chat idle"), *CHAT),
    _counter("chat.count_reached", N_("Number of chats reached"), *COUNTED),
    _agent("chat.manual", N_("Manual chat event"), *CHAT, BUTTON),
    _visitor("chat.invited", N_("Chat invitation sent"), *INVITED),
    _visitor("chat.invite_accepted", N_("Chat invitation accepted"), *INVITED),
    _visitor("chat.invite_rejected", N_("Chat invitation rejected"), *INVITED),
    _visitor("chat.invite_ignored", N_("Chat invitation ignored"), *INVITED),
)


ROOM = (Field("room", Kind.TEXT, N_("Chat room")), MESSAGE)

_room = maker("rooms", "personal", "user")

ROOM_TYPES: tuple[EventType, ...] = (
    _room("room.invited", N_("Invited to a chat room"), *ROOM),
    _room("room.joined", N_("Chat room joined"), *ROOM),
    _room("room.left", N_("Chat room left"), *ROOM),
)


MESSAGE_STATE = (CHANNEL, DIRECTION, STATUS, ERROR)

_message = maker("messages", "personal", origin=Origin.TRANSPORT)

MESSAGE_TYPES: tuple[EventType, ...] = (
    _message("message.opened", N_("Message opened"), *MESSAGE_STATE),
    _message("message.delivery_changed", N_("Message delivery status changed"), *MESSAGE_STATE),
)
