"""How often: maximum frequency with what was held back, counts with crossings and hysteresis."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.rulelang.rate_limits import (
    BREAKER_RUNS,
    PERIODS,
    By,
    Decision,
    Level,
    Limit,
    LimitState,
    Often,
    Times,
    Window,
    breaks,
    count,
    cross,
    episode_key,
    limit_key,
    take,
)
from tests.rulelang.make import event

HOUR = Limit(Often.PERIOD, seconds=3600)


def decisions(limit: Limit, instants: list[tuple[int, str]]) -> list[Decision]:
    state, results = None, []
    for now_ts, episode in instants:
        results.append(take(limit, state, now_ts, episode))
        state = results[-1].after
    return results


CASES = [
    ("every time", Limit(), [(0, ""), (0, "")], [True, True]),
    ("once per subject", Limit(Often.ONCE), [(0, ""), (10**9, "")], [True, False]),
    ("once an hour", HOUR, [(0, ""), (3599, ""), (3600, "")], [True, False, True]),
    (
        "once per episode, twice on one day",
        Limit(Often.EPISODE),
        [(0, "status:1"), (5, "status:1"), (9, "status:2")],
        [True, False, True],
    ),
    (
        "again after it was reopened",
        Limit(Often.EPISODE),
        [(0, "open:1"), (5, "open:2"), (9, "open:2")],
        [True, True, False],
    ),
]


@pytest.mark.parametrize(
    ("limit", "instants", "expected"), [row[1:] for row in CASES], ids=[row[0] for row in CASES]
)
def test_an_action_is_allowed_within_its_limit(
    limit: Limit, instants: list[tuple[int, str]], expected: list[bool]
) -> None:
    assert [decision.allowed for decision in decisions(limit, instants)] == expected


def test_suppressed_actions_are_counted_since_the_first_one() -> None:
    state = take(HOUR, None, 0).after
    for now_ts in (10, 20, 30):
        state = take(HOUR, state, now_ts).after
    assert state == LimitState(3600, "", 3, 10)
    assert take(HOUR, state, 4000) == Decision(True, LimitState(7600))


@given(st.sampled_from(PERIODS), st.lists(st.integers(0, 90 * 86400), min_size=1, max_size=30))
def test_allowed_actions_lie_a_period_apart_and_the_suppressed_ones_since_are_counted(
    seconds: int, instants: list[int]
) -> None:
    instants.sort()
    found = decisions(Limit(Often.PERIOD, seconds=seconds), [(ts, "") for ts in instants])
    done = [n for n, decision in enumerate(found) if decision.allowed]
    assert all(instants[later] - instants[earlier] >= seconds for earlier, later in pairwise(done))
    state = found[-1].after
    assert state is not None
    assert state.suppressed == len(instants) - 1 - done[-1]


KEYS = [
    (By.SUBJECT, {"interaction": "c-1", "source": 2, "user": 5}, "", "interaction:2:c-1"),
    (By.SUBJECT, {"user": 5, "queue": 3}, "", "user:5"),
    (By.SUBJECT, {}, "", "rule:9"),
    (By.CONTACT, {"contact": {"phone": "+420", "name": "Jan"}}, "", "contact.phone:+420"),
    (By.CONTACT, {"user": 5}, "", "rule:9"),
    (By.AGENT, {"user": 5, "interaction": "c-1"}, "", "user:5"),
    (By.RECIPIENT, {}, "a@b.cz", "recipient:a@b.cz"),
    (By.RECIPIENT, {}, "", "rule:9"),
    (By.RULE, {"user": 5}, "", "rule:9"),
]


@pytest.mark.parametrize(("by", "parts", "recipient", "key"), KEYS)
def test_a_limit_is_kept_for(by: By, parts: dict[str, object], recipient: str, key: str) -> None:
    assert limit_key(by, 9, event(**parts), recipient) == key


def test_an_episode_is_named_by_its_state_and_its_beginning() -> None:
    assert episode_key("status", 1772438400) == "status:1772438400"


def crossings(times: Times, instants: list[int]) -> list[int]:
    window, found = Window(), []
    for ts in instants:
        counted = count(times, window, ts)
        window = counted.after
        if counted.crossed:
            found.append(ts)
    return found


COUNTS = [
    ("three within ten minutes", Times(3, 600), [0, 300, 599], [599]),
    ("exactly ten minutes apart do not meet", Times(3, 600), [0, 300, 600], []),
    ("it comes true once, not for each further one", Times(3, 600), [0, 1, 2, 3, 4], [2]),
    ("again after the window was empty", Times(2, 600), [0, 1, 5000, 5001], [1, 5001]),
    ("not again while it stays above clear", Times(3, 600, clear=1), [0, 1, 2, 300, 601, 602], [2]),
    ("again once it fell to clear", Times(3, 600, clear=1), [0, 1, 500, 1050, 1051], [500, 1051]),
    ("a late event counts at its own time", Times(3, 600), [100, 500, 300], [300]),
    ("a very late event counts for nothing", Times(2, 600), [5000, 10], []),
    ("once is at once", Times(1, 600), [0, 10, 700], [0, 700]),
]


@pytest.mark.parametrize(
    ("times", "instants", "found"), [row[1:] for row in COUNTS], ids=[row[0] for row in COUNTS]
)
def test_n_times_within_m_minutes(times: Times, instants: list[int], found: list[int]) -> None:
    assert crossings(times, instants) == found


def test_crossings_are_numbered_for_their_episodes() -> None:
    window = Window()
    for ts in (0, 1, 5000, 5001):
        window = count(Times(2, 600), window, ts).after
    assert (window.crossing, episode_key("count", window.crossing)) == (2, "count:2")


@given(st.integers(1, 5), st.integers(1, 50), st.lists(st.integers(0, 100), max_size=15), st.randoms())
def test_the_instants_kept_do_not_depend_on_the_order(
    n: int, seconds: int, instants: list[int], random: object
) -> None:
    mixed = list(instants)
    random.shuffle(mixed)  # type: ignore[attr-defined]

    def kept(order: list[int]) -> tuple[int, ...]:
        window = Window()
        for ts in order:
            window = count(Times(n, seconds), window, ts).after
        return window.seen

    newest = max(instants, default=0)
    expected = [ts for ts in sorted(instants) if ts > newest - seconds][-n:]
    assert kept(instants) == kept(mixed) == tuple(expected)


@given(st.integers(1, 5), st.integers(1, 50), st.lists(st.integers(0, 200), max_size=20))
def test_a_count_comes_true_only_where_so_many_lie_together(
    n: int, seconds: int, instants: list[int]
) -> None:
    instants.sort()
    for ts in crossings(Times(n, seconds), instants):
        assert sum(ts - seconds < each <= ts for each in instants) >= n


def test_a_kept_count_crosses_upwards_and_again_only_after_it_was_clear() -> None:
    level, found = Level(), []
    for value in (4, 5, 6, 5, 4, 5, 3, 5):
        crossed, level = cross(level, value, threshold=5, clear=3)
        found.append(crossed)
    assert found == [False, True, False, False, False, False, False, True]
    assert level.crossing == 2


def test_the_breaker_lets_twenty_runs_an_hour_pass() -> None:
    window, found = Window(), []
    for ts in range(BREAKER_RUNS + 2):
        counted = breaks(window, ts)
        window = counted.after
        found.append(counted.crossed)
    assert found == [False] * BREAKER_RUNS + [True, False]
