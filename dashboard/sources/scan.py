"""Searches the texts of a long list: newest rows first, piece by piece, for a bounded time.

No index knows these texts, so a search walks rows in the order of the list and says how far it came; the next
page goes on from there.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

from dashboard.access.permissions import Permission
from dashboard.access.scope import Scope
from dashboard.sources.compiler import Compiler
from dashboard.sources.query import PAGE, Query, Sort
from dashboard.sources.where import Sql

PIECE = 20_000  # rows that one statement reads
SCANNED_S = 0.3  # then the search answers with what it has

Run = Callable[[Sql], list[tuple[Any, ...]]]


class Scanned(NamedTuple):
    """Rows as `Compiler.rows` gives them, at most one more than a page, and the place to go on from; None
    where the search has reached the end."""

    rows: list[tuple[Any, ...]]
    next: tuple[int, int] | None


def can(query: Query) -> bool:
    """Say whether the rows of a query are found this way: newest first, by a text."""
    by_moment = query.sort in (None, Sort(query.source.moment, True))
    return bool(query.search and query.source.scanned and by_moment)


def rows(scope: Scope, query: Query, run: Run) -> Scanned:
    """Return the newest rows in which the viewer sees the searched text."""
    end = time.monotonic() + SCANNED_S
    limit = query.limit or PAGE
    found: list[tuple[Any, ...]] = []
    place = query.after
    while True:
        bare = replace(query, search="", columns=(), after=place)
        least, number = run(Compiler(bare, scope).piece(PIECE))[0]
        if number:
            part = run(Compiler(replace(query, after=place), scope, None, True).rows(int(least)))
            found += _seen(scope, query, part)
            if len(part) > limit:  # the piece may hold more
                place = (int(part[-1][0]), int(part[-1][1]))
                if len(found) <= limit and time.monotonic() < end:
                    continue
                return Scanned(found[: limit + 1], place)
        if len(found) > limit or number < PIECE:
            return Scanned(found, None)
        place = (int(least), 0)  # rows of that instant were in the piece
        if time.monotonic() > end:
            return Scanned(found, place)


def _seen(scope: Scope, query: Query, part: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Return the rows in which the viewer sees the text; what is masked for them is no hit."""
    hits = query.source.hits
    if hits is None or not part or scope.can(Permission.PII_UNMASK):
        return part
    keys = hits(scope, query.search, [int(row[1]) for row in part])
    return [row for row in part if int(row[1]) in keys]
