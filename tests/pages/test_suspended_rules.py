"""What pages change about users, teams and accesses holds for their rules from the next event on."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from dashboard.access.permissions import Permission
from dashboard.models import Team, User
from dashboard.rules import active_rules
from tests import make
from tests.rules import engine

P = Permission


@pytest.fixture
def owner(client: FlaskClient) -> User:
    """Somebody with a rule of one's own at work; an administrator is signed in."""
    make.sign_in(client, make.administrator())
    user: User = make.user("owner", access=make.access([P.RULES_OWN, P.USERS_VIEW], name="Owners"))
    engine.rule([engine.notify(user)], owner_id=user.id)
    assert at_work()
    return user


def at_work() -> bool:
    return bool(active_rules.live().rules)


def test_rules_of_a_user_rest_while_the_user_is_deactivated(client: FlaskClient, owner: User) -> None:
    client.post(f"/users/{owner.id}/deactivate")
    assert not at_work()
    client.post(f"/users/{owner.id}/reactivate")
    assert at_work()


def test_rules_rest_when_the_access_no_longer_allows_them(client: FlaskClient, owner: User) -> None:
    access = owner.access
    boxes = {"tab": "modules", "part": "reports", "p": [P.USERS_VIEW.value], "version": access.version}
    assert client.post(f"/accesses/{access.id}/edit", data=boxes).status_code == 302
    assert not at_work()


def test_rules_rest_when_the_user_gets_another_access(client: FlaskClient, owner: User) -> None:
    other = make.access([P.USERS_VIEW])
    form = {"name": "Owner", "login": "owner", "access": str(other.id), "version": str(owner.version)}
    assert client.post(f"/users/{owner.id}", data=form).status_code == 302
    assert not at_work()


def test_a_change_of_a_team_is_known_to_the_rules(client: FlaskClient, owner: User) -> None:
    before = active_rules.live().version
    client.post("/teams/new", data={"name": "Night", "member": [str(owner.id)]})
    after = active_rules.live().version
    assert Team.select().count() == 1
    assert before != after
