"""Validation of a typed rule before it is saved."""

from __future__ import annotations

from typing import Any

from flask import g
from flask_babel import gettext as _

from dashboard.i18n.message import Message
from dashboard.models import RuleGroup
from dashboard.pages.ruleeditor import preview, typed_rule, whens
from dashboard.pages.ruleeditor.commands import Wanted
from dashboard.pages.ruleeditor.page import Editing
from dashboard.pages.ruleeditor.typed_rule import TypedDefinition
from dashboard.rulelang import schema as definitions
from dashboard.rulelang.conditions import NO_FIELD
from dashboard.rulelang.matcher import State
from dashboard.rulelang.schema import Definition
from dashboard.rulelang.validation import ROOT, ErrorPath
from dashboard.rules import permissions
from dashboard.rules.timing import backfill, pending_waits
from dashboard.rules.timing.pending_waits import Pending
from dashboard.web import forms as common

NAME_MAX, TEXT_MAX, PLACE_MAX = 120, 500, 1_000_000
WATCHING = (State.ON, State.SHADOW)


def check(editing: Editing) -> tuple[Wanted | None, dict[ErrorPath, str]]:
    """Return the rule to save, or None and the errors by field."""
    typed, rule = editing.typed, editing.rule
    errors = _head(editing) | {path: str(_(text)) for path, text in whens.missing(typed).items()}
    before = definitions.load(rule.definition) if rule else None
    stored = before if isinstance(before, Definition) else None
    known = permissions.available_references(g.scope, editing.personal, stored)
    found = preview.checked(typed["definition"], known)
    if not isinstance(found, Definition):
        return None, errors | {path: _text(path, error, typed["definition"]) for path, error in found.items()}
    group, position = typed["group"], typed["position"]
    if errors or isinstance(group, str) or isinstance(position, str):
        return None, errors
    existing = typed["existing"] == "all" and _begins(editing, found)
    return Wanted(
        typed["name"],
        typed["description"],
        group,
        position,
        typed["state"],
        found,
        existing,
        Pending(typed["pending"]) if typed["pending"] in list(Pending) else Pending.KEEP,
    ), {}


def _text(path: ErrorPath, error: Message, definition: TypedDefinition) -> str:
    """Return the text of an error; a field that is not chosen yet has its own."""
    place = tuple(key for key in path.keys if isinstance(key, int))
    if error.text == NO_FIELD and place and not typed_rule.node_at(definition["if"], place).get("field"):
        return str(_("Choose a field."))
    return error.render(_)


def _head(editing: Editing) -> dict[ErrorPath, str]:
    typed = editing.typed
    found = {
        "name": common.line_problem(typed["name"], NAME_MAX),
        "description": common.line_problem(typed["description"], TEXT_MAX, needed=False),
        "group": _group(typed["group"], editing.personal),
        "state": _state(editing),
    }
    if not isinstance(typed["position"], int) or not 0 <= typed["position"] <= PLACE_MAX:
        found["position"] = common.whole_problem(0, PLACE_MAX)
    return {ROOT / name: text for name, text in found.items() if text}


def _group(group: Any, personal: bool) -> str | None:
    if group is None:
        return None
    known = isinstance(group, int) and 0 < group <= common.ID_MAX and not personal
    if known and RuleGroup.select().where(RuleGroup.id == group).exists():
        return None
    return str(_("Choose from the list."))


def _state(editing: Editing) -> str | None:
    wanted, rule = editing.typed["state"], editing.rule
    now = rule.state if rule else State.OFF
    if wanted == now:
        return None
    if wanted not in (State.OFF, State.SHADOW, State.ON):
        return str(_("Choose from the list."))
    if not permissions.can_switch(g.scope, editing.owner, wanted):
        return str(_("You don't have permission to turn system rules on or off."))
    return None


def _begins(editing: Editing, found: Definition) -> bool:
    """Return whether the save switches on a rule that has a timer."""
    was = editing.rule.state if editing.rule else State.OFF
    return found.after is not None and editing.typed["state"] in WATCHING and was == State.OFF


def existing(editing: Editing, wanted: Wanted) -> int:
    """Return how many open subjects the timer could apply to as well; 0 if there is nothing to ask."""
    if editing.typed["existing"] in ("new", "all") or not _begins(editing, wanted.definition):
        return 0
    return backfill.count_existing(wanted.definition)


def pending(editing: Editing, wanted: Wanted) -> int:
    """Return how many pending waits the edit could change; 0 if there is nothing to ask."""
    rule = editing.rule
    if rule is None or editing.typed["pending"] in list(Pending) or wanted.definition.wait is None:
        return 0
    changed = pending_waits.affected(rule.definition, wanted.definition)
    return pending_waits.count(rule.id) if changed else 0
