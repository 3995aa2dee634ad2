"""One interaction: each case is a list of events and the activities they make."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.tracing.fold import FoldedActivity, FoldedInteraction, fold_interaction
from dashboard.tracing.types import EventRow, Kind, State
from dashboard.tracing.verbs import VERBS

JANA, PETR = 1, 2
RING, WORK, TALK, HOLD = Kind.RINGING, Kind.HANDLING, Kind.TALK, Kind.HOLD


def event(at: float, kind: str, user: int | None = None, queue: int | None = None, **data: Any) -> EventRow:
    return EventRow(0, int(at * 1000), 0, kind, 1, f"{at}{kind}{user}", user, queue, None, data)


def works(*events: EventRow) -> list[tuple[Any, ...]]:
    """Return (user, n, state, closed, inferred, segments as (kind, start, end)) of each activity."""
    return [
        (a.user_id, a.n, a.state, a.closed, a.inferred, [tuple(part[:3]) for part in a.segments])
        for a in fold_interaction(events).activities
    ]


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
    segments = ((RING, 5, 10, False), (WORK, 10, 70, False), (TALK, 12, 60, False), (HOLD, 20, 25, False))
    activity = FoldedActivity(
        user_id=JANA, n=0, channel="call", direction="in", state=State.CLOSED, queue_id=3, contact_id=None,
        title="Invoice", start=5, end=70, closed=70, ringing_s=5, handling_s=60, talk_s=48, hold_s=5,
        inferred=False, segments=segments,
    )  # fmt: skip
    assert found == FoldedInteraction(
        channel="call", direction="in", queue_id=3, contact_id=None, first_ms=0, queued_ts=0, answered_ts=10,
        ended_ts=70, wait_s=10, talk_s=48, outcome="answered", reason="customer", activities=(activity,),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        pytest.param(
            [event(5, "call.offered", JANA)],
            [(JANA, 0, State.RINGING, None, False, [(RING, 5, None)])],
            id="ringing stays open",
        ),
        pytest.param(
            [event(5, "call.accepted", JANA), event(6, "call.connected", JANA)],
            [(JANA, 0, State.OPEN, None, False, [(WORK, 5, None), (TALK, 6, None)])],
            id="work stays open",
        ),
        pytest.param(
            [event(5, "call.offered", JANA), event(9, "call.rejected", JANA)],
            [(JANA, 0, State.REJECTED, None, False, [(RING, 5, 9)])],
            id="rejected",
        ),
        pytest.param(
            [event(20, "call.ignored", JANA, ring_ms=15_900)],
            [(JANA, 0, State.MISSED, None, False, [(RING, 5, 20)])],
            id="ignored, with the length of the ringing alone",
        ),
        pytest.param(
            [event(5, "call.offered", JANA), event(9, "call.withdrawn")],
            [(JANA, 0, State.MISSED, None, False, [(RING, 5, 9)])],
            id="the caller gave up while it rang",
        ),
        pytest.param(
            [event(5, "call.offered", JANA), event(9, "call.abandoned", wait_s=9)],
            [(JANA, 0, State.MISSED, None, False, [(RING, 5, 9)])],
            id="abandoned while it rang",
        ),
        pytest.param(
            [event(9, "call.missed", JANA, ring_s=4)],
            [(JANA, 0, State.MISSED, None, False, [(RING, 5, 9)])],
            id="missed by the one it was for",
        ),
        pytest.param(
            [
                event(5, "call.offered", JANA),
                event(9, "call.ignored", JANA),
                event(20, "call.offered", JANA),
                event(22, "call.accepted", JANA),
                event(30, "call.closed", JANA),
            ],
            [(JANA, 0, State.CLOSED, 30, False, [(RING, 5, 9), (RING, 20, 22), (WORK, 22, 30)])],
            id="a missed ring and the answer are one activity",
        ),
        pytest.param(
            [
                event(5, "call.offered", JANA),
                event(5, "call.offered", PETR),
                event(8, "call.accepted", PETR),
            ],
            [
                (JANA, 0, State.MISSED, None, True, [(RING, 5, 8)]),
                (PETR, 0, State.OPEN, None, False, [(RING, 5, 8), (WORK, 8, None)]),
            ],
            id="an answer stops the other phones",
        ),
        pytest.param(
            [
                event(5, "call.offered", JANA),
                event(8, "call.accepted", PETR),
                event(9, "call.withdrawn", JANA),
            ],
            [
                (JANA, 0, State.MISSED, None, False, [(RING, 5, 9)]),
                (PETR, 0, State.OPEN, None, False, [(WORK, 8, None)]),
            ],
            id="a reported end of ringing replaces the concluded one",
        ),
        pytest.param(
            [
                event(10, "call.accepted", JANA, ring_s=3, connected=True),
                event(50, "call.closed", JANA, talk_s=30),
            ],
            [(JANA, 0, State.CLOSED, 50, False, [(RING, 7, 10), (WORK, 10, 50), (TALK, 20, 50)])],
            id="the reported talk replaces the folded one",
        ),
        pytest.param(
            [event(10, "call.accepted", JANA), event(50, "call.closed", JANA, talk_s=45)],
            [(JANA, 0, State.CLOSED, 50, False, [(WORK, 5, 50), (TALK, 5, 50)])],
            id="handling starts no later than the reported talk",
        ),
        pytest.param(
            [event(50, "call.closed", JANA, talk_s=30)],
            [(JANA, 0, State.CLOSED, 50, True, [(WORK, 20, 50), (TALK, 20, 50)])],
            id="a close alone makes the talk's time",
        ),
        pytest.param(
            [event(50, "call.closed", JANA, talk_s=-3), event(40, "call.accepted", JANA, ring_s="9")],
            [(JANA, 0, State.CLOSED, 50, False, [(WORK, 40, 50)])],
            id="lengths that make no sense are passed over",
        ),
        pytest.param(
            [
                event(10, "chat.accepted", JANA),
                event(20, "chat.postponed", JANA),
                event(40, "chat.reopened", JANA),
                event(50, "chat.closed", JANA),
            ],
            [(JANA, 0, State.CLOSED, 50, False, [(WORK, 10, 20), (WORK, 40, 50)])],
            id="postponed time is no handling",
        ),
        pytest.param(
            [event(10, "chat.accepted", JANA), event(20, "chat.postponed", JANA)],
            [(JANA, 0, State.POSTPONED, None, False, [(WORK, 10, 20)])],
            id="postponed is not over",
        ),
        pytest.param(
            [
                event(10, "email.accepted", JANA),
                event(20, "email.closed", JANA),
                event(30, "email.reopened", JANA),
            ],
            [(JANA, 0, State.OPEN, None, False, [(WORK, 10, 20), (WORK, 30, None)])],
            id="what is reopened is no longer closed",
        ),
        pytest.param(
            [
                event(10, "call.accepted", JANA),
                event(20, "call.transferred", JANA, to_user="petr"),
                event(20, "call.offered", PETR),
                event(25, "call.accepted", PETR),
                event(30, "call.transferred", PETR),
                event(32, "call.accepted", JANA),
                event(40, "call.closed", JANA),
            ],
            [
                (JANA, 0, State.TRANSFERRED, None, False, [(WORK, 10, 20)]),
                (PETR, 0, State.TRANSFERRED, None, False, [(RING, 20, 25), (WORK, 25, 30)]),
                (JANA, 1, State.CLOSED, 40, False, [(WORK, 32, 40)]),
            ],
            id="there and back again is a second stint",
        ),
        pytest.param(
            [
                event(10, "call.accepted", JANA),
                event(20, "call.accepted", PETR),
                event(30, "call.closed", JANA),
            ],
            [
                (JANA, 0, State.CLOSED, 30, False, [(WORK, 10, 30)]),
                (PETR, 0, State.CLOSED, None, True, [(WORK, 20, 30)]),
            ],
            id="a close ends the others' work, counted for none of them",
        ),
        pytest.param(
            [
                event(10, "call.accepted", JANA),
                event(20, "call.accepted", PETR),
                event(30, "call.closed", JANA),
                event(40, "call.disconnected", PETR),
            ],
            [
                (JANA, 0, State.CLOSED, 30, False, [(WORK, 10, 30)]),
                (PETR, 0, State.CLOSED, None, True, [(WORK, 20, 40)]),
            ],
            id="a concluded end is no earlier than the last sign of life",
        ),
        pytest.param(
            [
                event(10, "call.accepted", JANA),
                event(20, "call.accepted", PETR),
                event(30, "call.closed", JANA),
                event(45, "call.closed", PETR),
            ],
            [
                (JANA, 0, State.CLOSED, 30, False, [(WORK, 10, 30)]),
                (PETR, 0, State.CLOSED, 45, False, [(WORK, 20, 45)]),
            ],
            id="a later real end replaces the concluded one",
        ),
        pytest.param(
            [
                event(10, "call.accepted", JANA),
                event(20, "call.transferred", JANA),
                event(21, "call.accepted", PETR),
                event(22, "call.closed", JANA),
            ],
            [
                (JANA, 0, State.TRANSFERRED, None, False, [(WORK, 10, 20)]),
                (PETR, 0, State.OPEN, None, False, [(WORK, 21, None)]),
            ],
            id="a close after the transfer leaves the successor at work",
        ),
        pytest.param(
            [event(10, "call.accepted", JANA), event(30, "call.closed")],
            [(JANA, 0, State.CLOSED, 30, True, [(WORK, 10, 30)])],
            id="a close by nobody counts for the only one at work",
        ),
        pytest.param(
            [event(10, "call.accepted", JANA), event(10, "call.accepted", PETR), event(30, "call.closed")],
            [
                (JANA, 0, State.CLOSED, None, True, [(WORK, 10, 30)]),
                (PETR, 0, State.CLOSED, None, True, [(WORK, 10, 30)]),
            ],
            id="a close by nobody counts for none of two",
        ),
        pytest.param(
            [event(10, "call.connected", JANA), event(30, "call.closed", JANA)],
            [(JANA, 0, State.CLOSED, 30, True, [(WORK, 10, 30), (TALK, 10, 30)])],
            id="talk without acceptance begins the work",
        ),
        pytest.param(
            [
                event(10, "call.dialled", JANA),
                event(20, "call.unreached", JANA),
                event(30, "call.dialled", JANA),
                event(33, "call.connected", JANA),
                event(40, "call.closed", JANA),
            ],
            [
                (JANA, 0, State.MISSED, None, False, [(WORK, 10, 20)]),
                (JANA, 1, State.CLOSED, 40, False, [(WORK, 30, 40), (TALK, 33, 40)]),
            ],
            id="each dialling is an attempt",
        ),
        pytest.param(
            [
                event(60, "ticket.updated", JANA, seconds=20),
                event(70, "ticket.closed", JANA),
                event(80, "ticket.reopened", PETR),
                event(90, "ticket.updated"),
            ],
            [
                (JANA, 0, State.EDITED, 60, False, [(WORK, 40, 60)]),
                (JANA, 1, State.CLOSED, 70, False, [(WORK, 70, 70)]),
                (PETR, 0, State.EDITED, 80, False, [(WORK, 80, 80)]),
            ],
            id="each edit of a ticket is an activity of its own",
        ),
        pytest.param(
            [event(10, "call.closed", JANA), event(15, "call.accepted", JANA), event(16, "call.held", JANA)],
            [(JANA, 0, State.CLOSED, 10, True, [(WORK, 15, 15), (HOLD, 16, 16)])],
            id="end before start is no time, marked",
        ),
        pytest.param(
            [
                event(10, "call.accepted", JANA),
                event(10, "call.connected", JANA),
                event(10, "call.disconnected", JANA),
                event(10, "call.closed", JANA),
            ],
            [(JANA, 0, State.CLOSED, 10, False, [(WORK, 10, 10), (TALK, 10, 10)])],
            id="a life within one instant",
        ),
        pytest.param(
            [
                event(5, "call.offered", JANA),
                event(10, "call.ignored", JANA),
                event(10, "call.offered", JANA),
            ],
            [(JANA, 0, State.RINGING, None, False, [(RING, 5, 10), (RING, 10, None)])],
            id="of one instant the end of ringing precedes the next ringing",
        ),
        pytest.param(
            [
                event(10, "chat.accepted", JANA),
                event(12, "call.accepted", JANA),
                event(20, "chat.closed", JANA),
            ],
            [
                (JANA, 0, State.CLOSED, 20, False, [(WORK, 10, 20)]),
                (JANA, 1, State.OPEN, None, False, [(WORK, 12, None)]),
            ],
            id="a call out of a chat is work of its own",
        ),
        pytest.param(
            [
                event(9, "call.disconnected", JANA),
                event(9, "call.resumed", JANA),
                event(9, "custom.thing", JANA),
            ],
            [],
            id="strays and other types do nothing",
        ),
    ],
)
def test_events_make_activities(events: list[EventRow], expected: list[tuple[Any, ...]]) -> None:
    assert works(*events) == expected
    assert works(*reversed(events)) == expected


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
    found = fold_interaction(log)
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
    assert (found.ended_ts is None) or all(activity.end is not None for activity in found.activities)
