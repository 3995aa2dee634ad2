"""The data sources: interactions, activities, user events and events, with the tables that they join.

A new field is one line here; parameters, results, the API and its description follow from it.
"""

from __future__ import annotations

from dashboard import catalog
from dashboard.access.permissions import Permission
from dashboard.catalog.channels import CHANNELS
from dashboard.i18n.message import N_
from dashboard.sources.types import Entity, Field, Source, Type

OBJECTS = ("call", "email", "chat", "ticket")  # whose events change an interaction
KINDS = {
    "accepted": N_("Accepted"),
    "assigned": N_("Assigned"),
    "attachment_added": N_("Attachment added"),
    "closed": N_("Closed"),
    "comment_added": N_("Comment added"),
    "connected": N_("Connected"),
    "created": N_("Created"),
    "deleted": N_("Deleted"),
    "dialled": N_("Dialled"),
    "disconnected": N_("Disconnected"),
    "escalated": N_("Escalated"),
    "followup_done": N_("Follow-up done"),
    "followup_scheduled": N_("Follow-up scheduled"),
    "form_sent": N_("Form sent"),
    "held": N_("Put on hold"),
    "ignored": N_("Ignored"),
    "invited": N_("Invitation sent"),
    "linked": N_("Linked"),
    "merged": N_("Merged"),
    "message_sent": N_("Message sent"),
    "missed": N_("Missed"),
    "muted": N_("Muted"),
    "offered": N_("Offered"),
    "postponed": N_("Postponed"),
    "priority_changed": N_("Priority changed"),
    "rejected": N_("Rejected"),
    "reopened": N_("Reopened"),
    "resumed": N_("Taken off hold"),
    "spam_marked": N_("Marked as spam"),
    "split": N_("Split"),
    "status_changed": N_("Status changed"),
    "tagged": N_("Tagged"),
    "time_logged": N_("Time logged"),
    "transferred": N_("Transferred"),
    "unlinked": N_("Unlinked"),
    "unmuted": N_("Unmuted"),
    "unreached": N_("Not reached"),
    "updated": N_("Edited"),
    "viewed": N_("Viewed"),
    "withdrawn": N_("Offer withdrawn"),
    "wrapup_ended": N_("Wrap-up ended"),
    "wrapup_started": N_("Wrap-up started"),
}
OUTCOMES = {"answered": N_("Answered"), "abandoned": N_("Abandoned"), "missed": N_("Not answered")}
DIRECTIONS = {"in": N_("Inbound"), "out": N_("Outbound"), "internal": N_("Internal")}
STATES = {
    "ringing": N_("Ringing"),
    "open": N_("Open"),
    "postponed": N_("Postponed"),
    "closed": N_("Closed"),
    "transferred": N_("Transferred"),
    "missed": N_("Missed"),
    "rejected": N_("Rejected"),
    "answered_elsewhere": N_("Answered elsewhere"),
    "edited": N_("Edited"),
}

_TYPE_LABELS = {each.name: each.label for each in catalog.CATALOG.values()}


def _yes(condition: str) -> str:
    return f"CASE WHEN {condition} THEN 1 ELSE 0 END"


def _user(name: str, column: str) -> Entity:
    return Entity(
        name,
        N_("User"),
        "p.id",
        (
            Field("login", N_("User name"), Type.TEXT, "p.login"),
            Field("name", N_("Name"), Type.TEXT, "p.name"),
            Field("extension", N_("Extension"), Type.TEXT, "p.extension"),
            Field("active", N_("Active"), Type.YES_NO, _yes("p.deactivated_ts IS NULL")),
        ),
        join=f'LEFT JOIN "user" p ON p.id = {column}',
    )


def _queue(column: str, content: bool = False) -> Entity:
    return Entity(
        "queue",
        N_("Queue"),
        "q.id",
        (
            Field("name", N_("Name"), Type.TEXT, "q.name", content=content),
            Field("label", N_("Name"), Type.TEXT, "q.label", content=content),
            Field("channel", N_("Channel"), Type.TEXT, "q.channel", CHANNELS, content=content),
            Field("service_level", N_("Service level"), Type.DURATION, "q.sla_seconds", content=content),
            Field("active", N_("Active"), Type.YES_NO, _yes("q.deactivated_ts IS NULL"), content=content),
        ),
        join=f'LEFT JOIN "queue" q ON q.id = {column}',
    )


IN_LEVEL = (
    "i.outcome = 'answered' AND i.wait_s <= (SELECT x.sla_seconds FROM \"queue\" x WHERE x.id = i.queue_id)"
)


