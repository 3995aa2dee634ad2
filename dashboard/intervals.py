"""Set operations on half-open intervals [start, end) of integers. Pure.

Arguments are iterables of (start, end) pairs in any order, which may overlap. Pairs with end <= start are
empty and ignored. A *set* is the result of `union`: sorted pairs that neither overlap nor touch. All
functions are linear except for sorting.
"""

from __future__ import annotations

from collections.abc import Iterable

Pair = tuple[int, int]


def union(pairs: Iterable[Pair]) -> list[Pair]:
    """Return the set of the points in any of the pairs."""
    merged: list[Pair] = []
    last_start, last_end = 0, None
    for start, end in sorted(pairs):
        if end <= start:
            continue
        if last_end is None:
            last_start, last_end = start, end
        elif start <= last_end:
            last_end = max(last_end, end)
        else:
            merged.append((last_start, last_end))
            last_start, last_end = start, end
    if last_end is not None:
        merged.append((last_start, last_end))
    return merged


def intersect(left: Iterable[Pair], right: Iterable[Pair]) -> list[Pair]:
    """Return the set of the points in both `left` and `right`."""
    a, b = union(left), union(right)
    common: list[Pair] = []
    i = j = 0
    while i < len(a) and j < len(b):
        start, end = max(a[i][0], b[j][0]), min(a[i][1], b[j][1])
        if start < end:
            common.append((start, end))
        if a[i][1] < b[j][1]:
            i += 1
        else:
            j += 1
    return common


def subtract(left: Iterable[Pair], right: Iterable[Pair]) -> list[Pair]:
    """Return the set of the points in `left` but not in `right`."""
    holes = union(right)
    rest: list[Pair] = []
    first = 0
    for start, end in union(left):
        while first < len(holes) and holes[first][1] <= start:
            first += 1
        at = first
        while at < len(holes) and holes[at][0] < end:
            if start < holes[at][0]:
                rest.append((start, holes[at][0]))
            start = holes[at][1]
            at += 1
        if start < end:
            rest.append((start, end))
    return rest


def clip(pairs: Iterable[Pair], start: int, end: int) -> list[Pair]:
    """Return the part of each pair inside [start, end), in the given order; empty parts are omitted."""
    cut = ((max(a, start), min(b, end)) for a, b in pairs)
    return [(a, b) for a, b in cut if a < b]


def measure(pairs: Iterable[Pair]) -> int:
    """Return the length of the union: each point counts once."""
    return load(union(pairs))


def load(pairs: Iterable[Pair]) -> int:
    """Return the sum of the lengths: overlaps count several times."""
    return sum(end - start for start, end in pairs if end > start)
