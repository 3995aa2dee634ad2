"""The tables of figures: their columns, what they are made from, and where their numbers lead."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from dashboard.i18n.message import N_
from dashboard.sources.catalogue import ACTIVITIES, INTERACTIONS, TIME_IN_STATE, USER_EVENTS
from dashboard.sources.period import Bucket
from dashboard.sources.types import Source
from dashboard.tracing.types import NOT_TAKEN, State

Values = Mapping[str, Any]


class By(StrEnum):
    """By what the figures are grouped; the value is the group of the query."""

    QUEUE = "queue"
    USER = "user"
    TEAM = "team"
    USER_HOUR = "user_hour"
    ACTION = "kind"
    CHANNEL = "channel"
    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    WEEKDAY = "weekday"
    HOUR_OF_DAY = "hour_of_day"

    @property
    def bucket(self) -> Bucket | None:
        return Bucket(self.value) if self.value in list(Bucket) else None


BY = {
    By.QUEUE: N_("Queue"),
    By.USER: N_("User"),
    By.TEAM: N_("Team"),
    By.USER_HOUR: N_("User and hour"),
    By.ACTION: N_("User event"),
    By.CHANNEL: N_("Channel"),
    By.HOUR: N_("Hour"),
    By.DAY: N_("Day"),
    By.WEEK: N_("Week"),
    By.MONTH: N_("Month"),
    By.WEEKDAY: N_("Day of the week"),
    By.HOUR_OF_DAY: N_("Hour of the day"),
}

GROUPS = {By.TEAM: "team.name"}  # of the query, where it has another name


@dataclass(frozen=True)
class Column:
    """A measure as a figure, and the filters of the rows behind it.

    `state` narrows the list of a user's own page to them. With `same`, another measure, it is only shown
    where both are equal. A `tile` stands above the table as well. The table of a narrow screen leaves out
    columns by `css`.
    """

    measure: str
    label: str
    rows: Mapping[str, str] | None = None
    tile: bool = False
    css: str = ""
    same: str = ""
    state: str = ""


@dataclass(frozen=True)
class Table:
    """The figures of a data source; `always` are filters of every query, `page` is the list of its rows.

    `beside` are further sources with a prefix of their measures' names, and filters.
    `parts` are those of the chart's bars: measure, label, class; without a measure it is the rest. `lines`
    are shares that are drawn below the bars.
    """

    source: Source
    columns: tuple[Column, ...]
    parts: tuple[tuple[str, str, str], ...]
    page: str = ""
    always: Mapping[str, str] = field(default_factory=dict)
    lines: tuple[str, ...] = ()
    beside: tuple[tuple[str, Source, Mapping[str, str]], ...] = ()

    @property
    def measures(self) -> list[str]:
        of_parts = [name for name, _label, _css in self.parts if name]
        shown = [name for each in self.columns for name in (each.measure, each.same) if name]
        return list(dict.fromkeys([*shown, *of_parts]))

    @property
    def tiles(self) -> list[Column]:
        return [each for each in self.columns if each.tile]


def _number(name: str, label: str, css: str = "", tile: bool = False) -> Column:
    """Return the number of rows that are `name`, a field of yes or no."""
    return Column(f"sum:is_{name}", label, {f"is_{name}": "1"}, tile, css)


CONTACTS = Table(
    INTERACTIONS,
    columns=(
        Column("count", N_("Received"), {}, tile=True),
        _number("answered", N_("Answered")),
        Column("answer_rate", N_("Answer rate"), tile=True),
        _number("abandoned", N_("Abandoned"), tile=True),
        _number("lost", N_("Lost otherwise"), "p2"),
        _number("closed", N_("While closed"), "p2"),
        _number("blocked", N_("Blocked"), "p2"),
        Column("service_level", N_("Service level"), tile=True),
        Column("min:target", N_("Target"), css="p3", same="max:target"),
        Column("sum:timeouts", N_("Timeouts"), {"timeouts__gt": "0"}, css="p3"),
        Column("avg:wait", N_("Average wait"), tile=True),
        Column("median:wait", N_("Median wait"), css="p2"),
        Column("p90:wait", N_("P90 of waiting"), css="p2"),
        Column("max:wait", N_("Longest wait"), css="p2", tile=True),
        Column("sum:talk", N_("Talk time"), css="p2"),
        Column("sum:handling", N_("Handling time"), css="p2"),
        _number("entered", N_("Entered"), "p3"),
        _number("unfinished", N_("Unfinished"), "p3"),
        _number("moved_on", N_("Moved on"), "p3"),
        _number("without_end", N_("Without an end"), "p3"),
    ),
    parts=(
        ("sum:is_answered", N_("Answered"), "call"),
        ("sum:is_abandoned", N_("Abandoned"), "lost"),
        ("", N_("Other"), "pause"),
    ),
    page="/interactions",
    always={"is_received": "1", "queue__blank": "0"},
    lines=("service_level",),
)
# Activities by the moment of their closing; the index of each user's is read.
CLOSED = replace(ACTIVITIES, moment="closed", where='a.user_id IN (SELECT x.id FROM "user" x)')
WORK_BESIDE = (("closed/", CLOSED, {"state": "closed"}), ("time/", TIME_IN_STATE, {"layer": "work"}))
HANDLED = Column("closed/count", N_("Handled"), tile=True, state=State.CLOSED)
TALK = Column("sum:talk", N_("Talk time"), tile=True)
OCCUPANCY = Column("time/occupancy", N_("Occupancy"), tile=True)
OF_TIME = (
    Column("time/sum:ready", N_("Ready time"), css="p2"),
    Column("time/sum:busy", N_("Busy time"), css="p2"),
    OCCUPANCY,
)
WORK_PARTS = (
    ("sum:is_closed", N_("Closed"), "call"),
    ("sum:is_missed", N_("Not taken"), "lost"),
    ("", N_("Other"), "pause"),
)
WORK = Table(
    ACTIVITIES,
    columns=(
        Column("count", N_("Activities"), tile=True),
        HANDLED,
        Column("sum:is_missed", N_("Not taken"), tile=True, state=NOT_TAKEN),
        TALK,
        Column("sum:hold", N_("Hold time"), css="p2"),
        Column("sum:ringing", N_("Ringing time"), css="p3"),
        Column("sum:handling", N_("Sum of handling times"), css="p2"),
        Column("closed/avg:handling", N_("Average handling time"), css="p2", tile=True),
        *OF_TIME,
    ),
    parts=WORK_PARTS,
    beside=WORK_BESIDE,
)
WORK_HOURS = replace(WORK, columns=(Column("count", N_("Activities"), tile=True), HANDLED, TALK, *OF_TIME))
ACTIONS = Table(
    USER_EVENTS,
    columns=(
        Column("count", N_("User events"), {}, tile=True),
        Column("count:interaction", N_("Interactions"), tile=True),
        _number("accepted", N_("Accepted"), tile=True),
        _number("rejected", N_("Rejected"), tile=True),
        _number("transferred", N_("Transferred"), tile=True),
    ),
    parts=(
        ("sum:is_accepted", N_("Accepted"), "call"),
        ("sum:is_rejected", N_("Rejected"), "lost"),
        ("", N_("Other"), "pause"),
    ),
    page="/interactions/user-events",
)
OWN_TABLES = {
    By.USER: WORK,
    By.TEAM: WORK,
    By.USER_HOUR: WORK_HOURS,
    By.ACTION: ACTIONS,
}  # of people's work; all else is counted by interactions
OF_PEOPLE = (By.USER, By.TEAM, By.USER_HOUR)


def of(by: By) -> Table:
    """Return the table of a grouping."""
    return OWN_TABLES.get(by, CONTACTS)


def parts(table: Table, values: Values) -> tuple[int, ...]:
    """Return the parts of a bar: the named ones, and the rest of all rows."""
    named = [int(values[name] or 0) for name, _label, _css in table.parts if name]
    return (*named, max(0, int(values["count"]) - sum(named)))
