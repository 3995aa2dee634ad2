"""Kills server and workers under simulated visits, and checks that nothing is lost and nothing is done twice.

`python -m tests.kills.visitors [--visits 1000] [--seconds 600] [--kills 30] [--database sqlite|postgresql]
[--seed 1]` keeps pages open as /visitor.js does: what is not acknowledged is sent again, and one answer in
ten is lost. One visitor in four becomes idle and is invited by a rule. Exit status 1 if a check fails.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from dashboard import registry
from dashboard.db import database, dialect, sealed
from dashboard.models import Event, Invitation, Job, Step, Visit
from tests import make, postgres
from tests.conftest import SECRET
from tests.ingest.test_kill import PARTS, Site
from tests.kills.__main__ import begun, opened
from tests.kills.attack import wait
from tests.rules import engine
from tests.visitors.portal import CHROME, ORIGIN, site

IDLE = 4  # one visit in so many becomes idle
LOST = 0.1  # of the answers
KINDS = ("page", "click", "scroll", "form", "input", "custom")


class Page:
    """An open page; what it has to send stays until it is acknowledged."""

    def __init__(self, number: int, key: str, port: int, report_s: float, seed: int) -> None:
        self._dice = random.Random(number * 1000 + seed)
        self.ident, self.idle = f"visit{number:017}", number % IDLE == 0
        self._address = f"127.{number // 250 + 1}.{number % 250}.1"
        self._port, self._report_s, self._path = port, report_s, f"/visit/{key}"
        self._left: list[tuple[float, dict[str, Any]]] = []
        self.records: Counter[str] = Counter()
        self._active = 0.0

    async def run(self, begin_s: float, end: float, acting_s: float) -> None:
        """Act until `end`, an idle visitor for `acting_s` seconds only; then deliver what is left."""
        await asyncio.sleep(begin_s)
        self._act("page")
        acting_end = time.time() + acting_s
        while time.time() < end:
            if self._dice.random() < 0.3 and (not self.idle or time.time() < acting_end):
                for _ in range(self._dice.randint(1, 3)):
                    self._act(self._dice.choice(KINDS))
            await self._report()
            await asyncio.sleep(self._report_s * self._dice.uniform(0.8, 1.2))
        while self._left:
            await self._report()
            await asyncio.sleep(0.2)

    def _act(self, kind: str) -> None:
        made = {
            "i": f"record{sum(self.records.values()):06}",
            "k": kind,
            "u": f"{ORIGIN}/{kind}",
            "el": "menu",
        }
        self.records[kind] += 1
        self._active = time.time()
        self._left.append((self._active, made))

    async def _report(self) -> None:
        now, sent = time.time(), self._left[:100]
        records = [{**made, "m": (now - at) * 1000} for at, made in sent]
        body = {"v": self.ident, "b": self.ident, "a": (now - self._active) * 1000, "e": records}
        try:
            async with asyncio.timeout(10):
                answer = await self._post(json.dumps(body).encode())
        except (OSError, EOFError, TimeoutError):
            return
        if answer is not None and self._dice.random() >= LOST:
            taken = set(answer["ok"])
            self._left = [each for each in self._left if each[1]["i"] not in taken]

    async def _post(self, body: bytes) -> dict[str, Any] | None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port, local_addr=(self._address, 0))
        head = f"Host: x\r\nOrigin: {ORIGIN}\r\nUser-Agent: {CHROME}\r\nConnection: close\r\n"
        try:
            writer.write(
                f"POST {self._path} HTTP/1.1\r\n{head}Content-Length: {len(body)}\r\n\r\n".encode() + body
            )
            got, _end, text = (await reader.read()).partition(b"\r\n\r\n")
        finally:
            writer.close()
        status = int(got.split()[1]) if got else 0
        if status not in (0, 200, 503):
            raise RuntimeError(f"answered {status}: {text!r}")
        if status != 200:
            return None
        try:
            found: dict[str, Any] = json.loads(text)
        except ValueError:  # cut by a kill
            return None
        return found


def simulate(
    url: str, visits: int, seconds: int, kills: int, seed: int, report_s: float = 5
) -> Iterator[str]:
    """Simulate visits on the database at `url`, which is open here; yield each check that fails."""
    idle_s = seconds // 5
    made = site("Portal", idle_s=idle_s)
    make.user("full", access=make.access([], ["all_users", "all_queues"]))
    engine.rule([{"do": "invite", "text": "May I help?", "seconds": 600}], types=["visitor.idle"])
    running = Site(url, LEASE_S="3")
    port = urlsplit(running.address).port or 0
    pages = [Page(number, made.key, port, report_s, seed) for number in range(visits)]
    try:
        with ThreadPoolExecutor(1) as aside:  # the thread of a browser test has a running loop of its own
            aside.submit(asyncio.run, _run(pages, running, seconds, kills, seed, report_s)).result()
        wait(lambda: not Visit.select().where(Visit.due_ms <= time.time() * 1000).exists())
        wait(lambda: not Job.select().where(begun()).exists())
        wait(lambda: not Step.select().where(Step.state.in_(("waiting", "running"))).exists())
    finally:
        running.end()
    yield from _failures(pages)
    if not dialect.is_sqlite():
        query = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
        ((deadlocks,),) = database.execute_sql(query).fetchall()
        if deadlocks:
            yield f"{deadlocks} deadlocks"


async def _run(
    pages: list[Page], running: Site, seconds: int, kills: int, seed: int, report_s: float
) -> None:
    dice, end = random.Random(seed), time.time() + seconds
    tasks = [asyncio.create_task(page.run(dice.uniform(0, report_s), end, seconds / 5)) for page in pages]
    for moment in sorted(dice.uniform(0, seconds) for _ in range(kills)):
        await asyncio.sleep(max(0.0, end - seconds + moment - time.time()))
        await asyncio.to_thread(running.kill, dice.choice(PARTS))
    await asyncio.gather(*tasks)


def _failures(pages: list[Page]) -> Iterator[str]:
    e = Event
    rows = e.select(e.session, e.external_id, e.type).where(e.session.is_null(False))
    stored: dict[str, Counter[str]] = {page.ident: Counter() for page in pages}
    records: Counter[str] = Counter()
    for session, key, type_ in rows.tuples():
        if key.partition(":")[2].startswith("record"):
            records[session] += 1
        else:
            stored[session][type_] += 1
    visits = {visit.token: visit for visit in Visit.select()}
    for page in pages:
        visit, events = visits[page.ident], stored[page.ident]
        wanted = {"visit.started": 1, "session.opened": 1}
        if page.idle:
            wanted |= {"visitor.idle": 1 + events["visitor.active"], "chat.invited": 1}
        wrong = {type_: events[type_] for type_, number in wanted.items() if events[type_] != number}
        made = Invitation.select().where(Invitation.visit == visit.id).count()
        if records[page.ident] != page.records.total() or visit.pages != page.records["page"]:
            yield f"{page.ident}: {records[page.ident]} of {page.records} records, {visit.pages} pages"
        if wrong or made != events["chat.invited"] or made > 1:
            yield f"{page.ident}: {dict(events)}, {made} invitations"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.kills.visitors", description=__doc__)
    parser.add_argument("--visits", type=int, default=1000)
    parser.add_argument("--seconds", type=int, default=600)
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--database", choices=["sqlite", "postgresql"])
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    sealed.use_key(SECRET)
    registry.register_work()
    failed = 0
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        for kind in [options.database] if options.database else ["sqlite", "postgresql"]:
            url = f"sqlite:///{folder}/visits.db"
            if kind == "postgresql":
                server = stack.enter_context(postgres.server())
                postgres.administer(server, "CREATE DATABASE visits")
                url = f"{server}/visits"
            with opened(url):
                wrong = list(simulate(url, options.visits, options.seconds, options.kills, options.seed))
                numbers = f"{Event.select().count()} events, {Invitation.select().count()} invitations"
            print(*wrong[:20], sep="\n", file=sys.stderr)
            result = "FAIL" if wrong else "ok"
            print(f"{result} {kind}: {options.visits} visits, {options.kills} kills, {numbers}", flush=True)
            failed += bool(wrong)
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
