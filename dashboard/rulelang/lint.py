"""Static checks of rules: conditions that are never true, rules shadowed by an earlier stop, loops. Pure.

A finding is reported only when it is certain; what cannot be decided is left out. Source: semantics 9.4,
9.12.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import product
from math import prod
from typing import Any, NamedTuple

from dashboard.rulelang import fields
from dashboard.rulelang.conditions import Condition, Group, Node, conditions
from dashboard.rulelang.fields import ConditionError, Field, Kind
from dashboard.rulelang.matcher import Loop, RuleSpec, State
from dashboard.rulelang.operators import NUMERIC, OPERATORS, Takes
from dashboard.rulelang.predicates import Context, Test

MAX_CASES = 20_000  # combinations of values evaluated for one question; more are left undecided

_NUMBERS = (Kind.NUMBER, Kind.DURATION)
_TEXTS = (Kind.TEXT, Kind.LONG_TEXT, Kind.ADDRESS)
_LENGTHS = ("longer_than", "shorter_than")  # texts that compare equal may differ in length
# Operators that tell apart only their operands, the stretches between them, and nothing.
_FINITE = {
    *("is", "is_any_of", "one_of", "is_not", "is_none_of", "not_one_of", "is_empty", "is_not_empty"),
    *("before", "after", "within", "weekday_of"),
}
_ELSE = "\x00"  # a text that no operand is: operands hold no such sign

Case = Mapping[Condition, bool]


class UndecidedError(Exception):
    """There are more cases than may be evaluated."""


class Findings(NamedTuple):
    """What is wrong with a set of rules.

    `never` are ids of rules that no event can satisfy; `shadowed` gives for a rule, by event type, the
    earlier rule whose stop always comes first; `loops` are rings of rules, each causing the next.
    """

    never: tuple[int, ...]
    shadowed: Mapping[int, Mapping[str, int]]
    loops: tuple[tuple[int, ...], ...]


def lint(rules: Sequence[RuleSpec]) -> Findings:
    """Return what is wrong with the live ones among `rules`."""
    live = sorted((rule for rule in rules if rule.live), key=lambda rule: rule.order)
    never = tuple(rule.id for rule in live if never_true(rule.tree, rule))
    rest = [rule for rule in live if rule.id not in never]
    return Findings(never, dict(_shadowed(rest)), tuple(loops(rest)))


def never_true(tree: Group, rule: RuleSpec) -> bool:
    """Say whether conditions contradict each other: no event of the rule's types can make `tree` true.

    Fields are independent of each other. Every value of a field that its conditions distinguish is
    evaluated; a condition that cannot be evaluated (a change, a calendar) may be true or false.
    """
    known = fields.fields(rule.types)
    groups: dict[str, list[Condition]] = {}
    for _path, condition in conditions(tree):
        groups.setdefault(condition.field, []).append(condition)
    try:
        cases = [_cases(fields.find(path, known), each, rule) for path, each in groups.items()]
    except UndecidedError:
        return False
    if prod(map(len, cases)) > MAX_CASES:
        return False
    return not any(
        _holds(tree, {k: v for part in parts for k, v in part.items()}) for parts in product(*cases)
    )


def loops(rules: Sequence[RuleSpec]) -> Iterator[tuple[int, ...]]:
    """Yield the shortest ring through each rule: each emits a type that the next is evaluated for, the lowest
    id first; conditions are not looked at. A rule that ignores events of rules cannot be in one."""
    allowed = {rule.id: rule for rule in rules if rule.loop is not Loop.IGNORE}
    listening: dict[str, list[int]] = {}
    for rule in allowed.values():
        for type_ in rule.types:
            listening.setdefault(type_, []).append(rule.id)
    follows = {
        rule.id: sorted({other for type_ in rule.emits for other in listening.get(type_, ())})
        for rule in allowed.values()
    }
    done: set[int] = set()
    for start in sorted(allowed):
        ring = _ring(start, follows, done)
        if ring:
            yield ring
        done.add(start)


def _ring(start: int, follows: Mapping[int, list[int]], done: set[int]) -> tuple[int, ...]:
    """Return the shortest way from `start` back to itself past rules not yet `done`; () without one."""
    ways: list[tuple[int, ...]] = [(start,)]
    met: set[int] = set()
    while ways:
        following: list[tuple[int, ...]] = []
        for way in ways:
            for other in follows[way[-1]]:
                if other == start:
                    return way
                if other not in met and other not in done:
                    met.add(other)
                    following.append((*way, other))
        ways = following
    return ()


def _shadowed(rules: Sequence[RuleSpec]) -> Iterator[tuple[int, dict[str, int]]]:
    """Yield rules that are never evaluated on some of their types, with the rule that stops each."""
    for number, rule in enumerate(rules):
        found: dict[str, int] = {}
        for earlier in rules[:number]:
            if not earlier.stop or earlier.state is not State.ON or earlier.group != rule.group:
                continue
            shared = [type_ for type_ in rule.types if type_ in earlier.types and type_ not in found]
            if shared and _implies(rule, earlier):
                found |= dict.fromkeys(shared, earlier.id)
        if found:
            yield rule.id, found


def _implies(rule: RuleSpec, earlier: RuleSpec) -> bool:
    """Say whether every event that satisfies `rule` satisfies `earlier` too.

    Errors of conditions and the loop guard are left aside. Rules of another zone, owner or calendar
    read the same conditions otherwise and are not compared.
    """
    if rule.context != earlier.context:
        return False
    return never_true(Group("all", (rule.tree, Group("none", (earlier.tree,)))), rule)


def _holds(node: Node, case: Case) -> bool:
    if isinstance(node, Condition):
        return case[node]
    found = (_holds(child, case) for child in node.children)
    if node.how == "all":
        return all(found)
    return any(found) is (node.how == "any")


def _cases(field: Field | None, given: Sequence[Condition], rule: RuleSpec) -> list[Case]:
    """Return the distinct combinations of results of the conditions on one field."""
    given = list(dict.fromkeys(given))
    tests = {each: test for each in given if field and (test := _test(each, field, rule.context))}
    ways: dict[tuple[tuple[Condition, bool], ...], None] = {}
    for value in _values(field, tests, rule):
        settled = [each for each, test in tests.items() if test.is_settled(value)]
        ways[tuple((each, tests[each].result(value)) for each in settled)] = None
    found: list[Case] = []
    for way in ways:
        met = dict(way)
        free = _free_ways([each for each in given if each not in met], MAX_CASES - len(found))
        found += [{**met, **other} for other in free]
    return found


class _Test(NamedTuple):
    """A condition that can be evaluated: on every value, or only on values that an operand names."""

    test: Test
    everywhere: bool

    def is_settled(self, value: Any) -> bool:
        return self.everywhere or value is not _ELSE

    def result(self, value: Any) -> bool:
        try:
            return self.test(value)
        except ConditionError:
            return False


def _test(condition: Condition, field: Field, context: Context) -> _Test | None:
    """Return how the condition is evaluated; None where `_values` are not all that it distinguishes."""
    row = OPERATORS.get(condition.op)
    if row is None or row.takes is not Takes.VALUE:
        return None
    if field.kind in _TEXTS and (row.ordered or row.kinds <= NUMERIC):
        return None
    everywhere = field.kind in (*_NUMBERS, Kind.YES_NO) or row.ordered or row.name in _FINITE
    if not everywhere and (field.kind not in _TEXTS or row.name in _LENGTHS):
        return None
    try:
        return _Test(row.build(condition.operands, field, context), everywhere)
    except ConditionError:
        return None


def _values(field: Field | None, given: Iterable[Condition], rule: RuleSpec) -> list[Any]:
    """Return nothing (None) and one value for every stretch between operands."""
    if field is None:
        return [None]
    if field.path == "type":
        return list(rule.types)
    if field.kind is Kind.YES_NO:
        return [None, True, False]
    if field.kind is Kind.WEEKDAY:
        return [None, *(day * 86_400_000 for day in range(7))]
    operands = {each for condition in given for operand in condition.operands for each in _flat(operand)}
    if field.kind in (*_NUMBERS, Kind.INSTANT):
        return [None, *_between(sorted(each for each in operands if isinstance(each, int | float)))]
    listed = [*field.choices, *sorted(operands.difference(field.choices), key=str)]
    return [None, *listed] if field.ordered and field.choices else [None, *listed, _ELSE]


def _flat(operand: Any) -> tuple[Any, ...]:
    return operand if isinstance(operand, tuple) else (operand,)


def _between(points: Sequence[float]) -> Iterator[float]:
    """Yield the points, one number between each two, one below and one above all."""
    yield points[0] - 1 if points else 0
    for number, point in enumerate(points):
        yield point
        yield (point + points[number + 1]) / 2 if number + 1 < len(points) else point + 1


def _free_ways(free: Iterable[Condition], most: int) -> list[Case]:
    """Return every way in which conditions that cannot be evaluated may come out; opposites go opposite ways.

    Raises UndecidedError when there are more than `most`.
    """
    kept: dict[tuple[str, tuple[Any, ...]], list[tuple[Condition, bool]]] = {}
    for condition in free:
        row = OPERATORS.get(condition.op)
        base = min(condition.op, (row.opposite if row else "") or condition.op)
        kept.setdefault((base, condition.operands), []).append((condition, condition.op == base))
    if 2 ** len(kept) > most:
        raise UndecidedError
    return [
        {each: same is way for way, every in zip(ways, kept.values(), strict=True) for each, same in every}
        for ways in product((True, False), repeat=len(kept))
    ]
