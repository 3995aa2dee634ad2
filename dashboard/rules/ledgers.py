"""What rules have counted and how often their actions were done: read once a pass, written at its end.

Whoever uses it holds the digest's lock, so that nobody else counts meanwhile.
"""

from __future__ import annotations

from dashboard.models import RuleCount, RuleLimit
from dashboard.rules import limits
from dashboard.rules.limits import By, Decision, Ledger, Limit, Times, Window
from dashboard.rules.values import Facts

MINUTE_MS = 60_000
MOST_A_MINUTE = 600  # runs of one rule; one more pauses it
TIMES, BREAKER = "times", "breaker"

_LimitKey = tuple[int, int, str, bool]
_CountKey = tuple[int, str, str]


class Ledgers:
    """Limits and counts by their keys.

    Not `stored` they begin with nothing and are kept in memory alone: for a try over stored events.
    """

    def __init__(self, stored: bool = True) -> None:
        self._stored = stored
        self._limits: dict[_LimitKey, Ledger | None] = {}
        self._counts: dict[_CountKey, tuple[list[int], Window]] = {}  # ids beside the instants
        self._taken: set[_LimitKey] = set()
        self._counted: set[_CountKey] = set()

    def take(
        self, rule_id: int, n: int, limit: Limit, key: str, at_ts: int, episode: str, shadow: bool
    ) -> Decision:
        """Return whether action `n` may be done for `key` at this instant, and note that it is."""
        place = (rule_id, n, key, shadow)
        if place not in self._limits:
            self._limits[place] = _ledger(place) if self._stored else None
        decision = limits.take(limit, self._limits[place], at_ts, episode)
        if decision.after is not None:
            self._limits[place] = decision.after
            self._taken.add(place)
        return decision

    def crossing(self, rule_id: int, times: Times, facts: Facts) -> int | None:
        """Count an event for "N times within M minutes"; return the number of the crossing, None for none.

        An event that was counted before is not counted again.
        """
        place = (rule_id, TIMES, limits.limit_key(times.by, rule_id, facts))
        ids, window = self._window(place)
        event, ts = facts["id"], facts["time"] // 1000
        if event in ids:
            return None
        counted = limits.count(times, window, ts)
        pairs = sorted([*zip(window.seen, ids, strict=True), (ts, event)])
        kept = pairs[-len(counted.after.seen) :] if counted.after.seen else []
        self._keep(place, [ident for _ts, ident in kept], counted.after)
        return counted.after.crossing if counted.crossed else None

    def breaks(self, rule_id: int, facts: Facts, at_ms: int) -> bool:
        """Count a run; say whether the rule has run too often: on this subject, or at all in this minute.

        Events without a subject have nothing in common but the rule: only the minute counts for them.
        """
        subject = limits.limit_key(By.SUBJECT, rule_id, facts)
        crossed = False
        if subject != f"rule:{rule_id}":
            counted = limits.breaks(self._window((rule_id, BREAKER, subject))[1], at_ms // 1000)
            self._keep((rule_id, BREAKER, subject), [], counted.after)
            crossed = counted.crossed
        minute = (rule_id, BREAKER, "minute")
        before, present = self._window(minute)[1], at_ms // MINUTE_MS
        runs = before.crossing + 1 if before.seen == (present,) else 1
        self._keep(minute, [], Window((present,), False, runs))
        return crossed or runs > MOST_A_MINUTE

    def flush(self) -> None:
        """Write what has changed, in the caller's transaction."""
        for place in sorted(self._taken):
            ledger = self._limits[place]
            if ledger is not None:
                _upsert_limit(place, ledger)
        for key in sorted(self._counted):
            _upsert_count(key, *self._counts[key])
        self._taken.clear()
        self._counted.clear()

    def _window(self, place: _CountKey) -> tuple[list[int], Window]:
        if place not in self._counts:
            self._counts[place] = _window(place) if self._stored else ([], Window())
        return self._counts[place]

    def _keep(self, place: _CountKey, ids: list[int], window: Window) -> None:
        self._counts[place] = (ids, window)
        self._counted.add(place)


def _ledger(place: _LimitKey) -> Ledger | None:
    rule_id, n, key, shadow = place
    row = RuleLimit.get_or_none(
        (RuleLimit.rule_id == rule_id) & (RuleLimit.n == n) & (RuleLimit.key == key)
        & (RuleLimit.shadow == shadow)
    )  # fmt: skip
    return None if row is None else Ledger(row.next_ts, row.episode, row.suppressed, row.since_ts)


def _window(place: _CountKey) -> tuple[list[int], Window]:
    rule_id, kind, key = place
    row = RuleCount.get_or_none(
        (RuleCount.rule_id == rule_id) & (RuleCount.kind == kind) & (RuleCount.key == key)
    )
    if row is None:
        return [], Window()
    if kind != TIMES:
        return [], Window(tuple(row.seen), row.over, row.crossing)
    seen = tuple(ts for ts, _ident in row.seen)
    return [ident for _ts, ident in row.seen], Window(seen, row.over, row.crossing)


def _upsert_limit(place: _LimitKey, ledger: Ledger) -> None:
    rule_id, n, key, shadow = place
    values = ledger._asdict()
    RuleLimit.insert(rule_id=rule_id, n=n, key=key, shadow=shadow, **values).on_conflict(
        conflict_target=[RuleLimit.rule_id, RuleLimit.n, RuleLimit.key, RuleLimit.shadow],
        update={getattr(RuleLimit, name): value for name, value in values.items()},
    ).execute()


def _upsert_count(place: _CountKey, ids: list[int], window: Window) -> None:
    rule_id, kind, key = place
    with_ids = kind == TIMES
    seen = [list(pair) for pair in zip(window.seen, ids, strict=True)] if with_ids else list(window.seen)
    values = {"seen": seen, "over": window.over, "crossing": window.crossing}
    RuleCount.insert(rule_id=rule_id, kind=kind, key=key, **values).on_conflict(
        conflict_target=[RuleCount.rule_id, RuleCount.kind, RuleCount.key],
        update={getattr(RuleCount, name): value for name, value in values.items()},
    ).execute()
