"""The figures of one user's period as values and as JSON. Pure; `statistics` works them out.

Times are whole seconds. `handling`, `talk` and `hold` are real time (overlaps counted once), `load`
is the sum (overlaps counted as often as they are worked on), `closed` counts closed activities.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Work:
    handling: int = 0
    load: int = 0
    closed: int = 0
    talk: int = 0
    hold: int = 0
    attempts: int = 0  # activities whose handling began in the period
    without_end: int = 0  # activities whose end never came, bounded from the period on
    unproved: int = 0  # seconds in which they may have gone on, in no other figure

    @property
    def used(self) -> bool:
        """Whether there is anything to tell."""
        return bool(self.load or self.closed or self.talk or self.hold or self.attempts or self.without_end)


@dataclass(frozen=True)
class PauseFigures:
    """Time of one pause type; `count` is of pauses that began in the period."""

    label: str
    paid: bool
    seconds: int
    count: int


@dataclass(frozen=True)
class Pauses:
    total: int = 0
    paid: int = 0
    unpaid: int = 0
    types: tuple[PauseFigures, ...] = ()


@dataclass(frozen=True)
class Tickets:
    """Distinct tickets that the user edited (closing is an edit) and closed."""

    edited: int = 0
    closed: int = 0


@dataclass(frozen=True)
class Quality:
    """Stretches of the period whose start or end was concluded, and those still open."""

    inferred: int = 0
    open: int = 0


@dataclass(frozen=True)
class Figures:
    """Statistics of one user and period; identities that always hold:

    login = ready + not_ready + pause.total; ready = busy + ringing + free; pause = paid + unpaid.
    Times and counts of adjacent periods add up. `occupancy` and `utilisation` are 0 to 1, or None
    when there is nothing to divide by. `aht` maps a type to the mean full handling of its closed
    activities, floored; a type without any is absent.
    """

    login: int
    ready: int
    not_ready: int
    busy: int
    ringing: int
    free: int
    offline: int
    pause: Pauses
    calls: Work
    dialled: Work
    emails: Work
    chats: Work
    chat_channels: Mapping[str, Work]
    tickets: Tickets
    work_in_pause: int
    work_logged_out: int
    occupancy: float | None
    utilisation: float | None
    aht: Mapping[str, int]
    quality: Quality
    login_reported: int | None = None
    login_inferred: bool = False  # concluded from ready and pause: the user never signs in
    events: Mapping[str, int] = field(default_factory=dict)


def as_json(figures: Figures) -> dict[str, Any]:
    """Return the figures as the `statistics` of the tracing interface, in seconds and counts.

    A chat channel, `calls.dialled`, `login_reported` and `login_inferred` appear when used.
    """
    chats: dict[str, Any] = _shared(figures.chats)
    chats |= {channel: _shared(work) for channel, work in figures.chat_channels.items()}
    calls: dict[str, Any] = _spoken(figures.calls)
    if figures.dialled.used:
        calls["dialled"] = _spoken(figures.dialled) | {"attempts": figures.dialled.attempts}
    shown: dict[str, Any] = {
        "login": figures.login,
        "ready": figures.ready,
        "not_ready": figures.not_ready,
        "busy": figures.busy,
        "ringing": figures.ringing,
        "free": figures.free,
        "offline": figures.offline,
        "pause": _pauses(figures.pause),
        "calls": calls,
        "emails": _shared(figures.emails),
        "chats": chats,
        "tickets": {"edited": figures.tickets.edited, "closed": figures.tickets.closed},
        "work_in_pause": figures.work_in_pause,
        "work_logged_out": figures.work_logged_out,
        "occupancy": figures.occupancy,
        "utilisation": figures.utilisation,
        "aht": dict(figures.aht),
        "events": dict(figures.events),
        "quality": {"inferred": figures.quality.inferred, "open": figures.quality.open},
    }
    if figures.login_reported is not None:
        shown["login_reported"] = figures.login_reported
    if figures.login_inferred:
        shown["login_inferred"] = True
    return shown


def _shared(work: Work) -> dict[str, int]:
    return {"handling": work.handling, "load": work.load, "closed": work.closed} | _endless(work)


def _endless(work: Work) -> dict[str, int]:
    """Return how many activities have no end and for how long they may have gone on; absent without any."""
    if not work.without_end and not work.unproved:
        return {}
    return {"without_end": work.without_end, "unproved": work.unproved}


def _spoken(work: Work) -> dict[str, int]:
    return {
        "handling": work.handling,
        "talk": work.talk,
        "hold": work.hold,
        "load": work.load,
        "closed": work.closed,
    } | _endless(work)


def _pauses(pauses: Pauses) -> dict[str, Any]:
    return {
        "total": pauses.total,
        "paid": pauses.paid,
        "unpaid": pauses.unpaid,
        "types": [
            {"label": one.label, "paid": bool(one.paid), "seconds": one.seconds, "count": one.count}
            for one in pauses.types
        ],
    }
