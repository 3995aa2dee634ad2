"""Runs what is due, for ever or until nothing is.

A worker has lanes, each a thread or several, so that what is slow in one holds up no other: the engine
(digests, and what is due by the clock), the work (every other kind of job), and those of dashboard.registry,
such as deliveries.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from types import FrameType
from typing import Any, NamedTuple

from flask import Flask, has_app_context

from dashboard.db import connected, database, failure, migrate
from dashboard.jobs import queue
from dashboard.models import Job

log = logging.getLogger("stopa.worker")
IDLE_S = 0.25
AWAY_S = 2.0
ENGINE = ["digest"]  # kinds of jobs that the engine's lane runs, and no other


class Lane(NamedTuple):
    """Work that is no job: `claim` takes a piece or returns None, `carry` does it, on so many threads.

    One thread at a time looks for work; `carry` must not raise.
    """

    claim: Callable[[], Any]
    carry: Callable[[Any], None]
    threads: int


# Filled by dashboard.registry. A tick runs in the engine's lane besides digests, four times a second at
# least; it returns how much it has done, 0 when nothing was due, and must then cost next to nothing.
TICKS: dict[str, Callable[[], int]] = {}
LANES: dict[str, Lane] = {}
_app: Flask | None = None


def init(app: Flask) -> None:
    """Run all that follows in the application's context: texts and settings are read there."""
    global _app
    _app = app


def drain(kinds: list[str] | None = None) -> int:
    """Run all that is due now, in this process, and return how much that was.

    With `kinds` only jobs of these; else also what is due by the clock, and what the lanes hold.
    """
    done = 0
    while taken := turn(name(), kinds) or (_due() if kinds is None else 0):
        done += taken
    return done


def forever() -> str:
    """Run all lanes until SIGTERM or SIGINT; what they have in hand is finished first.

    Returns "", or the reason why the worker ended by itself: the database is of another version.
    """
    reasons: list[str] = []
    stopping = False  # a plain name: Event.set() in a handler can lock up with the wait() it interrupts

    def ask(_number: int, _frame: FrameType | None) -> None:
        nonlocal stopping
        stopping = True

    def stopped() -> bool:
        return stopping or bool(reasons)

    signal.signal(signal.SIGTERM, ask)
    signal.signal(signal.SIGINT, ask)
    threads = [
        threading.Thread(target=_keep, args=(one, stopped, reasons.append), name=label)
        for label, one in (("engine", _engine), ("work", _work), *_lanes(stopped))
    ]
    for thread in threads:
        thread.start()
    while not stopped():
        time.sleep(IDLE_S)
    for thread in threads:
        thread.join()
    return reasons[0] if reasons else ""


def turn(worker: str, kinds: list[str] | None = None) -> int:
    """Claim and run one batch; an error goes onto the job's row, the worker goes on."""
    jobs = queue.claim(worker, kinds)
    if jobs:
        with _context():
            _run(jobs)
    return len(jobs)


def _keep(one: Callable[[], int], stopped: Callable[[], bool], end: Callable[[str], None]) -> None:
    """Call `one` until the worker stops. The thread keeps its connection: opening one costs milliseconds.

    `end` gets the reason why the worker must stop: the database is of another version.
    """
    while not stopped():
        try:
            with connected():
                while not stopped():
                    migrate.check(database.obj, migrate.CHECK_S)
                    if not one():
                        time.sleep(IDLE_S)
        except migrate.VersionError as error:
            end(failure.explain(error))
        except Exception as error:
            if failure.is_away(error):
                log.warning("%s", failure.explain(error))
            else:
                log.exception("a lane of the worker failed")
            _pause()


def _pause() -> None:
    if not database.is_closed():
        database.close()
    time.sleep(AWAY_S)


def _engine() -> int:
    return turn(name(), ENGINE) + _ticks()


def _work() -> int:
    kinds = [kind for kind in queue.HANDLERS if kind not in ENGINE]
    return turn(name(), kinds) if kinds else 0


def _ticks() -> int:
    done = 0
    for label, act in list(TICKS.items()):
        try:
            with _context():
                done += act()
        except Exception as error:
            if failure.is_away(error):
                raise
            log.exception("%s failed", label)
    return done


def _lanes(stopped: Callable[[], bool]) -> list[tuple[str, Callable[[], int]]]:
    found = []
    for label, each in LANES.items():
        one = _scout(each, threading.Lock(), threading.Event(), stopped)
        found += [(f"{label} {number}", one) for number in range(each.threads)]
    return found


def _scout(
    lane: Lane, looking: threading.Lock, ended: threading.Event, stopped: Callable[[], bool]
) -> Callable[[], int]:
    """Return what each thread of a lane does in turn: look for a piece of work, and do it.

    One thread looks, the others sleep at the lock without asking the database. A piece that ends wakes the
    one that looks: what was full has room again.
    """

    def one() -> int:
        with looking:
            found = None
            while found is None and not stopped():
                ended.clear()
                with _context():
                    found = lane.claim()
                if found is None:
                    ended.wait(IDLE_S)
        if found is not None:
            try:
                with _context():
                    lane.carry(found)
            finally:
                ended.set()
        return 1

    return one


def _due() -> int:
    """Do what is due by the clock and, one by one, what the lanes hold now."""
    done = _ticks()
    for each in LANES.values():
        with _context():
            while (found := each.claim()) is not None:
                each.carry(found)
                done += 1
    return done


def _context() -> AbstractContextManager[Any]:
    """Return a fresh context of the application; none where one is at hand, or no application is."""
    return nullcontext() if _app is None or has_app_context() else _app.app_context()


def _run(jobs: list[Job]) -> None:
    try:
        queue.HANDLERS[jobs[0].kind].run(jobs)
    except Exception as error:
        if failure.is_away(error):
            queue.WORK.release(jobs)  # when this fails too, the lease runs out
            raise
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
