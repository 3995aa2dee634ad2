"""Stored counters and rate-limit states of rules: read on first use in a pass, written at its end.

The caller holds the projection lock, so that no other process counts at the same time.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from dashboard import catalog, clock
from dashboard.catalog import Origin
from dashboard.db import Model
from dashboard.db.prepared import Prepared, slot
from dashboard.models import RuleCount, RuleLimit
from dashboard.rulelang import rate_limits
from dashboard.rulelang.fields import EventFacts
from dashboard.rulelang.rate_limits import By, Decision, Limit, LimitState, Times, Window
from dashboard.rulelang.triggers import origin
from dashboard.rules import event_facts

MINUTE_MS = 60_000
MOST_A_MINUTE = 600  # runs of one rule; one more pauses it
TIMES, BREAKER = "times", "breaker"
EVENT = "event"  # the episode of what has no state that lasts
LIMIT_KEY, COUNT_KEY = ("rule_id", "n", "key", "shadow"), ("rule_id", "kind", "key")
CHUNK = 500  # rows written at once

_LimitKey = tuple[int, int, str, bool]
_CountKey = tuple[int, str, str]


class LimitStore:
    """Limits and counts by their keys.

    Not `stored` they begin with nothing and are kept in memory alone: for a try over stored events.
    """

    def __init__(self, stored: bool = True) -> None:
        self._stored = stored
        self._limits: dict[_LimitKey, LimitState | None] = {}
        self._counts: dict[_CountKey, tuple[list[int], Window]] = {}  # ids beside the instants
        self._taken: set[_LimitKey] = set()
        self._counted: set[_CountKey] = set()

    def take(
        self, rule_id: int, n: int, limit: Limit, key: str, at_ts: int, episode: str, shadow: bool
    ) -> Decision:
        """Return whether action `n` may be done for `key` at this instant, and note that it is."""
        place = (rule_id, n, key, shadow)
        if place not in self._limits:
            self._limits[place] = _limit_state(place) if self._stored else None
        decision = rate_limits.take(limit, self._limits[place], at_ts, episode)
        if decision.after is not None:
            self._limits[place] = decision.after
            self._taken.add(place)
        return decision

    def now(self, rule_id: int, n: int, limit: Limit, facts: EventFacts, shadow: bool) -> Decision:
        """Return whether action `n` of a rule may be done now for what the facts are about; flush nothing."""
        key = rate_limits.limit_key(limit.by, rule_id, facts)
        episode = str(facts.get("episode", EVENT))
        return self.take(rule_id, n, limit, key, clock.now_s(), episode, shadow)

    def crossing(self, rule_id: int, times: Times, facts: EventFacts) -> int | None:
        """Count an event for "N times within M minutes"; return the number of the crossing, None for none.

        An event that was counted before is not counted again, one ahead of the server's clock never.
        """
        if event_facts.is_clock_ahead(facts):
            return None
        place = (rule_id, TIMES, rate_limits.limit_key(times.by, rule_id, facts))
        ids, window = self._window(place)
        event, ts = facts["id"], facts["time"] // 1000
        if event in ids:
            return None
        counted = rate_limits.count(times, window, ts)
        pairs = sorted([*zip(window.seen, ids, strict=True), (ts, event)])
        kept = pairs[-len(counted.after.seen) :] if counted.after.seen else []
        self._keep(place, [ident for _ts, ident in kept], counted.after)
        return counted.after.crossing if counted.crossed else None

    def window(self, rule_id: int, times: Times, facts: EventFacts) -> Window:
        """Return the events counted so far for "N times within M minutes", as they were stored."""
        return self._window((rule_id, TIMES, rate_limits.limit_key(times.by, rule_id, facts)))[1]

    def breaks(self, rule_id: int, facts: EventFacts, at_ms: int) -> bool:
        """Count a run; say whether the rule has run too often: on this subject, or at all in this minute.

        Events without a subject have nothing in common but the rule: only the minute counts for them, and
        it does not for what time alone brings: deadlines, idle visitors, counts and the calendar.
        """
        subject = rate_limits.limit_key(By.SUBJECT, rule_id, facts)
        crossed = False
        if subject != f"rule:{rule_id}":
            counted = rate_limits.breaks(self._window((rule_id, BREAKER, subject))[1], at_ms // 1000)
            self._keep((rule_id, BREAKER, subject), [], counted.after)
            crossed = counted.crossed
        type_ = catalog.find(facts["type"])
        if origin(facts["type"]) or (type_ is not None and type_.origin is Origin.TIMER):
            return crossed  # a period falls due once: many at one moment do not trip the circuit breaker
        minute = (rule_id, BREAKER, "minute")
        before, present = self._window(minute)[1], at_ms // MINUTE_MS
        runs = before.crossing + 1 if before.seen == (present,) else 1
        self._keep(minute, [], Window((present,), False, runs))
        return crossed or runs > MOST_A_MINUTE

    def flush(self) -> None:
        """Write what has changed, in the caller's transaction."""
        taken = [(place, self._limits[place]) for place in sorted(self._taken)]
        limits_ = [_limit_row(place, state) for place, state in taken if state is not None]
        counts = [_count_row(key, *self._counts[key]) for key in sorted(self._counted)]
        _write(RuleLimit, limits_, LIMIT_KEY)
        _write(RuleCount, counts, COUNT_KEY)
        self._taken.clear()
        self._counted.clear()

    def _window(self, place: _CountKey) -> tuple[list[int], Window]:
        if place not in self._counts:
            self._counts[place] = _window(place) if self._stored else ([], Window())
        return self._counts[place]

    def _keep(self, place: _CountKey, ids: list[int], window: Window) -> None:
        self._counts[place] = (ids, window)
        self._counted.add(place)


