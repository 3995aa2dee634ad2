"""Which runs a viewer may see: the condition on tables and the one on facts say the same."""

from __future__ import annotations

from itertools import product

import pytest
from peewee import JOIN

from dashboard.access.permissions import Permission
from dashboard.access.scope import Scope
from dashboard.models import Event, Rule, Run
from dashboard.rulelang.fields import EventFacts
from dashboard.rules import permissions
from dashboard.rules.recipients import covers
from dashboard.ruletext import run_scope

pytestmark = pytest.mark.usefixtures("db")

VIEWER, OTHER, STRANGER = 1, 2, 3
SETS = (None, frozenset[int](), frozenset({OTHER}))
P = Permission


def shown(scope: Scope) -> set[int]:
    query = Run.select(Run.id).join(Event, JOIN.LEFT_OUTER, on=(Run.event_id == Event.id))
    return {row[0] for row in query.where(run_scope.covers(scope)).tuples()}


def made(number: int, event: int | None, subject: str = "") -> None:
    Run.create(
        id=number,
        firing=str(number),
        rule_id=1,
        version=1,
        event_id=event,
        subject=subject,
        outcome="done",
        at_ms=0,
        made_ms=0,
    )


def test_a_run_is_seen_by_whom_its_event_is() -> None:
    cases = list(product((None, VIEWER, OTHER, STRANGER), (None, OTHER, STRANGER), (None, "c1")))
    for number, (user, queue, interaction) in enumerate(cases, 1):
        about = {"user_id": user, "queue_id": queue, "interaction": interaction}
        Event.create(
            id=number,
            source_id=1,
            external_id=str(number),
            type="custom.x",
            time_ms=0,
            recorded_ms=0,
            **about,
        )
        made(number, number)
    for users, queues in product(SETS, SETS):
        scope = Scope(VIEWER, frozenset(), users, queues)
        expected = {
            number
            for number, (user, queue, interaction) in enumerate(cases, 1)
            if covers(scope, EventFacts(user=user, queue=queue, interaction=interaction))
        }
        assert shown(scope) == expected, (users, queues)


SUBJECTS = [
    ("rule:1", True, True),
    (f"user:{VIEWER}", True, True),
    (f"user:{OTHER}", True, True),
    (f"user:{STRANGER}", True, False),
    (f"queue:{OTHER}", True, True),
    (f"queue:{STRANGER}", True, False),
    ("interaction:pbx:c1", True, False),
]


@pytest.mark.parametrize(("subject", "everybody", "narrow"), SUBJECTS)
def test_a_run_without_an_event_is_seen_by_whom_its_subject_is(
    subject: str, everybody: bool, narrow: bool
) -> None:
    made(1, None, subject)
    some = frozenset({OTHER})
    assert shown(Scope(VIEWER, frozenset(), None, None)) == ({1} if everybody else set())
    assert shown(Scope(VIEWER, frozenset(), some, some)) == ({1} if narrow else set())


RIGHTS = (P.RULES_OWN, P.RULES_VIEW, P.RULES_OVERSEE, P.RULES_TRACES, P.RULES_EDIT, P.RULES_SWITCH)


@pytest.mark.parametrize(
    "held",
    [
        frozenset(),
        *({one} for one in RIGHTS),
        set(RIGHTS),
        {P.RULES_OWN, P.RULES_VIEW},
        {P.RULES_VIEW, P.RULES_TRACES},
    ],
)
def test_rules_are_found_by_whom_they_may_be_seen(held: set[Permission]) -> None:
    scope = Scope(VIEWER, frozenset(held), None, None)
    owners = {1: None, 2: VIEWER, 3: OTHER}
    for ident, owner in owners.items():
        Rule.create(id=ident, name="x", owner_id=owner, definition={}, created_ts=0, updated_ts=0)
    found = {row[0] for row in Rule.select(Rule.id).where(permissions.visible(scope)).tuples()}
    assert found == {ident for ident, owner in owners.items() if permissions.can_see(scope, owner)}
    traced = {row[0] for row in Rule.select(Rule.id).where(run_scope.traced(scope)).tuples()}
    assert traced == {ident for ident, owner in owners.items() if permissions.can_see_traces(scope, owner)}


def test_others_rules_can_be_switched_off_and_never_changed() -> None:
    overseer = Scope(VIEWER, frozenset({P.RULES_OVERSEE, P.RULES_EDIT, P.RULES_SWITCH}), None, None)
    assert permissions.can_switch(overseer, OTHER, "off")
    assert not permissions.can_switch(overseer, OTHER, "on")
    assert not permissions.can_change(overseer, OTHER)
    assert permissions.can_change(overseer, None)
    assert permissions.can_switch(overseer, None, "on")
    owner = Scope(VIEWER, frozenset({P.RULES_OWN}), None, None)
    assert permissions.can_change(owner, VIEWER)
    assert permissions.can_switch(owner, VIEWER, "on")
    assert not permissions.can_change(owner, None)
