"""Bulk commands on the selected rules, or on one by the buttons of its row; deletion asks first."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import peewee
from flask import Response, abort, flash, g, make_response, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from dashboard.access.guard import require
from dashboard.access.permissions import Permission
from dashboard.db import database
from dashboard.i18n import formats
from dashboard.models import Rule, RuleGroup
from dashboard.pages.rules import commands, queries
from dashboard.pages.rules.views import ADD, KEPT, SEE, bp, many
from dashboard.rulelang import schema
from dashboard.rulelang.matcher import State
from dashboard.rulelang.schema import Definition
from dashboard.rules import activation, permissions
from dashboard.rules.timing import backfill
from dashboard.web import forms as common
from dashboard.web.page import render

NOT_FOUND, FORBIDDEN = 404, 403
FEW = 5  # names of rules in a message of the list


@bp.post("/bulk")
@require(*SEE)
def bulk() -> Response:
    """Apply `op` to the rules `id`, or the operation of `one` ("on:12") to a single rule.

    Rules that do not exist or are hidden from the viewer are left out with a message; 404 when none is
    left, 403 when the viewer may not do that with all of them; then nothing has changed.
    """
    op, ids = request.form.get("op", ""), common.ids(request.form.getlist("id"))
    if one := request.form.get("one"):
        op, _colon, ident = one.partition(":")
        ids = common.ids([ident]) or abort(NOT_FOUND)
    if op not in ACTS:
        abort(400) if op else None
        return _back()
    if not ids and op != "export":
        flash(_("Choose at least one rule."), "warn")
        return _back()
    rules = _chosen(ids)
    return ACTS[op](rules)


@bp.route("/delete", methods=["GET", "POST"])
@require(*ADD)
def delete() -> Response:
    """Confirm and delete the rules `id`; the question lists what is deleted with them."""
    ids = common.ids(request.values.getlist("id"))
    rules = _chosen(ids)
    _demand(all(permissions.can_change(g.scope, rule.owner_id) for rule in rules))
    if not rules:
        flash(_("Choose at least one rule."), "warn")
        return _back()
    if request.method == "POST":
        count = commands.delete(rules)
        flash(ngettext("%(num)d rule deleted.", "%(num)d rules deleted.", count), "ok")
        return _back()
    title = ngettext("Delete %(num)d rule?", "Delete %(num)d rules?", len(rules))
    return render(
        "layout/confirm.html",
        errors=[],
        verb=_("Delete"),
        back_url=_index(),
        texts=_lost(rules),
        title=_("Delete %(name)s?", name=rules[0].name) if len(rules) == 1 else title,
        crumbs=[(_("Rules"), _index())],
    )


def _lost(rules: list[Rule]) -> list[str]:
    names = (
        [_("This will delete %(names)s.", names=formats.listed(rule.name for rule in rules))]
        if rules[1:]
        else []
    )
    runs = queries.runs_of(rules)
    kept = _("Sent notifications, tags, notes and the audit log are kept.")
    sent = _("Queued deliveries are cancelled. This can't be undone, but you can import an exported copy.")
    if not runs:
        return [*names, kept, sent]
    gone = _("Run history is also deleted: %(runs)s.", runs=many(runs, queries.RUNS_COUNTED))
    return [*names, gone, kept, sent]


def _edit(rules: list[Rule]) -> Response:
    if len(rules) > 1:
        flash(_("Select only one rule to open."), "warn")
        return _back()
    rule = rules[0]
    page = "/rules/%d/edit" if permissions.can_change(g.scope, rule.owner_id) else "/rules/%d"
    return make_response(redirect(page % rule.id))


def _ask_delete(rules: list[Rule]) -> Response:
    _demand(all(permissions.can_change(g.scope, rule.owner_id) for rule in rules))
    ids = [rule.id for rule in rules]
    return make_response(redirect(url_for(".delete", id=ids, **_kept())))


def _copy(rules: list[Rule]) -> Response:
    to_site = g.scope.can(Permission.RULES_EDIT)
    own = [rule for rule in rules if rule.owner_id is not None or not to_site]
    _demand(not own or g.scope.can(Permission.RULES_OWN))
    made = commands.copy(rules, g.user.id, to_site)
    flash(
        ngettext(
            "%(num)d copy added. It is off.",
            "%(num)d copies added. They are off.",
            len(made),
        ),
        "ok",
    )
    return _back()


def _switch(state: State) -> Callable[[list[Rule]], Response]:
    def act(rules: list[Rule]) -> Response:
        _demand(all(permissions.can_switch(g.scope, rule.owner_id, state) for rule in rules))
        broken = [rule.name for rule in rules if state is not State.OFF and not _complete(rule)]
        if broken:
            return _refuse(broken)
        timed = _timed(rules) if state is not State.OFF else []
        choice = request.form.get("existing")
        count = backfill.count_existing(*(definition for _rule, definition in timed))
        if count and choice not in ("new", "all"):
            return _ask_existing(rules, state, count)
        with database.atomic():
            changed = activation.switch(rules, state)
            for rule, _definition in timed if choice == "all" else ():
                backfill.arm_existing(rule.id)
        flash(_SWITCHED[state](changed), "ok")
        return _back()

    return act


def _refuse(broken: list[str]) -> Response:
    """Say which rules are incomplete: on the list, or on a page where they are too many for a cookie."""
    text = ngettext(
        "Not changed: %(names)s is incomplete. Open it in the editor.",
        "Not changed: these rules are incomplete: %(names)s. Open them in the editor.",
        len(broken),
        names=formats.listed(broken),
    )
    if len(broken) <= FEW:
        flash(text, "bad")
        return _back()
    return render(
        "layout/confirm.html",
        status=422,
        title=_("Rules"),
        errors=[text],
        texts=[],
        verb="",
        back_url=_index(),
        crumbs=[(_("Rules"), _index())],
    )


def _timed(rules: list[Rule]) -> list[tuple[Rule, Definition]]:
    """Return the rules that are off and have a timer, with their definitions."""
    read = [(rule, schema.load(rule.definition)) for rule in rules if rule.state == State.OFF]
    return [(rule, each) for rule, each in read if isinstance(each, Definition) and each.after is not None]


def _ask_existing(rules: list[Rule], state: State, count: int) -> Response:
    """Ask whether the timers are also for what is open already, as the editor does."""
    return render(
        "rules/switch.html",
        status=422,
        title=ngettext("Turn on %(num)d rule?", "Turn on %(num)d rules?", len(rules)),
        action=url_for(".bulk", **_kept()),
        ids=[rule.id for rule in rules],
        op=str(state),
        count=count,
        back_url=_index(),
    )


def _complete(rule: Rule) -> bool:
    """Return whether the rule may be switched on: nothing is missing, and its owner may use all it names."""
    if rule.missing:
        return False
    known = None if rule.owner_id is None else permissions.available_references(g.scope, personal=True)
    return isinstance(schema.parse(rule.definition, known), Definition)


_SWITCHED: dict[State, Callable[[int], str]] = {
    State.ON: lambda count: ngettext("%(num)d rule turned on.", "%(num)d rules turned on.", count),
    State.SHADOW: lambda count: ngettext(
        "%(num)d rule is now in dry run: it records what it would do and takes no action.",
        "%(num)d rules are now in dry run: they record what they would do and take no action.",
        count,
    ),
    State.OFF: lambda count: ngettext("%(num)d rule turned off.", "%(num)d rules turned off.", count),
}


def _resume(rules: list[Rule]) -> Response:
    _demand(all(permissions.can_switch(g.scope, rule.owner_id, State.ON) for rule in rules))
    for rule in rules:
        activation.resume(rule)
    flash(ngettext("%(num)d rule resumed.", "%(num)d rules resumed.", len(rules)), "ok")
    return _back()


def _move(rules: list[Rule]) -> Response:
    _demand(all(rule.owner_id is None and permissions.can_change(g.scope, None) for rule in rules))
    wanted = request.form.get("to_group", "")
    group = common.one(RuleGroup, common.whole(wanted, 1, common.ID_MAX) or 0) if wanted else None
    try:
        count = commands.move(rules, group)
    except peewee.IntegrityError:  # the group has been deleted
        abort(NOT_FOUND)
    flash(ngettext("%(num)d rule moved.", "%(num)d rules moved.", count), "ok")
    return _back()


def _shift(step: int) -> Callable[[list[Rule]], Response]:
    def act(rules: list[Rule]) -> Response:
        _demand(permissions.can_change(g.scope, rules[0].owner_id))
        commands.shift(rules[0], step)
        return _back(f"r{rules[0].id}")

    return act


def _export(rules: list[Rule]) -> Response:
    ids = [rule.id for rule in rules]
    which = request.args.get("list", "")
    return make_response(redirect(url_for(".export", id=ids, list=which)))


Act = Callable[[list[Rule]], Response]
ACTS: dict[str, Act] = {
    "edit": _edit,
    "delete": _ask_delete,
    "copy": _copy,
    "on": _switch(State.ON),
    "shadow": _switch(State.SHADOW),
    "off": _switch(State.OFF),
    "resume": _resume,
    "move": _move,
    "up": _shift(-1),
    "down": _shift(1),
    "export": _export,
}


def _chosen(ids: frozenset[int]) -> list[Rule]:
    """Return those of the rules that are still there, and tell the viewer of the others."""
    rules = queries.chosen(g.scope, ids)
    if ids and not rules:
        abort(NOT_FOUND)
    if gone := len(ids) - len(rules):
        text = ngettext(
            "%(num)d selected rule no longer exists.", "%(num)d selected rules no longer exist.", gone
        )
        flash(text, "warn")
    return rules


def _demand(may: bool) -> None:
    if not may:
        abort(FORBIDDEN)


def _kept() -> dict[str, Any]:
    return {name: value for name, value in request.args.items() if name in KEPT}


def _index(anchor: str | None = None) -> str:
    return url_for(".index", _anchor=anchor, **_kept())


def _back(anchor: str | None = None) -> Response:
    return make_response(redirect(_index(anchor)))
