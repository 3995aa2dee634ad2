"""Which workers are alive: each says so, in a setting of its own, while its engine runs."""

from __future__ import annotations

import time

from dashboard import clock
from dashboard.jobs import worker
from dashboard.models import Setting

PREFIX = "worker:"
EVERY_S = 15
ALIVE_S = 60  # a worker that has been silent for longer counts as dead
FORGET_MS = 24 * 3600 * 1000
NAME_MAX = 60 - len(PREFIX)  # the column; a host's name is cut, the process id stays
_marked_s: float | None = None


def mark(every_s: float = EVERY_S) -> int:
    """Say that this worker is here, at most once in `every_s`. A tick, and never counted as work."""
    global _marked_s
    if _marked_s is not None and time.monotonic() - _marked_s < every_s:
        return 0
    _marked_s = time.monotonic()
    now_ms = clock.now_ms()
    Setting.put(_name(), str(now_ms))
    gone = [name for name, since_s in workers(now_ms) if since_s * 1000 > FORGET_MS]
    if gone:
        Setting.delete().where(Setting.name.in_([PREFIX + name for name in gone])).execute()
    return 0


def unmark() -> None:
    """Say that this worker has ended."""
    Setting.delete().where(Setting.name == _name()).execute()


def _name() -> str:
    return PREFIX + worker.name()[-NAME_MAX:]


def alive() -> list[tuple[str, int]]:
    """Return each living worker with the seconds since its last heartbeat, latest first."""
    return [each for each in workers(clock.now_ms()) if each[1] <= ALIVE_S]


def workers(now_ms: int) -> list[tuple[str, int]]:
    """Return each worker of the last day with the seconds since its last heartbeat, latest first."""
    query = Setting.select(Setting.name, Setting.value).where(Setting.name.startswith(PREFIX))
    found = [
        (name.removeprefix(PREFIX), max(0, now_ms - int(value)) // 1000) for name, value in query.tuples()
    ]
    return sorted(found, key=lambda each: each[1])
