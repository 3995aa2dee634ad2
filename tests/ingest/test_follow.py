"""flask follow: every line of a growing log once, over rotations, compression, restarts and kills."""

from __future__ import annotations

import gzip
import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import peewee
import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from dashboard.ingest import importer
from dashboard.ingest.follow import Follower
from dashboard.ingest.growing_log import GrowingLog, end
from dashboard.models import Event
from dashboard.tracing import load
from tests.ingest import live_log

needs_log = pytest.mark.skipif(not live_log.LIVE.exists(), reason="the shared data is not on this machine")
OPEN = """1772438460|c-2|support|NONE|ENTERQUEUE||601|1
1772438470|c-2|support|Agent/1|CONNECT|10|c-3|8
"""


class Machine:
    """A log under the hands of its writer and of logrotate. Each line is unique, two have each second."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "queue_log"
        self.path.write_bytes(b"")
        self.first = folder / "queue_log.1"
        self.written = 0
        self.log = GrowingLog(self.path)
        self.found: dict[bytes, None] = {}

    def write(self, cut: int = 0) -> None:
        text = b""
        for _ in range(2):
            self.written += 1
            text += b"%d|c-%d|support|NONE|NEWS|\n" % (1772438460 + self.written // 2, self.written)
        with self.path.open("ab") as file:
            file.write(text[: len(text) - cut])
            file.flush()
            if cut:
                self.read()
                file.write(text[-cut:])

    def half(self) -> None:
        self.write(cut=9)

    def read(self) -> None:
        while lines := self.log.read():
            self.found |= dict.fromkeys(line.data for line in lines)

    def shift(self) -> None:
        for number in range(20, 0, -1):
            for tail in ("", ".gz"):
                old = self.path.with_name(f"queue_log.{number}{tail}")
                if old.exists():
                    old.rename(self.path.with_name(f"queue_log.{number + 1}{tail}"))

    def rename(self) -> None:
        if self.path.stat().st_size:
            self.shift()
            self.path.rename(self.first)
            self.path.write_bytes(b"")

    def truncate(self) -> None:
        if self.path.stat().st_size:
            self.shift()
            shutil.copy(self.path, self.first)
            os.truncate(self.path, 0)

    def pack(self) -> None:
        if self.first.exists():
            with gzip.open(f"{self.first}.gz", "wb") as packed:
                packed.write(self.first.read_bytes())
            self.first.unlink()

    def restart(self) -> None:
        self.log.close()
        self.log = GrowingLog(self.path, self.log.position)

    def lose_power(self) -> None:
        """What the disk had not kept is gone for the reader, and written again."""
        whole = self.path.read_bytes()
        os.truncate(self.path, len(whole) // 2)
        self.read()
        self.path.write_bytes(whole)


ACTS = [Machine.write, Machine.half, Machine.rename, Machine.truncate, Machine.pack]
ACTS += [Machine.restart, Machine.read, Machine.lose_power]


@given(acts=st.lists(st.sampled_from(ACTS), max_size=25))
def test_every_line_is_read_in_order_whatever_happens_to_the_log(
    acts: list[Callable[[Machine], None]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    machine = Machine(tmp_path_factory.mktemp("log"))
    machine.write()
    machine.read()
    for act in [*acts, Machine.write, Machine.read]:
        act(machine)
    machine.log.close()
    whole = [line for line in machine.found if line.endswith(b"|NEWS|\n")]
    assert [int(line.split(b"|")[1][2:]) for line in whole] == list(range(1, machine.written + 1))


@needs_log
@pytest.mark.both_databases
def test_a_followed_log_gives_the_events_of_the_whole_log(db: peewee.Database, tmp_path: Path) -> None:
    path, chance, read = tmp_path / "queue_log", random.Random(3), 0
    reader = Follower("live", path)
    for _ in live_log.growing(path, live_log.parts()):
        if chance.random() < 0.3:
            read += reader.counts.stored
            reader.log.close()
            reader = Follower("live", path)
        while reader.step().lines:
            pass
        assert reader.counts.refused == 0
    reader.log.close()
    whole = tmp_path / "whole"
    whole.write_bytes(b"".join(live_log.parts()))
    imported = importer.run(whole, "queue_log", "file", "UTC", None, lambda _at: None)
    assert read + reader.counts.stored == imported.stored == live_log.EVENTS
    assert live_log.stored("live") == live_log.stored("file")


@needs_log
@pytest.mark.own_database
def test_a_worker_that_is_killed_loses_no_line_stores_none_twice_and_home_is_right(
    db_url: str, app: Flask, tmp_path: Path
) -> None:
    with app.app_context():
        assert live_log.replay(db_url, tmp_path, "worker", kills=2, moments=2) == 2


@pytest.mark.both_databases
def test_what_the_end_of_a_file_ended_goes_on_in_a_log_that_is_followed(app: Flask, tmp_path: Path) -> None:
    path = tmp_path / "queue_log"
    path.write_text(OPEN + "1772438480|NONE|support|Agent/2|ADDMEMBER|\n")
    importer.run(path, "queue_log", "pbx", "UTC", None, lambda _at: None)
    assert list(load.horizons().values()) == [1772438480]
    reader = Follower("pbx", path)
    assert load.horizons() == {}
    while reader.step().lines:
        pass
    assert (reader.counts.stored, reader.counts.repeated) == (0, 3)
    reader.log.close()
    importer.run(path, "queue_log", "pbx", "UTC", None, lambda _at: None)  # of an older part, say
    assert load.horizons() == {}


def test_lines_that_are_no_records_are_counted_and_named(app: Flask, tmp_path: Path) -> None:
    path = tmp_path / "queue_log"
    path.write_bytes(OPEN.encode() + b"\n17724384x0|c|q|NONE|NEWS|\nshort|line\n\0\0\0\n1772438490|c-2|")
    run = app.test_cli_runner().invoke
    first = run(args=["follow", str(path), "--source", "pbx", "--once"])
    assert first.output.splitlines()[1:] == [
        "line 4: time: The time must be a number of seconds or a date and time.",
        "line 5: Records must have at least five fields.",
        "line 6: Records must have at least five fields.",
        "read 5, stored 2, repeated 0, refused 3",
    ]
    with path.open("ab") as file:
        file.write(b"support|Agent/1|COMPLETECALLER|10|20|1\n")
    second = run(args=["follow", str(path), "--source", "pbx", "--once"])
    assert second.output.splitlines()[-1] in ("read 1, stored 1, repeated 0, refused 0",)
    again = run(args=["follow", str(path), "--source", "pbx", "--once", "--from-start"])
    assert again.output.splitlines()[-1] == "read 6, stored 0, repeated 3, refused 3"


def test_a_pipe_beside_a_log_holds_nobody_up(tmp_path: Path) -> None:
    path = tmp_path / "queue_log"
    path.write_text(OPEN)
    os.mkfifo(tmp_path / "queue_log.1")
    log = GrowingLog(path)
    assert [line.number for line in log.read()] == [1, 2]
    log.close()


def test_from_now_leaves_out_what_is_there(app: Flask, tmp_path: Path) -> None:
    path = tmp_path / "queue_log"
    assert end(path) is None
    path.write_text(OPEN)
    run = app.test_cli_runner().invoke
    first = run(args=["follow", str(path), "--source", "pbx", "--once", "--from-now"])
    assert first.output.splitlines()[-1] == "read 0, stored 0, repeated 0, refused 0"
    with path.open("a") as file:
        file.write("1772438490|c-2|support|Agent/1|COMPLETECALLER|10|20|1\n")
    run(args=["follow", str(path), "--source", "pbx", "--once"])
    assert [(event.type, event.seq) for event in Event.select()] == [("call.closed", 3)]
