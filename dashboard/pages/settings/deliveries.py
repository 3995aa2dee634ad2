"""Deliveries of rules: what waits, what failed; sent again or cancelled, one by one or many.

The viewer sees those of rules that the viewer may see, recipients as far as the viewer may. The list is paged
by id and nothing on it is edited, so it does not stand on the kit for settings rows.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from flask import Blueprint, Response, abort, flash, g, make_response, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from peewee import JOIN
from werkzeug.datastructures import MultiDict

from dashboard.access import masking
from dashboard.access.guard import require
from dashboard.access.permissions import Permission
from dashboard.access.scope import Scope
from dashboard.audit import record as audit
from dashboard.db import database, keyset
from dashboard.i18n.message import N_
from dashboard.models import Channel, Rule, Step, User
from dashboard.notify import outbox
from dashboard.rulelang.actions import ACTIONS
from dashboard.rulelang.outcomes import STEP_LABELS, StepState
from dashboard.rules import permissions
from dashboard.web import lists
from dashboard.web.forms import ID_MAX, whole
from dashboard.web.page import render

PAGE = 50
STEP_MAX = 2**63 - 1
VIEWS: dict[str, tuple[str, tuple[StepState, ...]]] = {
    "failed": (N_("Not sent"), (StepState.FAILED, StepState.DEAD, StepState.UNCERTAIN)),
    "waiting": (N_("Waiting"), (StepState.WAITING, StepState.RUNNING)),
    "done": (N_("Sent"), (StepState.DONE,)),
    "held": (N_("Rate-limited"), (StepState.HELD,)),
    "cancelled": (N_("Cancelled"), (StepState.CANCELLED,)),
    "all": (N_("All"), tuple(StepState)),
}
OPERATIONS = {
    "replay": (outbox.replay, "delivery.replayed"),
    "cancel": (outbox.cancel, "delivery.cancelled"),
}

bp = Blueprint("deliveries", __name__, url_prefix="/settings/channels/deliveries")


class DeliveryFilter(NamedTuple):
    view: str
    channel: int  # 0 for all
    before: int  # a step's id, 0 for the newest

    @property
    def query(self) -> dict[str, Any]:
        """The filter as parameters of an address."""
        return {"view": self.view, **({"channel": self.channel} if self.channel else {})}


class DeliveryRow(NamedTuple):
    id: int
    made_ts: int
    run_id: int
    rule: str
    action: str
    to: str
    state: str
    error: str  # a marked text
    note: str  # what the receiver answered
    status: int
    attempts: int
    due_ts: int | None
    done_ts: int | None

    @property
    def can_replay(self) -> bool:
        return self.state in outbox.REPLAYED and self.attempts > 0

    @property
    def can_cancel(self) -> bool:
        return self.state == StepState.WAITING


@bp.get("")
@require(Permission.RULES_TRACES)
def index() -> Response:
    asked = parse_filter(request.args)
    rows, before = page(g.scope, asked)
    return render(
        "deliveries/index.html",
        {"result"},
        asked=asked,
        rows=rows,
        query=asked.query,
        views=[(key, _(label)) for key, (label, _states) in VIEWS.items()],
        channels=lists.by_name(
            list(Channel.select(Channel.id, Channel.name).tuples()), lambda row: str(row[1])
        ),
        states=STEP_LABELS,
        actions=ACTIONS,
        next_url=url_for(".index", **{**asked.query, "before": before}) if before else None,
        first_url=url_for(".index", **asked.query) if asked.before else None,
        when=lists.moment,
        may_edit=g.scope.can(Permission.CHANNELS_EDIT),
    )


@bp.post("")
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
    return make_response(redirect(url_for(".index", **parse_filter(request.args).query)))


def parse_filter(args: Mapping[str, str]) -> DeliveryFilter:
    """Read the address; what it does not know becomes the default."""
    view = args.get("view", "")
    return DeliveryFilter(
        view if view in VIEWS else next(iter(VIEWS)),
        whole(args.get("channel", ""), 1, ID_MAX) or 0,
        whole(args.get("before", ""), 1, STEP_MAX) or 0,
    )


def parse(form: MultiDict[str, str]) -> tuple[str, frozenset[int]]:
    """Return the operation ("" for an unknown one) and the ids: one row's button, or all that are ticked."""
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
    return done


