"""The durable queue: claimed by one worker, tried again, given up visibly, never lost."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import peewee
import pytest
import time_machine

from dashboard.db import database
from dashboard.jobs import leases, queue, worker
from dashboard.jobs.queue import Handler
from dashboard.models import Job

pytestmark = pytest.mark.both_databases

NOW = 1_772_438_400
LEASE_S = queue.WORK.lease_ms // 1000


class Kind:
    """A kind of job whose handler notes what it was given and does what the test says."""

    def __init__(self, name: str) -> None:
        self.name, self.runs = name, list[list[int]]()
        self.act: Callable[[list[Job]], None] = lambda _jobs: None

    def __call__(self, jobs: list[Job]) -> None:
        self.runs.append([job.args["n"] for job in jobs])
        self.act(jobs)

    def enqueue(self, *numbers: int, key: str | None = None, due_ms: int | None = None) -> None:
        for number in numbers:
            queue.enqueue(self.name, {"n": number}, key, due_ms)


@pytest.fixture
def single(db: peewee.Database) -> Iterator[Kind]:
    """A kind that is run one by one and stays to be seen."""
    yield from _registered("single", batch=1, keep=True)


@pytest.fixture
def batched(db: peewee.Database) -> Iterator[Kind]:
    """A kind that is run by up to ten and leaves no trace."""
    yield from _registered("batched", batch=10, keep=False)


def _registered(name: str, batch: int, keep: bool) -> Iterator[Kind]:
    kind = Kind(name)
    queue.HANDLERS[name] = Handler(kind, batch, keep)
    yield kind
    del queue.HANDLERS[name]


@pytest.fixture
def clock() -> Iterator[time_machine.Coordinates]:
    with time_machine.travel(NOW, tick=False) as moved:
        yield moved


def states() -> list[tuple[str, int, str]]:
    return list(Job.select(Job.state, Job.attempts, Job.error).order_by(Job.id).tuples())


def fails(error: Exception) -> Callable[[list[Job]], None]:
    def act(_jobs: list[Job]) -> None:
        raise error

    return act


def test_jobs_are_run_oldest_first_and_stay_as_done(single: Kind) -> None:
    single.enqueue(1, 2, 3)
    assert worker.drain() == 3
    assert single.runs == [[1], [2], [3]]
    assert states() == [("done", 1, "")] * 3
    assert queue.waiting() == 0


def test_a_batched_kind_is_run_by_as_many_and_leaves_no_trace(batched: Kind) -> None:
    batched.enqueue(*range(25))
    assert worker.drain() == 25
    assert [len(run) for run in batched.runs] == [10, 10, 5]
    assert states() == []


def test_a_job_goes_the_way_of_its_transaction(single: Kind) -> None:
    with database.atomic() as transaction:
        single.enqueue(1)
        transaction.rollback()
    assert worker.drain() == 0


def test_a_key_holds_one_unfinished_job_and_is_free_again_afterwards(single: Kind) -> None:
    single.enqueue(1, 2, key="nightly")
    assert worker.drain() == 1
    single.enqueue(3, key="nightly")
    assert worker.drain() == 1
    assert single.runs == [[1], [3]]


def test_a_job_waits_for_its_time(single: Kind, clock: time_machine.Coordinates) -> None:
    single.enqueue(1, due_ms=(NOW + 60) * 1000)
    assert worker.drain() == 0
    clock.shift(60)
    assert worker.drain() == 1


def test_a_failing_job_is_tried_again_at_growing_pauses_and_then_given_up_visibly(
    single: Kind, clock: time_machine.Coordinates
) -> None:
    single.act = fails(OSError("no route"))
    single.enqueue(1, key="k")
    for attempt, pause in enumerate(queue.RETRIES_S, 1):
        assert worker.drain() == 1
        assert states() == [("waiting", attempt, "OSError: no route")]
        clock.shift(pause - 1)
        assert worker.drain() == 0
        clock.shift(1)
    assert worker.drain() == 1
    clock.shift(86_400)
    assert worker.drain() == 0
    assert states() == [("failed", len(queue.RETRIES_S) + 1, "OSError: no route")]
    assert Job.get().finished_ms is not None
    single.enqueue(2, key="k")
    assert queue.waiting() == 1


def test_a_job_that_comes_right_at_last_shows_no_error(single: Kind, clock: time_machine.Coordinates) -> None:
    single.act = fails(OSError("no route"))
    single.enqueue(1)
    worker.drain()
    single.act = lambda _jobs: None
    clock.shift(queue.RETRIES_S[0])
    worker.drain()
    assert states() == [("done", 2, "")]


def test_a_permanent_error_gives_up_at_once(single: Kind) -> None:
    single.act = fails(queue.Permanent("no such address"))
    single.enqueue(1)
    worker.drain()
    assert states() == [("failed", 1, "Permanent: no such address")]


def test_a_job_stays_claimed_until_what_it_was_to_make_is_marked_as_failed(
    single: Kind, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(_job: Job, _error: str) -> None:
        raise KeyboardInterrupt

    single.act = fails(queue.Permanent("no such address"))
    monkeypatch.setitem(queue.HANDLERS, single.name, queue.HANDLERS[single.name]._replace(gave_up=killed))
    single.enqueue(1)
    with pytest.raises(KeyboardInterrupt):
        worker.drain()
    assert states() == [("running", 1, "")]


def test_a_long_error_is_cut_and_the_worker_goes_on(single: Kind) -> None:
    single.act = fails(ValueError("x" * 5000))
    single.enqueue(1, 2)
    assert worker.drain() == 2
    assert [len(error) for _, _, error in states()] == [queue.WORK.error_max] * 2


def test_a_bad_job_does_not_take_its_batch_along(batched: Kind) -> None:
    def act(jobs: list[Job]) -> None:
        if any(job.args["n"] == 3 for job in jobs):
            raise ValueError("bad")

    batched.act = act
    batched.enqueue(*range(5))
    assert worker.drain() == 5
    assert batched.runs == [[0, 1, 2, 3, 4], [0], [1], [2], [3], [4]]
    assert states() == [("waiting", 1, "ValueError: bad")]


def test_a_database_that_is_away_is_no_fault_of_the_job(single: Kind) -> None:
    single.act = fails(peewee.OperationalError("server closed the connection"))
    single.enqueue(1)
    with pytest.raises(peewee.OperationalError):
        worker.turn("w")
    assert states() == [("waiting", 0, "")]


def test_a_dead_workers_job_is_taken_up_when_its_lease_has_run_out(
    single: Kind, clock: time_machine.Coordinates
) -> None:
    single.enqueue(1)
    assert len(queue.claim("dead")) == 1
    clock.shift(LEASE_S)
    assert worker.drain() == 0
    clock.shift(1)
    assert worker.drain() == 1
    assert states() == [("done", 2, "")]


def test_a_long_job_keeps_its_lease_without_telling_its_progress(
    single: Kind, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue.WORK, "lease_ms", 400)
    monkeypatch.setattr(leases, "RENEW_S", 0.1)
    monkeypatch.setattr(leases, "_thread", None)
    single.enqueue(1)
    jobs = queue.claim("slow")
    with leases.held(queue.WORK, jobs):
        queue.progress(jobs[0].id, 7, 10)
        for _ in range(4):
            time.sleep(0.2)
            assert queue.claim("other") == []
    assert Job.select(Job.progress, Job.total, Job.attempts).tuples().get() == (7, 10, 1)
    time.sleep(0.5)
    assert len(queue.claim("other")) == 1


@pytest.mark.parametrize(
    "end",
    [queue.finish, queue.WORK.release, lambda jobs: queue.fail(jobs, "too late")],
    ids=["finish", "release", "fail"],
)
def test_a_worker_that_lost_its_lease_can_no_longer_end_the_job(
    single: Kind, clock: time_machine.Coordinates, end: Callable[[list[Job]], None]
) -> None:
    single.enqueue(1)
    late = queue.claim("late")
    clock.shift(LEASE_S + 1)
    assert len(queue.claim("other")) == 1
    end(late)
    assert states() == [("running", 2, "")]
    assert Job.get().worker == "other"


def test_a_job_that_kills_every_worker_is_given_up(single: Kind, clock: time_machine.Coordinates) -> None:
    single.enqueue(1, 2)
    for _ in range(len(queue.RETRIES_S) + 1):
        assert [job.args["n"] for job in queue.claim("dies")] == [1]
        clock.shift(LEASE_S + 1)
    worker.drain()
    assert states() == [("failed", len(queue.RETRIES_S) + 1, queue.DIED), ("done", 1, "")]


def test_workers_side_by_side_never_get_the_same_job(single: Kind, batched: Kind) -> None:
    single.enqueue(*range(30))
    batched.enqueue(*range(100, 160))
    start = Barrier(4)

    def work(name: str) -> list[int]:
        with database.connection_context():
            start.wait()
            mine: list[int] = []
            while jobs := queue.claim(name):
                mine += [job.args["n"] for job in jobs]
                queue.finish(jobs)
        return mine

    with ThreadPoolExecutor(4) as threads:
        taken = [number for mine in threads.map(work, "abcd") for number in mine]
    assert sorted(taken) == [*range(30), *range(100, 160)]
    assert queue.waiting() == 0


def test_drain_runs_only_the_given_kinds(single: Kind, batched: Kind) -> None:
    single.enqueue(1)
    batched.enqueue(2)
    assert worker.drain(["batched"]) == 1
    assert (queue.waiting(["single"]), queue.waiting(["batched"])) == (1, 0)


def test_a_kind_that_this_version_does_not_know_is_left_alone(single: Kind) -> None:
    queue.enqueue("of a newer version", {})
    assert worker.drain() == 0
    assert states() == [("waiting", 0, "")]
