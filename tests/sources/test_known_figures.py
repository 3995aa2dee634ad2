"""Queries give the figures that known logs are said to amount to."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import time_machine
from flask import Flask

from dashboard.access import scope
from dashboard.ingest import importer
from dashboard.settings import ROOT
from dashboard.sources import answer
from dashboard.sources.catalogue import SOURCES
from dashboard.sources.parameters import parse
from tests.sources import plain

pytestmark = pytest.mark.both_databases

DATA = Path(__file__).parents[2].parent / "shared" / "data"
LOGS = [
    DATA / "queue_log_real" / "freepbx_2010_fragment.queue_log",
    DATA / "queue_log_real" / "reconstructed.queue_log",
    DATA / "queue_log_real" / "pbxware_queue_log.csv",
    DATA / "asterisk_live" / "queue_log",
]
HOURLY = sorted((DATA / "queue_log_hourly").glob("queue_*.queue_log"))
NOW = plain.second("2026-12-31")
OF_QUEUES = {
    "calls": "sum:is_received", "entered": "sum:is_entered", "answered": "sum:is_answered",
    "lost_abandon": "sum:is_abandoned", "talk_s": "sum:talk", "wait_s": "sum:wait",
    "wait_known": "sum:is_wait_known", "unfinished": "sum:is_unfinished",
}  # fmt: skip
OF_HOURS = {
    "received": "sum:is_received", "answered": "sum:is_answered", "abandoned": "sum:is_abandoned",
    "closed": "sum:is_closed", "blocked_joinempty": "sum:is_blocked", "avg_wait_s": "avg:wait",
    "answered_rate_pct": "answer_rate",
}  # fmt: skip
# Of each figure of an agent: the source, its filters, the measure.
OF_AGENTS = {
    "connects": ("user_events", {}, "sum:is_accepted"),
    "ring_no_answer": ("user_events", {}, "sum:is_ignored"),
    "talk_s": ("activities", {"channel": "call"}, "sum:talk"),
    "out_talk_s": ("activities", {"channel": "dialled"}, "sum:talk"),
}


def ask(source: str, **given: Any) -> answer.Answer:
    listed = {name: [value] for name, value in given.items()}
    return answer.answer(
        scope.whole(), parse(SOURCES[source], listed, "UTC", NOW, answer.names(scope.whole())), NOW
    )


def load(path: Path) -> dict[str, Any]:
    if not path.exists():
        pytest.skip("the shared data is not on this machine")
    importer.run(path, "queue_log", path.name, "UTC", None, lambda _at: None)
    if path in HOURLY:
        return dict(json.loads(path.with_suffix(".json").read_text()))
    known = json.loads((path.parent / "expected.json").read_text())
    found: dict[str, Any] = known.get(path.name, known)
    if path.parent.name == "asterisk_live":  # what SOURCE.md says the reference adds up twice
        found["agents"]["Cyril Dvořák"]["talk_s"] -= 22
        found["queues"]["support"]["talk_s"] -= 22
    return found


@pytest.mark.parametrize("path", LOGS, ids=lambda path: path.name)
def test_the_queues_of_a_log_have_their_figures(app: Flask, path: Path) -> None:
    known = load(path)["queues"]
    found = ask(
        "interactions", group="queue", measures=",".join(OF_QUEUES.values()), queue__blank="0",
        is_received="1", **{"from": "2000-01-01"},
    )  # fmt: skip
    rows = {row["queue"]: row for row in found.rows}
    assert {queue: {name: rows[queue][OF_QUEUES[name]] for name in figures if name in OF_QUEUES}
            for queue, figures in known.items()} == {
        queue: {name: value for name, value in figures.items() if name in OF_QUEUES}
        for queue, figures in known.items()
    }  # fmt: skip
    assert found.totals["sum:is_received"] == sum(figures["calls"] for figures in known.values())


@pytest.mark.parametrize("path", LOGS, ids=lambda path: path.name)
@time_machine.travel(NOW, tick=False)
def test_the_agents_of_a_log_have_their_figures(app: Flask, path: Path) -> None:
    known = load(path)["agents"]
    found: dict[str, dict[str, Any]] = {login: {} for login in known}
    for name, (source, filters, measure) in OF_AGENTS.items():
        rows = ask(source, group="user", measures=measure, **filters, **{"from": "2000-01-01"}).rows
        for row in rows:
            found[row["user"]][name] = row[measure]
    asked = {
        login: {name: value for name, value in of.items() if name in OF_AGENTS} for login, of in known.items()
    }
    assert {login: {name: found[login].get(name, 0) for name in of} for login, of in asked.items()} == asked


@pytest.mark.parametrize("path", HOURLY, ids=lambda path: path.stem)
def test_a_queue_has_its_figures_hour_by_hour(app: Flask, path: Path) -> None:
    for expected in load(path)["expect_from_queue_log_file"]:
        rows = ask(
            "interactions", group="hour", queue=expected["id"], measures=",".join(OF_HOURS.values()),
            **{"from": expected["date"], "to": expected["date"]},
        ).rows  # fmt: skip
        for number, wanted in expected["per_hour"].items():
            row = rows[int(number)]
            found = {name: row[OF_HOURS[name]] for name in wanted}
            whole = {
                name: value if value is None else int(value * (100 if name.endswith("pct") else 1) + 1e-9)
                for name, value in found.items()
            }
            assert whole == wanted, number


def test_the_banks_agents_and_days_have_their_figures(app: Flask) -> None:
    path = DATA / "bank_call_centre" / "calls_1999-02-01_03.txt"
    if not path.exists():
        pytest.skip("the shared data is not on this machine")
    [command] = re.findall(
        r"flask (import calls\.txt .*?)\n\s*```", (ROOT / "README.md").read_text(), re.DOTALL
    )
    words = [str(path) if word == "calls.txt" else word for word in shlex.split(command.replace("\\\n", " "))]
    assert app.test_cli_runner().invoke(args=words).exit_code == 0
    known = json.loads((path.parent / "expected.json").read_text())[path.name]
    period = {"from": "1999-02-01", "to": "1999-02-04", "tz": "Asia/Jerusalem"}
    agents = ask("activities", group="user", measures="count,sum:talk", **period)
    assert {row["user"]: {"calls": row["count"], "talk_s": row["sum:talk"]} for row in agents.rows} == known[
        "agents"
    ]
    days = ask("interactions", group="day", measures="sum:is_answered,sum:talk", **period)
    assert {row["day"][8:]: (row["sum:is_answered"], row["sum:talk"]) for row in days.rows[:3]} == {
        day[4:]: (of["outcome_AGENT"], of["talk_s"]) for day, of in known["days"].items()
    }
