"""Asterisk's manager: lists and events in any order, what is sent, and servers that fail or attack."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterator

import pytest
import time_machine
from flask import Flask

from dashboard.events import record
from dashboard.ingest.manager import connection, keeper
from dashboard.ingest.manager.blocks import MAX_BLOCK, MAX_LINE, Blocks, ManagerError
from dashboard.models import Manager, ManagerMember, ManagerWait, Source, User
from dashboard.tracing import ongoing
from tests.ingest.exchange import GREETING, Exchange

NOW = 1_795_885_400
MEMBER = (
    "Event: QueueMember\nQueue: line\nName: {name}\nLocation: SIP/{name}\nMembership: static\n"
    "LoginTime: 1795885000\nLastPause: {pause}\nStatus: {status}\nPaused: {paused}\nPausedReason: {reason}"
)
ENTRY = "Event: QueueEntry\nQueue: line\nUniqueid: {call}\nWait: {wait}"
HANGING = GREETING + b"Event: Long\r\n"


def member(name: str, pause: int = 0, reason: str = "", status: int = 1) -> str:
    return MEMBER.format(name=name, pause=pause, paused=int(pause > 0), reason=reason, status=status)


@pytest.fixture
def exchange(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[Exchange]:
    """A server, and a manager row that leads to it; its its steps are those of the worker's loop."""
    for name in ("FIRST_S", "LAST_S", "DENIED_S", "LAST_DENIED_S"):
        monkeypatch.setattr(keeper, name, 0.02)
    monkeypatch.setattr(keeper, "STORE_S", 0)
    found = Exchange(lambda: keeper.run(0))
    row = {"host": "127.0.0.1", "port": found.port, "username": "stopa", "secret": "s", "created_ts": 1}
    Manager.create(source=record.source("pbx"), **row)
    with time_machine.travel(NOW, tick=False):
        yield found
    keeper.leave()
    found.stop()


def members() -> dict[str, tuple[int | None, str, bool]]:
    """Return user → since when paused, why, whether the phone rings."""
    query = ManagerMember.select(User.login, ManagerMember).join(User, on=User.id == ManagerMember.user_id)
    return {row.user.login: (row.paused_ts, row.reason, row.ringing_ts is not None) for row in query}


def waits() -> dict[str, int]:
    return {row.call: row.since_ts for row in ManagerWait.select()}


@pytest.mark.both_databases
def test_the_list_and_later_events_are_the_rows_of_now(exchange: Exchange) -> None:
    listed = [member("ann"), member("bob", NOW - 60, "tea"), ENTRY.format(call="1.1", wait=30)]
    exchange.sign_in("\n\n".join(listed))
    assert members() == {"ann": (None, "", False), "bob": (NOW - 60, "tea", False)}
    assert (waits(), Manager.get().state) == ({"1.1": NOW - 30}, "live")
    for event, ann, call in (
        ("QueueCallerJoin Queue=line Uniqueid=1.2", (None, "", False), {"1.1", "1.2"}),
        ("AgentCalled Queue=line Uniqueid=1.2 Interface=SIP/ann", (None, "", True), {"1.1", "1.2"}),
        ("AgentRingNoAnswer Queue=line Uniqueid=1.2 Interface=SIP/ann", (None, "", False), {"1.1", "1.2"}),
        ("AgentCalled Queue=line Uniqueid=1.2 Interface=SIP/ann", (None, "", True), {"1.1", "1.2"}),
        ("QueueCallerAbandon Queue=line Uniqueid=1.2", (None, "", True), {"1.1", "1.2"}),
        ("QueueCallerLeave Queue=line Uniqueid=1.2", (None, "", False), {"1.1"}),
        (
            "QueueMemberPause Queue=line Interface=SIP/ann MemberName=ann Paused=1 PausedReason=x",
            (NOW, "x", False),
            {"1.1"},
        ),
        (
            "QueueMemberStatus Queue=line Interface=SIP/ann MemberName=ann Paused=0",
            (None, "", False),
            {"1.1"},
        ),
        ("QueueMemberRemoved Queue=line Interface=SIP/ann", None, {"1.1"}),
    ):
        exchange.event(event)
        assert (members().get("ann"), set(waits())) == (ann, call), event
    exchange.stop()
    exchange.settle()
    assert (members(), waits(), Manager.get().state, Manager.get().since_ms) == ({}, {}, "lost", NOW * 1000)


