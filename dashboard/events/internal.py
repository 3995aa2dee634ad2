"""Events that Stopa records itself: audited actions, health checks, actions of rules."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from dashboard import clock
from dashboard.db import database, dialect
from dashboard.db.locks import Lock
from dashboard.events import record, switches
from dashboard.jobs import queue as jobs
from dashboard.models import EventCause

SOURCE = "stopa"
SAMPLE = "stopa-sample"  # the source of sample data


def append(
    type_: str,
    data: Mapping[str, Any],
    user_id: int | None = None,
    queue_id: int | None = None,
    interaction: str | None = None,
    source_id: int | None = None,
    chain: Sequence[int] = (),
    time_ms: int | None = None,
    identity: str = "",
    session: str | None = None,
    contact: Mapping[str, str] | None = None,
) -> int | None:
    """Append an event in the caller's transaction, enqueue its digest job, and return the event's id.

    `type_` is a canonical name. Nothing is validated, because the caller is trusted code. Returns None if
    an administrator has turned the type off, or if there is an event with this `identity` already: what has
    happened once is recorded at most once, by whichever worker and however often it is found. `source_id`
    defaults to the internal source; give the source of the `interaction` if there is one. `time_ms` defaults
    to now. `chain` lists the ids of the rules that caused the event, oldest first. `session` is the session
    of a visitor, such as the token of a visit; `contact` is the customer: phone, email, name.
    """
    if not switches.recorded(type_):
        return None
    with database.atomic():
        dialect.adding(Lock.APPENDING)
        source = _source() if source_id is None else source_id
        moment = clock.now_ms()
        row = (
            source,
            identity or str(uuid.uuid4()),
            type_,
            moment if time_ms is None else time_ms,
            moment,
            0,
            user_id,
            queue_id,
            interaction,
            None if contact is None else json.dumps(contact, ensure_ascii=False),
            session,
            json.dumps(data, ensure_ascii=False),
        )
        added = dialect.insert_numbered("event", record.COLUMNS, [row])
        if not added.rows:
            return None
        if chain:
            EventCause.create(event_id=added.to, chain=list(chain))
        if interaction is not None or switches.in_rules(type_):  # otherwise a digest would do nothing
            jobs.enqueue("digest", {"after": added.after, "to": added.to, "source": source})
    return added.to


def _source() -> int:
    return dialect.ids_by_name("source", "name", [SOURCE]).get(SOURCE) or int(record.source(SOURCE).id)
