"""The entities that several data sources join: interactions, queues and users. Pure."""

from __future__ import annotations

from dataclasses import replace

from dashboard.catalog.channels import CHANNELS
from dashboard.i18n.message import N_
from dashboard.sources.types import Entity, Field, Ratio, Type

OUTCOMES = {"answered": N_("Answered"), "abandoned": N_("Abandoned"), "missed": N_("Not answered")}
DIRECTIONS = {"in": N_("Inbound"), "out": N_("Outbound"), "internal": N_("Internal")}


def yes(condition: str) -> str:
    return f"CASE WHEN {condition} THEN 1 ELSE 0 END"


def user(name: str, column: str) -> Entity:
    return Entity(
        name,
        N_("User"),
        N_("Users"),
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
            Ratio("answer_rate", N_("Answer rate"), "sum:is_answered", "sum:is_decided"),
            Ratio("service_level", N_("Service level"), "sum:in_level", "sum:is_decided"),
            Ratio("abandon_rate", N_("Abandon rate"), "sum:is_abandoned", "sum:is_decided"),
        ),
    )


IN_LEVEL = (
    "i.outcome = 'answered' AND i.wait_s <= (SELECT x.sla_seconds FROM \"queue\" x WHERE x.id = i.queue_id)"
)
QUEUE_FIELDS = (
    Field("name", N_("Name"), Type.TEXT, "q.name"),
    Field("label", N_("Name"), Type.TEXT, "q.label"),
    Field("channel", N_("Channel"), Type.TEXT, "q.channel", CHANNELS),
    Field("service_level", N_("Service level"), Type.DURATION, "q.sla_seconds"),
    Field("active", N_("Active"), Type.YES_NO, yes("q.deactivated_ts IS NULL")),
)
INTERACTION_FIELDS = (
    Field("id", N_("Number"), Type.TEXT, "i.external_id"),
    Field("channel", N_("Channel"), Type.TEXT, "i.channel", CHANNELS),
    Field("direction", N_("Direction"), Type.CHOICE, "i.direction", DIRECTIONS),
    Field("created", N_("Started at"), Type.MOMENT, "i.first_ms", scale=1000),
    Field("queued", N_("Queued at"), Type.MOMENT, "i.queued_ts"),
    Field("answered", N_("Answered at"), Type.MOMENT, "i.answered_ts"),
    Field("ended", N_("Ended at"), Type.MOMENT, "i.ended_ts"),
    Field("queue", N_("Queue"), Type.QUEUE, "i.queue_id"),
    Field("contact", N_("Contact"), Type.CONTACT, "i.contact_id"),
    Field("user_at_completion", N_("Completed by"), Type.USER, "i.completed_by"),
    Field("outcome", N_("Result"), Type.CHOICE, "i.outcome", OUTCOMES),
    Field("reason", N_("Reason"), Type.TEXT, "i.reason"),
    Field("wait", N_("Waiting time"), Type.DURATION, "i.wait_s"),
    Field("talk", N_("Talk time"), Type.DURATION, "i.talk_s"),
    Field("timeouts", N_("Timeouts"), Type.NUMBER, "coalesce(i.timeouts, 0)"),
    Field("is_answered", N_("Answered"), Type.YES_NO, yes("i.outcome = 'answered'")),
    Field("is_abandoned", N_("Abandoned"), Type.YES_NO, yes("i.outcome = 'abandoned'")),
    # What counts for the service level: answered or lost while the queue was open.
    Field(
        "is_decided",
        "",
        Type.YES_NO,
        yes("i.outcome <> '' AND NOT (i.outcome = 'missed' AND i.reason = 'closed')"),
        counted=N_("Counted for the service level"),
    ),
    Field(
        "is_received",
        "",
        Type.YES_NO,
        yes("i.queued_ts IS NOT NULL OR i.outcome <> ''"),
        counted=N_("Received"),
    ),
    Field("in_level", N_("Within service level"), Type.YES_NO, yes(IN_LEVEL)),
)
