"""Counts of open interactions per agent and queue, updated after each pass for those that it touched.

A rule fires when a count reaches its threshold, and again only after the count was at its clear level. All
of it happens in the evaluating transaction, under its lock. Source: timers and counts, semantics 9.6.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from typing import NamedTuple

from peewee import fn

from dashboard.db.prepared import plain
from dashboard.models import RuleCount, Subject
from dashboard.rulelang import rate_limits
from dashboard.rulelang.fields import EventFacts
from dashboard.rulelang.rate_limits import Level
from dashboard.rulelang.triggers import Count
from dashboard.rules import event_facts, state_periods, subject_state
from dashboard.rules.active_rules import Live, LiveRule
from dashboard.rules.deadlines import COUNTED, counted_kinds
from dashboard.rules.event_rows import EventRow

LEVEL = "level"  # the kind of count, see models.rules.RuleCount
CHUNK = 500
Named = dict[int, set[str]]  # interactions by source
Holder = tuple[str, int]  # "agent" or "queue", and its id


class Crossing(NamedTuple):
    """A count that has just reached a rule's number; `firing` names it once and for all."""

    rule: LiveRule
    facts: EventFacts
    firing: str
    at_ms: int


def before(live: Live, events: Sequence[EventRow]) -> set[Holder]:
    """Return who holds the interactions of new events, before these are folded into them."""
    return _holders(_named(live, events))


def after(live: Live, events: Sequence[EventRow], held: Collection[Holder]) -> list[Crossing]:
    """Return the counts that these events made reach a rule's number; `held` is what `before` told.

    A count that fell is noted, so that it can be reached again.
    """
    named = _named(live, events)
    if not named:
        return []
    for source, names in named.items():
        subject_state.refresh(source, names)
    holders = _holders(named) | set(held)
    found: list[Crossing] = []
    for rule in _counting(live):
        for type_ in rule.definition.types:
            found += _crossings(rule, type_, holders, events[-1])
    return found


def _crossings(rule: LiveRule, type_: str, holders: set[Holder], last: EventRow) -> list[Crossing]:
    count = rule.definition.count
    mine = sorted(holder for holder in holders if count is not None and holder[0] == count.by)
    if count is None or not mine:
        return []
    levels, found = _levels(rule.id, mine), []
    for holder in mine:
        value = _open(COUNTED[type_], holder)
        level = levels.get(key_of(holder), Level())
        crossed, now = rate_limits.cross(level, value, count.number, count.clear)
        if now != level:
            _keep(rule.id, key_of(holder), now)
        if crossed:
            seen = facts_of(type_, count, holder, value, last)
            seen["episode"] = rate_limits.episode_key("count", now.crossing)
            firing = firing_of(type_, holder, now)
            found.append(Crossing(rule, seen, firing, last.time_ms))
    return found


def firing_of(type_: str, holder: Holder, level: Level) -> str:
    """Return what names a crossing once and for all."""
    return f"count:{type_}:{key_of(holder)}:{level.crossing}"


def _counting(live: Live) -> list[LiveRule]:
    return [rule for rule in live.rules.values() if rule.definition.count is not None]


def _named(live: Live, events: Sequence[EventRow]) -> Named:
    counted = frozenset().union(*(counted_kinds(rule.definition.types) for rule in _counting(live)))
    found: Named = {}
    for event in events:
        if event.interaction is not None and state_periods.kind_of(event.type) in counted:
            found.setdefault(event.source_id, set()).add(event.interaction)
    return found


def _holders(named: Named) -> set[Holder]:
    found: set[Holder] = set()
    s = Subject
    for source, names in named.items():
        ordered = sorted(names)
        for start in range(0, len(ordered), CHUNK):
            part = ordered[start : start + CHUNK]
            query = s.select(s.user_id, s.queue_id).where((s.source_id == source) & s.interaction.in_(part))
            for user, queue in plain(query):
                found |= {("agent", user)} if user is not None else set()
                found |= {("queue", queue)} if queue is not None else set()
    return found


def _open(counted: Sequence[str], holder: Holder) -> int:
    s = Subject
    column = s.user_id if holder[0] == "agent" else s.queue_id
    mine = s.kind.in_(list(counted)) & (column == holder[1]) & s.ended_ms.is_null()
    return int(plain(s.select(fn.COUNT(s.id)).where(mine))[0][0])


def facts_of(type_: str, count: Count, holder: Holder, value: int, last: EventRow) -> EventFacts:
    """Return what conditions on a count see: whose it is, how many, and by which event it came."""
    data = {"count": value, "scope": "agent" if count.by == "agent" else "department"}
    row = last._replace(
        type=type_,
        user_id=None,
        queue_id=None,
        interaction=None,
        session=None,
        contact=None,
        data=json.dumps(data),
    )
    own = row._replace(user_id=holder[1]) if holder[0] == "agent" else row._replace(queue_id=holder[1])
    return event_facts.of_events([own], {})[0]


def key_of(holder: Holder) -> str:
    """Return the name of an agent or a queue among the rule's counts."""
    return f"{holder[0]}:{holder[1]}"


def _levels(rule_id: int, holders: Sequence[Holder]) -> dict[str, Level]:
    c = RuleCount
    mine = (c.rule_id == rule_id) & (c.kind == LEVEL) & c.key.in_([key_of(holder) for holder in holders])
    query = c.select(c.key, c.over, c.crossing).where(mine)
    return {key: Level(bool(over), crossing) for key, over, crossing in plain(query)}


def _keep(rule_id: int, key: str, level: Level) -> None:
    values = {"over": level.over, "crossing": level.crossing}
    RuleCount.insert(rule_id=rule_id, kind=LEVEL, key=key, seen=[], **values).on_conflict(
        conflict_target=[RuleCount.rule_id, RuleCount.kind, RuleCount.key],
        preserve=[RuleCount.over, RuleCount.crossing],
    ).execute()
