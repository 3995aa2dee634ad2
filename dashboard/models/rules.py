"""Rules and their state: versions, drafts, runs, steps, limits, counts, timers, marks, backtests.

A subject is named as `rulelang.subjects.SubjectName` writes it.
"""

from __future__ import annotations

from typing import Any

import peewee as pw
from peewee import JSONField

from dashboard.db import Model
from dashboard.models.versions import RULES, TYPES, Versioned


class OfRule(Model):
    """Base of the tables whose rows are kept for a rule, `rule_id`, and deleted with it.

    It is no foreign key: SQLite would have to rebuild tables that grow with subjects, and 0 is a new rule.
    """

    rule_id: Any


class RuleGroup(Versioned):
    """A group of rules: paused together, and the scope of "stop later rules of this group"."""

    id = pw.AutoField()
    name = pw.CharField(120, unique=True)
    paused = pw.BooleanField(default=False)
    version = pw.IntegerField(default=1)
    read = frozenset({"paused"})


class Rule(Versioned):
    """What happens by itself. `definition` is the JSON of rulelang.schema; `version` counts its changes.

    Switching a rule on or off is no new version: a version and an event make one run at most.
    """

    group_id: int | None
    id = pw.AutoField()
    name = pw.CharField(120)
    description = pw.CharField(500, default="")
    owner_id = pw.IntegerField(null=True, index=True)  # user of a personal rule; None = system rule
    group = pw.ForeignKeyField(RuleGroup, null=True, on_delete="SET NULL")
    position = pw.IntegerField(default=0)
    state = pw.CharField(10, default="off")  # a rulelang.matcher.State
    paused_reason = pw.CharField(200, default="")  # a translatable message
    definition = JSONField()
    version = pw.IntegerField(default=1)
    created_ts = pw.BigIntegerField()
    updated_ts = pw.BigIntegerField()
    updated_by = pw.IntegerField(null=True)  # author, whose permission for contact details applies to texts
    armed_ms = pw.BigIntegerField(default=0)  # timers: only periods that started since then
    errors = pw.IntegerField(default=0)  # consecutive failures of conditions
    missing = JSONField(default=list)  # messages: what an import left out; it stays off until it is saved
    last_run_ms = pw.BigIntegerField(null=True)
    read = frozenset(
        {"name", "owner_id", "group", "position", "state", "definition", "version", "updated_by", "armed_ms"}
    )


class RuleVersion(Model):
    """A saved version of a rule, for comparing and restoring."""

    rule = pw.ForeignKeyField(Rule, on_delete="CASCADE")
    version = pw.IntegerField()
    name = pw.CharField(120)
    definition = JSONField()
    made_by = pw.IntegerField(null=True)
    made_ts = pw.BigIntegerField()

    class Meta:
        primary_key = pw.CompositeKey("rule", "version")


class RuleDraft(OfRule):
    """A user's unsaved input of the rule editor; `rule_id` 0 is a new rule.

    `form` has the rule's name and what else is typed beside, and under "definition" the JSON of
    rulelang.schema with whatever was typed; `previous` is the list of forms before it, newest first.
    """

    user_id = pw.IntegerField()
    rule_id = pw.IntegerField()
    base_version = pw.IntegerField(default=0)
    form = JSONField()
    previous = JSONField(null=True)
    updated_ms = pw.BigIntegerField()

    class Meta:
        primary_key = pw.CompositeKey("user_id", "rule_id")


class RuleMute(Model):
    """A user who has muted a rule."""

    rule = pw.ForeignKeyField(Rule, on_delete="CASCADE")
    user_id = pw.IntegerField()

    class Meta:
        primary_key = pw.CompositeKey("rule", "user_id")