def _interaction(join: str = "", content: bool = False) -> Entity:
    return Entity(
        "interaction",
        N_("Interaction"),
        "i.id",
        (
            Field("id", N_("Number"), Type.TEXT, "i.external_id", content=content),
            Field("channel", N_("Channel"), Type.TEXT, "i.channel", CHANNELS, content=content),
            Field("direction", N_("Direction"), Type.CHOICE, "i.direction", DIRECTIONS, content=content),
            Field("created", N_("Started at"), Type.MOMENT, "i.first_ms", scale=1000, content=content),
            Field("queued", N_("Queued at"), Type.MOMENT, "i.queued_ts", content=content),
            Field("answered", N_("Answered at"), Type.MOMENT, "i.answered_ts", content=content),
            Field("ended", N_("Ended at"), Type.MOMENT, "i.ended_ts", content=content),
            Field("queue", N_("Queue"), Type.QUEUE, "i.queue_id", content=content),
            Field("contact", N_("Contact"), Type.CONTACT, "i.contact_id", content=content),
            Field("user_at_completion", N_("Completed by"), Type.USER, "i.completed_by", content=content),
            Field("outcome", N_("Result"), Type.CHOICE, "i.outcome", OUTCOMES, content=content),
            Field("reason", N_("Reason"), Type.TEXT, "i.reason", content=content),
            Field("wait", N_("Waiting time"), Type.DURATION, "i.wait_s", content=content),
            Field("talk", N_("Talk time"), Type.DURATION, "i.talk_s", content=content),
            Field("timeouts", N_("Timeouts"), Type.NUMBER, "coalesce(i.timeouts, 0)", content=content),
            Field(
                "is_answered", N_("Answered"), Type.YES_NO, _yes("i.outcome = 'answered'"), content=content
            ),
            Field(
                "is_abandoned", N_("Abandoned"), Type.YES_NO, _yes("i.outcome = 'abandoned'"), content=content
            ),
            # What counts for the service level: answered or lost while the queue was open.
            Field(
                "is_decided",
                "",
                Type.YES_NO,
                _yes("i.outcome <> '' AND NOT (i.outcome = 'missed' AND i.reason = 'closed')"),
                content=content,
            ),
            Field(
                "is_received",
                "",
                Type.YES_NO,
                _yes("i.queued_ts IS NOT NULL OR i.outcome <> ''"),
                content=content,
            ),
            Field("in_level", N_("Within service level"), Type.YES_NO, _yes(IN_LEVEL), content=content),
        ),
        join=join,
    )


INTERACTIONS = Source(
    "interactions",
    '"interaction" i',
    (_interaction(), _queue("i.queue_id")),
    moment="created",
    permission=Permission.QUEUES_FIGURES,
    queues="i.queue_id",
    id_searched="i.external_id",
    contact="i.contact_id",
    own='EXISTS (SELECT 1 FROM "activity" x WHERE x.interaction_id = i.id AND x.user_id = {viewer})',
    where="i.first_ms IS NOT NULL",
)

ACTIVITIES = Source(
    "activities",
    '"activity" a',
    (
        Entity(
            "activity",
            N_("Activity"),
            "a.id",
            (
                Field("id", N_("Number"), Type.ID, "a.id"),
                Field("user", N_("User"), Type.USER, "a.user_id"),
                Field("channel", N_("Channel"), Type.TEXT, "a.channel", CHANNELS),
                Field("direction", N_("Direction"), Type.CHOICE, "a.direction", DIRECTIONS, content=True),
                Field("state", N_("State"), Type.CHOICE, "a.state", STATES),
                Field("queue", N_("Queue"), Type.QUEUE, "a.queue_id", content=True),
                Field("contact", N_("Contact"), Type.CONTACT, "a.contact_id", content=True),
                Field("title", N_("Title"), Type.TEXT, "a.title", content=True),
                Field("start", N_("Start"), Type.MOMENT, "a.start_ts"),
                Field("end", N_("End"), Type.MOMENT, "a.end_ts"),
                Field("closed", N_("Closed at"), Type.MOMENT, "a.closed_ts"),
                Field("end_bound", N_("Latest end"), Type.MOMENT, "a.end_bound"),
                Field("end_reason", N_("Reason of the latest end"), Type.TEXT, "coalesce(a.end_reason, '')"),
                Field("handling", N_("Handling time"), Type.DURATION, "a.handling_s"),
                Field("talk", N_("Talk time"), Type.DURATION, "a.talk_s"),
                Field("hold", N_("Hold time"), Type.DURATION, "a.hold_s"),
                Field("ringing", N_("Ringing time"), Type.DURATION, "a.ringing_s"),
                Field("proved", N_("Proved time"), Type.DURATION, "a.proved_s"),
                Field("is_missed", "", Type.YES_NO, _yes("a.state IN ('missed', 'rejected')")),
                Field("is_closed", N_("Closed"), Type.YES_NO, _yes("a.closed_ts IS NOT NULL")),
                Field("inferred", N_("Inferred"), Type.YES_NO, _yes("a.inferred")),
            ),
        ),
        _interaction('JOIN "interaction" i ON i.id = a.interaction_id', content=True),
        _queue("a.queue_id", content=True),
        _user("user", "a.user_id"),
    ),
    moment="start",
    permission=Permission.TRACING_VIEW,
    queues="a.queue_id",
    own="a.user_id = {viewer}",
    users="a.user_id",
    opaque=True,
)


