"""A recorded quarter of an hour of an Asterisk: its manager's bytes and its queue log, in real time order.

Who is there, paused, rung and waiting equals what really happened, over a wrong password, a kill, a restart
and a graceful stop; the events and figures are the log's alone.
"""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import time_machine
from flask import Flask
from peewee import fn

from dashboard.access import scope
from dashboard.events import record
from dashboard.ingest.follow import Follower
from dashboard.ingest.manager import keeper
from dashboard.jobs import worker
from dashboard.models import Activity, Event, Manager
from dashboard.pages.home.queries import Board
from dashboard.web.team_day import Row
from tests.ingest.exchange import GREETING, Exchange

DATA = Path(__file__).parents[2].parent / "shared" / "data" / "asterisk_live" / "ami"
pytestmark = [
    pytest.mark.skipif(not DATA.exists(), reason="the shared data is not on this machine"),
    pytest.mark.both_databases,
]
NAMES = {"cyril": "Cyril Dvořák", "jose": "José", "agent1001": "Hana"}
STATIC = ("Alice", "Bob", "Cyril Dvořák", "Frank")
KILLED, BACK = 1795885576.685, 1795885587.699  # the list of queues after the kill
# Seconds: after the login; three phones ring; Auto-Pause; three pauses; a realtime member and an agent
# of a pool talk; a call waits while two are connected; killed; restarted; rings again and a pause; a dynamic
# member's pause that the restart kept; while Asterisk stops.
MOMENTS = tuple(1795885000 + at for at in (334, 342.3, 419.5, 445, 478.95, 570, 580, 590, 645, 720, 735, 780))
GONE = [("lost", True), ("live", False)]


def _truth() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((DATA / "truth.json").read_text())
    return found


def _name(agent: str) -> str:
    return NAMES.get(agent, agent.capitalize())


def _members(truth: Mapping[str, Any], at: float) -> set[str]:
    found = set(STATIC)
    for action in truth["actions"]:
        if action["after"] / 1000 <= at and action.get("what") in ("add", "remove"):
            (found.add if action["what"] == "add" else found.discard)(_name(action["agent"]))
    login, logout = (session["t"] / 1000 for session in truth["agent_sessions"])
    # the pool's phone is available 5 s after the agent's login; a realtime member is known by the first call
    found |= {"Hana"} if login + 5.2 < at < logout else set()
    return found | ({"Ivan"} if 1795885476.7 < at < KILLED else set())


def _paused(truth: Mapping[str, Any], at: float) -> set[str]:
    pauses = truth["figures"]["pause_by_agent"].items()
    return {name for name, each in pauses for start, end, *_ in each["intervals"] if start < at < end}


def _waiting(truth: Mapping[str, Any], at: float) -> Counter[str]:
    refused = truth["figures"]["calls_refused_no_trace_in_log"]
    found: Counter[str] = Counter()
    for call in truth["calls"]:
        ends = [
            call.get("left_queue"),
            call.get("hangup"),
            *(each.get("answer") for each in call["attempts"]),
        ]
        if any(each["agent"] == "agent1001" for each in call["attempts"]):
            ends.append(1795885478793)  # an agent of a pool has answered before
        ends += [KILLED * 1000] if call["enter"] < KILLED * 1000 else []
        over = min(each for each in (*ends, 2e12) if each is not None)
        if call["cid"] not in refused and call["enter"] <= at * 1000 < over:
            found[call["queue"]] += 1
    return found


def _ringing(truth: Mapping[str, Any], at: float) -> set[str]:
    attempts = [each for call in truth["calls"] for each in call["attempts"] if each["agent"] != "agent1001"]
    over = {id(each): each.get("answer") or each.get("end") or KILLED * 1000 for each in attempts}
    return {_name(each["agent"]) for each in attempts if each["ring"] <= at * 1000 < over[id(each)]}


