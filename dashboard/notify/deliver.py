"""Executes one delivery step: sends it or runs it, and records the result."""

from __future__ import annotations

import json
import logging
import random
import time
from typing import Any

from flask import Flask, current_app

from dashboard import clock
from dashboard.db import database, failure
from dashboard.db.prepared import Prepared, slot
from dashboard.i18n.message import N_
from dashboard.jobs.work import pause_ms
from dashboard.models import Channel, Rule, Run, Step
from dashboard.notify import (
    channels,
    chat,
    email,
    help_desk,
    letter,
    log_file,
    outbox,
    result,
    safe_http,
    webhook,
)
from dashboard.notify.result import DeliveryResult, ResultKind
from dashboard.rulelang.outcomes import StepState
from dashboard.rules import internal_actions, loop_guard, runs
from dashboard.settings import Settings

log = logging.getLogger("stopa.deliver")
_CHAIN = Prepared(lambda: Run.select(Run.chain).where(Run.id == slot("run")))
_CHANNEL = Prepared(lambda: Channel.select().where(Channel.id == slot("id")))
PLANNED_MS = 1000  # a step due that much later than it was made has waited on purpose

CHANNEL_GONE = N_("The channel no longer exists.")
CHANNEL_OFF = N_("The channel is off.")
BROKEN = N_("The request failed. The error was logged.")

STATES = {
    ResultKind.NEVER: StepState.FAILED,
    ResultKind.GONE: StepState.FAILED,
    ResultKind.HELD: StepState.HELD,
}


def init(app: Flask) -> None:
    """Restrict the outgoing HTTP calls of this process to what the settings allow."""
    chosen: Settings = app.config["STOPA"]
    safe_http.install(chosen.webhook_allow)


def carry(step: Step) -> None:
    """Carry out a claimed step and end it. Only a lost database gets out of here."""
    try:
        _carry(step)
    except failure.AWAY:
        raise  # the lease runs out, then somebody else takes it up
    except Exception:
        log.exception("step %s failed", step.id)
        with database.atomic():
            outbox.end(step, StepState.FAILED, BROKEN)


def _carry(step: Step) -> None:
    why = _cancelled(step)
    if why:
        with database.atomic():
            outbox.end(step, StepState.CANCELLED, why)
    elif internal_actions.is_inside(step.action, step.payload):
        _do(step)
    elif step.action == "email":
        _mail(step)
    elif step.action == "log_file":
        _log(step)
    else:
        _call(step)


def _cancelled(step: Step) -> str:
    """Return why a step is not wanted any more, "" when it is: an email to a user who has left, one that
    waited on purpose, or a repeated notice."""
    if step.action == "email" and internal_actions.has_left(step.payload.get("user")):
        return internal_actions.LEFT
    if step.manual:
        return ""
    waited = step.attempts == 1 and (step.due_ms or 0) - step.made_ms >= PLANNED_MS
    return (runs.cancelled(step) if waited else "") or internal_actions.cancelled(step)


def _do(step: Step) -> None:
    """Do an inside action with its mark in one transaction: once, whatever happens to the worker."""
    with database.atomic():
        try:
            with database.atomic():
                if outbox.end(step, StepState.DONE):
                    internal_actions.do(step)
                    runs.settle(step.run_id)  # a notice may have to come again
        except internal_actions.Impossible as error:
            outbox.end(step, StepState.FAILED, str(error))
        except internal_actions.Unneeded as error:
            outbox.end(step, StepState.CANCELLED, str(error))


def _call(step: Step) -> None:
    channel = next(iter(_CHANNEL.models(Channel, id=step.channel_id)), None)
    if channel is None or not channel.active:
        with database.atomic():
            outbox.end(step, StepState.FAILED, CHANNEL_GONE if channel is None else CHANNEL_OFF)
            channels.tell(step)
        return
    begun, chain = time.monotonic(), _chain(step)
    again = step.attempts > 1 or step.manual
    answer = send(channel, step.key, step.payload, chain, step.made_ms if again else 0)
    took_ms = _ms_since(begun)
    with database.atomic():
        state = _note(step, answer, took_ms)
        if state is not None:
            failures = channels.went(channel, answer, chain)
            _hold_others(step, answer, failures, channel.ordered)
        if state in (StepState.DEAD, StepState.FAILED):
            channels.notify_failed(channel, answer.why, chain)
            channels.tell(step)


def _log(step: Step) -> None:
    begun = time.monotonic()
    line = {"id": step.key, "run": step.run_id, **step.payload}
    answer = log_file.append(line.pop("file"), line)
    with database.atomic():
        _note(step, answer, _ms_since(begun))


