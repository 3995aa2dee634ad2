"""Changes of groups of rules: one verb, one transaction, its audit entry inside."""

from __future__ import annotations

import peewee

from dashboard.audit import record as audit
from dashboard.db import database
from dashboard.models import RuleGroup
from dashboard.pages.rules.forms import GroupAsked


class TakenError(Exception):
    """Another group has this name."""


class StaleError(Exception):
    """The row has another version than the form was made from."""


def create(name: str) -> None:
    """Add a group; raises TakenError."""
    try:
        with database.atomic():
            row = RuleGroup.create(name=name)
            audit.record("rule_group.created", "c", _target(row), {"name": (None, name)})
    except peewee.IntegrityError:
        raise TakenError from None


def rename(row: RuleGroup, asked: GroupAsked) -> None:
    """Save the name; raises StaleError, TakenError, and then nothing has changed."""
    mine = (RuleGroup.id == row.id) & (RuleGroup.version == asked.version)
    try:
        with database.atomic():
            if not RuleGroup.update(name=asked.name, version=RuleGroup.version + 1).where(mine).execute():
                raise StaleError
            if row.name != asked.name:
                audit.record("rule_group.updated", "u", _target(row), {"name": (row.name, asked.name)})
    except peewee.IntegrityError:
        raise TakenError from None


def pause(row: RuleGroup, paused: bool) -> None:
    """Let no rule of the group be asked, or all of them again. Events are recorded meanwhile."""
    with database.atomic():
        changed = RuleGroup.update(paused=paused).where(
            (RuleGroup.id == row.id) & (RuleGroup.paused != paused)
        )
        if changed.execute():
            audit.record("rule_group.updated", "u", _target(row), {"paused": (not paused, paused)})


def delete(row: RuleGroup) -> None:
    """Delete the group; its rules stay, without one. Twice is once."""
    with database.atomic():
        if RuleGroup.delete().where(RuleGroup.id == row.id).execute():
            audit.record("rule_group.deleted", "d", _target(row), {"name": (row.name, None)})


def _target(row: RuleGroup) -> tuple[str, object, str]:
    return ("rule_group", row.id, row.name)
