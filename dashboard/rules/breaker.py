"""Pauses a rule that runs away or keeps failing, and tells those who can mend it."""

from __future__ import annotations

from collections.abc import Sequence

from dashboard import clock
from dashboard.audit import record as audit
from dashboard.i18n.mark import N_
from dashboard.i18n.words import translator
from dashboard.models import Notification, Rule
from dashboard.rulelang.matcher import State
from dashboard.rules import active_rules
from dashboard.rules.active_rules import LiveRule
from dashboard.rules.internal_actions import ACTOR, TITLE_MAX
from dashboard.rules.recipients import People, operators

MAX_ERRORS = 10  # in a row

TOO_OFTEN = N_("It ran more than 20 times within an hour on one subject, or more than 600 times in a minute.")
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
    told = operators() | ({rule.owner} if rule.owner is not None else set())
    for user in sorted(told):
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
