"""The tables of figures: their columns, what they are made from, and where their numbers lead."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from dashboard.exports.table import Kind
from dashboard.i18n.message import N_
from dashboard.sources.catalogue import ACTIVITIES, INTERACTIONS, USER_EVENTS
from dashboard.sources.types import Source

Values = Mapping[str, Any]
Figure = float | int | None


class By(StrEnum):
    """By what the figures are grouped; the value is the group of the query."""

    QUEUE = "queue"
    USER = "user"
    ACTION = "kind"
    CHANNEL = "channel"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    WEEKDAY = "weekday"
    HOUR = "hour_of_day"


BY = {
    By.QUEUE: N_("Queue"),
    By.USER: N_("User"),
    By.ACTION: N_("User event"),
    By.CHANNEL: N_("Channel"),
    By.DAY: N_("Day"),
    By.WEEK: N_("Week"),
    By.MONTH: N_("Month"),
    By.WEEKDAY: N_("Day of the week"),
    By.HOUR: N_("Hour of the day"),
}
TIMED = (By.DAY, By.WEEK, By.MONTH, By.WEEKDAY, By.HOUR)


@dataclass(frozen=True)
class Column:
    """A figure: its value from the measures of a group, and the filters of the rows behind it.

    A `tile` stands above the table as well.
    """

    key: str
    label: str
    kind: Kind
    value: Callable[[Values], Figure]
    rows: Mapping[str, str] | None = None
    tile: bool = False


@dataclass(frozen=True)
class Table:
    """The figures of a data source; `always` are filters of every query."""

    source: Source
    measures: tuple[str, ...]
    columns: tuple[Column, ...]
    always: Mapping[str, str]
    parts: tuple[tuple[str, str, str], ...]  # of the chart's bars: measure, label, class


def _measure(name: str) -> Callable[[Values], Figure]:
    return lambda values: values[name]


def _share(part: str, whole: str) -> Callable[[Values], Figure]:
    return lambda values: values[part] / values[whole] if values[whole] else None


CONTACTS = Table(
    INTERACTIONS,
    measures=(
        "count",
        "sum:is_answered",
        "sum:is_abandoned",
        "sum:in_level",
        "sum:is_decided",
        "sum:timeouts",
        "avg:wait",
        "median:wait",
        "p90:wait",
        "max:wait",
        "sum:talk",
    ),
    columns=(
        Column("received", N_("Received"), Kind.INT, _measure("count"), {}, tile=True),
        Column("answered", N_("Answered"), Kind.INT, _measure("sum:is_answered"), {"outcome": "answered"}),
        Column(
            "answer_rate",
            N_("Answer rate"),
            Kind.PERCENT,
            _share("sum:is_answered", "sum:is_decided"),
            tile=True,
        ),
        Column(
            "abandoned",
            N_("Abandoned"),
            Kind.INT,
            _measure("sum:is_abandoned"),
            {"outcome": "abandoned"},
            True,
        ),
        Column(
            "level", N_("Service level"), Kind.PERCENT, _share("sum:in_level", "sum:is_decided"), tile=True
        ),
        Column("timeouts", N_("Timeouts"), Kind.INT, _measure("sum:timeouts"), {"timeouts__gt": "0"}),
        Column("wait", N_("Average wait"), Kind.DURATION, _measure("avg:wait"), tile=True),
        Column("wait_median", N_("Median wait"), Kind.DURATION, _measure("median:wait")),
        Column("wait_p90", N_("P90 of waiting"), Kind.DURATION, _measure("p90:wait")),
        Column("wait_longest", N_("Longest wait"), Kind.DURATION, _measure("max:wait")),
        Column("talk", N_("Talk time"), Kind.DURATION, _measure("sum:talk")),
    ),
    always={"is_received": "1", "queue__blank": "0"},
    parts=(
        ("sum:is_answered", N_("Answered"), "call"),
        ("sum:is_abandoned", N_("Abandoned"), "lost"),
        ("", N_("Other"), "pause"),
    ),
)
WORK = Table(
    ACTIVITIES,
    measures=(
        "count",
        "sum:is_closed",
        "sum:is_missed",
        "sum:talk",
        "sum:hold",
        "sum:ringing",
        "sum:handling",
        "avg:handling",
    ),
    columns=(
        Column("activities", N_("Activities"), Kind.INT, _measure("count"), tile=True),
        Column("closed", N_("Closed"), Kind.INT, _measure("sum:is_closed"), tile=True),
        Column("not_taken", N_("Not taken"), Kind.INT, _measure("sum:is_missed"), tile=True),
        Column("talk", N_("Talk time"), Kind.DURATION, _measure("sum:talk"), tile=True),
        Column("hold", N_("Hold time"), Kind.DURATION, _measure("sum:hold")),
        Column("ringing", N_("Ringing time"), Kind.DURATION, _measure("sum:ringing")),
        Column("handling", N_("Sum of handling times"), Kind.DURATION, _measure("sum:handling")),
        Column(
            "handling_avg", N_("Average handling time"), Kind.DURATION, _measure("avg:handling"), tile=True
        ),
    ),
    always={},
    parts=(
        ("sum:is_closed", N_("Closed"), "call"),
        ("sum:is_missed", N_("Not taken"), "lost"),
        ("", N_("Other"), "pause"),
    ),
)


ACTIONS = Table(
    USER_EVENTS,
    measures=("count", "count:interaction", "sum:is_accepted", "sum:is_rejected", "sum:is_transferred"),
    columns=(
        Column("events", N_("User events"), Kind.INT, _measure("count"), tile=True),
        Column("interactions", N_("Interactions"), Kind.INT, _measure("count:interaction"), tile=True),
        Column("accepted", N_("Accepted"), Kind.INT, _measure("sum:is_accepted"), tile=True),
        Column("rejected", N_("Rejected"), Kind.INT, _measure("sum:is_rejected"), tile=True),
        Column("transferred", N_("Transferred"), Kind.INT, _measure("sum:is_transferred"), tile=True),
    ),
    always={},
    parts=(
        ("sum:is_accepted", N_("Accepted"), "call"),
        ("sum:is_rejected", N_("Rejected"), "lost"),
        ("", N_("Other"), "pause"),
    ),
)
OWN_TABLES = {By.USER: WORK, By.ACTION: ACTIONS}  # of people's work; all else is counted by interactions


def of(by: By) -> Table:
    """Return the table of a grouping."""
    return OWN_TABLES.get(by, CONTACTS)


def parts(table: Table, values: Values) -> tuple[int, ...]:
    """Return the parts of a bar: the named ones, and the rest of all rows."""
    named = [int(values[name] or 0) for name, _label, _css in table.parts if name]
    return (*named, max(0, int(values["count"]) - sum(named)))


def written(column: Column, values: Values, write: Mapping[Kind, Callable[[Any], str]]) -> str:
    """Return a figure as text, "" where there is none."""
    value = column.value(values)
    return "" if value is None else write[column.kind](value)
