"""Whatever rules in force depend on replaces their version when it is written, whoever writes it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import peewee
import pytest
from flask import Flask

from dashboard.db import database
from dashboard.events import switches
from dashboard.models import (
    Access,
    AccessGrant,
    Calendar,
    CalendarDay,
    Channel,
    Rule,
    RuleGroup,
    Setting,
    Team,
    TeamLead,
    TeamMember,
    TypeSwitch,
    User,
)
from dashboard.models.versions import RULES, TYPES, Versioned
from dashboard.rules import active_rules
from tests.rules import engine

pytestmark = pytest.mark.both_databases

NEW: dict[type[Versioned], Callable[[], Any]] = {
    Access: lambda: Access.create(name="New"),
    AccessGrant: lambda: AccessGrant.create(access=Access.get(), kind="all_users"),
    Calendar: lambda: Calendar.create(name="New", zone="UTC"),
    CalendarDay: lambda: CalendarDay.insert_many(
        [{"calendar": Calendar.get(), "on": "2026-12-25"}]
    ).execute(),
    Channel: lambda: Channel.create(name="New", kind="chat", address="x", created_ts=0),
    Rule: lambda: Rule.create(name="New", definition={}, created_ts=0, updated_ts=0),
    RuleGroup: lambda: RuleGroup.create(name="New"),
    Team: lambda: Team.create(name="New"),
    TeamLead: lambda: TeamLead.create(team=Team.get(), user=User.get()),
    TeamMember: lambda: TeamMember.create(team=Team.get(), user=User.get()),
    TypeSwitch: lambda: TypeSwitch.create(type="custom.new", recorded=True, in_rules=False),
}
CHANGES: dict[type[Versioned], dict[str, Any]] = {
    Access: {"permissions": ["rules.own"]},
    AccessGrant: {"kind": "all_queues"},
    Calendar: {"hours": {"1": []}},
    CalendarDay: {"name": "Holiday"},
    Channel: {"active": False},
    Rule: {"state": "shadow"},
    RuleGroup: {"paused": True},
    Team: {"name": "Renamed"},
    TypeSwitch: {"in_rules": False},
    User: {"deactivated_ts": 1},
}
UNREAD: dict[type[Versioned], dict[str, Any]] = {
    Access: {"description": "x"},
    Channel: {"failures": 3, "last_ok_ms": 1},
    Rule: {"errors": 1, "last_run_ms": 1},
    RuleGroup: {"name": "Renamed"},
    User: {"last_sign_in_ts": 1, "locale": "cs"},
}
DELETABLE = [model for model in NEW if model is not Access]


def version(name: str = RULES) -> str | None:
    value: str | None = Setting.select(Setting.value).where(Setting.name == name).scalar()
    return value


@pytest.fixture
def rows(db: peewee.Database) -> None:
    """One row of every table that rules depend on."""
    access = Access.create(name="Agent")
    AccessGrant.create(access=access, kind="users", ref_id=1)
    user = User.create(login="jana", name="Jana", created_ts=0, access=access)
    for model, values in ((TeamMember, {"user": user}), (TeamLead, {"user": user})):
        model.create(team=Team.get_or_create(name="Team")[0], **values)
    CalendarDay.create(calendar=Calendar.create(name="Office", zone="UTC"), on="2026-12-24")
    Channel.create(name="Hook", kind="webhook", address="x", created_ts=0)
    RuleGroup.create(name="Group")
    TypeSwitch.create(type="custom.sale", recorded=True, in_rules=True)
    engine.rule()


def test_the_tables_below_are_all_that_rules_depend_on() -> None:
    assert set(Versioned.__subclasses__()) == {*NEW, *CHANGES}


@pytest.mark.usefixtures("rows")
@pytest.mark.parametrize("model", NEW, ids=lambda model: model.__name__)
def test_a_new_row_replaces_the_version(model: type[Versioned]) -> None:
    if model in (TeamLead, TeamMember):
        model.delete().execute()
    before = version()
    NEW[model]()
    assert version() != before


@pytest.mark.usefixtures("rows")
@pytest.mark.parametrize("model", CHANGES, ids=lambda model: model.__name__)
def test_a_changed_row_replaces_the_version_by_query_and_by_instance(model: type[Versioned]) -> None:
    before = version()
    model.update(**CHANGES[model]).execute()
    between = version()
    assert between != before
    row = model.get()
    for name, value in CHANGES[model].items():
        setattr(row, name, value)
    row.save()
    assert version() != between


@pytest.mark.usefixtures("rows")
@pytest.mark.parametrize("model", DELETABLE, ids=lambda model: model.__name__)
def test_a_deleted_row_replaces_the_version_and_the_second_time_nothing(model: type[Versioned]) -> None:
    before = version()
    assert model.delete().execute() == 1
    after = version()
    assert after != before
    assert model.delete().execute() == 0
    assert version() == after


@pytest.mark.usefixtures("rows")
@pytest.mark.parametrize("model", UNREAD, ids=lambda model: model.__name__)
def test_columns_that_rules_do_not_read_leave_the_version(model: type[Versioned]) -> None:
    before = version()
    assert model.update(**UNREAD[model]).execute() == 1
    assert version() == before


@pytest.mark.usefixtures("rows")
def test_users_made_by_their_first_event_leave_the_version() -> None:
    before = version()
    User.insert_many([{"login": "petr", "name": "Petr", "created_ts": 0}]).execute()
    assert version() == before


@pytest.mark.usefixtures("rows")
def test_a_choice_about_a_type_replaces_both_versions() -> None:
    before = version(), version(TYPES)
    switches.choose("custom.sale", switches.Choice(recorded=False, in_rules=True))
    assert not set(before) & {version(), version(TYPES)}
    assert not switches.recorded("custom.sale")


@pytest.mark.usefixtures("rows")
def test_a_write_that_is_undone_leaves_the_version_of_before() -> None:
    before = version()
    with database.atomic() as transaction:
        Rule.update(state="off").execute()
        assert version() != before
        transaction.rollback()
    assert version() == before


@pytest.mark.usefixtures("rows")
def test_stopping_all_rules_replaces_the_version() -> None:
    for stopping in (True, False):
        before = version()
        active_rules.stop(stopping)
        assert (version() != before, active_rules.stopped()) == (True, stopping)


@pytest.mark.usefixtures("rows")
def test_a_permission_granted_on_the_command_line_reaches_rules_in_force_at_once(app: Flask) -> None:
    rule = engine.rule(owner_id=User.get().id)
    assert rule.id not in active_rules.live().rules
    result = app.test_cli_runner().invoke(args=["access", "grant", "Agent", "rules.own"])
    assert result.exit_code == 0, result.output
    assert rule.id in active_rules.live().rules
