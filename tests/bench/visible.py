"""Row A8p: how long after its POST an event is folded, on PostgreSQL, at a steady rate of single events."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime

import psycopg

from dashboard.access import keys
from dashboard.db import connected, migrate, open_database
from tests import postgres
from tests.bench import serve, site
from tests.bench.table import Line

RATE = 300  # single events a second
CLIENTS = 8
SECONDS = 20
LATE_S = 60  # by which the last one must have come


def rows() -> list[Line]:
    """Return the line of A8p; by the clock, so the machine has to be quiet."""
    with postgres.server() as server:
        url = f"{server}/postgres"
        key = _prepared(url)
        with worker(url), serve.running("stopa", url) as web:
            took = sorted(_delays(url, web.connection.port, key))
    p99, half = took[int(len(took) * 0.99) - 1], took[len(took) // 2]
    measure = f"PostgreSQL: POST → visible, p99 in s, {RATE} single events a second, one worker"
    return [Line("A8p", measure, f"{p99:.3f} s", f"median {half:.3f} s", p99, "<= 0.5")]


def _prepared(url: str) -> str:
    db = open_database(url)
    with connected():
        migrate.run(db)
        return keys.make("bench", "bench", "ingest")


@contextmanager
def worker(url: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run a worker until the block ends."""
    chosen = {"STOPA_DATABASE": url, "STOPA_SECRET_KEY": site.SECRET}
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "worker"]
    process = subprocess.Popen(command, env={**os.environ, **chosen}, stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def _delays(url: str, port: int, key: str) -> Sequence[float]:
    """Send RATE events a second, each of a call of its own, and return the seconds until each is folded."""
    sent: dict[str, float] = {}
    begun = time.perf_counter() + 1
    clients = [
        threading.Thread(target=_send, args=(port, key, begun, number, sent)) for number in range(CLIENTS)
    ]
    for client in clients:
        client.start()
    came: dict[str, float] = {}
    last, end = 0, begun + SECONDS + LATE_S
    with psycopg.connect(url, autocommit=True) as reader:
        while len(came) < RATE * SECONDS and time.perf_counter() < end:
            query = "SELECT id, external_id FROM interaction WHERE id > %s ORDER BY id"
            for ident, name in reader.execute(query, (last,)).fetchall():
                came[name], last = time.perf_counter(), ident
            time.sleep(0.02)
    for client in clients:
        client.join()
    return [came.get(name, end) - moment for name, moment in sent.items()]


def _send(port: int, key: str, begun: float, number: int, sent: dict[str, float]) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    head = {"Content-Type": "application/json", "Authorization": f"Bearer {key}"}
    for n in range(number, RATE * SECONDS, CLIENTS):
        time.sleep(max(0.0, begun + n / RATE - time.perf_counter()))
        event = {
            "id": f"e{n}",
            "type": "call.queued",
            "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "queue": f"queue{n % 30}",
            "interaction": f"i{n}",
        }
        sent[f"i{n}"] = time.perf_counter()
        connection.request("POST", "/api/v1/events", json.dumps(event), head)
        answer = connection.getresponse()
        answer.read()
        if answer.status != 202:
            raise RuntimeError(f"answered {answer.status}")
