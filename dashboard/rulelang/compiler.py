"""Compiles a condition tree: one closure that evaluates it, one walk that writes the trace. Pure.

A result is true, false, or None: a condition that raises an error is neither true nor false (semantics
9.10), and a group is None only if the error could change its result. So `all` with a false child is false
whatever fails beside it, `any` with a true child is true, and the order of children never matters.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from dashboard.catalog.fields import SUBJECT_FIELDS
from dashboard.i18n.message import N_, Message
from dashboard.rulelang import fields
from dashboard.rulelang.conditions import Condition, Group, Node
from dashboard.rulelang.fields import ABSENT, ConditionError, EventFacts, Field, as_number, is_empty
from dashboard.rulelang.operators import NUMERIC, OPERATORS, Takes
from dashboard.rulelang.predicates import Context, Test
from dashboard.rulelang.validation import ROOT, ErrorPath

SHOWN = 200  # characters of a value kept in a trace

UNFIT = N_("The value isn't valid for this operator.")
LOST_FIELD = N_("The field of this condition no longer exists.")
# What a value of the wrong type can raise in a comparison.
_FAILURES = (ConditionError, TypeError, ValueError, ArithmeticError, AttributeError)

Answer = bool | None
Ask = Callable[[EventFacts], Answer]


class Trace(NamedTuple):
    """What became of one node.

    `seen` is the value met (for a change `[old, new]`), long texts cut at SHOWN; `empty` is "absent",
    "null" or "empty" where there was none. `error` says why `outcome` is None. `needed` is false for a
    node that the live match did not reach, since the answer was already known: it is shown all the same.
    """

    path: ErrorPath
    outcome: Answer
    node: Node
    seen: Any = None
    empty: str = ""
    error: Message | None = None
    needed: bool = True
    children: tuple[Trace, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return the trace as plain JSON values; the error's text is English, to be translated when shown."""
        made: dict[str, Any] = {"path": str(self.path), "outcome": self.outcome, "needed": self.needed}
        if isinstance(self.node, Group):
            return {**made, "how": self.node.how, "children": [child.as_json() for child in self.children]}
        made |= {"field": self.node.field, "op": self.node.op, "operands": list(self.node.operands)}
        made |= {"seen": self.seen, "empty": self.empty}
        return {**made, "error": self.error.text} if self.error else made


class Compiled(NamedTuple):
    """A compiled tree. `decide` gives the answer and stops early; `explain` walks every node."""

    decide: Ask
    explain: Callable[[EventFacts], Trace]


def compile_tree(tree: Group, known: Mapping[str, Field], context: Context) -> Compiled:
    """Return the tree compiled for evaluation.

    `known` are the fields of the rule's types. A condition whose field or operator is no longer known
    (the catalogue may change after a rule was stored) answers None, so that the rule shows an error.
    """
    made: dict[ErrorPath, _Leaf] = {}
    decide = _node(tree, ROOT, dict(known), context, made)
    return Compiled(decide, lambda facts: _explain(tree, ROOT, made, facts))


class _Leaf(NamedTuple):
    """A condition: what it reads and what it asks of it."""

    read: Callable[[EventFacts], Any]
    test: Test


def _node(
    node: Node, path: ErrorPath, known: dict[str, Field], context: Context, made: dict[ErrorPath, _Leaf]
) -> Ask:
    if isinstance(node, Condition):
        leaf, source = _leaf(node, known, context)
        made[path] = leaf
        return _ask_plain(source, leaf.test) if source else _ask(leaf)
    children = tuple(_node(child, path / n, known, context, made) for n, child in enumerate(node.children))
    return _COMBINED[node.how](children)


def _leaf(node: Condition, known: dict[str, Field], context: Context) -> tuple[_Leaf, str]:
    """Return a condition and, where its value is one look-up in the facts, the path to look up."""
    field, row = fields.find(node.field, known), OPERATORS.get(node.op)
    try:
        if field is None or row is None or not row.fits(field):
            raise ConditionError(LOST_FIELD)
        if row.kinds <= NUMERIC and field.kind not in NUMERIC:
            field = replace(field, convert=as_number)
        test = row.build(node.operands, field, context)
    except _FAILURES as error:
        return _Leaf(lambda _facts: None, _failing(error)), ""
    if row.takes is Takes.CHANGE:
        return _Leaf(lambda facts: fields.change(facts, field), test), ""
    if row.takes is Takes.MOMENT:
        return _Leaf(lambda facts: (fields.value(facts, field), facts["time"]), test), ""
    plain = not field.required and field.convert is None
    return _Leaf(lambda facts: fields.value(facts, field), test), (field.source or field.path) * plain


