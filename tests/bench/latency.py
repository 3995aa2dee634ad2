"""Row A12: how long the slowest pages take at eight connections, beside one, at the same throughput."""

from __future__ import annotations

import random
import statistics
import threading
import time
from pathlib import Path

from tests.bench import serve
from tests.bench.pages import DAY, Asker
from tests.bench.serve import Server
from tests.bench.site import Site
from tests.bench.table import Line, ratio

PAGES, TURNS, CONNECTIONS = 120, 2, 8
SHARE = 0.4  # of the throughput that one connection reaches


def rows(small: Site) -> list[Line]:
    """Measure by the clock: each turn asks at one connection and at eight, with the same pauses in all."""
    with serve.running("stopa", Path(small.path)) as server:
        askers = [Asker(Server(server.port), small, random.Random(n)) for n in range(CONNECTIONS)]
        _times(askers[:1], 0)  # warm
        one, eight = [], []
        for _ in range(TURNS):
            alone = _times(askers[:1], 0)
            rate = SHARE / statistics.mean(alone)
            one += _times(askers[:1], rate)
            eight += _times(askers, rate)
    late_one, late_eight = _late(one), _late(eight)
    return [
        ratio(
            "A12",
            "99th percentile of a day page at 8 connections / at 1, same throughput",
            late_eight,
            late_one,
            "<= 2.5",
        )
    ]


def _late(times: list[float]) -> float:
    return statistics.quantiles(times, n=100)[-1]


def _times(askers: list[Asker], rate: float) -> list[float]:
    """Return the seconds of PAGES pages, asked for over all connections `rate` times a second at random
    moments; without a rate one after the other."""
    times: list[float] = []

    def ask(asker: Asker) -> None:
        head = {"Cookie": f"stopa={asker.site.token}"}
        for _ in range(PAGES // len(askers)):
            if rate:
                time.sleep(asker.dice.expovariate(rate / len(askers)))
            begun = time.perf_counter()
            asker.server.ask(asker.filled(DAY), None, head)
            times.append(time.perf_counter() - begun)

    threads = [threading.Thread(target=ask, args=(asker,)) for asker in askers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return times
