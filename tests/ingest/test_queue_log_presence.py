"""Members added on a pause, reasons of pauses and static members: the day that a queue_log amounts to."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import permutations
from pathlib import Path

import pytest
from flask import Flask

from dashboard import clock
from dashboard.access import scope
from dashboard.ingest import importer
from dashboard.models import User
from dashboard.tracing import projection, trace
from dashboard.tracing.statistics import Figures

pytestmark = pytest.mark.both_databases
BUGS = Path(__file__).parents[2].parent / "shared" / "data" / "bug_cases"
needs_shared = pytest.mark.skipif(not BUGS.exists(), reason="the shared data is not on this machine")
AT = 1_772_600_400  # 2026-03-04 05:00 UTC


def take(path: Path, source: str = "pbx") -> importer.Summary:
    return importer.run(path, "queue_log", source, "UTC", {}, lambda _at: None)


def day(login: str, at: int = AT) -> Figures:
    span = clock.day(datetime.fromtimestamp(at, UTC).date(), "UTC")
    found = trace.read(scope.whole(), login, span, "UTC", span.end)
    assert found is not None
    return found.figures


def pauses(login: str, at: int = AT) -> dict[str, int]:
    return {one.label: one.seconds for one in day(login, at).pause.types if one.seconds}


@needs_shared
def test_a_member_added_on_a_pause_is_on_a_pause(app: Flask) -> None:
    take(BUGS / "queue_log_added_paused.log")
    found = day("PJSIP/41")
    assert (found.ready, found.pause.total) == (1800, 1800)


@needs_shared
def test_a_reason_given_in_the_second_of_a_pause_is_its_reason(app: Flask) -> None:
    take(BUGS / "queue_log_pausereason.log")
    assert pauses("PJSIP/95", 1776837600) == {"Obed": 1800, "Porada": 600}
    assert day("PJSIP/95", 1776837600).ready == 12000


LOGS = {
    "the reason in the second before its pause": (
        ["0|ADDMEMBER|", "60|PAUSEREASON|lunch", "60|PAUSE|", "90|UNPAUSE|", "99|REMOVEMEMBER|"],
        {"lunch": 30},
    ),
    "a reason later in the pause: from there on": (
        ["0|ADDMEMBER|", "60|PAUSE|", "70|PAUSEREASON|lunch", "90|UNPAUSE|", "99|REMOVEMEMBER|"],
        {"pause": 10, "lunch": 20},
    ),
    "a reason without a pause begins none": (
        ["0|ADDMEMBER|", "60|PAUSEREASON|lunch", "99|REMOVEMEMBER|"],
        {},
    ),
    "added on a pause that ends in the same second": (
        ["0|ADDMEMBER|PAUSED", "0|UNPAUSE|", "60|PAUSE|lunch", "70|UNPAUSE|", "99|REMOVEMEMBER|"],
        {"lunch": 10},
    ),
}


@pytest.mark.parametrize("case", LOGS)
def test_records_in_any_order_and_a_rebuild_give_the_same_pauses(
    app: Flask, tmp_path: Path, case: str
) -> None:
    records, expected = LOGS[case]
    path = tmp_path / "queue_log"
    for n, order in enumerate(permutations(records)):
        if n % 20:
            continue
        for record in order:
            at, rest = record.split("|", 1)
            path.write_text(f"{AT + int(at)}|NONE|q|a{n}|{rest}\n")
            take(path, f"pbx{n}")
        assert pauses(f"a{n}") == expected, order
    projection.rebuild()
    assert all(pauses(user.login) == expected for user in User.select().where(User.login.startswith("a")))
