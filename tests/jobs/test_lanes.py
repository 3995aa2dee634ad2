"""The lanes of a worker: what is slow in one holds up no other, and all end on a signal."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import peewee
import pytest

from dashboard import registry
from dashboard.db import CONNECTIONS, database, migrate
from dashboard.jobs import queue, worker
from dashboard.jobs.queue import Handler
from dashboard.jobs.worker import Lane
from dashboard.models import Job

pytestmark = pytest.mark.both_databases

SOON_S = 10


@pytest.fixture(autouse=True)
def only_ours(db: peewee.Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that knows nothing but what the test registers, and whose idle lanes look often."""
    monkeypatch.setattr(queue, "HANDLERS", {})
    monkeypatch.setattr(worker, "TICKS", {})
    monkeypatch.setattr(worker, "LANES", {})
    monkeypatch.setattr(worker, "IDLE_S", 0.02)
    monkeypatch.setattr(worker, "AWAY_S", 0.02)


@pytest.fixture
def handlers() -> Iterator[None]:
    """The process's own answers to signals, put back."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, answer in before.items():
        signal.signal(number, answer)


def run_until(fact: Callable[[], object]) -> bool:
    """Run the worker until the fact holds, end it by a signal, and say whether it held in time."""
    held: list[bool] = []

    def watch() -> None:
        end = time.monotonic() + SOON_S
        while not fact() and time.monotonic() < end:
            time.sleep(0.01)
        held.append(bool(fact()))
        os.kill(os.getpid(), signal.SIGTERM)

    watching = threading.Thread(target=watch)
    watching.start()
    worker.forever()
    watching.join()
    return held[0]


def taking(pieces: list[Any]) -> Callable[[int], list[Any]]:
    """Return a claim that takes the pieces from the end of the list."""
    return lambda most: [pieces.pop() for _ in range(min(most, len(pieces)))]


def test_a_long_job_holds_up_neither_digests_nor_the_clock_nor_deliveries(handlers: None) -> None:
    done: list[str] = []
    free = threading.Event()
    pieces = ["a", "b"]
    queue.HANDLERS["digest"] = Handler(lambda jobs: done.append("digest"))
    begun = threading.Event()

    def export(_jobs: list[Job]) -> None:
        begun.set()
        if free.wait(SOON_S):
            done.append("export")

    queue.HANDLERS["export"] = Handler(export)
    worker.TICKS["timers"] = lambda: 0 if "tick" in done else done.append("tick") or 1
    worker.LANES["deliveries"] = Lane(taking(pieces), done.append, 3)
    queue.enqueue("export", {})
    queue.enqueue("digest", {})

    def others() -> bool:
        ready = begun.is_set() and {"digest", "tick", "a", "b"} <= set(done) and "export" not in done
        if ready:
            free.set()
        return ready

    assert run_until(lambda: free.is_set() or others())
    assert sorted(done) == ["a", "b", "digest", "export", "tick"], "the job in hand is finished first"
    assert [job.state for job in Job.select()] == ["done", "done"]


def test_a_delivery_that_hangs_leaves_the_other_threads_of_its_lane_free(handlers: None) -> None:
    done: list[int] = []
    free = threading.Event()
    pieces = [4, 3, 2, 1]

    def carry(piece: int) -> None:
        if piece == 1:
            free.wait(SOON_S)
        done.append(piece)
        if len(done) == 3:
            free.set()

    worker.LANES["deliveries"] = Lane(taking(pieces), carry, 2)
    assert run_until(lambda: len(done) == 4)
    assert sorted(done[:3]) == [2, 3, 4]


def test_a_lane_claims_no_more_than_its_free_threads_and_looks_again_when_one_ends(
    handlers: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "IDLE_S", 0.5)  # 200 pieces by four in each pause would take too long
    pieces = list(range(200))
    done: list[int] = []
    asked: list[int] = []
    most_busy: list[int] = []
    busy, lock = [0], threading.Lock()

    def claim(most: int) -> list[int]:
        asked.append(most)
        return taking(pieces)(most)

    def carry(piece: int) -> None:
        with lock:
            busy[0] += 1
            most_busy.append(busy[0])
        time.sleep(0.001)
        with lock:
            busy[0] -= 1
            done.append(piece)

    worker.LANES["deliveries"] = Lane(claim, carry, 4)
    assert run_until(lambda: len(done) == 200)
    assert sorted(done) == list(range(200))
    assert (max(most_busy), max(asked)) == (4, 4)


def test_an_accident_in_a_lane_and_in_what_is_due_by_the_clock_is_survived(handlers: None) -> None:
    seen: list[str] = []

    def breaks() -> int:
        seen.append("tick")
        raise ValueError("broken")

    def claim(_most: int) -> list[str]:
        seen.append("claim")
        if seen.count("claim") == 1:
            raise peewee.OperationalError("away")
        return []

    worker.TICKS["broken"] = breaks
    worker.TICKS["sound"] = lambda: seen.append("sound") or 0
    worker.LANES["deliveries"] = Lane(claim, seen.append, 1)
    assert run_until(lambda: min(seen.count(each) for each in ("tick", "sound", "claim")) > 2)


def test_database_that_is_away_is_logged_once(
    handlers: None, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "_warned", {})  # a test before may have logged the same within the minute
    seen: list[str] = []

    def claim(_free: int) -> list[str]:
        seen.append("claim")
        raise peewee.OperationalError("the server has gone for lunch")

    worker.LANES["deliveries"] = Lane(claim, lambda _piece: None, 2)
    assert run_until(lambda: len(seen) > 4)
    assert [line for line in caplog.messages if "lunch" in line] == ["the server has gone for lunch."]


def test_draining_does_what_is_due_by_the_clock_and_what_that_brings(db: peewee.Database) -> None:
    done: list[str] = []
    pieces: list[str] = []
    queue.HANDLERS["digest"] = Handler(lambda jobs: pieces.append("sent"), keep=False)
    due = ["timer"]

    def timers() -> int:
        if not due:
            return 0
        done.append(due.pop())
        queue.enqueue("digest", {})
        return 1

    worker.TICKS["timers"] = timers
    worker.LANES["deliveries"] = Lane(taking(pieces), done.append, 1)
    assert worker.drain(["digest"]) == 0
    assert worker.drain() == 3
    assert done == ["timer", "sent"]


def test_worker_ends_when_the_database_is_of_another_version(
    handlers: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrate, "CHECK_S", 0)
    later = "insert into schema_migration (name, applied) values ('0999_later', '2030-01-01')"
    worker.TICKS["upgrade"] = lambda: database.execute_sql(later) and 0
    assert worker.forever() == (
        "This database was created by a newer version of Stopa. Unknown migrations: 0999_later."
    )


def test_every_thread_of_a_worker_has_a_connection() -> None:
    registry.register_work()
    threads = worker.threads_of(lambda: True, lambda _reason: None)
    assert len(threads) + 2 <= CONNECTIONS, "one more for the leases, one for the main thread"
