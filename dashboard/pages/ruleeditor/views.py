"""Views of the editor: a rule is edited step by step, kept as a draft, and saved as a whole."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, abort, flash, g, make_response, redirect, request, url_for
from flask_babel import gettext as _

from dashboard.access.guard import MissingPermission, require
from dashboard.access.permissions import Permission
from dashboard.i18n import site_zone
from dashboard.models import Rule
from dashboard.pages.ruleeditor import commands, edits, form, page, queries, recipe_form, validation
from dashboard.pages.ruleeditor.page import Editing
from dashboard.pages.ruleeditor.typed_rule import TypedRule
from dashboard.rulelang.validation import ErrorPath
from dashboard.rules import active_rules, permissions
from dashboard.rules.recipes import RECIPES
from dashboard.web import forms as common
from dashboard.web.page import render

bp = Blueprint("ruleeditor", __name__, url_prefix="/rules")


OWN, EDIT = Permission.RULES_OWN, Permission.RULES_EDIT
TRIED = {"try": "ruleruns.attempt", "backtest": "ruleruns.backtest"}  # pages that test the draft


@bp.get("/new")
@require(OWN, EDIT)
def new() -> Response:
    """Show an empty new rule, or its draft with `draft=1`."""
    draft = queries.draft(g.user.id, 0)
    if draft is not None and request.args.get("draft"):
        return page.show(Editing(None, _started(draft.form)))
    own = _own(request.args.get("list", ""))
    place = queries.last_position(g.user.id if own else None) + 1
    typed = form.typed({}, list="my" if own else "system", position=place)
    return page.show(Editing(None, typed, waiting=draft))


@bp.post("/new")
@require(OWN, EDIT)
def create() -> Response:
    typed = form.read(request.form, site_zone())
    typed["list"] = "my" if _own(typed["list"]) else "system"
    return _done(Editing(None, typed))


@bp.get("/recipes")
@require(OWN, EDIT)
def recipes() -> Response:
    """Show the recipes: sentences with fields, each of which makes a rule."""
    return _recipes(_own(request.args.get("list", "")))


@bp.post("/recipes")
@require(OWN, EDIT)
def create_from_recipe() -> Response:
    """Add the rule of a recipe, turned on where the viewer may do so, or open it in the editor."""
    own = _own(request.form.get("list", ""))
    owner = g.user.id if own else None
    definition = recipe_form.definition(request.form, own, g.user.id) or abort(404)
    typed = form.typed(
        definition,
        name=_(RECIPES[request.form["recipe"]].name),
        list="my" if own else "system",
        position=queries.last_position(owner) + 1,
        state="on" if permissions.can_switch(g.scope, owner, "on") else "off",
        existing="new",
    )
    if request.form.get("op") == "editor":
        draft = queries.draft(g.user.id, 0)
        commands.keep(g.user.id, 0, typed, draft.form if draft else None)
        return make_response(redirect(url_for(".new", draft=1), 303))
    wanted, errors = validation.check(Editing(None, typed))
    errors |= recipe_form.unlisted(g.scope, request.form)
    if wanted is None or errors:
        return _recipes(own, errors)
    rule = commands.create(g.user.id, owner, wanted, keep_draft=True)
    flash(_saved(rule), "ok")
    return make_response(redirect(url_for(".edit", ident=rule.id), 303))


def _recipes(own: bool, errors: Mapping[ErrorPath, str] | None = None) -> Response:
    posted = request.form if request.method == "POST" else None
    offered = recipe_form.all_of(g.scope, posted, errors)
    which = "my" if own else "system"
    sites = None if own else queries.sites(g.scope)
    return render(
        "ruleeditor/recipes.html",
        which=which,
        recipes=offered,
        sites=sites,
        status=422 if errors else 200,
    )


@bp.get("/<int:ident>/edit")
@require(OWN, Permission.RULES_VIEW, Permission.RULES_OVERSEE)
def edit(ident: int) -> Response:
    """Show a stored rule, or the viewer's draft of it with `draft=1`; without the permission to change it
    lead to its description."""
    rule = seen(ident)
    if not permissions.can_change(g.scope, rule.owner_id):
        return make_response(redirect(url_for("rules.show", ident=ident)))
    draft = queries.draft(g.user.id, ident)
    if draft is not None and request.args.get("draft"):
        return page.show(Editing(rule, draft.form))
    editing = Editing(rule, page.stored(rule), waiting=draft)
    if active_rules.load(rule) is None:  # a field or type that it names is retired
        _wanted, errors = validation.check(editing)
        editing = editing._replace(errors=errors)
    return page.show(editing)


@bp.post("/<int:ident>/edit")
@require(OWN, EDIT)
def update(ident: int) -> Response:
    rule = seen(ident)
    if not permissions.can_change(g.scope, rule.owner_id):
        abort(403)
    return _done(Editing(rule, form.read(request.form, site_zone())))


def seen(ident: int) -> Any:
    """Return the rule, or answer 404 for one that the viewer may not see."""
    rule = common.one(Rule, ident)
    if not permissions.can_see(g.scope, rule.owner_id):
        abort(404)
    return rule


def _own(which: str) -> bool:
    """Return whether a new rule is the viewer's own; 403 if the viewer may not add one to the list."""
    own = which == "my" or (which != "system" and g.scope.can(OWN))
    needed = OWN if own else EDIT
    if not g.scope.can(needed):
        raise MissingPermission(needed)
    return own


