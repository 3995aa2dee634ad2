"""What is due by the clock is done once, however many workers look at the same moment."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import time as day_time
from threading import Barrier
from types import SimpleNamespace

import peewee
import pytest
from flask import Flask

from dashboard import clock
from dashboard.db import connected
from dashboard.events import health
from dashboard.events.health import Gauge
from dashboard.jobs import nightly, queue
from dashboard.jobs.nightly import Nightly
from dashboard.jobs.queue import Handler
from dashboard.models import Event, Job, Schedule, ScheduleRun, Setting
from dashboard.reports import schedules
from tests import make
from tests.reports.mails import schedule

pytestmark = pytest.mark.both_databases

WORKERS, ROUNDS = 4, 12
KIND = "once"
runs: list[int] = []


@pytest.fixture(autouse=True)
def handled() -> Iterator[None]:
    runs.clear()
    queue.HANDLERS[KIND] = Handler(lambda jobs: runs.append(len(jobs)), keep=False)
    yield
    del queue.HANDLERS[KIND]


@dataclass
class Duty:
    """Something that is due: how it becomes so, what each worker does, how often it was done."""

    become_due: Callable[[], object]
    act: Callable[[], object]
    done: Callable[[], int]


def night(monkeypatch: pytest.MonkeyPatch) -> Duty:
    """A nightly job, which has been run and forgotten before the slowest worker goes on from its look."""
    ended, first = threading.Event(), threading.Lock()
    now_ms = clock.now_ms

    def slow_ms() -> int:
        if first.acquire(blocking=False):  # it waits between its look and what it does
            ended.wait(0.2)
            first.release()
        return now_ms()

    def become_due() -> None:
        ended.clear()
        Setting.put("once.due", str(now_ms() - 1))

    monkeypatch.setattr(nightly, "clock", SimpleNamespace(**vars(clock) | {"now_ms": slow_ms}))

    def act() -> None:
        Nightly(KIND, day_time(2), "once.due").plan(0)
        if jobs := queue.claim("w", [KIND]):
            queue.HANDLERS[KIND].run(jobs)
            queue.finish(jobs)
            ended.set()

    def done() -> int:
        act()  # what nobody has claimed yet
        assert not Job.select().where(Job.kind == KIND).exists()
        return len(runs)

    return Duty(become_due, act, done)


def report(_monkeypatch: pytest.MonkeyPatch) -> Duty:
    row = schedule(make.administrator())

    def become_due() -> None:
        previous = ScheduleRun.select(peewee.fn.MAX(ScheduleRun.due_ts)).scalar() or 0
        Schedule.update(next_ts=max(previous + 60, row.created_ts)).execute()

    return Duty(become_due, schedules.start_due, lambda: ScheduleRun.select().count())


def gauge(_monkeypatch: pytest.MonkeyPatch) -> Duty:
    """A measure that is bad again after it was good."""
    bad, good = (Gauge("system.backlog_high", {"backlog": 1}, each, not each) for each in (True, False))
    told = Event.select().where(Event.type == "system.backlog_high")
    return Duty(lambda: health.tell(good), lambda: health.tell(bad), told.count)


@pytest.mark.parametrize("make_duty", [night, report, gauge])
def test_of_several_workers_one_does_what_is_due(
    app: Flask, make_duty: Callable[[pytest.MonkeyPatch], Duty], monkeypatch: pytest.MonkeyPatch
) -> None:
    start = Barrier(WORKERS)

    def look(act: Callable[[], object]) -> None:
        with app.app_context(), connected():
            start.wait(60)
            act()

    with app.app_context(), ThreadPoolExecutor(WORKERS) as workers:
        duty = make_duty(monkeypatch)
        for number in range(1, ROUNDS + 1):
            duty.become_due()
            assert len([*workers.map(look, [duty.act] * WORKERS)]) == WORKERS
            assert duty.done() == number
