"""Runs and steps as the engine leaves them for the deliverer."""

from __future__ import annotations

from itertools import count
from typing import Any

from dashboard import clock
from dashboard.models import Channel, Rule, Run, Step
from dashboard.notify import webhook

_numbers = count(1)
ONE_ACTION = {"types": ["chat.queued"], "then": [{"do": "log", "text": "x"}]}


def rule(**fields: Any) -> Rule:
    values = {
        "name": f"Rule {next(_numbers)}",
        "state": "on",
        "definition": ONE_ACTION,
        "created_ts": 0,
        "updated_ts": 0,
    }
    made: Rule = Rule.create(**{**values, **fields})
    return made


def run(of: Rule | None = None, **fields: Any) -> Run:
    of = of or rule()
    values = {
        "firing": f"run {next(_numbers)}",
        "rule_id": of.id,
        "version": of.version,
        "outcome": "waiting",
        "subject": "interaction:1:t-1",
        "at_ms": clock.now_ms(),
        "made_ms": clock.now_ms(),
    }
    made: Run = Run.create(**{**values, **fields})
    return made


def step(action: str, of: Run | None = None, **fields: Any) -> Step:
    of = of or run()
    moment = clock.now_ms()
    values = {
        "n": 0,
        "part": next(_numbers),
        "key": f"msg_{next(_numbers)}",
        "state": "waiting",
        "due_ms": moment,
        "made_ms": moment,
        "payload": {"type": "rule.matched", "text": "Hello"},
    }
    made: Step = Step.create(run=of, rule_id=of.rule_id, action=action, **{**values, **fields})
    return made


def mail(to: str = "jana@example.org", of: Run | None = None, **fields: Any) -> Step:
    payload = {
        "to": to,
        "subject": "A chat waits",
        "text": "It waits.",
        "user": None,
        "locale": "",
        "url": "",
    }
    payload |= fields.pop("payload", {})
    return step("email", of, recipient=to, payload=payload, **fields)


def channel(url: str, kind: str = "webhook", **fields: Any) -> Channel:
    values = {
        "name": f"Channel {next(_numbers)}",
        "kind": kind,
        "address": url,
        "secret": webhook.new_secret() if kind == "webhook" else "",
        "created_ts": 0,
    }
    made: Channel = Channel.create(**{**values, **fields})
    return made


def again(step: Step) -> Step:
    """Return the step as it is stored now."""
    found: Step = Step.get_by_id(step.id)
    return found