def _started(form: TypedRule) -> TypedRule:
    """Return the draft of a new rule; its list must still be one in which the viewer may add a rule."""
    return {**form, "list": "my" if _own(str(form.get("list", ""))) else "system"}


def _done(editing: Editing) -> Response:
    """Run the command of the button: discard, undo, save, test, check, or an edit of the form."""
    op = request.form.get("op", "")
    if op == "discard":
        commands.forget(g.user.id, editing.ident)
        flash(_("The draft has been discarded."), "ok")
        return make_response(redirect(editing.url))
    if op == "undo":
        before = commands.undo(g.user.id, editing.ident)
        return page.show(editing if before is None else editing._replace(typed=before))
    if op in ("save", "save_off"):
        return _save(editing, off=op == "save_off")
    if op in TRIED:
        commands.keep(g.user.id, editing.ident, editing.typed, None)
        return make_response(redirect(url_for(TRIED[op], ident=editing.ident, draft=1), 303))
    if op == "check":
        commands.keep(g.user.id, editing.ident, editing.typed, None)
        _found, errors = validation.check(editing)
        return page.show(editing._replace(errors=errors, checked=not errors))
    made = edits.apply_edit(editing.typed, op)
    commands.keep(g.user.id, editing.ident, made.form, _before(editing, made.form))
    return page.show(editing._replace(typed=made.form, focus=made.focus))


def _before(editing: Editing, after: TypedRule) -> TypedRule | None:
    """Return the form that an undo of this edit restores: the posted one, else the draft before it."""
    if editing.typed != after:
        return editing.typed
    draft = queries.draft(g.user.id, editing.ident)
    rule = editing.rule
    kept = draft.form if draft else page.stored(rule) if rule else form.typed({}, list=after["list"])
    return kept if kept != after else None


def _save(editing: Editing, off: bool) -> Response:
    if off:
        editing.typed["state"] = "off"
    wanted, errors = validation.check(editing)
    if wanted is None:
        commands.keep(g.user.id, editing.ident, editing.typed, None)
        return page.show(editing._replace(errors=errors), 422)
    existing, pending = validation.existing(editing, wanted), validation.pending(editing, wanted)
    if existing or pending:
        commands.keep(g.user.id, editing.ident, editing.typed, None)
        return page.show(editing._replace(existing=existing, pending=pending), 422)
    try:
        if editing.rule is None:
            rule = commands.create(g.user.id, g.user.id if editing.personal else None, wanted)
        else:
            rule = commands.save(g.user.id, editing.ident, editing.typed["seen"], wanted)
    except commands.StaleError:
        return _stale(editing)
    flash(_saved(rule), "ok")
    return make_response(redirect(url_for(".edit", ident=rule.id)))


def _saved(rule: Rule) -> str:
    if rule.state == "on":
        return str(_("Saved. The rule is on."))
    return str(
        _("Saved. The rule is in dry run: it takes no action.")
        if rule.state == "shadow"
        else _("Saved. The rule is off.")
    )


def _stale(editing: Editing) -> Response:
    """Show where the stored rule differs from the form; saving again overwrites it."""
    rule = seen(editing.ident)
    now = page.stored(rule)
    differing = page.differing(now, editing.typed)
    editing.typed["seen"], editing.typed["version"] = now["seen"], now["version"]
    commands.keep(g.user.id, editing.ident, editing.typed, None)
    return page.show(editing._replace(rule=rule, differing=differing), 422)
