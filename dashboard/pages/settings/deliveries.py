"""Deliveries of rules: what waits, what failed; sent again or cancelled, one by one or many."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from flask import Blueprint, Response, abort, flash, g, make_response, redirect, request
from flask_babel import gettext as _
from flask_babel import ngettext
from peewee import JOIN
from werkzeug.datastructures import MultiDict

from dashboard.access.guard import require
from dashboard.access.permissions import Permission
from dashboard.access.scope import Scope
from dashboard.audit import record as audit
from dashboard.db import database
from dashboard.i18n.message import N_
from dashboard.models import Rule, Step
from dashboard.notify import outbox
from dashboard.rulelang.outcomes import StepState
from dashboard.rules import permissions
from dashboard.ruletext.run_scope import STEP_BADGES
from dashboard.sources.catalogue import DELIVERIES
from dashboard.sources.period import ALL_TIME
from dashboard.web import listing_files
from dashboard.web.forms import whole
from dashboard.web.listing import Bulk, Listing, Parameters
from dashboard.web.lists import here
from dashboard.web.page import row_url

STEP_MAX = 2**63 - 1
# Values of the parameter `view` of earlier versions.
VIEWS: dict[str, tuple[StepState, ...]] = {
    "failed": (StepState.FAILED, StepState.DEAD, StepState.UNCERTAIN),
    "waiting": (StepState.WAITING, StepState.RUNNING),
    "done": (StepState.DONE,),
    "held": (StepState.HELD,),
    "cancelled": (StepState.CANCELLED,),
    "all": (),
}
OPERATIONS = {
    "replay": (outbox.replay, "delivery.replayed"),
    "cancel": (outbox.cancel, "delivery.cancelled"),
}

PATH = "/settings/channels/deliveries"
bp = Blueprint("deliveries", __name__)


def renamed(given: Parameters) -> Parameters:
    """Return the parameters of an address of an earlier version by their names of today."""
    new = {name: values for name, values in given.items() if name != "before"}
    if (view := next(iter(given.get("view", ())), "")) in VIEWS:
        del new["view"]
        new |= {"state": [str(state) for state in VIEWS[view]]} if VIEWS[view] else {}
    return new


LISTING = Listing(
    DELIVERIES,
    N_("Deliveries"),
    N_(
        "Emails, webhooks and chat messages sent by rules. Failed deliveries are retried after 1, 5 and 30 "
        "minutes and 2, 8 and 24 hours."
    ),
    columns=("created", "rule", "run", "action", "recipient", "state", "problem", "attempts", "due"),
    bar=("state", "rule", "channel", "action"),
    count=lambda number: ngettext("%(num)d delivery", "%(num)d deliveries", number),
    none=N_("No deliveries"),
    none_hint=N_("Rules have sent nothing that matches these filters."),
    lead=(N_("Open rules"), "/rules"),
    links={
        "rule": lambda _key, value: row_url("ruleruns.index", value),
        "run": lambda _key, value: row_url("ruleruns.run", value),
    },
    badges={"state": STEP_BADGES},
    rights={"pdf": Permission.SELF, "xlsx": Permission.SELF, "csv": Permission.SELF},
    period=ALL_TIME,
    bulk=Bulk(
        Permission.CHANNELS_EDIT,
        (("replay", N_("Send again"), ""), ("cancel", N_("Cancel delivery"), "dan")),
    ),
    renamed=renamed,
)
listing_files.routes(bp, PATH, LISTING)


@bp.post(PATH)
@require(Permission.CHANNELS_EDIT)
def bulk() -> Response:
    """Send again, or cancel. An id that the viewer may not see is answered like one that does not exist."""
    operation, ids = parse(request.form)
    if ids - visible(g.scope, ids):
        abort(404)
    if not ids or not operation:
        flash(_("Choose at least one delivery."), "warn")
    elif not (done := apply(operation, ids)):
        flash(_("Nothing changed: the deliveries' state has changed in the meantime."), "warn")
    elif operation == "replay":
        flash(ngettext("Sending %(num)d delivery again.", "Sending %(num)d deliveries again.", done), "ok")
    else:
        flash(ngettext("%(num)d delivery cancelled.", "%(num)d deliveries cancelled.", done), "ok")
    return make_response(redirect(here()))


def parse(form: MultiDict[str, str]) -> tuple[str, frozenset[int]]:
    """Return the operation ("" for an unknown one) and the ids that are ticked."""
    operation, _colon, one = form.get("op", "").partition(":")
    sent = [one] if one else form.getlist("id")
    ids = frozenset(number for each in sent if (number := whole(each, 1, STEP_MAX)) is not None)
    return (operation if operation in OPERATIONS else ""), ids


def apply(operation: str, ids: Collection[int]) -> int:
    """Replay or cancel the deliveries, and return how many there was anything to do for."""
    act, name = OPERATIONS[operation]
    with database.atomic():
        done = act(ids)
        if done:
            audit.record(name, "u", ("delivery", min(ids), ""), details={"rows": done})
            audit.batch(name, done)
    return done


def visible(scope: Scope, ids: Collection[int]) -> set[int]:
    """Return those of the ids that are deliveries which the viewer may see."""
    known: Any = permissions.visible(scope)
    if scope.can(Permission.RULES_VIEW):
        known |= Rule.id.is_null()
    query = Step.select(Step.id).join(Rule, JOIN.LEFT_OUTER, on=(Step.rule_id == Rule.id))
    chosen = Step.id.in_(sorted(ids)) & Step.action.in_(outbox.outward())
    return {row[0] for row in query.where(chosen & known).tuples()}
