"""Queries on stays in queues and on tickets, made from their events."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from dashboard.access import scope
from dashboard.access.permissions import ALL
from dashboard.access.scope import Scope
from dashboard.ingest import importer
from dashboard.models import Event, Interaction, Queue
from dashboard.models import Source as Origin
from dashboard.sources import answer, run
from dashboard.sources.catalogue import SOURCES
from dashboard.sources.parameters import parse
from dashboard.tracing.made import queue_waits
from tests import make
from tests.sources import plain

pytestmark = pytest.mark.both_databases

DATA = Path(__file__).parents[2].parent / "shared" / "data"
LOGS = [
    DATA / "queue_log_real" / "reconstructed.queue_log",
    DATA / "queue_log_real" / "freepbx_2010_fragment.queue_log",
    DATA / "asterisk_live" / "queue_log",
]
START = plain.second("2026-03-02T09:00")
# c1 waits twice, is offered, answered; c2 gives up; c3 comes when the queue is closed; c4 still waits.
LOG = """{0}|c1|sales|NONE|ENTERQUEUE||111|1
{1}|c1|sales|NONE|EXITWITHTIMEOUT|1|1|60
{2}|c1|sales|NONE|ENTERQUEUE||111|1
{3}|c1|sales|Agent/1|CONNECT|12|c1.1|3
{4}|c1|sales|Agent/1|COMPLETEAGENT|12|100|1
{2}|c2|sales|NONE|ENTERQUEUE||222|1
{3}|c2|sales|NONE|ABANDON|1|1|12
{4}|c4|support|NONE|ENTERQUEUE||444|1
"""
TIMES = [START + each for each in (0, 60, 70, 82, 182)]


def ask(viewer: Scope, source: str, **given: Any) -> answer.Answer:
    listed = {name: [value] if isinstance(value, str) else value for name, value in given.items()}
    now = START + 86_400
    return answer.answer(viewer, parse(SOURCES[source], listed, "UTC", now, answer.names(viewer)), now)


@pytest.fixture
def calls(app: Flask, tmp_path: Path) -> None:
    path = tmp_path / "queue_log"
    path.write_text(LOG.format(*TIMES))
    importer.run(path, "queue_log", "pbx", "UTC", None, lambda _at: None)


def test_each_stay_of_a_call_is_a_row_with_its_result(calls: None) -> None:
    names = ("interaction.id", "queue", "wait", "result", "reason", "in_level")
    found = ask(scope.whole(), "queue_waits", columns=",".join(names), sort="entered")
    assert [tuple(row[name] for name in names)[1:] for row in found.rows] == [
        ("sales", 60, "missed", "timeout", False),
        ("sales", 12, "answered", "", True),
        ("sales", 12, "abandoned", "", False),
        ("support", None, "waiting", "", False),
    ]
    figures = ask(
        scope.whole(), "queue_waits", group="queue", measures="count,avg:wait,service_level,count:interaction"
    )
    assert [tuple(row.values()) for row in figures.rows] == [
        ("sales", 3, 28, 1 / 3, 2), ("support", 1, None, None, 1)
    ]  # fmt: skip
    assert figures.totals["count:interaction"] == 3


def test_only_stays_in_queues_of_the_scope_are_there(calls: None) -> None:
    support = Queue.get(Queue.name == "support")
    viewer = Scope(make.user("lead").id, ALL, None, frozenset({support.id}))
    assert [row["queue"] for row in ask(viewer, "queue_waits").rows] == ["support"]
    assert ask(viewer, "queue_waits", measures="count").totals == {"count": 1}


def test_more_interactions_than_can_be_folded_are_refused(
    calls: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue_waits, "MAX_INTERACTIONS", 2)
    with pytest.raises(run.TooLong):
        ask(scope.whole(), "queue_waits", measures="count")


@pytest.mark.parametrize("path", LOGS, ids=lambda path: path.name)
def test_a_stay_told_by_columns_is_the_one_of_the_events(
    app: Flask, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not path.exists():
        pytest.skip("the shared data is not on this machine")
    importer.run(path, "queue_log", path.name, "UTC", None, lambda _at: None)
    given_ = {"from": "2000-01-01", "to": "2030-01-01", "limit": "1000"}
    by_columns = ask(scope.whole(), "queue_waits", **given_).rows
    monkeypatch.setattr(queue_waits, "only_stay", lambda _one: None)
    assert ask(scope.whole(), "queue_waits", **given_).rows == by_columns != []


@pytest.mark.parametrize("path", LOGS, ids=lambda path: path.name)
def test_the_stays_of_a_log_add_up_to_the_waits_of_its_interactions(app: Flask, path: Path) -> None:
    if not path.exists():
        pytest.skip("the shared data is not on this machine")
    importer.run(path, "queue_log", path.name, "UTC", None, lambda _at: None)
    period = {"from": "2000-01-01", "to": "2030-01-01"}
    rows = ask(
        scope.whole(), "queue_waits", group="interaction.id,interaction.queue", limit="1000",
        measures="sum:wait", **period,
    ).rows  # fmt: skip
    sums = {row["interaction.id"]: row["sum:wait"] for row in rows}
    entered = Interaction.select().where(Interaction.queued_ts.is_null(False))
    assert len(rows) == min(entered.count(), 1000) > 0
    known = {i.external_id: i.wait_s for i in entered if i.wait_s is not None and i.external_id in sums}
    assert known == {name: sums[name] for name in known}


def test_a_ticket_has_its_first_response_edits_and_end(db: object) -> None:
    source, user, queue = Origin.create(name="desk", created_ts=0), make.user("jana"), make.queue("help")
    for name, ended in (("t1", START + 7200), ("t2", None)):
        Interaction.create(
            source=source, external_id=name, channel="ticket", first_ms=START * 1000, ended_ts=ended,
            queue_id=queue.id, completed_by=user.id if ended else None,
        )  # fmt: skip
    Interaction.create(source=source, external_id="c1", channel="call", first_ms=START * 1000)
    kinds = ("message_received", "updated", "message_sent", "updated", "message_sent", "closed")
    for n, kind in enumerate(kinds):
        Event.create(
            source_id=source.id, external_id=str(n), type=f"ticket.{kind}", recorded_ms=0,
            time_ms=(START + n * 600) * 1000, user_id=user.id, interaction="t1",
        )  # fmt: skip
    names = (
        "id",
        "first_response",
        "open",
        "edits",
        "messages_in",
        "messages_out",
        "closed_by",
        "is_answered",
    )
    rows = ask(scope.whole(), "tickets", columns=",".join(names)).rows
    assert sorted(tuple(row[name] for name in names) for row in rows) == [
        ("t1", 1200, 7200, 3, 1, 2, "jana", True),
        ("t2", None, None, 0, 0, 0, None, False),
    ]
    totals = ask(
        scope.whole(), "tickets", measures="count,sum:is_closed,median:first_response,avg:edits"
    ).totals
    assert totals == {"count": 2, "sum:is_closed": 1, "median:first_response": 1200, "avg:edits": 1.5}
