"""The worker: runs due jobs, ticks and lanes, for ever or until none is due.

A worker has lanes, each a thread or several, so that what is slow in one holds up no other: the engine
(digests, and what is due by the clock), the calls (jobs that wait for other servers), the imports, the work
(every other kind of job), and those of dashboard.registry, such as deliveries. A loop of dashboard.registry
has a thread of its own.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from itertools import chain
from queue import SimpleQueue
from types import FrameType
from typing import Any, NamedTuple

from flask import Flask, has_app_context

from dashboard.db import connected, database, failure, migrate
from dashboard.jobs import leases, queue
from dashboard.models import Job

log = logging.getLogger("stopa.worker")
IDLE_S = 0.25
AWAY_S = 2.0
WARN_S = 60
ENGINE = ["digest"]  # kinds of jobs that the engine's lane runs, and no other
# Kinds with lanes of their own: what waits for other servers, and what takes minutes.
LANES_OF_KINDS = {"calls": ["account_mail", "channel_check", "mail_test"], "imports": ["import", "sample"]}


class Lane(NamedTuple):
    """Work that is no job: `claim` takes up to so many pieces, `carry` does one, on so many threads.

    A thread of its own claims as many pieces as threads are free; `carry` must not raise.
    """

    claim: Callable[[int], Sequence[Any]]
    carry: Callable[[Any], None]
    threads: int


# Filled by dashboard.registry. A tick runs in the engine's lane besides digests, four times a second at
# least; it returns how much it has done, 0 when nothing was due, and must then cost next to nothing.
TICKS: dict[str, Callable[[], int]] = {}
LANES: dict[str, Lane] = {}
# Each on a thread of its own: does a piece of work and returns how much that was, 0 when nothing is left.
LOOPS: dict[str, Callable[[], int]] = {}
_app: Flask | None = None
_warned: dict[str, float] = {}  # what was logged → when, monotonic


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
    """Run all lanes until SIGTERM or SIGINT; running work is finished first.

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
    threads = threads_of(stopped, reasons.append)
    for thread in threads:
        thread.start()
    log.info("worker %s is running", name())
    while not stopped():
        time.sleep(IDLE_S)
    for thread in threads:
        thread.join()
    return reasons[0] if reasons else ""


def threads_of(stopped: Callable[[], bool], end: Callable[[str], None]) -> list[threading.Thread]:
    """Return the threads of all lanes and loops, each with a connection of its own. Arguments as of _keep."""
    threads = [
        threading.Thread(target=_keep, args=(one, stopped, end), name=label)
        for label, one in (("engine", _engine), ("work", _work), *_lanes_of_kinds())
    ]
    for label, loop in LOOPS.items():
        threads.append(
            threading.Thread(target=_keep, args=(partial(_inside, loop), stopped, end), name=label)
        )
    for label, lane in LANES.items():
        threads += _Dispatch(lane).threads(label, stopped, end)
    return threads


def turn(worker: str, kinds: list[str] | None = None) -> int:
    """Claim and run one batch; an error is stored in the job's row, the worker continues."""
    jobs = queue.claim(worker, kinds)
    if jobs:
        with _context(), leases.held(queue.WORK, jobs):
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
                _warn(failure.explain(error))
            else:
                log.exception("a lane of the worker failed")
            _pause()


def _warn(text: str) -> None:
    """Log a line, at most once a minute: every lane meets the same database every two seconds."""
    now = time.monotonic()
    if now - _warned.get(text, -WARN_S) >= WARN_S:
        _warned[text] = now
        log.warning("%s", text)


def _pause() -> None:
    if not database.is_closed():
        database.close()
    time.sleep(AWAY_S)


def _engine() -> int:
    return turn(name(), ENGINE) + _ticks()


def _work() -> int:
    others = {*ENGINE, *chain.from_iterable(LANES_OF_KINDS.values())}
    kinds = [kind for kind in queue.HANDLERS if kind not in others]
    return turn(name(), kinds) if kinds else 0


def _lanes_of_kinds() -> Iterator[tuple[str, Callable[[], int]]]:
    for label, kinds in LANES_OF_KINDS.items():
        yield label, partial(turn, name(), kinds)


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


class _Dispatch:
    """Distributes the work of a lane to its threads.

    Looks for work again as soon as a piece ends, because a destination that was full has room then, and
    otherwise every IDLE_S. No thread waits while it holds a lock.
    """

    def __init__(self, lane: Lane) -> None:
        self._lane = lane
        self._pieces: SimpleQueue[Any] = SimpleQueue()  # None after the last one
        self._changed = threading.Condition()
        self._free = lane.threads
        self._ended = 0  # pieces that ended since the last look
        self._closed = False

    def threads(
        self, label: str, stopped: Callable[[], bool], end: Callable[[str], None]
    ) -> list[threading.Thread]:
        """Return the thread that claims, and those that carry until all that was claimed is done.

        `stopped` and `end` are those of _keep.
        """

        def claim() -> None:
            try:
                _keep(self._claim, stopped, end)
            finally:
                self._pieces.put(None)

        def close(reason: str) -> None:
            self._closed = True
            end(reason)

        def carry() -> None:
            _keep(self._carry, lambda: self._closed, close)

        targets = [claim, *[carry] * self._lane.threads]
        return [
            threading.Thread(target=target, name=f"{label} {number}") for number, target in enumerate(targets)
        ]

    def _claim(self) -> int:
        with self._changed:
            self._ended, free = 0, self._free
        with _context():
            found = self._lane.claim(free) if free else ()
        with self._changed:
            self._free -= len(found)
            for piece in found:
                self._pieces.put(piece)
            self._changed.wait_for(lambda: self._ended, IDLE_S)
        return 1

    def _carry(self) -> int:
        piece = self._pieces.get()
        if piece is None:
            self._closed = True
            self._pieces.put(None)
            return 1
        try:
            with _context():
                self._lane.carry(piece)
        finally:
            with self._changed:
                self._free += 1
                self._ended += 1
                self._changed.notify()
        return 1


def _due() -> int:
    """Run due ticks, a piece of each loop and, one by one, the due work of the lanes."""
    done = _ticks() + sum(_inside(loop) for loop in LOOPS.values())
    for each in LANES.values():
        with _context():
            while found := each.claim(1):
                each.carry(found[0])
                done += 1
    return done


def _inside(loop: Callable[[], int]) -> int:
    with _context():
        return loop()


def _context() -> AbstractContextManager[Any]:
    """Return a new application context; a null context if one is active or there is no application."""
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
