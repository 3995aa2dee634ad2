"""Rows B1 and B3: matching an event against many rules, and one rule beside other engines."""

from __future__ import annotations

import importlib.util
import random
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

from dashboard import catalog
from dashboard.catalog import Kind
from dashboard.rulelang import conditions, fields
from dashboard.rulelang.fields import EventFacts, facts
from dashboard.rulelang.matcher import Index, RuleSpec, match
from tests.bench.table import Line, medians, ratio

EVENTS, PASSES = 4000, 8  # a batch just decoded lies in the processor's cache
QUEUES = range(1, 31)
WORDS = (
    *("invoice", "refund", "delivery", "address", "password", "contract", "upgrade", "outage", "router"),
    *("billing", "warranty", "return", "order", "payment", "missing", "cancel", "renew", "tariff", "modem"),
    *("signal", "complaint", "technician", "visit", "urgent", "thanks", "question"),
)
MEAN = 120  # of the numbers, which fall off as durations do
NUMBERS = (Kind.NUMBER, Kind.SECONDS)
Ask = Callable[[EventFacts], object]


def _numbered() -> dict[str, str]:
    """Return 24 types of the catalogue, each with a field of its data that holds a number."""
    found = {
        type_.name: each.name
        for type_ in catalog.CATALOG.values()
        for each in type_.fields
        if each.kind in NUMBERS
    }
    return dict(list(found.items())[:24])


TYPES = _numbered()
TYPE, FIELD = next(iter(TYPES.items()))


def rows() -> list[Line]:
    """Return the lines of B1 and B3; costs are processor seconds an event."""
    return [*spread(), *other_types(), *concerned(), *peers()]


def events(types: Sequence[str] = tuple(TYPES), seed: int = 3) -> list[EventFacts]:
    """Return one batch; the facts keep what a match walked to, so every pass gets fresh ones."""
    chance = random.Random(seed)
    made = []
    for n in range(EVENTS):
        type_, queue = chance.choice(types), chance.choice(QUEUES)
        data = {
            TYPES[type_]: int(chance.expovariate(1 / MEAN)),
            "title": " ".join(chance.choices(WORDS, k=4)),
        }
        made.append(facts(n, type_, 1_772_438_400_000 + n, data, queue=queue, source=1, user=7))
    return made


def rules(many: int, types: Sequence[str] = tuple(TYPES), first: int = 0) -> list[RuleSpec]:
    """Return rules, spread over `types`: a number over N, one of three queues, for a third a word too."""
    chance = random.Random(2)
    made = []
    for n in range(first, first + many):
        own = types[n % len(types)]
        asked = [
            {
                "field": f"data.{TYPES.get(own, 'n')}",
                "op": "gt",
                "value": chance.choice((10, 30, 60, 120, 300)),
            },
            {"field": "queue", "op": "one_of", "value": chance.sample(QUEUES, 3)},
        ]
        if n % 3 == 0:
            asked.append({"field": "data.title", "op": "contains", "value": chance.choice(WORDS)})
        made.append(RuleSpec(n, 1, (own,), _tree(asked, own)))
    return made


def _tree(asked: list[dict[str, Any]], type_: str) -> conditions.Group:
    known = fields.fields((type_,))
    parsed = conditions.parse(
        {"all": [each for each in asked if each["op"] != "gt" or each["field"] in known]}, known
    )
    assert isinstance(parsed, conditions.Group), parsed
    return parsed


def cost(ask: Ask, passes: int = PASSES, types: Sequence[str] = tuple(TYPES), many: int = EVENTS) -> float:
    """Return processor seconds an event."""
    spent = 0.0
    for _ in range(passes):
        batch = events(types)[:many]
        begun = time.process_time()
        for each in batch:
            ask(each)
        spent += time.process_time() - begun
    return spent / (many * passes)


def asking(many: Sequence[RuleSpec]) -> Ask:
    return partial(match, Index.build(many))


def look_up() -> Ask:
    """Return the floor: does any rule concern the type?"""
    by_type = {type_: [type_] for type_ in TYPES}
    get = by_type.get
    return lambda each: 1 if get(each["type"]) else 0


def spread() -> list[Line]:
    got = medians({"floor": lambda: cost(look_up()), "ours": lambda: cost(asking(rules(100)))})
    return [ratio("B1", "100 spread rules / one dictionary look-up", got["ours"], got["floor"], "<= 3", "us")]


def other_types() -> list[Line]:
    strangers = rules(1000, tuple(f"custom.other{n}" for n in range(24)))
    none, many = asking([]), asking(strangers)
    got = medians({"none": lambda: cost(none), "many": lambda: cost(many)})
    return [ratio("B1", "1,000 rules of other types / no rules", got["many"], got["none"], "<= 1.1", "us")]


