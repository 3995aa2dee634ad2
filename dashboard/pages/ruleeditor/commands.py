"""Commands that save rules and drafts: one transaction each, with its audit entry."""

from __future__ import annotations

import hashlib
import json
from typing import Any, NamedTuple

from dashboard import clock
from dashboard.audit import record as audit
from dashboard.db import database
from dashboard.models import Rule, RuleDraft, RuleVersion
from dashboard.pages.ruleeditor.typed_rule import TypedRule
from dashboard.rulelang import schema as definitions
from dashboard.rulelang.matcher import State
from dashboard.rulelang.schema import Definition
from dashboard.rules import activation
from dashboard.rules.timing import backfill, pending_waits, timer_sync
from dashboard.rules.timing.pending_waits import Pending

UNDO = 10  # forms kept before the present one
_SEEN = ("name", "description", "group_id", "position", "state", "version", "definition")


class StaleError(Exception):
    """The rule has been changed since the form was made from it."""


class Wanted(NamedTuple):
    """A rule as it is to be: checked.

    `existing` says that its timer is for what is open already too, `pending` what becomes of its waits.
    """

    name: str
    description: str
    group_id: int | None
    position: int
    state: str
    definition: Definition
    existing: bool = False
    pending: Pending = Pending.KEEP


def mark(rule: Rule) -> str:
    """Return a hash of a rule, which detects a change by another user."""
    seen = json.dumps([getattr(rule, name) for name in _SEEN], sort_keys=True)
    return hashlib.sha256(seen.encode()).hexdigest()[:16]


def create(user_id: int, owner_id: int | None, wanted: Wanted, keep_draft: bool = False) -> Rule:
    """Add a rule of `owner_id` (None: the site's) with its first version; the draft of it goes,
    unless `keep_draft` says that it is of another new rule."""
    now, stored = clock.now_s(), definitions.dump(wanted.definition)
    with database.atomic():
        rule = Rule.create(
            owner_id=owner_id,
            created_ts=now,
            updated_ts=now,
            updated_by=user_id,
            definition=stored,
            state=State.OFF,
            **_columns(wanted),
        )
        _keep_version(rule.id, 1, wanted.name, stored, user_id, now)
        if not keep_draft:
            forget(user_id, 0)
        audit.record("rule.created", "c", _target(rule), audit.differences({}, _facts(rule)))
        return _switched(rule, wanted)


def save(user_id: int, ident: int, seen: str, wanted: Wanted) -> Rule:
    """Save a rule that still has the mark `seen`; the draft of it goes. Raises StaleError.

    Another name or definition is a new version. Every save makes the user its author, and an incomplete
    rule complete: what an import left out has been looked at.
    """
    with database.atomic():
        rule: Rule = Rule.get_by_id(ident)
        if mark(rule) != seen:
            raise StaleError
        stored, now = definitions.dump(wanted.definition), clock.now_s()
        version = rule.version + _is_new(rule, wanted.name, stored)
        same = (Rule.id == ident) & (Rule.version == rule.version) & (Rule.state == rule.state)
        changed = Rule.update(
            definition=stored,
            version=version,
            updated_ts=now,
            updated_by=user_id,
            missing=[],
            **_columns(wanted),
        )
        if not changed.where(same & (Rule.updated_ts == rule.updated_ts)).execute():
            raise StaleError
        if version != rule.version:
            _keep_version(ident, version, wanted.name, stored, user_id, now)
        if _times(rule.definition) != _times(stored) and rule.state in activation.WATCHING:
            timer_sync.enqueue_backfill([ident])
        after: Rule = Rule.get_by_id(ident)
        if pending_waits.affected(rule.definition, wanted.definition):
            pending_waits.settle(after, wanted.pending)
        changes = audit.differences(_facts(rule), _facts(after))
        if rule.missing:
            changes["incomplete"] = (True, False)
        if changes:
            audit.record("rule.updated", "u", _target(after), changes, {"version": version})
        forget(user_id, ident)
        return _switched(after, wanted)


def _switched(rule: Rule, wanted: Wanted) -> Rule:
    """Set the requested state and return the rule."""
    if wanted.state != rule.state:
        activation.switch([rule], State(wanted.state))
    if wanted.existing:
        backfill.arm_existing(rule.id)
    found: Rule = Rule.get_by_id(rule.id)
    return found


def keep(user_id: int, rule_id: int, form: TypedRule, before: TypedRule | None) -> None:
    """Store a draft; `before`, if given, is what an undo restores."""
    with database.atomic():
        query = RuleDraft.select(RuleDraft.previous).where(_is(user_id, rule_id))
        stack = list(query.scalar() or [])
        if before is not None:
            stack = [before, *stack][:UNDO]
        _write(user_id, rule_id, form, stack)


def undo(user_id: int, rule_id: int) -> TypedRule | None:
    """Restore the form before the last edit; None if there is none."""
    with database.atomic():
        draft = RuleDraft.get_or_none(_is(user_id, rule_id))
        if draft is None or not draft.previous:
            return None
        form: TypedRule = draft.previous[0]
        _write(user_id, rule_id, form, draft.previous[1:])
    return form


def forget(user_id: int, rule_id: int) -> None:
    RuleDraft.delete().where(_is(user_id, rule_id)).execute()


def _write(user_id: int, rule_id: int, form: TypedRule, stack: list[Any]) -> None:
    values = {"form": form, "previous": stack, "updated_ms": clock.now_ms(), "base_version": form["version"]}
    RuleDraft.insert(user_id=user_id, rule_id=rule_id, **values).on_conflict(
        conflict_target=[RuleDraft.user_id, RuleDraft.rule_id],
        update={getattr(RuleDraft, name): value for name, value in values.items()},
    ).execute()


def _is(user_id: int, rule_id: int) -> Any:
    return (RuleDraft.user_id == user_id) & (RuleDraft.rule_id == rule_id)


def _columns(wanted: Wanted) -> dict[str, Any]:
    return {
        "name": wanted.name,
        "description": wanted.description,
        "group": wanted.group_id,
        "position": wanted.position,
    }


def _is_new(rule: Rule, name: str, stored: dict[str, Any]) -> bool:
    return rule.name != name or rule.definition != stored


def _times(stored: Any) -> tuple[Any, Any]:
    """Return the parts that determine a rule's timers."""
    return (stored.get("types"), stored.get("after")) if isinstance(stored, dict) else (None, None)


def _keep_version(ident: int, version: int, name: str, stored: Any, user_id: int, now: int) -> None:
    RuleVersion.create(
        rule=ident, version=version, name=name, definition=stored, made_by=user_id, made_ts=now
    )


def _facts(rule: Rule) -> dict[str, Any]:
    """Return the values of a rule that the audit log compares."""
    parts = {
        "name": rule.name,
        "description": rule.description,
        "group": rule.group.name if rule.group else None,
        "position": rule.position,
    }
    return {**parts, **(rule.definition if isinstance(rule.definition, dict) else {})}


def _target(rule: Rule) -> tuple[str, object, str]:
    return ("rule", rule.id, rule.name)
