"""Small queue logs and the figures that they amount to, for each queue and user."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from dashboard.access import scope
from dashboard.clock import Span
from dashboard.ingest import importer
from dashboard.tracing import queues, trace

ZONE = "UTC"
DAY = Span(1_772_409_600, 1_772_409_600 + 86_400)  # 2026-03-02

pytestmark = pytest.mark.both_databases


Figures = Mapping[str, dict[str, Any]]  # by queue or by user


@dataclass(frozen=True)
class Case:
    """Lines `offset|call|queue|agent|event|…`, and figures by queue and by user."""

    log: str
    queues: Figures = field(default_factory=dict)
    users: Figures = field(default_factory=dict)


CASES = {
    "an answered call without a named agent has its talk in the queue": Case(
        "0|c|q|NONE|ENTERQUEUE||1|1 3|c|q|NONE|CONNECT|3|x|1 13|c|q|NONE|COMPLETEAGENT|3|10|1",
        {"q": {"received": 1, "answered": 1, "wait": 3, "talk": 10}},
    ),
    "without a talk time in the end record, talk is what the clock says": Case(
        "0|c|q|NONE|ENTERQUEUE||1|1 3|c|q|NONE|CONNECT|3|x|1 13|c|q|NONE|COMPLETECALLER|3",
        {"q": {"answered": 1, "talk": 10}},
    ),
    "only the end record, without an agent": Case(
        "13|c|q|NONE|COMPLETECALLER|3|10|1",
        {"q": {"received": 1, "answered": 1, "wait": 3, "talk": 10}},
    ),
    "an unnamed agent and a named one": Case(
        "0|c|q|NONE|ENTERQUEUE||1|1 3|c|q|NONE|CONNECT|3|x|1 13|c|q|NONE|COMPLETEAGENT|3|10|1 "
        "0|d|q|NONE|ENTERQUEUE||1|1 5|d|q|jana|CONNECT|5|x|1 25|d|q|jana|COMPLETEAGENT|5|20|1",
        {"q": {"received": 2, "answered": 2, "wait": 8, "talk": 30}},
        {"jana": {"talk": 20}},
    ),
    "transferred by an agent who is not named": Case(
        "0|c|q|NONE|ENTERQUEUE||1|1 3|c|q|NONE|CONNECT|3|x|1 13|c|q|NONE|BLINDTRANSFER|s|x|3|10|1",
        {"q": {"received": 1, "answered": 1, "wait": 3, "talk": 10, "unfinished": 0}},
    ),
    "transferred by an agent whose answer is not on record: the wait ends all the same": Case(
        "0|c|q|NONE|ENTERQUEUE||1|1 25|c|q|jana|ATTENDEDTRANSFER|LINK|SIP/a|SIP/b|5|20|1 "
        "90|NONE|NONE|NONE|QUEUESTART",
        {"q": {"received": 1, "answered": 1, "wait": 5, "talk": 20, "unfinished": 0}},
        {"jana": {"talk": 20}},
    ),
    "connected by an agent who is not named, the end lost": Case(
        "0|c|q|NONE|ENTERQUEUE||1|1 3|c|q|NONE|CONNECT|3|x|1 50|c2|q|NONE|ENTERQUEUE||1|1",
        {"q": {"received": 2, "answered": 1, "wait": 3, "talk": 0, "unfinished": 1}},
    ),
    "timed out, entered again, answered: the result is that of the last stay": Case(
        "0|c|q|NONE|ENTERQUEUE||1|1 15|c|q|NONE|EXITWITHTIMEOUT|1|1|15 20|c|q|NONE|ENTERQUEUE||1|1 "
        "28|c|q|jana|CONNECT|8|x|1 38|c|q|jana|COMPLETEAGENT|8|10|1",
        {"q": {"received": 1, "answered": 1, "lost": {}, "timeouts": 1, "wait": 23, "longest_wait": 23}},
    ),
    "each stay within the service level, the whole wait is not": Case(
        "0|c|q|NONE|ENTERQUEUE||1|1 15|c|q|NONE|EXITWITHTIMEOUT|1|1|15 20|c|q|NONE|ENTERQUEUE||1|1 "
        "28|c|q|jana|CONNECT|8|x|1 38|c|q|jana|COMPLETEAGENT|8|10|1 "
        "0|d|q|NONE|ENTERQUEUE||1|1 20|d|q|jana|CONNECT|20|x|1 38|d|q|jana|COMPLETEAGENT|20|18|1",
        {"q": {"answered": 2, "in_level": 1, "level": 0.5}},
    ),
    "timed out twice: one call, lost by the last, one earlier timeout": Case(
        "0|c|q|NONE|ENTERQUEUE||1|1 15|c|q|NONE|EXITWITHTIMEOUT|1|1|15 20|c|q|NONE|ENTERQUEUE||1|1 "
        "30|c|q|NONE|EXITWITHTIMEOUT|1|1|10",
        {"q": {"received": 1, "answered": 0, "lost": {"timeout": 1}, "timeouts": 1, "wait": 25}},
    ),
    "timed out, then abandoned": Case(
        "0|c|q|NONE|ENTERQUEUE||1|1 15|c|q|NONE|EXITWITHTIMEOUT|1|1|15 20|c|q|NONE|ENTERQUEUE||1|1 "
        "27|c|q|NONE|ABANDON|1|1|7",
        {"q": {"received": 1, "abandoned": 1, "lost": {}, "timeouts": 1, "wait": 22}},
    ),
    "wrap-up of the announced length is handling after the call, not talk": Case(
        "3|c|q|jana|CONNECT|3|x|1 13|c|q|jana|COMPLETEAGENT|3|10|1 13|c|q|jana|WRAPUPSTART|15",
        {"q": {"talk": 10}},
        {"jana": {"talk": 10, "handling": 25, "closed": 1, "without_end": 0}},
    ),
    "the next connection ends a wrap-up": Case(
        "3|c|q|jana|CONNECT|3|x|1 13|c|q|jana|COMPLETEAGENT|3|10|1 13|c|q|jana|WRAPUPSTART|15 "
        "20|d|q|jana|CONNECT|1|x|1 30|d|q|jana|COMPLETECALLER|1|10|1",
        {},
        {"jana": {"talk": 20, "handling": 27, "closed": 2}},
    ),
    "so does the sign-out": Case(
        "0|NONE|NONE|jana|AGENTLOGIN|SIP/1 3|c|q|jana|CONNECT|3|x|1 13|c|q|jana|BLINDTRANSFER|s|x|3|10|1 "
        "13|c|q|jana|WRAPUPSTART|15 18|NONE|NONE|jana|AGENTLOGOFF|SIP/1|18",
        {},
        {"jana": {"talk": 10, "handling": 15, "login": 18}},
    ),
    "ringing during a wrap-up does not end it, one without a length is none": Case(
        "3|c|q|jana|CONNECT|3|x|1 13|c|q|jana|COMPLETEAGENT|3|10|1 13|c|q|jana|WRAPUPSTART|15 "
        "20|d|q|jana|RINGNOANSWER|1000 40|e|q|jana|CONNECT|1|x|1 50|e|q|jana|COMPLETECALLER|1|10|1 "
        "50|e|q|jana|WRAPUPSTART",
        {},
        {"jana": {"talk": 20, "handling": 35, "closed": 2}},
    ),
    "an answer that carries its talk is evidence, whatever stood before it in the same second": Case(
        "0|c|NONE|jana|OUTDIAL|601|||0|0 0|c|NONE|jana|OUTDIAL|601|||0|0 "
        "0|c|NONE|jana|OUTCHANUNAVAIL|601|||0|0 43|c|NONE|jana|OUTANSWER|601|COMPLETEAGENT||3|40",
        {},
        {"jana": {"dialled": 1, "dialled_talk": 40}},
    ),
    "so it is after an unreached call": Case(
        "0|c|NONE|jana|OUTDIAL|601|||0|0 0|c|NONE|jana|OUTCHANUNAVAIL|601|||0|0 "
        "43|c|NONE|jana|OUTANSWER|601|COMPLETEAGENT||3|40",
        {},
        {"jana": {"dialled": 1, "dialled_talk": 40}},
    ),
    "an unreached call stays unreached without talk": Case(
        "0|c|NONE|jana|OUTDIAL|601|||0|0 9|c|NONE|jana|OUTCANCEL|601|||0|0",
        {},
        {"jana": {"dialled": 0, "dialled_talk": 0}},
    ),
    "a double end record counts nothing and is doubtful": Case(
        "3|c|q|jana|CONNECT|3|x|1 13|c|q|jana|ATTENDEDTRANSFER|BRIDGE|b|3|10|1 "
        "14|c|q|jana|COMPLETEAGENT|3|11|1",
        {"q": {"answered": 1, "talk": 10}},
        {"jana": {"talk": 10, "closed": 0, "doubtful": 1}},
    ),
    "two end records of one second": Case(
        "3|c|q|jana|CONNECT|3|x|1 13|c|q|jana|COMPLETEAGENT|3|10|1 13|c|q|jana|COMPLETECALLER|3|10|1",
        {"q": {"answered": 1, "talk": 10, "without_end": 0}},
        {"jana": {"talk": 10, "closed": 1, "doubtful": 1}},
    ),
    "queues count the calls without an end as users do": Case(
        "3|c|q|jana|CONNECT|3|x|1 30|d|q|jana|CONNECT|3|x|1 40|d|q|jana|COMPLETECALLER|3|10|1",
        {"q": {"answered": 2, "without_end": 1, "talk": 10}},
        {"jana": {"talk": 10, "closed": 1, "without_end": 1}},
    ),
    "an attended transfer under the consultation's id ends the held call": Case(
        "0|c1|q|NONE|ENTERQUEUE||1|1 3|c1|q|jana|CONNECT|3|x|1 20|c2|b|NONE|ENTERQUEUE||jana|1 "
        "25|c2|b|petr|CONNECT|5|x|1 43|c2|q|jana|ATTENDEDTRANSFER|BRIDGE|b|3|40|1 "
        "65|c2|b|petr|COMPLETECALLER|5|40|1",
        {
            "q": {"received": 1, "answered": 1, "wait": 3, "talk": 40, "without_end": 0},
            "b": {"received": 1, "answered": 1, "wait": 5, "talk": 40},
        },
        {"jana": {"talk": 40, "without_end": 0}, "petr": {"talk": 40, "closed": 1}},
    ),
    "of two open calls the held one is that whose answer fits the talk": Case(
        "3|c1|q|jana|CONNECT|3|x|1 60|c3|q|jana|CONNECT|3|x|1 100|c2|q|jana|ATTENDEDTRANSFER|BRIDGE|b|3|40|1",
        {"q": {"received": 2, "answered": 2, "talk": 40, "without_end": 1}},
        {"jana": {"talk": 40, "without_end": 1}},
    ),
    "without a held call the transfer counts under its own id": Case(
        "43|c2|q|jana|ATTENDEDTRANSFER|BRIDGE|b|3|40|1",
        {"q": {"received": 1, "answered": 1, "talk": 40}},
        {"jana": {"talk": 40}},
    ),
    "queued in another queue without an end of the stay: it moved on, without a result": Case(
        "0|c|a|NONE|ENTERQUEUE||1|1 30|c|b|NONE|ENTERQUEUE||1|1 38|c|b|jana|CONNECT|8|x|1 "
        "48|c|b|jana|COMPLETEAGENT|8|10|1 20000|NONE|NONE|NONE|CONFIGRELOAD",
        {
            "a": {"received": 1, "moved_on": 1, "unfinished": 0, "wait": 30, "level": None, "lost": {}},
            "b": {"received": 1, "moved_on": 0, "answered": 1, "wait": 8, "level": 1.0},
        },
    ),
    "a call whose stay has its own end did not move on": Case(
        "0|c|a|NONE|ENTERQUEUE||1|1 30|c|a|NONE|EXITWITHTIMEOUT|1|1|30 30|c|b|NONE|ENTERQUEUE||1|1 "
        "37|c|b|NONE|ABANDON|1|1|7",
        {
            "a": {"received": 1, "moved_on": 0, "lost": {"timeout": 1}, "wait": 30},
            "b": {"received": 1, "abandoned": 1, "wait": 7},
        },
    ),
    "another call of the same queue moves nothing": Case(
        "0|c1|a|NONE|ENTERQUEUE||1|1 30|c11|b|NONE|ENTERQUEUE||1|1 31|c1.|b|NONE|ENTERQUEUE||1|1",
        {"a": {"received": 1, "moved_on": 0, "unfinished": 1}, "b": {"received": 2, "unfinished": 2}},
    ),
    "a restart ends a wait: unknown end, counted to the restart": Case(
        "0|c|a|NONE|ENTERQUEUE||1|1 50|NONE|NONE|NONE|QUEUESTART",
        {"a": {"received": 1, "unfinished": 1, "moved_on": 0, "abandoned": 0, "wait": 50}},
    ),
    "four hours after its last event a wait has an unknown end": Case(
        "0|c|a|NONE|ENTERQUEUE||1|1 20000|NONE|NONE|NONE|CONFIGRELOAD",
        {"a": {"received": 1, "unfinished": 1, "abandoned": 0, "wait": 14400}},
    ),
}


def read(tmp_path: Path, log: str) -> None:
    """Import the records of a case, the offsets counted from 10:00 of the day."""
    lines = (record.split("|", 1) for record in log.split(" "))
    start = DAY.start + 36_000
    path = tmp_path / "queue_log"
    path.write_text("".join(f"{start + int(at)}|{rest}\n" for at, rest in lines))
    assert importer.run(path, "queue_log", "exchange", ZONE, None, lambda _at: None).refused == 0


def of_queue(name: str) -> dict[str, Any]:
    found = queues.day(scope.whole(), name, DAY, ZONE)
    assert found is not None
    return queues.as_json(found.total)


def of_user(login: str) -> dict[str, Any]:
    found = trace.read(scope.whole(), login, DAY, ZONE, DAY.end)
    assert found is not None
    calls, dialled = found.figures.calls, found.figures.dialled
    return {
        "talk": calls.talk,
        "handling": calls.handling,
        "closed": calls.closed,
        "without_end": calls.without_end,
        "dialled": dialled.closed,
        "dialled_talk": dialled.talk,
        "login": found.figures.login,
        "doubtful": found.figures.quality.inferred,
    }


@pytest.mark.parametrize("name", CASES)
def test_a_log_amounts_to_these_figures(app: Flask, tmp_path: Path, name: str) -> None:
    read(tmp_path, CASES[name].log)
    check(CASES[name])


@pytest.mark.parametrize("name", CASES)
def test_records_that_come_one_by_one_newest_first_give_the_same(
    app: Flask, tmp_path: Path, name: str
) -> None:
    for record in reversed(CASES[name].log.split(" ")):
        read(tmp_path, record)
    check(CASES[name])


def check(case: Case) -> None:
    found = {queue: of_queue(queue) for queue in case.queues} | {user: of_user(user) for user in case.users}
    for thing, wanted in {**case.queues, **case.users}.items():
        assert {figure: found[thing][figure] for figure in wanted} == wanted, thing


def test_the_order_of_one_second_is_that_of_the_uid(app: Flask, tmp_path: Path) -> None:
    """Two pauses of one second: the later one, by uid, is the pause that lasts, wherever its row stands."""
    columns = "uid,date_time,callid,queue_name,type,event,param1,param2,param3,entpos,expos,htime,ttime,time"
    at = DAY.start + 36_000
    rows = {
        9: f"{at},NONE,q,jana,ADDMEMBER,,",
        10: f"{at + 5},NONE,q,jana,PAUSE,lunch,",
        11: f"{at + 5},NONE,q,jana,PAUSE,training,",
        12: f"{at + 65},NONE,q,jana,UNPAUSE,,",
    }
    path = tmp_path / "rows.csv"
    lines = [columns, *(f"{uid},{rows[uid]},,0,0,0,0,x" for uid in (11, 12, 9, 10))]
    path.write_text("".join(f"{line}\n" for line in lines))
    assert importer.run(path, "queue_log", "exchange", ZONE, None, lambda _at: None).refused == 0
    found = trace.read(scope.whole(), "jana", DAY, ZONE, DAY.end)
    assert found is not None
    pauses = found.figures.pause.types
    assert [(one.label, one.seconds) for one in pauses if one.seconds] == [("training", 60)]
