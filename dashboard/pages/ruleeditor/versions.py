"""Views of the versions of a rule: compare two, restore one."""

from __future__ import annotations

from typing import Any, NamedTuple

from flask import Response, abort, flash, g, make_response, redirect, request, url_for
from flask_babel import gettext as _

from dashboard.access.guard import require
from dashboard.access.permissions import Permission
from dashboard.i18n import zone
from dashboard.models import RuleVersion
from dashboard.pages.ruleeditor import commands, page, preview, queries, validation
from dashboard.pages.ruleeditor.page import Editing
from dashboard.pages.ruleeditor.views import bp, seen
from dashboard.rulelang import schema as definitions
from dashboard.rulelang.schema import Definition
from dashboard.rulelang.values import TemplatesByName, Text
from dashboard.rules import permissions
from dashboard.ruletext import names as rule_names
from dashboard.ruletext import sentences
from dashboard.web import forms as common
from dashboard.web.page import render


class Part(NamedTuple):
    """A part of the rule in two versions, in words."""

    label: str
    old: str
    new: str

    @property
    def differs(self) -> bool:
        return self.old != self.new


@bp.get("/<int:ident>/versions")
@require(Permission.RULES_OWN, Permission.RULES_VIEW, Permission.RULES_OVERSEE)
def versions(ident: int) -> Response:
    """The versions of a rule; `old` and `new` are the two that are compared, the latest by default."""
    rule = seen(ident)
    rows = queries.versions(ident)
    by_number = {row.version: row for row in rows}
    new = by_number.get(_number("new") or rule.version)
    old = by_number.get(_number("old") or (new.version - 1 if new else 0))
    if (_number("new") and new is None) or (_number("old") and old is None):
        abort(404)
    return render(
        "ruleeditor/versions.html",
        {"result"},
        rule=rule,
        rows=rows,
        old=old,
        new=new,
        parts=_side_by_side(old, new) if old and new else [],
        zone=zone(),
        makers=queries.names({row.made_by for row in rows if row.made_by}, g.scope),
        open=permissions.can_change(g.scope, rule.owner_id),
        seen=commands.mark(rule),
    )


@bp.post("/<int:ident>/versions")
@require(Permission.RULES_OWN, Permission.RULES_EDIT)
def restore(ident: int) -> Response:
    """Restore a version: it becomes a new one, validated as any other."""
    rule = seen(ident)
    if not permissions.can_change(g.scope, rule.owner_id):
        abort(403)
    number = common.whole(request.form.get("version", ""), 1, common.ID_MAX)
    row = RuleVersion.get_or_none((RuleVersion.rule == ident) & (RuleVersion.version == number)) or abort(404)
    typed = page.stored(rule) | {"name": row.name, "seen": request.form.get("seen", "")}
    typed["definition"] = page.stored_definition(row.definition)
    editing = Editing(rule, typed)
    wanted, errors = validation.check(editing)
    if wanted is None:
        commands.keep(g.user.id, ident, typed, page.stored(rule))
        return page.show(editing._replace(errors=errors), 422)
    if pending := validation.pending(editing, wanted):
        commands.keep(g.user.id, ident, typed, page.stored(rule))
        return page.show(editing._replace(pending=pending), 422)
    try:
        commands.save(g.user.id, ident, typed["seen"], wanted)
    except commands.StaleError:
        flash(
            _("Someone else changed this rule in the meantime. Review it before restoring a version."),
            "warn",
        )
        return make_response(redirect(url_for(".versions", ident=ident)))
    flash(_("Version %(number)s is back, as a new version.", number=row.version), "ok")
    return make_response(redirect(url_for(".versions", ident=ident)))


def _number(name: str) -> int | None:
    return common.whole(request.args.get(name, ""), 1, common.ID_MAX)


def _side_by_side(old: Any, new: Any) -> list[Part]:
    before, after = _parts(old), _parts(new)
    return [Part(label, before.get(label, "–"), after.get(label, "–")) for label in {**before, **after}]


def _parts(row: Any) -> dict[str, str]:
    """Return the parts of a version in words."""
    found = definitions.load(row.definition)
    if not isinstance(found, Definition):
        return {
            _("Name"): row.name,
            _("The rule in words"): preview.sentence(page.stored_definition(row.definition), g.scope),
        }
    names = rule_names.names(g.scope, [found])
    texts_ = sentences.words(found, names)
    made = {
        _("Name"): row.name,
        _("When"): texts_.when,
        _("If"): texts_.conditions or _("always"),
    }
    made[_("Later rules")] = _("are left out") if found.stop else _("are evaluated too")
    made[_("Time zone")] = found.zone or "–"
    for n, action in enumerate(found.then):
        made[_("Action %(number)s", number=n + 1)] = _action(action, names)
    return made


def _action(action: Any, names: Any) -> str:
    texts_ = [sentences.action_text(action, names), sentences.limit_text(action.limit)]
    texts = [
        str(value) if isinstance(value, str) else ", ".join(f"{key}: {text}" for key, text in value.items())
        for part in action.action.params
        if isinstance(part.kind, Text | TemplatesByName) and (value := action.params.get(part.name))
    ]
    return " · ".join(filter(None, [*texts_, *texts]))
