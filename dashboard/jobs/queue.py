"""Jobs: work that is committed with its cause and run in the background; see jobs.work for the guarantees."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, NamedTuple

import peewee

from dashboard import clock
from dashboard.db import database, dialect
from dashboard.db.locks import Lock
from dashboard.jobs import counters
from dashboard.jobs.work import RUNNING, WAITING, Work, pause_ms
from dashboard.models import Job

RETRIES_S = (5, 30, 120, 600, 3600)
DIED = "The worker ended without a word at every try."


class Permanent(Exception):  # noqa: N818  it says what is the matter
    """Raised by a handler whose job cannot succeed however often it is retried."""


class Handler(NamedTuple):
    """What runs jobs of a kind. `run` must be idempotent: a job runs twice when its lease expires."""

    run: Callable[[list[Job]], None]
    batch: int = 1  # how many waiting jobs of the kind one call may take
    keep: bool = True  # done rows stay to be seen
    gave_up: Callable[[Job, str], None] | None = None  # called with the error of a job that is given up


HANDLERS: dict[str, Handler] = {}  # by kind; filled by dashboard.registry
WORK: Work[Job] = Work(Job, Lock.CLAIM_JOB, RETRIES_S, lambda job: fail([job], DIED))


def enqueue(kind: str, args: dict[str, Any], key: str | None = None, due_ms: int | None = None) -> None:
    """Add a job in the caller's transaction; with `key`, at most one unfinished job of that key."""
    moment = clock.now_ms()
    record = (kind, key, json.dumps(args), WAITING, 0, due_ms or moment, "", 0, 0, "", moment)
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
    """Take the oldest due jobs of one kind, or none."""
    known = Job.kind.in_(kinds or list(HANDLERS))
    return WORK.claim(worker, known, lambda job: (Job.kind == job.kind, HANDLERS[job.kind].batch))


def finish(jobs: list[Job]) -> None:
    """Mark jobs as done, or delete them if their kind keeps no record."""
    counters.add("jobs", len(jobs), kind=jobs[0].kind, result="done")
    if HANDLERS[jobs[0].kind].keep:
        WORK.end(jobs, "done", key=None, finished_ms=clock.now_ms(), error="")
    else:
        Job.delete().where(WORK.as_claimed(jobs)).execute()


def fail(jobs: list[Job], error: str, permanent: bool = False) -> None:
    """Retry after the pauses of RETRIES_S; then, or at once when `permanent`, give up visibly.

    The handler of the kind is then called, in the transaction that ends the job, to mark what the job was to
    make as failed.
    """
    for job in jobs:
        pause = None if permanent else pause_ms(RETRIES_S, job.attempts)
        counters.add("jobs", kind=job.kind, result="failed" if pause is None else "retried")
        if pause is None:
            with database.atomic():
                WORK.end([job], "failed", key=None, finished_ms=clock.now_ms(), error=error)
                handler = HANDLERS.get(job.kind)
                if handler is not None and handler.gave_up is not None:
                    handler.gave_up(job, error)
        else:
            WORK.retry(job, pause, error=error)


def progress(job_id: int, done: int, total: int) -> None:
    """Note how far a long job is."""
    Job.update(progress=done, total=total).where(Job.id == job_id).execute()


def waiting(kinds: list[str] | None = None) -> int:
    """Count jobs that are not finished."""
    query = Job.select(peewee.fn.COUNT(Job.id)).where(Job.state.in_([WAITING, RUNNING]))
    if kinds:
        query = query.where(Job.kind.in_(kinds))
    return int(query.scalar() or 0)
