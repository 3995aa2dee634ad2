"""Login, ready and pause: each case is a list of events and the stretches they make."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.tracing.presence import Presence, fold_presence, unfold
from dashboard.tracing.types import EventRow, Kind

PAID = {"Training": True, "Lunch": False}
L, R, P = Kind.LOGIN, Kind.READY, Kind.PAUSE


def event(at: int, verb: str, queue: int | None = None, name: str = "", **data: Any) -> EventRow:
    return EventRow(0, at * 1000, 0, f"agent.{verb}", 1, name or f"{at}{verb}{queue}", 7, queue, None, data)


def fold(*events: EventRow) -> list[tuple[Any, ...]]:
    """Return (kind, key, start, end, label, inferred) of each stretch."""
    rows = fold_presence([], events, PAID)
    return [(row.kind, row.key, row.start, row.end, row.label, row.inferred) for row in rows]


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        pytest.param([event(1, "signed_in")], [(L, "", 1, None, "", False)], id="open stays open"),
        pytest.param(
            [event(1, "signed_in"), event(3, "signed_in"), event(9, "signed_out")],
            [(L, "", 1, 9, "", False)],
            id="a second sign-in does not restart",
        ),
        pytest.param(
            [event(1, "signed_in", device="a"), event(2, "signed_in", device="b"), event(5, "signed_out")],
            [(L, "a", 1, 5, "", False), (L, "b", 2, 5, "", False)],
            id="sign-out without a device ends all",
        ),
        pytest.param(
            [event(1, "signed_in"), event(2, "signed_in", device="b"), event(5, "signed_out", device="c")],
            [(L, "", 1, 5, "", False), (L, "b", 2, None, "", False)],
            id="an unknown device ends the nameless login",
        ),
        pytest.param(
            [event(1, "signed_in", device="b"), event(5, "signed_out", device="c")],
            [(L, "b", 1, None, "", False)],
            id="an unknown device ends no other",
        ),
        pytest.param([event(9, "signed_out")], [], id="a stray sign-out is ignored"),
        pytest.param(
            [event(90, "signed_out", login_s=60)],
            [(L, "", 30, 90, "", True)],
            id="a sign-out alone counts its login back",
        ),
        pytest.param(
            [event(1, "signed_in"), event(2, "ready"), event(3, "ready", 5), event(9, "signed_out")],
            [(L, "", 1, 9, "", False), (R, "", 2, 9, "", True), (R, "5", 3, None, "", False)],
            id="the last sign-out ends ready but not membership of queues",
        ),
        pytest.param(
            [event(1, "signed_in"), event(2, "ready"), event(9, "signed_out"), event(12, "not_ready")],
            [(L, "", 1, 9, "", False), (R, "", 2, 9, "", True)],
            id="a later end of what ended with the login is a stray",
        ),
        pytest.param(
            [event(2, "ready"), event(9, "signed_out"), event(12, "not_ready")],
            [(R, "", 2, 12, "", False)],
            id="a sign-out that ends no login ends nothing",
        ),
        pytest.param(
            [event(1, "ready", 5), event(2, "ready", 6), event(4, "not_ready", 5), event(9, "not_ready")],
            [(R, "5", 1, 4, "", False), (R, "6", 2, 9, "", False)],
            id="not ready without a queue ends all",
        ),
        pytest.param(
            [event(1, "pause_started", pause="Lunch"), event(4, "pause_started", pause="Training")],
            [(P, "", 1, 4, "Lunch", False), (P, "", 4, None, "Training", False)],
            id="another reason makes two pauses",
        ),
        pytest.param(
            [event(1, "pause_started", pause="Lunch"), event(4, "pause_started"), event(6, "pause_ended")],
            [(P, "", 1, 6, "Lunch", False)],
            id="the same or no reason does not restart",
        ),
        pytest.param([event(1, "pause_ended"), event(2, "not_ready", 5)], [], id="stray ends are ignored"),
        pytest.param(
            [event(1, "pause_started"), event(5, "pause_ended"), event(5, "pause_started", pause="Lunch")],
            [(P, "", 1, 5, "", False), (P, "", 5, None, "Lunch", False)],
            id="of one instant the end comes first",
        ),
        pytest.param(
            [event(5, "pause_started"), event(5, "pause_ended")],
            [(P, "", 5, 5, "", False)],
            id="of one instant an end with nothing open follows its beginning",
        ),
    ],
)
def test_events_make_stretches(events: list[EventRow], expected: list[tuple[Any, ...]]) -> None:
    assert fold(*events) == expected
    assert fold(*reversed(events)) == expected


@pytest.mark.parametrize(
    ("data", "paid"),
    [
        pytest.param({"pause": "Training"}, True, id="as the pause type says"),
        pytest.param({"pause": "Training", "paid": False}, False, id="the event wins"),
        pytest.param({"pause": "Training", "paid": "no"}, True, id="what is no truth value is passed over"),
        pytest.param({"pause": "Nap"}, False, id="unknown is unpaid"),
    ],
)
def test_whether_a_pause_is_paid(data: dict[str, Any], paid: bool) -> None:
    (row,) = fold_presence([], [event(1, "pause_started", **data)], PAID)
    assert row.paid is paid


def test_the_reported_length_is_kept_beside_the_measured_one() -> None:
    (row,) = fold_presence([], [event(10, "signed_in"), event(70, "signed_out", login_s=61)], {})
    assert (row.end, row.reported_s, row.opened_ms, row.closed_ms) == (70, 61, 10_000, 70_000)


VERBS = ("signed_in", "signed_out", "ready", "not_ready", "pause_started", "pause_ended")
DATA: st.SearchStrategy[dict[str, Any]] = st.sampled_from(
    [{}, {"device": "a"}, {"device": "b"}, {"pause": "Lunch"}, {"pause": "Training"}, {"login_s": 3}]
)
LOG = st.lists(
    st.tuples(st.integers(0, 15), st.sampled_from(VERBS), st.sampled_from([None, 5, 6]), DATA), max_size=14
).map(lambda log: [event(t, verb, q, str(n), **data) for n, (t, verb, q, data) in enumerate(log)])


def told(rows: list[Presence]) -> list[Presence]:
    return sorted((row._replace(id=None) for row in rows), key=repr)


@given(LOG, st.integers(0, 16))
def test_a_day_folded_in_two_parts_is_the_day_folded_whole(log: list[EventRow], cut: int) -> None:
    early = [one for one in log if one.time_ms < cut * 1000]
    first = fold_presence([], early, PAID)
    closed = [row for row in first if row.closed_ms is not None]
    still_open = [row for row in first if row.closed_ms is None]
    second = fold_presence(still_open, [one for one in log if one not in early], PAID)
    assert told(closed + second) == told(fold_presence([], log, PAID))


@given(LOG, st.randoms(use_true_random=False))
def test_events_in_any_order_of_arrival_make_the_same_day(log: list[EventRow], chance: Any) -> None:
    arriving = chance.sample(log, len(log))
    stored: list[Presence] = []
    known: list[EventRow] = []
    for number, one in enumerate(arriving):
        known.append(one)
        kept, still_open, gone = unfold(stored, one.time_ms)
        assert set(gone) == {row.id for row in stored if row.opened_ms >= one.time_ms}
        later = [other for other in known if other.time_ms >= one.time_ms]
        rows = kept + fold_presence(still_open, later, PAID)
        stored = [row._replace(id=number * 100 + place) for place, row in enumerate(rows)]
    assert told(stored) == told(fold_presence([], log, PAID))


@given(LOG)
def test_no_stretch_ends_before_it_starts_and_streams_do_not_overlap(log: list[EventRow]) -> None:
    rows = fold_presence([], log, PAID)
    assert all(row.end is None or row.start <= row.end for row in rows)
    streams: dict[tuple[int, str], int] = {}
    for row in rows:
        if not row.inferred:
            assert streams.get((row.kind, row.key), 0) <= row.start
            streams[row.kind, row.key] = 10**9 if row.end is None else row.end
