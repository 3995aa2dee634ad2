"""Commands on whole rules: one transaction each, with an audit entry per rule.

What a rule says is changed in the editor alone, so its version stays as it is here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from flask_babel import gettext as _

from dashboard import clock
from dashboard.audit import record as audit
from dashboard.db import database
from dashboard.i18n import formats
from dashboard.i18n.message import N_, Message
from dashboard.jobs import queue
from dashboard.models import (
    Job,
    Rule,
    RuleDraft,
    RuleGroup,
    RuleVersion,
    Run,
    Step,
    User,
)
from dashboard.models.rules import OfRule
from dashboard.rulelang.matcher import State
from dashboard.rulelang.outcomes import StepState
from dashboard.rules import import_export, starter
from dashboard.rules.import_export import Incoming

NAME_MAX = 120
TAKEN = N_("A rule with this name already exists in the list.")
FORGET_AT_ONCE = 1000  # runs; their steps go with them, and no transaction lasts long


def copy(rules: Iterable[Rule], user_id: int, to_site: bool) -> list[Rule]:
    """Add a copy of each rule, switched off, to the site's list where the rule is there and `to_site`,
    else to the user's own."""
    made = []
    with database.atomic():
        for rule in _fresh(rules):
            stays = to_site and rule.owner_id is None
            made.append(
                add(
                    _("%(name)s (copy)", name=rule.name[: NAME_MAX - 20])[:NAME_MAX],
                    rule.description,
                    rule.definition,
                    user_id,
                    None if stays else user_id,
                    rule.group_id if stays else None,
                    rule.missing,
                )
            )
    return made


def add(
    name: str,
    description: str,
    definition: object,
    user_id: int,
    owner_id: int | None,
    group_id: int | None = None,
    missing: Sequence[object] = (),
) -> Rule:
    """Add a rule, switched off, at the end of its list; inside the caller's transaction."""
    now = clock.now_s()
    rule = Rule.create(
        name=name,
        description=description,
        definition=definition,
        owner_id=owner_id,
        group=group_id,
        position=_last_position(owner_id) + 1,
        state=State.OFF,
        created_ts=now,
        updated_ts=now,
        updated_by=user_id,
        missing=list(missing),
    )
    RuleVersion.create(rule=rule, version=1, name=name, definition=definition, made_by=user_id, made_ts=now)
    audit.record("rule.created", "c", target(rule), {"name": (None, name), "definition": (None, definition)})
    return rule


def add_starters(user_id: int, owner_id: int | None) -> int:
    """Add the rules of the starter set that are not there yet, switched off; return how many."""
    with audit.changing():
        made = starter.make(user_id, owner_id, formats.language())
    return len(made)


class Imported(NamedTuple):
    """The import of one rule of a file: `rule` is None where it was skipped, for the reason `error`."""

    name: str
    rule: Rule | None
    error: Message | None
    warnings: tuple[Message, ...]


def import_rules(found: Sequence[Incoming], user_id: int, owner_id: int | None) -> list[Imported]:
    """Add the rules of a file, switched off, but those whose name the list has already."""
    with audit.changing():
        taken = {name for (name,) in Rule.select(Rule.name).where(_list_of(owner_id)).tuples()}
        made = []
        for row in found:
            added = [] if row.name in taken else import_export.add([row], user_id, owner_id)
            error = Message(TAKEN) if row.name in taken else row.error
            made.append(Imported(row.name, added[0] if added else None, error, row.warnings))
            taken |= {rule.name for rule in added}
        audit.batch("rule.created", sum(row.rule is not None for row in made))
    return made


def exported(count: int) -> None:
    with database.atomic():
        audit.record("rule.exported", "r", ("rules", "", ""), details={"rows": count})


def delete(rules: Iterable[Rule]) -> int:
    """Delete the rules and what they keep; what waits to be sent is cancelled. Twice is once.

    Their runs go in the background: a rule may have very many.
    """
    deleted = 0
    with audit.changing():
        for rule in _fresh(rules):
            for model in OfRule.__subclasses__():
                model.delete().where(model.rule_id == rule.id).execute()
            waiting = (Step.rule_id == rule.id) & (Step.state == StepState.WAITING)
            Step.update(state=StepState.CANCELLED, done_ms=clock.now_ms()).where(waiting).execute()
            Rule.delete().where(Rule.id == rule.id).execute()
            queue.enqueue("rule_runs", {"rule": rule.id}, f"rule_runs:{rule.id}")
            audit.record(
                "rule.deleted",
                "d",
                target(rule),
                {"name": (rule.name, None), "definition": (rule.definition, None)},
            )
            deleted += 1
        audit.batch("rule.deleted", deleted)
    return deleted


