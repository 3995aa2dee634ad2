"""The data source of user events: a row is an action of a user on an interaction. Pure."""

from __future__ import annotations

from dashboard import catalog
from dashboard.access.permissions import Permission
from dashboard.i18n.message import N_
from dashboard.sources.declared.entities import interaction, queue, team, user, yes
from dashboard.sources.types import Entity, Field, Ratio, Source, Type

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
DECIDED = ("accepted", "rejected", "ignored", "missed")  # what becomes of an offer


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
            N_("User events"),
            "e.id",
            (
                Field("id", N_("Number"), Type.ID, "e.id"),
                Field("time", N_("Time"), Type.MOMENT, "e.time_ms", scale=1000),
                Field("kind", N_("Action"), Type.CHOICE, _kind(), KINDS),
                Field("type", N_("Event type"), Type.TEXT, "e.type"),
                Field("user", N_("User"), Type.USER, "e.user_id"),
                *(
                    Field(f"is_{kind}", "", Type.YES_NO, yes(f"e.type IN ({_named(kind)})"), counted=label)
                    for kind, label in KINDS.items()
                ),
                Field(
                    "is_decided",
                    "",
                    Type.YES_NO,
                    yes(f"e.type IN ({', '.join(_named(kind) for kind in DECIDED)})"),
                    counted=N_("Offers decided"),
                ),
            ),
            ratios=(
                Ratio("accept_rate", N_("Share of offers accepted"), "sum:is_accepted", "sum:is_decided"),
                Ratio(
                    "per_interaction",
                    N_("User events per interaction"),
                    "count",
                    "count:interaction",
                    Type.NUMBER,
                ),
            ),
        ),
        interaction(),
        queue("i.queue_id"),
        user("user", "e.user_id"),
        team("e.user_id"),
    ),
    moment="time",
    grain=N_("One row is one action of a user on an interaction."),
    permission=Permission.TRACING_VIEW,
    queues="i.queue_id",
    own="e.user_id = {viewer}",
    users="e.user_id",
    id_searched="i.external_id",
    contact="i.contact_id",
    # The expression keeps SQLite from the index of types, which would sort all rows of a period.
    where=f"e.user_id IS NOT NULL AND e.type || '' IN ({', '.join(_named(kind) for kind in KINDS)})",
)
