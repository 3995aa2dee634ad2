"""Changes of channels: one verb, one transaction, its audit entry inside, never a secret in it."""

from __future__ import annotations

import secrets
from typing import Any

import peewee

from dashboard import clock
from dashboard.audit import record as audit
from dashboard.db import database
from dashboard.i18n.mark import N_
from dashboard.models import Channel
from dashboard.notify import deliver
from dashboard.notify.answers import Answer, How
from dashboard.pages.settings.channels import queries
from dashboard.pages.settings.channels.forms import SET
from dashboard.rules import store

BY_HAND = N_("Switched off by hand.")
HIDDEN = ("address", "secret")


class TakenError(Exception):
    """Another channel has this name."""


class UsedError(Exception):
    """Rules still use the channel."""


def create(values: dict[str, Any]) -> Channel:
    """Add a channel; raises TakenError."""
    try:
        with database.atomic():
            row: Channel = Channel.create(created_ts=clock.now_s(), **values)
            audit.record("channel.created", "c", _target(row), audit.differences({}, _shown(values)))
            store.changed()
    except peewee.IntegrityError:
        raise TakenError from None
    return row


def update(row: Channel, values: dict[str, Any], version: int) -> bool:
    """Save; False, and nothing is changed, when `version` is no longer the row's. Raises TakenError."""
    changes = {
        name: (_hidden(name, getattr(row, name)), _hidden(name, value))
        for name, value in values.items()
        if getattr(row, name) != value
    }
    try:
        with database.atomic():
            mine = (Channel.id == row.id) & (Channel.version == version)
            if not Channel.update(version=Channel.version + 1, **values).where(mine).execute():
                return False
            if changes:
                audit.record("channel.updated", "u", _target(row), changes)
                store.changed()
    except peewee.IntegrityError:
        raise TakenError from None
    return True


def delete(row: Channel) -> None:
    """Delete a channel for good; raises UsedError while rules use it. Twice is once."""
    with database.atomic():
        if queries.uses().get(row.id):
            raise UsedError
        if Channel.delete().where(Channel.id == row.id).execute():
            audit.record("channel.deleted", "d", _target(row))
            store.changed()


def enable(row: Channel) -> None:
    """Switch a channel on and forget its failures. Twice is once."""
    off = (Channel.id == row.id) & ~Channel.active
    with database.atomic():
        change = Channel.update(active=True, disabled_reason="", failures=0, version=Channel.version + 1)
        if change.where(off).execute():
            audit.record("channel.enabled", "u", _target(row), {"active": (False, True)})
            store.changed()


def disable(row: Channel) -> None:
    """Switch a channel off: what is sent by it fails visibly. Twice is once."""
    on = (Channel.id == row.id) & Channel.active
    with database.atomic():
        change = Channel.update(active=False, disabled_reason=BY_HAND, version=Channel.version + 1)
        if change.where(on).execute():
            audit.record("channel.disabled", "u", _target(row), {"active": (True, False)}, {"error": BY_HAND})
            store.changed()


def test(row: Channel, text: str) -> Answer:
    """Really send a message by the channel, on or off, and return what came of it; up to 15 seconds."""
    moment = clock.now().isoformat(timespec="milliseconds")
    payload = {"type": "channel.test", "timestamp": moment, "title": "Stopa", "text": text}
    answer = deliver.send(row, f"test_{secrets.token_hex(12)}", payload)
    with database.atomic():
        if answer.how is How.DONE:
            Channel.update(failures=0, last_ok_ms=clock.now_ms()).where(Channel.id == row.id).execute()
        audit.record(
            "channel.tested",
            "r",
            _target(row),
            details={"status": answer.status, "error": answer.why},
            outcome="success" if answer.how is How.DONE else "failure",
        )
    return answer


def _target(row: Channel) -> tuple[str, object, str]:
    return ("channel", row.id, row.name)


def _shown(values: dict[str, Any]) -> dict[str, Any]:
    return {name: _hidden(name, value) for name, value in values.items()}


def _hidden(name: str, value: Any) -> Any:
    """Return what the audit log may know: that something is set, and the names of headers."""
    if name == "headers":
        return sorted(value)
    return SET if name in HIDDEN and value else value
