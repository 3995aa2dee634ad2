"""Fields that several event types carry in their data. Pure.

Who acted, on which interaction, in which queue and with which contact an event says itself; its
data does not repeat them. The fields of one group alone stand in the group's file.
"""

from __future__ import annotations

from collections.abc import Mapping

from dashboard.catalog.types import Field, Kind
from dashboard.i18n.message import N_

DIRECTION = Field("direction", Kind.CHOICE, N_("Direction"), ("in", "out", "internal"), folded=True)
CHANNEL = Field("channel", Kind.WORD, N_("Channel"), folded=True)
SUBJECT = Field("subject", Kind.TEXT, N_("Subject"))
REASON = Field("reason", Kind.TEXT, N_("Reason"))
POSITION = Field("position", Kind.NUMBER, N_("Position in the queue"))
WAIT = Field("wait_s", Kind.SECONDS, N_("Waiting time"), folded=True)
RINGING = Field("ring_s", Kind.SECONDS, N_("Ringing time"), folded=True)
RINGING_MS = Field("ring_ms", Kind.MILLISECONDS, N_("Ringing time"), folded=True)
WRAPUP = Field("seconds", Kind.SECONDS, N_("Wrap-up time"), required=True, folded=True)
TALK = Field("talk_s", Kind.SECONDS, N_("Talk time"), folded=True)
CONNECTED = Field("connected", Kind.YES_NO, N_("Connected at once"), folded=True)
ENDED_BY = Field("ended_by", Kind.CHOICE, N_("Ended by"), ("agent", "customer", "system"))
TO = Field("to", Kind.TEXT, N_("Transferred to"))
TO_USER = Field("to_user", Kind.TEXT, N_("Transferred to user"))
TO_QUEUE = Field("to_queue", Kind.TEXT, N_("Transferred to queue"))
ATTENDED = Field("attended", Kind.YES_NO, N_("Attended transfer"))
NAME = Field("name", Kind.TEXT, N_("Name"))

TITLE = Field("title", Kind.TEXT, N_("Title"))
STATUS = Field("status", Kind.TEXT, N_("Status"))
PRIORITY = Field("priority", Kind.CODE, N_("Priority"))
DESCRIPTION = Field("description", Kind.TEXT, N_("Description"))
BODY = Field("body", Kind.TEXT, N_("Body text"))
MESSAGE = Field("message", Kind.TEXT, N_("Message text"))
COMMENT = Field("comment", Kind.TEXT, N_("Comment"))
AUTHOR = Field("author", Kind.TEXT, N_("Author"))
CATEGORY = Field("category", Kind.TEXT, N_("Category"))
TAGS = Field("tags", Kind.LIST, N_("Tags"))
ASSIGNEE = Field("assignee", Kind.TEXT, N_("Assignee"))
DEPARTMENT = Field("department", Kind.TEXT, N_("Department"))
GROUP = Field("group", Kind.TEXT, N_("Group"))
BRAND = Field("brand", Kind.TEXT, N_("Brand"))
LANGUAGE = Field("language", Kind.TEXT, N_("Language"))
RELATED = Field("related", Kind.CODE, N_("Related object"))
ROLE = Field("role", Kind.TEXT, N_("Role in the source"))
FORM = Field("form", Kind.TEXT, N_("Form"))
BUTTON = Field("button", Kind.TEXT, N_("Button"))
RATING = Field("rating", Kind.DECIMAL, N_("Rating"))
MESSAGES_IN = Field("messages_in", Kind.NUMBER, N_("Messages received"))
MESSAGES_OUT = Field("messages_out", Kind.NUMBER, N_("Messages sent"))
ABUSE_REPORTS = Field("abuse_reports", Kind.NUMBER, N_("Abuse reports"))
DURATION = Field("duration_s", Kind.SECONDS, N_("Duration"))
IDLE = Field("idle_s", Kind.SECONDS, N_("Idle time"))
AGE = Field("age_s", Kind.SECONDS, N_("Age"))
MINUTES = Field("minutes", Kind.NUMBER, N_("Minutes"))
DUE = Field("due_at", Kind.TIME, N_("Due date"))
STARTS = Field("starts_at", Kind.TIME, N_("Start"))
CREATED = Field("created_at", Kind.TIME, N_("Created"))
URL = Field("url", Kind.TEXT, N_("Page address"))
REFERRER = Field("referrer", Kind.TEXT, N_("Referrer"))
QUERY = Field("query", Kind.TEXT, N_("Search query"))
IP = Field("ip", Kind.IP, N_("IP address"))
ERROR = Field("error", Kind.TEXT, N_("Error"))
SCOPE = Field("scope", Kind.CHOICE, N_("Counted per"), ("agent", "group", "department"))
COUNT = Field("count", Kind.NUMBER, N_("Count"))

# Fields that describe the subject of an event and hold until another event changes them. Conditions read
# them as they were at the event, whether or not it repeats them; all other fields are the event's own.
SUBJECT_FIELDS = frozenset(
    {
        *("number", "title", "subject", "status", "priority", "assignee", "assignee_availability"),
        *("department", "group", "brand", "category", "author", "requester", "requester_email"),
        *("requester_verified", "requester_tags", "organization", "tags", "language", "channel", "direction"),
        *("messages_in", "messages_out", "has_attachment", "recipients", "cc", "created_at", "due_at"),
        *("last_customer_message_at", "last_agent_message_at", "waiting_since", "followup_at"),
        *("sla_due_at", "times_reopened", "links", "custom"),
    }
)
# What a count of tickets or chats says when it crosses its threshold.
COUNTED = (COUNT, SCOPE, STATUS, DEPARTMENT, GROUP)
# What a log of working time says.
TIME_LOG = (MINUTES, CATEGORY, COMMENT, RELATED)
# A visitor of the site, as the site sees them.
VISITOR = (
    IP,
    Field("host", Kind.TEXT, N_("Hostname")),
    Field("host_domain", Kind.TEXT, N_("Host domain")),
    Field("session_started_at", Kind.TIME, N_("Start of the session")),
    Field("hits", Kind.NUMBER, N_("Pages viewed")),
    DURATION,
    IDLE,
    Field("country", Kind.TEXT, N_("Country")),
    Field("region", Kind.TEXT, N_("Region")),
    LANGUAGE,
    Field("browser", Kind.TEXT, N_("Browser")),
    Field("os", Kind.TEXT, N_("Operating system")),
    URL,
    REFERRER,
    Field("campaign", Kind.TEXT, N_("Campaign")),
    Field("known_contact", Kind.YES_NO, N_("Known contact")),
)

# What the choices of fields are called.
CHOICE_LABELS: Mapping[str, str] = {
    "in": N_("in"),
    "out": N_("out"),
    "internal": N_("internal"),
    "agent": N_("agent"),
    "customer": N_("customer"),
    "system": N_("system"),
    "group": N_("group"),
    "department": N_("department"),
    "public": N_("public"),
    "private": N_("private"),
    "color": N_("colour"),
    "size": N_("size"),
    "brand": N_("brand"),
    "channel": N_("channel"),
    "payment": N_("payment"),
}
