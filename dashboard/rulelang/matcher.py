"""Decides which rules match an event, and why. Pure: reads no clock and writes nothing.

Live evaluation, the try on one event, backtest and shadow mode call this module with different sinks. A
rule costs nothing for events of other types. Where many rules of a type compare a field with a list (a
queue, a direction), an index selects those that list the event's value.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple, TypeGuard

from dashboard.rulelang import fields
from dashboard.rulelang.compiler import Ask, Trace, compile_tree
from dashboard.rulelang.conditions import ALWAYS, Condition, Group, Node
from dashboard.rulelang.fields import ABSENT, EventFacts
from dashboard.rulelang.predicates import Context

MAX_DEPTH = 10  # rules in one chain of causes; the setting's default


_EMPTIES = frozenset({None, ABSENT, ""})


class State(StrEnum):
    """How far a rule goes. OFF and PAUSED rules are not matched; a SHADOW rule runs without acting."""

    OFF = "off"
    SHADOW = "shadow"
    ON = "on"
    PAUSED = "paused"  # by the breaker or after repeated errors


class Loop(StrEnum):
    """What a rule does about events that rules caused."""

    IGNORE = "ignore"
    ONCE = "once"  # once in a chain of causes
    ALLOW = "allow"


class Outcome(StrEnum):
    """The result of evaluating a rule for an event; the results of its actions are not part of it."""

    MATCHED = "matched"
    NOT_MATCHED = "not_matched"
    ERROR = "error"  # a condition was neither true nor false, and it mattered
    LOOP_STOPPED = "loop_stopped"
    DEPTH_STOPPED = "depth_stopped"


@dataclass(frozen=True, slots=True)
class RuleSpec:
    """A rule as the matcher needs it.

    `types` are names of the catalogue. Rules are evaluated by rising (personal, position, id); a rule with
    `stop` that matched keeps later ones of its `group` from being evaluated. `emits` are the types of events
    that its actions record. `owner` is the user id of a personal rule, None for the site's.
    """

    id: int
    version: int
    types: tuple[str, ...]
    tree: Group = ALWAYS
    position: int = 0
    group: int | None = None
    stop: bool = False
    state: State = State.ON
    loop: Loop = Loop.ONCE
    owner: int | None = None
    emits: tuple[str, ...] = ()
    context: Context = field(default_factory=Context)

    @property
    def order(self) -> tuple[bool, int, int]:
        """The order of evaluation: system rules first, then by position, ties by id."""
        return self.owner is not None, self.position, self.id

    @property
    def live(self) -> bool:
        return self.state in (State.ON, State.SHADOW)


_MATCHED, _ERROR = Outcome.MATCHED, Outcome.ERROR  # reading a member off its class costs as much as a look-up


class Evaluation(NamedTuple):
    """One rule evaluated for one event; no action has run yet."""

    rule: RuleSpec
    outcome: Outcome
    facts: EventFacts
    explain: Callable[[EventFacts], Trace]

    @property
    def firing(self) -> str:
        """Return what names the run of this rule version for good: the id of the event."""
        return str(self.facts["id"])

    @property
    def shadow(self) -> bool:
        return self.rule.state is State.SHADOW

    @property
    def trace(self) -> Trace:
        """Return every condition with the value it was given; built on demand, as few runs store them."""
        return self.explain(self.facts)


# Plain tuples, for a named one takes three times as long to take apart.
# A compiled rule: the answer, and the trace.
Entry = tuple[RuleSpec, Ask, Callable[[EventFacts], Trace]]
# The rules of one event type, in order. Those that can be true depend on the value at a path:
# by_value[value], where the condition on the path need not be evaluated again, else the third part; without
# such a path ("") that has them all. The last part has every rule.
Bucket = tuple[str, dict[Any, tuple[Entry, ...]], tuple[Entry, ...], tuple[Entry, ...]]


@dataclass(frozen=True, slots=True)
class Index:
    """The rules by event type. Build a new one when a rule changes; an index itself never does."""

    buckets: dict[str, Bucket]
    max_depth: int = MAX_DEPTH

    @classmethod
    def build(cls, rules: Iterable[RuleSpec], max_depth: int = MAX_DEPTH) -> Index:
        """Return the index of the live ones among `rules`; 1,000 rules take about 50 ms."""
        by_type: dict[str, list[Entry]] = {}
        known: dict[tuple[str, ...], dict[str, fields.Field]] = {}
        for rule in sorted((rule for rule in rules if rule.live), key=lambda rule: rule.order):
            if rule.types not in known:
                known[rule.types] = fields.fields(rule.types)
            compiled = compile_tree(rule.tree, known[rule.types], rule.context)
            for type_ in dict.fromkeys(rule.types):
                by_type.setdefault(type_, []).append((rule, *compiled))
        return cls({type_: _bucket(entries, known) for type_, entries in by_type.items()}, max_depth)

    def concerning(self, type_: str) -> list[RuleSpec]:
        """Return the rules evaluated for events of `type_`, in the order of evaluation."""
        bucket = self.buckets.get(type_)
        return [rule for rule, _decide, _explain in bucket[3]] if bucket else []


def match(index: Index, facts: EventFacts) -> list[Evaluation]:
    """Return the runs that an event makes: matched, stopped by the loop guard, or in error; in order.

    A rule that is not listed did not match, or came after a stop. The trace of a run is made when read.
    """
    bucket = index.buckets.get(facts["type"])
    if bucket is None:
        return []
    path, by_value, entries, everyone = bucket
    if path:
        try:
            entries = by_value.get(facts[path], entries)
        except TypeError:  # a list or an object, which is no key of a table
            entries = everyone
    if not entries:
        return []
    runs: list[Evaluation] = []
    for rule, decide, explain in entries:
        answer = decide(facts)
        if answer is False or (runs and _stopped(rule, runs)):
            continue
        outcome = _guarded(rule, facts, index.max_depth) if answer else _ERROR
        runs.append(Evaluation(rule, outcome, facts, explain))
    return runs


def _stopped(rule: RuleSpec, runs: list[Evaluation]) -> bool:
    """Say whether an earlier rule of the same group matched, acts, and lets no later one be evaluated.

    One's own rules never stop those of others: the other owner may not even see the event.
    """
    return any(
        run.rule.stop
        and run.rule.group == rule.group
        and run.rule.owner == rule.owner
        and run.outcome is _MATCHED
        and run.rule.state is State.ON
        for run in runs
    )


def explain(rule: RuleSpec, facts: EventFacts, max_depth: int = MAX_DEPTH) -> Evaluation:
    """Return the run of one rule, also when it does not match or is off: "why not?" and the try.

    An event of another type does not match, whatever its conditions say; the trace tells all the same.
    """
    compiled = compile_tree(rule.tree, fields.fields(rule.types), rule.context)
    answer = compiled.decide(facts)
    outcome = Outcome.ERROR if answer is None else Outcome.NOT_MATCHED
    if facts["type"] not in rule.types:
        outcome = Outcome.NOT_MATCHED
    elif answer:
        outcome = _guarded(rule, facts, max_depth)
    return Evaluation(rule, outcome, facts, compiled.explain)


def _guarded(rule: RuleSpec, facts: EventFacts, max_depth: int) -> Outcome:
    """Return what the loop guard makes of a match (semantics 9.4)."""
    chain = facts["chain"]
    if not chain:
        return _MATCHED
    if len(chain) >= max_depth:
        return Outcome.DEPTH_STOPPED
    if rule.loop is Loop.IGNORE or (rule.loop is Loop.ONCE and rule.id in chain):
        return Outcome.LOOP_STOPPED
    return Outcome.MATCHED


def _bucket(entries: list[Entry], known: Mapping[tuple[str, ...], dict[str, fields.Field]]) -> Bucket:
    """Choose the field that parts the rules best and say who may be true for each of its values.

    A rule that needs the field to be one of a list is false for every other value, whatever else fails.
    """
    picks = [_picks(rule, known[rule.types]) for rule, _decide, _explain in entries]
    uses = Counter(path for pick in picks for path in pick)
    everyone = tuple(entries)
    if not uses:
        return "", {}, everyone, everyone
    path = max(uses, key=lambda each: (uses[each], each))
    values = {value for pick in picks for value in pick.get(path, ())}
    either = [
        (entry, pick, _settled(entry, path, known) if path in pick else entry)
        for entry, pick in zip(entries, picks, strict=True)
    ]
    table = {
        value: tuple(
            entry if value in _EMPTIES else settled
            for entry, pick, settled in either
            if path not in pick or value in pick[path]
        )
        for value in values
    }
    rest = tuple(entry for entry, pick, _settled in either if path not in pick)
    return path, table, rest, everyone


def _settled(entry: Entry, path: str, known: Mapping[tuple[str, ...], dict[str, fields.Field]]) -> Entry:
    """Return a rule without its first condition on `path`, for events that are known to fulfil it."""
    rule, _decide, explained = entry
    children = rule.tree.children
    place = next(n for n, child in enumerate(children) if _is_pick(child) and child.field == path)
    others = Group("all", (*children[:place], *children[place + 1 :]))
    return rule, compile_tree(others, known[rule.types], rule.context).decide, explained


def _picks(rule: RuleSpec, known: dict[str, fields.Field]) -> dict[str, frozenset[Any]]:
    """Return, by path, the values of which the rule's tree needs one; a required field also may be empty,
    which is an error that must be reported."""
    if rule.tree.how != "all":
        return {}
    found: dict[str, frozenset[Any]] = {}
    for child in rule.tree.children:
        if _is_pick(child):
            field_ = fields.find(child.field, known)
            if field_ is not None and field_.convert is None:
                found.setdefault(
                    child.field, frozenset(child.operands[0]) | (_EMPTIES if field_.required else set())
                )
    return found


def _is_pick(node: Node) -> TypeGuard[Condition]:
    return isinstance(node, Condition) and node.op == "one_of"
