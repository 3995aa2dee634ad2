"""Groups of the site's rules: paused as one, and the reach of "stop later rules of this group"."""

from __future__ import annotations

import peewee
from flask import Response, flash, g, make_response, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from dashboard.access.guard import require
from dashboard.access.permissions import Permission as P
from dashboard.audit import record as audit
from dashboard.db import database
from dashboard.i18n.message import N_
from dashboard.models import Rule, RuleGroup
from dashboard.pages.rules import forms, queries
from dashboard.pages.rules.forms import GroupAsked
from dashboard.pages.rules.views import bp
from dashboard.web import forms as common
from dashboard.web.page import local_path, render


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


@bp.get("/groups")
@require(P.RULES_VIEW)
def groups() -> Response:
    return _list(forms.GroupAsked("", 0))


@bp.post("/groups")
@require(P.RULES_EDIT)
def add_group() -> Response:
    asked = forms.group(request.form)
    if not asked.errors:
        try:
            create(asked.name)
        except TakenError:
            asked.errors["name"] = _("There is a group of this name already.")
        else:
            flash(_("%(name)s has been added.", name=asked.name), "ok")
            return _back()
    return _list(asked, status=422)


@bp.get("/groups/<int:ident>")
@require(P.RULES_EDIT)
def edit_group(ident: int) -> Response:
    row = common.one(RuleGroup, ident)
    return _form(row, forms.GroupAsked(row.name, row.version))


@bp.post("/groups/<int:ident>")
@require(P.RULES_EDIT)
def rename_group(ident: int) -> Response:
    row = common.one(RuleGroup, ident)
    asked = forms.group(request.form)
    if asked.errors:
        return _form(row, asked, status=422)
    try:
        rename(row, asked)
    except StaleError:
        now = common.one(RuleGroup, ident)
        asked.version = now.version
        both = common.both({"name": N_("Name")}, {"name": now.name}, {"name": asked.name})
        return _form(now, asked, both, status=422)
    except TakenError:
        asked.errors["name"] = _("There is a group of this name already.")
        return _form(row, asked, status=422)
    flash(_("Saved."), "ok")
    return _back()


@bp.post("/groups/<int:ident>/pause")
@require(P.RULES_OPERATE)
def pause_group(ident: int) -> Response:
    """Pause the group, or let it go on where the form says `paused=0`."""
    row = common.one(RuleGroup, ident)
    paused = request.form.get("paused") != "0"
    pause(row, paused)
    said = _("%(name)s is paused.", name=row.name) if paused else _("%(name)s goes on.", name=row.name)
    flash(said, "ok")
    default = url_for(".groups") if g.scope.can(P.RULES_VIEW) else url_for("operations.index")
    return make_response(redirect(local_path(request.form.get("next"), default)))


@bp.route("/groups/<int:ident>/delete", methods=["GET", "POST"])
@require(P.RULES_EDIT)
def delete_group(ident: int) -> Response:
    row = common.one(RuleGroup, ident)
    if request.method == "POST":
        delete(row)
        flash(_("%(name)s has been deleted.", name=row.name), "ok")
        return _back()
    count = Rule.select().where(Rule.group == row.id).count()
    stay = ngettext(
        "The group has %(num)d rule, which stays and is in no group then.",
        "The group has %(num)d rules, which stay and are in no group then.",
        count,
    )
    texts = [stay] + ([_("The group is paused; its rules go on then.")] if row.paused and count else [])
    return render(
        "layout/confirm.html",
        title=_("Delete %(name)s?", name=row.name),
        errors=[],
        texts=texts,
        verb=_("Delete"),
        back_url=url_for(".groups"),
        crumbs=[(_("Rules"), url_for(".index")), (_("Groups"), url_for(".groups"))],
    )


def _back() -> Response:
    return make_response(redirect(url_for(".groups")))


def _list(asked: forms.GroupAsked, status: int = 200) -> Response:
    return render(
        "rules/groups.html",
        status=status,
        rows=queries.group_lines(),
        asked=asked,
        may_edit=g.scope.can(P.RULES_EDIT),
        may_pause=g.scope.can(P.RULES_OPERATE),
    )


def _form(
    row: RuleGroup, asked: forms.GroupAsked, differing: list[common.Both] | None = None, status: int = 200
) -> Response:
    return render("rules/group.html", status=status, row=row, asked=asked, differing=differing)
