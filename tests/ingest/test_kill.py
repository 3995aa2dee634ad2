"""Kill -9, locks and a lost database during ingest: what was acknowledged is there once, and goes on."""

from __future__ import annotations

import http.client
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import peewee
import psycopg
import pytest
from flask import Flask

from dashboard.access import keys
from dashboard.audit import deferred
from dashboard.db import database
from dashboard.db.locks import Lock
from dashboard.ingest import importer
from dashboard.jobs import worker
from dashboard.models import AuditEntry, Event, Job
from dashboard.settings import ROOT
from tests.api import Api, custom
from tests.ingest.day import DATE, DAY, STATISTICS
from tests.postgres import free_port
from tests.test_start import SERVER, environment, started, until

pytestmark = pytest.mark.both_databases

PARTS = ("web", "worker", "worker 2")
USERS = 3
Batch = list[dict[str, Any]]


class Site:
    """A web server and two workers of their own, on the test's database."""

    def __init__(self, url: str, **more: str) -> None:
        port = free_port()
        self.address = f"http://127.0.0.1:{port}"
        self.environment = environment(url, STOPA_BIND=f"127.0.0.1:{port}", **more)
        self.ingest_key, self.read_key = (keys.make(allow, "pbx", allow) for allow in ("ingest", "read"))
        self.processes = {part: self._start(part) for part in PARTS}
        until(self.answers)

    def _start(self, part: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "tests.ingest.process", part.partition(" ")[0]]
        return subprocess.Popen(command, cwd=ROOT, env=self.environment)

    def kill(self, part: str) -> None:
        """Kill a part without a word and start it again."""
        self.processes[part].kill()
        self.processes[part].wait()
        self.processes[part] = self._start(part)

    def end(self) -> None:
        for process in self.processes.values():
            process.kill()
            process.wait()

    def answers(self) -> bool:
        return self.ask("/healthz")[0] == 200

    def ask(self, path: str, body: object = None) -> tuple[int, Any]:
        """Return status and answer; status 0 when no answer came."""
        data = None if body is None else json.dumps(body).encode()
        key = self.read_key if data is None else self.ingest_key
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        request = urllib.request.Request(self.address + path, data, headers)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, None
        except (OSError, http.client.HTTPException):  # also an answer that was cut
            return 0, None

    def deliver(self, batch: Batch) -> dict[str, Any]:
        """Post a batch until it is acknowledged, as a good client does."""
        answers: list[tuple[int, Any]] = []

        def acknowledged() -> bool:
            answers.append(self.ask("/api/v1/events", batch))
            assert answers[-1][0] in (0, 202, 503), answers[-1]
            return answers[-1][0] == 202

        until(acknowledged)
        found: dict[str, Any] = answers[-1][1]
        return found

    def statistics(self, user: str) -> dict[str, Any]:
        status, answer = self.ask(f"/api/v1/tracing?user={user}&date={DATE}&tz=Europe/Prague")
        assert status == 200
        found: dict[str, Any] = answer["statistics"]
        return found


@pytest.fixture
def durable(db_url: str) -> None:
    """Commits wait for the disk as in production, in every connection that is opened from now on."""
    with psycopg.connect(db_url, autocommit=True) as outside:
        outside.execute("ALTER DATABASE own SET synchronous_commit = on")


@pytest.fixture
def site(db: peewee.Database, db_url: str) -> Iterator[Site]:
    made = Site(db_url)
    yield made
    made.end()


def calls(number: int) -> Batch:
    """Return ten calls of a minute each as twenty events with known ids."""
    batch = []
    for n in range(number * 10, number * 10 + 10):
        common = {"user": f"user{n % USERS}", "interaction": f"c-{n}", "queue": "support"}
        start = f"{DATE}T{8 + n // 1800:02}:{n // 30 % 60:02}:{n % 30 * 2:02}+01:00"
        end = f"{DATE}T{8 + n // 1800:02}:{n // 30 % 60:02}:{n % 30 * 2 + 1:02}+01:00"
        batch += [
            {"id": f"c-{n}:a", "type": "call.accepted", "time": start, **common},
            {"id": f"c-{n}:z", "type": "call.closed", "time": end, **common},
        ]
    return batch


