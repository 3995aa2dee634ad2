"""The log of a real Asterisk as it grew, with its two rotations, and what was true of it at each moment."""

from __future__ import annotations

import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from dashboard import clock
from dashboard.access import scope
from dashboard.events import record
from dashboard.ingest import followed, importer
from dashboard.jobs import worker
from dashboard.models import Event, Job, Source
from dashboard.pages.home.queries import Board
from dashboard.settings import ROOT
from tests.test_start import environment, until

LIVE = Path(__file__).parents[2].parent / "shared" / "data" / "asterisk_live" / "rotated"
EVENTS = 879
START_S = 2.5  # what a process takes to begin to read, and more
_STAMP = re.compile(rb"^(\d{10})(?=\|)", re.MULTILINE)
_LEFT = ("CONNECT", "ABANDON", "EXITEMPTY", "EXITWITHKEY", "EXITWITHTIMEOUT")
_DONE = ("COMPLETEAGENT", "COMPLETECALLER", "ATTENDEDTRANSFER", "BLINDTRANSFER")


def parts(until_s: int | None = None) -> list[bytes]:
    """Return the parts of the log in order, moved in time so that the last record is of `until_s`."""
    found = sorted((part.read_bytes() for part in LIVE.iterdir()), key=lambda text: text[:10])
    if until_s is None:
        return found
    by = until_s - int(_STAMP.findall(found[-1])[-1])
    return [_STAMP.sub(lambda stamp: b"%d" % (int(stamp[1]) + by), text) for text in found]


def growing(path: Path, whole: list[bytes], longest: int = 4000, seed: int = 7) -> Iterator[int]:
    """Write the log in pieces of up to `longest` bytes, with a rename and a copytruncate between its parts;
    yield the number of bytes so far."""
    chance, written = random.Random(seed), 0
    path.write_bytes(b"")
    for number, text in enumerate(whole):
        while text:
            size = chance.randint(1, longest)
            with path.open("ab") as file:
                file.write(text[:size])
            written += len(text[:size])
            text = text[size:]
            yield written
        if number == 0:
            path.rename(path.with_name("queue_log.1"))
            path.write_bytes(b"")
        elif number == 1:
            shutil.copy(path, path.with_name("queue_log.2"))
            os.truncate(path, 0)


def stored(source: str) -> list[tuple[Any, ...]]:
    """Return what the events of a source say, in order, without those that Stopa makes of a live one."""
    e = Event
    query = e.select(e.external_id, e.type, e.time_ms, e.user_id, e.queue_id, e.interaction, e.data)
    return sorted(
        query.where((e.source_id == Source.get(name=source).id) & (e.type != "contact.created")).tuples(),
        key=repr,
    )


class Moment(NamedTuple):
    """What was so at a moment: waiting calls by queue, calls by user, and how many came that day."""

    waiting: dict[str, int]
    calls: dict[str, int]
    arrived: int


def truth(text: bytes, as_of: int) -> Moment:
    """Return what the complete records of a log say, read without the code of Stopa."""
    waiting, talking, arrived = dict[str, str](), dict[str, str](), set[str]()
    today = clock.day(clock.local_date(as_of, "UTC"), "UTC").start
    for line in text[: text.rfind(b"\n") + 1].decode().splitlines():
        stamp, call, queue, agent, event, *_more = line.split("|")
        key = f"{call}/{queue}"
        if event == "ENTERQUEUE":
            waiting[key] = queue
            if int(stamp) >= today:
                arrived.add(key)
        elif event in _LEFT:
            waiting.pop(key, None)
            if event == "CONNECT":  # ends a call whose end the log lacks
                talking = {each: of for each, of in talking.items() if of != agent} | {key: agent}
        elif event in _DONE:
            talking.pop(key, None)
    return Moment(dict(Counter(waiting.values())), dict(Counter(talking.values())), len(arrived))


def home(as_of: int) -> Moment:
    """Return what Home says."""
    board = Board(scope.whole(), as_of, "UTC", "en")
    waiting = {line.queue.name: line.waiting for line in board.lines if line.waiting}
    calls = {row.member.login: row.status.calls for row in board.day.rows if row.status.calls}
    return Moment(waiting, calls, board.figures().interactions)


def replay(url: str, folder: Path, by: str, kills: int, moments: int, seed: int = 1) -> int:
    """Let the log grow while its follower is killed `kills` times at random moments; return how often it was.

    `by` is "command" (`flask follow`) or "worker". Asserts at `moments` moments that Home says what the log
    does, and at the end that each record is stored once.
    """
    chance, path = random.Random(seed), folder / "queue_log"
    path.write_bytes(b"")
    whole = parts(clock.now_s())
    text, longest = b"".join(whole), 1500
    pieces = sum(1 for _ in growing(path, whole, longest))
    for old in folder.glob("queue_log*"):
        old.unlink()
    killed = set(chance.sample(range(pieces), kills))
    looked = set(chance.sample(range(pieces), moments))
    path.write_bytes(b"")
    follow = [sys.executable, "-m", "flask", "--app", "wsgi", "follow", str(path), "--source", "live"]
    command = follow if by == "command" else [sys.executable, "-m", "tests.ingest.process", "worker"]
    if by == "worker":
        followed.start(record.source("live"), path, "", from_now=False)
    variables = environment(url, STOPA_LOG_FOLDERS=str(folder))

    def begin() -> subprocess.Popen[bytes]:
        return subprocess.Popen(command, cwd=ROOT, env=variables, stdout=subprocess.DEVNULL)

    process = begin()
    try:
        for number, written in enumerate(growing(path, whole, longest)):
            if number in killed:
                time.sleep(chance.uniform(0, START_S))
                process.send_signal(signal.SIGKILL)
                process.wait()
                process = begin()
            if number in looked:
                _check(text[:written], by)
        _check(text, by)
    finally:
        process.kill()
        process.wait()
    (folder / "whole").write_bytes(text)
    assert importer.run(folder / "whole", "queue_log", "file", "UTC", None, lambda _at: None).stored == EVENTS
    assert stored("live") == stored("file")
    return len(killed)


def _check(text: bytes, by: str) -> None:
    """Wait until what is written is stored and folded; Home says the same then."""
    records = text.count(b"\n")
    live = (Event.source_id == record.source("live").id) & (Event.type != "contact.created")
    until(lambda: Event.select().where(live).count() >= records)
    assert Event.select().where(live).count() == records
    if by == "command":
        worker.drain(["digest"])
    until(lambda: not Job.select().where(Job.kind == "digest").exists())
    stamps = _STAMP.findall(text[: text.rfind(b"\n") + 1])
    if stamps:
        as_of = int(stamps[-1]) + 1
        said, true = home(as_of), truth(text, as_of)
        assert said == true, f"Home says {said}, the log {true}"
