"""The body of a webhook: what a rule says of an event to a program outside."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from dashboard.access import masking
from dashboard.access.permissions import Permission
from dashboard.access.scope import Scope
from dashboard.rulelang.fields import EventFacts
from dashboard.rulelang.text_templates import Names
from dashboard.rules.active_rules import LiveRule
from dashboard.rules.recipients import covers


def of(
    rule: LiveRule, facts: EventFacts, names: Names, now_ms: int, type_: str, text: str, author: Scope
) -> dict[str, Any]:
    """Return the payload of a webhook: names and times of the event; its data where the author sees both
    the event and full contact details, for nothing in it can be masked with certainty."""
    event: dict[str, Any] = {"id": facts["id"], "type": facts["type"], "time": _moment(facts["time"])}
    if covers(author, facts):
        for name in ("source", "interaction", "session"):
            if isinstance(facts[name], str):
                event[name] = facts[name]
        if isinstance(facts["user"], int):
            event["user"] = names.users.get(facts["user"], "")
        if isinstance(facts["queue"], int):
            event["queue"] = names.queues.get(facts["queue"], "")
        if author.can(Permission.PII_UNMASK):
            event["data"] = masking.hidden(facts["type"], facts["data"])
    return {
        "type": type_,
        "timestamp": _moment(now_ms),
        "rule": {"id": rule.id, "name": rule.name},
        "event": event,
        "text": text,
    }


def _moment(time_ms: int) -> str:
    try:
        return datetime.fromtimestamp(time_ms / 1000, UTC).isoformat(timespec="milliseconds")
    except (ValueError, OverflowError, OSError):  # an instant beyond the calendar
        return str(time_ms)
