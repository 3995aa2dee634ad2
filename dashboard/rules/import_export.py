"""Rules as a file: names instead of ids, no secrets, and what of a file can be used here.

    {"stopa_rules": 1, "rules": [{"name": "…", "description": "…", "group": "…", "definition": {…}}]}

Every imported rule is disabled. References that do not exist on this site are left out and reported; such a
rule is added as incomplete: it cannot be switched on until somebody has saved it in the editor.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from dashboard import clock
from dashboard.access.scope import Scope
from dashboard.audit import record as audit
from dashboard.db import database
from dashboard.i18n import characters
from dashboard.i18n.message import INVISIBLE, N_, Message, message
from dashboard.models import Queue, Rule, RuleGroup, RuleVersion, Team, User
from dashboard.models.access import Access
from dashboard.models.notify import Channel
from dashboard.rulelang import actions, portable, schema, text_templates
from dashboard.rulelang.schema import AvailableReferences, Definition
from dashboard.rulelang.validation import ROOT, Checks
from dashboard.rules import permissions

FORMAT = 1
MAX_BYTES = 1_000_000
MAX_RULES = 500
NAME, DESCRIPTION = 120, 500  # characters; the columns of a rule

NOT_JSON = N_("The file isn't valid JSON. Choose a file exported from Stopa.")
NOT_RULES = N_("The file contains no rules. Choose a file exported from Stopa.")
NEWER = N_("The file was exported from a newer version. Upgrade Stopa first.")
TOO_LARGE = N_("The file is larger than 1 MB. Export fewer rules.")
TOO_MANY = N_("The file has more than %(most)s rules. Export fewer.")
UNNAMED = N_("The rule name must have 1 to %(most)s characters.")
NOTHING_LEFT = N_("The rule cannot be added: %(reason)s")
UNKNOWN_VARIABLE = N_("Unknown placeholder %(name)s; it will be shown as is.")
LOST = {
    "user": N_("User “%(name)s” doesn't exist here and was skipped."),
    "team": N_("Team “%(name)s” doesn't exist here and was skipped."),
    "queue": N_("Queue “%(name)s” doesn't exist here and was skipped."),
    "access": N_("Role “%(name)s” doesn't exist here and was skipped."),
    "channel": N_("Channel “%(name)s” doesn't exist here; its action was skipped."),
    "rule": N_("Rule “%(name)s” doesn't exist here and was skipped."),
}


@dataclass(frozen=True)
class Incoming:
    """A rule of a file. `definition` is None where `error` says why it cannot be added.

    `missing` is what was left out of its definition, `warnings` all that there is to look at.
    """

    name: str
    description: str = ""
    group: str = ""
    definition: Definition | None = None
    error: Message | None = None
    warnings: tuple[Message, ...] = ()
    missing: tuple[Message, ...] = ()


def export(rules: Sequence[Rule], scope: Scope) -> bytes:
    """Return the rules as a file (JSON, UTF-8). Who is outside of the viewer's scope is called "?"."""
    known = {kind: {ident: name for name, ident in found.items()} for kind, found in _ids(scope).items()}
    groups = dict(RuleGroup.select(RuleGroup.id, RuleGroup.name).tuples())
    made = [
        {
            "name": rule.name,
            "description": rule.description,
            "group": groups.get(rule.group_id, ""),
            "definition": portable.named(rule.definition, known),
        }
        for rule in rules
    ]
    text = json.dumps({"stopa_rules": FORMAT, "rules": made}, ensure_ascii=False, indent=2)
    return (text + "\n").encode("utf-8", "replace")


def read(data: bytes, scope: Scope, personal: bool) -> tuple[Incoming, ...] | Message:
    """Return the rules of a file, or what is wrong with the file. Whatever it holds, nothing is raised.

    `scope` is that of the user who imports; `personal` says that the rules become their own.
    """
    found = _decoded(data)
    if isinstance(found, Message):
        return found
    here, ids = permissions.available_references(scope, personal), _ids(scope)
    return tuple(_incoming(each, here, ids) for each in found)


def add(
    rows: Iterable[Incoming], author_id: int | None, owner_id: int | None, origin: str = "imported"
) -> list[Rule]:
    """Add those that can be added, disabled, as the site's or as `owner_id`'s own.

    A group of the site's rules that does not exist is created; personal rules have none. `origin` is the
    detail of the audit entry that says where the rules come from.
    """
    with database.atomic():
        mine = Rule.owner_id.is_null() if owner_id is None else Rule.owner_id == owner_id
        position = Rule.select(Rule.position).where(mine).order_by(Rule.position.desc()).limit(1).scalar()
        made: list[Rule] = []
        for row in rows:
            if row.definition is not None:
                place = (position or 0) + len(made) + 1
                made.append(_create(row, row.definition, author_id, owner_id, place))
                details = {origin: True}
                audit.record("rule.created", "c", ("rule", made[-1].id, row.name), details=details)
        return made


