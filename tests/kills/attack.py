"""What is killed, and when: a stream of events, commands, and a site with a database to restore."""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import psycopg

from dashboard import clock
from dashboard.models import Event
from dashboard.settings import ROOT
from dashboard.settings.database_url import sqlite_path
from tests.ingest.test_kill import PARTS, Site
from tests.test_start import environment

USERS, CALLS = 5, 2  # calls a batch
PAUSE_S = 0.3  # between batches; a rule that runs over 600 times a minute is paused
LINES = 5000  # of a file that is imported
RESTORED = 20_000  # events of each backup
OLD_TS = 1_772_438_400  # 2 March 2026, the day of the files that are imported
END_S = 300  # for all that is left to do after the last kill
CONTENT = (
    "SELECT name FROM queue",
    "SELECT name, count(*) FROM event JOIN source ON source.id = event.source_id GROUP BY name",
)


def wait(fact: Callable[[], object]) -> None:
    end = time.monotonic() + END_S
    while not fact():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.1)


class Stream:
    """Posts calls that happen now, batch by batch, each until it is acknowledged."""

    def __init__(self, site: Site) -> None:
        self._site, self._over, self._numbers = site, threading.Event(), count()
        self.acknowledged: Counter[str] = Counter()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        while not self._over.wait(PAUSE_S):
            self.acknowledged.update(self._site.deliver(self._batch(next(self._numbers)))["ids"])

    def _batch(self, number: int) -> list[dict[str, Any]]:
        now, found = clock.now(), []
        for n in range(number * CALLS, number * CALLS + CALLS):
            common = {"user": f"pbx{n % USERS}", "interaction": f"c-{n}", "queue": "support"}
            for kind in ("accepted", "closed"):
                ident = f"c-{n}:{kind}"
                found.append({"id": ident, "type": f"call.{kind}", "time": now.isoformat(), **common})
        return found

    def end(self) -> None:
        self._over.set()
        self._thread.join()


class Victim:
    """A command that is killed at some moment of its run, with its own children."""

    def __init__(self, variables: dict[str, str], *words: str) -> None:
        self._began = time.monotonic()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "flask", *words],
            cwd=ROOT,
            env=variables,
            start_new_session=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def complete(self) -> float:
        """Wait for its end and return the seconds that it took; raises AssertionError if it failed."""
        said, _ = self._process.communicate()
        assert self._process.returncode == 0, said
        return time.monotonic() - self._began

    def kill_after(self, seconds: float, begun: Callable[[], object] = lambda: True) -> bool:
        """Kill it so many seconds after `begun` holds; return whether it was running until then."""
        while not begun() and self._process.poll() is None:
            time.sleep(0.01)
        try:
            said, _ = self._process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.communicate()
            return True
        assert self._process.returncode == 0, said
        return False


class Attack:
    """The kills of one database, with what they hit."""

    def __init__(self, other: str, folder: Path, site: Site, chance: random.Random) -> None:
        self._site, self._folder, self._chance, self._other = site, folder, chance, other
        self.hit: Counter[str] = Counter()
        self._files = count()
        self.imported = 0
        self._variables = site.environment
        self._restoring = environment(other)
        self._content = "second"
        self._lasts = {
            "import": Victim(self._variables, *self._import(self._file())).complete(),
            "rebuild": self.rebuild(),
            "restore": Victim(self._restoring, *self._restore("second")).complete(),
        }

    def rebuild(self) -> float:
        return Victim(self._variables, "rebuild").complete()

    def kill(self, part: str) -> None:
        if part in PARTS:
            time.sleep(self._chance.uniform(0.1, 0.6))
            self._site.kill(part)
            if part == "web":
                wait(self._site.answers)
            self.hit[part] += 1
            return
        getattr(self, f"_kill_{part}")()

    def _moment(self, part: str, earliest: float = 0, latest: float = 1) -> float:
        """Return seconds: a random part of what the command took when it was left alone."""
        return self._lasts[part] * self._chance.uniform(earliest, latest)

    def _kill_import(self) -> None:
        file = self._file()
        stored = Event.select().where(Event.external_id.startswith(f"{file.stem}:"))
        Victim(self._variables, *self._import(file)).kill_after(self._moment("import", 0, 0.1), stored.exists)
        part = stored.count()
        self.hit[f"import, {'a part' if part < LINES else 'all'} stored"] += 1
        Victim(self._variables, *self._import(file)).complete()
        assert stored.count() == LINES, "an import was not completed by running it again"

    def _kill_rebuild(self) -> None:
        running = Victim(self._variables, "rebuild").kill_after(self._moment("rebuild"))
        self.hit["rebuild" if running else "rebuild, after its end"] += 1

    def _kill_restore(self) -> None:
        new = "first" if self._content == "second" else "second"
        victim = Victim(self._restoring, *self._restore(new))
        if sqlite_path(self._other) is not None:
            running = victim.kill_after(self._moment("restore", 0, 0.2), self._replaced)
        else:
            running = victim.kill_after(self._moment("restore", 0.5))
        found = content(self._other)
        assert found in ("first", "second"), "a restore left a part of a backup"
        left = "after its end" if not running else "new content" if found == new else "old content"
        self.hit[f"restore, {left}"] += 1
        self._content = found
        for kept in self._replaced():
            kept.unlink()

    def _replaced(self) -> list[Path]:
        """Return the files that a restore keeps of an SQLite database, also those that are not whole yet."""
        path = sqlite_path(self._other)
        return [] if path is None else list(path.parent.glob("*.replaced-*"))

    def _file(self) -> Path:
        path = self._folder / f"file{next(self._files)}.jsonl"
        with path.open("w") as file:
            for n in range(LINES):
                call, kind = n // 2, ("accepted", "closed")[n % 2]
                moment = datetime.fromtimestamp(OLD_TS + 5 * n, UTC).isoformat()
                line = {"id": f"{path.stem}:{n}", "type": f"call.{kind}", "time": moment}
                who = {"user": f"old{call % USERS}", "interaction": f"{path.stem}-{call}"}
                file.write(json.dumps({**line, **who}) + "\n")
        self.imported += LINES
        return path

    def _import(self, file: Path) -> tuple[str, ...]:
        return "import", str(file), "--format", "jsonl", "--source", "old"

    def _restore(self, name: str) -> tuple[str, ...]:
        return "restore", str(self._folder / name), "--yes", "--force"


def content(url: str) -> str:
    """Return which backup the database holds as a whole, else what it holds."""
    if (path := sqlite_path(url)) is not None:
        with closing(sqlite3.connect(path)) as file:
            assert file.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            queues, events = (file.execute(sql).fetchall() for sql in CONTENT)
    else:
        with psycopg.connect(url) as server:
            queues, events = (server.execute(sql).fetchall() for sql in CONTENT)
    [(name,)] = queues
    return name if events == [(name, RESTORED)] else f"{name} and {events}"
