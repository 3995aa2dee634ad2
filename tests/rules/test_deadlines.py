"""What falls due, from a subject's events alone; and that the worker fires just that, however it is fed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
import time_machine
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dashboard.db import database
from dashboard.models import Calendar, Rule
from dashboard.rulelang import schema as definitions
from dashboard.rulelang.schema import Definition
from dashboard.rulelang.working_time import of_stored
from dashboard.rules import event_rows
from dashboard.rules.timing.deadlines import waking
from dashboard.rules.timing.state_periods import agent_periods
from tests.rules import engine
from tests.rules.engine import NOON, rule
from tests.rules.firings import firings
from tests.rules.time import Site, fired

HOUR = 3600
HOURS = {str(day): [["08:00", "17:00"]] for day in range(1, 6)}
OFFICE = of_stored("Europe/Prague", HOURS, [])


class Told(NamedTuple):
    """An event so many minutes after noon."""

    id: int
    time_ms: int
    type: str
    data: str = "{}"
    user_id: int | None = None
    queue_id: int | None = None
    seq: int = 0
    source_id: int = 1
    file_ts: int | None = None
    uid: int | None = None
    external_id: str = ""


def told(*events: tuple[int, str]) -> list[Told]:
    return [Told(n, NOON + minute * 60_000, type_) for n, (minute, type_) in enumerate(events, 1)]


def dated(*events: tuple[int, str, int | None]) -> list[Told]:
    made = []
    for n, (minute, type_, due) in enumerate(events, 1):
        data = {} if due is None else {"followup_at": engine.event(seconds=due * 60)["time"]}
        made.append(Told(n, NOON + minute * 60_000, type_, json.dumps(data)))
    return made


def asked(types: str, **parts: Any) -> Definition:
    found = definitions.load({"types": [types], "then": [engine.LOG], **parts})
    assert isinstance(found, Definition), found
    return found


def due(definition: Definition, events: list[Told], until: int = 10_000) -> list[int]:
    """Return the minutes after noon at which something falls due."""
    found = firings(definition, events, {"Office": OFFICE}, NOON + until * 60_000)
    return [(each.due_ms - NOON) // 60_000 for each in found]


IDLE = asked("ticket.idle", after={"seconds": HOUR})
CASES = [
    ("untouched", told((0, "ticket.created")), [60]),
    ("touched", told((0, "ticket.created"), (40, "ticket.message_sent")), [100]),
    ("touched at the very instant", told((0, "ticket.created"), (60, "ticket.message_sent")), [120]),
    ("closed", told((0, "ticket.created"), (30, "ticket.closed")), []),
    ("closed at the very instant", told((0, "ticket.created"), (60, "ticket.closed")), []),
    ("closed after", told((0, "ticket.created"), (61, "ticket.closed")), [60]),
    ("reopened", told((0, "ticket.created"), (9, "ticket.closed"), (50, "ticket.reopened")), [110]),
    ("twice", told((0, "ticket.created"), (90, "ticket.message_sent")), [60, 150]),
    ("a look is no work", told((0, "ticket.created"), (30, "ticket.viewed")), [60]),
    ("work on what is closed", told((0, "ticket.closed"), (5, "ticket.comment_added")), []),
    ("events of another kind", told((0, "ticket.created"), (30, "call.answered")), [60]),
    ("events in any order", told((90, "ticket.message_sent"), (0, "ticket.created")), [60, 150]),
    ("not yet", told((9_999, "ticket.created")), []),
]


@pytest.mark.parametrize(("what", "events", "expected"), CASES, ids=[row[0] for row in CASES])
def test_idle(what: str, events: list[Told], expected: list[int]) -> None:
    assert due(IDLE, events) == expected


DATED = [
    ("agreed", dated((0, "ticket.created", 90)), [90]),
    ("moved", dated((0, "ticket.created", 90), (10, "ticket.updated", 200)), [200]),
    ("moved when it had come", dated((0, "ticket.created", 90), (95, "ticket.updated", 200)), [90, 200]),
    ("said again", dated((0, "ticket.created", 90), (10, "ticket.updated", 90)), [90]),
    ("left out", dated((0, "ticket.created", 90), (10, "ticket.updated", None)), [90]),
    ("done", dated((0, "ticket.created", 90), (10, "ticket.followup_done", None)), []),
    ("closed", dated((0, "ticket.created", 90), (90, "ticket.closed", None)), []),
    ("in the past when it was said", dated((50, "ticket.created", 20)), [50]),
]


@pytest.mark.parametrize(("what", "events", "expected"), DATED, ids=[row[0] for row in DATED])
def test_follow_up(what: str, events: list[Told], expected: list[int]) -> None:
    assert due(asked("ticket.followup_due"), events) == expected


def test_a_time_that_is_none_is_no_deadline() -> None:
    bad = [Told(1, NOON, "ticket.created", '{"followup_at": "soon"}')]
    assert due(asked("ticket.followup_due"), bad) == []


def test_working_time_passes_over_the_weekend() -> None:
    friday = [Told(1, NOON + 4 * 86_400_000 + 3 * HOUR * 1000, "ticket.created")]  # 16:00 in Prague
    office = asked("ticket.idle", after={"seconds": 2 * HOUR, "calendar": "Office"})
    assert due(office, friday) == [
        (7 * 86_400 - 4 * HOUR) // 60
    ]  # Monday 09:00, four hours before noon's clock


def test_a_calendar_that_is_gone_has_no_deadline() -> None:
    assert (
        due(asked("ticket.idle", after={"seconds": 60, "calendar": "Gone"}), told((0, "ticket.created")))
        == []
    )


WAIT = asked("chat.queued", wait={"seconds": 120, "unless": ["chat.accepted"]})


def test_a_wait_is_over_unless_something_comes_first() -> None:
    assert due(WAIT, told((0, "chat.queued"))) == [2]
    assert due(WAIT, told((0, "chat.queued"), (2, "chat.accepted"))) == []
    assert due(WAIT, told((0, "chat.queued"), (3, "chat.accepted"))) == [2]
    assert due(WAIT, told((0, "chat.accepted"), (0, "chat.queued"), (1, "chat.queued"))) == [2, 3]


def test_a_thread_waits_for_moderation_until_its_status_changes() -> None:
    moderation = asked("thread.moderation_due", after={"seconds": HOUR})
    assert due(moderation, told((0, "thread.created"))) == [60]
    assert due(moderation, told((0, "thread.created"), (9, "thread.status_changed"))) == []


def test_an_agent_is_idle_where_ready_and_not_at_work() -> None:
    found = agent_periods(7, [(0, 100)], [(10, 20), (30, 40)])
    assert [(each.begun_ms, each.end_ms) for each in found] == [
        (0, 10_000),
        (20_000, 30_000),
        (40_000, 100_000),
    ]


def test_only_what_may_begin_a_stretch_wakes() -> None:
    found = waking(["ticket.idle"])
    assert {"ticket.created", "ticket.reopened", "ticket.message_sent"} <= found
    assert not found & {"ticket.closed", "ticket.idle", "ticket.viewed", "chat.queued"}
    assert waking(["ticket.created"]) == frozenset()


steps = st.lists(
    st.tuples(
        st.integers(0, 200),
        st.sampled_from(
            [
                "ticket.created",
                "ticket.message_sent",
                "ticket.viewed",
                "ticket.closed",
                "ticket.reopened",
                "ticket.followup_scheduled",
                "ticket.followup_done",
            ]
        ),
        st.integers(-60, 300),
    ),
    min_size=1,
    max_size=12,
)
DEFINITIONS: list[dict[str, Any]] = [
    {"types": ["ticket.idle"], "after": {"seconds": HOUR}},
    {"types": ["ticket.idle"], "after": {"seconds": 3 * HOUR}},
    {"types": ["ticket.idle"], "after": {"seconds": HOUR, "calendar": "Office"}},
    {"types": ["ticket.age_reached"], "after": {"seconds": 2 * HOUR}},
    {"types": ["ticket.followup_due"], "after": {"seconds": 0}},
    {"types": ["ticket.message_sent"], "wait": {"seconds": HOUR, "unless": ["ticket.closed"]}},
]


@pytest.fixture
def site() -> Iterator[Site]:
    with time_machine.travel(NOON / 1000, tick=False) as travel:
        yield Site(travel)


@pytest.mark.usefixtures("db")
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=steps, looks=st.lists(st.integers(0, 3), min_size=12, max_size=12))
def test_the_worker_fires_what_the_events_say(site: Site, steps: list[Any], looks: list[int]) -> None:
    """Events come in as they happen; they are digested, and the worker looks, now and then."""
    with database.atomic() as trial:
        Calendar.create(name="Office", zone="Europe/Prague", hours=HOURS)
        rules = [rule(state="shadow", **each) for each in DEFINITIONS]
        happened = 0
        for (minutes, type_, agreed), look in zip(steps, looks, strict=False):
            happened += minutes * 60
            site.at(happened)
            named = {"followup_at": engine.event(seconds=happened + agreed * 60)["time"]}
            data = named if type_ == "ticket.followup_scheduled" else {}
            engine.send(engine.event(type_, happened, interaction="T-1", user="jana", data=data))
            if look & 1:
                engine.digest()
            if look & 2:
                site.wake(happened)
        engine.digest()
        site.wake(20 * 86_400)
        assert live_runs() == sorted(run for one in rules for run in said(one))
        trial.rollback()


def live_runs() -> list[tuple[int, float]]:
    return sorted((rule_id, at) for rule_id, outcome, at in fired() if outcome != "cancelled")


def said(one: Rule) -> list[tuple[int, float]]:
    """Return the runs that a rule ought to have had by now, of the whole log."""
    read = definitions.load(one.definition)
    assert isinstance(read, Definition)
    found = firings(read, event_rows.rows(event_rows.columns()), {"Office": OFFICE}, NOON + 20 * 86_400_000)
    return [(one.id, (each.due_ms - NOON) / 1000) for each in found]
