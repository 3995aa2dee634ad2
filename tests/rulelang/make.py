"""Events and rules in a few words, and what hypothesis may draw of them."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from dashboard.rulelang import conditions as condition_tree
from dashboard.rulelang import fields, schema
from dashboard.rulelang.compiler import Compiled, compile_tree
from dashboard.rulelang.fields import EventFacts, facts
from dashboard.rulelang.matcher import RuleSpec
from dashboard.rulelang.predicates import Context
from dashboard.rulelang.schema import AvailableReferences, Definition

SITE = AvailableReferences(
    channels={1: "webhook", 2: "chat"},
    users=frozenset({3, 4}),
    teams=frozenset({5}),
    accesses=frozenset({6}),
    calendars=frozenset({"Brno"}),
    can_out=True,
)
MONDAY = 1772438400000  # Monday 2 March 2026, 08:00 UTC, 09:00 in Prague
TYPE = "custom.sale"
PATHS = ("data.word", "data.other")


def event(data: dict[str, Any] | None = None, type_: str = TYPE, **more: Any) -> EventFacts:
    return facts(more.pop("id", 1), type_, more.pop("time_ms", MONDAY), data, **more)


def parsed(raw: Any, *types: str) -> condition_tree.Group:
    found = condition_tree.parse(raw, fields.fields(types or (TYPE,)))
    assert isinstance(found, condition_tree.Group), found
    return found


def ready(raw: Any, *types: str, context: Context | None = None) -> Compiled:
    types = types or (TYPE,)
    return compile_tree(parsed(raw, *types), fields.fields(types), context or Context())


def spec(id_: int = 1, raw: Any = None, types: tuple[str, ...] = (TYPE,), **more: Any) -> RuleSpec:
    return RuleSpec(id_, more.pop("version", 1), types, parsed(raw or {"all": []}, *types), **more)


def defined(raw: Any, site: AvailableReferences | None = SITE) -> Definition:
    found = schema.parse(raw, site)
    assert isinstance(found, Definition), found
    return found


words = st.sampled_from(["a", "b", "", "A", "ab"])
values = st.one_of(words, st.none(), st.integers(0, 2), st.just([1]), st.just({"x": 1}))
texts = st.sampled_from(["a", "b", "ab"])
conditions = st.one_of(
    st.builds(
        lambda path, op, text: {"field": path, "op": op, "value": text},
        st.sampled_from(PATHS),
        st.sampled_from(["is", "is_not", "contains", "starts_with", "matches"]),
        texts,
    ),
    st.builds(
        lambda path, op: {"field": path, "op": op},
        st.sampled_from(PATHS),
        st.sampled_from(["is_empty", "is_not_empty", "changed"]),
    ),
    st.builds(
        lambda found: {"field": "queue", "op": "one_of", "value": sorted(found)},
        st.sets(st.integers(1, 4), min_size=1),
    ),
)


def group_of(children: st.SearchStrategy[Any], least: int = 1) -> st.SearchStrategy[Any]:
    how = st.sampled_from(["all", "any", "none"])
    return st.builds(lambda name, inner: {name: inner}, how, st.lists(children, min_size=least, max_size=3))


trees = group_of(st.one_of(conditions, group_of(st.one_of(conditions, group_of(conditions)))), least=0)
events = st.builds(
    lambda word, other, queue: event({"word": word, "other": other}, queue=queue, source="s"),
    values,
    values,
    st.one_of(st.integers(1, 5), st.none(), st.just([1])),
)
