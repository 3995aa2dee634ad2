"""The axis of a plot: elapsed time to percent, ticks, and the week's shared hours. Pure."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from dashboard.clock import Slot
from dashboard.pages.tracing.plot import Tick

MIN_WIDTH = 0.2  # percent: two pixels of a plot 1,000 px wide
NOW_ROOM = 6.0  # percent, 40 of a phone's 680 px: a tick closer to now gives its label up
FINE_S, FINE_STEP_S = 5400, 300
ALL_LABELS = 15  # hours: with more, labels are short


class Part(NamedTuple):
    """[start, end) drawn from x0 to x1 percent."""

    start: int
    end: int
    x0: float
    x1: float


class Scale:
    """Elapsed time to percent; parts in order, with jumps between them where an hour is missing."""

    def __init__(self, parts: Sequence[Part]) -> None:
        self.parts = parts
        self._starts = [part.start for part in parts]

    @property
    def start(self) -> int:
        return self.parts[0].start

    @property
    def end(self) -> int:
        return self.parts[-1].end

    def left(self, ts: int) -> float:
        """Return where something that begins at `ts` begins, three decimals."""
        return self._at(ts, bisect_right(self._starts, ts) - 1)

    def right(self, ts: int) -> float:
        """Return where something that ends at `ts` ends: before a jump, not after it."""
        return self._at(ts, bisect_left(self._starts, ts) - 1)

    def _at(self, ts: int, index: int) -> float:
        part = self.parts[max(index, 0)]
        inside = min(max(ts, part.start), part.end) - part.start
        return round(part.x0 + (part.x1 - part.x0) * inside / (part.end - part.start), 3)

    def stretch(self, start: int, end: int) -> tuple[float, float]:
        """Return (x, width) of [start, end) cut to the scale; never thinner than MIN_WIDTH."""
        x = self.left(max(start, self.start))
        width = max(round(self.right(min(end, self.end)) - x, 3), MIN_WIDTH)
        return round(min(x, 100 - width), 3), width


def linear(start: int, end: int) -> Scale:
    """Return the plain scale over [start, end). Raises ValueError when it is empty."""
    if end <= start:
        raise ValueError("a row must end after it starts")
    return Scale((Part(start, end, 0.0, 100.0),))


def labels_of(slot: Slot) -> tuple[str, str]:
    """Return the label of an hour that begins, and its short one on an axis of many hours."""
    return _hour(slot.label, slot.offset), _hour(slot.label, slot.offset).removesuffix(":00")


def _hour(label: str, offset: str) -> str:
    """Return 02:00, or 02 +1 for an hour that the day has twice."""
    return f"{label} {_short(offset)}" if offset else f"{label}:00"


def _short(offset: str) -> str:
    """Return +02:00 as +2, -03:30 as −3:30."""
    sign, hour, minute = offset[0], int(offset[1:3]), offset[3:]
    return f"{'−' if sign == '-' else '+'}{hour}{minute if minute != ':00' else ''}"


def hour_ticks(slots: Sequence[Slot], scale: Scale, zone: str, now: float | None) -> tuple[Tick, ...]:
    """Return a tick each hour and a faint one each half; on FINE_S at most, one each five minutes."""
    start, end = scale.start, scale.end
    labels = {slot.start: _hour(slot.label, slot.offset) for slot in slots}
    labels.setdefault(slots[-1].end, _end(slots[-1].end, zone))
    marks = {ts: label for ts, label in labels.items() if start <= ts <= end}
    if end - start <= FINE_S:
        fine = range(-(-start // FINE_STEP_S) * FINE_STEP_S, end + 1, FINE_STEP_S)
        marks = {ts: labels.get(ts) or _clock(ts, zone) for ts in fine}
    elif len(marks) <= ALL_LABELS:
        halves = [(slot.start + slot.end) // 2 for slot in slots]
        marks |= {ts: "" for ts in halves if start <= ts <= end}
    else:
        marks = {ts: label.removesuffix(":00") for ts, label in marks.items()}
    placed = [(scale.right(ts), label) for ts, label in sorted(marks.items())]
    return tuple(Tick(x, label, covered=now is not None and abs(x - now) < NOW_ROOM) for x, label in placed)


def _clock(ts: int, zone: str) -> str:
    return datetime.fromtimestamp(ts, ZoneInfo(zone)).strftime("%H:%M")


def _end(ts: int, zone: str) -> str:
    text = _clock(ts, zone)
    return "24:00" if text == "00:00" else text


def minute_ticks(minutes: int) -> tuple[Tick, ...]:
    """Return ticks each five minutes of an hour, each minute of a quarter, each half minute of five."""
    step, seconds = {60: 300, 15: 60, 5: 30}[minutes], minutes * 60
    return tuple(
        Tick(
            round(100 * ts / seconds, 3), f":{ts // 60:02}" if minutes == 60 else f"+{ts // 60}:{ts % 60:02}"
        )
        for ts in range(0, seconds + 1, step)
    )


def row_label(start: int, slot: Slot, zone: str) -> str:
    text = datetime.fromtimestamp(start, ZoneInfo(zone)).strftime("%H:%M")
    return f"{text} {_short(slot.offset)}" if slot.offset else text


class Column(NamedTuple):
    """An hour of the week's shared axis; `turn` counts a repeated hour from 0."""

    label: str
    turn: int
    offset: str


def columns_of(days: Sequence[Sequence[Slot]]) -> list[Column]:
    """Return the hours of the shared axis as (label, occurrence, offset), in order."""
    longest = {(f"{hour:02}", 0): "" for hour in range(24)}
    for slots in days:
        for key, slot in _occurrences(slots):
            longest[key] = slot.offset or longest.get(key, "")
    return [Column(label, turn, offset) for (label, turn), offset in sorted(longest.items())]


def _occurrences(slots: Sequence[Slot]) -> list[tuple[tuple[str, int], Slot]]:
    seen: dict[str, int] = {}
    found = []
    for slot in slots:
        found.append(((slot.label, seen.get(slot.label, 0)), slot))
        seen[slot.label] = seen.get(slot.label, 0) + 1
    return found


def places(slots: Sequence[Slot], columns: Sequence[Column]) -> list[tuple[int, Slot]]:
    """Return the hours of a day that the axis has, each with its place on it."""
    place = {(each.label, each.turn): index for index, each in enumerate(columns)}
    return [(place[key], slot) for key, slot in _occurrences(slots) if key in place]


def by_columns(slots: Sequence[Slot], columns: Sequence[Column]) -> Scale:
    width = 100 / len(columns)
    return Scale(
        [Part(slot.start, slot.end, at * width, (at + 1) * width) for at, slot in places(slots, columns)]
    )


def week_ticks(columns: Sequence[Column]) -> tuple[Tick, ...]:
    """Return a tick an hour, labelled each two hours (and all of a short axis) and at a repeated hour."""
    step = 1 if len(columns) <= ALL_LABELS else 2
    ticks = [
        Tick(
            round(100 * n / len(columns), 3),
            "" if int(each.label) % step and not each.offset else _hour(each.label, each.offset),
            bool(each.offset) or n % (3 * step) != 0 or len(columns) - n < 3,  # the end has its own label
        )
        for n, each in enumerate(columns)
    ]
    return (*ticks, Tick(100.0, f"{int(columns[-1].label) + 1:02}:00"))