def move(rules: Iterable[Rule], group: RuleGroup | None) -> int:
    """Move system rules into the group, or out of all groups; return how many were moved."""
    moved = 0
    with audit.changing():
        for rule in _fresh(rules):
            if rule.group_id == (group.id if group else None):
                continue
            before = rule.group.name if rule.group else None
            Rule.update(group=group).where(Rule.id == rule.id).execute()
            audit.record(
                "rule.updated", "u", target(rule), {"group": (before, group.name if group else None)}
            )
            moved += 1
        audit.batch("rule.updated", moved)
    return moved


def shift(rule: Rule, step: int) -> bool:
    """Let the rule change places with the one before (-1) or after it (1) in its list; False at the end.

    All rules of the list are numbered from 1 then, for rules made at the same time stand at one place.
    """
    with database.atomic():
        order = _order(rule.owner_id)
        place = order.index(rule.id) if rule.id in order else -1  # it has been deleted
        if place < 0 or not 0 <= place + step < len(order):
            return False
        order[place], order[place + step] = order[place + step], order[place]
        _number(order)
        audit.record("rule.updated", "u", target(rule), {"position": (place + 1, place + step + 1)})
    return True


def hand_over(rule: Rule, to: User | None, by: User) -> bool:
    """Make the rule the user's own, or the site's (None); it is switched off, for it runs with other
    rights from now on. Whoever takes it answers for what it tells. False when it has changed hands or is
    gone meanwhile."""
    before = User.get_or_none(User.id == rule.owner_id)
    with database.atomic():
        mine = (Rule.id == rule.id) & (Rule.owner_id == rule.owner_id)
        given = Rule.update(
            owner_id=to.id if to else None,
            group=None,
            state=State.OFF,
            paused_reason="",
            errors=0,
            position=_last_position(to.id if to else None) + 1,
            updated_by=to.id if to else by.id,
            updated_ts=clock.now_s(),
        ).where(mine)
        if not given.execute():
            return False
        RuleDraft.delete().where(RuleDraft.rule_id == rule.id).execute()
        audit.record(
            "rule.handed_over",
            "u",
            target(rule),
            {
                "owner": (before.login if before else None, to.login if to else None),
                "state": (rule.state, str(State.OFF)),
            },
        )
    return True


def target(rule: Rule) -> tuple[str, object, str]:
    return ("rule", rule.id, rule.name)


def forget(jobs: list[Job]) -> None:
    """Delete the runs of deleted rules, with their steps, some at a time."""
    for job in jobs:
        while True:
            some = Run.select(Run.id).where(Run.rule_id == job.args["rule"]).limit(FORGET_AT_ONCE)
            ids = [ident for (ident,) in some.tuples()]
            if not ids:
                break
            with database.atomic():
                Run.delete().where(Run.id.in_(ids)).execute()


def _fresh(rules: Iterable[Rule]) -> list[Rule]:
    """Return the rules as they are now, without those that have been deleted."""
    ids = sorted({rule.id for rule in rules})
    return list(Rule.select().where(Rule.id.in_(ids)).order_by(Rule.position, Rule.id))


def _list_of(owner_id: int | None) -> object:
    return Rule.owner_id.is_null() if owner_id is None else Rule.owner_id == owner_id


def _order(owner_id: int | None) -> list[int]:
    query = Rule.select(Rule.id).where(_list_of(owner_id)).order_by(Rule.position, Rule.id)
    return [ident for (ident,) in query.tuples()]


def _number(order: Sequence[int]) -> None:
    now = dict(Rule.select(Rule.id, Rule.position).where(Rule.id.in_(list(order))).tuples())
    for position, ident in enumerate(order, 1):
        if now[ident] != position:
            Rule.update(position=position).where(Rule.id == ident).execute()


def _last_position(owner_id: int | None) -> int:
    order = Rule.select(Rule.position).where(_list_of(owner_id)).order_by(Rule.position.desc())
    return int(order.limit(1).scalar() or 0)