def _named(kind: str) -> str:
    """Return the list of the event types of a kind, as SQL."""
    return ", ".join(f"'{each}.{kind}'" for each in OBJECTS if f"{each}.{kind}" in catalog.CATALOG)


def _kind() -> str:
    found = "e.type"
    for each in OBJECTS:
        found = f"replace({found}, '{each}.', '')"
    return found


USER_EVENTS = Source(
    "user_events",
    '"event" e JOIN "interaction" i ON i.source_id = e.source_id AND i.external_id = e.interaction',
    (
        Entity(
            "user_event",
            N_("User event"),
            "e.id",
            (
                Field("id", N_("Number"), Type.ID, "e.id"),
                Field("time", N_("Time"), Type.MOMENT, "e.time_ms", scale=1000),
                Field("kind", N_("Action"), Type.CHOICE, _kind(), KINDS),
                Field("type", N_("Event type"), Type.TEXT, "e.type"),
                Field("user", N_("User"), Type.USER, "e.user_id"),
                *(
                    Field(f"is_{kind}", "", Type.YES_NO, _yes(f"e.type IN ({_named(kind)})"))
                    for kind in KINDS
                ),
            ),
        ),
        _interaction(),
        _queue("i.queue_id"),
        _user("user", "e.user_id"),
    ),
    moment="time",
    permission=Permission.TRACING_VIEW,
    queues="i.queue_id",
    own="e.user_id = {viewer}",
    users="e.user_id",
    id_searched="i.external_id",
    contact="i.contact_id",
    # The expression keeps SQLite from the index of types, which would sort all rows of a period.
    where=f"e.user_id IS NOT NULL AND e.type || '' IN ({', '.join(_named(kind) for kind in KINDS)})",
)


def _group() -> str:
    """Return the group of an event's type, as SQL."""
    types: dict[str, list[str]] = {}
    for each in catalog.CATALOG.values():
        types.setdefault(each.group, []).append(f"'{each.name}'")
    known = "".join(f" WHEN e.type IN ({', '.join(names)}) THEN '{group}'" for group, names in types.items())
    return f"CASE{known} WHEN e.type LIKE '{catalog.CUSTOM}%' THEN 'custom' ELSE 'system' END"


# The plus keeps SQLite from an index by which the rows of a period would have to be sorted.
EVENTS = Source(
    "events",
    '"event" e LEFT JOIN "interaction" i ON i.source_id = e.source_id AND i.external_id = e.interaction',
    (
        Entity(
            "event",
            N_("Event"),
            "e.id",
            (
                Field("time", N_("Time"), Type.MOMENT, "e.time_ms", scale=1000),
                Field("recorded", N_("Received"), Type.MOMENT, "e.recorded_ms", scale=1000),
                Field("type", N_("Event type"), Type.TEXT, "e.type", _TYPE_LABELS),
                Field("type_group", N_("Group"), Type.CHOICE, _group(), catalog.GROUPS),
                Field("user", N_("User"), Type.USER, "e.user_id"),
                Field("queue", N_("Queue"), Type.QUEUE, "+e.queue_id"),
                Field("interaction", N_("Interaction"), Type.TEXT, "e.interaction"),
                Field("contact", N_("Contact"), Type.CONTACT, "i.contact_id"),
                Field("session", N_("Session"), Type.TEXT, "e.session"),
                Field("source", N_("Source"), Type.SOURCE, "+e.source_id"),
                Field("external_id", N_("ID in the source"), Type.TEXT, "e.external_id"),
                Field("id", N_("Number"), Type.ID, "e.id"),
            ),
        ),
    ),
    moment="time",
    permission=Permission.EVENTS_VIEW,
    queues="+e.queue_id",
    own="+e.user_id = {viewer} OR (+e.queue_id IS NULL AND e.interaction IS NULL)",
    users="e.user_id",
    id_searched="e.interaction",
    contact="i.contact_id",
)

# Those of the query API; events are read there in the order of arrival, at an address of their own.
SOURCES = {each.name: each for each in (USER_EVENTS, INTERACTIONS, ACTIVITIES)}