class Run(Model):
    """A rule evaluated on an event or a deadline, once per rule version, with what it saw."""

    id = pw.BigAutoField()
    rule_id = pw.IntegerField()
    version = pw.IntegerField()
    firing = pw.CharField(300)  # id of the event, or name of the deadline, wait or count
    event_id = pw.BigIntegerField(null=True)
    subject = pw.CharField(300, default="")
    outcome = pw.CharField(16)  # a rulelang.outcomes.RunOutcome
    at_ms = pw.BigIntegerField()  # time of the event, or due time of the timer
    made_ms = pw.BigIntegerField()
    late_s = pw.IntegerField(default=0)
    took_us = pw.IntegerField(default=0)
    depth = pw.IntegerField(default=0)
    chain = JSONField(default=list)  # ids of the rules that caused it
    trace = JSONField(null=True)  # rulelang.compiler.Trace.as_json()
    held = pw.IntegerField(default=0)  # number of rate-limited actions
    error = pw.CharField(500, default="")

    class Meta:
        indexes = (
            (("rule_id", "firing", "version"), True),
            (("rule_id", "outcome", "id"), False),
            (("rule_id", "made_ms", "id"), False),
            (("subject", "made_ms", "id"), False),
            (("made_ms",), False),
        )


class Step(Model):
    """One action of a run for one recipient. `key` is the delivery id, the same for all attempts."""

    run_id: int
    id = pw.BigAutoField()
    run = pw.ForeignKeyField(Run, on_delete="CASCADE")
    rule_id = pw.IntegerField()
    n = pw.IntegerField()  # index of the action in the rule, from 0
    part = pw.IntegerField(default=0)  # recipient
    repetition = pw.IntegerField(default=0)  # of a notice that is repeated; 0 is the first
    action = pw.CharField(20)
    channel_id = pw.IntegerField(null=True)
    recipient = pw.CharField(300, default="")
    key = pw.CharField(40, unique=True)
    payload = JSONField(default=dict)
    state = pw.CharField(10)  # a rulelang.outcomes.StepState
    attempts = pw.IntegerField(default=0)
    due_ms = pw.BigIntegerField(null=True)
    manual = pw.BooleanField(default=False)  # sent again by a person
    begun_ms = pw.BigIntegerField(null=True)  # when sending began, while it has not ended
    lease_ms = pw.BigIntegerField(null=True)
    worker = pw.CharField(80, default="")
    made_ms = pw.BigIntegerField()
    done_ms = pw.BigIntegerField(null=True)
    receipt = JSONField(default=dict)  # status, took_ms, note; of the latest attempt
    error = pw.CharField(1000, default="")

    class Meta:
        indexes = (
            (("run", "n", "part", "repetition"), True),
            (("state", "due_ms"), False),
            (("made_ms",), False),
            (("state", "made_ms", "id"), False),
            (("channel_id", "state", "id"), False),
        )


# Recent emails to a recipient, for the rate limit of emails.
Step.add_index(Step.index(Step.recipient, Step.done_ms, name="step_mailed").where(pw.SQL("action = 'email'")))


class RuleLimit(OfRule):
    """How often an action was done for one key: rulelang.rate_limits.Ledger."""

    rule_id = pw.IntegerField()
    n = pw.IntegerField()
    key = pw.CharField(300)
    shadow = pw.BooleanField(default=False)
    next_ts = pw.BigIntegerField(null=True)
    episode = pw.CharField(200, default="")
    suppressed = pw.IntegerField(default=0)
    since_ts = pw.BigIntegerField(null=True)

    class Meta:
        primary_key = pw.CompositeKey("rule_id", "n", "key", "shadow")


class RuleCount(OfRule):
    """A counter of a rule for one key: rulelang.rate_limits.Window of `times` and `breaker`, or its Level."""

    rule_id = pw.IntegerField()
    kind = pw.CharField(10)
    key = pw.CharField(300)
    seen = JSONField(default=list)
    over = pw.BooleanField(default=False)
    crossing = pw.IntegerField(default=0)

    class Meta:
        primary_key = pw.CompositeKey("rule_id", "kind", "key")