class Replay:
    """Plays the recorded bytes and lines up to a moment, to a connection of the worker and a follower."""

    def __init__(self, folder: Path, clock: time_machine.Traveller) -> None:
        self.exchange = Exchange(lambda: keeper.run(0))
        self._clock, self._path, self._part = clock, folder / "queue_log", 0
        self._path.touch()
        self.follower = Follower("pbx", self._path)
        self._rows = self._recorded()
        self._next = next(self._rows)
        self._ids: dict[str, str] = {}  # recorded id of an action → the client's
        self._asked: list[str] = []
        self._listed: set[int] = set()
        self._bytes = b""

    def play(self, until: float) -> None:
        while self._next[0] <= until * 1000:
            at, kind, row = self._next
            if int(at / 1000) != int(self._clock_s):
                self._flush()
            self._clock_s = at / 1000
            self._clock.move_to(self._clock_s)
            getattr(self, f"_{kind}")(row)
            self._next = next(self._rows, (2e15, "", {}))
        self._flush()
        self._clock.move_to(until)
        self.exchange.settle()
        while self.follower.step().lines:
            pass
        worker.drain(["digest"])

    _clock_s = 0.0

    def _recorded(self) -> Iterator[tuple[float, str, dict[str, Any]]]:
        rows: list[tuple[float, str, dict[str, Any]]] = []
        with gzip.open(DATA / "ami_timed.jsonl.gz", "rt") as file:
            rows += [(row["t"], row["dir"], row) for row in map(json.loads, file)]
        with (DATA / "queue_log_timed.jsonl").open() as log:
            rows += [(row["t"], "line" if "line" in row else "rotated", row) for row in map(json.loads, log)]
        return iter(sorted(rows, key=lambda row: row[0]))

    def _flush(self) -> None:
        if self._bytes:
            self.exchange.send(self._bytes)
            self._bytes = b""

    def _sys(self, row: dict[str, Any]) -> None:
        self._flush()
        if row["line"] == "connected":
            self.exchange.stop()
            self.exchange.listen()
            self.exchange.accept()
            self.exchange.send(GREETING)
        else:
            self.exchange.stop()
            self.exchange.settle()

    def _out(self, row: dict[str, Any]) -> None:
        """Wait for the client's login and first list of a connection; it sends nothing else of the record."""
        key, _, value = row["line"].partition(": ")
        self._asked = [value] if key == "Action" else [*self._asked, value]
        if key == "ActionID" and self._asked[0] in ("Login", "QueueStatus"):
            if self._asked[0] == "QueueStatus" and row["conn"] in self._listed:
                return
            self._flush()
            self._listed |= {row["conn"]} if self._asked[0] == "QueueStatus" else set()
            self._ids[value] = self.exchange.action(self._asked[0])

    def _in(self, row: dict[str, Any]) -> None:
        line = row["line"]
        if line.startswith("Asterisk Call Manager"):
            return  # sent already: the client waits for it before the login
        if line.startswith("ActionID: "):
            line = f"ActionID: {self._ids.get(line[10:], line[10:])}"
        self._bytes += line.encode("utf-8", "surrogateescape") + b"\r\n"

    def _line(self, row: dict[str, Any]) -> None:
        with self._path.open("ab") as file:
            file.write(f"{row['line']}\n".encode())
        self.follower.step()

    def _rotated(self, row: dict[str, Any]) -> None:
        self.follower.step()
        self._path.rename(f"{self._path}.{self._part}")
        self._part += 1
        self._path.touch()


def _shown(at: float) -> tuple[dict[str, Row], Counter[str], Board]:
    board = Board(scope.whole(), int(at), "UTC", "en")
    waiting = Counter({line.queue.name: line.waiting for line in board.lines if line.waiting})
    return {row.member.login: row for row in board.day.rows}, waiting, board


def test_home_equals_what_really_happened_over_a_kill_and_restarts(
    app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("FIRST_S", "LAST_S"):
        monkeypatch.setattr(keeper, name, 0.02)
    monkeypatch.setattr(keeper, "STORE_S", 0)
    truth = _truth()
    with time_machine.travel(1795885320, tick=False) as clock:
        replay = Replay(tmp_path, clock)
        row = Manager.create(
            source=record.source("pbx"),
            host="127.0.0.1",
            port=replay.exchange.port,
            username="stopa",
            secret="wrong",
            created_ts=1,
        )
        replay.exchange.stop()
        replay.play(1795885333.2)
        assert Manager.get().state == "denied"
        Manager.update(secret="watch-only-8240", version=2).where(Manager.id == row.id).execute()
        for moment in MOMENTS:
            replay.play(moment)
            rows, waiting, board = _shown(moment)
            is_away = KILLED < moment < BACK
            assert (Manager.get().state, bool(board.day.lost)) == GONE[not is_away], moment
            if is_away:
                assert [each.since for each in board.day.lost] == [int(KILLED)]
                assert rows["Bob"].status.state == "pause"  # as the log has it
                continue
            states = {login: each.status.state for login, each in rows.items() if each.status.state != "out"}
            paused = _paused(truth, moment)
            expected = {login: "pause" if login in paused else "ready" for login in _members(truth, moment)}
            states.pop("1001", "")  # the log's name of the agent of the pool, whose member is Hana
            assert states == expected, moment
            assert {login for login, each in rows.items() if each.status.ringing} == _ringing(truth, moment)
            assert waiting == _waiting(truth, moment), moment
        replay.play(1795885799)
        replay.follower.log.close()
        keeper.leave()
        sent = {action["Action"] for action in replay.exchange.actions}
        assert sent == {"Login", "QueueStatus"}
        rows, waiting, _board = _shown(1795885799)
    of_log = (Event.source_id == row.source_id) & (Event.type != "contact.created")
    assert Event.select().where(of_log).count() == 203
    assert not waiting
    # The log ends a static member's pause with its QUEUESTART, up to ten seconds after the kill.
    for login, facts in truth["figures"]["pause_by_agent"].items():
        assert 0 <= rows[login].figures.pause.total - facts["seconds_union"] < 11, login
    for agent, facts in truth["figures"]["talk_by_agent_dialplan_seconds"].items():
        mine = Activity.user_id == rows[_name(agent)].member.id
        talk = Activity.select(fn.SUM(Activity.talk_s)).where(mine).scalar()
        assert abs(talk - facts["talk_s"]) < 1, agent
