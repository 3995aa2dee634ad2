"""Quiet hours: until when a notice that is not urgent waits. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from typing import Protocol

from dashboard import clock
from dashboard.clock import Span

AHEAD_DAYS = 8  # a week of quiet days and the night that follows


class Hours(Protocol):
    """What a profile says: local times "20:00" (both or neither), and whole days, 1 Monday to 7."""

    @property
    def quiet_from(self) -> str: ...
    @property
    def quiet_to(self) -> str: ...
    @property
    def quiet_days(self) -> Sequence[int]: ...


def quiet_until(profile: Hours, now_ms: int, zone: str) -> int | None:
    """Return the UTC epoch milliseconds at which the quiet that holds at `now_ms` ends; None outside it.

    Hours that end before they begin go over midnight; hours and days that meet are one quiet. A time
    that the clock skips is the next valid one; of a time that comes twice, quiet begins with the first
    and ends with the second. Nothing waits longer than eight days, so a week of quiet days is no grave.
    """
    now = now_ms // 1000
    today = clock.local_date(now, zone)
    until: int | None = None
    for span in sorted(_spans(profile, today, zone)):
        if span.start <= (now if until is None else until) < span.end:
            until = span.end
    return None if until is None else until * 1000


def _spans(profile: Hours, today: date, zone: str) -> Iterator[Span]:
    """Yield the stretches of quiet that begin yesterday or later, in no order."""
    for offset in range(-1, AHEAD_DAYS):
        on = today + timedelta(days=offset)
        if on.isoweekday() in profile.quiet_days:
            yield clock.day(on, zone)
        if profile.quiet_from and profile.quiet_to and profile.quiet_from != profile.quiet_to:
            over = timedelta(days=profile.quiet_to <= profile.quiet_from)
            yield Span(_at(on, profile.quiet_from, zone), _at(on + over, profile.quiet_to, zone, end=True))


def _at(on: date, text: str, zone: str, end: bool = False) -> int:
    return clock.resolve(datetime.combine(on, time.fromisoformat(text)), zone, end)
