"""The data source of interactions: a row is a customer contact. Pure."""

from __future__ import annotations

from dashboard.access.permissions import Permission
from dashboard.i18n.message import N_
from dashboard.sources.entities import interaction, queue
from dashboard.sources.types import Source

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
