"""The data source of waits: a row is a stay of a contact in a queue. Pure.

Stays are no table: the reader that `dashboard.registry` names makes them from the events of interactions.
"""

from __future__ import annotations

from dashboard.access.permissions import Permission
from dashboard.i18n.message import N_
from dashboard.sources.declared.entities import OUTCOMES, REASONS, interaction, queue, yes
from dashboard.sources.types import Entity, Field, Made, Ratio, Source, Type

RESULTS = {**OUTCOMES, "moved_on": N_("Moved on"), "waiting": N_("Waiting")}
IN_LEVEL = (
    "w.result = 'answered' AND w.wait_s <= (SELECT x.sla_seconds FROM \"queue\" x WHERE x.id = w.queue_id)"
)
DECIDED = (
    "w.result IN ('answered', 'abandoned', 'missed') AND NOT (w.result = 'missed' AND w.reason = 'closed')"
)

QUEUE_WAITS = Source(
    "queue_waits",
    "",
    (
        Entity(
            "stay",
            N_("Stay in a queue"),
            N_("Stays in a queue"),
            "w.id",
            (
                Field("id", N_("Number"), Type.ID, "w.id"),
                Field("queue", N_("Queue"), Type.QUEUE, "w.queue_id"),
                Field("entered", N_("Entered at"), Type.MOMENT, "w.entered_ts"),
                Field("left", N_("Left at"), Type.MOMENT, "w.left_ts"),
                Field("wait", N_("Waiting time"), Type.DURATION, "w.wait_s"),
                Field("result", N_("Result"), Type.CHOICE, "w.result", RESULTS),
                Field("reason", N_("Reason"), Type.TEXT, "w.reason", REASONS),
                Field("is_answered", N_("Answered"), Type.YES_NO, yes("w.result = 'answered'")),
                Field("is_abandoned", N_("Abandoned"), Type.YES_NO, yes("w.result = 'abandoned'")),
                Field(
                    "is_decided", "", Type.YES_NO, yes(DECIDED), counted=N_("Counted for the service level")
                ),
                Field("in_level", N_("Within service level"), Type.YES_NO, yes(IN_LEVEL)),
            ),
            ratios=(
                Ratio("service_level", N_("Service level"), "sum:in_level", "sum:is_decided"),
                Ratio("abandon_rate", N_("Abandon rate"), "sum:is_abandoned", "sum:is_decided"),
            ),
        ),
        interaction('JOIN "interaction" i ON i.id = w.interaction_id'),
        queue("w.queue_id"),
    ),
    moment="entered",
    grain=N_("One row is one stay of a contact in a queue."),
    permission=Permission.QUEUES_FIGURES,
    queues="w.queue_id",
    own=(
        'EXISTS (SELECT 1 FROM "activity" x WHERE x.interaction_id = w.interaction_id'
        " AND x.user_id = {viewer})"
    ),
    made=Made(
        "w",
        {
            "id": "bigint",
            "interaction_id": "bigint",
            "queue_id": "bigint",
            "entered_ts": "bigint",
            "left_ts": "bigint",
            "wait_s": "bigint",
            "result": "text",
            "reason": "text",
        },
    ),
)
