"""The entities that several data sources join: interactions, queues and users. Pure."""

from __future__ import annotations

from dataclasses import replace

from dashboard.catalog.channels import CHANNELS
from dashboard.clock import DAY_S
from dashboard.i18n.message import N_
from dashboard.sources.types import Entity, Field, Ratio, Type

OUTCOMES = {"answered": N_("Answered"), "abandoned": N_("Abandoned"), "missed": N_("Not answered")}
REASONS = {
    "closed": N_("Queue closed"),
    "full": N_("Queue full"),
    "joinempty": N_("Nobody there at entry"),
    "leaveempty": N_("Nobody left"),
    "empty": N_("Nobody left"),
    "timeout": N_("Waited to the limit"),
    "key": N_("Left by a key"),
    "withdrawn": N_("Taken out of the queue"),
    "incompatible": N_("Incompatible call"),
    "divert_ca_ratio": N_("Diverted, too many callers"),
    "divert_holdtime": N_("Diverted, wait too long"),
    "agent": N_("User hung up"),
    "customer": N_("Customer hung up"),
}
DIRECTIONS = {"in": N_("Inbound"), "out": N_("Outbound"), "internal": N_("Internal")}


def yes(condition: str) -> str:
    return f"CASE WHEN {condition} THEN 1 ELSE 0 END"


# The memberships in teams that the viewer may know of; see `compiler.TEAMS`.
_MEMBERS = 'SELECT {shown} FROM "team_member" tm JOIN "team" t ON t.id = tm.team_id WHERE 1 = 1 /*teams*/'
_TEAMS = (
    "(SELECT group_concat(t.name, ', ') FROM ("
    + _MEMBERS.format(shown="t.name")
    + " AND tm.user_id = {column} ORDER BY t.name) t)"
)


def user(name: str, column: str) -> Entity:
    return Entity(
        name,
        N_("User"),
        N_("Users"),
        "p.id",
        (
            Field("login", N_("Username"), Type.TEXT, "p.login"),
            Field("name", N_("Name"), Type.TEXT, "p.name"),
            Field("title", N_("Job title"), Type.TEXT, "p.title"),
            Field("email", N_("Email"), Type.TEXT, "p.email"),
            Field("phone", N_("Phone"), Type.TEXT, "p.phone"),
            Field("extension", N_("Extension"), Type.TEXT, "p.extension"),
            Field("team", N_("Teams"), Type.TEXT, _TEAMS.format(column="p.id")),
            Field(
                "access",
                N_("Role"),
                Type.TEXT,
                '(SELECT x.name FROM "access" x WHERE x.id = p.access_id)',
            ),
            Field("active", N_("Active"), Type.YES_NO, yes("p.deactivated_ts IS NULL")),
        ),
        join=f'LEFT JOIN "user" p ON p.id = {column}',
    )


def team(column: str) -> Entity:
    """Return the teams of the user of a column; a row belongs to all of them."""
    return Entity(
        "team",
        N_("Team"),
        N_("Teams"),
        "t.id",
        (Field("name", N_("Name"), Type.TEXT, "t.name"),),
        join=f"LEFT JOIN ({_MEMBERS.format(shown='tm.user_id, t.id, t.name')}) t ON t.user_id = {column}",
        many=f"({_MEMBERS.format(shown='tm.user_id, t.id, t.name')}) t WHERE t.user_id = {column}",
    )


def queue(column: str, content: bool = False) -> Entity:
    return Entity(
        "queue",
        N_("Queue"),
        N_("Queues"),
        "q.id",
        tuple(replace(each, content=content) for each in QUEUE_FIELDS),
        join=f'LEFT JOIN "queue" q ON q.id = {column}',
    )


def interaction(join: str = "", content: bool = False) -> Entity:
    return Entity(
        "interaction",
        N_("Interaction"),
        N_("Interactions"),
        "i.id",
        tuple(replace(each, content=content) for each in INTERACTION_FIELDS),
        join=join,
        ratios=(
            Ratio("answer_rate", N_("Answer rate"), "sum:is_answered", "sum:is_offered"),
            Ratio("service_level", N_("Service level"), "sum:in_level", "sum:is_decided"),
            Ratio("abandon_rate", N_("Abandon rate"), "sum:is_abandoned", "sum:is_decided"),
        ),
    )