def test_events_inside_a_list_are_newer_than_its_entries(exchange: Exchange) -> None:
    exchange.sign_in(member("ann"))
    exchange.event("FullyBooted")
    ident = exchange.action("QueueStatus")
    exchange.answer(ident, "Response: Success\nEventList: start")
    exchange.event(f"QueueMemberPause Queue=line Interface=SIP/ann MemberName=ann Paused=1 LastPause={NOW}")
    exchange.event("QueueCallerJoin Queue=line Uniqueid=1.2")
    exchange.answer("somebody-else", member("eve"))
    exchange.answer(ident, member("ann"))
    exchange.answer(ident, "Event: QueueStatusComplete")
    assert (members(), waits()) == ({"ann": (NOW, "", False)}, {"1.2": NOW})


def test_names_in_any_encoding_and_newlines_in_settings_are_harmless(exchange: Exchange) -> None:
    Manager.update(username="a\r\nAction: QueueReset", secret="b\nAction: Command").execute()
    exchange.sign_in()
    exchange.send(
        b"Event: QueueCallerJoin\r\nQueue: line\r\nCallerIDName: Nov\xe1k\x00\r\nUniqueid: 1.\xff\x00\r\n\r\n"
    )
    assert list(waits()) == ["1.\ufffd\ufffd"]
    assert {action["Action"] for action in exchange.actions} == {"Login", "QueueStatus"}
    [login] = [action for action in exchange.actions if action["Action"] == "Login"]
    assert login["Username"] == "a Action: QueueReset"


FAILURES = [
    (b"SSH-2.0-OpenSSH_9.6\r\n", "isn't an Asterisk manager"),
    (b"\x00\xff\xfe", "isn't an Asterisk manager"),
    (b"A" * 100_000, "isn't an Asterisk manager"),
    (GREETING + b"x" * (MAX_LINE + 2), "too long"),
    (GREETING + b"Key: value\r\n" * (MAX_BLOCK + 1), "too long"),
    (GREETING + b"Key: " + b"y" * MAX_LINE + b"\r\n\r\n", "too long"),
    (b"", "closed the connection"),
]


def test_a_server_that_is_no_manager_or_floods_is_left_with_the_reason(exchange: Exchange) -> None:
    for data, reason in FAILURES:
        exchange.accept()
        if data:
            exchange.send(data)
        else:
            exchange.hang_up()
            exchange.settle()
        row = Manager.get()
        assert (row.state, reason in json.loads(row.problem)["text"]) == ("lost", True), data[:40]
    assert members() == {}


def test_bytes_in_any_portions_give_the_same_blocks() -> None:
    chance = random.Random(4)
    data = (
        GREETING + b"Event: A\r\nKey: one: two\r\nNone\r\nEmpty: \r\n\r\n\r\n" + b"Event: B\nKey:\xff\n\n" * 3
    )
    expected = [{"Event": "A", "Key": "one: two", "Empty": ""}, *[{"Event": "B", "Key": "\ufffd"}] * 3]
    for _ in range(50):
        cuts = sorted(chance.choices(range(len(data)), k=5))
        blocks, found = Blocks(), []
        for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True):
            found += blocks.feed(data[start:end])
        assert found == expected


def test_a_server_that_stops_answering_is_left(exchange: Exchange, monkeypatch: pytest.MonkeyPatch) -> None:
    """At the greeting, at the login, in the list, and at a ping, though it sends a byte now and then."""
    for stage in ("greeting", "login", "list", "ping"):
        monkeypatch.setattr(connection, "ANSWER_S", 0.2)
        monkeypatch.setattr(connection, "PING_S", 0.05 if stage == "ping" else 60)
        exchange.accept()
        if stage != "greeting":
            exchange.send(GREETING)
            ident = exchange.action("Login")
        if stage in ("list", "ping"):
            exchange.answer(ident, "Response: Success")
            exchange.answer("", "Event: FullyBooted")
            ident = exchange.action("QueueStatus")
        if stage == "ping":
            exchange.answer(ident, "Event: QueueStatusComplete")
        assert Manager.get().state == (
            "live" if stage == "ping" else "lost" if stage != "greeting" else "new"
        )
        end = time.monotonic() + 5
        trickle = iter(GREETING[:-2] if stage == "greeting" else b"x" * 200)
        while "doesn't answer" not in Manager.get().problem and time.monotonic() < end:
            exchange.send(bytes([byte]) if (byte := next(trickle, None)) else b"")
            time.sleep(0.01)
        assert (Manager.get().state, "doesn't answer" in Manager.get().problem) == ("lost", True), stage


