"""Loads sample data: the invented centre of the last two weeks as a source of its own, without sign-ins."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import timedelta

from msgspec.structs import replace

from dashboard import clock
from dashboard.audit import record as audit
from dashboard.db import database
from dashboard.db.patience import patient
from dashboard.demo import BATCH, DAYS, HIRED_S, finds, plan
from dashboard.demo.cast import BREAKS, LINES, WORKERS
from dashboard.events import record, switches
from dashboard.i18n import site_zone
from dashboard.ingest.imports import sample_data
from dashboard.ingest.imports.sample_data import NAME, PREFIX, Work
from dashboard.ingest.schema import NewEvent
from dashboard.jobs import queue
from dashboard.models import Job, PauseType, Queue, User


def run(waiting: Sequence[Job]) -> None:
    """Load or remove the sample data; a job that runs twice adds nothing to what it did."""
    job = waiting[0]
    with patient():
        if job.args["work"] == Work.LOAD:
            _load(job)
        else:
            sample_data.remove(job)


def _load(job: Job) -> None:
    """Store the events up to the time of the job. It is history: what is open ends with the last event."""
    now: int = job.args["now"]
    record.forget_logins()
    with database.atomic():
        source = record.source(NAME, is_file=True)
        _names(now)
    events = sorted(_events(now), key=lambda event: (event.time_ms, event.id or ""))
    stored = 0
    for first in range(0, len(events), BATCH):
        batch = events[first : first + BATCH]
        stored += record.append(source.id, batch, rules=False, at_own_time=True).accepted
        queue.progress(job.id, first + len(batch), len(events))
    with database.atomic():
        target, actor = ("source", source.id, NAME), sample_data.actor_of(job)
        audit.record("import.run", "c", target, details={"stored": stored}, actor=actor)


def _names(now: int) -> None:
    """Create users, queues and pause types that are missing, and reactivate a row left by a removal."""
    created = {"created_ts": now - HIRED_S}
    for person in WORKERS:
        User.get_or_create(login=PREFIX + person.login, defaults={"name": person.name, **created})
    for name, label, channel, seconds in LINES:
        more = {"label": label, "channel": channel, "sla_seconds": seconds, **created}
        Queue.get_or_create(name=PREFIX + name, defaults=more)
    for name, label, paid, limit in BREAKS:
        values = {"label": label, "paid": paid, "max_seconds": limit}
        PauseType.get_or_create(name=PREFIX + name, defaults=values)
    for model, column in ((User, User.login), (Queue, Queue.name)):
        mine = column.startswith(PREFIX) & (model.version == 1)
        model.update(deactivated_ts=None).where(mine).execute()


def _events(now: int) -> Iterator[NewEvent]:
    """Yield what happened in the centre in the DAYS before `now` (UTC epoch seconds), of recorded types."""
    zone = site_zone()
    today = clock.local_date(now, zone)
    dates = [today - timedelta(days=back) for back in range(DAYS, -1, -1)]
    pieces = plan.Centre(zone, {}, {}).extended([now]).pieces(dates)
    for piece in finds.added(pieces, now, zone):
        for event in piece.events:
            if event.time_ms <= now * 1000 and switches.recorded(event.type):
                yield _renamed(event)


def _renamed(event: NewEvent) -> NewEvent:
    """Return an event with the names of the sample."""
    data = event.data
    if event.type == "agent.pause_started":
        said = json.loads(data)
        data = json.dumps({**said, "pause": PREFIX + said["pause"]})
    user, line = event.user and PREFIX + event.user, event.queue and PREFIX + event.queue
    return replace(event, user=user, queue=line, data=data)
