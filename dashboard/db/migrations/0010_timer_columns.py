"""Timers: the kind is one of four, the type and the beginning of a deadline have columns, a rule is a key.

The table is created anew, for SQLite cannot let a column be null afterwards. It has only what is pending.
"""

from __future__ import annotations

from typing import Any

import peewee as pw

NEVER_MS = 2**62  # was the due time of what its rule's paused group held back
AT_ONCE = 500  # rows of one statement


class Table(pw.Model):
    class Meta:
        legacy_table_names = False


class Rule(Table):
    id = pw.AutoField()
    definition = pw.JSONField()


class Before(Table):
    id = pw.BigAutoField()
    rule_id = pw.IntegerField()
    version = pw.IntegerField()
    kind = pw.CharField(60)
    subject = pw.CharField(300)
    source_id = pw.IntegerField(null=True)
    interaction = pw.CharField(200, null=True)
    user_id = pw.IntegerField(null=True)
    event_id = pw.BigIntegerField(null=True)
    base_ms = pw.BigIntegerField()
    due_ms = pw.BigIntegerField()
    error = pw.CharField(500)
    state = pw.CharField(10)
    attempts = pw.IntegerField()
    lease_ms = pw.BigIntegerField(null=True)
    worker = pw.CharField(80)

    class Meta:
        table_name = "timer"


class Timer(Table):
    id = pw.BigAutoField()
    kind = pw.CharField(10)
    rule = pw.ForeignKeyField(Rule, null=True, on_delete="CASCADE")
    version = pw.IntegerField()
    type = pw.CharField(60)
    subject = pw.CharField(300)
    source_id = pw.IntegerField(null=True)
    interaction = pw.CharField(200, null=True)
    user_id = pw.IntegerField(null=True)
    event_id = pw.BigIntegerField(null=True)
    begun_ms = pw.BigIntegerField(null=True)
    base_ms = pw.BigIntegerField()
    due_ms = pw.BigIntegerField()
    error = pw.CharField(500)
    state = pw.CharField(10)
    attempts = pw.IntegerField()
    lease_ms = pw.BigIntegerField(null=True)
    worker = pw.CharField(80)

    class Meta:
        indexes = ((("state", "due_ms"), False),)


t = Timer
t.add_index(t.index(t.type, t.subject, unique=True, name="timer_deadline").where(t.rule.is_null()))
t.add_index(t.index(t.rule, t.event_id, unique=True, name="timer_wait").where(pw.SQL("kind = 'wait'")))
t.add_index(
    t.index(t.rule, t.type, t.subject, t.begun_ms, unique=True, name="timer_deferred").where(
        pw.SQL("kind = 'deferred'")
    )
)
t.add_index(t.index(t.rule, unique=True, name="timer_schedule").where(pw.SQL("kind = 'schedule'")))


def up(_migrator: Any, db: Any) -> None:
    with db.bind_ctx([Rule, Before, Timer]):
        rules: Any = Rule.select(Rule.id, Rule.definition).tuples()
        definitions: dict[int, dict[str, Any]] = {0: {}, **dict(rules)}
        before: Any = Before.select().order_by(Before.id).dicts()
        known = (row for row in before if row["rule_id"] in definitions)
        rows = [_converted(row, definitions[row["rule_id"]]) for row in known]
        db.drop_tables([Before])
        db.create_tables([Timer])
        for start in range(0, len(rows), AT_ONCE):
            Timer.insert_many(rows[start : start + AT_ONCE]).execute()


def _converted(row: dict[str, Any], definition: dict[str, Any]) -> dict[str, Any]:
    first, _colon, rest = row.pop("kind").partition(":")
    del row["id"]
    rule = row.pop("rule_id") or None
    kind, type_, begun_ms, wait_s = "deadline", first, None, 0
    if first == "wait":
        kind, type_, wait_s = "wait", "", (definition.get("wait") or {}).get("seconds", 0)
    elif first == "held":
        type_, _colon, begun = rest.rpartition(":")
        kind, begun_ms = "deferred", int(begun)
    elif rule is not None:
        kind = "schedule"
    if row["due_ms"] == NEVER_MS:  # a wait in working time is due later, which the worker computes
        row["due_ms"] = row["base_ms"] + wait_s * 1000
        row["state"] = "held" if row["state"] == "waiting" else row["state"]
    return {**row, "kind": kind, "rule": rule, "type": type_, "begun_ms": begun_ms}