def page(scope: Scope, asked: DeliveryFilter) -> tuple[list[DeliveryRow], int | None]:
    """Return the latest deliveries that match, the newest first, and the id to go on from, None on the last
    page. Where few match, a page may be short and yet not be the last."""
    states: tuple[StepState | None, ...] = VIEWS[asked.view][1]
    if asked.view == "all" and not asked.channel:
        states = (None,)
    parts = [_ids(scope, asked, state) for state in states]  # each state is a range of an index
    reached = max((on for _found, on in parts if on is not None), default=0)
    found = sorted((ident for part, _on in parts for ident in part if ident >= reached), reverse=True)
    shown = found[:PAGE]
    before = shown[-1] if len(found) > PAGE else reached or None
    steps = list(_mine(scope, Step, Rule.name).where(Step.id.in_(shown)).order_by(Step.id.desc()).objects())
    names = dict(Channel.select(Channel.id, Channel.name).tuples())
    people = _people(scope, steps)
    return [_row(step, names, people, scope) for step in steps], before


def _ids(scope: Scope, asked: DeliveryFilter, state: StepState | None) -> tuple[list[int], int | None]:
    """Return the ids of a page of one state, and where it goes on."""
    ranged = [] if state is None else [Step.state == state]
    if asked.channel:
        ranged.append(Step.channel_id == asked.channel)
    query, before = _mine(scope, Step.id), asked.before or None
    found, on = keyset.page(query, Step.id, ranged, PAGE, below=before, descending=True)
    return [row[0] for row in found], on


def visible(scope: Scope, ids: Collection[int]) -> set[int]:
    """Return those of the ids that are deliveries which the viewer may see."""
    return {row[0] for row in _mine(scope, Step.id).where(Step.id.in_(sorted(ids))).tuples()}


def _mine(scope: Scope, *columns: Any) -> Any:
    """Return the query of what is sent by rules that the viewer may see; those of a deleted rule are for
    viewers of the site's rules."""
    known = permissions.visible(scope)
    if scope.can(Permission.RULES_VIEW):
        known |= Rule.id.is_null()
    query = Step.select(*columns).join(Rule, JOIN.LEFT_OUTER, on=(Step.rule_id == Rule.id))
    return query.where(Step.action.in_(outbox.outward()) & known)


def _people(scope: Scope, found: list[Any]) -> dict[int, str]:
    ids = {step.payload.get("user") for step in found if isinstance(step.payload.get("user"), int)}
    query = User.select(User.id, User.name).where(User.id.in_(sorted(ids)) & scope.allows(User.id))
    return dict(query.tuples())


def _row(step: Any, names: dict[int, str], people: dict[int, str], scope: Scope) -> DeliveryRow:
    receipt = step.receipt
    waits = step.state == StepState.WAITING
    return DeliveryRow(
        step.id,
        step.made_ms // 1000,
        step.run_id,
        step.name or "",
        step.action,
        _to(step, names, people, scope),
        step.state,
        step.error,
        str(receipt.get("note", "")),
        int(receipt.get("status", 0)),
        step.attempts,
        step.due_ms // 1000 if waits and step.due_ms else None,
        step.done_ms // 1000 if step.done_ms else None,
    )


def _to(step: Any, names: dict[int, str], people: dict[int, str], scope: Scope) -> str:
    """Return to whom or where: a channel, a user, or an address as far as the viewer may see it."""
    if step.channel_id is not None:
        return names.get(step.channel_id) or str(_("a deleted channel"))
    user = step.payload.get("user")
    if isinstance(user, int):
        return people.get(user) or str(_("another user"))
    address = str(step.payload.get("to", step.recipient))
    return address if scope.can(Permission.PII_UNMASK) else masking.email(address)
