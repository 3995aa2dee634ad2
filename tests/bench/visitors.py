"""Row V1: open visits that report every five seconds. What they cost, and how late an invitation comes.

Each page has a connection of its own, as without a proxy. One in IDLE stops to act; a rule invites it.
"""

from __future__ import annotations

import asyncio
import json
import random
import time
from pathlib import Path
from typing import Any

from dashboard import clock
from dashboard.access.permissions import Permission
from dashboard.db import connected, open_database
from dashboard.events import record
from dashboard.models import Access, AccessGrant, Event, Rule, Site, User, Visit
from dashboard.visitors.entry import SOON_MS
from tests.bench import serve, site
from tests.bench.table import Line
from tests.bench.visible import worker

VISITS = 1000
IDLE = 5  # one visit in so many becomes idle
IDLE_S, EVENT_S = 70, 60
START_S, MEASURED_S, END_S = 40, 60, 160
ORIGIN = "https://portal.example"
AGENT = "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36"


class Page:
    """An open page: its visit, what it has to send, and the invitation that it got."""

    def __init__(self, number: int, key: str) -> None:
        dice = random.Random(number)
        self.ident = f"visit{number:017}"
        self._idle = number % IDLE == 0
        self._event_s = dice.uniform(0, EVENT_S)
        self._address = f"127.{number // 250 + 1}.{number % 250}.1"
        self.start_s = dice.uniform(0, START_S)
        self._head = f"POST /visit/{key} HTTP/1.1\r\nHost: x\r\nOrigin: {ORIGIN}\r\nUser-Agent: {AGENT}\r\n"
        self.records: list[str] = []
        self.late_s: float | None = None
        self.reports = 0

    async def run(self, port: int, end: float) -> None:
        await asyncio.sleep(self.start_s)
        reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(self._address, 0))
        active = time.time()  # after the connection is made
        acts, wait_s = active + self._event_s, 0.0
        new = [self._record("page")]
        while time.time() < end:
            await asyncio.sleep(wait_s)
            now = time.time()
            if not self._idle and now >= acts:
                new, active, acts = [*new, self._record("click")], now, acts + EVENT_S
            body = self._body(new, int((now - active) * 1000))
            writer.write(f"{self._head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
            answer = await self._answer(reader)
            self.reports += 1
            new, wait_s = [], answer.get("next", SOON_MS) / 1000
            if "invite" in answer and self.late_s is None:
                self.late_s = time.time() - active - IDLE_S
        writer.close()

    def _record(self, kind: str) -> dict[str, Any]:
        self.records.append(f"{self.ident}-{len(self.records)}")
        return {
            "i": self.records[-1],
            "k": kind,
            "m": 0,
            "u": f"{ORIGIN}/{kind}",
            "t": "A page",
            "el": "menu",
        }

    def _body(self, new: list[dict[str, Any]], idle_ms: int) -> bytes:
        page = {"l": "cs-CZ", "u": f"{ORIGIN}/page", "t": "A page", "r": "https://search.example/"}
        return json.dumps({"v": self.ident, "b": self.ident, "a": idle_ms, "e": new, **page}).encode()

    async def _answer(self, reader: asyncio.StreamReader) -> dict[str, Any]:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        if not head.startswith("HTTP/1.1 200"):
            raise RuntimeError(head)
        length = next(
            line.split(":")[1] for line in head.split("\r\n") if line.lower().startswith("content-length")
        )
        found: dict[str, Any] = json.loads(await reader.readexactly(int(length)))
        return found


def rows(home: Path) -> list[Line]:
    """Return the lines of V1: processor of server and worker, and seconds by the clock."""
    path = home / "visitors.db"
    key = _site(path)
    pages = [Page(number, key) for number in range(VISITS)]
    with serve.running("stopa", path) as server, worker(f"sqlite:///{path}") as process:
        used = asyncio.run(_run(pages, server, process.pid))
    late = sorted(page.late_s for page in pages if page.late_s is not None)
    _check(path, pages)
    p99 = late[int(len(late) * 0.99) - 1]
    cost = f"server {used[0]:.1%}, worker {used[1]:.1%} of a core"
    measure = f"{VISITS:,} open visits, {used[2]:.0f} reports a second, an event a minute each: processor"
    invited = f"invitation after its deadline, 99 % of {len(late)} / median, s"
    return [
        Line("V1", measure, cost, "", used[0] + used[1], "<= 0.25"),
        Line("V1", invited, f"{p99:.2f} s", f"{late[len(late) // 2]:.2f} s", p99, "<= 5"),
    ]


def _site(path: Path) -> str:
    """Make a site whose rule invites idle visitors; return its key."""
    site.empty(path)
    open_database(f"sqlite:///{path}")
    with connected():
        owner = User.create(
            login="owner",
            name="Owner",
            created_ts=0,
            access=Access.create(name="all", permissions=[each.value for each in Permission]),
        )
        for kind in ("all_users", "all_queues"):
            AccessGrant.create(access=owner.access, kind=kind)
        then = [{"do": "invite", "text": "May I help?"}]
        moment = clock.now_s()
        Rule.create(
            name="Invite",
            state="on",
            owner=owner,
            definition={"types": ["visitor.idle"], "then": then},
            created_ts=moment,
            updated_ts=moment,
        )
        made = Site.create(
            source=record.source("Portal"),
            key="key",
            enabled=True,
            origins=[ORIGIN],
            secret="",
            idle_s=IDLE_S,
            created_ts=moment,
        )
        return str(made.key)


async def _run(pages: list[Page], server: serve.Server, worker_pid: int) -> tuple[float, float, float]:
    """Keep the pages open; return what server and worker used of a core, and the reports a second."""
    end = time.time() + END_S
    tasks = [asyncio.create_task(page.run(server.port, end)) for page in pages]
    await asyncio.sleep(START_S + 5)
    before, sent = (await asyncio.to_thread(server.cpu_s), _cpu_s(worker_pid)), _reports(pages)
    await asyncio.sleep(MEASURED_S)
    after = await asyncio.to_thread(server.cpu_s), _cpu_s(worker_pid)
    reports = (_reports(pages) - sent) / MEASURED_S
    await asyncio.gather(*tasks)
    return (after[0] - before[0]) / MEASURED_S, (after[1] - before[1]) / MEASURED_S, reports


def _reports(pages: list[Page]) -> int:
    return sum(page.reports for page in pages)


def _cpu_s(pid: int) -> float:
    """Return the processor seconds that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


def _check(path: Path, pages: list[Page]) -> None:
    """Raise RuntimeError unless every record is stored once and every idle visit is invited once."""
    open_database(f"sqlite:///{path}")
    with connected():
        stored = {key.partition(":")[2] for (key,) in Event.select(Event.external_id).tuples()}
        lost = [each for page in pages for each in page.records if each not in stored]
        invited = Visit.select().where(Visit.invited_ms.is_null(False)).count()
        made = Event.select().where(Event.type == "chat.invited").count()
    if lost or not VISITS // IDLE == invited == made:
        raise RuntimeError(f"lost {lost[:5]}, invited {invited}, {made} invitations")