def send(
    channel: Channel, key: str, payload: dict[str, Any], chain: tuple[int, ...] = (), since_ms: int = 0
) -> DeliveryResult:
    """Send one message by a channel, whatever its state, and say what came of it.

    `since_ms` is when an earlier try may have begun, 0 for the first.
    """
    if channel.lost:
        return DeliveryResult(ResultKind.NEVER, result.KEY_LOST)
    if channel.kind == "chat":
        return chat.send(channel.address, str(payload.get("title", "")), str(payload.get("text", "")))
    if channel.kind in help_desk.KINDS:
        return help_desk.send(channel.kind, channel.address, channel.secret, payload, since_ms)
    body = {"id": key, **payload}
    signed = loop_guard.chain_header(chain)
    return webhook.send(channel.address, channel.secret, channel.headers, key, body, signed)


def _mail(step: Step) -> None:
    chosen: Settings = current_app.config["STOPA"]
    to = str(step.payload["to"])
    answer, took_ms = _held(step, to, chosen), 0
    if answer is None:
        if not outbox.begin(step):
            return
        begun = time.monotonic()
        body = letter.of_step(step.payload, _rule_name(step.rule_id))
        answer = email.send(chosen, step.key, to, str(step.payload["subject"]), body)
        took_ms = _ms_since(begun)
    with database.atomic():
        state = _note(step, answer, took_ms)
        if state is not None:
            email.tell(chosen, to, answer, step.attempts, state, _chain(step))
            if not answer.status:
                _hold_others(step, answer, email.failures())
        if state in (StepState.DEAD, StepState.FAILED):
            channels.tell(step)


def _held(step: Step, to: str, chosen: Settings) -> DeliveryResult | None:
    """Return why this recipient gets no mail now, None when it does."""
    if email.unwanted(to, email.own_address(chosen)):
        return DeliveryResult(ResultKind.NEVER, email.UNWANTED)
    moment = clock.now_ms()
    names = {step.recipient, to, str(step.payload.get("user") or to)}
    sent = [email.Sent(*row) for row in outbox.mails_to(names, moment - email.LONGEST_MS, email.MOST)]
    return (
        DeliveryResult(ResultKind.HELD, email.TOO_MANY)
        if email.reached(sent, step.run.subject, moment)
        else None
    )


def _note(step: Step, answer: DeliveryResult, took_ms: int) -> StepState | None:
    """Store an answer; return the step's state, None if the lease was lost."""
    receipt = {
        "status": answer.status,
        "took_ms": took_ms,
        "note": answer.note,
        "length": answer.length,
        "at_ms": clock.now_ms(),
    }
    if answer.how is ResultKind.DONE:
        return StepState.DONE if outbox.end(step, StepState.DONE, "", receipt) else None
    if answer.how is ResultKind.LATER:
        chance = random.random()  # noqa: S311  spreads tries
        wait_ms = pause_ms(result.RETRIES_S, step.attempts, answer.wait_s, chance)
        if wait_ms is not None:
            return StepState.WAITING if outbox.again(step, wait_ms, answer.why, receipt) else None
    state = STATES.get(answer.how, StepState.DEAD)
    return state if outbox.end(step, state, answer.why, receipt) else None


def _hold_others(step: Step, answer: DeliveryResult, failures: int, ordered: bool = False) -> None:
    """Give a destination that fails for the moment a pause; a full queue must not use up its 20 failures.

    Where it asks for order, later deliveries wait for the next try of this one.
    """
    if answer.how is not ResultKind.LATER:
        return
    wait_ms = min(outbox.HOLD_MS * max(failures, 1), outbox.HOLD_MAX_MS)
    until = clock.now_ms() + max(wait_ms, answer.wait_s * 1000)
    if ordered:
        mine = (Step.id == step.id) & (Step.state == StepState.WAITING)
        until = max(until, Step.select(Step.due_ms).where(mine).scalar() or 0)
    outbox.hold(step, until)


def _chain(step: Step) -> tuple[int, ...]:
    [(chain,)] = _CHAIN.rows(run=step.run_id)
    return (*(json.loads(chain) if isinstance(chain, str) else chain), step.rule_id)


def _rule_name(rule_id: int) -> str:
    return str(Rule.select(Rule.name).where(Rule.id == rule_id).scalar() or "")


def _ms_since(begun: float) -> int:
    return int((time.monotonic() - begun) * 1000)
