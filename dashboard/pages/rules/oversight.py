"""Views of one rule without the editor, and the transfer of users' rules."""

from __future__ import annotations

from flask import Response, abort, flash, g, make_response, redirect, request, url_for
from flask_babel import gettext as _

from dashboard.access import scope as scopes
from dashboard.access.guard import MissingPermission, require
from dashboard.access.permissions import Permission as P
from dashboard.models import Rule, User
from dashboard.pages.rules import commands, forms, listing
from dashboard.pages.rules.views import SEE, allowed, bp, when
from dashboard.rules import permissions
from dashboard.web import charts, lists
from dashboard.web import forms as common
from dashboard.web.page import render


@bp.get("/<int:ident>")
@require(*SEE)
def show(ident: int) -> Response:
    rule = _seen(ident)
    which = _list_of(rule)
    return render(
        "rules/show.html",
        line=listing.line(g.scope, rule),
        which=which,
        names=forms.NAMES,
        states=listing.STATES,
        may=allowed(g.scope, which),
        when=when,
        spark=charts.spark,
    )


@bp.route("/<int:ident>/adopt", methods=["GET", "POST"])
@require(P.RULES_OVERSEE)
def adopt(ident: int) -> Response:
    """Confirm and make a user's rule a system rule; needs the permission to edit these as well."""
    rule = _others(ident)
    if not g.scope.can(P.RULES_EDIT):
        raise MissingPermission(P.RULES_EDIT)
    if request.method == "POST":
        if not commands.hand_over(rule, None, g.user):
            abort(404)
        flash(_("%(name)s is now a system rule. It is off.", name=rule.name), "ok")
        return make_response(redirect(url_for(".index", list=forms.SYSTEM)))
    return render(
        "layout/confirm.html",
        title=_("Make %(name)s a system rule?", name=rule.name),
        errors=[],
        verb=_("Make system rule"),
        back_url=url_for(".show", ident=ident),
        crumbs=_way(rule),
        texts=[
            _(
                "The rule is turned off and removed from its owner's list. Once turned on, it "
                "applies to everyone's events, not only to those its owner can see."
            ),
            _("Check its conditions first: in a system rule, “me” and “my team” match nobody."),
        ],
    )


@bp.get("/<int:ident>/transfer")
@require(P.RULES_OVERSEE)
def choose_owner(ident: int) -> Response:
    return _choose(_others(ident))


@bp.post("/<int:ident>/transfer")
@require(P.RULES_OVERSEE)
def transfer(ident: int) -> Response:
    """Transfer a user's rule to another user who may have own rules."""
    rule = _others(ident)
    wanted = common.whole(request.form.get("user", ""), 1, common.ID_MAX)
    if wanted is None:
        return _choose(rule, _("Choose a user."), 422)
    if lists.unknown(g.scope, [wanted]):
        abort(404)
    user = User.get_by_id(wanted)
    if user.deactivated_ts is not None or not scopes.of_user(user).can(P.RULES_OWN):
        return _choose(
            rule, _("%(name)s isn't allowed to have rules. Choose another user.", name=user.name), 422
        )
    if not commands.hand_over(rule, user, g.user):
        abort(404)
    flash(_("%(rule)s now belongs to %(user)s. It is off.", rule=rule.name, user=user.name), "ok")
    return make_response(redirect(url_for(".index", list=forms.EMPLOYEES)))


def _choose(rule: Rule, error: str | None = None, status: int = 200) -> Response:
    sought = lists.needle(request.values)
    return render(
        "rules/transfer.html",
        status=status,
        rule=rule,
        error=error,
        q=sought,
        crumbs=_way(rule),
        people=lists.offered(g.scope, (), sought),
    )


def _seen(ident: int) -> Rule:
    rule: Rule = common.one(Rule, ident)
    return rule if permissions.can_see(g.scope, rule.owner_id) else abort(404)


def _others(ident: int) -> Rule:
    """Return a rule of another user; 404 for own, system and unknown rules."""
    rule = _seen(ident)
    return rule if rule.owner_id not in (None, g.user.id) else abort(404)


def _list_of(rule: Rule) -> str:
    if rule.owner_id is None:
        return forms.SYSTEM
    return forms.MY if rule.owner_id == g.user.id else forms.EMPLOYEES


def _way(rule: Rule) -> list[tuple[str, str | None]]:
    return [
        (_("Rules"), url_for(".index", list=forms.EMPLOYEES)),
        (rule.name, url_for(".show", ident=rule.id)),
    ]
