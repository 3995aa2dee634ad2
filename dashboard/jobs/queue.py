"""A durable queue in the database: committed with its cause, claimed under a lease, retried, visible."""

from __future__ import annotations

import functools
import json
import operator
from collections.abc import Callable
from typing import Any, NamedTuple

import peewee

from dashboard import clock
from dashboard.db import database, dialect
from dashboard.models import Job

LEASE_S = 60  # a killed worker's jobs are taken up again after this; renewed by progress()
RETRIES_S = (5, 30, 120, 600, 3600)
ERROR_MAX = 1000
DIED = "The worker ended without a word at every try."


class Permanent(Exception):  # noqa: N818  it says what is the matter
    """Raised by a handler whose job cannot succeed however often it is tried."""


class Handler(NamedTuple):
    """What runs jobs of a kind. `run` must be idempotent: a job runs twice when its lease expires."""

    run: Callable[[list[Job]], None]
    batch: int = 1  # how many waiting jobs of the kind one call may take
    keep: bool = True  # done rows stay to be seen


HANDLERS: dict[str, Handler] = {}  # by kind; filled by dashboard.registry


def enqueue(kind: str, args: dict[str, Any], key: str | None = None, due_ms: int | None = None) -> None:
    """Add a job in the caller's transaction; with `key`, at most one unfinished job of that key."""
    moment = clock.now_ms()
    record = (kind, key, json.dumps(args), "waiting", 0, due_ms or moment, "", 0, 0, "", moment)
    names = (
        "kind",
        "key",
        "args",
        "state",
        "attempts",
        "due_ms",
        "worker",
        "progress",
        "total",
        "error",
        "created_ms",
    )
    dialect.insert_many("job", names, [record], ignore_repeats=key is not None)


def claim(worker: str, kinds: list[str] | None = None) -> list[Job]:
    """Take the oldest due jobs of one kind, or none. A row changed from waiting is ours alone.

    Jobs whose lease ran out count as waiting again; one whose worker has died at every try is
    given up.
    """
    moment = clock.now_ms()
    free = (Job.state == "waiting") | ((Job.state == "running") & (Job.lease_ms < moment))
    due = free & (Job.due_ms <= moment) & Job.kind.in_(kinds or list(HANDLERS))
    if not Job.select(Job.id).where(due).exists():
        return []  # looking costs no write transaction
    with database.atomic():
        first = dialect.unlocked(Job.select().where(due).order_by(Job.due_ms, Job.id).limit(1)).first()
        if first is None:
            return []
        most = HANDLERS[first.kind].batch
        query = Job.select().where(due & (Job.kind == first.kind)).order_by(Job.due_ms, Job.id).limit(most)
        found = list(dialect.unlocked(query))
        taken = [job for job in found if job.attempts <= len(RETRIES_S)]
        fail([job for job in found if job not in taken], DIED)
        lease = moment + LEASE_S * 1000
        Job.update(state="running", lease_ms=lease, worker=worker, attempts=Job.attempts + 1).where(
            Job.id.in_([job.id for job in taken])
        ).execute()
    for job in taken:
        job.state, job.attempts = "running", job.attempts + 1
    return taken or claim(worker, kinds)  # all were given up: the next ones may be due


def finish(jobs: list[Job]) -> None:
    """Mark as done, or drop where the kind keeps no trace."""
    if HANDLERS[jobs[0].kind].keep:
        done = Job.update(state="done", key=None, finished_ms=clock.now_ms(), error="")
        done.where(_as_claimed(jobs)).execute()
    else:
        Job.delete().where(_as_claimed(jobs)).execute()


def fail(jobs: list[Job], error: str, permanent: bool = False) -> None:
    """Try again after 5 s, 30 s, 2 min, 10 min, 1 h; then, or at once, give up visibly."""
    for job in jobs:
        if not permanent and job.attempts <= len(RETRIES_S):
            due = clock.now_ms() + RETRIES_S[job.attempts - 1] * 1000
            change: dict[str, Any] = {"state": "waiting", "due_ms": due}
        else:
            change = {"state": "failed", "key": None, "finished_ms": clock.now_ms()}
        Job.update(error=error[:ERROR_MAX], **change).where(_as_claimed([job])).execute()


def release(jobs: list[Job]) -> None:
    """Give claimed jobs back untried: the database was away, the work was not at fault."""
    Job.update(state="waiting", attempts=Job.attempts - 1).where(_as_claimed(jobs)).execute()


def _as_claimed(jobs: list[Job]) -> Any:
    """Return the condition that the jobs are as claim() left them: one that another worker has taken
    up since, because this one's lease ran out, is no longer ours to end."""
    each = [(Job.id == job.id) & (Job.attempts == job.attempts) & (Job.state == job.state) for job in jobs]
    return functools.reduce(operator.or_, each)


def progress(job_id: int, done: int, total: int) -> None:
    """Note how far a long job is, and renew its lease."""
    Job.update(progress=done, total=total, lease_ms=clock.now_ms() + LEASE_S * 1000).where(
        Job.id == job_id
    ).execute()


def waiting(kinds: list[str] | None = None) -> int:
    """Count jobs that are not finished."""
    query = Job.select(peewee.fn.COUNT(Job.id)).where(Job.state.in_(["waiting", "running"]))
    if kinds:
        query = query.where(Job.kind.in_(kinds))
    return int(query.scalar() or 0)
