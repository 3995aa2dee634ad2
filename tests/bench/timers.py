"""Row B2: deadlines over many open tickets. What a minute costs while nothing is due, and how late one is."""

from __future__ import annotations

import statistics
import time
from pathlib import Path

from dashboard import clock
from dashboard.db import connected, database, dialect, open_database
from dashboard.events import record
from dashboard.models import Event, Rule, Run, Timer
from dashboard.rules import active_rules, event_rows
from dashboard.rules.timing import deadline_worker, timers
from tests.bench import site
from tests.bench.table import Line, medians, ratio

TICKETS = 100_000
RULES = 500
TURNS_A_MINUTE = 240  # of a worker that has nothing to do
HOUR_S, MINUTE_S = 3600, 60
DUE = 1000  # tickets that fall due at one moment
SOON_S = 8
CHUNK = 10_000


def rows(home: Path) -> list[Line]:
    """Return the lines of B2; the first is processor seconds of the worker, the second by the clock."""
    one, many = home / "timers1.db", home / "timers500.db"
    for path, rules in ((one, 1), (many, RULES)):
        _site(path, rules)
    got = medians({"one": lambda: _minute(one), "many": lambda: _minute(many)})
    late, busy = _lateness(many)
    worst = statistics.quantiles(late, n=100)[98]
    return [
        ratio(
            "B2",
            f"a minute of {RULES} idle rules over {TICKETS:,} open tickets / of one",
            got["many"],
            got["one"],
            "<= 1.2",
        ),
        Line(
            "B2",
            f"lateness of {DUE:,} deadlines of one moment, 99 % / processor",
            f"{worst:.2f} s",
            f"{busy:.2f} s",
            worst,
            "<= 5",
        ),
    ]


def _site(path: Path, rules: int) -> None:
    """Make a site with open tickets, each with its timer, and idle rules of as many lengths of time."""
    site.empty(path)
    open_database(f"sqlite:///{path}")
    with connected(), database.atomic():
        for n in range(rules):
            _rule(4 * HOUR_S + n // 2 * MINUTE_S, "ge" if n % 2 else "lt")
        _tickets("T", TICKETS, clock.now_ms())


def _rule(seconds: int, op: str) -> None:
    """Make an idle rule for half of the tickets: over 600 runs in a minute would pause one for all."""
    definition = {
        "types": ["ticket.idle"],
        "if": {"all": [{"field": "data.messages_in", "op": op, "value": DUE // 2}]},
        "after": {"seconds": seconds},
        "then": [{"do": "notify", "to": {"users": [1]}, "title": "Idle for {{ data.idle_s }}"}],
    }
    moment = clock.now_s()
    Rule.create(
        name=f"Idle {seconds} {op}", state="on", definition=definition, created_ts=moment, updated_ts=moment
    )


def _tickets(name: str, many: int, time_ms: int) -> None:
    """Store the first events of tickets, and arm their deadlines as a digest does."""
    source = record.source("bench").id
    for start in range(0, many, CHUNK):
        after = dialect.highest_id("event")
        names = [f"{name}{n}" for n in range(start, min(start + CHUNK, many))]
        some = [
            (
                source,
                each,
                "ticket.created",
                time_ms,
                time_ms,
                0,
                None,
                None,
                each,
                None,
                None,
                f'{{"messages_in": {n}, "status": "open"}}',
            )
            for n, each in enumerate(names, start)
        ]
        dialect.insert_many("event", record.COLUMNS, some)
        timers.arm(active_rules.live(), event_rows.rows(event_rows.columns().where(Event.id > after)))


def _minute(path: Path) -> float:
    open_database(f"sqlite:///{path}")
    with connected():
        assert Timer.select().count() == TICKETS
        deadline_worker.run_due()
        begun = time.process_time()
        for _ in range(TURNS_A_MINUTE):
            deadline_worker.run_due()
        return time.process_time() - begun


def _lateness(path: Path) -> tuple[list[float], float]:
    """Let tickets fall due at one moment while the worker looks; return their runs' lateness and the
    processor seconds that they took together."""
    open_database(f"sqlite:///{path}")
    with connected():
        due_ms = clock.now_ms() + SOON_S * 1000
        with database.atomic():
            _tickets("D", DUE, due_ms - 4 * HOUR_S * 1000)
        deadline_worker.run_due()
        begun = time.process_time()
        done = Run.outcome == "done"
        while Run.select().where(done).count() < DUE:
            if not deadline_worker.run_due():
                time.sleep(0.25)
        busy = time.process_time() - begun
        return [(made - due_ms) / 1000 for (made,) in Run.select(Run.made_ms).where(done).tuples()], busy