def concerned() -> list[Line]:
    ten = rules(10, list(TYPES)[:1])
    strangers = rules(990, tuple(f"custom.other{n}" for n in range(24)), first=10)
    few, many = asking(ten), asking([*ten, *strangers])
    got = medians({"few": lambda: cost(few), "many": lambda: cost(many)})
    return [ratio("B1", "1,000 rules, 10 of the type / those 10", got["many"], got["few"], "<= 1.2", "us")]


class Typical(NamedTuple):
    """A rule in no engine's language: type, a number over 60, one of three queues, a word in the title."""

    type: str
    queues: list[int]


PEERS: dict[str, tuple[str, str]] = {
    "rule-engine": ("rule_engine", ">= 300"),
    "CEL in Rust": ("cel", ">= 20"),
    "json-logic": ("json_logic", ">= 250"),
}
FEW = 200  # events for engines that try every rule


def peers() -> list[Line]:
    """Return every peer that is installed beside ours: 100 rules spread over the types, for which the goals
    are set, and one rule alone, every event being of its type."""
    chance = random.Random(2)
    spread_out = [Typical(list(TYPES)[n % len(TYPES)], chance.sample(QUEUES, 3)) for n in range(100)]
    alone = [Typical(TYPE, [1, 2, 3])]
    lines = []
    for name, (module, goal) in PEERS.items():
        if importlib.util.find_spec(module) is None:
            lines.append(Line("B3", f"100 spread rules: {name} / ours", "", "not installed", None, goal))
            continue
        make = {"rule_engine": _rule_engine, "cel": _cel, "json_logic": _json_logic}[module]
        lines.append(_beside(f"100 spread rules: {name} / ours", spread_out, make, goal))
        lines.append(_beside(f"one rule of the event's type: {name} / ours", alone, make, ""))
    return lines


def _beside(measure: str, many: list[Typical], make: Callable[[list[Typical]], Ask], goal: str) -> Line:
    types = sorted({one.type for one in many})
    ours, theirs = asking(_specs(many)), make(many)
    got = medians(
        {
            "ours": lambda: cost(ours, PASSES, types),
            "peer": lambda: cost(theirs, 1, types, FEW),
        },
        turns=3,
    )
    value = got["peer"] / got["ours"]
    return Line("B3", measure, f"{got['ours'] * 1e6:.2f} us", f"{got['peer'] * 1e6:.1f} us", value, goal)


def _specs(many: list[Typical]) -> list[RuleSpec]:
    made = []
    for n, one in enumerate(many):
        asked = [
            {"field": f"data.{TYPES[one.type]}", "op": "gt", "value": 60},
            {"field": "queue", "op": "one_of", "value": one.queues},
            {"field": "data.title", "op": "contains", "value": "refund"},
        ]
        made.append(RuleSpec(n, 1, (one.type,), _tree(asked, one.type)))
    return made


def _plain(each: EventFacts) -> dict[str, Any]:
    data, type_ = each["data"], each["type"]
    return {"type_": type_, "number": data[TYPES[type_]], "queue": each["queue"], "title": data["title"]}


def _rule_engine(many: list[Typical]) -> Ask:
    import rule_engine

    ready = [
        rule_engine.Rule(
            f"type_ == '{one.type}' and number > 60 and queue in {one.queues} and 'refund' in title"
        )
        for one in many
    ]

    def ask(each: EventFacts) -> int:
        seen = _plain(each)
        return sum(rule.matches(seen) for rule in ready)

    return ask


def _cel(many: list[Typical]) -> Ask:
    import cel

    ready = [
        cel.compile(
            f"type_ == '{one.type}' && number > 60 && queue in {one.queues} && title.contains('refund')"
        )
        for one in many
    ]

    def ask(each: EventFacts) -> int:
        seen = cel.Context(_plain(each))
        return sum(program.execute(seen) for program in ready)

    return ask


def _json_logic(many: list[Typical]) -> Ask:
    from json_logic import jsonLogic

    ready = [
        {
            "and": [
                {"==": [{"var": "type_"}, one.type]},
                {">": [{"var": "number"}, 60]},
                {"in": [{"var": "queue"}, one.queues]},
                {"in": ["refund", {"var": "title"}]},
            ]
        }
        for one in many
    ]

    def ask(each: EventFacts) -> int:
        seen = _plain(each)
        return sum(bool(jsonLogic(logic, seen)) for logic in ready)

    return ask
