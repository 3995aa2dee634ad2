"""Members added on a pause, reasons of pauses and static members: the day that a queue_log amounts to."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime
from itertools import permutations
from pathlib import Path

import pytest
from flask import Flask

from dashboard import clock
from dashboard.access import scope
from dashboard.events import record
from dashboard.ingest import importer
from dashboard.ingest.schema import NewEvent
from dashboard.ingest.sources import queue_log
from dashboard.jobs import worker
from dashboard.models import Event, Interval, User
from dashboard.tracing import projection, trace
from dashboard.tracing.statistics import Figures
from dashboard.tracing.types import Kind

pytestmark = pytest.mark.both_databases
BUGS = Path(__file__).parents[2].parent / "shared" / "data" / "bug_cases"
needs_shared = pytest.mark.skipif(not BUGS.exists(), reason="the shared data is not on this machine")
AT = 1_772_600_400  # 2026-03-04 05:00 UTC


def take(path: Path, source: str = "pbx") -> importer.Summary:
    return importer.run(path, "queue_log", source, "UTC", None, lambda _at: None)


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
        for line in order:
            at, rest = line.split("|", 1)
            path.write_text(f"{AT + int(at)}|NONE|q|a{n}|{rest}\n")
            take(path, f"pbx{n}")
        assert pauses(f"a{n}") == expected, order
    projection.rebuild()
    assert all(pauses(user.login) == expected for user in User.select().where(User.login.startswith("a")))


@pytest.mark.parametrize("event", ["PENALTY", "RINGINUSE"])
def test_a_setting_of_an_interface_makes_no_user(app: Flask, tmp_path: Path, event: str) -> None:
    path = tmp_path / "queue_log"
    path.write_text(f"{AT}|NONE|IT|PJSIP/41|{event}|5\n")
    assert take(path).stored == 1
    assert not User.select().where(User.login == "PJSIP/41").exists()
    assert (
        json.loads(Event.get(Event.type == f"custom.queue_log.{event.lower()}").data)["interface"]
        == "PJSIP/41"
    )


STATIC = [
    "0|c1|q|NONE|ENTERQUEUE||1|1",
    "5|c1|q|Alice|CONNECT|5|x|1",
    "65|c1|q|Alice|COMPLETEAGENT|5|60|1",
    "600|NONE|q|Alice|PAUSE|lunch",
    "900|NONE|q|Alice|UNPAUSE|",
    "3000|c2|q|NONE|ENTERQUEUE||1|1",
    "3001|c2|q|Alice|RINGNOANSWER|1000",
    "3010|c2|q|Dana|CONNECT|9|x|1",
    "3020|c2|q|Dana|COMPLETECALLER|9|10|1",
    "3500|c3|q|Alice|CONNECT|5|x|1",
    "3600|c3|q|Alice|COMPLETEAGENT|5|100|1",
    "86405|c4|q|Alice|CONNECT|5|x|1",
    "86465|c4|q|Alice|COMPLETEAGENT|5|60|1",
    "2000|NONE|q|Dana|ADDMEMBER|",
    "4000|NONE|q|Dana|REMOVEMEMBER|",
]


def log(records: list[str]) -> str:
    parted = (line.split("|", 1) for line in records)
    return "".join(f"{AT + int(at)}|{rest}\n" for at, rest in parted)


def send(text: str) -> None:
    """Append the records one by one to a live source."""
    source = record.source("pbx").id
    for event in queue_log.events(queue_log.records(text.splitlines(keepends=True)), "UTC"):
        assert isinstance(event, NewEvent)
        record.append(source, [event])
        worker.drain(["digest"])


def choose(app: Flask, presence: str, source: str = "pbx") -> None:
    done = app.test_cli_runner().invoke(args=["source", "set", source, "--presence", presence])
    assert done.exit_code == 0, done.output


def shown(at: int = AT) -> list[tuple[int, int, int, int]]:
    """Return login, ready, busy and pause of Alice and Dana on a day."""
    found = [day(login, at) for login in ("Alice", "Dana")]
    return [(one.login, one.ready, one.busy, one.pause.total) for one in found]


FIRST, SECOND = [(3595, 3295, 160, 300), (2000, 2000, 10, 0)], [(60, 60, 60, 0), (0, 0, 0, 0)]


def test_a_static_member_counts_as_signed_in_from_first_to_last_activity(app: Flask, tmp_path: Path) -> None:
    path = tmp_path / "queue_log"
    path.write_text(log(STATIC))
    take(path)
    assert shown()[0] == (300, 0, 0, 300)
    choose(app, "first-to-last")
    assert (shown(), shown(AT + 86_400)) == (FIRST, SECOND)
    inferred = Interval.select().where(Interval.inferred & (Interval.kind == Kind.READY))
    assert [(row.start_ts - AT, row.end_ts - AT) for row in inferred.order_by(Interval.start_ts)] == [
        (5, 3600),
        (86405, 86465),
    ]
    assert {row.end_reason for row in inferred} == {"first_to_last"}
    projection.rebuild()
    assert (shown(), shown(AT + 86_400)) == (FIRST, SECOND)
    choose(app, "recorded")
    assert shown()[0] == (300, 0, 0, 300)
    assert inferred.count() == 0


def test_a_live_source_shows_the_same(app: Flask) -> None:
    send(log(STATIC[:3]))
    choose(app, "first-to-last")
    send(log(STATIC[3:]))
    assert (shown(), shown(AT + 86_400)) == (FIRST, SECOND)


@pytest.mark.parametrize("order", ["as written", "newest first", "shuffled"])
def test_the_presence_of_static_members_is_the_same_whenever_their_records_come(
    app: Flask, tmp_path: Path, order: str
) -> None:
    records = {
        "as written": STATIC,
        "newest first": STATIC[::-1],
        "shuffled": random.Random(3).sample(STATIC, len(STATIC)),
    }[order]
    path = tmp_path / "queue_log"
    for n, line in enumerate(records):
        path.write_text(log([line]))
        take(path)
        if n == 0:
            choose(app, "first-to-last")
    assert (shown(), shown(AT + 86_400)) == (FIRST, SECOND)
    changed: list[object] = []
    projection.rebuild(changed=changed.append)
    assert changed == []


OVER_NIGHT = [
    "5|c1|q|Alice|CONNECT|5|x|1",
    "65|c1|q|Alice|COMPLETEAGENT|5|60|1",
    "600|NONE|q|Alice|PAUSE|lunch",
    "660|c2|q|Alice|CONNECT|5|x|1",
    "700|c2|q|Alice|COMPLETEAGENT|5|40|1",
    "86500|NONE|q|Alice|UNPAUSE|",
    "86600|c3|q|Alice|CONNECT|5|x|1",
    "86650|c3|q|Alice|COMPLETEAGENT|5|50|1",
]


@pytest.mark.parametrize("seed", range(3))
def test_a_pause_that_a_static_member_leaves_open_ends_with_the_last_activity_of_its_day(
    app: Flask, tmp_path: Path, seed: int
) -> None:
    path = tmp_path / "queue_log"
    for n, line in enumerate(random.Random(seed).sample(OVER_NIGHT, len(OVER_NIGHT))):
        path.write_text(log([line]))
        take(path)
        if n == seed:
            choose(app, "first-to-last")
    for _ in range(2):
        found = [day("Alice", at) for at in (AT, AT + 86_400)]
        assert [(one.login, one.ready, one.pause.total) for one in found] == [(695, 595, 100), (150, 150, 0)]
        changed: list[object] = []
        projection.rebuild(changed=changed.append)
        assert changed == []
    choose(app, "recorded")
    assert pauses("Alice") == {"lunch": 86_400 - 5 * 3600 - 600}


def test_inferred_presence_bounds_no_call(app: Flask, tmp_path: Path) -> None:
    path = tmp_path / "queue_log"
    records = ["5|c1|q|Alice|CONNECT|5|x|1", "60|c2|q|Alice|RINGNOANSWER|1", "99|NONE|q|Alice|PAUSE|lunch"]
    path.write_text(log([*records, "86405|c4|q|Alice|CONNECT|5|x|1", "90000|c1|q|Alice|COMPLETEAGENT|5|9|1"]))
    take(path)
    before = [day("Alice", at).calls for at in (AT, AT + 86_400)]
    choose(app, "first-to-last")
    projection.rebuild()
    assert [day("Alice", at).calls for at in (AT, AT + 86_400)] == before


def test_a_source_that_does_not_exist_is_named(app: Flask) -> None:
    done = app.test_cli_runner().invoke(args=["source", "set", "nowhere", "--presence", "recorded"])
    assert (done.exit_code, "Unknown source 'nowhere'" in done.output) == (1, True)
