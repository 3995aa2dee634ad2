"""A site whose clock the test turns: events come in as time goes by, deadlines fall due."""

from __future__ import annotations

from typing import Any

import time_machine

from dashboard.models import Run, Timer
from dashboard.rules.timing import deadline_worker
from tests.rules import engine
from tests.rules.engine import NOON, event

MINUTE, HOUR, DAY = 60, 3600, 86_400


class Site:
    """The clock stands; `at` turns it to so many seconds after NOON."""

    def __init__(self, travel: time_machine.Coordinates) -> None:
        self._travel = travel

    def at(self, seconds: float) -> None:
        """Turn the clock without anybody looking at what is due."""
        self._travel.move_to(NOON / 1000 + seconds)

    def wake(self, seconds: float) -> None:
        """Turn the clock and let the worker do all that is due."""
        self.at(seconds)
        while deadline_worker.run_due():
            engine.digest()

    def comes(self, type_: str, seconds: float, name: str | None = "T-1", **more: Any) -> None:
        """Turn the clock to `seconds`; then an event of an interaction comes in and is digested."""
        self.wake(seconds)
        engine.send(event(type_, seconds, interaction=name, **{"user": "jana", **more}))
        engine.digest()


def fired() -> list[tuple[int, str, float]]:
    """Return every run that is no mere example of no match: (rule, outcome, seconds after NOON)."""
    r = Run
    query = r.select(r.rule_id, r.outcome, r.at_ms).where(r.outcome != "not_matched").order_by(r.id)
    return [(rule, outcome, (at - NOON) / 1000) for rule, outcome, at in query.tuples()]


def pending() -> list[tuple[str, str, float]]:
    """Return the timers that are still to come: (type or kind, subject, seconds after NOON)."""
    t = Timer
    query = t.select(t.kind, t.type, t.subject, t.due_ms).order_by(t.due_ms, t.id)
    return [
        (type_ or kind, subject.rpartition(":")[2], (due - NOON) / 1000)
        for kind, type_, subject, due in query.tuples()
    ]
