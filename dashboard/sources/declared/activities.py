"""The data sources of interactions and of activities, the work of one user on one interaction. Pure."""

from __future__ import annotations

from dashboard.access.permissions import Permission
from dashboard.catalog.channels import CHANNELS
from dashboard.i18n.message import N_
from dashboard.sources.declared.entities import DIRECTIONS, interaction, queue, team, user, yes
from dashboard.sources.types import Entity, Field, Ratio, Source, Type

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

INTERACTIONS = Source(
    "interactions",
    '"interaction" i',
    (interaction(), queue("i.queue_id")),
    moment="created",
    grain=N_("One row is one contact of a customer."),
    timed_by="arrived",
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
            N_("Activities"),
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
                Field(
                    "is_missed",
                    "",
                    Type.YES_NO,
                    yes("a.state IN ('missed', 'rejected') AND a.channel <> 'dialled'"),
                    counted=N_("Not taken"),
                ),
                Field("is_closed", N_("Closed"), Type.YES_NO, yes("a.closed_ts IS NOT NULL")),
                Field("inferred", N_("Inferred"), Type.YES_NO, yes("a.inferred")),
            ),
            ratios=(Ratio("not_taken_rate", N_("Share not taken"), "sum:is_missed", "count"),),
        ),
        interaction('JOIN "interaction" i ON i.id = a.interaction_id', content=True),
        queue("a.queue_id", content=True),
        user("user", "a.user_id"),
        team("a.user_id"),
    ),
    moment="start",
    grain=N_("One row is one user's work on one interaction."),
    permission=Permission.TRACING_VIEW,
    queues="a.queue_id",
    own="a.user_id = {viewer}",
    users="a.user_id",
    opaque=True,
)
