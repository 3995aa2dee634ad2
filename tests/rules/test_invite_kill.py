"""Workers that are killed while they invite: every visitor is invited once, however often they are."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest

from dashboard import clock
from dashboard.models import Event, Invitation, Job, Run, Visit
from dashboard.settings import ROOT
from dashboard.visitors import invitations
from tests.rules.engine import rule, send
from tests.test_start import environment, until
from tests.visitors.visits import site, visit

VISITORS, AT_ONCE, KILLS = 20, 4, 2


@pytest.fixture
def workers(db_url: str) -> Iterator[list[subprocess.Popen[bytes]]]:
    running = [_start(db_url) for _ in range(2)]
    yield running
    for process in running:
        process.kill()
        process.wait()


def _start(url: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "tests.ingest.process", "worker"]
    return subprocess.Popen(command, cwd=ROOT, env=environment(url))


@pytest.mark.both_databases
@pytest.mark.usefixtures("db")
def test_killed_workers_and_two_rules_invite_each_visitor_once(
    db_url: str, workers: list[subprocess.Popen[bytes]]
) -> None:
    of, now_ms = site(), clock.now_ms()
    for _ in range(2):
        rule([{"do": "invite", "text": "May I help?"}], ["visitor.idle"])
    visits = [visit(of, active_ms=now_ms, due_ms=None) for _ in range(VISITORS)]
    assert invitations.invite(visits[0].id, {"": "By hand"}, user_id=1) is not None
    at = clock.iso(now_ms // 1000, "UTC")
    idle = [{"type": "visitor.idle", "time": at, "session": each.token} for each in visits]
    for start in range(0, VISITORS, AT_ONCE):
        send(*idle[start : start + AT_ONCE], source="portal")
    for kill in range(1, KILLS + 1):
        until(lambda kill=kill: Run.select().count() >= kill * VISITORS // KILLS)  # type: ignore[misc]
        workers[kill % 2].kill()
        workers[kill % 2].wait()
        workers[kill % 2] = _start(db_url)
    until(lambda: not Job.select().where(Job.kind == "digest", Job.state != "done").exists())
    assert sorted(row.visit_id for row in Invitation.select()) == sorted(each.id for each in visits)
    assert Event.select().where(Event.type == "chat.invited").count() == VISITORS
    assert {each.invitation for each in Visit.select()} == {"waiting"}
    ran = [outcome for (outcome,) in Run.select(Run.outcome).tuples()]
    assert (ran.count("done"), ran.count("cancelled"), len(ran)) == (
        VISITORS - 1,
        VISITORS + 1,
        2 * VISITORS,
    )
