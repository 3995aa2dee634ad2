"""Identities of the statistics, for any stretches whatever."""

from __future__ import annotations

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from dashboard import clock
from dashboard.clock import Span
from dashboard.tracing.statistics import Figures, figures
from dashboard.tracing.types import IntervalRow, Kind

HOUR = Span(0, 3600)
LATER = 10_000_000_000
POINT = st.integers(-1000, 5000)
CHANNELS = st.sampled_from(["call", "dialled", "email", "webchat", "line", "ticket"])
ROW = st.builds(
    IntervalRow,
    kind=st.sampled_from(list(Kind)),
    start=POINT,
    end=st.one_of(st.none(), POINT),
    channel=CHANNELS,
    activity_id=st.integers(1, 5),
    source_id=st.integers(1, 2),
    label=st.sampled_from(["", "a", "b"]),
    paid=st.booleans(),
    inferred=st.booleans(),
    reported_s=st.one_of(st.none(), st.integers(0, 99)),
)
DAYS = st.lists(ROW, max_size=16)
NUMBERS = (
    "login",
    "ready",
    "not_ready",
    "busy",
    "ringing",
    "free",
    "offline",
    "work_in_pause",
    "work_logged_out",
)


def sums(found: Figures) -> dict[str, int]:
    """Every figure that adds up over adjacent periods."""
    flat = {name: getattr(found, name) for name in NUMBERS}
    works = {"calls": found.calls, "dialled": found.dialled, "emails": found.emails, "chats": found.chats}
    for name, work in {**works, **found.chat_channels}.items():
        for part in ("handling", "load", "closed", "talk", "hold"):
            flat[f"{name} {part}"] = getattr(work, part)
    flat |= {"paid": found.pause.paid, "unpaid": found.pause.unpaid, "reported": found.login_reported or 0}
    for one in found.pause.types:
        flat[f"pause {one.label} {one.paid} s"] = one.seconds
        flat[f"pause {one.label} {one.paid} n"] = one.count
    return {name: value for name, value in flat.items() if value}


@given(DAYS, st.integers(-100, 4000), st.booleans(), st.dictionaries(st.just(1), POINT))
def test_identities_hold_for_any_data(
    rows: list[IntervalRow], as_of: int, never: bool, horizons: dict[int, int]
) -> None:
    found = figures(rows, (), HOUR, as_of, horizons, never)
    elapsed = max(0, min(HOUR.end, as_of) - HOUR.start)
    assert found.login == found.ready + found.pause.total + found.not_ready
    assert found.ready == found.busy + found.ringing + found.free
    assert (
        found.pause.total
        == found.pause.paid + found.pause.unpaid
        == sum(t.seconds for t in found.pause.types)
    )
    assert found.login + found.offline == elapsed
    for work in (found.calls, found.dialled, found.emails, found.chats, *found.chat_channels.values()):
        assert 0 <= work.handling <= min(work.load, elapsed)
        assert max(work.talk, work.hold) <= elapsed
    assert all(value >= 0 for value in sums(found).values())
    assert found.not_ready >= 0
    assert found.occupancy is None or 0 <= found.occupancy <= 1
    assert found.utilisation is None or 0 <= found.utilisation <= 1
    assert figures(rows[::-1], (), HOUR, as_of, horizons, never) == found


@given(DAYS, st.integers(1, 3599), st.integers(-100, 4000), st.booleans())
def test_adjacent_periods_add_up(rows: list[IntervalRow], cut: int, as_of: int, never: bool) -> None:
    employed = (500, 3000)
    whole, left, right = (
        sums(figures(rows, (), span, as_of, {2: 2000}, never, employed))
        for span in (HOUR, Span(0, cut), Span(cut, 3600))
    )
    names = {*left, *right}
    assert {name: left.get(name, 0) + right.get(name, 0) for name in names} == whole


@given(DAYS)
def test_hours_add_up_to_their_whole(rows: list[IntervalRow]) -> None:
    day = clock.day(date(2025, 10, 26), "Europe/Prague")
    ends = [None if one.end is None else one.end * 20 + day.start for one in rows]
    moved = [
        one._replace(start=one.start * 20 + day.start, end=end) for one, end in zip(rows, ends, strict=True)
    ]
    slots = clock.hours(day, "Europe/Prague")
    parts = [sums(figures(moved, (), Span(slot.start, slot.end), LATER)) for slot in slots]
    assert len(parts) == 25
    whole = sums(figures(moved, (), day, LATER))
    for name in ("login", "ready", "busy", "calls load", "chats handling", "offline"):
        assert sum(part.get(name, 0) for part in parts) == whole.get(name, 0)
