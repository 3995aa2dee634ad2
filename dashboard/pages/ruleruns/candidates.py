"""The rule that a try, a backtest or a question is about: a stored one, or what the viewer has typed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import abort, g, request, url_for
from flask_babel import gettext as _

from dashboard.access.permissions import Permission
from dashboard.models import Rule
from dashboard.models.rules import RuleDraft, RuleVersion
from dashboard.rulelang import schema as definitions
from dashboard.rulelang.matcher import State
from dashboard.rulelang.schema import Definition
from dashboard.rules import active_rules, permissions
from dashboard.rules.active_rules import LiveRule
from dashboard.web.forms import one, whole

VERSION_MAX = 2**31 - 1


@dataclass(frozen=True)
class Candidate:
    """A rule to be tried. `live` is None where what was typed is no rule yet; `errors` then say why.

    `ident` is 0 for a rule that was never saved, the version of a draft is 0.
    """

    ident: int
    name: str
    owner: int | None
    live: LiveRule | None
    raw: dict[str, Any]
    draft: bool
    errors: list[str]

    @property
    def definition(self) -> Definition | None:
        return self.live.definition if self.live is not None else None

    @property
    def back_url(self) -> str:
        """Return where the rule is edited."""
        return f"/rules/{self.ident}/edit" if self.ident else "/rules/new"

    def url(self, endpoint: str, **query: Any) -> str:
        """Return an address about this rule, draft or not."""
        return url_for(endpoint, ident=self.ident, draft=1 if self.draft else None, **query)


def wanted(ident: int) -> Candidate:
    """Return the rule of this address, or with draft=1 what the viewer has typed into the editor.

    404 for a rule that the viewer may not see, and for a draft that is not there.
    """
    rule = one(Rule, ident) if ident else None
    if rule is not None and not permissions.sees(g.scope, rule.owner_id):
        abort(404)
    if request.values.get("draft") == "1":
        return _draft(ident, rule)
    if rule is None:
        abort(404)
    return _candidate(rule, rule.definition, draft=False)


def version(rule: Rule, number: str) -> Candidate | None:
    """Return another version of a stored rule as it was saved; None when it is not kept."""
    asked = whole(number, 1, VERSION_MAX)
    found = RuleVersion.get_or_none((RuleVersion.rule == rule.id) & (RuleVersion.version == asked))
    if found is None:
        return None
    older = Rule(**{**rule.__data__, "definition": found.definition, "version": found.version})
    return _candidate(older, found.definition, draft=False)


def _draft(ident: int, rule: Rule | None) -> Candidate:
    row = RuleDraft.get_or_none((RuleDraft.user_id == g.scope.viewer_id) & (RuleDraft.rule_id == ident))
    if row is None or not isinstance(row.form.get("definition"), dict):
        abort(404)
    owner = rule.owner_id if rule is not None else _owner(row.form)
    if not permissions.changes(g.scope, owner):
        abort(404)
    raw = row.form["definition"]
    typed = Rule(
        id=ident,
        name=str(row.form.get("name") or _("New rule"))[:120],
        owner_id=owner,
        definition=raw,
        version=0,
        state=State.ON.value,
        position=0,
        updated_by=g.scope.viewer_id,
        armed_ms=0,
    )
    return _candidate(typed, raw, draft=True)


def _owner(form: dict[str, Any]) -> int | None:
    """Return whose a new rule will be; the site's needs the right to edit these."""
    site = form.get("list") == "system" and g.scope.can(Permission.RULES_EDIT)
    return None if site else int(g.scope.viewer_id)


def _candidate(row: Rule, raw: dict[str, Any], draft: bool) -> Candidate:
    read = definitions.parse(raw, None)
    errors = [] if isinstance(read, Definition) else [said.render(_) for said in read.values()]
    live = active_rules.load(row) if not errors else None
    return Candidate(row.id, row.name, row.owner_id, live, raw, draft, list(dict.fromkeys(errors)))
