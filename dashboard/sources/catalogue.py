"""The data sources: interactions, activities and user events, with the tables that they join.

A new field is one line here; parameters, results, the API and its description follow from it.
"""

from __future__ import annotations

from dashboard import catalog
from dashboard.access.permissions import Permission
from dashboard.sources.types import Entity, Field, Source, Type

OBJECTS = ("call", "email", "chat", "ticket")  # whose events change an interaction
KINDS = tuple(
    sorted({name.partition(".")[2] for name in catalog.CATALOG if name.partition(".")[0] in OBJECTS})
)
OUTCOMES = ("answered", "abandoned", "missed")
DIRECTIONS = ("in", "out", "internal")
STATES = (
    "ringing",
    "open",
    "postponed",
    "closed",
    "transferred",
    "missed",
    "rejected",
    "answered_elsewhere",
    "edited",
)


def _yes(condition: str) -> str:
    return f"CASE WHEN {condition} THEN 1 ELSE 0 END"


def _user(name: str, column: str) -> Entity:
    return Entity(
        name,
        "p.id",
        (
            Field("login", Type.TEXT, "p.login"),
            Field("name", Type.TEXT, "p.name"),
            Field("extension", Type.TEXT, "p.extension"),
            Field("active", Type.YES_NO, _yes("p.deactivated_ts IS NULL")),
        ),
        join=f'LEFT JOIN "user" p ON p.id = {column}',
    )


def _queue(column: str, content: bool = False) -> Entity:
    return Entity(
        "queue",
        "q.id",
        (
            Field("name", Type.TEXT, "q.name", content=content),
            Field("label", Type.TEXT, "q.label", content=content),
            Field("channel", Type.TEXT, "q.channel", content=content),
            Field("service_level", Type.DURATION, "q.sla_seconds", content=content),
            Field("active", Type.YES_NO, _yes("q.deactivated_ts IS NULL"), content=content),
        ),
        join=f'LEFT JOIN "queue" q ON q.id = {column}',
    )


IN_LEVEL = (
    "i.outcome = 'answered' AND i.wait_s <= (SELECT x.sla_seconds FROM \"queue\" x WHERE x.id = i.queue_id)"
)
LAST_USER = (
    '(SELECT x.user_id FROM "activity" x WHERE x.interaction_id = i.id AND x.closed_ts IS NOT NULL'
    " ORDER BY x.closed_ts DESC, x.id DESC LIMIT 1)"
)


def _interaction(join: str = "", content: bool = False) -> Entity:
    return Entity(
        "interaction",
        "i.id",
        (
            Field("id", Type.TEXT, "i.external_id", content=content),
            Field("channel", Type.TEXT, "i.channel", content=content),
            Field("direction", Type.CHOICE, "i.direction", DIRECTIONS, content=content),
            Field("created", Type.MOMENT, "i.first_ms", scale=1000, content=content),
            Field("queued", Type.MOMENT, "i.queued_ts", content=content),
            Field("answered", Type.MOMENT, "i.answered_ts", content=content),
            Field("ended", Type.MOMENT, "i.ended_ts", content=content),
            Field("queue", Type.QUEUE, "i.queue_id", content=content),
            Field("contact", Type.CONTACT, "i.contact_id", content=content),
            Field("user_at_completion", Type.USER, LAST_USER, content=content),
            Field("outcome", Type.CHOICE, "i.outcome", OUTCOMES, content=content),
            Field("reason", Type.TEXT, "i.reason", content=content),
            Field("wait", Type.DURATION, "i.wait_s", content=content),
            Field("talk", Type.DURATION, "i.talk_s", content=content),
            Field("timeouts", Type.NUMBER, "coalesce(i.timeouts, 0)", content=content),
            Field("is_answered", Type.YES_NO, _yes("i.outcome = 'answered'"), content=content),
            Field("is_abandoned", Type.YES_NO, _yes("i.outcome = 'abandoned'"), content=content),
            Field("in_level", Type.YES_NO, _yes(IN_LEVEL), content=content),
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
    own='EXISTS (SELECT 1 FROM "activity" x WHERE x.interaction_id = i.id AND x.user_id = {viewer})',
    where="i.first_ms IS NOT NULL",
)

ACTIVITIES = Source(
    "activities",
    '"activity" a',
    (
        Entity(
            "activity",
            "a.id",
            (
                Field("id", Type.ID, "a.id"),
                Field("user", Type.USER, "a.user_id"),
                Field("channel", Type.TEXT, "a.channel"),
                Field("direction", Type.CHOICE, "a.direction", DIRECTIONS, content=True),
                Field("state", Type.CHOICE, "a.state", STATES),
                Field("queue", Type.QUEUE, "a.queue_id", content=True),
                Field("contact", Type.CONTACT, "a.contact_id", content=True),
                Field("title", Type.TEXT, "a.title", content=True),
                Field("start", Type.MOMENT, "a.start_ts"),
                Field("end", Type.MOMENT, "a.end_ts"),
                Field("closed", Type.MOMENT, "a.closed_ts"),
                Field("end_bound", Type.MOMENT, "a.end_bound"),
                Field("end_reason", Type.TEXT, "coalesce(a.end_reason, '')"),
                Field("handling", Type.DURATION, "a.handling_s"),
                Field("talk", Type.DURATION, "a.talk_s"),
                Field("hold", Type.DURATION, "a.hold_s"),
                Field("ringing", Type.DURATION, "a.ringing_s"),
                Field("proved", Type.DURATION, "a.proved_s"),
                Field("is_closed", Type.YES_NO, _yes("a.closed_ts IS NOT NULL")),
                Field("inferred", Type.YES_NO, _yes("a.inferred")),
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
            "e.id",
            (
                Field("id", Type.ID, "e.id"),
                Field("time", Type.MOMENT, "e.time_ms", scale=1000),
                Field("kind", Type.CHOICE, _kind(), KINDS),
                Field("type", Type.TEXT, "e.type"),
                Field("user", Type.USER, "e.user_id"),
                *(Field(f"is_{kind}", Type.YES_NO, _yes(f"e.type IN ({_named(kind)})")) for kind in KINDS),
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
    where=f"e.user_id IS NOT NULL AND e.type IN ({', '.join(_named(kind) for kind in KINDS)})",
)

SOURCES = {each.name: each for each in (USER_EVENTS, INTERACTIONS, ACTIVITIES)}
