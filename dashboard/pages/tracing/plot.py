"""What a timeline is made of: a plot of rows, bars in percent of elapsed time. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from markupsafe import Markup

from dashboard.tracing.types import Kind

SKIP_OVER = 20  # bars: with more, a link leads past the plot


class Item(NamedTuple):
    """A stretch of the day with what its bar says; `kind` is a `tracing.types.Kind`.

    Times are UTC epoch seconds, `end` is None while it goes on. `label` names a pause.
    A hidden item lies outside the viewer's queues: it carries no contact, queue or url.
    """

    kind: int
    start: int
    end: int | None
    channel: str = ""
    activity_id: int | None = None
    label: str = ""
    paid: bool = False
    inferred: bool = False
    hidden: bool = False
    direction: str = ""
    contact: str = ""
    queue: str = ""
    url: str = ""
    after: int | None = None  # when the customer hung up: from then on it is after-call work
    holds: tuple[tuple[int, int], ...] = ()
    reason: str = ""  # why time that is not proved ends where it does


class Notch(NamedTuple):
    """A part of a bar that looks different: `css` is after (after-call work) or hold; x, width in percent."""

    css: str
    x: float
    width: float


@dataclass(frozen=True, slots=True)
class Bar:
    """A drawn stretch. `x` and `width` are percent of the row, `y` and `height` pixels.

    `start`, `end` and `seconds` are true, not clipped (a block of several: clipped and summed);
    `end` is now while `open`. `before` and `after`: it goes on outside the row. `quiet` bars
    belong to the next bar and are not read out.
    """

    css: str  # call, email, chat, ticket; ready, idle, pause
    x: float
    width: float
    y: int
    height: int
    start: int
    end: int
    seconds: int
    item: Item
    count: int = 1
    open: bool = False
    before: bool = False
    after: bool = False
    ringing: bool = False
    quiet: bool = False
    notches: tuple[Notch, ...] = ()

    @property
    def box(self) -> Markup:
        """The place as attributes of an SVG rectangle: numbers only, so safe in HTML."""
        text = f'x="{self.x}%" y="{self.y}" width="{self.width}%" height="{self.height}"'
        return Markup(text)  # noqa: S704

    @property
    def tied(self) -> str:
        """The class of a readout that is not tied in the middle, so that it stays inside the plot."""
        return " first" if self.x < 22 else " last" if self.x > 72 else ""


@dataclass(frozen=True, slots=True)
class Tick:
    """A line of the grid, percent; `label` "" is a faint line.

    The label of a `spare` tick is left out on phones, that of a `covered` one for the time of now.
    """

    x: float
    label: str = ""
    spare: bool = False
    covered: bool = False

    @property
    def anchor(self) -> str:
        return "start" if self.x == 0 else "end" if self.x == 100 else "middle"


@dataclass(frozen=True, slots=True)
class Band:
    """A part of the row with a meaning of its own.

    pause tints the lanes and is named by `label` and `seconds`; out is signed-out time; gap is an hour that
    the day does not have (clock change).
    """

    css: str
    x: float
    width: float
    label: str = ""
    seconds: int = 0

    @property
    def middle(self) -> float:
        return round(self.x + self.width / 2, 3)


@dataclass(frozen=True, slots=True)
class Lane:
    kind: str  # status, call, email, chat, ticket
    y: int
    height: int
    rows: int  # bars on top of each other, 1 to 5


@dataclass(frozen=True, slots=True)
class Row:
    """A strip of the plot over [start, end); `state` is "", none (no records) or future.

    `seconds` is the handling time inside the row, overlaps counted each; `started` counts
    activities that began in it.
    """

    start: int
    end: int
    label: str
    height: int
    lanes: tuple[Lane, ...] = ()
    bars: tuple[Bar, ...] = ()
    bands: tuple[Band, ...] = ()
    now: float | None = None
    state: str = ""
    seconds: int = 0
    started: int = 0


@dataclass(frozen=True, slots=True)
class Plot:
    """A timeline ready to print: `view` is day, minutes or week; no rows when nothing happened."""

    view: str
    start: int
    end: int
    as_of: int
    ticks: tuple[Tick, ...]
    rows: tuple[Row, ...]
    minutes: int = 0
    open_at: float | None = None  # percent that a narrow screen shows at its right edge

    @property
    def total(self) -> int:
        return sum(1 for row in self.rows for bar in row.bars if not bar.quiet)

    @property
    def skip(self) -> bool:
        return self.total > SKIP_OVER

    @property
    def marks(self) -> frozenset[str]:
        """What the legend must explain: kinds of bars and bands, and the marks on them."""
        found = {bar.css for row in self.rows for bar in row.bars}
        found |= {band.css for row in self.rows for band in row.bands if band.css != "pause"}
        for bar in (bar for row in self.rows for bar in row.bars):
            if bar.css == "pause":
                found.add("paid" if bar.item.paid else "unpaid")
            marked = {
                "hidden": bar.item.hidden,
                "inferred": bar.item.inferred and bar.item.kind != Kind.UNPROVED,
                "unproved": bar.item.kind == Kind.UNPROVED,
                "rings": bar.ringing,
                "missed": bar.ringing and not bar.quiet,
                "block": bar.count > 1,
                "cut": bar.before or bar.after,
            }
            found |= {name for name, there in marked.items() if there}
            found |= {notch.css for notch in bar.notches}
        return frozenset(found)