class Timer(Model):
    """A deadline that is still to come; what has come is a run. `kind` is a rules.timing.timers.TimerKind.

    Deadlines of subjects (`rule` is NULL) are shared by all rules of the type: one row per subject, due at
    the next rule's. The other kinds belong to one rule.
    """

    rule_id: int | None
    id = pw.BigAutoField()
    kind = pw.CharField(10)
    rule = pw.ForeignKeyField(Rule, null=True, on_delete="CASCADE")
    version = pw.IntegerField(default=0)
    type = pw.CharField(60, default="")  # of the deadline; empty for a wait
    subject = pw.CharField(300)
    source_id = pw.IntegerField(null=True)
    interaction = pw.CharField(200, null=True)
    user_id = pw.IntegerField(null=True)
    event_id = pw.BigIntegerField(null=True)  # that began the period or the wait
    begun_ms = pw.BigIntegerField(null=True)  # beginning of the period of a deferred deadline
    base_ms = pw.BigIntegerField()  # from when it is counted
    due_ms = pw.BigIntegerField()
    error = pw.CharField(500, default="")
    state = pw.CharField(10, default="waiting")  # a rules.timing.timers.TimerState
    attempts = pw.IntegerField(default=0)  # that failed since it was dealt with last
    lease_ms = pw.BigIntegerField(null=True)
    worker = pw.CharField(80, default="")

    class Meta:
        indexes = ((("state", "due_ms"), False),)


# One pending timer of a kind for the same thing.
t = Timer
t.add_index(t.index(t.type, t.subject, unique=True, name="timer_deadline").where(t.rule.is_null()))
for kind, fields in {
    "wait": (t.rule, t.event_id),
    "deferred": (t.rule, t.type, t.subject, t.begun_ms),
    "schedule": (t.rule,),
}.items():
    t.add_index(t.index(*fields, unique=True, name=f"timer_{kind}").where(pw.SQL(f"kind = '{kind}'")))


class Subject(Model):
    """What an interaction's events say of it so far, in the order of their time: a fold of the log up to
    `event_id`, stored for changes, deadlines and counts, and folded again where `life` is missing."""

    id = pw.BigAutoField()
    source_id = pw.IntegerField()
    interaction = pw.CharField(200)
    kind = pw.CharField(40)  # ticket, chat …: the first word of its events' types
    user_id = pw.IntegerField(null=True)
    queue_id = pw.IntegerField(null=True)
    opened_ms = pw.BigIntegerField()
    last_ms = pw.BigIntegerField()  # newest event
    event_id = pw.BigIntegerField()
    ended_ms = pw.BigIntegerField(null=True)
    values = JSONField(default=dict)  # field of data → latest value
    status_event_id = pw.BigIntegerField(null=True)  # that began the present status
    life = pw.TextField(null=True)  # JSON of catalog.lifecycle.InteractionState

    class Meta:
        indexes = ((("source_id", "interaction"), True),)


# Open subjects, for counts per agent and queue and for the backfill of rules that are turned on.
Subject.add_index(
    Subject.index(Subject.kind, Subject.user_id, Subject.id, name="subject_open").where(
        Subject.ended_ms.is_null()
    )
)


class Mark(Model):
    """A tag or note that a rule added to a subject."""

    id = pw.BigAutoField()
    subject = pw.CharField(300)
    kind = pw.CharField(4)  # tag or note
    text = pw.CharField(2000)
    rule_id = pw.IntegerField()
    run_id = pw.BigIntegerField()
    made_ms = pw.BigIntegerField()

    class Meta:
        indexes = ((("subject", "kind"), False),)


class EventCause(Model):
    """The chain of rules that caused an event, oldest first. Events not caused by rules have no row."""

    event_id = pw.BigIntegerField(primary_key=True)
    chain = JSONField()


class Backtest(OfRule):
    """A backtest of a rule on stored events, run by a job and visible to the user who requested it."""

    id = pw.AutoField()
    user_id = pw.IntegerField(index=True)
    rule_id = pw.IntegerField(default=0)
    version = pw.IntegerField(default=0)
    owner_id = pw.IntegerField(null=True)  # a personal rule's, whose scope bounds what it is asked about
    name = pw.CharField(120)
    definition = JSONField()
    days = pw.IntegerField()
    start_ms = pw.BigIntegerField()
    end_ms = pw.BigIntegerField()
    created_ts = pw.BigIntegerField()
    state = pw.CharField(10, default="waiting")  # waiting, done, failed
    done = pw.IntegerField(default=0)
    total = pw.IntegerField(default=0)
    result = JSONField(default=dict)


class TypeSwitch(Versioned):
    """An administrator's choice about an event type; the catalogue's default applies without a row."""

    type = pw.CharField(80, primary_key=True)
    recorded = pw.BooleanField()
    in_rules = pw.BooleanField()
    days = pw.IntegerField(null=True)  # its events are kept as long; null: as all events
    versions = (RULES, TYPES)
