"""Rows A1 to A4 and A11: what pages cost the server, beside a small site, bare pages and peers."""

from __future__ import annotations

import contextlib
import gzip
import random
import re
import statistics
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from tests.bench import gate, serve, site
from tests.bench.serve import Server
from tests.bench.site import Site
from tests.bench.table import Line, medians, ratio

BURST = 6
HALF_CEILING = 5_000  # events a second, about half of what one process takes in batches
Cost = Callable[[], float]


class Asker(NamedTuple):
    """A served site, asked as its first user for days of users drawn anew each time."""

    server: Server
    site: Site
    dice: random.Random

    def burst(self, path: str, count: int = BURST, block: str | None = None) -> float:
        head = {"Cookie": f"stopa={self.site.token}"}
        if block:
            head |= {"HX-Request": "true", "HX-Target": block}
        return self.server.cost([(self.filled(path), None) for _ in range(count)], head)

    def filled(self, path: str) -> str:
        day = site.T0 + self.dice.choice(list(site.days())) * site.DAY_S
        user = self.dice.randint(1, self.site.users)
        date, noon = datetime.fromtimestamp(day, UTC).date(), day + 11 * 3600
        return path.format(user=f"agent{user:04}", date=date, u=user, a=day, b=day + site.DAY_S, noon=noon)


DAY = "/tracing?tz=UTC&user={user}&date={date}"
WEEK = DAY + "&unit=week"
NEXT = DAY + "&after={noon}.0.0&page=2"
BARE_DAY = "/list?u={u}&a={a}&b={b}"
BARE_TRACE = "/trace?u={u}&a={a}&b={b}"


def growth(small: Site, big: Site) -> list[Line]:
    """A1 and A2: the same day and the same list in a small and a big file; a later page and the first."""
    with _asking("stopa", small) as few, _asking("stopa", big) as many:
        got = medians(
            {
                "day small": lambda: few.burst(DAY),
                "day big": lambda: many.burst(DAY),
                "week small": lambda: few.burst(WEEK, 3),
                "week big": lambda: many.burst(WEEK, 3),
                "list small": lambda: few.burst(DAY, block="activities"),
                "list big": lambda: many.burst(DAY, block="activities"),
                "next": lambda: many.burst(NEXT, block="activities"),
                "events first": lambda: _events(many, 0),
                "events late": lambda: _events(many, 1_900_000),
            }
        )
    return [
        ratio("A1", "tracing page of a user-day, big / small", got["day big"], got["day small"], "<= 1.3"),
        ratio("A1", "tracing page of a user-week, big / small", got["week big"], got["week small"], "<= 1.5"),
        ratio("A1", "week / day, big", got["week big"], got["day big"], "<= 4"),
        ratio("A2", "list of activities, page 1, big / small", got["list big"], got["list small"], "<= 1.2"),
        ratio("A2", "a later page of it / page 1, big", got["next"], got["list big"], "<= 1.7"),
        ratio(
            "A2",
            "API events by cursor, late page / page 1",
            got["events late"],
            got["events first"],
            "<= 1.7",
        ),
    ]


def bare(big: Site) -> list[Line]:
    """A4: pages beside bare ones, a fragment beside its page, and their weight."""
    with _asking("stopa", big) as ours, _asking("lists", big) as plain:
        got = medians(
            {
                "users": lambda: ours.burst("/users"),
                "list": lambda: plain.burst("/list"),
                "trace": lambda: ours.burst(DAY),
                "bare trace": lambda: plain.burst(BARE_TRACE),
                "block": lambda: ours.burst(DAY, block="activities"),
            }
        )
        weights = _weights(ours)
    return [
        ratio("A4", "list page of 50 users / bare list page", got["users"], got["list"], "<= 2"),
        ratio("A4", "tracing page / bare bars, sums and rows", got["trace"], got["bare trace"], ""),
        ratio("A4", "fragment of the list / tracing page", got["block"], got["trace"], "<= 0.7"),
        *weights,
    ]


def peers(big: Site, python: str = sys.executable) -> list[Line]:
    """A3: other list pages over the same file, one user and day, without sign-in for them."""
    lines = []
    with _asking("stopa", big) as ours:
        asked = (
            (
                "django",
                "Django admin, tuned",
                "/auth/activity/?user_id={u}&start_ts__gte={a}&start_ts__lt={b}",
                8,
            ),
            ("flask_admin", "Flask-Admin", "/admin/activity/?flt0_0={u}&flt1_10={a}", 5),
        )
        for name, called, path, goal in asked:
            try:
                with _asking(name, big, python) as theirs:
                    lines += _beside(ours, theirs, called, path, goal)
            except RuntimeError as problem:
                lines.append(Line("A3", f"{called}: peer not installed ({problem})", "", "", None, ""))
    return lines


