"""Row A8: the digest, and the import of a queue log, beside executemany of as many bare rows."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import msgspec

from dashboard import registry
from dashboard.db import connected, open_database
from dashboard.events import record
from dashboard.ingest import importer
from dashboard.ingest.schema import NewEvent, parse_json
from dashboard.jobs import worker
from tests.bench import gate, site
from tests.bench.table import Line, medians

BATCH = 1000
BATCHES = 5  # a turn
CALLS = 1500  # of the queue log: four lines each


def rows(home: Path) -> list[Line]:
    """Fold what waits, and import whole files; costs are processor seconds an event."""
    registry.register_work()
    raw = gate.Raw(home / "raw8.db")
    path = site.empty(home / "fold.db").path
    open_database(f"sqlite:///{path}")
    with connected():
        got = medians(
            {
                "raw": lambda: raw.cost(BATCH, BATCHES),
                "fold": _folded,
                "import": lambda: _imported(home),
            },
            turns=3,
        )
    raw.close()
    return [
        gate.speed("A8", "digest / executemany, per CPU second", {**got, "ours": got["fold"]}, ">= 0.15"),
        gate.speed(
            "A8", "import and digest of queue_log / the same", {**got, "ours": got["import"]}, ">= 0.15"
        ),
    ]


def _folded() -> float:
    source = record.source("bench").id
    for _ in range(BATCHES):
        taken = parse_json(msgspec.json.encode(list(gate.events(BATCH))))
        record.append(source, [one for one in taken if isinstance(one, NewEvent)])
    begun = time.process_time()
    worker.drain(["digest"])
    return (time.process_time() - begun) / (BATCH * BATCHES)


def _imported(home: Path) -> float:
    path = home / "queue_log"
    lines = list(_queue_log(CALLS))
    path.write_text("\n".join(lines) + "\n")
    begun = time.process_time()
    importer.run(path, "queue_log", f"log {begun}", "UTC", None, lambda _bytes: None)
    return (time.process_time() - begun) / len(lines)


def _queue_log(calls: int) -> Iterator[str]:
    """Yield lines of calls that were taken and ended by the agent."""
    start = site.T0 + site.DAYS * site.DAY_S
    for n in range(calls):
        at, unique = start + n * 20, f"{start + n * 20}.{n}"
        agent, queue = f"SIP/agent{n % 20:02}", f"queue{n % 5:02}"
        yield f"{at}|{unique}|{queue}|NONE|ENTERQUEUE||+42060000{n % 10000:04}|1"
        yield f"{at + 5}|{unique}|{queue}|{agent}|RINGNOANSWER|4000"
        yield f"{at + 9}|{unique}|{queue}|{agent}|CONNECT|9|{unique}1|3"
        yield f"{at + 99}|{unique}|{queue}|{agent}|COMPLETEAGENT|9|90|1"
