"""Rows B1 and B3: matching an event against many rules, and one rule beside other engines."""

from __future__ import annotations

import importlib.util
import random
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from dashboard import catalog
from dashboard.catalog import Kind
from dashboard.rules import fields, tree
from dashboard.rules.match import Index, RuleSpec, match
from dashboard.rules.values import Facts, facts
from tests.bench.table import Line, medians, ratio

EVENTS, PASSES = 4000, 5  # a batch just decoded lies in the processor's cache
QUEUES = range(1, 31)
WORDS = (
    *("invoice", "refund", "delivery", "address", "password", "contract", "upgrade", "outage", "router"),
    *("billing", "warranty", "return", "order", "payment", "missing", "cancel", "renew", "tariff", "modem"),
    *("signal", "complaint", "technician", "visit", "urgent", "thanks", "question"),
)
MEAN = 120  # of the numbers, which fall off as durations do
NUMBERS = (Kind.NUMBER, Kind.SECONDS)
Ask = Callable[[Facts], object]


def _numbered() -> dict[str, str]:
    """Return 24 types of the catalogue, each with a field of its data that holds a number."""
    found = {
        type_.name: each.name
        for type_ in catalog.CATALOG.values() for each in type_.fields if each.kind in NUMBERS
    }  # fmt: skip
    return dict(list(found.items())[:24])


TYPES = _numbered()
TYPE, FIELD = next(iter(TYPES.items()))


def rows() -> list[Line]:
    """Return the lines of B1 and B3; costs are processor seconds an event."""
    return [*spread(), *other_types(), *concerned(), *peers()]


def events(seed: int = 3) -> list[Facts]:
    """Return one batch; the facts keep what a match walked to, so every pass gets fresh ones."""
    chance = random.Random(seed)
    made = []
    for n in range(EVENTS):
        type_, queue = chance.choice(list(TYPES)), chance.choice(QUEUES)
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


def _tree(asked: list[dict[str, Any]], type_: str) -> tree.Group:
    known = fields.fields((type_,))
    parsed = tree.parse(
        {"all": [each for each in asked if each["op"] != "gt" or each["field"] in known]}, known
    )
    assert isinstance(parsed, tree.Group), parsed
    return parsed


def cost(ask: Ask, passes: int = PASSES) -> float:
    """Return processor seconds an event."""
    spent = 0.0
    for _ in range(passes):
        batch = events()
        begun = time.process_time()
        for each in batch:
            ask(each)
        spent += time.process_time() - begun
    return spent / (EVENTS * passes)


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


PEERS: dict[str, tuple[str, str]] = {
    "rule-engine": ("rule_engine", ">= 300"),
    "CEL in Rust": ("cel", ">= 20"),
    "json-logic": ("json_logic", ">= 250"),
}


def peers() -> list[Line]:
    """Return one typical rule beside every peer that is installed."""
    lines = []
    for name, (module, goal) in PEERS.items():
        measure = f"one rule: {name} / ours"
        if importlib.util.find_spec(module) is None:
            lines.append(Line("B3", measure, "", "not installed", None, goal))
            continue
        theirs = {"rule_engine": _rule_engine, "cel": _cel, "json_logic": _json_logic}[module]()
        ours = asking(_typical())
        got = medians({"ours": lambda ours=ours: cost(ours), "peer": lambda theirs=theirs: cost(theirs, 1)})
        lines.append(Line(
            "B3", measure, f"{got['ours'] * 1e6:.2f} us", f"{got['peer'] * 1e6:.1f} us",
            got["peer"] / got["ours"], goal,
        ))  # fmt: skip
    return lines


def _typical() -> list[RuleSpec]:
    asked = [
        {"field": f"data.{FIELD}", "op": "gt", "value": 60},
        {"field": "queue", "op": "one_of", "value": [1, 2, 3]},
        {"field": "data.title", "op": "contains", "value": "refund"},
    ]
    return [RuleSpec(1, 1, (TYPE,), _tree(asked, TYPE))]


def _plain(each: Facts) -> dict[str, Any]:
    data = each["data"]
    return {
        "type": each["type"],
        "number": data.get(FIELD, 0),
        "queue": each["queue"],
        "title": data["title"],
    }


def _rule_engine() -> Ask:
    import rule_engine

    rule = rule_engine.Rule(f"type == '{TYPE}' and number > 60 and queue in [1, 2, 3] and 'refund' in title")
    return lambda each: rule.matches(_plain(each))


def _cel() -> Ask:
    import cel

    program = cel.compile(
        f"type_ == '{TYPE}' && number > 60 && queue in [1, 2, 3] && title.contains('refund')"
    )

    def ask(each: Facts) -> object:
        seen = _plain(each)
        return program.execute(
            cel.Context({"type_": seen["type"], "queue": seen["queue"], "title": seen["title"]})
        )

    return ask


def _json_logic() -> Ask:
    from json_logic import jsonLogic

    logic = {"and": [{"==": [{"var": "type"}, TYPE]}, {">": [{"var": "number"}, 60]},
                     {"in": [{"var": "queue"}, [1, 2, 3]]},
                     {"in": ["refund", {"var": "title"}]}]}  # fmt: skip
    return lambda each: jsonLogic(logic, _plain(each))
