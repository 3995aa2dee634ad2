"""Loop protection: the signed causation chain of outgoing calls, and the circuit breaker of rules.

`chain_header` signs the causation chain for the Stopa-Chain header and `read_chain` verifies it on return,
so loops through other hosts are detected. `pause` pauses a rule that runs too often or keeps failing and
notifies its owner and those who operate rules.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Sequence

from flask import current_app

from dashboard import clock
from dashboard.audit import record as audit
from dashboard.i18n import translator
from dashboard.i18n.message import N_
from dashboard.models import Notification, Rule
from dashboard.rulelang.matcher import State
from dashboard.rules import active_rules
from dashboard.rules.active_rules import LiveRule
from dashboard.rules.internal_actions import ACTOR, TITLE_MAX
from dashboard.rules.recipients import People, operators

HEADER = "Stopa-Chain"
MAX_RULES = 50  # of one chain; the loop guard stops far earlier
_FORM = re.compile(r"([1-9][0-9]{0,9}(?:\.[1-9][0-9]{0,9}){0,49}) ([0-9a-f]{64})")


def chain_header(chain: Sequence[int]) -> str:
    """Return the header's value for the ids of the rules that led to a call, in order; "" for none."""
    if not chain:
        return ""
    text = ".".join(str(rule) for rule in chain[-MAX_RULES:])
    return f"{text} {_sign(text)}"


def read_chain(value: str) -> tuple[int, ...]:
    """Return the chain of a header's value; () for one that this site did not sign."""
    found = _FORM.fullmatch(value)
    if found is None or not hmac.compare_digest(found[2], _sign(found[1])):
        return ()
    return tuple(int(rule) for rule in found[1].split("."))


def _sign(text: str) -> str:
    key = str(current_app.config["STOPA"].secret_key).encode()
    return hmac.new(key, f"chain {text}".encode(), hashlib.sha256).hexdigest()


MAX_ERRORS = 10  # in a row

TOO_OFTEN = N_("It ran more than 20 times in an hour for one item, or more than 600 times in a minute.")
FAILING = N_("Its conditions failed ten times in a row.")
TITLE = N_("The rule “%(name)s” was paused")


def pause(rule: LiveRule, reason: str, people: People, chain: Sequence[int] = ()) -> None:
    """Pause a rule in the caller's transaction: state and reason (a marked text), an audit entry with its
    event, and a notice to the rule's owner and to everyone who may operate rules."""
    live = (Rule.id == rule.id) & Rule.state.in_(active_rules.LIVE)
    if not Rule.update(state=State.PAUSED.value, paused_reason=reason).where(live).execute():
        return
    audit.record(
        "rule.auto_paused",
        "u",
        ("rule", rule.id, rule.name),
        {"state": (rule.state.value, State.PAUSED.value)},
        {"error": reason},
        actor=ACTOR,
        chain=(*chain, rule.id),
    )
    recipients = operators() | ({rule.owner} if rule.owner is not None else set())
    for user in sorted(recipients):
        reader = people.reader(user)
        if reader is not None:
            say = translator(reader.locale)
            title = say(TITLE) % {"name": rule.name}
            Notification.create(
                user_id=user,
                rule_id=rule.id,
                title=title[:TITLE_MAX],
                body=say(reason),
                url=f"/rules/{rule.id}/runs",
                urgent=True,
                made_ms=clock.now_ms(),
            )
