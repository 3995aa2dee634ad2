"""The configuration as a file: what it holds, what an import of it does, once and again."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from flask import Flask

from dashboard.access import keys, presets
from dashboard.access.permissions import Permission as P
from dashboard.models import (
    Access,
    AccessGrant,
    ApiKey,
    AuditEntry,
    Calendar,
    CalendarDay,
    PauseType,
    Queue,
    Rule,
    RuleVersion,
    Team,
    User,
)
from dashboard.rulelang import schema
from tests import make
from tests.pages import rulerows

pytestmark = pytest.mark.both_databases

Run = Callable[..., Result]
TABLES = (Access, AccessGrant, Calendar, CalendarDay, PauseType, Queue, Rule, RuleVersion, Team)


@pytest.fixture
def run(app: Flask) -> Run:
    def runner(*words: str) -> Result:
        done = app.test_cli_runner().invoke(args=["config", *words])
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        return done

    return runner


@pytest.fixture
def site(app: Flask) -> None:
    """A site with something of every kind, and with what no file may hold."""
    presets.make()
    make.administrator("boss", "correct horse")
    support = make.queue("support", sla_seconds=30, weight=2)
    make.queue("old", deactivated_ts=5)
    jana = make.user("jana", email="jana@example.org", phone="+420111222333")
    make.access([P.TRACING_VIEW], [("users", jana.id), ("queues", support.id), "led_teams"], "Auditors")
    Access.update(two_factor=True).where(Access.name == "Auditors").execute()
    Team.create(name="North")
    PauseType.create(name="lunch", label="Lunch", paid=True, max_seconds=1800)
    week = {"1": [["08:00", "12:00"], ["13:00", "17:00"]]}
    office = Calendar.create(name="Office", zone="Europe/Prague", hours=week)
    CalendarDay.create(calendar=office, on="2026-12-24", name="Christmas Eve", hours=[])
    rulerows.rule("Late calls", definition=schema.dump(schema.load(rulerows.CALL)))
    keys.make("Exchange", "pbx", "ingest")


def stored() -> str:
    """Return all rows that an import may touch, as text."""
    return str([list(table.select().dicts()) for table in (*TABLES, AuditEntry)])


def exported(run: Run, path: Path) -> dict[str, Any]:
    assert run("export", str(path)).exit_code == 0
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def test_a_file_makes_the_same_site_elsewhere_once(run: Run, site: None, tmp_path: Path) -> None:
    file = tmp_path / "site.json"
    first = exported(run, file)
    assert [each["name"] for each in first["rules"]] == ["Late calls"]
    (auditors,) = (each for each in first["roles"] if each["name"] == "Auditors")
    assert auditors["sees"] == ["led_teams", "queue:support", "user:jana"]
    assert auditors["two_factor"]
    prefix = ApiKey.get().prefix
    for secret in ("+420111222333", "jana@example.org", "argon2", prefix, "Exchange", "boss"):
        assert secret not in file.read_text()
    User.update(access=None).execute()
    for table in reversed(TABLES):
        table.delete().execute()
    presets.make()
    User.update(access=Access.get(Access.name == "Administrator")).where(User.login == "boss").execute()
    before = stored()
    tried = run("import", str(file), "--dry-run")
    assert (tried.exit_code, stored()) == (0, before)
    done = run("import", str(file), "--json")
    assert [row for row in json.loads(done.stdout) if row["kind"] == "rule"] == [
        {"done": "added", "kind": "rule", "name": "Late calls", "what": "switched off"}
    ]
    rows = ["DONE KIND NAME WHAT", *(" ".join(row.values()) for row in json.loads(done.stdout))]
    assert tried.stdout.split() == " ".join(rows).split()  # the dry run says what then happens
    assert exported(run, file) == first
    again = run("import", str(file))
    assert again.stdout.splitlines()[1:] == []
    assert again.stderr == f"Unchanged: {sum(map(len, list(first.values())[1:]))}.\n"
    entries = AuditEntry.select().where(AuditEntry.action != "config.imported").count()
    assert AuditEntry.select().where(AuditEntry.action == "config.imported").count() == 2
    assert run("import", str(file)).exit_code == 0
    assert AuditEntry.select().where(AuditEntry.action != "config.imported").count() == entries


def test_what_differs_is_changed_and_what_is_missing_stays(run: Run, site: None, tmp_path: Path) -> None:
    file = tmp_path / "site.json"
    found = exported(run, file)
    found["queues"] = [{"name": "support", "label": "Help", "channel": "call", "active": False}]
    found["roles"] = [
        {"name": "Auditors", "permissions": ["home.view"], "sees": ["user:jana", "user:nobody"]}
    ]
    found["calendars"][0]["days"] = [{"on": "2027-01-01", "hours": [["10:00", "12:00"]]}]
    found["rules"][0]["description"] = "Another"
    found["teams"], found["pause_types"] = [], []
    file.write_text(json.dumps(found))
    done = json.loads(run("import", str(file), "--json").stdout)
    assert [tuple(row.values()) for row in done] == [
        ("changed", "queue", "support", "label, sla_seconds, weight, active"),
        ("changed", "access", "Auditors", "permissions, sees, two_factor"),
        ("skipped", "access", "Auditors", "user:nobody is unknown here"),
        ("changed", "calendar", "Office", "days"),
        ("skipped", "rule", "Late calls", "differs from the rule of this name, which stays"),
    ]
    queue = Queue.get(Queue.name == "support")
    assert (queue.label, queue.sla_seconds, queue.version, queue.deactivated_ts is None) == (
        "Help",
        20,
        2,
        False,
    )
    auditors = Access.get(Access.name == "Auditors")
    assert [grant.kind for grant in auditors.grants] == ["users"]
    assert [(day.on, day.hours) for day in CalendarDay.select()] == [("2027-01-01", [["10:00", "12:00"]])]
    assert (Team.select().count(), Queue.select().count(), PauseType.select().count()) == (1, 2, 1)
    assert Rule.get().description == ""
    (entry,) = AuditEntry.select().where(AuditEntry.action == "access.updated")
    assert entry.changes["two_factor"] == [True, False]
    assert entry.actor_type == "cli"


WEEK = {"name": "a", "zone": "UTC"}
QUEUE = {"name": "a", "label": "A", "channel": "call"}
BAD: list[tuple[str | dict[str, Any], str]] = [
    ("[]", "Expected `object`"),
    ("{", "truncated"),
    ({"stopa_config": 2}, "newer version"),
    ({"keys": []}, "unknown field `keys`"),
    ({"teams": [{"name": ""}]}, "$.teams[0].name"),
    ({"teams": [{"name": "a"}, {"name": "a"}]}, "stands twice"),
    ({"roles": [{"name": "a", "permissions": ["all"]}]}, "unknown permissions all"),
    ({"roles": [{"name": "a", "permissions": [], "sees": ["users"]}]}, "'users' is none of"),
    ({"queues": [{**QUEUE, "channel": "smoke"}]}, "the channel is one of"),
    ({"queues": [{**QUEUE, "sla_seconds": -1}]}, "$.queues[0].sla_seconds"),
    ({"calendars": [{**WEEK, "zone": "Mars"}]}, "Calendar a"),
    ({"calendars": [{**WEEK, "hours": {"8": []}}]}, "$.calendars[0].hours"),
    ({"calendars": [{**WEEK, "hours": {"1": [["9", "8"]]}}]}, "Calendar a"),
    ({"calendars": [{**WEEK, "days": [{"on": "x"}]}]}, "$.calendars[0].days[0].on"),
    ({"calendars": [{**WEEK, "days": [{"on": "2026-01-01"}] * 2}]}, "Calendar a: a day stands twice"),
    ({"teams": [{"name": " "}]}, "$.teams[0].name"),
    ({"roles": [{"name": "a", "permissions": [], "sees": ["user:\0"]}]}, "the character NUL"),
    ('{"stopa_config": 1, "rules": ' + "[" * 5000, "nested too deeply"),
]


def test_a_file_that_is_wrong_changes_nothing_and_is_told_where(run: Run, site: None, tmp_path: Path) -> None:
    file, before = tmp_path / "site.json", stored()
    for given, said in BAD:
        file.write_text(given if isinstance(given, str) else json.dumps({"stopa_config": 1, **given}))
        done = run("import", str(file))
        assert (done.exit_code, said in done.stderr, done.stdout) == (1, True, ""), (given, done.stderr)
    names = ("Administrator", User.get(User.login == "boss").access.name)
    roles = [{"name": name, "permissions": []} for name in names]
    file.write_text(json.dumps({"stopa_config": 1, "teams": [{"name": "South"}], "roles": roles}))
    assert "must keep permission" in run("import", str(file)).stderr
    assert stored() == before
