"""The list of event types with their switches, saved group by group."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import Blueprint, Response, abort, flash, g, make_response, redirect, request, url_for
from flask_babel import gettext as _

from dashboard import catalog, clock
from dashboard.access.guard import require
from dashboard.access.permissions import Permission
from dashboard.events import switches
from dashboard.i18n.message import N_
from dashboard.pages.settings.event_types import commands, forms, queries
from dashboard.pages.settings.event_types.forms import Filter, Wanted
from dashboard.web import forms as common
from dashboard.web import lists
from dashboard.web.page import render

bp = Blueprint("systemevents", __name__, url_prefix="/settings/system-events")

RECORDED, IN_RULES = N_("%(type)s, recorded"), N_("%(type)s, for rules")


@bp.get("")
@require(Permission.SYSTEM_EVENTS_VIEW)
def index() -> Response:
    return _page(forms.parse_filter(request.args))


@bp.post("/<name>")
@require(Permission.SYSTEM_EVENTS_EDIT)
def update(name: str) -> Response:
    """Save the group's switches. Where somebody else was faster with the same one, nothing is saved."""
    if name not in catalog.GROUPS:
        abort(404)
    wanted = forms.parse(request.form, name)
    if late := commands.save(wanted):
        return _page(forms.parse_filter(request.args), {one.type: one for one in wanted}, _both(late), 422)
    flash(_("Saved."), "ok")
    kept: dict[str, Any] = {
        key: request.args[key] for key in ("q", "group", "state") if request.args.get(key)
    }
    return make_response(redirect(url_for(".index", **kept, _anchor=f"g-{name}")))


def _page(
    asked: Filter,
    typed: dict[str, Wanted] | None = None,
    differing: Sequence[common.Both] | None = None,
    status: int = 200,
) -> Response:
    named = lists.by_name(catalog.GROUPS.items(), lambda pair: _(pair[1]))
    return render(
        "systemevents/index.html",
        {"result"},
        status,
        asked=asked,
        differing=differing,
        typed=typed or {},
        groups=queries.groups(asked, clock.now_ms()),
        states=[(k, _(v)) for k, v in forms.STATES.items()],
        named=[("", _("All"))] + [(key, _(label)) for key, label in named],
        may_edit=g.scope.can(Permission.SYSTEM_EVENTS_EDIT),
    )


def _both(late: Sequence[Wanted]) -> list[common.Both]:
    """Return what is stored now beside what was ticked, for the switches that differ."""
    found = []
    for one in late:
        known, now = catalog.find(one.type), switches.choice(one.type)
        label = _(known.label) if known is not None and known.group != "custom" else one.type
        for text, stored, ticked in (
            (RECORDED, now.recorded, one.now.recorded),
            (IN_RULES, now.in_rules, one.now.in_rules),
        ):
            if stored != ticked:
                found.append(
                    common.Both(_(text, type=label), common.readable(stored), common.readable(ticked))
                )
    return found
