"""The entities that several data sources join: interactions, queues and users. Pure."""

from __future__ import annotations

from dashboard.catalog.channels import CHANNELS
from dashboard.i18n.message import N_
from dashboard.sources.types import Entity, Field, Type

OUTCOMES = {"answered": N_("Answered"), "abandoned": N_("Abandoned"), "missed": N_("Not answered")}
DIRECTIONS = {"in": N_("Inbound"), "out": N_("Outbound"), "internal": N_("Internal")}


def yes(condition: str) -> str:
    return f"CASE WHEN {condition} THEN 1 ELSE 0 END"


def user(name: str, column: str) -> Entity:
    return Entity(
        name,
        N_("User"),
        "p.id",
        (
            Field("login", N_("User name"), Type.TEXT, "p.login"),
            Field("name", N_("Name"), Type.TEXT, "p.name"),
            Field("extension", N_("Extension"), Type.TEXT, "p.extension"),
            Field("active", N_("Active"), Type.YES_NO, yes("p.deactivated_ts IS NULL")),
        ),
        join=f'LEFT JOIN "user" p ON p.id = {column}',
    )


def queue(column: str, content: bool = False) -> Entity:
    return Entity(
        "queue",
        N_("Queue"),
        "q.id",
        (
            Field("name", N_("Name"), Type.TEXT, "q.name", content=content),
            Field("label", N_("Name"), Type.TEXT, "q.label", content=content),
            Field("channel", N_("Channel"), Type.TEXT, "q.channel", CHANNELS, content=content),
            Field("service_level", N_("Service level"), Type.DURATION, "q.sla_seconds", content=content),
            Field("active", N_("Active"), Type.YES_NO, yes("q.deactivated_ts IS NULL"), content=content),
        ),
        join=f'LEFT JOIN "queue" q ON q.id = {column}',
    )


IN_LEVEL = (
    "i.outcome = 'answered' AND i.wait_s <= (SELECT x.sla_seconds FROM \"queue\" x WHERE x.id = i.queue_id)"
)


def interaction(join: str = "", content: bool = False) -> Entity:
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
            Field("is_answered", N_("Answered"), Type.YES_NO, yes("i.outcome = 'answered'"), content=content),
            Field(
                "is_abandoned", N_("Abandoned"), Type.YES_NO, yes("i.outcome = 'abandoned'"), content=content
            ),
            # What counts for the service level: answered or lost while the queue was open.
            Field(
                "is_decided",
                "",
                Type.YES_NO,
                yes("i.outcome <> '' AND NOT (i.outcome = 'missed' AND i.reason = 'closed')"),
                content=content,
            ),
            Field(
                "is_received",
                "",
                Type.YES_NO,
                yes("i.queued_ts IS NOT NULL OR i.outcome <> ''"),
                content=content,
            ),
            Field("in_level", N_("Within service level"), Type.YES_NO, yes(IN_LEVEL), content=content),
        ),
        join=join,
    )
