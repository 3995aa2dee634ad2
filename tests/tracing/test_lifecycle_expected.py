"""Every check of an independent program on the logs of working exchanges, in every order of their parts."""

from __future__ import annotations

import json
import random
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from dashboard.access.scope import Scope
from dashboard.clock import Span
from dashboard.ingest import importer
from dashboard.models import Interaction, Queue, User
from dashboard.tracing import trace

SHARED = Path(__file__).parents[2].parent / "shared" / "data"
EXPECTED = SHARED / "lifecycle_expected.json"
ZONE = "Europe/Prague"
ALL_TIME = Span(86_400, 2**32)
CHECKS = json.loads(EXPECTED.read_text())["tests"] if EXPECTED.exists() else []
FILES = {check["file"]: tuple(check["file"].split(" + ")) for check in CHECKS}
ORDERS = [(name, order) for name, parts in FILES.items() for order in permutations(parts)]

pytestmark = [
    pytest.mark.both_databases,
    pytest.mark.skipif(not CHECKS, reason="the reference data are not there"),
]


def read(parts: tuple[str, ...]) -> None:
    for part in parts:
        summary = importer.run(SHARED / part, "queue_log", "exchange", ZONE, None, lambda _at: None)
        assert summary.refused == 0


def figure(who: str, name: str) -> int:
    return _of_queue(who.removeprefix("queue:"), name) if who.startswith("queue:") else _of_user(who, name)


def _of_queue(queue: str, name: str) -> int:
    rows = list(Interaction.select().where(Interaction.queue_id == Queue.get(Queue.name == queue).id))
    if name == "lost_exitwithtimeout":
        return sum((row.timeouts or 0) + (row.reason == "timeout") for row in rows)
    return sum(getattr(row, name) or 0 for row in rows)


def _of_user(login: str, name: str) -> int:
    viewer = User.get(User.login == login)
    found = trace.read(Scope(viewer.id, frozenset(), None, None), login, ALL_TIME, ZONE, ALL_TIME.end)
    assert found is not None
    calls = [row for row in found.activities if row.channel == "call"]  # dialled ones apart
    works = [row for row in calls if row.handling_s or row.talk_s or row.state in ("open", "closed")]
    if name.startswith("inferred_ends"):
        _, _, reason = name.partition(".")
        return sum(row.end_bound is not None and reason in ("", row.end_reason) for row in found.activities)
    values: dict[str, Any] = {
        "connects": len(works),
        "completed": sum(row.end is not None for row in works),
        "talk_s": sum(trace.length(found, row, trace.Kind.TALK) for row in works),
        "pause_s": found.figures.pause.total,
        "membership_s": found.figures.login,
        "login_s": found.figures.login,
    }
    assert values["talk_s"] >= found.figures.calls.talk
    return int(values[name])


@pytest.mark.parametrize(("name", "order"), ORDERS, ids=[" ".join(order) for _, order in ORDERS])
def test_a_log_gives_the_figures_of_the_reference(app: Flask, name: str, order: tuple[str, ...]) -> None:
    read(order)
    assert wrong(name) == {}


@pytest.mark.parametrize("name", [name for name, parts in FILES.items() if len(parts) == 1])
def test_shuffled_lines_give_the_same_figures(app: Flask, tmp_path: Path, name: str) -> None:
    lines = (SHARED / name).read_text().splitlines(keepends=True)
    random.Random(1).shuffle(lines)
    path = tmp_path / "log"
    path.write_text("".join(lines))
    importer.run(path, "queue_log", "exchange", ZONE, None, lambda _at: None)
    assert wrong(name) == {}


def wrong(name: str) -> dict[tuple[str, str], tuple[int, int, int]]:
    """Return the figures of a log that lie outside the bounds of the reference."""
    found_wrong = {}
    for check in CHECKS:
        if check["file"] != name:
            continue
        found = figure(check["who"], check["figure"])
        clock = check["seconds_by_clock"] or check["least"]
        least, most = min(check["least"], clock - 1), max(check["most"], clock + 1)
        if not least <= found <= most:
            found_wrong[check["who"], check["figure"]] = (found, check["least"], check["most"])
    return found_wrong