def _beside(ours: Asker, theirs: Asker, called: str, path: str, goal: int) -> list[Line]:
    whole = path.partition("?")[0]
    got = medians(
        {
            "ours": lambda: ours.burst("/users"),
            "day": lambda: ours.burst(DAY),
            "theirs": lambda: theirs.burst(whole, 2),
            "their day": lambda: theirs.burst(path, 3),
            "list": lambda: ours.burst(DAY, block="activities"),
        },
        turns=3,
    )
    first = 20 if goal == 8 else 60
    return [
        ratio("A3", f"{called}, page 1 / list page of 50 users", got["theirs"], got["ours"], f">= {first}"),
        ratio("A3", f"{called}, user and day / tracing page", got["their day"], got["day"], f">= {goal}"),
        ratio("A3", f"{called}, user and day / list of activities", got["their day"], got["list"], ""),
    ]


def busy(big: Site) -> list[Line]:
    """A11: the time a list takes while batches come in at half the ceiling, beside idle."""
    idle: list[float] = []
    loaded: list[float] = []
    with _asking("stopa", big) as reader, serve.running("stopa", big.path) as writer:
        stop, go = threading.Event(), threading.Event()
        sender = threading.Thread(target=gate.steadily, args=(writer, big, HALF_CEILING, go, stop))
        sender.start()
        reader.burst(DAY, block="activities")
        for times, flag in [(idle, False), (loaded, True)] * 3:
            go.set() if flag else go.clear()
            time.sleep(0.3)
            times += _waits(reader, 40)
        stop.set()
        sender.join()
    middle, late = statistics.median(idle), statistics.quantiles(idle, n=20)[-1]
    middle_now, late_now = statistics.median(loaded), statistics.quantiles(loaded, n=20)[-1]
    return [
        ratio("A11", "median time of a list while batches come / idle", middle_now, middle, "<= 1.3"),
        ratio("A11", "95th of a hundred, the same", late_now, late, "<= 2"),
    ]


def _waits(reader: Asker, count: int) -> list[float]:
    times = []
    for _ in range(count):
        begun = time.perf_counter()
        reader.server.ask(
            reader.filled(DAY),
            None,
            {"Cookie": f"stopa={reader.site.token}", "HX-Request": "true", "HX-Target": "activities"},
        )
        times.append(time.perf_counter() - begun)
        time.sleep(0.01)
    return times


def _events(asker: Asker, after: int) -> float:
    head = {"Authorization": f"Bearer {asker.site.read_key}"}
    after += asker.dice.randint(0, 50_000)
    return asker.server.cost([(f"/api/v1/events?limit=50&after={after}", None)] * BURST, head)


def _weights(asker: Asker) -> list[Line]:
    """A4: kilobytes of fifty rows, and of a tracing page with style sheet and scripts, compressed."""
    head = {"Cookie": f"stopa={asker.site.token}"}
    block = asker.server.ask(
        asker.filled(DAY), None, {**head, "HX-Request": "true", "HX-Target": "activities"}
    )
    users = asker.server.ask("/users", None, head)
    page = asker.server.ask(asker.filled(DAY), None, head)
    links = re.findall(rb'(?:src|href)="(/static/[^"]+\.(?:js|css)\?[^"]*)"', page.body)
    parts = [page.body, *(asker.server.ask(link.decode()).body for link in links)]
    packed = sum(len(gzip.compress(part, 6)) for part in parts) / 1000
    return [
        _weight("list of activities, 50 rows", len(block.body) / 1000, 40),
        _weight("list page of 50 users", len(users.body) / 1000, 40),
        _weight("tracing page, style and scripts, compressed", packed, 60),
    ]


def _weight(what: str, kilobytes: float, limit: int) -> Line:
    return Line("A4", f"{what}, kB", f"{kilobytes:.1f} kB", "", kilobytes, f"<= {limit}")


@contextlib.contextmanager
def _asking(application: str, of: Site, python: str = sys.executable) -> Iterator[Asker]:
    with serve.running(application, Path(of.path), python) as server:
        yield Asker(server, of, random.Random(3))