def test_a_rejected_login_is_tried_again_slowly_and_at_once_with_other_settings(
    exchange: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeper, "DENIED_S", 60)
    monkeypatch.setattr(keeper, "LAST_DENIED_S", 900)
    exchange.accept()
    exchange.send(GREETING)
    exchange.answer(exchange.action("Login"), "Response: Error\nMessage: Authentication failed")
    assert (Manager.get().state, "rejected" in Manager.get().problem) == ("denied", True)
    time.sleep(0.1)
    assert keeper.run(0) == 0
    Manager.update(secret="other", version=2).execute()
    exchange.sign_in()
    assert (Manager.get().state, Manager.get().problem) == ("live", "")
    monkeypatch.setattr(keeper, "FIRST_S", 1)
    monkeypatch.setattr(keeper, "LAST_S", 60)
    waits_s = [connection_lost() for _ in range(8)]
    assert waits_s == [1, 2, 4, 8, 16, 32, 60, 60]


def connection_lost() -> int:
    [found] = keeper._keepers.values()
    found._lost(ManagerError(connection.CLOSED))
    return round(found._retry_s)


@pytest.mark.both_databases
def test_one_living_process_keeps_a_connection(exchange: Exchange) -> None:
    exchange.sign_in(member("ann"))
    Manager.update(owner="another:1", seen_ms=NOW * 1000).execute()
    exchange.event("QueueCallerJoin Queue=line Uniqueid=1.2")
    assert (waits(), Manager.get().owner, keeper.run(0)) == ({}, "another:1", 0)
    with time_machine.travel(NOW + ongoing.DEAD_MS / 1000 + 1, tick=False):
        exchange.sign_in(member("ann"))
        assert (Manager.get().owner, members()) == (keeper.owner(), {"ann": (None, "", False)})
        keeper.leave()
        assert (Manager.get().owner, Manager.get().state, members()) == ("", "lost", {})
        for stopped, going_on in (
            (Source.update(paused_ms=1), Source.update(paused_ms=None)),
            (Manager.update(by_worker=False, version=3), None),
        ):
            exchange.sign_in(member("ann"))
            stopped.execute()
            exchange.settle()
            row = Manager.get()
            assert (row.owner, row.state, members()) == ("", "new", {})
            if going_on is not None:
                going_on.execute()
        Manager.delete().execute()
        assert keeper.run(0) == 0


def test_endless_lists_end_the_connection(exchange: Exchange, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dashboard.ingest.manager.board.MOST", 50)
    exchange.accept()
    exchange.send(GREETING)
    exchange.answer(exchange.action("Login"), "Response: Success")
    exchange.answer("", "Event: FullyBooted")
    ident = exchange.action("QueueStatus")
    for number in range(51):
        exchange.answer(ident, member(f"m{number}"))
    assert (Manager.get().state, "more queue members" in Manager.get().problem) == ("lost", True)


def test_what_could_not_be_stored_is_stored_anew(exchange: Exchange, monkeypatch: pytest.MonkeyPatch) -> None:
    exchange.sign_in(member("ann"))
    for failing in ("_replace", "record"):
        with monkeypatch.context() as broken:
            broken.setattr(keeper, failing, None)
            with pytest.raises((TypeError, AttributeError)):
                exchange.event("QueueCallerJoin Queue=line Uniqueid=1.2")
        exchange.event("QueueMemberAdded Queue=line Interface=SIP/bob MemberName=bob")
        assert (set(members()), set(waits())) == ({"ann", "bob"}, {"1.2"})
