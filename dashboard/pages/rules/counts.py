"""What became of rules in the last seven days, by one question for all of them."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from peewee import SQL, Case, fn

from dashboard import clock
from dashboard.models import Run
from dashboard.rules.outcomes import RunOutcome

DAYS = 7
DAY_MS = 86_400_000
# A rule that was asked in vain, or not at all, has not run.
IDLE = (RunOutcome.NOT_MATCHED, RunOutcome.TEST, RunOutcome.CANCELLED, RunOutcome.DISABLED)
FAILED = (RunOutcome.PARTLY, RunOutcome.FAILED, RunOutcome.ERROR)


class Week(NamedTuple):
    """Runs of each 24 hours, the oldest first; actions held back by limits; runs that failed."""

    days: tuple[int, ...] = (0,) * DAYS
    held: int = 0
    failed: int = 0

    @property
    def runs(self) -> int:
        return sum(self.days)


def weeks(rule_ids: Collection[int]) -> dict[int, Week]:
    """Return the last seven times 24 hours of each of the rules that ran in them."""
    if not rule_ids:
        return {}
    now_ms = clock.now_ms()
    since = now_ms - DAYS * DAY_MS
    day = (Run.made_ms - since - 1) / DAY_MS
    query = Run.select(
        Run.rule_id,
        day.alias("day"),
        fn.COUNT(Run.id),
        fn.SUM(Run.held),
        fn.SUM(_one_if_failed()),
    ).where(
        Run.rule_id.in_(sorted(rule_ids))
        & (Run.made_ms > since)
        & (Run.made_ms <= now_ms)
        & Run.outcome.not_in(IDLE)
    )
    found: dict[int, Week] = {}
    for rule_id, number, runs, held, failed in query.group_by(Run.rule_id, SQL("day")).tuples():
        week = found.get(rule_id, Week())
        days = [*week.days]
        days[int(number)] += runs
        found[rule_id] = Week(tuple(days), week.held + int(held), week.failed + int(failed))
    return found


def _one_if_failed() -> Case:
    return Case(None, ((Run.outcome.in_(FAILED), 1),), 0)
