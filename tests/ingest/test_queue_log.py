"""Asterisk's queue_log: every record is one event, and the events carry the log's own figures."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard import catalog
from dashboard.ingest.data import Data, check_fields
from dashboard.ingest.schema import NewEvent
from dashboard.ingest.sources.queue_log import READINGS, Bad, Record, events, records

SHARED = Path(__file__).parents[2].parent / "shared" / "data"
REAL, HOURLY = SHARED / "queue_log_real", SHARED / "queue_log_hourly"
needs_shared = pytest.mark.skipif(not SHARED.exists(), reason="the shared data is not on this machine")
EXPECTED = json.loads((REAL / "expected.json").read_text()) if REAL.exists() else {}
CASES = sorted(path.stem for path in HOURLY.glob("*.json"))


def read(path: Path, zone: str = "UTC") -> list[NewEvent | Bad]:
    with path.open("rb") as file:
        return list(events(records(file), zone))


def facts(line: str, zone: str = "UTC") -> tuple[NewEvent, dict[str, Any]]:
    [event] = events(records([line]), zone)
    assert isinstance(event, NewEvent)
    return event, json.loads(event.data)


def calls_of(found: list[NewEvent]) -> dict[tuple[str, str], list[NewEvent]]:
    calls = defaultdict(list)
    for event in found:
        if event.type.startswith("call.") and event.queue is not None:
            calls[event.queue, event.interaction].append(event)
    return calls


def wait_of(call: list[NewEvent]) -> int | None:
    ends = ("call.accepted", "call.abandoned", "call.missed")
    waits = [json.loads(event.data).get("wait_s") for event in call if event.type in ends]
    return next((wait for wait in waits if wait is not None), None)


def is_answered(call: list[NewEvent]) -> bool:
    return any(event.type in ("call.accepted", "call.closed", "call.transferred") for event in call)


def agent_figures(found: list[NewEvent]) -> dict[str, Counter[str]]:
    agents: dict[str, Counter[str]] = defaultdict(Counter)
    for event in found:
        if event.user is None:
            continue
        data, figures = json.loads(event.data), agents[event.user]
        figures["events"] += 1
        outward = data.get("direction") == "out"
        ended = event.type in ("call.closed", "call.transferred")
        figures["connects"] += event.type == "call.accepted"
        figures["completed"] += ended and not outward
        figures["talk_s"] += data.get("talk_s", 0) if ended and not outward else 0
        figures["out_talk_s"] += data.get("talk_s", 0) if event.type == "call.closed" and outward else 0
        figures["out_dialled"] += event.type == "call.dialled"
        figures["out_answered"] += event.type == "call.closed" and outward
        figures["ring_no_answer"] += event.type == "call.ignored"
        figures["reported_login_s"] += data.get("login_s", 0)
    return agents


@needs_shared
@pytest.mark.parametrize("name", EXPECTED)
def test_events_carry_the_figures_of_a_real_log(name):
    expected, found = EXPECTED[name], read(REAL / name, "America/New_York")
    assert len(found) == expected["records"]
    assert Counter(json.loads(event.data)["event"] for event in found) == expected["events"]
    assert min(event.time_ms for event in found) == expected["first"] * 1000
    assert max(event.time_ms for event in found) == expected["last"] * 1000
    lasting = {"login_s", "membership_s"}  # of intervals, not of single events
    agents = agent_figures(found)
    assert agents.keys() == expected["agents"].keys()
    for agent, figures in expected["agents"].items():
        for figure in figures.keys() - lasting:
            assert agents[agent][figure] == figures[figure], (agent, figure)


@needs_shared
@pytest.mark.parametrize("name", EXPECTED)
def test_calls_put_together_from_events_are_those_of_a_real_log(name):
    figures: dict[str, Counter[str]] = defaultdict(Counter)
    for (queue, _), call in calls_of(read(REAL / name)).items():
        wait, types = wait_of(call), {event.type for event in call}
        answered = is_answered(call)
        if types <= {"call.ignored", "call.withdrawn"}:  # a fragment: it only rang in this file
            continue
        figures[queue].update(
            calls=1,
            entered="call.queued" in types,
            answered=answered,
            lost_abandon="call.abandoned" in types and not answered,
            unfinished=not answered and not types & {"call.abandoned", "call.missed"},
            wait_known=wait is not None,
            wait_s=wait or 0,
            talk_s=sum(json.loads(event.data).get("talk_s", 0) for event in call),
        )
    assert {queue: +counts for queue, counts in figures.items()} == EXPECTED[name]["queues"]


@needs_shared
@pytest.mark.parametrize("form", ["queue_log", "table.csv"])
@pytest.mark.parametrize("case", CASES)
def test_calls_by_the_hour_they_entered_are_those_another_product_counts(case, form):
    expected = json.loads((HOURLY / f"{case}.json").read_text())
    figures = expected["expect_from_queue_log_file" if form == "queue_log" else "expect"]
    calls = calls_of(read(HOURLY / f"{case}.{form}"))
    for one in figures:
        mine = {
            key: call
            for key, call in calls.items()
            if one["id"] == key[0] or any(event.user == f"Agent/{one['id']}" for event in call)
        }
        for hour, counts in one["per_hour"].items():
            entered = [call for call in mine.values() if _hour(call) == int(hour)]
            for figure in counts.keys() & COUNTS.keys():
                assert COUNTS[figure](entered) == counts[figure], (one["id"], hour, figure)


def _hour(call: list[NewEvent]) -> int:
    first = next((event for event in call if event.type == "call.queued"), call[0])
    return datetime.fromtimestamp(first.time_ms / 1000, UTC).hour


def _with_reason(calls: list[list[NewEvent]], reason: str) -> int:
    return sum(json.loads(call[0].data).get("reason") == reason for call in calls)


def _average_wait(calls: list[list[NewEvent]]) -> int | None:
    waits = [wait for call in calls if (wait := wait_of(call)) is not None]
    return sum(waits) // len(waits) if waits else None


COUNTS = {
    "received": len,
    "answered": lambda calls: sum(map(is_answered, calls)),
    "abandoned": lambda calls: sum(event.type == "call.abandoned" for call in calls for event in call),
    "closed": lambda calls: _with_reason(calls, "closed"),
    "blocked_joinempty": lambda calls: _with_reason(calls, "joinempty"),
    "avg_wait_s": _average_wait,
}


@needs_shared
def test_every_documented_name_and_those_in_the_wild_are_read_or_kept():
    known = json.loads((REAL / "events.json").read_text())
    documented = {each["event"] for each in known["documented"]}
    assert documented <= READINGS.keys()
    for name in documented | {"DID", "INFO", "PENALTY", "WRAPUPSTART", "HEARTBEAT", "Agent Login!", "ž", "_"}:
        event, data = facts(f"1543600000|1.2|IT|Agent/1|{name}|a|b")
        assert catalog.find(event.type) is not None
        assert (data["event"], data["callid"], data["params"]) == (name, "1.2", ["a", "b"])


MEANINGS = [
    ("NONE|ENTERQUEUE||601234567|3|Petr", "call.queued", {"position": 3, "direction": "in"}),
    ("A|CONNECT|76|1.3|6", "call.accepted", {"wait_s": 76, "ring_s": 6, "connected": True}),
    ("A|CONNECT|76|1.3", "call.accepted", {"wait_s": 76, "ring_s": None}),
    ("A|COMPLETEAGENT|5|60|1", "call.closed", {"wait_s": 5, "talk_s": 60, "ended_by": "agent"}),
    ("A|COMPLETECALLER|5|60|1", "call.closed", {"wait_s": 5, "talk_s": 60, "ended_by": "customer"}),
    ("A|TRANSFER|s|user|1|9|1", "call.transferred", {"talk_s": 9, "attended": False, "to": "s/user"}),
    ("A|BLINDTRANSFER|7|ctx|2|30|1", "call.transferred", {"wait_s": 2, "talk_s": 30, "to": "7/ctx"}),
    ("A|ATTENDEDTRANSFER|BRIDGE|b-1|6|30|1", "call.transferred", {"talk_s": 30, "wait_s": 6, "to": "b-1"}),
    ("A|ATTENDEDTRANSFER|APP|queue|6|30|1", "call.transferred", {"talk_s": 30, "attended": True}),
    ("A|ATTENDEDTRANSFER|LINK|SIP/1|SIP/2|6|30|1", "call.transferred", {"talk_s": 30, "wait_s": 6}),
    ("NONE|ABANDON|1|2|197", "call.abandoned", {"wait_s": 197}),
    ("NONE|EXITEMPTY|1|2|9", "call.missed", {"reason": "empty", "wait_s": 9}),
    ("NONE|EXITWITHTIMEOUT|1|2|9", "call.missed", {"reason": "timeout", "wait_s": 9}),
    ("NONE|EXITWITHKEY|5|1|2|9", "call.missed", {"reason": "key", "wait_s": 9}),
    ("NONE|WITHDRAW|1|1|5|callback agreed", "call.missed", {"reason": "withdrawn", "wait_s": 5}),
    ("A|RINGNOANSWER|9000", "call.ignored", {"ring_ms": 9000}),
    ("A|RINGCANCELED|800", "call.withdrawn", {"ring_ms": 800}),
    ("A|AGENTDUMP", "call.rejected", {}),
    ("A|SYSCOMPAT", "call.missed", {"reason": "incompatible"}),
    ("NONE|JOINEMPTY", "call.missed", {"reason": "joinempty"}),
    ("NONE|DIVERT_HOLDTIME", "call.missed", {"reason": "divert_holdtime"}),
    ("A|AGENTLOGOFF|SIP/1|55", "agent.signed_out", {"login_s": 55}),
    ("A|AGENTCALLBACKLOGOFF|1@c|55|CommandLogoff", "agent.signed_out", {"reason": "CommandLogoff"}),
    ("A|PAUSE|lunch", "agent.pause_started", {"pause": "lunch"}),
    ("A|PAUSEALL|", "agent.pause_started", {"pause": "pause"}),
    ("A|UNPAUSE|", "agent.pause_ended", {}),
    ("A|ADDMEMBER|", "agent.ready", {"paused": None, "pause": None}),
    ("A|ADDMEMBER|PAUSED", "agent.ready", {"paused": True, "pause": "pause"}),
    ("A|PAUSEREASON|Oběd", "agent.pause_reason_given", {"pause": "Oběd"}),
    ("A|PAUSEREASON|", "custom.queue_log.pausereason", {}),
    ("A|WRAPUPSTART|15", "call.wrapup_started", {"seconds": 15}),
    ("SIP/1|PENALTY|5", "custom.queue_log.penalty", {"interface": "SIP/1"}),
    ("A|REMOVEMEMBER|", "agent.not_ready", {}),
    ("A|OUTANSWER|33|COMPLETECALLER||2|398", "call.closed", {"talk_s": 398, "wait_s": 2, "direction": "out"}),
    ("A|OUTTRANSFER|33|1125||5|6", "call.transferred", {"talk_s": 6, "to": "1125", "direction": "out"}),
    ("A|OUTCONGESTION|142|||0|0", "call.unreached", {"reason": "congestion"}),
    ("A|COMPLETEAGENT|x|-1|1", "call.closed", {"talk_s": None, "wait_s": None}),
    ("A|COMPLETEAGENT|5|99999999999", "call.closed", {"talk_s": None}),
    ("NONE|CONNECT|5", "call.accepted", {"wait_s": 5, "connected": True}),
    ("A|Info Line|x", "custom.queue_log.info_line", {}),
    ("A|" + "X" * 100, "custom.queue_log." + "x" * 63, {}),
]


@pytest.mark.parametrize(("line", "type_", "expected"), MEANINGS, ids=[line for line, _, _ in MEANINGS])
def test_a_record_means(line, type_, expected):
    event, data = facts(f"1543600000|1.2|IT|{line}")
    assert event.type == type_
    assert {name: data.get(name) for name in expected} == expected
    errors: dict[str, Any] = {}
    check_fields(catalog.find(event.type), Data(event.data, data), errors)
    assert errors == {}


@pytest.mark.parametrize(
    ("line", "queue", "interaction", "contact"),
    [
        ("1|c|IT|NONE|ENTERQUEUE||601|1", "IT", "c/IT", {"phone": "601"}),
        ("1|c|IT|NONE|ENTERQUEUE||601|1|Petr", "IT", "c/IT", {"name": "Petr", "phone": "601"}),
        ("1|c|IT|NONE|ENTERQUEUE||anonymous", "IT", "c/IT", None),
        ("1|c|IT|NONE|ENTERQUEUE||####|1", "IT", "c/IT", None),
        ("1|c|NONE|A|OUTDIAL|881142|||0|0", None, "c", {"phone": "881142"}),
        ("1|c|IT|A|ADDMEMBER|", "IT", None, None),
        ("1|c|NONE|A|AGENTLOGIN|x", None, None, None),
        ("1|c|IT|NONE|DID|800", "IT", "c/IT", None),
        ("1|NONE|NONE|NONE|QUEUESTART|", None, None, None),
    ],
)
def test_a_call_is_its_id_and_queue_and_presence_is_no_call(line, queue, interaction, contact):
    event, _ = facts(line)
    assert (event.queue, event.interaction, event.contact) == (queue, interaction, contact)


def test_equal_lines_are_separate_events_and_a_second_reading_gives_the_same_ids():
    line = "1543600000|1.2|IT|A|RINGNOANSWER|9000"
    first = list(events(records([line, line, "", line + "|"]), "UTC"))
    again = list(events(records([line, line, line]), "Asia/Tokyo"))
    assert len({event.id for event in first}) == 3
    assert [event.id for event in first] == [event.id for event in again]
    assert [event.seq for event in first] == [1, 2, 4]


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        (b"1543600000|c|IT|A|CONNECT|1\n", Record),
        (b"1543600000.250|c|IT|A|CONNECT\r\n", Record),
        (b"154x|c|IT|A|CONNECT|1\n", Bad),
        ("١٥٤|c|IT|A|CONNECT|1\n".encode(), Bad),
        (b"|c|IT|A|CONNECT|1\n", Bad),
        (b"1543600000|c|IT|A\n", Bad),
        (b"1543600000|c|IT|A||1\n", Bad),
        (b"1543600000|c|IT|A\xff|CONNECT|1\n", Bad),
        (b"1543600000|c|IT\x0b|A|CONNECT|\x00\n", Record),
        (b"-1|c|IT|A|CONNECT|1\n", Bad),
    ],
)
def test_a_record_has_a_numeric_time_and_five_fields_of_text(line, kind):
    found = list(records([b"1|a|b|c|D\n", line, b"2|a|b|c|D\n"]))
    assert [type(each) for each in found] == [Record, kind, Record]
    assert found[1].line == 2


def test_control_characters_are_taken_out_of_a_record():
    [found] = records([b"1543600000|c|IT\x0b|A|ENTERQUEUE||Jan\tNov\x16|1\x00\n"])
    assert isinstance(found, Record)
    assert (found.queue, found.params) == ("IT", ("", "Jan Nov", "1"))


def test_a_last_line_without_its_end_is_cut_and_all_before_it_is_kept():
    good = b"1543600000|c|IT|A|RINGNOANSWER|10000\n"
    *kept, cut = events(records([good, good, good[:-3]]), "UTC")
    assert [type(event) for event in kept] == [NewEvent, NewEvent]
    assert isinstance(cut, Bad)
    assert (cut.line, cut.message.render()) == (3, "The last line is incomplete.")
    assert all(isinstance(line, Record) for line in records([good.decode().strip()] * 2))


TABLE = "time,callid,queuename,agent,event,data1,data2,data3,data4,data5\n"


@pytest.mark.parametrize(
    ("time", "zone", "ms"),
    [
        ("2012-07-01 10:58:39.750413", "UTC", 1341140319750),
        ("2012-07-01 10:58:39", "Europe/Prague", 1341133119000),
        ("2025-10-26 02:30:00", "Europe/Prague", 1761438600000),
        ("2025-03-30 02:30:00", "Europe/Prague", 1743296400000),
        ("1341140319", "Europe/Prague", 1341140319000),
    ],
    ids=["UTC with a fraction", "local", "twice: the earlier", "skipped: the next valid", "epoch"],
)
def test_a_tables_civil_time_is_read_in_the_zone_given(time, zone, ms):
    [event] = events(records([TABLE, f"{time},c,IT,A,CONNECT,1,,,,\n"]), zone)
    assert event.time_ms == ms


def test_a_broken_row_of_a_table_is_refused_by_its_line_and_the_rest_is_read():
    short, quoted = "2,c,IT\n", '3,"c"x,IT,A,CONNECT,1,,,,\n'
    ancient = "0001-01-01 00:00:00,c,IT,A,CONNECT,1,,,,\n"
    rows = ["1,c,IT,A,CONNECT,1,,,,\n", short, quoted, ancient, "4,c,IT,A,CONNECT,1,,,,\n"]
    found = list(events(records([TABLE, *rows]), "Asia/Tokyo"))
    assert [type(each) for each in found] == [NewEvent, Bad, Bad, Bad, NewEvent]
    assert [each.line for each in found[1:4]] == [3, 4, 5]


@given(st.lists(st.binary(max_size=80) | st.text(max_size=40), max_size=6), st.booleans())
def test_any_lines_end_in_events_or_bad_lines(lines, table):
    for each in events(records([TABLE, *lines] if table else lines), "UTC"):
        assert isinstance(each, NewEvent | Bad)


@given(
    st.sampled_from([*READINGS, "X"]),
    st.lists(st.text(st.characters(exclude_characters="|\r\n")), max_size=6),
)
def test_any_parameters_give_facts_that_the_catalogue_allows(name, params):
    for each in events(records(["|".join(["1543600000", "c", "IT", "A", name, *params])]), "UTC"):
        if isinstance(each, NewEvent):
            errors: dict[str, Any] = {}
            check_fields(catalog.find(each.type), Data(each.data, json.loads(each.data)), errors)
            assert errors == {}
