"""What a person may do with deliveries: send again, cancel. One transaction, its audit entry inside."""

from __future__ import annotations

from collections.abc import Collection

from dashboard.audit import record as audit
from dashboard.db import database
from dashboard.notify import outbox

ACTS = {
    "replay": (outbox.replay, "delivery.replayed"),
    "cancel": (outbox.cancel, "delivery.cancelled"),
}


def do(op: str, ids: Collection[int]) -> int:
    """Replay or cancel the deliveries, and return how many there was anything to do for."""
    act, name = ACTS[op]
    with database.atomic():
        done = act(ids)
        if done:
            audit.record(name, "u", ("delivery", min(ids), ""), details={"rows": done})
    return done