def test_acknowledged_events_outlive_kills_of_web_server_and_worker(site: Site) -> None:
    chance = random.Random(2026)
    over = threading.Event()
    batches: list[Batch] = []
    acknowledged: Counter[str] = Counter()

    def send(numbers: Iterator[int]) -> None:
        while not over.is_set():
            batches.append(calls(next(numbers)))
            acknowledged.update(site.deliver(batches[-1])["ids"])

    numbers = count()
    with ThreadPoolExecutor(2) as senders:
        sending = [senders.submit(send, numbers) for _ in range(2)]
        try:
            for part in chance.sample(PARTS * 2, len(PARTS) * 2):
                time.sleep(chance.uniform(0.1, 0.5))
                site.kill(part)
                until(site.answers)
        finally:
            over.set()
        for each in sending:
            each.result()
    _everything_is_there_once(site, batches, acknowledged)


def _everything_is_there_once(site: Site, batches: list[Batch], acknowledged: Counter[str]) -> None:
    sent = {event["id"] for batch in batches for event in batch}
    until(lambda: not Job.select().exists())
    assert acknowledged == Counter(sent)
    stored = [ident for (ident,) in Event.select(Event.external_id).tuples()]
    assert Counter(stored) == Counter(sent)
    again = [site.deliver(batch) for batch in batches]
    assert sum(answer["accepted"] for answer in again) == 0
    assert not Job.select().exists()
    for number in range(USERS):
        mine = sum(n % USERS == number for n in range(len(batches) * 10))
        found = site.statistics(f"user{number}")["calls"]
        assert (found["closed"], found["load"]) == (mine, mine)


@contextmanager
def locked(url: str) -> Iterator[Callable[[], None]]:
    """Hold a lock on the log from outside; what is yielded lets go of it."""
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"), check_same_thread=False)) as outside:
            outside.execute("BEGIN IMMEDIATE")
            yield outside.rollback
    else:
        with psycopg.connect(url) as outside:
            outside.execute("LOCK TABLE event, audit_entry IN EXCLUSIVE MODE")
            yield outside.rollback


def test_a_lock_of_two_seconds_is_waited_out(api: Api, db_url: str) -> None:
    with locked(db_url) as let_go:
        timer = threading.Timer(2, let_go)
        timer.start()
        began = time.monotonic()
        answer = api.post(custom("a"))
        timer.join()
    assert (answer.status_code, answer.json["accepted"]) == (202, 1)
    assert time.monotonic() - began > 1.5


def test_a_longer_lock_is_503_for_writers_only_and_nothing_is_lost(app: Flask, api: Api, db_url: str) -> None:
    api.take(DAY)
    bearer = {"Authorization": f"Bearer {api.ingest_key}"}
    reader = {"Authorization": f"Bearer {api.read_key}"}
    asked = [
        ("POST", "/api/v1/events", {"json": custom("late"), "headers": bearer}),
        ("POST", "/api/v1/events", {"json": [custom(), custom()], "headers": bearer}),
    ]
    readers = [
        ("POST", "/api/v1/events", {"json": custom("x"), "headers": reader}),  # a refusal is audited
        ("GET", f"/api/v1/tracing?user=jana&date={DATE}", {"headers": reader}),  # a look is audited
    ]

    def ask(one: tuple[str, str, dict[str, Any]]) -> tuple[int, str | None]:
        method, path, more = one
        database.connect(reuse_if_open=True)
        try:
            answer = app.test_client().open(path, method=method, **more)
        finally:
            database.close()
        return answer.status_code, answer.headers.get("Retry-After")

    with locked(db_url), ThreadPoolExecutor(len(asked + readers)) as threads:
        answers = list(threads.map(ask, asked + readers))
        assert answers == [(503, "5")] * len(asked) + [(403, None), (200, None)]
        assert list(threads.map(ask, readers)) == [(403, None), (200, None)]
    assert [ask(one)[0] for one in asked + readers] == [202, 202, 403, 200]
    database.connect()
    deferred.flush()
    looks = [(row.action, row.actor_type) for row in AuditEntry.select().order_by(AuditEntry.action)]
    assert looks == [("access.denied", "key"), ("tracing.viewed", "key")]
    assert len(api.events(type="custom.seen")) == 3
    worker.drain()
    assert api.tracing("jana", DATE)["statistics"]["login"] == STATISTICS["login"]


