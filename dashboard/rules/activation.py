"""Enables and disables rules, sets them to shadow mode, and resumes rules that were paused automatically.

A change of state is no new version: a rule that was disabled and enabled again does not run twice for one
event.
"""

from __future__ import annotations

from collections.abc import Iterable

from dashboard import clock
from dashboard.audit import record as audit
from dashboard.db import database
from dashboard.models import AuditEntry, Rule, RuleCount
from dashboard.rulelang.matcher import State
from dashboard.rules.limit_store import BREAKER

WATCHING = (State.ON, State.SHADOW)
LOOKED_THROUGH = 20  # latest entries about a rule; the one of its pause is among the first


def switch(rules: Iterable[Rule], state: State) -> int:
    """Set the rules to `state`, each with its audit entry; return how many had another one.

    A rule from which an import left something out stays off until it is saved in the editor. A paused
    rule is resumed without its reason, errors and counted runs. A rule that was off considers only periods
    that begin from now on.
    """
    changed = 0
    with audit.changing():
        ids = sorted({rule.id for rule in rules})
        for rule in Rule.select().where(Rule.id.in_(ids)).order_by(Rule.id):
            if rule.state == state or (rule.missing and state in WATCHING):
                continue
            armed = {"armed_ms": clock.now_ms()} if state in WATCHING and rule.state == State.OFF else {}
            Rule.update(state=state, paused_reason="", errors=0, **armed).where(Rule.id == rule.id).execute()
            RuleCount.delete().where((RuleCount.rule_id == rule.id) & (RuleCount.kind == BREAKER)).execute()
            audit.record(
                "rule.switched", "u", ("rule", rule.id, rule.name), {"state": (rule.state, str(state))}
            )
            changed += 1
        audit.batch("rule.switched", changed)
    return changed


def resume(rule: Rule) -> State | None:
    """Put a rule that paused itself back to the state it had before, and return that; None for others."""
    with database.atomic():
        now = Rule.get_or_none((Rule.id == rule.id) & (Rule.state == State.PAUSED))
        if now is None:
            return None
        state = _before(rule.id)
        switch([now], state)
    return state


def _before(rule_id: int) -> State:
    """Return the state from which the rule was paused, as the audit log has it; shadow when in doubt."""
    query = (
        AuditEntry.select(AuditEntry.changes)
        .where((AuditEntry.target_type == "rule") & (AuditEntry.target_id == str(rule_id)))
        .order_by(AuditEntry.occurred_ms.desc(), AuditEntry.id.desc())
        .limit(LOOKED_THROUGH)
    )
    for (changes,) in query.tuples():
        old, new = changes.get("state", (None, None))
        if new == State.PAUSED and old in WATCHING:
            return State(old)
    return State.SHADOW
