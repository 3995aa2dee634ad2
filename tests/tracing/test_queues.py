"""Queue figures: the rules one by one, and every figure that known logs are said to amount to."""

from __future__ import annotations

import datetime
import json
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from dashboard import clock
from dashboard.access import scope
from dashboard.access.scope import Scope
from dashboard.events import record
from dashboard.ingest import importer
from dashboard.models import Interaction, User
from dashboard.tracing import queues, trace
from tests import make

pytestmark = pytest.mark.both_databases

DATA = Path(__file__).parents[2].parent / "shared" / "data"
HOURLY, REAL = DATA / "queue_log_hourly", DATA / "queue_log_real"
FIGURES = {
    "received": "received",
    "answered": "answered",
    "abandoned": "abandoned",
    "closed": "closed",
    "blocked_joinempty": "blocked",
    "avg_wait_s": "average_wait",
    "answered_rate_pct": "answered_pct",
}
REAL_FIGURES = {
    "calls": "received",
    "entered": "entered",
    "answered": "answered",
    "lost_abandon": "abandoned",
    "talk_s": "talk",
    "wait_s": "wait",
    "wait_known": "wait_known",
    "unfinished": "unfinished",
}


NOON = 1_792_929_600


def call(outcome: str = "answered", reason: str = "", wait: int | None = None) -> dict[str, Any]:
    return {"outcome": outcome, "reason": reason, "wait_s": wait, "queued_ts": NOON}


RULES = [
    pytest.param(
        [],
        {"received": 0, "answered_pct": None, "average_wait": None, "level": None},
        id="nothing came: no figure, not 0",
    ),
    pytest.param(
        [call("missed", "closed")],
        {"received": 1, "closed": 1, "answered_pct": None, "level": None},
        id="only closed: received, and no rate",
    ),
    pytest.param(
        [call(wait=5), call("abandoned", wait=4), call("abandoned", wait=2)],
        {"answered_pct": 33, "average_wait": 3},
        id="rates and means are cut down",
    ),
    pytest.param(
        [call("missed", "full"), call("missed", "joinempty"), call("missed", "divert_holdtime")],
        {"blocked": 3, "closed": 0, "answered_pct": 0},
        id="turned away counts in the rate",
    ),
    pytest.param(
        [call("missed", "timeout", 60), call("missed", "key", 9)],
        {"lost": {"key": 1, "timeout": 1}},
        id="lost is told by reason",
    ),
    pytest.param(
        [call(wait=20), call(wait=21), call(wait=None), call("")],
        {"in_level": 1, "level": 1 / 3, "unfinished": 1},
        id="in level: answered within it, of what is over",
    ),
]


@pytest.mark.parametrize(("calls", "expected"), RULES)
def test_the_rules_of_the_figures(app: Flask, calls: list[dict[str, Any]], expected: dict[str, Any]) -> None:
    line, source = make.queue("line", sla_seconds=20), make_source()
    for number, facts in enumerate(calls):
        interaction(source, number, line.id, NOON, **facts)
    day = queues.day(scope.whole(), "line", clock.Span(NOON, NOON + 3600), "UTC")
    assert day is not None
    found = queues.as_json(day.total)
    assert {name: found[name] for name in expected} == expected


def test_a_call_belongs_to_the_hour_it_entered_and_the_day_has_its_own_hours(app: Flask) -> None:
    line = make.queue("line")
    day = clock.day(datetime.date(2026, 10, 25), "Europe/Prague")
    source = make_source()
    for number, at in enumerate(
        (day.start, day.start + 2 * 3600 + 1, day.start + 3 * 3600, day.end - 1, day.end)
    ):
        interaction(source, number, line.id, at)
    found = queues.day(scope.whole(), "line", day, "Europe/Prague")
    assert found is not None
    assert [figures.received for figures in found.hours] == [1, 0, 1, 1, *[0] * 20, 1]
    assert [slot.offset for slot in found.slots[2:4]] == ["+02:00", "+01:00"]
    assert found.total.received == 4


