"""The algebra holds for any stretches, checked against plain sets of points."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.intervals import Pair, clip, intersect, load, measure, subtract, union

POINT = st.integers(-20, 40)
PAIRS = st.lists(st.tuples(POINT, POINT), max_size=8)


def points(pairs: list[Pair]) -> set[int]:
    return {point for start, end in pairs for point in range(start, end)}


@pytest.mark.parametrize(
    ("pairs", "expected"),
    [
        pytest.param([], [], id="nothing"),
        pytest.param([(5, 9), (1, 3)], [(1, 3), (5, 9)], id="sorted"),
        pytest.param([(1, 5), (3, 8)], [(1, 8)], id="overlapping are one"),
        pytest.param([(1, 3), (3, 5)], [(1, 5)], id="touching are one"),
        pytest.param([(1, 9), (2, 3)], [(1, 9)], id="inner is swallowed"),
        pytest.param([(4, 4), (6, 5)], [], id="empty and backward are nothing"),
    ],
)
def test_union(pairs: list[Pair], expected: list[Pair]) -> None:
    assert union(pairs) == expected


def test_clip_keeps_order_and_overlap() -> None:
    assert clip([(8, 30), (0, 9), (2, 4), (10, 12)], 3, 10) == [(8, 10), (3, 9), (3, 4)]


@given(PAIRS)
def test_union_is_the_same_points_in_disjoint_order(pairs: list[Pair]) -> None:
    merged = union(pairs)
    assert points(merged) == points(pairs)
    assert all(a[1] < b[0] for a, b in pairwise(merged))
    assert measure(pairs) == len(points(pairs)) <= load(pairs)


@given(PAIRS, PAIRS)
def test_intersection_and_difference_are_the_parts_of_the_whole(a: list[Pair], b: list[Pair]) -> None:
    common, rest = intersect(a, b), subtract(a, b)
    assert points(common) == points(a) & points(b)
    assert points(rest) == points(a) - points(b)
    assert union(common + rest) == union(a)
    assert measure(common) + measure(rest) == measure(a)
    assert intersect(b, a) == common == union(common)
    assert rest == union(rest)


@given(PAIRS, POINT, POINT, POINT)
def test_adjacent_clips_add_up(pairs: list[Pair], a: int, b: int, c: int) -> None:
    start, middle, end = sorted((a, b, c))
    whole, left, right = (clip(pairs, *span) for span in ((start, end), (start, middle), (middle, end)))
    assert load(left) + load(right) == load(whole)
    assert measure(left) + measure(right) == measure(whole)
