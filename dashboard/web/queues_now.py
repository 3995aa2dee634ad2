"""The queues of the moment, for Home and dashboards: who waits and how long, and today's service level."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from dashboard.access.scope import Scope
from dashboard.clock import Span
from dashboard.i18n import collation
from dashboard.tracing import queues, team
from dashboard.tracing.queues import QueueRow
from dashboard.tracing.team import Level
from dashboard.tracing.types import type_of

LATE_TIMES = 2  # a call waits too long beyond this multiple of the queue's service level


class QueueNow(NamedTuple):
    """A queue: number of waiting contacts and the longest wait in seconds; today `in_level` of `done`.

    `first` is the interaction that waits the longest, known of late calls.
    """

    queue: QueueRow
    waiting: int
    longest: int | None
    in_level: int
    done: int
    first: int | None = None

    @property
    def level(self) -> float | None:
        return self.in_level / self.done if self.done else None

    @property
    def late(self) -> bool:
        return self.longest is not None and self.longest > self.queue.sla_seconds


def read(scope: Scope, passed: Span, language: str) -> list[QueueNow]:
    """Return the queues in the scope by label at the end of `passed`, with the numbers of `passed`, today."""
    found = queues.queues(scope)
    ids = [queue.id for queue in found]
    waiting = team.waiting(scope, ids, passed.end)
    levels = team.levels(scope, ids, passed)
    lines = []
    for queue in sorted(found, key=lambda one: collation.key(one.label, language)):
        held, level = waiting.get(queue.id), levels.get(queue.id, Level(queue.id, 0, 0))
        longest = passed.end - held.since if held else None
        lines.append(QueueNow(queue, held.number if held else 0, longest, level.in_level, level.done))
    return lines


def late(scope: Scope, lines: Sequence[QueueNow], as_of: int) -> list[QueueNow]:
    """Return the queues of calls where somebody waits too long, with the call that waits longest."""
    found = [line for line in lines if type_of(line.queue.channel) == "call" and _too_late(line)]
    first = team.longest_waiting(scope, [line.queue.id for line in found], as_of) if found else {}
    return [line._replace(first=first.get(line.queue.id)) for line in found]


def _too_late(line: QueueNow) -> bool:
    return line.longest is not None and line.longest > LATE_TIMES * line.queue.sla_seconds
