"""Conditions on priorities by rank, on assignees as users and on custom fields as numbers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import time_machine

from dashboard.access.permissions import Permission
from dashboard.models import Rule, Team, TeamMember
from dashboard.rulelang import fields
from dashboard.rulelang.conditions import parse
from tests import make
from tests.rules.agree import alike, both
from tests.rules.engine import NOON, rule
from tests.rules.time import Site, fired

pytestmark = [pytest.mark.usefixtures("db")]


@pytest.fixture
def site() -> Iterator[Site]:
    with time_machine.travel(NOON / 1000, tick=False) as travel:
        yield Site(travel)


def condition(field: str, op: str, *value: Any) -> dict[str, Any]:
    leaf = {"field": field, "op": op, **({"value": value[0]} if value else {})}
    return {"if": {"all": [leaf]}}


RANKED = [
    ("at_least", "high", "high", True),
    ("at_least", "high", "URGENT", True),
    ("at_least", "high", "3 high", True),
    ("at_least", "3 high", "2 normal", False),
    ("at_least", "normal", "low", False),
    ("at_least", "medium", "Highest", True),
    ("at_least", "critical", "Blocker", True),
    ("at_least", "vysoká", "high", True),
    ("at_least", "高", "urgent", True),
    ("at_least", "2", 3, True),
    ("at_least", "2", "10", True),
    ("at_least", "P2", "p1", True),
    ("at_least", "P2", "P3", False),
    ("at_most", "normal", "low", True),
    ("at_most", "normal", "high", False),
    ("at_most", "5 very high", "4 high", True),
    ("at_least", "high", "soon", None),  # no known rank
    ("at_least", "high", 3, None),  # another scale
    ("at_least", "high", None, False),
    ("at_least", "high", "", False),
]


@pytest.mark.parametrize(("op", "wanted", "value", "expected"), RANKED)
def test_a_priority_compares_by_rank(
    site: Site, op: str, wanted: str, value: Any, expected: bool | None
) -> None:
    live, shadow = both(types=["ticket.created"], **condition("data.priority", op, wanted))
    site.comes("ticket.created", 0, data={"priority": value})
    assert alike(live, shadow) == {True: ["done"], False: [], None: ["error"]}[expected]


@pytest.mark.parametrize(
    ("op", "values", "times"),
    [
        ("increased", ["low", "high"], 1),
        ("increased", ["high", "low"], 0),
        ("increased", ["high", "HIGH"], 0),
        ("increased", ["normal", "medium"], 0),
        ("increased", ["1 low", "3 high", "2 normal"], 1),
        ("decreased", ["P1", "P3"], 1),
        ("decreased", ["3", "1", "2"], 1),
    ],
)
def test_a_priority_increases_and_decreases_by_rank(
    site: Site, op: str, values: list[str], times: int
) -> None:
    live, shadow = both(types=["ticket.updated"], **condition("data.priority", op))
    for at, value in enumerate(values):
        site.comes("ticket.updated", at, data={"priority": value})
    assert alike(live, shadow) == ["done"] * times


def test_an_unknown_word_is_no_rank_to_compare_with() -> None:
    known = fields.fields(["ticket.created"])
    for wanted in ("soon", "P12", "1.5"):
        assert isinstance(parse(condition("data.priority", "at_least", wanted)["if"], known), dict), wanted


PERSONAL = [
    ("is_me", "jana", True),
    ("is_me", "JANA", True),
    ("is_me", "Jana Nováková", True),
    ("is_me", "petr", False),
    ("is_me", None, False),
    ("on_my_team", "petr", True),
    ("on_my_team", "Petr Malý", True),
    ("on_my_team", "jana", True),
    ("on_my_team", "eva", False),
]


@pytest.mark.parametrize(("op", "assignee", "expected"), PERSONAL)
def test_an_assignee_is_a_user_by_login_or_name(
    site: Site, op: str, assignee: str | None, expected: bool
) -> None:
    access = make.access({Permission.RULES_OWN}, ["all_users"])
    jana = make.user("jana", name="Jana Nováková", access=access)
    petr = make.user("petr", name="Petr Malý")
    make.user("eva", name="Eva")
    team = Team.create(name="Front")
    for user in (jana, petr):
        TeamMember.create(team=team, user=user)
    one: Rule = rule(owner_id=jana.id, types=["ticket.assigned"], **condition("data.assignee", op))
    site.comes("ticket.assigned", 0, data={"assignee": assignee})
    assert [ident for ident, _outcome, _at in fired()] == ([one.id] if expected else [])


@pytest.mark.parametrize(
    ("path", "op", "wanted", "data", "expected"),
    [
        ("data.amount", "gt", 1000, {"amount": 1001}, "done"),
        ("data.amount", "gt", 1000, {"amount": 1000}, ""),
        ("data.amount", "gt", 1000, {"amount": "1500"}, "done"),
        ("data.amount", "gt", 1000, {"amount": " 1500.5 "}, "done"),
        ("data.amount", "le", -0.5, {"amount": "-0.5"}, "done"),
        ("data.amount", "gt", 1000, {"amount": "much"}, "error"),
        ("data.amount", "gt", 1000, {"amount": True}, "error"),
        ("data.amount", "gt", 1000, {}, ""),
        ("data.custom.points", "ge", 7, {"custom": {"points": "7"}}, "done"),
        ("data.order.value", "between", [1, 5], {"order": {"value": 3}}, "done"),
    ],
)
def test_a_field_of_ones_own_compares_as_a_number(
    site: Site, path: str, op: str, wanted: Any, data: dict[str, Any], expected: str
) -> None:
    live, shadow = both(types=["custom.sale"], **condition(path, op, wanted))
    site.comes("custom.sale", 0, data=data)
    assert alike(live, shadow) == ([expected] if expected else [])


def test_a_field_of_ones_own_crosses_a_number(site: Site) -> None:
    live, shadow = both(types=["ticket.updated"], **condition("data.custom.points", "crossed_up", 5))
    for at, points in enumerate(["4", 5, "6", 3, "8"]):
        site.comes("ticket.updated", at, data={"custom": {"points": points}})
    assert alike(live, shadow) == ["done", "done"]
