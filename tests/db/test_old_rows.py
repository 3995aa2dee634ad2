"""Migrations convert the rows of earlier versions."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import peewee
import pytest
from playhouse.migrations import Runner

from dashboard.db import migrate, open_database
from dashboard.models import (
    Access,
    ApiKey,
    Calendar,
    Event,
    Interaction,
    Notification,
    Profile,
    Queue,
    Rule,
    Run,
    Source,
    Step,
    Timer,
    User,
)

pytestmark = pytest.mark.both_databases


@pytest.fixture
def old(empty_url: str) -> Iterator[peewee.Database]:
    """A database of the state before the migrations that are tested here."""
    db = open_database(empty_url)
    db.connect()
    Runner(db, str(migrate.DIRECTORY)).up("0007_incomplete_rules")
    yield db
    db.close()
    if not isinstance(db, peewee.SqliteDatabase):
        db.close_all()


def insert(db: peewee.Database, table: str, **values: Any) -> None:
    mark = "?" if isinstance(db, peewee.SqliteDatabase) else "%s"
    names = ", ".join(f'"{name}"' for name in values)
    given = [json.dumps(each) if isinstance(each, dict | list) else each for each in values.values()]
    marks = ", ".join([mark] * len(values))
    db.execute_sql(f'INSERT INTO "{table}" ({names}) VALUES ({marks})', given)


def insert_run(db: peewee.Database, key: str, rule_id: int = 1, version: int = 1) -> None:
    plain = {
        "subject": "",
        "outcome": "done",
        "at_ms": 1,
        "made_ms": 1,
        "late_s": 0,
        "took_us": 0,
        "depth": 0,
    }
    insert(
        db,
        "run",
        key=key,
        rule_id=rule_id,
        version=version,
        chain=[],
        held=0,
        error="",
        **plain,
    )


# Old part and receipt → part, repetition, manual, begun_ms, receipt.
STEPS: list[tuple[int, dict[str, Any], tuple[int, int, bool, int | None, dict[str, Any]]]] = [
    (0, {}, (0, 0, False, None, {})),
    (3, {"status": 200, "note": "ok"}, (3, 0, False, None, {"status": 200, "note": "ok"})),
    (100_003, {}, (3, 1, False, None, {})),
    (300_000, {"by_hand": True}, (0, 3, True, None, {})),
    (4, {"begun_ms": 1_772_452_800_123, "status": 0}, (4, 0, False, 1_772_452_800_123, {"status": 0})),
    (5, {"by_hand": True, "begun_ms": 7}, (5, 0, True, 7, {})),
]


def test_step_columns(old: peewee.Database) -> None:
    insert_run(old, "1:1:5")
    for number, (part, receipt, _new) in enumerate(STEPS):
        plain = {"n": 0, "action": "email", "recipient": "", "state": "done", "attempts": 1, "worker": ""}
        insert(
            old,
            "step",
            run_id=1,
            rule_id=1,
            part=part,
            key=str(number),
            payload={},
            receipt=receipt,
            made_ms=1,
            error="",
            **plain,
        )
    migrate.run(old)
    s = Step
    query = s.select(s.part, s.repetition, s.manual, s.begun_ms, s.receipt).order_by(s.id)
    assert list(query.tuples()) == [new for _part, _receipt, new in STEPS]


# Old rule, kind, due and state → kind, rule, type, beginning, due, state.
NEVER = 2**62
Old = tuple[int, str, int, str]
TIMERS: dict[str, tuple[Old, tuple[Any, ...]]] = {
    "shared": ((0, "ticket.idle", 70, "waiting"), ("deadline", None, "ticket.idle", None, 70, "waiting")),
    "failed": ((0, "chat.idle", 80, "running"), ("deadline", None, "chat.idle", None, 80, "running")),
    "wait": ((1, "wait:5", 70, "waiting"), ("wait", 1, "", None, 70, "waiting")),
    "cancelled": ((1, "wait:5", 70, "cancelled"), ("wait", 1, "", None, 70, "cancelled")),
    "held wait": ((1, "wait:5", NEVER, "waiting"), ("wait", 1, "", None, 600_050, "held")),
    "schedule": (
        (2, "schedule.reached", 50, "waiting"),
        ("schedule", 2, "schedule.reached", None, 50, "waiting"),
    ),
    "held schedule": (
        (2, "schedule.reached", NEVER, "waiting"),
        ("schedule", 2, "schedule.reached", None, 50, "held"),
    ),
    "held deadline": (
        (2, "held:ticket.idle:1772452800123", NEVER, "waiting"),
        ("deferred", 2, "ticket.idle", 1_772_452_800_123, 50, "held"),
    ),
    "released deadline": (
        (2, "held:agent.idle:9000", 50, "waiting"),
        ("deferred", 2, "agent.idle", 9000, 50, "waiting"),
    ),
}


@pytest.mark.parametrize("name", TIMERS)
def test_timer_columns(name: str, old: peewee.Database) -> None:
    (rule_id, kind, due_ms, state), expected = TIMERS[name]
    insert_rule(old, 1, {"wait": {"seconds": 600}})
    insert_rule(old, 2, {"wait": None})
    insert_timer(old, rule_id, kind, due_ms, state)
    migrate.run(old)
    t = Timer
    query = t.select(t.kind, t.rule, t.type, t.begun_ms, t.due_ms, t.state).tuples()
    assert list(query) == [expected]
    kept = (t.version, t.subject, t.source_id, t.interaction, t.user_id, t.event_id, t.base_ms)
    assert t.select(*kept).tuples().get() == (3, "interaction:1:T-1", 1, "T-1", None, 5, 50)


def test_timers_end_with_their_rule(old: peewee.Database) -> None:
    insert_rule(old, 1, {})
    for rule_id, kind in ((0, "ticket.idle"), (1, "wait:5"), (9, "wait:6")):  # rule 9 was deleted
        insert_timer(old, rule_id, kind, 70, "waiting")
    migrate.run(old)
    assert [row.rule_id for row in Timer.select().order_by(Timer.id)] == [None, 1]
    Rule.delete().where(Rule.id == 1).execute()
    assert [row.rule_id for row in Timer.select()] == [None]


def insert_rule(db: peewee.Database, ident: int, definition: dict[str, Any]) -> None:
    plain = {"name": "", "description": "", "position": 0, "state": "on", "paused_reason": "", "version": 1}
    times = {"created_ts": 1, "updated_ts": 1, "armed_ms": 0, "errors": 0}
    insert(db, "rule", id=ident, definition=definition, **plain, **times)


def insert_timer(db: peewee.Database, rule_id: int, kind: str, due_ms: int, state: str) -> None:
    about = {"subject": "interaction:1:T-1", "source_id": 1, "interaction": "T-1", "event_id": 5}
    rest = {"version": 3, "base_ms": 50, "error": "", "attempts": 0, "worker": ""}
    insert(db, "timer", rule_id=rule_id, kind=kind, due_ms=due_ms, state=state, **about, **rest)


# Old key and version → firing and version; a timer that outlived its version had its own in the key.
RUNS = {
    "event": (("1:2:77", 2), ("77", 2)),
    "episode": (("1:2:idle:77", 2), ("idle:77", 2)),
    "of an earlier version": (("1:2:wait:77", 3), ("wait:77", 2)),
    "test": (("test:0a", 4), ("test:0a", 4)),
}


def test_run_firing(old: peewee.Database) -> None:
    for (key, version), _new in RUNS.values():
        insert_run(old, key, 1, version)
    migrate.run(old)
    query = Run.select(Run.firing, Run.version).order_by(Run.id)
    assert list(query.tuples()) == [new for _old, new in RUNS.values()]


def test_keys_get_their_makers_and_none_speaks_for_the_dashboard(old: peewee.Database) -> None:
    for ident, name in ((1, "pbx"), (2, "stopa")):
        insert(old, "source", id=ident, name=name, created_ts=1, is_file=False)
    for ident, source_id, allow in ((11, 1, "ingest"), (12, 1, "read"), (13, 2, "ingest"), (14, 2, "read")):
        plain = {"name": f"key {ident}", "prefix": "stopa_", "key_hash": str(ident), "created_ts": 5}
        insert(old, "api_key", id=ident, source_id=source_id, allow=allow, makes=True, **plain)
    made = {"occurred_ms": 1, "action": "key.created", "crud": "c", "outcome": "success"}
    texts = dict.fromkeys(("target_label", "ip", "user_agent", "request_id", "interface", "actor_label"), "")
    for kind, actor, key in (("cli", None, "11"), ("user", 7, "12"), ("user", 8, "14"), ("cli", None, "")):
        target = {"target_type": "key", "target_id": key, "changes": {}, "details": {}}
        insert(old, "audit_entry", actor_type=kind, actor_id=actor, **made, **target, **texts)
    migrate.run(old)
    found = ApiKey.select(ApiKey.id, ApiKey.maker_id, ApiKey.revoked_ts).order_by(ApiKey.id)
    assert list(found.tuples()) == [(11, None, None), (12, 7, None), (13, None, 5), (14, 8, None)]


def test_zones_of_the_machine_become_the_default(old: peewee.Database) -> None:
    plain = {"email": "", "extension": "", "locale": "", "created_ts": 1, "version": 1}
    for ident, name in enumerate(("localtime", "Factory", "Asia/Tokyo", "posixrules"), 1):
        insert(old, "user", id=ident, login=name, name=name, timezone=name, **plain)
        insert(old, "calendar", id=ident, name=name, zone=name, hours={}, version=1)
    migrate.run(old)
    users = User.select(User.timezone).order_by(User.id).tuples()
    calendars = Calendar.select(Calendar.zone).order_by(Calendar.id).tuples()
    assert [zone for (zone,) in users] == ["", "", "Asia/Tokyo", ""]
    assert [zone for (zone,) in calendars] == ["UTC", "UTC", "Asia/Tokyo", "UTC"]


def test_rows_that_others_refer_to_survive_every_migration(old: peewee.Database) -> None:
    """SQLite adds a column that may not be null by copying the table, which such rows forbid."""
    insert(old, "source", id=1, name="pbx", created_ts=1, is_file=True)
    texts = {"external_id": "a", "type": "call.queued", "data": {}}
    insert(old, "event", id=1, source_id=1, time_ms=1, recorded_ms=1, seq=0, **texts)
    insert(old, "contact", id=1, key="e", name="Eva", phone="", email="")
    plain = {"channel": "call", "direction": "", "talk_s": 0, "outcome": "", "reason": ""}
    insert(old, "interaction", id=1, source_id=1, contact_id=1, external_id="c", **plain)
    migrate.run(old)
    assert [(row.name, row.presence) for row in Source.select()] == [("pbx", "recorded")]
    assert [row.source_id for row in Event.select()] == [1]
    assert [row.source_id for row in Interaction.select()] == [1]


def test_built_in_roles_get_the_permissions_of_their_presets(old: peewee.Database) -> None:
    kept = ["tracing.view"]
    plain = {"description": "", "permissions": kept, "version": 1}
    for name, is_system in (("Agent", True), ("Auditor", True), ("Quality", False)):
        insert(old, "access", name=name, is_system=is_system, **plain)
    migrate.run(old)
    assert {role.name: role.permissions for role in Access.select()} == {
        "Agent": ["events.view", *kept],
        "Auditor": ["audit.export", "audit.verify", "audit.view", *kept],
        "Quality": kept,
    }


def test_users_and_queues_get_empty_titles_and_no_weight(old: peewee.Database) -> None:
    plain = {"email": "", "extension": "", "locale": "", "timezone": "", "created_ts": 1, "version": 1}
    insert(old, "user", id=1, login="jana", name="Jana", **plain)
    insert(old, "queue", name="line", label="Line", channel="call", sla_seconds=20, created_ts=1, version=1)
    migrate.run(old)
    assert User.select(User.title, User.phone).tuples().first() == ("", "")
    assert Queue.select(Queue.weight).tuples().first() == (0,)


def test_users_stay_notified_as_before_and_notifications_lead_to_what_they_are_about(
    old: peewee.Database,
) -> None:
    """Mail, which later users get unless they turn it off, comes to nobody who did not choose it."""
    plain = {
        "email": "x@example.org",
        "extension": "",
        "locale": "",
        "timezone": "",
        "created_ts": 1,
        "version": 1,
    }
    for ident, login in ((1, "jana"), (2, "petr"), (3, "eva")):
        insert(old, "user", id=ident, login=login, name=login, **plain)
    quiet = {"quiet_from": "", "quiet_to": "", "quiet_days": [], "version": 1}
    for user, default, mail in ((1, True, True), (2, False, True)):
        insert(old, "profile", user_id=user, name="Own", is_default=default, email=mail, **quiet)
    insert_run(old, "1:1:5")
    for run, url in ((1, "/runs/1"), (None, "/tracing")):
        insert(
            old, "notification", user_id=1, run_id=run, title="", body="", url=url, urgent=False, made_ms=9
        )
    migrate.run(old)
    query = Profile.select().where(Profile.is_default).order_by(Profile.user_id)
    kept = [(row.user_id, row.name, row.email, row.screen, row.quiet_days) for row in query]
    assert kept == [
        (1, "Own", True, True, []),
        (2, "Standard", False, True, []),
        (3, "Standard", False, True, []),
    ]
    assert [(row.url, row.at_ms) for row in Notification.select().order_by(Notification.id)] == [
        ("/runs/1/item", 1),
        ("/tracing", 9),
    ]
