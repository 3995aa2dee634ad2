"""Workers follow the logs that were set up, one worker each, over restarts, pauses and files away."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest
import time_machine
from flask import Flask

from dashboard import clock
from dashboard.db import dialect
from dashboard.events import record, room
from dashboard.ingest import followed
from dashboard.ingest.followed import Problem
from dashboard.jobs import worker
from dashboard.models import Event, Follow, Source

pytestmark = [pytest.mark.both_databases, pytest.mark.own_database]
NOW = 1_795_950_000
MINE, OTHER = "here:1", "there:2"


class Work:
    """A log in an allowed folder, followed as the source pbx, and workers by name."""

    def __init__(self, path: Path, patch: pytest.MonkeyPatch) -> None:
        self.path, self._patch, self._written = path, patch, 0
        self._all: dict[str, followed._Readers] = {}

    def start(self, from_now: bool = False) -> None:
        followed.start(record.source("pbx"), self.path, "", from_now)

    def write(self, number: int = 1) -> None:
        with self.path.open("a") as file:
            for _ in range(number):
                self._written += 1
                file.write(f"{NOW + self._written}|c-{self._written}|q|NONE|ENTERQUEUE||601|1\n")

    def turn(self, name: str = MINE, restarted: bool = False) -> int:
        """Let a worker read; return the number of new events. Each has its own followers."""
        before = len(stored())
        self._patch.setattr(worker, "name", lambda: name)
        known = self._all.setdefault(name, followed._Readers(None))
        if restarted:
            known.close()
            known = followed._Readers(None)
        self._patch.setattr(followed, "_readers", known)
        followed.read(renew_s=0)
        self._all[name] = followed._readers
        return len(stored()) - before

    def close(self) -> None:
        for readers in self._all.values():
            readers.close()


@pytest.fixture
def work(app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Work]:
    app.config["STOPA"] = dataclasses.replace(app.config["STOPA"], log_folders=(tmp_path / "logs",))
    (tmp_path / "logs").mkdir()
    made = Work(tmp_path / "logs" / "queue_log", monkeypatch)
    made.path.touch()
    with app.app_context(), time_machine.travel(NOW, tick=False) as travel:
        made.travel = travel  # type: ignore[attr-defined]
        yield made
        made.close()


def stored() -> list[str]:
    query = Event.select(Event.interaction).where(Event.type == "call.queued").order_by(Event.id)
    return [name.split("/")[0] for (name,) in query.tuples()]


def calls(number: int) -> list[str]:
    return [f"c-{n}" for n in range(1, number + 1)]


def test_one_worker_reads_a_log_and_another_goes_on_when_it_is_killed(work: Work) -> None:
    work.write(2)
    work.start()
    assert (work.turn(), work.turn(OTHER)) == (2, 0)
    work.write()
    assert (work.turn(OTHER), work.turn()) == (0, 1), "the lease is held"
    work.write()
    work.travel.shift(followed.LEASE_MS / 1000 + 1)  # type: ignore[attr-defined]
    assert (work.turn(OTHER), work.turn()) == (1, 0), "the lease ran out"
    followed.release()  # of the one that does not hold it
    assert work.turn() == 0
    work.write()
    work._patch.setattr(worker, "name", lambda: OTHER)
    followed.release()
    assert work.turn() == 1
    work.write()
    assert work.turn(restarted=True) == 1
    assert stored() == calls(6)


def test_a_log_that_is_paused_stopped_or_away_waits_with_its_place(work: Work) -> None:
    work.write(2)
    work.start(from_now=True)
    work.write()
    assert work.turn() == 1
    for gone, back in (
        (lambda: _pause(True), lambda: _pause(False)),
        *(((lambda: room.keep_free(10_000_000)), (lambda: room.keep_free(0))),) * dialect.is_sqlite(),
        (lambda: followed.stop(_pbx()), lambda: Follow.update(lease_ms=0).execute()),
        (lambda: work.path.rename(work.path.with_name("moved")), lambda: _back(work.path)),
    ):
        gone()
        assert work.turn() == 0
        back()
        work.write(2)
        assert work.turn() == 2
    assert stored() == calls(9 + 2 * dialect.is_sqlite())[2:]


def test_why_a_log_is_not_read_is_kept_with_it(work: Work, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_text(f"{NOW}|c-1|q|NONE|ENTERQUEUE||601|1\n")
    link = work.path.with_name("link")
    link.symlink_to(outside)
    for path, problem in (
        (work.path, ""),
        (work.path.with_name("absent"), Problem.MISSING),
        (work.path.parent, Problem.MISSING),
        (outside, Problem.ELSEWHERE),
        (link, Problem.ELSEWHERE),
        (Path("/etc/passwd"), Problem.ELSEWHERE),
        (work.path.parent / ".." / "outside", Problem.ELSEWHERE),
    ):
        assert (followed.check(path) or "") == problem, path
        if problem:
            work.start()
            Follow.update(path=str(path)).execute()
            assert work.turn() == 0
            assert Follow.get().problem == problem
            assert (Follow.get().lease_ms or 0) <= clock.now_ms(), "another machine may read it"
    assert stored() == []


def test_a_follower_that_fails_stores_what_it_had_read_when_it_goes_on(
    work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    work.write(3)
    work.start()
    with monkeypatch.context() as broken:
        broken.setattr(record, "append", _fail)
        with pytest.raises(RuntimeError):
            work.turn()
    assert work.turn() == 3
    assert stored() == calls(3)


def _fail(*_given: object, **_more: object) -> None:
    raise RuntimeError


def _pbx() -> int:
    ident: int = Source.get(name="pbx").id
    return ident


def _pause(paused: bool) -> None:
    Source.update(paused_ms=1 if paused else None).execute()


def _back(path: Path) -> None:
    path.with_name("moved").rename(path)
