"""Rows A5 to A7: events in by HTTP, beside executemany into bare tables: the dashboard's own table of events
without all that stands around it, and one of as many columns with four indexes."""

from __future__ import annotations

import itertools
import json
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from tests.bench import serve, site
from tests.bench.serve import Server
from tests.bench.site import Site
from tests.bench.table import Line, medians, ratio

REQUESTS = {1: 40, 100: 20, 1000: 5}  # a turn
TABLE = """CREATE TABLE raw(
  id INTEGER PRIMARY KEY, user_id INTEGER NOT NULL, queue_id INTEGER NOT NULL, interaction TEXT NOT NULL,
  type TEXT NOT NULL, channel INTEGER NOT NULL, time_ms INTEGER NOT NULL, duration INTEGER NOT NULL,
  state INTEGER NOT NULL, contact TEXT NOT NULL, title TEXT NOT NULL, payload TEXT NOT NULL)"""
EVENT_COLUMNS = (
    "id, source_id, external_id, type, time_ms, recorded_ms, seq, user_id, queue_id, interaction, contact, "
    "session, data"
)
INDEXES = ("user_id, time_ms", "type, time_ms", "time_ms", "interaction")
_numbers = itertools.count(1)


def events(count: int) -> Iterator[dict[str, object]]:
    """Yield new events of calls, rising in time and key, of some 400 bytes each."""
    for _ in range(count):
        n = next(_numbers)
        moment = datetime.fromtimestamp(site.T0 + site.DAYS * site.DAY_S + n / 50, UTC)
        yield {
            "id": f"n{n:012}",
            "type": ("call.accepted", "call.closed")[n % 2],
            "time": moment.isoformat(timespec="milliseconds"),
            "user": f"agent{n // 2 % 5 + 1:04}",
            "queue": f"queue{n // 2 % 30 + 1:02}",
            "interaction": f"i{n // 2:010}",
            "data": json.loads(site.payload(n)),
        }


def body(size: int) -> bytes:
    found = list(events(size))
    return json.dumps(found[0] if size == 1 else found).encode()


def against_raw(home: Path) -> list[Line]:
    """A5 and A6: a request of 1,000, 100 and 1 events against raw rows and against mere parsing."""
    ours = site.empty(home / "gate.db")
    raw, real = Raw(home / "raw.db"), Raw(home / "real.db", ours.path)
    with serve.running("stopa", ours.path) as server, serve.running("parsing", ours.path) as parser:
        got = {size: _turns(size, real if size == 1000 else raw, server, ours, parser) for size in REQUESTS}
    raw.close()
    real.close()
    lines = [
        speed("A5", f"{size} events a request / executemany into {where}, per CPU second", got[size], goal)
        for size, where, goal in ((1000, "the event table", ">= 0.6"), (100, "a bare table", ">= 0.3"))
    ]
    one = got[1]
    parsed = "one event a request / a route that only parses it"
    return [*lines, ratio("A6", parsed, one["ours"], one["parse"], "<= 1.6", "us")]


def _turns(size: int, raw: Raw, server: Server, ours: Site, parser: Server) -> dict[str, float]:
    count = REQUESTS[size]
    return medians(
        {
            "raw": lambda: raw.cost(size, count),
            "ours": lambda: sent(server, ours, size, count),
            "parse": lambda: posted(parser, "/", size, count, {}),
        }
    )


def into_big(home: Path, big: Site) -> list[Line]:
    """A7: into a full file beside an empty one; the same batch again beside its first sending."""
    none = site.empty(home / "none.db")
    with serve.running("stopa", big.path) as full, serve.running("stopa", none.path) as bare:
        last = [b""]

        def first() -> float:
            last[0] = body(1000)
            return _of_bodies(bare, none, [last[0]], 1000)

        got = medians(
            {
                "big": lambda: sent(full, big, 1000, 5),
                "empty": lambda: sent(bare, none, 1000, 5),
                "first": first,
                "again": lambda: _of_bodies(bare, none, [last[0]], 1000),
            }
        )
    speed = got["empty"] / got["big"]
    return [
        Line(
            "A7", "ingest into big / into empty, speed", _us(got["big"]), _us(got["empty"]), speed, ">= 0.7"
        ),
        ratio("A7", "a batch sent again / the first sending", got["again"], got["first"], "<= 1", "us"),
    ]


