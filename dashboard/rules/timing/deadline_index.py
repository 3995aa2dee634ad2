"""Index of the deadlines that active rules wait for, by event type; cached per process."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import NamedTuple
from weakref import WeakKeyDictionary

import peewee

from dashboard.db import database
from dashboard.events import switches
from dashboard.models import Rule, RuleGroup
from dashboard.rulelang import working_time
from dashboard.rulelang.triggers import SCHEDULE, After
from dashboard.rulelang.working_time import WorkCalendar
from dashboard.rules import active_rules
from dashboard.rules.active_rules import Live, LiveRule
from dashboard.rules.timing import deadlines
from dashboard.rules.timing.state_periods import StatePeriod


class DeadlineGroup(NamedTuple):
    """The rules whose deadline of one type is the same time after a period's base, given by `after`."""

    after: After
    rules: tuple[LiveRule, ...]

    def armed(self, period: StatePeriod) -> list[LiveRule]:
        """Return the rules that apply to a period: those armed no later than it began."""
        return [rule for rule in self.rules if rule.armed_ms <= period.begun_ms]


class SortedDeadlines(NamedTuple):
    """The groups of one deadline type: those counted in any time by rising `seconds`, the others apart."""

    seconds: tuple[int, ...]
    rising: tuple[DeadlineGroup, ...]
    others: tuple[DeadlineGroup, ...]

    @classmethod
    def of(cls, groups: Iterable[DeadlineGroup]) -> SortedDeadlines:
        """Return the ladder of the groups."""
        found = list(groups)
        rising = sorted(
            (each for each in found if not each.after.calendar), key=lambda each: each.after.seconds
        )
        others = tuple(each for each in found if each.after.calendar)
        return cls(tuple(each.after.seconds for each in rising), tuple(rising), others)

    def rules(self) -> Iterator[LiveRule]:
        """Yield every rule."""
        for group in (*self.rising, *self.others):
            yield from group.rules

    def since(self, period: StatePeriod, since_ms: int) -> Iterator[DeadlineGroup]:
        """Yield the groups whose deadline of a period may lie at `since_ms` or later, the next first."""
        first = 0
        if since_ms > period.begun_ms:  # else what was over when the period began is among them
            first = bisect_left(self.seconds, -(-(since_ms - period.base_ms) // 1000))
        yield from self.others
        yield from islice(self.rising, first, None)


class DeadlineIndex(NamedTuple):
    """The deadlines of the rules in force and of those held with their group, by type; what can be the
    first of each type; the rules that run by the calendar; every calendar by name."""

    live: Live
    groups: Mapping[str, SortedDeadlines]
    soonest: Mapping[str, tuple[After, ...]]
    scheduled: Mapping[int, LiveRule]
    held: Mapping[int, LiveRule]
    calendars: Mapping[str, WorkCalendar]

    def rule(self, ident: int) -> LiveRule | None:
        """Return a rule in force or held."""
        return self.live.rules.get(ident) or self.held.get(ident)

    def earliest(self, type_: str, base_ms: int) -> int | None:
        """Return when a period of that base first falls due for any rule; None for none."""
        dues = (
            deadlines.later(base_ms, after.seconds, after.calendar, self.calendars)
            for after in self.soonest.get(type_, ())
        )
        return min((due for due in dues if due is not None), default=None)

    def next_run(self, rule: LiveRule, after_ms: int) -> int | None:
        """Return when a rule that runs by the calendar runs next, in ms; None for never."""
        schedule = rule.definition.schedule
        if schedule is None:
            return None
        calendar = self.calendars.get(schedule.calendar)
        if schedule.calendar and calendar is None:
            return None
        zone = rule.definition.zone or (calendar.zone if calendar else rule.spec.context.zone)
        following = working_time.next_run(schedule, zone, calendar, after_ms // 1000)
        return None if following is None else following * 1000


_KEPT: WeakKeyDictionary[peewee.Database, DeadlineIndex] = WeakKeyDictionary()


def current(live: Live | None = None) -> DeadlineIndex:
    """Return the plan of the rules in force (`live`, where the caller has them already)."""
    live = live or active_rules.live()
    kept = _KEPT.get(database.obj)
    if kept is None or kept.live is not live:
        kept = _KEPT[database.obj] = _build(live)
    return kept


def _build(live: Live) -> DeadlineIndex:
    held = {rule.id: rule for rule in _held()}
    rules = [*live.rules.values(), *held.values()]
    groups = _groups(rules)
    return DeadlineIndex(
        live,
        {type_: SortedDeadlines.of(found) for type_, found in groups.items()},
        {type_: _soonest(each.after for each in found) for type_, found in groups.items()},
        {rule.id: rule for rule in rules if rule.definition.schedule and switches.in_rules(SCHEDULE)},
        held,
        active_rules.load_calendars(),
    )


def _held() -> list[LiveRule]:
    """Return the rules that are on but whose group pauses: their deadlines wait for it."""
    query = Rule.select().join(RuleGroup).where(RuleGroup.paused & Rule.state.in_(active_rules.LIVE))
    return [rule for rule in map(active_rules.load, query) if rule is not None]


def _groups(rules: Sequence[LiveRule]) -> dict[str, tuple[DeadlineGroup, ...]]:
    found: dict[str, dict[After, list[LiveRule]]] = {}
    for rule in rules:
        after = rule.definition.after
        for type_ in rule.definition.types if after is not None else ():
            if after is not None and switches.in_rules(type_):
                found.setdefault(type_, {}).setdefault(after, []).append(rule)
    return {
        type_: tuple(DeadlineGroup(after, tuple(each)) for after, each in by_after.items())
        for type_, by_after in found.items()
    }


def _soonest(given: Iterable[After]) -> tuple[After, ...]:
    """Return of each calendar, and of any time, the shortest: nothing else can be the first to fall due."""
    least: dict[str, int] = {}
    for after in given:
        least[after.calendar] = min(after.seconds, least.get(after.calendar, after.seconds))
    return tuple(After(seconds, calendar) for calendar, seconds in sorted(least.items()))
