"""The starter set over a day and over a real log: at work, in shadow and in a backtest, run for run."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
import time_machine
from flask import Flask

from dashboard import demo
from dashboard.ingest import importer
from dashboard.jobs import worker
from dashboard.models import Rule, RuleVersion
from dashboard.rules import starter, starter_rules
from dashboard.rules.backtest.replay import Period
from tests import make
from tests.rules import agree

WEDNESDAY = datetime(2026, 3, 4, 16, tzinfo=UTC)
REAL = Path(__file__).parents[2].parent / "shared" / "data" / "queue_log_real"
needs_shared = pytest.mark.skipif(not REAL.exists(), reason="the shared data is not on this machine")
LONG_AGO = Period(0, 4_102_444_800_000)


def twice() -> list[tuple[Rule, Rule]]:
    """Add the starter set twice, once on and once in shadow; counts are compared elsewhere.

    What agents have open is counted at work after each pass, here after each event.
    """
    author = make.administrator("author")
    starter.make(author.id, None, "en")
    pairs = []
    for rule in list(Rule.select().order_by(Rule.id)):
        if "count" in rule.definition:
            continue
        values = {name: value for name, value in rule.__data__.items() if name != "id"}
        pairs.append((rule, Rule.create(**{**values, "name": f"{rule.name} (shadow)", "state": "shadow"})))
    Rule.update(state="on").where(Rule.state == "off").execute()
    assert RuleVersion.select().count() == len(starter_rules.STARTERS)
    return pairs


def agreeing(pairs: list[tuple[Rule, Rule]], period: Period) -> list[int]:
    """Hold each rule at work against its twin in shadow and its backtest; return how often each ran."""
    counts: list[int] = []
    for rule, twin in pairs:
        at_work, found = agree.live(rule), agree.found(rule, period)
        assert agree.live(twin) == at_work, rule.name
        assert [each.name for each in found] == at_work, rule.name
        held = agree.held(rule)
        assert agree.held(twin) == held, rule.name
        if len(held) == len(at_work):  # nothing came too late to be weighed
            assert {each.name: each.held for each in found} == held, rule.name
        counts.append(len(at_work))
    return counts


def test_over_the_day_of_the_demonstration(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "DAYS", 1)
    monkeypatch.setattr(demo, "RULES_S", 3 * 86_400)  # rules hear of all that is told
    with app.test_request_context(), time_machine.travel(WEDNESDAY, tick=False):
        pairs = twice()
        list(demo.make())
        worker.drain()
        end_ms = int(WEDNESDAY.timestamp()) * 1000
        counts = agreeing(pairs, Period(0, end_ms + 1))
    assert len([count for count in counts if count]) >= 3
    assert sum(counts) > 50


@needs_shared
def test_over_a_real_log_that_is_imported_with_rules(app: Flask) -> None:
    with app.test_request_context():
        pairs = twice()
        for name in sorted(json.loads((REAL / "expected.json").read_text())):
            importer.run(REAL / name, "queue_log", name, "UTC", None, lambda _at: None, rules=True)
        worker.drain()
        counts = agreeing(pairs, LONG_AGO)
    assert sum(counts) > 0
