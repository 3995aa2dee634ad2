"""Which stretches lie in which lane, on which level, and what is drawn as one block. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

from dashboard.pages.tracing.plot import Item
from dashboard.tracing.types import PRESENCE, Kind, type_of

LEVELS = 5  # more at once are merged on the last level
_RANK = {Kind.LOGIN: 0, Kind.READY: 1, Kind.PAUSE: 2}


class Piece(NamedTuple):
    """[start, end) of one lane: an item, or several `activities` drawn as one block of `seconds`."""

    start: int
    end: int
    item: Item
    level: int = 0
    activities: int = 1
    seconds: int = 0
    open: bool = False
    ringing: bool = False
    quiet: bool = False


def ending(item: Item, as_of: int) -> int:
    """Return the end, or now while it goes on; never before the start."""
    return max(item.start, as_of if item.end is None else item.end)


def presence(items: Iterable[Item], as_of: int) -> list[Piece]:
    """Return the status lane: a pause hides ready, ready hides mere sign-in.

    Of two pauses the one that began later counts. Equal neighbours are one piece.
    """
    waiting = sorted((i for i in items if i.kind in PRESENCE), key=lambda i: -i.start)
    bounds = sorted({ts for item in waiting for ts in (item.start, ending(item, as_of))})
    active: list[Item] = []
    pieces: list[Piece] = []
    for start, end in pairwise(bounds):
        while waiting and waiting[-1].start <= start:
            active.append(waiting.pop())
        active = [item for item in active if ending(item, as_of) > start]
        if not active:
            continue
        top = max(active, key=lambda i: (_RANK[Kind(i.kind)], i.start))
        piece = Piece(start, end, top, seconds=end - start, open=top.end is None and end == as_of)
        if pieces and pieces[-1].end == start and _alike(pieces[-1].item, top):
            piece = piece._replace(start=pieces[-1].start, seconds=end - pieces[-1].start)
            pieces.pop()
        pieces.append(piece)
    return pieces


def _alike(one: Item, other: Item) -> bool:
    same = (one.kind, one.paid, one.label) == (other.kind, other.paid, other.label)
    return same and one.inferred == other.inferred


def by_lane(items: Iterable[Item], as_of: int) -> dict[str, list[Piece]]:
    """Return the pieces of each kind of activity, in order of start; ringing included.

    Ringing that was answered is quiet: its activity follows and says all.
    """
    lanes: dict[str, list[Piece]] = {}
    worked = {item.activity_id for item in items if item.kind == Kind.HANDLING}
    for item in sorted(items, key=lambda i: (i.start, i.activity_id or 0)):
        if item.kind not in (Kind.HANDLING, Kind.RINGING, Kind.UNPROVED) or _nothing_left(item):
            continue
        end, ringing = ending(item, as_of), item.kind == Kind.RINGING
        answered = ringing and item.activity_id is not None and item.activity_id in worked
        piece = Piece(item.start, end, item, 0, 1, end - item.start, item.end is None, ringing, answered)
        lanes.setdefault(type_of(item.channel), []).append(piece)
    return lanes


def _nothing_left(item: Item) -> bool:
    return item.kind == Kind.UNPROVED and item.end == item.start


def stack(pieces: Sequence[Piece]) -> list[Piece]:
    """Put each piece on the first level that is free when it starts, at most LEVELS of them.

    `pieces` come in order of start. An activity keeps its level while it is free. Where more
    than LEVELS lie over each other, the last level shows merged blocks with their count.
    """
    ends: list[int] = []
    kept: dict[int, int] = {}
    placed: list[Piece] = []
    for piece in pieces:
        usual = kept.get(piece.item.activity_id or -1)
        free = [usual] if usual is not None and ends[usual] <= piece.start else []
        free += [level for level, end in enumerate(ends) if end <= piece.start]
        level = free[0] if free else len(ends)
        if level == len(ends):
            ends.append(0)
        ends[level] = max(piece.end, piece.start + 1)
        if piece.item.activity_id is not None:
            kept[piece.item.activity_id] = level
        placed.append(piece._replace(level=level))
    if len(ends) <= LEVELS:
        return placed
    last = LEVELS - 1
    crowd = [piece._replace(level=last) for piece in placed if piece.level >= last and not piece.quiet]
    return [piece for piece in placed if piece.level < last] + merge(crowd, 1)


def merge(pieces: Iterable[Piece], gap: int) -> list[Piece]:
    """Join neighbours of one level that lie less than `gap` seconds apart into blocks.

    Hidden work joins only hidden work, missed ringing only its like. A block counts its
    activities once and adds up their seconds; one activity alone stays what it is.
    """
    groups: dict[tuple[int, bool, bool, bool], list[list[Piece]]] = {}
    for piece in sorted(pieces, key=lambda p: p.start):
        if piece.quiet:
            continue
        runs = groups.setdefault(
            (piece.level, piece.item.hidden, piece.ringing, piece.item.kind == Kind.UNPROVED), []
        )
        if runs and piece.start - max(p.end for p in runs[-1]) < gap:
            runs[-1].append(piece)
        else:
            runs.append([piece])
    return [_block(run) for runs in groups.values() for run in runs]


def _block(run: Sequence[Piece]) -> Piece:
    named = {piece.item.activity_id for piece in run} - {None}
    unnamed = sum(1 for piece in run if piece.item.activity_id is None)
    return run[0]._replace(
        end=max(piece.end for piece in run),
        activities=len(named) + unnamed,
        seconds=sum(piece.seconds for piece in run),
        open=any(piece.open for piece in run),
    )
