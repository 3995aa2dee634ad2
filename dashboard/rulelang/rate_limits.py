"""Rate limits of actions and counting windows ("N times within M minutes"). Pure: state in, state out.

The caller stores the states, one per key, and writes them by compare-and-set: it stores `after` only if the
stored state still equals `before`, else it tries again. Instants are UTC epoch seconds, given by the
caller; a late event is counted at its own time. Source: semantics 9.4, 9.5 and 9.6.
"""

from __future__ import annotations

import hashlib
from bisect import insort
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any, NamedTuple

from dashboard.i18n.message import N_
from dashboard.rulelang import declared
from dashboard.rulelang.declared import Declared, part
from dashboard.rulelang.fields import EventFacts, is_empty
from dashboard.rulelang.validation import NOT_LISTED, Checks, ErrorPath
from dashboard.rulelang.values import Choice, Kind, Seconds, Whole

MINUTE_S, HOUR_S, DAY_S = 60, 3600, 86400
# The periods in which an action may be done at most once.
PERIODS = (
    *(minutes * MINUTE_S for minutes in (5, 10, 15, 30, 60)),
    *(hours * HOUR_S for hours in (3, 12, 24)),
    *(days * DAY_S for days in (7, 30)),
)
MAX_TIMES = 1000  # of a counter; a window keeps as many instants
MAX_WINDOW_S = 31 * DAY_S
KEY_MAX = 300  # letters: the columns' length
BREAKER_RUNS, BREAKER_S = 20, HOUR_S  # runs of one rule on one subject after which it pauses


class Often(StrEnum):
    """How often an action may be done for one key."""

    ALWAYS = "always"
    ONCE = "once"
    EPISODE = "episode"  # once while a state lasts
    PERIOD = "period"  # once in `seconds`


class By(StrEnum):
    """The key by which a limit or a counter is kept."""

    SUBJECT = "subject"
    CONTACT = "contact"
    RECIPIENT = "recipient"
    AGENT = "agent"
    RULE = "rule"


OFTEN = MappingProxyType(
    {
        Often.ALWAYS: N_("Every time"),
        Often.ONCE: N_("Once"),
        Often.EPISODE: N_("Once per state"),
        Often.PERIOD: N_("Once every %(time)s"),
    }
)
BY = MappingProxyType(
    {
        By.SUBJECT: N_("Item"),
        By.CONTACT: N_("Contact"),
        By.RECIPIENT: N_("Recipient"),
        By.AGENT: N_("Agent"),
        By.RULE: N_("The whole rule"),
    }
)
TIMES_BY = {by: label for by, label in BY.items() if by is not By.RECIPIENT}


@dataclass(frozen=True)
class Limit(Declared):
    """An action's maximum frequency. `seconds` is one of PERIODS and is read for PERIOD alone."""

    often: Often = part(Choice(OFTEN), N_("Maximum frequency"), Often.ALWAYS)
    by: By = part(Choice(BY), N_("Counted per"), By.SUBJECT)
    seconds: int = part(Whole(0, PERIODS[-1]), default=0)

    @classmethod
    def completed(cls, given: Mapping[str, Any]) -> Mapping[str, Any]:
        if given.get("often") == Often.PERIOD:
            return given
        return {name: each for name, each in given.items() if name != "seconds"}

    def check(self, path: ErrorPath, checks: Checks) -> None:
        if self.often is Often.PERIOD:
            checks.whole(self.seconds, path / "seconds", PERIODS[0], PERIODS[-1])
            if self.seconds not in PERIODS:
                checks.add(path / "seconds", NOT_LISTED)


@dataclass(frozen=True)
class Frequency(Kind):
    """How often an action may be done: a `Limit`."""

    def parse(self, raw: Any, path: ErrorPath, checks: Checks, required: bool) -> Limit:
        return declared.parse(Limit, {} if raw is None else raw, path, checks)


class LimitState(NamedTuple):
    """What is known of one (action, key). `next_ts` is when it may be done again, None for never in this
    episode; `suppressed` counts what was held back since it was last done, from `since_ts` on."""

    next_ts: int | None
    episode: str = ""
    suppressed: int = 0
    since_ts: int | None = None


class Decision(NamedTuple):
    """Whether the action may be done now, and the state to store (None: nothing to store)."""

    allowed: bool
    after: LimitState | None


def take(limit: Limit, before: LimitState | None, now_ts: int, episode: str = "") -> Decision:
    """Return whether an action may be done now for the key whose stored state is `before` (None: none yet).

    `episode` identifies the current occurrence of the state that the rule is about, see `episode_key`. Of two
    calls within one period one is allowed, in whatever order their results are stored.
    """
    if limit.often is Often.ALWAYS:
        return Decision(True, None)
    if before is None or _is_over(limit, before, now_ts, episode):
        next_ts = now_ts + limit.seconds if limit.often is Often.PERIOD else None
        return Decision(True, LimitState(next_ts, episode))
    since_ts = now_ts if before.since_ts is None else before.since_ts
    return Decision(False, before._replace(suppressed=before.suppressed + 1, since_ts=since_ts))