IN_CLOSED = "i.outcome = 'missed' AND i.reason = 'closed'"
BLOCKED = "i.outcome = 'missed' AND i.reason IN ('full', 'joinempty', 'divert_ca_ratio', 'divert_holdtime')"
RECEIVED = "(i.queued_ts IS NOT NULL OR i.outcome <> '')"
MOVED_ON = "i.outcome = '' AND coalesce(i.end_reason, '') = 'moved_on'"  # to another queue, without a result
WITHOUT_END = (
    "i.ended_ts IS NULL AND coalesce(i.end_reason, '') <> 'moved_on' AND (i.end_bound IS NOT NULL"
    ' OR i.expires_ts <= {now} OR (SELECT s.is_file FROM "source" s WHERE s.id = i.source_id))'
)
# The moment of the entry into the queue; of what entered more than a day later or never, the first event.
ARRIVED = f"CASE WHEN i.queued_ts <= i.first_ms / 1000 + {DAY_S} THEN i.queued_ts ELSE i.first_ms / 1000 END"
HANDLING = '(SELECT coalesce(sum(x.handling_s), 0) FROM "activity" x WHERE x.interaction_id = i.id)'
TARGET = '(SELECT x.sla_seconds FROM "queue" x WHERE x.id = i.queue_id)'
IN_LEVEL = f"i.outcome = 'answered' AND i.wait_s <= {TARGET}"
# The label as a column, the label of their number, the condition.
CONDITIONS = {
    "is_answered": (N_("Answered"), "", "i.outcome = 'answered'"),
    "is_abandoned": (N_("Abandoned"), "", "i.outcome = 'abandoned'"),
    "is_closed": (N_("While closed"), "", IN_CLOSED),
    "is_blocked": (N_("Blocked"), "", BLOCKED),
    "is_lost": (N_("Lost otherwise"), "", f"i.outcome = 'missed' AND NOT ({IN_CLOSED}) AND NOT ({BLOCKED})"),
    "is_entered": (N_("Entered"), "", "i.queued_ts IS NOT NULL"),
    "is_moved_on": (N_("Moved on"), "", MOVED_ON),
    "is_unfinished": (N_("Unfinished"), "", f"i.outcome = '' AND NOT ({MOVED_ON})"),
    "is_without_end": (N_("Without an end"), "", WITHOUT_END),
    "is_wait_known": ("", N_("With a known wait"), "i.wait_s IS NOT NULL"),
    "is_received": ("", N_("Received"), RECEIVED),
    "is_offered": ("", N_("Received while open"), f"{RECEIVED} AND NOT ({IN_CLOSED})"),
    # What counts for the service level: answered or lost while the queue was open.
    "is_decided": ("", N_("Counted for the service level"), f"i.outcome <> '' AND NOT ({IN_CLOSED})"),
    "in_level": (N_("Within service level"), "", IN_LEVEL),
}
QUEUE_FIELDS = (
    Field("name", N_("Name"), Type.TEXT, "q.name"),
    Field("label", N_("Name"), Type.TEXT, "q.label"),
    Field("channel", N_("Channel"), Type.TEXT, "q.channel", CHANNELS),
    Field("service_level", N_("Service level"), Type.DURATION, "q.sla_seconds"),
    Field("weight", N_("Weight"), Type.NUMBER, "q.weight"),
    Field("active", N_("Active"), Type.YES_NO, yes("q.deactivated_ts IS NULL")),
)
INTERACTION_FIELDS = (
    Field("id", N_("Number"), Type.TEXT, "i.external_id"),
    Field("channel", N_("Channel"), Type.TEXT, "i.channel", CHANNELS),
    Field("direction", N_("Direction"), Type.CHOICE, "i.direction", DIRECTIONS),
    Field("created", N_("Started at"), Type.MOMENT, "i.first_ms", scale=1000),
    Field("arrived", N_("Arrived at"), Type.MOMENT, ARRIVED),
    Field("queued", N_("Queued at"), Type.MOMENT, "i.queued_ts"),
    Field("answered", N_("Answered at"), Type.MOMENT, "i.answered_ts"),
    Field("ended", N_("Ended at"), Type.MOMENT, "i.ended_ts"),
    Field("queue", N_("Queue"), Type.QUEUE, "i.queue_id"),
    Field("contact", N_("Contact"), Type.CONTACT, "i.contact_id"),
    Field("user_at_completion", N_("Completed by"), Type.USER, "i.completed_by"),
    Field("outcome", N_("Result"), Type.CHOICE, "i.outcome", OUTCOMES),
    Field("reason", N_("Reason"), Type.TEXT, "i.reason", REASONS),
    Field("wait", N_("Waiting time"), Type.DURATION, "i.wait_s"),
    Field("talk", N_("Talk time"), Type.DURATION, "i.talk_s"),
    Field("handling", N_("Handling time"), Type.DURATION, HANDLING),
    Field("target", N_("Target"), Type.DURATION, TARGET),
    Field("timeouts", N_("Timeouts"), Type.NUMBER, "coalesce(i.timeouts, 0)"),
    *(
        Field(name, label, Type.YES_NO, yes(condition), counted=counted)
        for name, (label, counted, condition) in CONDITIONS.items()
    ),
)
