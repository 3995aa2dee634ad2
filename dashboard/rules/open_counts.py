"""How much an agent or a queue has open, compared after every event in order (spec/rules.md, RD3).

A rule fires when a count reaches its number, and again only after it was at its clear level. All happens
in the digest's transaction, under its lock. Source: timers and counts, semantics 9.6.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from peewee import fn

from dashboard.db.prepared import plain
from dashboard.models import RuleCount, Subject
from dashboard.rulelang import rate_limits
from dashboard.rulelang.fields import EventFacts
from dashboard.rulelang.rate_limits import Level
from dashboard.rulelang.triggers import Count
from dashboard.rules import event_facts, event_rows
from dashboard.rules.active_rules import Live, LiveRule
from dashboard.rules.event_rows import EventRow
from dashboard.rules.subject_fold import EventEffect, State
from dashboard.rules.subject_state import Folded, Holding, holding
from dashboard.rules.timing.deadlines import COUNTED

LEVEL = "level"  # the kind of count, see models.rules.RuleCount
CHUNK = 500
SUBJECT_FACTS = ("data.status", "data.department", "data.group")  # of the subject whose event crossed
Holder = tuple[str, int]  # "agent" or "queue", and its id


class Crossing(NamedTuple):
    """A count that has just reached a rule's number; `firing` names it once and for all."""

    rule: LiveRule
    facts: EventFacts
    firing: str
    at_ms: int


class OpenCounts:
    """How many interactions of each kind each holder has open, followed from event to event."""

    def __init__(self, totals: Mapping[tuple[str, Holder], int] | None = None) -> None:
        self._totals: Counter[tuple[str, Holder]] = Counter(totals)

    def move(self, before: Holding | None, after: Holding) -> list[Holder]:
        """Count a change of one interaction and return the holders whose count it may have changed."""
        touched: dict[Holder, None] = {}
        for each, by in ((before, -1), (after, 1)):
            for holder in holders_of(each):
                touched[holder] = None
                if each is not None and each.is_open:
                    self._totals[each.kind, holder] += by
        return list(touched)

    def value(self, type_: str, holder: Holder) -> int:
        """Return what a counter type counts for a holder."""
        return sum(self._totals[kind, holder] for kind in COUNTED[type_])


def holders_of(each: Holding | None) -> list[Holder]:
    """Return the agent and the queue that have an interaction."""
    if each is None:
        return []
    named = (("agent", each.user_id), ("queue", each.queue_id))
    return [(by, ident) for by, ident in named if ident is not None]


def crossings(live: Live, events: Sequence[EventRow], folded: Folded) -> list[Crossing]:
    """Return the counts that these events made reach a rule's number, in the order of the events.

    `folded` is not saved yet: counting begins with what the tables say. A count that fell is noted, so that
    it can be reached again.
    """
    counting = [rule for rule in live.rules.values() if rule.definition.count is not None]
    kinds = {kind for rule in counting for type_ in rule.definition.types for kind in COUNTED[type_]}
    moving = [event for event in event_rows.in_time(events) if event.id in folded.seen]
    moving = [event for event in moving if folded.seen[event.id].after.kind in kinds]
    if not moving:
        return []
    holdings = [*folded.stored.values(), *(holding(folded.seen[event.id].after) for event in moving)]
    holders = sorted({holder for each in holdings for holder in holders_of(each)})
    counts = OpenCounts(_stored_totals(sorted(kinds), holders))
    levels = {rule.id: _levels(rule.id, holders) for rule in counting}
    last = dict(folded.stored)
    found: list[Crossing] = []
    for event in moving:
        name, seen = (event.source_id, str(event.interaction)), folded.seen[event.id]
        touched = counts.move(last.get(name), holding(seen.after))
        last[name] = holding(seen.after)
        for rule in counting:
            found += _crossed(rule, counts, touched, levels[rule.id], event, seen)
    return found