def _is_over(limit: Limit, before: LimitState, now_ts: int, episode: str) -> bool:
    if limit.often is Often.EPISODE:
        return before.episode != episode
    return limit.often is Often.PERIOD and before.next_ts is not None and now_ts >= before.next_ts


def limit_key(by: By, rule_id: int, facts: EventFacts, recipient: str = "") -> str:
    """Return the key of a limit or counter, as text.

    A subject is the interaction of its source, else the session, else the user, else the queue; a visitor
    who is not known yet is a contact by the session. Where an event has no such value, the key is the rule,
    so that a limit always holds.
    It has at most KEY_MAX letters: a longer one ends in a mark of its whole.
    """
    if by is By.RECIPIENT and recipient:
        return _fitted(f"recipient:{recipient}")
    for name in _NAMED.get(by, ()):
        value: Any = facts[name]
        if not is_empty(value):
            source = f"{facts['source']}:" if name in ("interaction", "session") else ""
            return _fitted(f"{name}:{source}{value}")
    return f"rule:{rule_id}"


def _fitted(key: str) -> str:
    if len(key) <= KEY_MAX:
        return key
    mark = hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:32]
    return f"{key[: KEY_MAX - 33]}…{mark}"


_NAMED = {
    By.SUBJECT: ("interaction", "session", "user", "queue"),
    By.CONTACT: ("contact.id", "contact.phone", "contact.email", "contact.name", "session"),
    By.AGENT: ("user",),
}


def episode_key(kind: str, begun: int | str) -> str:
    """Return the name of one unbroken stretch: `status:<entered>`, `waiting:<since>`, `idle:<last activity
    id>`, `count:<crossing>`. Another stretch of the same state has another name."""
    return f"{kind}:{begun}"


@dataclass(frozen=True)
class Times(Declared):
    """`number` times within `seconds`, for the same `by`.

    Once it has come true it must fall to `clear` before it can come true again (hysteresis).
    `number` is 1 to MAX_TIMES, `seconds` 1 to MAX_WINDOW_S, `clear` below `number`.
    """

    number: int = part(Whole(1, MAX_TIMES), N_("Number of times"))
    seconds: int = part(Seconds(1, MAX_WINDOW_S), N_("Within"))
    by: By = part(Choice(TIMES_BY), N_("Counted per"), By.SUBJECT)
    clear: int = part(Whole(0, MAX_TIMES - 1), N_("Reset when count drops to"), 0)

    def check(self, path: ErrorPath, checks: Checks) -> None:
        checks.whole(self.clear, path / "clear", 0, self.number - 1)


class Window(NamedTuple):
    """The newest instants of one key, rising, as many as can matter; `over` since the last crossing,
    `crossing` counts these from 1."""

    seen: tuple[int, ...] = ()
    over: bool = False
    crossing: int = 0


class Counted(NamedTuple):
    """The window to keep, whether this event made the count come true, and how many there are,
    told only up to the number asked for."""

    crossed: bool
    after: Window
    found: int


def count(times: Times, before: Window, ts: int) -> Counted:
    """Return the window with one more event at `ts`.

    Events count when they lie in (newest - seconds, newest]: two exactly `seconds` apart do not meet.
    The instants kept do not depend on the order in which events come.
    """
    newest = max((ts, *before.seen[-1:]))
    earlier = [each for each in before.seen if each > newest - times.seconds]
    over = before.over and len(earlier) > times.clear
    if ts > newest - times.seconds:
        insort(earlier, ts)
    kept = tuple(earlier[-times.number :])
    return _crossed(over, len(kept) >= times.number, Window(kept, over, before.crossing), len(kept))


def _crossed(over: bool, reached: bool, window: Window, found: int) -> Counted:
    crossed = reached and not over
    return Counted(crossed, Window(window.seen, over or reached, window.crossing + crossed), found)


class Level(NamedTuple):
    """A count that is kept (open tickets of an agent) against a threshold: see `cross`."""

    over: bool = False
    crossing: int = 0


def cross(before: Level, value: float, threshold: float, clear: float) -> tuple[bool, Level]:
    """Return whether a kept count has just reached `threshold`, and its level after.

    It can do so again only after it was at `clear` or below (`clear` < `threshold`).
    """
    if before.over:
        return False, before if value > clear else before._replace(over=False)
    if value < threshold:
        return False, before
    return True, Level(True, before.crossing + 1)


def breaks(before: Window, ts: int) -> Counted:
    """Return the window of a rule's runs on one subject; `crossed` says that the rule must be paused."""
    return count(Times(BREAKER_RUNS + 1, BREAKER_S), before, ts)
