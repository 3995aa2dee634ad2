"""Sample data: whether they are loaded, and how they go with all that came of them.

They are events of a source of their own with users, queues and pause types whose names begin with PREFIX.
`demo.sample` makes them; one job at a time loads or removes them.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, NamedTuple

from peewee import fn

from dashboard import clock
from dashboard.audit import record as audit
from dashboard.audit.record import Actor
from dashboard.db import database, dialect, pieces
from dashboard.db.prepared import plain
from dashboard.events import internal, record
from dashboard.ingest.imports import removal
from dashboard.jobs import queue
from dashboard.models import (
    AccessGrant,
    ApiKey,
    Connector,
    Event,
    FileImport,
    Interaction,
    Job,
    PauseType,
    Queue,
    Source,
    User,
)

NAME = internal.SAMPLE  # of the source, which nobody else can use
PREFIX = "sample-"  # of logins, and of names of queues and pause types
KIND = "sample"  # of the job


class Work(StrEnum):
    LOAD = "load"
    REMOVE = "remove"


class Sample(NamedTuple):
    """`work` is what a job does or failed to do with `error`; None while nothing is left to do."""

    loaded: bool
    work: Work | None
    share: float
    error: str


def read() -> Sample:
    job = Job.select().where(Job.kind == KIND).order_by(Job.id.desc()).first()
    if job is None or job.state == "done":
        return Sample(is_loaded(), None, 0, "")
    share = min(job.progress / job.total, 1) if job.total else 0
    return Sample(is_loaded(), Work(job.args["work"]), share, job.error if job.state == "failed" else "")


def is_loaded() -> bool:
    return bool(Source.select(Source.id).where(Source.name == NAME).exists())


def start(work: Work, actor: Actor) -> None:
    """Queue the job, unless one waits or runs or the data are loaded; it loads data up to now."""
    if work is Work.LOAD and read() == Sample(True, None, 0, ""):
        return
    args = {"work": work.value, "now": clock.now_s(), "actor": actor}
    queue.enqueue(KIND, args, key=KIND)


def actor_of(job: Job) -> Actor:
    """Return who started a job."""
    type_, ident, label = job.args["actor"]
    return type_, ident, label


def remove(job: Job) -> None:
    """Remove the events, what was made of them, and users, queues and pause types that nobody has changed.

    What other events or a role name stays. Interrupted, it goes on with what is left.
    """
    source = Source.get_or_none(Source.name == NAME)
    if source is None:
        return
    total, removed = pieces.count(Event.select().where(Event.source_id == source.id)), 0
    for number in removal.remove(source.id, [(0, dialect.highest_id("event"))]):
        removed += number
        queue.progress(job.id, removed, max(total, removed))
    with database.atomic():
        u, q, e, i = User, Queue, Event, Interaction
        own = Source.select(Source.id).where(Source.name == internal.SOURCE)
        known = e.select(e.id).where((e.user_id == u.id) & e.source_id.not_in(own))
        _leave(u, u.login, u.access.is_null() & u.password_hash.is_null() & ~_granted(u) & ~fn.EXISTS(known))
        waited = e.select(e.id).where(e.queue_id == q.id)
        kept = i.select(i.id).where(i.queue_id == q.id)
        _leave(q, q.name, ~_granted(q) & ~fn.EXISTS(waited) & ~fn.EXISTS(kept))
        PauseType.delete().where(PauseType.name.startswith(PREFIX) & (PauseType.version == 1)).execute()
        target, details = ("source", source.id, NAME), {"events": removed}
        audit.record("import.undone", "d", target, details=details, actor=actor_of(job))
        _leave_source(source.id)
        record.forget_logins()


def _granted(model: Any) -> Any:
    """Return the condition that a role names the user or queue."""
    kind, a = "users" if model is User else "queues", AccessGrant
    return fn.EXISTS(a.select(a.id).where((a.kind == kind) & (a.ref_id == model.id)))


def _leave(model: Any, name: Any, unused: Any) -> None:
    """Delete the rows of the sample that nobody has changed.

    The last row of the table is deactivated instead: SQLite would give its id, under which the audit log
    names it, to the next one.
    """
    made = name.startswith(PREFIX) & (model.version == 1) & unused
    ids = {ident for (ident,) in plain(model.select(model.id).where(made))}
    if model is User:  # what Stopa recorded of looks at them
        Event.delete().where(Event.user_id.in_(sorted(ids))).execute()
    last = model.select(fn.MAX(model.id)).scalar()
    model.delete().where(model.id.in_(sorted(ids - {last}))).execute()
    if last in ids:
        model.update(deactivated_ts=clock.now_s()).where(model.id == last).execute()


def _leave_source(source: int) -> None:
    """Delete the source, unless something else belongs to it."""
    for column in (ApiKey.source_id, Connector.source, FileImport.source_id, Interaction.source):
        if column.model.select().where(column == source).exists():
            return
    Source.delete().where(Source.id == source).execute()
