"""Row B4: a backtest beside the engine at work, over the same events with the same rule in shadow."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterator
from pathlib import Path

from dashboard.db import connected, database, dialect, open_database
from dashboard.events.record import COLUMNS
from dashboard.ingest.digest import EVENTS_AT_ONCE
from dashboard.models import Event, Queue, Rule, RuleCount, RuleLimit, Run, Source, User
from dashboard.rules import active_rules, engine
from dashboard.rules.backtest import replay
from dashboard.rules.backtest.replay import Period
from dashboard.rules.backtest.simulator import Simulator
from tests.bench import site
from tests.bench.table import Line, medians, ratio

SECOND_MS = 1000
TYPES = ("call.queued", "call.accepted", "call.closed", "chat.queued", "ticket.updated")
RULE = {
    "types": ["call.accepted", "ticket.updated"],
    "if": {
        "all": [
            {"field": "data.wait_s", "op": "gt", "value": 590},
            {"field": "queue", "op": "one_of", "value": [1, 2, 3]},
        ]
    },
    "then": [{"do": "log", "text": "slow", "limit": {"often": "period", "by": "subject", "seconds": 900}}],
}
INSERTED = 10_000


def rows(home: Path, events: int) -> list[Line]:
    """Try a rule over so many events, and let the engine match them; costs are processor seconds."""
    path = site.empty(home / "backtest.db").path
    open_database(f"sqlite:///{path}")
    with connected():
        _fill(events)
        rule = Rule.create(name="Slow", state="shadow", definition=RULE, created_ts=0, updated_ts=0)
        got = medians({"backtest": lambda: _tried(rule), "live": _matched}, turns=3)
    measure = f"backtest over {events:,} events / matching them live"
    return [ratio("B4", measure, got["backtest"], got["live"], "<= 1.5")]


def _fill(events: int) -> None:
    source = Source.create(name="tried", created_ts=0)
    user = User.create(login="tried", name="Tried", created_ts=0)
    for number in range(1, 11):
        Queue.create(name=f"tried{number}", label=f"Tried {number}", created_ts=0)
    made = _events(source.id, user.id, events)
    while part := [row for _n, row in zip(range(INSERTED), made, strict=False)]:
        with database.atomic():
            dialect.insert_many("event", COLUMNS, part)


def _events(source: int, user: int, count: int) -> Iterator[tuple[object, ...]]:
    chance = random.Random(4)
    for n in range(count):
        data = json.dumps({"wait_s": chance.randrange(600), "direction": "in", "title": f"Question {n}"})
        time_ms = site.T0 * 1000 + n * SECOND_MS
        yield (
            source,
            str(n),
            TYPES[n % 5],
            time_ms,
            time_ms,
            0,
            user,
            chance.randrange(1, 11),
            f"i{n // 5}",
            None,
            None,
            data,
        )


def _tried(rule: Rule) -> float:
    ready = active_rules.load(rule)
    assert ready is not None
    begun = time.process_time()
    found = sum(len(read.found) for read in replay.walk(Simulator(ready), Period(0, 2**50)))
    assert found
    return time.process_time() - begun


def _matched() -> float:
    for table in (Run, RuleLimit, RuleCount):
        table.delete().execute()
    last = dialect.highest_id(Event._meta.table_name)
    begun = time.process_time()
    for after in range(0, last, EVENTS_AT_ONCE):
        with database.atomic():
            engine.evaluate(after, min(after + EVENTS_AT_ONCE, last))
    spent = time.process_time() - begun
    assert Run.select().count()
    return spent