def built_in(name: str, description: str, raw: dict[str, Any]) -> Incoming:
    """Return a rule that the program itself adds, of its JSON form. Raises TypeError if it is invalid."""
    definition = schema.load(raw)
    if not isinstance(definition, Definition):
        raise TypeError(f"{name!r} is no rule: {definition}")
    return Incoming(name, description, definition=definition)


def _create(
    row: Incoming, definition: Definition, author_id: int | None, owner_id: int | None, position: int
) -> Rule:
    group = None
    if row.group and owner_id is None:
        group, _created = RuleGroup.get_or_create(name=row.group)
    raw, now = schema.dump(definition), clock.now_s()
    rule: Rule = Rule.create(
        name=row.name,
        description=row.description,
        owner_id=owner_id,
        group=group,
        position=position,
        definition=raw,
        created_ts=now,
        updated_ts=now,
        updated_by=author_id,
        missing=[each.as_json() for each in row.missing],
    )
    RuleVersion.create(rule=rule, version=1, name=row.name, definition=raw, made_by=author_id, made_ts=now)
    return rule


def _decoded(data: bytes) -> list[Any] | Message:
    if len(data) > MAX_BYTES:
        return Message(TOO_LARGE)
    try:
        found = json.loads(data, parse_constant=_no_number)
    except (ValueError, RecursionError):
        return Message(NOT_JSON)
    version = found.get("stopa_rules") if isinstance(found, dict) else None
    if isinstance(version, int) and version > FORMAT:
        return Message(NEWER)
    rules = found.get("rules") if version == FORMAT else None
    if not isinstance(rules, list):
        return Message(NOT_RULES)
    return message(TOO_MANY, most=MAX_RULES) if len(rules) > MAX_RULES else rules


def _no_number(_text: str) -> NoReturn:
    raise ValueError("NaN and Infinity are no JSON")


def _incoming(raw: Any, here: AvailableReferences, ids: Mapping[str, Mapping[str, int]]) -> Incoming:
    given = raw if isinstance(raw, dict) else {}
    checks = Checks()
    name = checks.text(given.get("name"), ROOT / "name", NAME, lines=False).strip()
    if checks.errors:
        return Incoming("", error=message(UNNAMED, most=NAME))
    if code := characters.invisible(name):
        return Incoming(name, error=message(INVISIBLE, code=code))
    description = checks.text(given.get("description"), ROOT / "description", DESCRIPTION, needed=False)
    group = checks.text(given.get("group"), ROOT / "group", NAME, lines=False, needed=False).strip()
    description, group = (
        "" if part in checks.errors else text
        for part, text in (("description", description), ("group", group))
    )
    warnings = [
        portable.left_out(message(portable.PART, name=part), problem)
        for part, problem in checks.errors.items()
    ]
    stored = given.get("definition")
    numbered, lost = portable.numbered(stored if isinstance(stored, dict) else {}, ids)
    missing = [message(LOST[kind], name=called) for kind, called in lost.found]
    warnings += _translated(numbered)
    found, more = portable.prune(numbered, here)
    missing += more
    warnings += missing
    if isinstance(found, Definition):
        return Incoming(name, description, group, found, None, tuple(warnings), tuple(missing))
    part, problem = next(iter(found.items()))
    reason = portable.left_out(message(portable.PART, name=part), problem) if part else problem
    return Incoming(name, description, group, None, message(NOTHING_LEFT, reason=reason), tuple(warnings))


def _translated(raw: dict[str, Any]) -> list[Message]:
    """Turn variables of SmarterTrack in the texts of `raw` into placeholders; return what was left."""
    known = text_templates.names(each for each in _list(raw.get("types")) if isinstance(each, str))
    left: dict[str, None] = {}
    for action in _list(raw.get("then")):
        for part in actions.texts(action):
            if isinstance(action.get(part), str):
                action[part], unknown = portable.translate(action[part], known)
                left |= dict.fromkeys(unknown)
    return [message(UNKNOWN_VARIABLE, name=name) for name in left]


def _list(raw: Any) -> list[Any]:
    return raw if isinstance(raw, list) else []


def _ids(scope: Scope) -> dict[str, dict[str, int]]:
    """Return what is called how, by kind: no user or queue outside the scope, no rule that is not seen."""
    return {
        "user": _pairs(User.select(User.login, User.id).where(scope.allows(User.id))),
        "queue": _pairs(Queue.select(Queue.name, Queue.id).where(scope.allows_queue(Queue.id))),
        "team": _pairs(Team.select(Team.name, Team.id)),
        "access": _pairs(Access.select(Access.name, Access.id)),
        "channel": _pairs(Channel.select(Channel.name, Channel.id)),
        "rule": _pairs(Rule.select(Rule.name, Rule.id).where(permissions.visible(scope))),
    }


def _pairs(query: Any) -> dict[str, int]:
    return dict(query.tuples())
