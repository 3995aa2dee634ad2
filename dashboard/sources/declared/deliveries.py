"""The source of deliveries: what actions of rules sent, or are to send, and what came of it.

A viewer sees those of rules that they may see, and recipients as far as they may; those of a deleted rule are
for viewers of the site's rules.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from flask_babel import gettext as _

from dashboard.access import masking
from dashboard.access.permissions import Permission
from dashboard.access.scope import Scope
from dashboard.i18n.message import N_
from dashboard.models import Channel, Step, User
from dashboard.rulelang.actions import ACTIONS
from dashboard.rulelang.outcomes import STEP_LABELS, StepState
from dashboard.sources.declared.rule_runs import RULE, RULE_ENTITY, among, error_texts, rule_names, rule_seen
from dashboard.sources.types import Entity, Field, Source, Type

OUTWARD = {name: action.label for name, action in ACTIONS.items() if not action.inside}
STATES = {str(state): label for state, label in STEP_LABELS.items()}


def _channels(scope: Scope, ids: Collection[Any] | None) -> Mapping[Any, str]:
    query = Channel.select(Channel.id, Channel.name)
    return dict((query if ids is None else query.where(Channel.id.in_(sorted(ids)))).tuples())


def _found(ids: Iterable[int] | None) -> list[Step]:
    return list(Step.select().where(Step.id.in_(sorted(ids or ()))))


def _recipients(scope: Scope, ids: Collection[Any] | None) -> Mapping[Any, str]:
    """Return to whom or where: a channel, a user, or an address as far as the viewer may see it."""
    steps = _found(ids)
    channels = _channels(scope, {step.channel_id for step in steps} - {None})
    users = {step.id: user for step in steps if isinstance(user := step.payload.get("user"), int)}
    names = dict(
        User.select(User.id, User.name)
        .where(User.id.in_(sorted(set(users.values()))) & scope.allows(User.id))
        .tuples()
    )

    def text(step: Step) -> str:
        if step.channel_id is not None:
            return channels.get(step.channel_id) or str(_("a deleted channel"))
        if step.id in users:
            return names.get(users[step.id]) or str(_("another user"))
        address = str(step.payload.get("to", step.recipient))
        return address if scope.can(Permission.PII_UNMASK) else masking.email(address)

    return {step.id: text(step) for step in steps}


def _problems(scope: Scope, ids: Collection[Any] | None) -> Mapping[Any, str]:
    """Return what went wrong, with the answer of the receiver."""
    return {step.id: " ".join(_problem(step)) for step in _found(ids)}


def _problem(step: Step) -> Iterable[str]:
    if not step.error:
        return
    yield str(_(step.error))
    if status := step.receipt.get("status"):
        yield str(_("HTTP status %(status)d.", status=status))
    if note := step.receipt.get("note"):
        yield str(note)


def _scoped(scope: Scope) -> str:
    deleted = f" OR {RULE}.id IS NULL" if scope.can(Permission.RULES_VIEW) else ""
    return f"({rule_seen(scope)}{deleted})"


FIELDS = (
    Field("id", N_("Number"), Type.ID, "s.id"),
    Field("created", N_("Created"), Type.MOMENT, "s.made_ms", scale=1000),
    Field("rule", N_("Rule"), Type.ID, "s.rule_id", texts=rule_names),
    Field("run", N_("Run"), Type.ID, "s.run_id"),
    Field("action", N_("Action"), Type.CHOICE, "s.action", OUTWARD),
    # The plus keeps SQLite from the index of channels, which would sort all rows of one.
    Field("channel", N_("Channel"), Type.ID, "+s.channel_id", texts=_channels),
    Field("recipient", N_("Recipient"), Type.NOTE, "s.id", texts=_recipients),
    Field("state", N_("State"), Type.CHOICE, "s.state", STATES, many=True),
    Field("attempts", N_("Attempts"), Type.NUMBER, "s.attempts"),
    Field(
        "due",
        N_("Next attempt"),
        Type.MOMENT,
        f"CASE WHEN s.state = '{StepState.WAITING}' THEN s.due_ms END",
        scale=1000,
    ),
    Field("ended", N_("Ended at"), Type.MOMENT, "s.done_ms", scale=1000),
    Field("problem", N_("Problem"), Type.NOTE, "s.id", texts=_problems),
    Field("error", N_("Error"), Type.TEXT, "s.error", texts=error_texts),
)
DELIVERIES = Source(
    "deliveries",
    f'"step" s LEFT JOIN "rule" {RULE} ON {RULE}.id = s.rule_id',
    (Entity("delivery", N_("Delivery"), N_("Deliveries"), "s.id", FIELDS), RULE_ENTITY),
    moment="created",
    grain=N_("One row is one message of a rule to one recipient, with all its attempts."),
    permission=Permission.RULES_TRACES,
    scoped=_scoped,
    where=among("s.action", OUTWARD),
)
