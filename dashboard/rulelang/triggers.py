"""The trigger options of a rule: `after`, `count`, `schedule`, `times` and `wait`. Pure.

The origin of an event type decides which option a rule on it must have: `after` for deadlines (how long a
state lasts), `count` for counters, `schedule` for the calendar. Rules on other types may have `times` (a
number of events within a window) or `wait` (act later, unless a given event comes first).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from dashboard import catalog, clock
from dashboard.catalog import Origin
from dashboard.i18n.message import N_
from dashboard.rulelang.action_config import AvailableReferences
from dashboard.rulelang.operand_types import NOT_A_CLOCK
from dashboard.rulelang.rate_limits import MAX_TIMES, MAX_WINDOW_S, By, Times
from dashboard.rulelang.time_predicates import minutes
from dashboard.rulelang.validation import Checks

MAX_TYPES = 20
MAX_WAIT_S = 31 * 86400
MAX_AFTER_S = 366 * 86400
MAX_COUNT = 100_000
MAX_CLOCKS = 24
EVERY_DAY = (1, 2, 3, 4, 5, 6, 7)

# Found at a time that the event's data names; the wait after it may be none.
DUE = frozenset({"ticket.followup_due", "task.due", "task.overdue"})
SCHEDULE = "schedule.reached"
DEADLINES = frozenset(
    name
    for name, type_ in catalog.CATALOG.items()
    if type_.internal and type_.origin is Origin.TIMER and name != SCHEDULE
)
COUNTERS = frozenset({"chat.count_reached", "ticket.count_reached", "agent.capacity_reached"})
COUNT_BY = ("agent", "queue")
TIMES_BY = (By.SUBJECT, By.CONTACT, By.AGENT, By.RULE)

UNKNOWN_TYPE = N_("There is no event type “%(type)s”.")
NO_AFTER = N_("Say after how long: these types are found by time.")
NO_COUNT = N_("Say at how many: these types are found by a count.")
NO_SCHEDULE = N_("Say at what times: this rule runs by the calendar.")
NOT_HERE = N_("This does not go with the chosen event types: leave it out.")
NO_CALENDAR = N_("The calendar does not exist any more: choose another.")
NO_ZONE = N_("There is no such time zone.")
PER_AGENT = N_("An agent's capacity is counted per agent.")


@dataclass(frozen=True)
class After:
    """How long a state must last: in working time of the calendar of that name, in any time for ""."""

    seconds: int
    calendar: str = ""


@dataclass(frozen=True)
class Wait:
    """To act so long after the event, unless one of the types `unless` occurs on its subject first."""

    seconds: int
    calendar: str = ""
    unless: tuple[str, ...] = ()


@dataclass(frozen=True)
class Count:
    """To act when `by` ("agent" or "queue") has `number` of them open; again once it was at `clear`."""

    number: int
    clear: int = 0
    by: str = "agent"


@dataclass(frozen=True)
class Schedule:
    """To act at local times "HH:MM" on weekdays 1 to 7; with a calendar only on its working days."""

    at: tuple[str, ...]
    days: tuple[int, ...] = EVERY_DAY
    calendar: str = ""


def origin(name: str) -> str:
    """Return the part that a rule on this type must have: after, count or schedule; "" for none."""
    if name in DEADLINES:
        return "after"
    return "count" if name in COUNTERS else "schedule" if name == SCHEDULE else ""


def shown(name: Any) -> str:
    """Return a name that is no type as an error may show it."""
    return name[:80] if isinstance(name, str) else "…"


class TriggerParser:
    """The parts about time and number; each goes with some types only."""

    def __init__(
        self, given: dict[str, Any], types: tuple[str, ...], site: AvailableReferences | None, checks: Checks
    ) -> None:
        self.given, self.types, self.site, self.checks = given, types, site, checks
        self.origins = {origin(name) for name in types}

    def _part(self, name: str, needed_by: str, need: str, names: tuple[str, ...]) -> dict[str, Any] | None:
        """Return the part `name` where it may stand; complain where it may not, or is missing."""
        raw = self.given.get(name)
        fits = not self.types or needed_by in self.origins
        if raw is None:
            if fits and self.types and need:
                self.checks.add(name, need)
            return None
        if not fits:
            self.checks.add(name, NOT_HERE)
            return None
        return self.checks.part(raw, name, names)

    def _calendar(self, part: dict[str, Any], path: str) -> str:
        found = self.checks.text(part.get("calendar"), path, 120, lines=False, needed=False)
        if found and self.site is not None and found not in self.site.calendars:
            self.checks.add(path, NO_CALENDAR)
        return found

    def times(self) -> Times | None:
        part = self._part("times", "", "", ("number", "seconds", "by", "clear"))
        if part is None:
            return None
        whole = self.checks.whole
        number = whole(part.get("number"), "times.number", 1, MAX_TIMES)
        seconds = whole(part.get("seconds"), "times.seconds", 1, MAX_WINDOW_S)
        by = self.checks.one_of(part.get("by", "subject"), "times.by", TIMES_BY)
        return Times(number, seconds, By(by), whole(part.get("clear", 0), "times.clear", 0, number - 1))

    def after(self) -> After | None:
        due = bool(self.types) and DUE.issuperset(self.types)
        need = "" if due else NO_AFTER
        part = self._part("after", "after", need, ("seconds", "calendar"))
        if part is None:
            return After(0) if due else None
        least = 0 if due else 1
        seconds = self.checks.whole(part.get("seconds"), "after.seconds", least, MAX_AFTER_S)
        return After(seconds, self._calendar(part, "after.calendar"))

    def wait(self) -> Wait | None:
        part = self._part("wait", "", "", ("seconds", "calendar", "unless"))
        if part is None:
            return None
        seconds = self.checks.whole(part.get("seconds"), "wait.seconds", 1, MAX_WAIT_S)
        unless: dict[str, None] = {}
        for name in self.checks.items(part.get("unless") or [], "wait.unless", 0, MAX_TYPES):
            type_ = catalog.find(name) if isinstance(name, str) else None
            if type_ is None:
                self.checks.add("wait.unless", UNKNOWN_TYPE, type=shown(name))
            else:
                unless[type_.name] = None
        return Wait(seconds, self._calendar(part, "wait.calendar"), tuple(unless))

    def count(self) -> Count | None:
        part = self._part("count", "count", NO_COUNT, ("number", "clear", "by"))
        if part is None:
            return None
        number = self.checks.whole(part.get("number"), "count.number", 1, MAX_COUNT)
        clear = self.checks.whole(part.get("clear", number - 1), "count.clear", 0, number - 1)
        by = self.checks.one_of(part.get("by", "agent"), "count.by", COUNT_BY)
        if by != "agent" and "agent.capacity_reached" in self.types:
            self.checks.add("count.by", PER_AGENT)
        return Count(number, clear, by)

    def schedule(self) -> Schedule | None:
        part = self._part("schedule", "schedule", NO_SCHEDULE, ("at", "days", "calendar"))
        if part is None:
            return None
        at = self.checks.items(part.get("at") or [], "schedule.at", 1, MAX_CLOCKS)
        good = [each for each in at if _is_clock(each)]
        if len(good) < len(at):
            self.checks.add("schedule.at", NOT_A_CLOCK)
        days = self.checks.items(part.get("days", list(EVERY_DAY)), "schedule.days", 1, 7)
        asked = [self.checks.whole(day, "schedule.days", 1, 7) for day in days]
        plan = tuple(sorted(set(good), key=minutes)), tuple(sorted(set(asked)))
        return Schedule(*plan, self._calendar(part, "schedule.calendar"))

    def zone(self) -> str:
        found = self.checks.text(self.given.get("zone"), "zone", 64, lines=False, needed=False)
        try:
            clock.zone(found or "UTC")
        except ValueError:
            self.checks.add("zone", NO_ZONE)
            return ""
        return found


def _is_clock(raw: Any) -> bool:
    return (
        isinstance(raw, str)
        and len(raw) == 5
        and raw[2] == ":"
        and raw[:2].isascii()
        and raw[3:].isascii()
        and raw[:2].isdigit()
        and raw[3:].isdigit()
        and int(raw[:2]) < 24
        and int(raw[3:]) < 60
    )
