"""Activities of one interaction: each case is a list of events and the activities they make."""

from __future__ import annotations

from typing import Any

import pytest

from dashboard.tracing.fold import fold_interaction
from dashboard.tracing.types import EventRow, Kind, State
from tests.tracing.log import JANA, PETR, event

RING, WORK, TALK, HOLD = Kind.RINGING, Kind.HANDLING, Kind.TALK, Kind.HOLD


def works(*events: EventRow) -> list[tuple[Any, ...]]:
    """Return (user, n, state, closed, inferred, segments as (kind, start, end)) of each activity."""
    return [
        (a.user_id, a.n, a.state, a.closed, a.inferred, [tuple(part[:3]) for part in a.segments])
        for a in fold_interaction(events).activities
    ]


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
                (JANA, 0, State.ANSWERED_ELSEWHERE, None, True, [(RING, 5, 8)]),
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
                (JANA, 0, State.TRANSFERRED, None, True, [(WORK, 10, 20)]),
                (PETR, 0, State.OPEN, None, False, [(WORK, 21, None)]),
            ],
            id="a close after the transfer leaves the successor at work and is doubtful",
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