def test_a_queue_outside_the_scope_is_not_there(app: Flask) -> None:
    line, other = make.queue("line"), make.queue("other")
    narrow = Scope(1, frozenset(), frozenset(), frozenset({line.id}))
    assert queues.queue(narrow, "other") is None
    assert [row.name for row in queues.queues(narrow)] == ["line"]
    assert queues.queue(scope.whole(), other.name) is not None


def cases(kind: str) -> list[Path]:
    return sorted(HOURLY.glob(f"{kind}_*.queue_log"))


def imported(path: Path) -> dict[str, Any]:
    summary = importer.run(path, "queue_log", path.name, "UTC", None, lambda _at: None)
    assert summary.stored == summary.read > 0
    case: dict[str, Any] = json.loads(path.with_suffix(".json").read_text()) if path.parent == HOURLY else {}
    return case


def hour(date: str, number: str) -> clock.Span:
    start = clock.day(datetime.date.fromisoformat(date), "UTC").start + int(number) * 3600
    return clock.Span(start, start + 3600)


@pytest.mark.parametrize("path", cases("queue"), ids=lambda path: path.stem)
def test_a_queue_case_gives_its_figures_hour_by_hour(path: Path, app: Flask) -> None:
    for expected in imported(path)["expect_from_queue_log_file"]:
        for number, figures in expected["per_hour"].items():
            found = queues.day(scope.whole(), expected["id"], hour(expected["date"], number), "UTC")
            assert found is not None
            assert named(found.total, figures, FIGURES) == figures, number
        first, last = (hour(expected["date"], n) for n in (min(expected["per_hour"], key=int), "11"))
        whole = queues.day(scope.whole(), expected["id"], clock.Span(first.start, last.end), "UTC")
        assert whole is not None
        assert named(whole.total, expected["total"], FIGURES) == expected["total"]


def named(figures: queues.QueueFigures, wanted: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
    found = queues.as_json(figures)
    return {name: found[names[name]] for name in wanted}


@pytest.mark.parametrize("path", cases("agent"), ids=lambda path: path.stem)
def test_an_agent_case_gives_its_figures_hour_by_hour(path: Path, app: Flask) -> None:
    for expected in imported(path)["expect_from_queue_log_file"]:
        login = f"Agent/{expected['id']}"
        assert User.get_or_none(User.login == login) is not None
        for number, figures in expected["per_hour"].items():
            span = hour(expected["date"], number)
            assert agent(login, span, figures) == figures, number


def agent(login: str, span: clock.Span, wanted: dict[str, Any]) -> dict[str, Any]:
    found = trace.read(scope.whole(), login, span, "UTC", span.end)
    assert found is not None
    names = {
        "login_s": found.figures.login,
        "pause_s": found.figures.pause.total,
        "answered": found.figures.calls.attempts,
    }
    return {name: names[name] for name in wanted}


@pytest.mark.parametrize(
    "name", ["freepbx_2010_fragment.queue_log", "reconstructed.queue_log", "pbxware_queue_log.csv"]
)
def test_a_real_log_gives_every_known_figure_of_its_queues(name: str, app: Flask) -> None:
    if not REAL.exists():
        pytest.skip("the known logs are not here")
    imported(REAL / name)
    known = json.loads((REAL / "expected.json").read_text())[name]
    span = clock.Span(known["first"] - 86_400, known["last"] + 1)
    for queue, figures in known["queues"].items():
        found = queues.day(scope.whole(), queue, span, "UTC")
        assert found is not None
        assert named(found.total, figures, REAL_FIGURES) == figures


def make_source() -> int:
    return int(record.source("test").id)


def interaction(source: int, number: int, queue: int, at: int, **facts: Any) -> None:
    given = {"queued_ts": at, "outcome": "answered", "wait_s": 3, **facts}
    Interaction.create(
        source=source,
        external_id=str(number),
        channel="call",
        queue_id=queue,
        first_ms=at * 1000,
        **given,
    )
