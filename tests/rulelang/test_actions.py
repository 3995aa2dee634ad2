"""The table of actions: what every row must be."""

from __future__ import annotations

import re

import pytest

from dashboard.access.permissions import Permission
from dashboard.rulelang.actions import ACTIONS, COMMON, Action
from dashboard.rulelang.subjects import ROLES, Role
from dashboard.rulelang.values import ChannelId

every = pytest.mark.parametrize("action", ACTIONS.values(), ids=ACTIONS)


def test_the_actions_are_those_that_rules_are_stored_by() -> None:
    inside = {name for name, action in ACTIONS.items() if action.inside}
    assert inside == {"notify", "tag", "untag", "note", "log", "emit"}
    assert set(ACTIONS) - inside == {
        *("email", "webhook", "chat", "invite", "log_file"),
        *(f"source_{verb}" for verb in ("status", "priority", "assign", "transfer", "note")),
    }


@every
def test_a_phrase_names_parameters_of_its_action_only(action: Action) -> None:
    named = set(re.findall(r"%\((\w+)\)s", action.phrase))
    assert named <= {param.name for param in action.params}


@every
def test_outgoing_actions_need_their_permission(action: Action) -> None:
    assert action.permission is (None if action.inside else Permission.RULES_OUTWARD)


@every
def test_an_action_with_a_channel_says_of_which_kind(action: Action) -> None:
    asks = any(isinstance(param.kind, ChannelId) for param in action.params)
    assert asks is (action.channel in ("webhook", "chat"))


@every
def test_parameters_have_names_of_their_own_and_labels(action: Action) -> None:
    names = [param.name for param in (*action.params, *COMMON)]
    assert len(set(names)) == len(names)
    assert "do" not in names
    assert all(param.label for param in action.params)


def test_every_role_has_a_label() -> None:
    assert set(ROLES) == set(Role)
