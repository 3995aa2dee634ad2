"""Rules hear of what happens in the dashboard itself, and the notice is in the inbox."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from dashboard.audit import record as audit
from dashboard.db import database
from dashboard.models import User
from dashboard.pages.signin import commands
from tests import make
from tests.rules import engine


@pytest.fixture
def admin(client: FlaskClient) -> User:
    user: User = make.administrator()
    make.sign_in(client, user)
    return user


def fail(client: FlaskClient, login: str, times: int) -> None:
    for _ in range(times):
        with client.application.app_context(), pytest.raises(commands.Refused):
            commands.sign_in(login, "guess", "192.0.2.7", "")
    engine.digest()


def test_third_failed_sign_in_of_a_user_notifies_the_administrator(client: FlaskClient, admin: User) -> None:
    for login in ("jana", "petr"):
        make.user(login, access=make.access(), password="right and long")
    engine.rule(
        [engine.notify(admin, title="Sign-ins fail")],
        types=["auth.sign_in_failed"],
        times={"number": 3, "seconds": 600, "by": "agent"},
    )
    fail(client, "jana", 2)
    fail(client, "petr", 2)
    assert engine.notices(admin) == []
    fail(client, "jana", 1)
    assert engine.notices(admin) == ["Sign-ins fail"]
    assert "Sign-ins fail" in client.get("/inbox?view=new").text


def test_rolled_back_act_triggers_no_rule(admin: User) -> None:
    engine.rule([engine.notify(admin)], types=["team.deleted"])
    with database.atomic() as transaction:
        audit.record("team.deleted", "d", ("team", 1, "Night"))
        transaction.rollback()
    engine.digest()
    assert engine.notices(admin) == []
    audit.record("team.deleted", "d", ("team", 1, "Night"))
    engine.digest()
    assert engine.notices(admin) == ["Look"]
