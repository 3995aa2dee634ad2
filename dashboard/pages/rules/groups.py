"""Groups of system rules: paused together, and the scope of "stop later rules of this group"."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from flask import Response, g, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from markupsafe import Markup
from peewee import fn

from dashboard.access.guard import require
from dashboard.access.permissions import Permission as P
from dashboard.db import database
from dashboard.i18n import formats
from dashboard.i18n.message import N_
from dashboard.models import Rule, RuleGroup
from dashboard.pages.rules.views import bp
from dashboard.web.columns import Column, Texts, badge
from dashboard.web.fields import Form, TextLine
from dashboard.web.page import local_path
from dashboard.web.resource import Crumbs, Resource
from dashboard.web.versioned import Changes


class GroupRow(NamedTuple):
    id: int
    name: str
    paused: bool
    rules: int


class GroupForm(Form):
    name = TextLine(N_("Name"), 120)


def _rules(row: GroupRow) -> Markup:
    url = url_for(".index", list="system", group=row.id)
    return Markup('<a href="{}">{}</a>').format(url, formats.number(row.rules))


class Groups(Resource[GroupForm]):
    """A new group is added on the list itself."""

    model = RuleGroup
    kind = "rule_group"
    form_class = GroupForm
    view = P.RULES_VIEW
    edit_permission = P.RULES_EDIT
    new_path = None
    reads = False
    leaves = "delete"
    searches = False
    index_template = "rules/groups.html"
    texts = Texts(
        title=N_("Rule groups"),
        one=N_("Group"),
        table=N_("Table of groups"),
        none=N_("No groups yet"),
        none_hint=N_("Group related rules."),
        taken=N_("A group with this name already exists."),
        about=N_("Rules in a group are paused together, and a rule can skip the ones after it."),
        picture="bolt",
    )
    columns = (
        Column("name", N_("Name")),
        Column("rules", N_("Rules"), lambda row: row.rules, _rules, css="n"),
        Column(
            "state",
            N_("State"),
            show=lambda row: badge(_("Paused"), "warn") if row.paused else badge(_("Active"), "ok"),
            sorts=False,
        ),
    )

    def rows(self, gone: bool) -> Iterable[GroupRow]:
        counted = Rule.select(Rule.group, fn.COUNT(Rule.id)).where(Rule.group.is_null(False))
        counts = dict(counted.group_by(Rule.group).tuples())
        return [GroupRow(row.id, row.name, row.paused, counts.get(row.id, 0)) for row in RuleGroup.select()]

    def crumbs(self, below: bool = False) -> Crumbs:
        rules: Crumbs = [(_("Rules"), url_for(".index"))]
        if below:
            return [*rules, (_("Groups"), self.url("index"))]
        return [*rules, (_("System rules"), url_for(".index", list="system"))]

    def list_context(self, found: Sequence[Any]) -> dict[str, Any]:
        return {"form": GroupForm(), "may_pause": g.scope.can(P.RULES_OPERATE)}

    def show(self, row: RuleGroup | None, form: GroupForm, status: int = 200, **more: Any) -> Response:
        if row is None:
            return self.index(status, form=form)
        return super().show(row, form, status, **more)

    def leave_texts(self, row: RuleGroup) -> Sequence[str]:
        count = Rule.select().where(Rule.group == row.id).count()
        stay = ngettext(
            "The group has %(num)d rule. It will be kept without a group.",
            "The group has %(num)d rules. They will be kept without a group.",
            count,
        )
        return [stay] + (
            [_("The group is paused; its rules will then resume.")] if row.paused and count else []
        )

    def removing(self, row: RuleGroup, context: Any) -> Changes:
        return {"name": (row.name, None)}

    def pause(self, row: RuleGroup, paused: bool) -> None:
        """Let no rule of the group be evaluated, or all of them again. Events are recorded meanwhile."""
        with database.atomic():
            changed = RuleGroup.update(paused=paused)
            if changed.where((RuleGroup.id == row.id) & (RuleGroup.paused != paused)).execute():
                self.record("updated", "u", row, {"paused": (not paused, paused)})


GROUPS = Groups(bp, "/groups", "groups_")


@bp.post("/groups/<int:ident>/pause")
@require(P.RULES_OPERATE)
def pause_group(ident: int) -> Response:
    """Pause the group, or let it go on where the form says `paused=0`."""
    row = GROUPS.one(ident)
    paused = request.form.get("paused") != "0"
    GROUPS.pause(row, paused)
    text = _("%(name)s paused.", name=row.name) if paused else _("%(name)s resumed.", name=row.name)
    default = GROUPS.url("index") if g.scope.can(P.RULES_VIEW) else url_for("operations.index")
    return GROUPS.done(text, local_path(request.form.get("next"), default))
