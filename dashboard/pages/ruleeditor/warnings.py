"""Warnings about a rule that may be saved but would not work as written."""

from __future__ import annotations

from flask import current_app
from flask_babel import gettext as _

from dashboard import catalog
from dashboard.access.scope import Scope
from dashboard.models import Channel, Connector, Event, Rule
from dashboard.rulelang import lint
from dashboard.rulelang import schema as definitions
from dashboard.rulelang.matcher import State
from dashboard.rulelang.schema import Definition
from dashboard.rules import active_rules, permissions
from dashboard.rules.timing import deadlines
from dashboard.ruletext import names, sentences


def warnings(scope: Scope, rule: Rule | None, owner: int | None, name: str, found: Definition) -> list[str]:
    """Return what the viewer should know before a rule is switched on, as sentences."""
    return [*_types(found), *_ways_out(found), *_lint(scope, rule, owner, name, found)]


def _types(found: Definition) -> list[str]:
    """Return which types have never occurred and need a source that sends them.

    For a timer or a count these are the events that it follows from.
    """
    silent = [
        names.type_label(name)
        for name in found.types
        if (type_ := catalog.find(name)) is not None
        and type_.needs_source
        and not Event.select(Event.id).where(Event.type.in_(_sent(name))).limit(1).exists()
    ]
    return [
        str(_("“%(type)s” has never occurred: it needs a source that sends it.", type=each))
        for each in silent
    ]


def _sent(name: str) -> list[str]:
    """Return the types that a source must send for events of a type to occur."""
    return sorted(deadlines.waking([name]) or {name})


def _ways_out(found: Definition) -> list[str]:
    warnings = []
    ids = sorted(definitions.refers_to(found)["channel"])
    off = Channel.select(Channel.name).where(Channel.id.in_(ids) & ~Channel.active).tuples()
    warnings += [
        str(_("Channel “%(name)s” is off, so nothing is sent through it.", name=row[0])) for row in off
    ]
    if any(each.do == "email" for each in found.then) and not current_app.config["STOPA"].smtp_url:
        warnings.append(str(_("No mail server is configured, so this rule's emails will fail.")))
    has_api = Connector.select().where(Connector.channel.is_null(False)).exists
    if any(each.do.startswith("source_") for each in found.then) and not has_api():
        warnings.append(str(_("No connector has an API, so nothing can be changed in a help desk.")))
    if any("leads" in each.params.get("to", {}).get("roles", ()) for each in found.then) and not any(
        (type_ := catalog.find(name)) is not None and "user" in type_.needs for name in found.types
    ):
        warnings.append(str(_("These events may have no user. In that case, no lead is notified.")))
    return warnings


def _lint(scope: Scope, rule: Rule | None, owner: int | None, name: str, found: Definition) -> list[str]:
    ident = rule.id if rule else 0
    row = {
        "id": ident,
        "version": rule.version if rule else 0,
        "position": rule.position if rule else 0,
        "group": rule.group_id if rule else None,
        "owner": owner,
        "state": State.ON,
    }
    mine = definitions.spec(row, found, active_rules.context_for(owner, found.zone))
    others = [each for each in active_rules.live().rules.values() if each.id != ident]
    named = {each.id: each.name for each in others if permissions.can_see(scope, each.owner)} | {ident: name}
    return sentences.findings(lint.lint([*(each.spec for each in others), mine]), named).get(ident, [])
