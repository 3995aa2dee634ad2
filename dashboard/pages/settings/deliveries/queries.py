"""Reads of the deliveries: those of rules that the viewer may see, recipients as far as the viewer may."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, NamedTuple

from flask_babel import gettext as _
from peewee import JOIN

from dashboard.access import masking
from dashboard.access.permissions import Permission
from dashboard.access.scope import Scope
from dashboard.i18n.message import N_
from dashboard.models import Channel, Rule, Step, User
from dashboard.notify import outbox
from dashboard.pages.settings.deliveries.forms import Filter
from dashboard.rules import permissions
from dashboard.rules.runs import StepState
from dashboard.web import lists

PAGE = 50
VIEWS: dict[str, tuple[str, tuple[StepState, ...]]] = {
    "failed": (N_("Not sent"), (StepState.FAILED, StepState.DEAD, StepState.UNCERTAIN)),
    "waiting": (N_("Waiting"), (StepState.WAITING, StepState.RUNNING)),
    "done": (N_("Sent"), (StepState.DONE,)),
    "held": (N_("Held back"), (StepState.HELD,)),
    "cancelled": (N_("Cancelled"), (StepState.CANCELLED,)),
    "all": (N_("All"), tuple(StepState)),
}


class Line(NamedTuple):
    id: int
    made_ts: int
    run_id: int
    rule: str
    action: str
    to: str
    state: str
    error: str  # a marked text
    note: str  # what the receiver said
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


class Page(NamedTuple):
    lines: list[Line]
    before: int | None  # the id to go on from, None on the last page


def page(scope: Scope, asked: Filter) -> Page:
    """Return the latest deliveries that match, the newest first."""
    query = _mine(scope, Step, Rule.name).where(Step.state.in_(VIEWS[asked.view][1]))
    if asked.channel:
        query = query.where(Step.channel_id == asked.channel)
    if asked.before:
        query = query.where(Step.id < asked.before)
    found = list(query.order_by(Step.id.desc()).limit(PAGE + 1).objects())
    names = dict(Channel.select(Channel.id, Channel.name).tuples())
    people = _people(scope, found)
    made = [_line(step, names, people, scope) for step in found[:PAGE]]
    return Page(made, made[-1].id if len(found) > PAGE else None)


def visible(scope: Scope, ids: Collection[int]) -> set[int]:
    """Return those of the ids that are deliveries which the viewer may see."""
    return {row[0] for row in _mine(scope, Step.id).where(Step.id.in_(sorted(ids))).tuples()}


def channels() -> list[tuple[int, str]]:
    """Return id and name of every channel, by name."""
    return lists.by_name(list(Channel.select(Channel.id, Channel.name).tuples()), lambda row: str(row[1]))


def _mine(scope: Scope, *columns: Any) -> Any:
    """Return the query of what leaves the house by rules that the viewer may see; those of a deleted rule
    are for who may see the site's."""
    known = permissions.visible(scope)
    if scope.can(Permission.RULES_VIEW):
        known |= Rule.id.is_null()
    query = Step.select(*columns).join(Rule, JOIN.LEFT_OUTER, on=(Step.rule_id == Rule.id))
    return query.where(Step.action.in_(outbox.outward()) & known)


def _people(scope: Scope, found: list[Any]) -> dict[int, str]:
    ids = {step.payload.get("user") for step in found if isinstance(step.payload.get("user"), int)}
    query = User.select(User.id, User.name).where(User.id.in_(sorted(ids)) & scope.allows(User.id))
    return dict(query.tuples())


def _line(step: Any, names: dict[int, str], people: dict[int, str], scope: Scope) -> Line:
    receipt = step.receipt
    waits = step.state == StepState.WAITING
    return Line(
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
        return names.get(step.channel_id) or str(_("a channel that no longer exists"))
    user = step.payload.get("user")
    if isinstance(user, int):
        return people.get(user) or str(_("another user"))
    address = str(step.payload.get("to", step.recipient))
    return address if scope.can(Permission.PII_UNMASK) else masking.email(address)