def _failing(error: Exception) -> Test:
    known = error if isinstance(error, ConditionError) else ConditionError(LOST_FIELD)

    def test(_value: Any) -> bool:
        raise known

    return test


def _ask(leaf: _Leaf) -> Ask:
    read, test = leaf

    def ask(facts: EventFacts) -> Answer:
        try:
            return test(read(facts))
        except _FAILURES:
            return None

    return ask


def _ask_plain(source: str, test: Test) -> Ask:
    first, _dot, name = source.partition(".")

    def ask(facts: EventFacts) -> Answer:
        try:
            return test(facts[source])
        except _FAILURES:
            return None

    def ask_data(facts: EventFacts) -> Answer:
        try:
            return test(facts["data"].get(name, ABSENT))
        except _FAILURES:
            return None

    own = first == "data" and name and "." not in name and name not in SUBJECT_FIELDS
    return ask_data if own else ask


def _all(children: tuple[Ask, ...]) -> Ask:
    if len(children) == 1:
        return children[0]

    def ask(facts: EventFacts) -> Answer:
        answer: Answer = True
        for child in children:
            found = child(facts)
            if found is False:
                return False
            if found is None:
                answer = None
        return answer

    return ask


def _any(children: tuple[Ask, ...]) -> Ask:
    if len(children) == 1:
        return children[0]

    def ask(facts: EventFacts) -> Answer:
        answer: Answer = False
        for child in children:
            found = child(facts)
            if found is True:
                return True
            if found is None:
                answer = None
        return answer

    return ask


def _none(children: tuple[Ask, ...]) -> Ask:
    some = _any(children)

    def ask(facts: EventFacts) -> Answer:
        found = some(facts)
        return None if found is None else not found

    return ask


_COMBINED = {"all": _all, "any": _any, "none": _none}
_DECIDES = {"all": False, "any": True, "none": True}  # the child's answer that settles the group


def _explain(node: Node, path: ErrorPath, made: Mapping[ErrorPath, _Leaf], facts: EventFacts) -> Trace:
    if isinstance(node, Condition):
        return _explain_leaf(node, path, made[path], facts)
    children: list[Trace] = []
    settled = False
    for number, child in enumerate(node.children):
        trace = _explain(child, path / number, made, facts)
        children.append(_unneeded(trace) if settled else trace)
        settled = settled or trace.outcome is _DECIDES[node.how]
    outcomes = [child.outcome for child in children]
    answer: Answer = None if None in outcomes and not settled else settled is _DECIDES[node.how]
    if node.how == "none" and answer is not None:
        answer = not answer
    return Trace(path, answer, node, children=tuple(children))


def _unneeded(trace: Trace) -> Trace:
    return trace._replace(needed=False, children=tuple(map(_unneeded, trace.children)))


def _explain_leaf(node: Condition, path: ErrorPath, leaf: _Leaf, facts: EventFacts) -> Trace:
    seen: Any = None
    try:
        seen = leaf.read(facts)
        outcome: Answer = leaf.test(seen)
        error = None
    except _FAILURES as failure:
        outcome, error = None, getattr(failure, "message", Message(UNFIT))
    row = OPERATORS.get(node.op)
    if row is not None and row.takes is Takes.MOMENT and isinstance(seen, tuple):
        seen = seen[0]
    return Trace(path, outcome, node, _shown(seen), _emptiness(seen), error)


def _emptiness(value: Any) -> str:
    if not is_empty(value):
        return ""
    return "absent" if value is ABSENT else "null" if value is None else "empty"


def _shown(value: Any, depth: int = 2) -> Any:
    """Return a value as short JSON: texts cut, lists of at most 20, objects not looked into."""
    if value is None or value is ABSENT or isinstance(value, bool | int | float):
        return None if value is ABSENT else value
    if isinstance(value, str):
        return value if len(value) <= SHOWN else value[:SHOWN] + "…"
    if isinstance(value, list | tuple) and depth:
        return [_shown(each, depth - 1) for each in value[:20]]
    return "…"
