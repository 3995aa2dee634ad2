"""The events of outgoing mail: a server that is away or back, a mail that was refused or given up."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import unquote, urlsplit

from dashboard.events import own
from dashboard.models import Setting
from dashboard.notify import email
from dashboard.notify.result import Answer, How
from dashboard.rules.outcomes import StepState
from dashboard.settings import Settings

FAILURES = "mail.failures"  # connections that failed, in a row


def tell(
    settings: Settings, to: str, answer: Answer, attempt: int, state: StepState, chain: Sequence[int]
) -> None:
    """Record what a try to send to `to` says of the server and of the mail, in the caller's transaction.

    `state` is the step's after the try.
    """
    if answer.how is How.HELD:
        return
    reached = bool(answer.status)
    if answer.how is How.DONE:
        if failures():
            _count(0)
            own.append("mail_out.recovered", _data(settings))
        return
    data = {**_data(settings), "recipient": to, "error": answer.note or answer.why, "attempt": attempt}
    if answer.status:
        data["error_code"] = str(answer.status)
    if not reached and answer.how is How.LATER:
        data["failures"] = failures() + 1
        _count(data["failures"])
        own.append("mail_out.connection_failed", data, chain=chain)
    elif reached:
        own.append("mail_out.delivery_failed", data, chain=chain)
    if state in (StepState.DEAD, StepState.FAILED):
        own.append("mail_out.delivery_abandoned", data, chain=chain)


def failures() -> int:
    """Return how many connections to the mail server failed in a row."""
    found = Setting.select(Setting.value).where(Setting.name == FAILURES).scalar()
    return int(found) if found is not None else 0


def _count(number: int) -> None:
    Setting.insert(name=FAILURES, value=str(number)).on_conflict(
        conflict_target=[Setting.name], update={Setting.value: str(number)}
    ).execute()


def _data(settings: Settings) -> dict[str, Any]:
    parts = urlsplit(settings.smtp_url)
    if not parts.scheme:
        return {"protocol": "smtp", "own_address": email.own_address(settings)}
    data: dict[str, Any] = {
        "protocol": "smtp",
        "server": parts.hostname or "",
        "port": parts.port or email.PORTS[parts.scheme],
        "own_address": email.own_address(settings),
        "auth_required": bool(parts.username),
        "encryption": "TLS" if parts.scheme == "smtps" else "STARTTLS",
    }
    return {**data, "login": unquote(parts.username)} if parts.username else data
