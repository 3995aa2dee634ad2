"""One interaction as a whole, and what holds for any events whatever."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.catalog import CATALOG
from dashboard.catalog.lifecycle import fold_events
from dashboard.tracing.fold import (
    FoldedActivity,
    FoldedInteraction,
    Segment,
    fold_interaction,
    fold_with_evidence,
)
from dashboard.tracing.types import EventRow, Kind, State
from dashboard.tracing.verbs import VERBS
from tests.tracing.log import JANA, PETR, event


def test_an_ordinary_call() -> None:
    found = fold_interaction(
        [
            event(0, "call.queued", queue=3, direction="in"),
            event(5, "call.offered", JANA),
            event(10, "call.accepted", JANA),
            event(12, "call.connected", JANA),
            event(14, "call.muted", JANA),
            event(20, "call.held", JANA),
            event(25, "call.resumed", JANA),
            event(60.9, "call.disconnected", JANA),
            event(70, "call.closed", JANA, ended_by="customer", title="Invoice"),
        ]
    )
    segments = (
        Segment(Kind.RINGING, 5, 10),
        Segment(Kind.HANDLING, 10, 70),
        Segment(Kind.TALK, 12, 60),
        Segment(Kind.HOLD, 20, 25),
    )
    activity = FoldedActivity(
        user_id=JANA,
        n=0,
        channel="call",
        direction="in",
        state=State.CLOSED,
        queue_id=3,
        contact_id=None,
        title="Invoice",
        start=5,
        end=70,
        closed=70,
        ringing_s=5,
        handling_s=60,
        talk_s=48,
        hold_s=5,
        inferred=False,
        segments=segments,
    )
    assert found == FoldedInteraction(
        channel="call",
        direction="in",
        queue_id=3,
        contact_id=None,
        first_ms=0,
        queued_ts=0,
        answered_ts=10,
        ended_ts=70,
        wait_s=10,
        talk_s=48,
        outcome="answered",
        reason="customer",
        activities=(activity,),
    )


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        pytest.param(
            [event(0, "call.queued", queue=3), event(30, "call.abandoned", reason="timeout")],
            {"outcome": "abandoned", "reason": "timeout", "wait_s": 30, "ended_ts": 30, "queue_id": 3},
            id="abandoned in the queue",
        ),
        pytest.param(
            [event(0, "call.queued", queue=3), event(30, "call.abandoned", wait_s=28)],
            {"wait_s": 28},
            id="the reported wait wins",
        ),
        pytest.param(
            [
                event(0, "call.queued", queue=3),
                event(9, "call.abandoned"),
                event(10, "call.queued", queue=4),
                event(15, "call.accepted", JANA, wait_s=5),
            ],
            {
                "outcome": "answered",
                "queue_id": 4,
                "queued_ts": 0,
                "wait_s": 5,
                "ended_ts": None,
                "reason": "",
            },
            id="it is answered in the queue where somebody took it",
        ),
        pytest.param(
            [
                event(5, "call.accepted", JANA, 3),
                event(9, "call.transferred", JANA),
                event(9, "call.queued", queue=4),
            ],
            {"queue_id": 3, "ended_ts": None, "wait_s": None},
            id="a later queue is not where it was answered",
        ),
        pytest.param(
            [event(2, "call.offered", JANA), event(9, "call.missed", reason="busy")],
            {"outcome": "missed", "reason": "busy", "wait_s": 7, "queued_ts": None},
            id="a direct call waits from its first ringing",
        ),
        pytest.param(
            [event(50, "call.closed", JANA, 3, talk_s=30, wait_s=6)],
            {"outcome": "answered", "answered_ts": 20, "wait_s": 6, "talk_s": 30},
            id="who talked had answered",
        ),
        pytest.param(
            [event(5, "call.dialled", JANA), event(9, "call.unreached", JANA)],
            {"channel": "dialled", "direction": "out", "outcome": "missed", "ended_ts": 9},
            id="dialled and not reached",
        ),
        pytest.param(
            [event(5, "call.dialled", JANA, 3)],
            {"channel": "call", "direction": "out"},
            id="dialled for a queue",
        ),
        pytest.param(
            [
                event(5, "chat.accepted", JANA, channel="WhatsApp"),
                event(6, "chat.closed", JANA, channel="sms"),
            ],
            {"channel": "whatsapp"},
            id="the first channel named",
        ),
        pytest.param([event(5, "chat.queued", channel="fax")], {"channel": "fax"}, id="unknown channel kept"),
        pytest.param(
            [event(5, "chat.queued", channel="call")], {"channel": "webchat"}, id="not a type's name"
        ),
        pytest.param([event(5, "chat.queued", channel="a b")], {"channel": "webchat"}, id="not a word"),
        pytest.param([event(5, "chat.queued")], {"channel": "webchat"}, id="default channel"),
        pytest.param(
            [event(5, "custom.x")], {"channel": "", "first_ms": 5000, "outcome": ""}, id="unknown type"
        ),
        pytest.param([], {"channel": "", "first_ms": None, "activities": ()}, id="nothing"),
    ],
)
def test_events_make_the_interaction(events: list[EventRow], expected: dict[str, Any]) -> None:
    found = fold_interaction(events)
    assert {name: getattr(found, name) for name in expected} == expected


def test_a_consultation_dialled_during_a_queue_call_is_outbound_work_of_its_own() -> None:
    found = fold_interaction(
        [event(0, "call.queued", queue=3), event(5, "call.accepted", JANA), event(9, "call.dialled", PETR)]
    )
    assert [(a.channel, a.direction, a.queue_id) for a in found.activities] == [
        ("call", "", 3),
        ("dialled", "out", None),
    ]


SUBJECT = st.sampled_from(["call", "call", "chat"])
DATA = st.sampled_from(
    [{}, {}, {"talk_s": 2}, {"ring_ms": 3000}, {"ring_s": 1, "connected": True}, {"wait_s": 4}]
)
LOG = st.lists(
    st.tuples(
        st.integers(100, 110), SUBJECT, st.sampled_from(list(VERBS)), st.sampled_from([None, 1, 2]), DATA
    ),
    max_size=9,
).map(
    lambda log: [
        EventRow(0, at * 1000, 0, f"{subject}.{verb}", 1, str(n), user, None, None, data)
        for n, (at, subject, verb, user, data) in enumerate(log)
    ]
)


@given(LOG, st.randoms(use_true_random=False))
def test_any_order_of_the_same_events_gives_the_same(log: list[EventRow], chance: Any) -> None:
    assert fold_interaction(chance.sample(log, len(log))) == fold_interaction(log)


@given(LOG)
def test_activities_are_sound_for_any_events(log: list[EventRow]) -> None:
    found, evidence = fold_with_evidence(log)
    live = (State.RINGING, State.OPEN, State.POSTPONED)
    assert len({(a.user_id, a.n) for a in found.activities}) == len(found.activities)
    for activity in found.activities:
        assert (activity.end is None) == (activity.state in live)
        assert (activity.closed is None) == (activity.state != State.CLOSED) or activity.inferred
        assert activity.start == min(part.start for part in activity.segments)
        work = [(part.start, part.end) for part in activity.segments if part.kind == Kind.HANDLING]
        assert all(end is not None and end <= start for (_, end), (start, _) in pairwise(work))
        for part in activity.segments:
            assert part.end is None or part.start <= part.end
            assert activity.end is None or (part.end is not None and part.end <= activity.end)
    for activity, shown in zip(found.activities, evidence, strict=True):
        assert found.ended_ts is None or activity.end is not None or shown.taken_ms is not None


def accepted_by_the_gate(log: list[EventRow]) -> list[EventRow]:
    return [e for e in log if e.type in CATALOG and (e.user_id or "user" not in CATALOG[e.type].needs)]


@given(LOG.map(accepted_by_the_gate))
def test_open_work_is_that_of_the_life_cycle(log: list[EventRow]) -> None:
    (found, evidence), state = fold_with_evidence(log), fold_events(log)
    assert (found.ended_ts is None) == state.is_open
    lives = {activity.user_id for activity in found.activities if activity.end is None}
    taken = {
        activity.user_id
        for activity, shown in zip(found.activities, evidence, strict=True)
        if shown.taken_ms is not None
    }
    assert lives - taken == {*state.users_at_work(), *state.rings_at()} - taken
