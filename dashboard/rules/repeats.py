"""Notices that come again until they are read: each repetition is a later step of the same run.

A repetition puts the notice on top as new, marks the one before it as read, and sends anew what the
reader's profile asks for. It is cancelled, and no other follows, once the reader has read or put away the
notice, has muted the rule or left, and where runs.cancelled() says so. Source: repeat until cleared,
catalogue of actions.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from dashboard import clock
from dashboard.db.prepared import insert_row
from dashboard.i18n.mark import N_
from dashboard.models import Notification, Profile, RuleMute, Step, User
from dashboard.rulelang import quiet
from dashboard.rules import active_rules
from dashboard.rules.outcomes import StepState
from dashboard.rules.recipients import profile_of

ROUND = 100_000  # parts of a step's action are below it; the n-th repetition adds n times as much
READ = N_("The notice has been read.")
MUTED = N_("The reader has muted the rule.")
LEFT = N_("The reader is no longer active.")


def left(payload: Mapping[str, Any]) -> int:
    """Return how often the notice of a step is to come again."""
    return int(payload.get("again", {}).get("times", 0))


def follow(step: Step) -> None:
    """Plan the next repetition of a notice that has just been done, in the caller's transaction."""
    if not left(step.payload):
        return
    again = step.payload["again"]
    payload = {**step.payload, "again": {**again, "times": again["times"] - 1}}
    _add(step, "notify", payload, step.part + ROUND, clock.now_ms() + again["seconds"] * 1000)


def renew(step: Step) -> None:
    """Before a repetition is done: mark the notice before it as read, send anew what goes beside it."""
    if step.part < ROUND:
        return
    now_ms = clock.now_ms()
    earlier = Notification.id.in_(_notices(step)) & Notification.read_ms.is_null()
    Notification.update(read_ms=now_ms, snoozed_ms=None).where(earlier).execute()
    profile = profile_of(int(step.payload["user"]))
    if profile is not None:
        _send_beside(step, profile, now_ms)


def cancelled(step: Step) -> str:
    """Return why a repetition must not be done, as a marked text; "" when it may, and for other steps."""
    if step.part < ROUND:
        return ""
    user = int(step.recipient)
    if not User.select().where((User.id == user) & User.deactivated_ts.is_null()).exists():
        return LEFT
    if RuleMute.select().where((RuleMute.rule == step.rule_id) & (RuleMute.user_id == user)).exists():
        return MUTED
    n = Notification
    latest = n.select().where(n.id.in_(_notices(step))).order_by(n.id.desc()).first()
    away = latest is None or latest.read_ms is not None or (latest.snoozed_ms or 0) > clock.now_ms()
    return READ if away else ""


def _notices(step: Step) -> Any:
    """Return the query of the notices that the same action has made for the same reader."""
    s = Step
    same = (s.run == step.run_id) & (s.n == step.n) & (s.recipient == step.recipient)
    return Notification.select(Notification.id).where(
        Notification.step_id.in_(s.select(s.id).where(same & (s.action == "notify")))
    )


def _send_beside(step: Step, profile: Profile, now_ms: int) -> None:
    """Send anew, as the profile says now, what went out beside the first notice.

    What still waits there, such as for the end of quiet hours, is not sent twice.
    """
    same = (Step.run == step.run_id) & (Step.n == step.n) & (Step.recipient == step.recipient)
    beside = list(Step.select().where(same & (Step.action != "notify")).order_by(Step.id))
    zone = User.select(User.timezone).where(User.id == profile.user_id).scalar() or active_rules.site_zone()
    due = None if step.payload["urgent"] else quiet.quiet_until(profile, now_ms, zone)
    number = step.part // ROUND * ROUND
    for first in beside:
        way = (first.action, first.channel_id)
        wanted = profile.email if first.action == "email" else profile.channel_id == first.channel_id
        waits = any(
            (each.action, each.channel_id) == way and each.state in (StepState.WAITING, StepState.RUNNING)
            for each in beside
        )
        if first.part < ROUND and wanted and not waits:
            _add(step, first.action, first.payload, first.part + number, due or now_ms, first.channel_id)


def _add(
    step: Step, action: str, payload: dict[str, Any], part: int, due_ms: int, channel: int | None = None
) -> None:
    insert_row(
        Step,
        run_id=step.run_id,
        rule_id=step.rule_id,
        n=step.n,
        part=part,
        action=action,
        channel_id=channel,
        recipient=step.recipient,
        key=secrets.token_hex(16),
        payload=payload,
        state=StepState.WAITING.value,
        due_ms=due_ms,
        made_ms=clock.now_ms(),
    )