def sent(server: Server, to: Site, size: int, requests: int) -> float:
    """Send new events and return the server's processor seconds an event."""
    return _of_bodies(server, to, [body(size) for _ in range(requests)], size)


def posted(server: Server, path: str, size: int, requests: int, head: dict[str, str]) -> float:
    kind = {"Content-Type": "application/json", **head}
    return server.cost([(path, body(size)) for _ in range(requests)], kind) / size


def _of_bodies(server: Server, to: Site, bodies: list[bytes], size: int) -> float:
    head = {"Content-Type": "application/json", "Authorization": f"Bearer {to.ingest_key}"}
    return server.cost([("/api/v1/events", one) for one in bodies], head) / size


def steadily(server: Server, to: Site, rate: int, go: threading.Event, stop: threading.Event) -> None:
    """Send batches of 1,000 at `rate` events a second while `go` is set, until `stop`."""
    while not stop.is_set():
        if go.is_set():
            begun = time.perf_counter()
            sent(server, to, 1000, 1)
            time.sleep(max(0.0, 1000 / rate - (time.perf_counter() - begun)))
        else:
            time.sleep(0.01)


class Raw:
    """Bare rows of the same size: one table, four indexes, one commit a batch.

    The table is that of events, with its indexes, when the file of a site is given as `model`.
    """

    def __init__(self, path: Path, model: Path | None = None) -> None:
        self.real = model is not None
        self.base = sqlite3.connect(path, isolation_level=None)
        for pragma in ("journal_mode = wal", "synchronous = normal", "cache_size = -64000"):
            self.base.execute(f"PRAGMA {pragma}")
        statements = [
            TABLE,
            *(f"CREATE INDEX raw_{n} ON raw({columns})" for n, columns in enumerate(INDEXES)),
        ]
        if model is not None:
            with closing(sqlite3.connect(model)) as base:
                query = "SELECT sql FROM sqlite_master WHERE tbl_name = 'event' AND sql IS NOT NULL"
                statements = [row[0] for row in base.execute(query)]
        for statement in statements:
            self.base.execute(statement)
        self.last = 0

    def cost(self, size: int, batches: int) -> float:
        """Return processor seconds a row."""
        rows = [self._row() for _ in range(size * batches)]
        begun = time.process_time()
        for start in range(0, len(rows), size):
            self.base.execute("BEGIN IMMEDIATE")
            table = f"event ({EVENT_COLUMNS})" if self.real else "raw"
            insert = f"INSERT INTO {table} VALUES ({', '.join('?' * len(rows[0]))})"
            self.base.executemany(insert, rows[start : start + size])
            self.base.execute("COMMIT")
        return (time.process_time() - begun) / len(rows)

    def _row(self) -> tuple[object, ...]:
        self.last += 1
        n = self.last
        if self.real:
            type_, ms = ("call.accepted", "call.closed")[n % 2], site.T0 * 1000 + n * 20
            name, data = f"i{n // 2:010}", site.payload(n)
            return (n, 1, f"n{n:012}", type_, ms, ms, 0, n // 2 % 5, n // 2 % 30, name, None, None, data)
        return (
            n,
            n % 5,
            n % 30,
            f"i{n // 2:010}",
            ("call.accepted", "call.closed")[n % 2],
            1,
            site.T0 * 1000 + n * 20,
            n % 900,
            0,
            "+420600000000",
            f"asked about order {n}",
            site.payload(n),
        )

    def close(self) -> None:
        self.base.close()


def _us(seconds: float) -> str:
    return f"{seconds * 1e6:.1f} us"


def speed(row: str, measure: str, got: dict[str, float], goal: str) -> Line:
    """Return the line of two costs as a ratio of speeds."""
    return Line(row, measure, _us(got["ours"]), _us(got["raw"]), got["raw"] / got["ours"], goal)
