"""The trigger options of a rule: `after`, `count`, `schedule`, `times` and `wait`. Pure.

The origin of an event type decides which option a rule on it must have: `after` for deadlines (how long a
state lasts), `count` for counters, `schedule` for the calendar. Rules on other types may have `times` (a
number of events within a window) or `wait` (act later, unless a given event comes first).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from dashboard import catalog, clock
from dashboard.catalog import Origin
from dashboard.i18n.message import N_
from dashboard.rulelang import declared
from dashboard.rulelang.declared import Declared, part
from dashboard.rulelang.rate_limits import Times
from dashboard.rulelang.validation import ROOT, Checks, ErrorPath
from dashboard.rulelang.values import (
    EVERY_DAY,
    CalendarName,
    Choice,
    Clocks,
    EventTypes,
    Kind,
    Seconds,
    Weekdays,
    Whole,
)

MAX_WAIT_S = 31 * 86400
MAX_AFTER_S = 366 * 86400
MAX_COUNT = 100_000

# Found at a time that the event's data names; the wait after it may be none.
DUE = frozenset({"ticket.followup_due", "task.due", "task.overdue"})
SCHEDULE = "schedule.reached"
DEADLINES = frozenset(
    name
    for name, type_ in catalog.CATALOG.items()
    if type_.internal and type_.origin is Origin.TIMER and name != SCHEDULE
)
COUNTERS = frozenset({"chat.count_reached", "ticket.count_reached", "agent.capacity_reached"})
COUNT_BY = {"agent": N_("Agent"), "queue": N_("Queue")}

NO_AFTER = N_("Enter a duration. These event types depend on time.")
NO_COUNT = N_("Enter a threshold. These event types depend on a count.")
NO_SCHEDULE = N_("Enter times. This rule runs on a schedule.")
NOT_HERE = N_("Not supported by the selected event types. Remove it.")
NO_ZONE = N_("Unknown time zone.")
PER_AGENT = N_("Agent capacity is always counted per agent.")

WORKING_TIME = N_("Working hours")


def _calendar() -> Any:
    return part(CalendarName(), WORKING_TIME, "")


@dataclass(frozen=True)
class After(Declared):
    """How long a state must last: in working time of the calendar of that name, in any time for ""."""

    seconds: int = part(Seconds(0, MAX_AFTER_S), N_("After"))
    calendar: str = _calendar()

    def check(self, path: ErrorPath, checks: Checks) -> None:
        if not DUE.issuperset(checks.types):
            checks.duration(self.seconds, path / "seconds", 1, MAX_AFTER_S)


@dataclass(frozen=True)
class Wait(Declared):
    """To act so long after the event, unless one of the types `unless` occurs on its subject first."""

    seconds: int = part(Seconds(1, MAX_WAIT_S), N_("Delay"))
    calendar: str = _calendar()
    unless: tuple[str, ...] = part(EventTypes(), default=())


@dataclass(frozen=True)
class Count(Declared):
    """To act when `by` ("agent" or "queue") has `number` of them open; again once it was at `clear`."""

    number: int = part(Whole(1, MAX_COUNT), N_("Threshold"))
    clear: int = part(Whole(0, MAX_COUNT - 1), N_("Reset when count drops to"), 0)
    by: str = part(Choice(COUNT_BY), N_("Counted per"), "agent")

    @classmethod
    def completed(cls, given: Mapping[str, Any]) -> Mapping[str, Any]:
        number = given.get("number")
        good = isinstance(number, int) and 1 <= number <= MAX_COUNT
        return {"clear": number - 1 if good and number is not None else 0, **given}

    def check(self, path: ErrorPath, checks: Checks) -> None:
        checks.whole(self.clear, path / "clear", 0, self.number - 1)
        if self.by != "agent" and "agent.capacity_reached" in checks.types:
            checks.add(path / "by", PER_AGENT)


@dataclass(frozen=True)
class Schedule(Declared):
    """To act at local times "HH:MM" on weekdays 1 to 7; with a calendar only on its working days."""

    at: tuple[str, ...] = part(Clocks(), N_("Time"), hint="08:00, 12:30")
    days: tuple[int, ...] = part(Weekdays(), N_("Days"), EVERY_DAY)
    calendar: str = _calendar()


@dataclass(frozen=True, slots=True)
class Option:
    """One option: the dataclass of its parts, and the event types that it is for.

    `origin` is "after", "count" or "schedule" for types of that origin, "" for other types. `needed` is the
    error of a rule on such types without it, "" where it may be left out. `proposal` is what the editor
    fills in.
    """

    cls: type[Declared]
    origin: str
    needed: str
    proposal: Mapping[str, Any]


OPTIONS: Mapping[str, Option] = MappingProxyType(
    {
        "times": Option(Times, "", "", {"number": "", "seconds": 600, "by": "subject", "clear": 0}),
        "after": Option(After, "after", NO_AFTER, {"seconds": 1800, "calendar": ""}),
        "wait": Option(Wait, "", "", {"seconds": "", "calendar": "", "unless": []}),
        "count": Option(Count, "count", NO_COUNT, {"number": 5, "clear": 3, "by": "agent"}),
        "schedule": Option(
            Schedule, "schedule", NO_SCHEDULE, {"at": ["08:00"], "days": [1, 2, 3, 4, 5], "calendar": ""}
        ),
    }
)


@dataclass(frozen=True)
class Zone(Kind):
    """The name of a time zone; "" for none."""

    def parse(self, raw: Any, path: ErrorPath, checks: Checks, required: bool) -> str:
        found = checks.text(raw, path, 64, lines=False, needed=False)
        try:
            clock.zone(found or "UTC")
        except ValueError:
            checks.add(path, NO_ZONE)
            return ""
        return found


def origin(name: str) -> str:
    """Return the option that a rule on this type must have: after, count or schedule; "" for none."""
    if name in DEADLINES:
        return "after"
    return "count" if name in COUNTERS else "schedule" if name == SCHEDULE else ""


def fitting(types: Collection[str]) -> set[str]:
    """Return the names of the options that rules on these types may have."""
    origins = {origin(name) for name in types}
    return {name for name, option in OPTIONS.items() if option.origin in origins}


def parse(given: Mapping[str, Any], checks: Checks) -> dict[str, Any]:
    """Return the options of a rule by name, None for one that it does not have; errors go to `checks`."""
    return {name: _option(name, option, given.get(name), checks) for name, option in OPTIONS.items()}


def _option(name: str, option: Option, raw: Any, checks: Checks) -> Declared | None:
    types, path = checks.types, ROOT / name
    fits = not types or name in fitting(types)
    if raw is not None and fits:
        return declared.parse(option.cls, raw, path, checks)
    if raw is not None:
        checks.add(path, NOT_HERE)
    elif fits and types and option.needed:
        if option.cls is After and DUE.issuperset(types):
            return After(0)
        checks.add(path, option.needed)
    return None