def quickly_given_up() -> None:
    """Let this connection wait for a lock for a tenth of a second only."""
    sqlite = isinstance(database.obj, peewee.SqliteDatabase)
    database.execute_sql("PRAGMA busy_timeout = 100" if sqlite else "SET lock_timeout = 100")


def imported(tmp_path: Path) -> importer.Summary:
    file = tmp_path / "events.jsonl"
    file.write_text("".join(json.dumps(event) + "\n" for event in DAY))
    return importer.run(file, "jsonl", "file", "UTC", None, lambda _at: None)


def test_import_waits_for_the_locks_of_others(db: peewee.Database, db_url: str, tmp_path: Path) -> None:
    quickly_given_up()
    with locked(db_url) as let_go:
        timer = threading.Timer(0.5, let_go)
        timer.start()
        summary = imported(tmp_path)
        timer.join()
    assert (summary.stored, summary.folded, Job.select().exists()) == (len(DAY), True, False)


@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
def test_import_leaves_the_digest_to_a_busy_worker(db: peewee.Database, db_url: str, tmp_path: Path) -> None:
    quickly_given_up()
    with psycopg.connect(db_url) as busy:
        busy.execute("SELECT pg_advisory_xact_lock(%s, 0)", (Lock.PROJECTION.value,))
        summary = imported(tmp_path)
    assert (summary.stored, summary.folded) == (len(DAY), False)
    assert {job.state for job in Job.select()} == {"waiting"}
    worker.drain(["digest"])
    assert not Job.select().exists()


@pytest.mark.own_database
@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
def test_when_postgresql_restarts_the_next_requests_and_the_worker_go_on(
    durable: None, site: Site, db_url: str
) -> None:
    with ThreadPoolExecutor(8) as many:
        before = list(many.map(site.deliver, [calls(n) for n in range(16)]))
    with psycopg.connect(db_url) as outside:
        os.kill(outside.info.backend_pid, signal.SIGKILL)  # a dead backend makes the server start anew
    with ThreadPoolExecutor(8) as many:
        after = list(many.map(site.deliver, [calls(n) for n in range(16, 32)]))
    assert sum(answer["accepted"] + answer["repeated"] for answer in before + after) == 32 * 20
    database.close()
    database.connect()
    until(lambda: not Job.select().exists())
    assert Event.select().count() == 32 * 20
    assert site.statistics("user1")["calls"]["closed"] == 107
    assert all(process.poll() is None for process in site.processes.values())


def test_the_real_server_takes_events_and_refuses_what_is_too_large(db: peewee.Database, db_url: str) -> None:
    key = keys.make("pbx", "pbx", "ingest")
    with started(SERVER, db_url) as running:
        address = f"{running.address}/api/v1/events"
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}

        def status(body: bytes, **more: str) -> int:
            request = urllib.request.Request(address, body, {**headers, **more})
            try:
                with urllib.request.urlopen(request, timeout=30) as answer:
                    return answer.status
            except urllib.error.HTTPError as error:
                return error.code

        assert status(json.dumps(DAY).encode()) == 202
        assert status(b" " * (11 * 1024 * 1024)) == 413
        assert status(b"[" * 1_000_000) == 400
        assert status(b"{}", **{"Content-Encoding": "gzip"}) == 415
        assert status(b"{}", Authorization="Bearer \xff\xfe") == 401
        until(lambda: not Job.select().exists())
    assert Event.select().where(~Event.type.startswith("system.")).count() == len(DAY)
