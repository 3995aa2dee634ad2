"""Summary of a backtest in bounded memory: counts, days, subjects, samples. Pure."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable
from typing import Any, NamedTuple

from dashboard import clock
from dashboard.rulelang.compiler import Trace
from dashboard.rulelang.fields import EventFacts

SAMPLES = 20  # traces kept of what would have run, and as many of what would have failed
TOP = 10  # subjects listed
SUBJECTS = 20_000  # counted at once; beyond, those met least are forgotten

ACTED, THROTTLED, ERROR = "acted", "throttled", "error"
LOOP, DEPTH, MUTED, EXPIRED = "loop_stopped", "depth_stopped", "muted", "expired"
REPORTED = (ACTED, THROTTLED, ERROR, LOOP, DEPTH, EXPIRED, "held")


class BacktestRun(NamedTuple):
    """One run that a rule would have made.

    `name` is the event's or the firing's own part of the run's key.
    `outcome` is one of the words above, `held` how many actions their limits held back.
    """

    name: str
    at_ms: int
    subject: str
    outcome: str
    held: int
    facts: EventFacts
    explain: Callable[[EventFacts], Trace]

    @property
    def sample(self) -> dict[str, Any]:
        """Return the run as plain JSON values, its trace included."""
        event = self.facts["id"]
        return {
            "event": event if isinstance(event, int) else None,
            "at": self.at_ms,
            "subject": self.subject,
            "type": self.facts["type"],
            "outcome": self.outcome,
            "held": self.held,
            "user": self.facts.get("user"),
            "queue": self.facts.get("queue"),
            "trace": self.explain(self.facts).as_json(),
        }


class BacktestSummary:
    """Sums of what one version of a rule would have done; `zone` says when a day begins, `covers`
    which runs the viewer may see: the others are not even counted."""

    def __init__(self, zone: str, covers: Callable[[EventFacts], bool]) -> None:
        self.zone, self.covers = zone, covers
        self.counts: Counter[str] = Counter()
        self.days: dict[str, list[int]] = {}
        self.subjects: Counter[str] = Counter()
        self.acted: deque[BacktestRun] = deque(maxlen=SAMPLES)
        self.failed: deque[BacktestRun] = deque(maxlen=SAMPLES)
        self._dates: dict[int, str] = {}

    def add(self, found: BacktestRun) -> None:
        if not self.covers(found.facts):
            return
        self.counts[found.outcome] += 1
        self.counts["held"] += found.held
        if found.outcome in (ACTED, THROTTLED):
            day = self.days.setdefault(self._date(found.at_ms), [0, 0])
            day[0] += 1
            day[1] += found.outcome == ACTED
        self._show(found)

    def result(self) -> dict[str, Any]:
        """Return the sums as plain JSON values; samples are the latest ones, the first first."""
        return {
            "matched": self.counts[ACTED] + self.counts[THROTTLED],
            **{name: self.counts[name] for name in REPORTED},
            "days": {day: self.days[day] for day in sorted(self.days)},
            "subjects": [list(pair) for pair in self.subjects.most_common(TOP)],
            "samples": [found.sample for found in self.acted],
            "failures": [found.sample for found in self.failed],
        }

    def _show(self, found: BacktestRun) -> None:
        if found.outcome != EXPIRED:
            (self.acted if found.outcome in (ACTED, THROTTLED) else self.failed).append(found)
        if found.outcome in (ACTED, THROTTLED):
            self.subjects[found.subject] += 1
            if len(self.subjects) > SUBJECTS:
                self.subjects = Counter(dict(self.subjects.most_common(SUBJECTS // 2)))

    def _date(self, at_ms: int) -> str:
        quarter = at_ms // 900_000  # local dates change at whole quarters of an hour only
        if quarter not in self._dates:
            self._dates[quarter] = clock.local_date(at_ms // 1000, self.zone).isoformat()
        return self._dates[quarter]
