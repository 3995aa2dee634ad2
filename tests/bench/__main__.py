"""All measures in one table: `python -m tests.bench [--rows 1000000] [--big 10000000] [--only A1,A5]`.

The large site has `--rows` activities, or `--big` where given; the small one 100,000. Costs are
processor time of the server's process, medians of cases run in turn; A11, A12, A8p, B5 and V1 in
part are by the clock. Files lie in a temporary folder and go with the run; `--keep FOLDER` keeps the
sites for the next.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

from tests.bench import (
    backtest,
    connectors,
    deliveries,
    exports,
    fold,
    gate,
    latency,
    pages,
    rules,
    site,
    timers,
    visible,
    visitors,
)
from tests.bench.site import Site
from tests.bench.table import Line, text

SMALL = 100_000
EXPORTS = ["--repeat", "1"]  # a minute; more turns by `python tests/bench/exports.py`
MACHINE = {2: "two cores", 4: "four cores"}


class Bench:
    """The sites of a run, made when a measure first asks for them."""

    def __init__(self, home: Path, kept: Path, rows: int, python: str, events: int) -> None:
        self.home, self.kept, self.rows, self.python, self.events = home, kept, rows, python, events

    @property
    def small(self) -> Site:
        return site.make(self.kept / "small.db", SMALL)

    @property
    def big(self) -> Site:
        base = None if (self.kept / f"{self.rows}.db").exists() else self.small
        return site.make(self.kept / f"{self.rows}.db", self.rows, base)


def _exports(_bench: Bench) -> list[Line]:
    lines = []
    for what, value, goal in exports.rows(exports.parser().parse_args(EXPORTS)):
        row, _space, measure = what.partition(" ")
        limit = goal.replace("≤", "<=") if goal.startswith("≤") else ""
        lines.append(Line(row, measure, "", "", value, limit))
    return lines


PARTS: dict[str, Callable[[Bench], list[Line]]] = {
    "A1 A2": lambda bench: pages.growth(bench.small, bench.big),
    "A3": lambda bench: pages.peers(bench.big, bench.python),
    "A4": lambda bench: pages.bare(bench.big),
    "A5 A6": lambda bench: gate.against_raw(bench.home),
    "A7": lambda bench: gate.into_big(bench.home, bench.big),
    "A8": lambda bench: fold.rows(bench.home),
    "A8p": lambda _bench: visible.rows(),
    "A9 A10": _exports,
    "A11": lambda bench: pages.busy(bench.big),
    "A12": lambda bench: latency.rows(bench.small),
    "B1 B3": lambda _bench: rules.rows(),
    "B2": lambda bench: timers.rows(bench.home),
    "B5": lambda bench: deliveries.rows(bench.home),
    "V1": lambda bench: visitors.rows(bench.home),
    "E3": lambda bench: connectors.rows(bench.home),
    "B4": lambda bench: backtest.rows(bench.home, bench.events),
}


def run(bench: Bench, only: Iterable[str]) -> list[Line]:
    """Return the lines of the rows asked for; each part is told on standard error when it is done."""
    wanted = set(only)
    lines: list[Line] = []
    for names, part in PARTS.items():
        if not wanted or wanted & set(names.split()):
            found = part(bench)
            lines += [line for line in found if not wanted or line.row in wanted]
            print(text(found), file=sys.stderr, flush=True)
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=1_000_000, help="activities of the large site")
    parser.add_argument("--big", type=int, help="the same, for a long run; ten millions take 15 GB")
    parser.add_argument("--events", type=int, default=50_000, help="events that a rule is tried on")
    parser.add_argument("--only", default="", help="rows, as A1,A5")
    parser.add_argument("--keep", type=Path, help="a folder whose sites are used again")
    parser.add_argument("--peers", default=sys.executable, help="a Python that has django and flask-admin")
    asked = parser.parse_args()
    rows = asked.big or asked.rows
    with tempfile.TemporaryDirectory(prefix="stopa-bench-") as folder:
        kept = asked.keep or Path(folder)
        kept.mkdir(exist_ok=True)
        bench = Bench(Path(folder), kept, rows, asked.peers, asked.events)
        lines = run(bench, asked.only.split(",") if asked.only else ())
    cores = os.cpu_count() or 1
    print(f"{MACHINE.get(cores, f'{cores} cores')}; large = {rows:,} activities, small = {SMALL:,}")
    print(text(lines))


if __name__ == "__main__":
    main()