def _crossed(
    rule: LiveRule,
    counts: OpenCounts,
    touched: Iterable[Holder],
    levels: dict[str, Level],
    event: EventRow,
    seen: EventEffect,
) -> list[Crossing]:
    count, found = rule.definition.count, []
    for type_ in rule.definition.types:
        for holder in touched:
            if count is None or holder[0] != count.by:
                continue
            value, key = counts.value(type_, holder), key_of(holder)
            level = levels.get(key, Level())
            crossed, now = rate_limits.cross(level, value, count.number, count.clear)
            if now != level:
                levels[key] = now
                _store_level(rule.id, key, now)
            if crossed:
                facts = facts_of(type_, count, holder, value, event, seen.after)
                facts["episode"] = rate_limits.episode_key("count", now.crossing)
                found.append(Crossing(rule, facts, firing_of(type_, holder, now), event.time_ms))
    return found


def firing_of(type_: str, holder: Holder, level: Level) -> str:
    """Return what names a crossing once and for all."""
    return f"count:{type_}:{key_of(holder)}:{level.crossing}"


def facts_of(
    type_: str, count: Count, holder: Holder, value: int, event: EventRow, state: State
) -> EventFacts:
    """Return what conditions on a count see: whose it is, how many, and the event that reached it.

    Status, department and group are those of the interaction whose event reached it.
    """
    data = {"count": value, "scope": "agent" if count.by == "agent" else "department"}
    row = event._replace(
        type=type_,
        user_id=None,
        queue_id=None,
        interaction=None,
        session=None,
        contact=None,
        data=json.dumps(data),
    )
    own = row._replace(user_id=holder[1]) if holder[0] == "agent" else row._replace(queue_id=holder[1])
    facts = event_facts.of_events([own], {})[0]
    facts.update((path, state.values[path]) for path in SUBJECT_FACTS if path in state.values)
    return facts


def standing(rule_id: int, type_: str, holder: Holder) -> tuple[int, Level]:
    """Return what a counter type counts for a holder now, and the level of a rule for it."""
    value = OpenCounts(_stored_totals(COUNTED[type_], [holder])).value(type_, holder)
    return value, _levels(rule_id, [holder]).get(key_of(holder), Level())


def key_of(holder: Holder) -> str:
    """Return the name of an agent or a queue among the rule's counts."""
    return f"{holder[0]}:{holder[1]}"


def _stored_totals(kinds: Sequence[str], holders: Sequence[Holder]) -> dict[tuple[str, Holder], int]:
    """Return by kind and holder how many interactions the tables say are open."""
    found: dict[tuple[str, Holder], int] = {}
    for by, column in (("agent", Subject.user_id), ("queue", Subject.queue_id)):
        idents = [ident for each, ident in holders if each == by]
        for start in range(0, len(idents), CHUNK):
            mine = column.in_(idents[start : start + CHUNK]) & Subject.kind.in_(kinds)
            query = Subject.select(Subject.kind, column, fn.COUNT(Subject.id))
            query = query.where(mine & Subject.ended_ms.is_null()).group_by(Subject.kind, column)
            found.update({(kind, (by, ident)): number for kind, ident, number in plain(query)})
    return found


def _levels(rule_id: int, holders: Sequence[Holder]) -> dict[str, Level]:
    c = RuleCount
    found: dict[str, Level] = {}
    for start in range(0, len(holders), CHUNK):
        keys = [key_of(holder) for holder in holders[start : start + CHUNK]]
        mine = (c.rule_id == rule_id) & (c.kind == LEVEL) & c.key.in_(keys)
        query = c.select(c.key, c.over, c.crossing).where(mine)
        found.update({key: Level(bool(over), crossing) for key, over, crossing in plain(query)})
    return found


def _store_level(rule_id: int, key: str, level: Level) -> None:
    values = {"over": level.over, "crossing": level.crossing}
    RuleCount.insert(rule_id=rule_id, kind=LEVEL, key=key, seen=[], **values).on_conflict(
        conflict_target=[RuleCount.rule_id, RuleCount.kind, RuleCount.key],
        preserve=[RuleCount.over, RuleCount.crossing],
    ).execute()