def _find_limit() -> Any:
    row = RuleLimit
    same = (row.rule_id == slot("rule")) & (row.n == slot("n")) & (row.key == slot("key"))
    columns = (row.next_ts, row.episode, row.suppressed, row.since_ts)
    return row.select(*columns).where(same & (row.shadow == slot("shadow")))


def _find_window() -> Any:
    row = RuleCount
    same = (row.rule_id == slot("rule")) & (row.kind == slot("kind")) & (row.key == slot("key"))
    return row.select(row.seen, row.over, row.crossing).where(same)


_LEDGER, _WINDOW = Prepared(_find_limit), Prepared(_find_window)


def _limit_state(place: _LimitKey) -> LimitState | None:
    rule_id, n, key, shadow = place
    found = _LEDGER.rows(rule=rule_id, n=n, key=key, shadow=shadow)
    return LimitState(*found[0]) if found else None


def _window(place: _CountKey) -> tuple[list[int], Window]:
    rule_id, kind, key = place
    found = _WINDOW.rows(rule=rule_id, kind=kind, key=key)
    if not found:
        return [], Window()
    stored, over, crossing = found[0]
    seen = json.loads(stored) if isinstance(stored, str) else stored
    if kind != TIMES:
        return [], Window(tuple(seen), bool(over), crossing)
    return [ident for _ts, ident in seen], Window(tuple(ts for ts, _id in seen), bool(over), crossing)


def _limit_row(place: _LimitKey, state: LimitState) -> dict[str, Any]:
    rule_id, n, key, shadow = place
    return {"rule_id": rule_id, "n": n, "key": key, "shadow": shadow, **state._asdict()}


def _count_row(place: _CountKey, ids: list[int], window: Window) -> dict[str, Any]:
    rule_id, kind, key = place
    with_ids = kind == TIMES
    seen = [list(pair) for pair in zip(window.seen, ids, strict=True)] if with_ids else list(window.seen)
    row = {"rule_id": rule_id, "kind": kind, "key": key}
    return {**row, "seen": seen, "over": window.over, "crossing": window.crossing}


def _write(model: type[Model], rows: Sequence[dict[str, Any]], key: Sequence[str]) -> None:
    """Insert rows, or replace those of the same key."""
    fields = model._meta.fields
    news = [field for name, field in fields.items() if name not in key]
    for start in range(0, len(rows), CHUNK):
        query = model.insert_many(rows[start : start + CHUNK])
        query.on_conflict(conflict_target=[fields[name] for name in key], preserve=news).execute()
