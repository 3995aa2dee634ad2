"""Time in state adds up to the statistics of a day, and no layer of it holds more than its time."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from dashboard.clock import Span
from dashboard.intervals import load, union
from dashboard.tracing.made.time_in_state import of_user
from dashboard.tracing.statistics import figures
from dashboard.tracing.types import IntervalRow
from tests.tracing.test_statistics_identities import DAYS, HOUR


@given(DAYS, st.integers(-100, 4000), st.booleans())
def test_stretches_add_up_to_the_statistics(rows: list[IntervalRow], as_of: int, never: bool) -> None:
    employed = Span(500, 3000)
    day = figures(rows, (), HOUR, as_of, {}, never, employed)
    found = of_user(rows, HOUR, as_of, never, employed)
    sums: Counter[str] = Counter()
    for each in found:
        sums[each.state] += each.seconds
    assert (sums["signed_in"], sums["signed_out"]) == (day.login, day.offline)
    assert (sums["ready"], sums["not_ready"], sums["pause"]) == (day.ready, day.not_ready, day.pause.total)
    assert (sums["busy"], sums["ringing"], sums["free"]) == (day.busy, day.ringing, day.free)
    assert (sums["busy_in_pause"], sums["busy_signed_out"]) == (day.work_in_pause, day.work_logged_out)
    pauses: Counter[tuple[str, int | None]] = Counter()
    for each in found:
        if each.state == "pause":
            pauses[each.pause, each.paid] += each.seconds
    assert pauses == {(one.label, int(one.paid)): one.seconds for one in day.pause.types if one.seconds}
    for layer in ("attendance", "state", "work"):
        pairs = [(each.start, each.end) for each in found if each.layer == layer]
        assert load(union(pairs)) == load(pairs) <= max(0, min(HOUR.seconds, as_of))
        assert all(HOUR.start <= start < end for start, end in pairs)
