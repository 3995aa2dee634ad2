"""Rows and bars of the day, minutes and week view, in percent and pixels; the template prints them.

Pure. Positions are elapsed time, never the difference of two clocks, so days of 23 and 25 hours
keep their own scale. Lanes come in a fixed order: status, calls, e-mails, chats, tickets.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from dashboard.clock import Slot, Span, day, hours, local_dates
from dashboard.intervals import union
from dashboard.pages.tracing.axis import (
    Column,
    Part,
    Scale,
    by_columns,
    columns_of,
    hour_ticks,
    linear,
    minute_ticks,
    places,
    row_label,
    week_ticks,
)
from dashboard.pages.tracing.lanes import Piece, by_lane, ending, merge, presence, stack
from dashboard.pages.tracing.plot import Band, Bar, Item, Lane, Notch, Plot, Row
from dashboard.tracing.types import ACTIVITY_TYPES, Kind

MAX_BARS = 600  # with more, neighbours closer than MIN_GAP are one block
MIN_GAP = 0.002  # of the row
WEEK_GAP_S = 7 * 60
QUARTER_S = 900
FIT_S = 4 * 3600  # at least, where the day has so much before its last stretch
EMPTY_HEIGHT = 34
NOTCHED = 14  # pixels: bars as high as this show after-call work and holds
PHONE_SHARE = 34.0  # percent of a plot 680 px wide that a phone shows beside the lane names
_STATUS = {Kind.LOGIN: "idle", Kind.READY: "ready", Kind.PAUSE: "pause"}


class Look(NamedTuple):
    """Pixels of a view. A lane of n levels is `pad` + n · `pitch` high."""

    top: int  # where the lanes begin, status first
    status_pad: int
    status: int
    lane_top: int
    pad: int
    inset: int
    bar: int
    pitch: int
    foot: int
    all_lanes: bool


DAY = Look(40, 7, 12, 66, 12, 8, 18, 22, 0, True)
MINUTES = Look(0, 16, 5, 24, 1, 1, 14, 16, 6, False)
WEEK = Look(0, 16, 6, 24, 1, 1, 9, 10, 4, True)
PAPER_WEEK = Look(0, 5, 5, 12, 1, 1, 7, 8, 4, True)  # without room for readouts


def day_plot(items: Sequence[Item], span: Span, as_of: int, zone: str, all_day: bool = False) -> Plot:
    """Return the hours view of one local day: one row, every stretch a bar.

    Fitted to quarters of an hour from the first stretch to the last one (or now), with at most half an hour
    behind; `all_day` shows the whole span. Gives no rows for a day that is empty or that the zone skipped.
    """
    seen = _touching(items, span.start, span.end, as_of)
    slots: Sequence[Slot] = hours(span, zone)
    if not seen or not slots:  # Apia had no 30 December 2011
        return Plot("day", span.start, span.end, as_of, (), ())
    scale = linear(*(span if all_day else _fitted(seen, span, as_of)))
    row = _rows([(scale, "")], seen, as_of, DAY, presence(seen, as_of))[0]
    ticks = hour_ticks(slots, scale, zone, row.now)
    return Plot("day", scale.start, scale.end, as_of, ticks, (row,), open_at=_opening(row, all_day))


def minutes_plot(items: Sequence[Item], span: Span, as_of: int, zone: str, minutes: int) -> Plot:
    """Return one row per `minutes` (5, 15 or 60) of the day.

    Rows of an hour show every hour with a sign-in; shorter rows only those in which an activity
    ran or the status changed. The repeated hour of a 25-hour day has rows of its own.
    """
    seen = _touching(items, span.start, span.end, as_of)
    status = presence(seen, as_of)
    step = minutes * 60
    wanted = []
    for slot in hours(span, zone):
        for start in range(slot.start, slot.end, step):
            if start < as_of and _happens(seen, status, start, start + step, as_of, minutes < 60):
                scale = Scale(
                    (
                        Part(
                            start,
                            min(start + step, slot.end),
                            0.0,
                            100.0 * (min(start + step, slot.end) - start) / step,
                        ),
                    )
                )
                wanted.append((scale, row_label(start, slot, zone)))
    rows = _rows(wanted, seen, as_of, MINUTES, status)
    current = next((row.now for row in rows if row.now is not None), None)
    ticks = minute_ticks(minutes)
    return Plot("minutes", span.start, span.end, as_of, ticks, tuple(rows), minutes, current)


def week_plot(items: Sequence[Item], span: Span, as_of: int, zone: str, look: Look = WEEK) -> Plot:
    """Return one row per local day of the week, neighbours of one kind merged into blocks.

    All seven rows share one axis, from the first to the last hour with a stretch on any day. In the week of a
    clock change it has the repeated hour twice, and days without it (or without the skipped hour) show that
    hour as a gap.
    """
    days = [day(date, zone) for date in local_dates(span, zone)]
    slots = [hours(each, zone) for each in days]
    seen = _touching(items, span.start, span.end, as_of)
    columns = _used(columns_of(slots), slots, seen, as_of)
    scales = [by_columns(each, columns) for each in slots]
    rows = []
    for scale in scales:
        rows += _rows([(scale, "")], seen, as_of, look, presence(seen, as_of), WEEK_GAP_S)
    return Plot("week", span.start, span.end, as_of, week_ticks(columns), tuple(rows))


def _touching(items: Iterable[Item], start: int, end: int, as_of: int) -> list[Item]:
    """Return the items that have begun and reach into [start, end); of no length, begin in it."""
    return [
        item
        for item in items
        if item.start < end and item.start <= as_of and (ending(item, as_of) > start or item.start >= start)
    ]


def _fitted(items: Sequence[Item], span: Span, as_of: int) -> Span:
    first = max(span.start, min(item.start for item in items))
    last = min(span.end, max(ending(item, as_of) for item in items))
    if span.start <= as_of < span.end:
        last = max(last, as_of) + QUARTER_S
    end = min(span.end, span.start - (span.start - last) // QUARTER_S * QUARTER_S)
    first -= (first - span.start) % QUARTER_S
    return Span(max(span.start, min(first, end - FIT_S)), end)


def _used(
    columns: Sequence[Column], days: Sequence[Sequence[Slot]], items: Sequence[Item], as_of: int
) -> Sequence[Column]:
    """Return the columns from the first to the last one with a stretch on any day; all for an empty week."""
    stretches = union((item.start, max(ending(item, as_of), item.start + 1)) for item in items)
    used = [
        place
        for slots in days
        for place, slot in places(slots, columns)
        if any(start < slot.end and end > slot.start for start, end in stretches)
    ]
    return columns[min(used) : max(used) + 1] if used else columns


def _opening(row: Row, all_day: bool) -> float | None:
    if row.now is not None:
        return row.now
    first = min((bar.x for bar in row.bars), default=0.0)
    return min(100.0, round(first + PHONE_SHARE, 3)) if all_day and first else None


def _happens(
    items: Sequence[Item], status: Sequence[Piece], start: int, end: int, as_of: int, changes_only: bool
) -> bool:
    work = (item for item in items if item.kind in (Kind.HANDLING, Kind.RINGING))
    if any(item.start < end and max(ending(item, as_of), item.start + 1) > start for item in work):
        return True
    if changes_only:
        return any(start <= ts < end for p in status for ts in (p.start, p.end) if ts != as_of)
    return any(p.start < end and p.end > start for p in status)


def _rows(
    scales: Sequence[tuple[Scale, str]],
    items: Sequence[Item],
    as_of: int,
    look: Look,
    status: Sequence[Piece],
    gap: int = 0,
) -> list[Row]:
    """Draw every row; again with close neighbours merged when there are too many bars."""
    begun: set[int] = set()
    rows = [_row(scale, label, items, as_of, look, status, gap, begun) for scale, label in scales]
    if gap or sum(len(row.bars) for row in rows) <= MAX_BARS:
        return rows
    begun = set()
    return [
        _row(
            scale,
            label,
            items,
            as_of,
            look,
            status,
            max(1, round((scale.end - scale.start) * MIN_GAP)),
            begun,
        )
        for scale, label in scales
    ]


def _row(
    scale: Scale,
    label: str,
    items: Sequence[Item],
    as_of: int,
    look: Look,
    status: Sequence[Piece],
    gap: int,
    begun: set[int],
) -> Row:
    """Draw one row; `begun` collects the activities counted as started so far."""
    start, end = scale.start, scale.end
    inside = _touching(items, start, end, as_of)
    present = [piece for piece in status if piece.start < end and piece.end > start]
    now = scale.left(as_of) if start <= as_of < end else None
    if not inside:
        state, bands = ("future" if start > as_of else "none"), _around(scale, [], as_of, False)
        return Row(start, end, label, EMPTY_HEIGHT, bands=bands, now=now, state=state)
    bars = [_status_bar(scale, piece, look) for piece in present]
    lanes = [Lane("status", look.top, look.lane_top - look.top, 1)]
    y = look.lane_top
    pieces = by_lane(inside, as_of)
    for kind in ACTIVITY_TYPES:
        if kind not in pieces and not look.all_lanes:
            continue
        drawn = stack(pieces.get(kind, []))
        if gap:
            drawn = merge((_cut(piece, start, end) for piece in drawn), gap)
        levels = max((piece.level for piece in drawn), default=0) + 1
        lanes.append(Lane(kind, y, look.pad + levels * look.pitch, levels))
        bars += [
            _bar(scale, piece, kind, y + look.inset + piece.level * look.pitch, look.bar) for piece in drawn
        ]
        y += look.pad + levels * look.pitch
    work = [item for item in inside if item.kind == Kind.HANDLING]
    seconds = sum(max(0, min(ending(item, as_of), end) - max(item.start, start)) for item in work)
    started = _started(inside, start, end, begun)
    bands = _around(scale, present, as_of, look is DAY)
    return Row(start, end, label, y + look.foot, tuple(lanes), tuple(bars), bands, now, "", seconds, started)


def _started(items: Iterable[Item], start: int, end: int, begun: set[int]) -> int:
    new = {item.activity_id for item in items if item.activity_id is not None and item.start < end} - begun
    early = {item.activity_id for item in items if item.activity_id is not None and item.start < start}
    begun |= {number for number in new if number is not None}
    return len(new - early)


def _cut(piece: Piece, start: int, end: int) -> Piece:
    """Return the piece with its seconds cut to [start, end); its bounds stay, for the arrows."""
    return piece._replace(seconds=max(0, min(piece.end, end) - max(piece.start, start)))


def _status_bar(scale: Scale, piece: Piece, look: Look) -> Bar:
    css = _STATUS[Kind(piece.item.kind)]
    return _bar(scale, piece, css, look.top + look.status_pad, look.status)


def _bar(scale: Scale, piece: Piece, css: str, y: int, height: int) -> Bar:
    x, width = scale.stretch(piece.start, piece.end)
    return Bar(
        css,
        x,
        width,
        y,
        height,
        piece.start,
        piece.end,
        piece.seconds,
        piece.item,
        piece.activities,
        open=piece.open and piece.end <= scale.end,
        before=piece.start < scale.start,
        after=piece.end > scale.end,
        ringing=piece.ringing,
        quiet=piece.quiet,
        notches=_notches(scale, piece) if height >= NOTCHED else (),
    )


def _notches(scale: Scale, piece: Piece) -> tuple[Notch, ...]:
    """Return after-call work and holds of one call, as far as they lie on the scale."""
    if piece.activities > 1 or piece.ringing or piece.item.kind != Kind.HANDLING:
        return ()
    parts = [("hold", start, end) for start, end in piece.item.holds]
    if piece.item.after is not None:
        parts.insert(0, ("after", max(piece.item.after, piece.start), piece.end))
    seen = [(css, max(start, scale.start), min(end, scale.end)) for css, start, end in parts]
    return tuple(Notch(css, *scale.stretch(start, end)) for css, start, end in seen if start < end)


def _around(scale: Scale, status: Sequence[Piece], as_of: int, tint: bool) -> tuple[Band, ...]:
    """Return what lies around the bars: pauses, signed-out time, missing hours."""
    bands = []
    past = min(scale.end, as_of)
    if tint:
        bands += [
            Band("pause", *scale.stretch(p.start, p.end), p.item.label, p.seconds)
            for p in status
            if p.item.kind == Kind.PAUSE
        ]
    edge = scale.start
    for piece in [*status, None] if status else []:
        until = past if piece is None else piece.start
        if until > edge:
            bands.append(Band("out", *scale.stretch(edge, until)))
        edge = edge if piece is None else max(edge, piece.end)
    reached = 0.0
    for x0, x1 in [*((part.x0, part.x1) for part in scale.parts), (100.0, 100.0)]:
        if x0 - reached > 0.01:
            bands.append(Band("gap", round(reached, 3), round(x0 - reached, 3)))
        reached = x1
    return tuple(bands)
