"""Runs what is due, for ever or until nothing is."""

from __future__ import annotations

import logging
import os
import signal
import socket
import time
from types import FrameType

import peewee

from dashboard.db import connected, database
from dashboard.jobs import queue
from dashboard.models import Job

log = logging.getLogger("stopa.worker")
IDLE_S = 0.25
AWAY_S = 2.0


def drain(kinds: list[str] | None = None) -> int:
    """Run all that is due now, in this process; return how many jobs were run."""
    done = 0
    while taken := turn(name(), kinds):
        done += taken
    return done


def forever() -> None:
    """Run until SIGTERM or SIGINT; the job in hand is finished first."""
    stopping = False  # a plain name: Event.set() in a handler can lock up with the wait() it interrupts

    def ask(_number: int, _frame: FrameType | None) -> None:
        nonlocal stopping
        stopping = True

    signal.signal(signal.SIGTERM, ask)
    signal.signal(signal.SIGINT, ask)
    while not stopping:
        try:
            with connected():
                if not turn(name()):
                    time.sleep(IDLE_S)
        except (peewee.OperationalError, peewee.InterfaceError) as error:
            log.warning("database away: %s", error)
            if not database.is_closed():
                database.close()
            time.sleep(AWAY_S)


def turn(worker: str, kinds: list[str] | None = None) -> int:
    """Claim and run one batch; an error goes onto the job's row, the worker goes on."""
    jobs = queue.claim(worker, kinds)
    if jobs:
        _run(jobs)
    return len(jobs)


def _run(jobs: list[Job]) -> None:
    try:
        queue.HANDLERS[jobs[0].kind].run(jobs)
    except (peewee.OperationalError, peewee.InterfaceError):
        queue.release(jobs)  # when this fails too, the lease runs out
        raise
    except Exception as error:
        if len(jobs) > 1:  # one of them may be at fault; its neighbours must not be given up with it
            for job in jobs:
                _run([job])
            return
        log.exception("job %s failed", jobs[0].kind)
        queue.fail(jobs, f"{type(error).__name__}: {error}", isinstance(error, queue.Permanent))
    else:
        queue.finish(jobs)


def name() -> str:
    return f"{socket.gethostname()}:{os.getpid()}"
