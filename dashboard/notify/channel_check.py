"""Checks of a channel that call out: a look-up of its host, or a test message. The worker makes them.

A channel has one row of its latest check, which its page shows; an older one that is still under way counts
no more.
"""

from __future__ import annotations

import logging
import secrets

from dashboard import clock
from dashboard.audit import record as audit
from dashboard.db import database
from dashboard.db.failure import is_away
from dashboard.jobs import queue as jobs
from dashboard.models import Channel, ChannelCheck, Job, User
from dashboard.notify import addresses, chat, deliver, help_desk, result, safe_http
from dashboard.notify.addresses import AddressError
from dashboard.notify.result import DeliveryResult, ResultKind

KIND = "channel_check"
log = logging.getLogger("stopa.deliver")


def check_text(kind: str, address: str) -> None:
    """Raise AddressError for an address that is wrong or private by its text; names are not looked up."""
    if kind == "chat":
        place = chat.place(address)
    elif kind in help_desk.KINDS:
        target = addresses.parse(help_desk.base(kind, address))
        place = target.host, target.port
    else:
        target = addresses.parse(address)
        place = target.host, target.port
    if place is not None:
        safe_http.check_numeric(*place)


def order(channel: Channel, user_id: int, text: str = "") -> None:
    """Queue a test message of this text, or without one a look-up of the host, in the caller's transaction.

    Nothing is queued where a test of the channel is under way.
    """
    c = ChannelCheck
    if text and c.select().where((c.channel == channel.id) & c.sends & c.done_ms.is_null()).exists():
        return
    key = f"test_{secrets.token_hex(12)}"
    fresh = {
        c.key: key,
        c.sends: bool(text),
        c.made_ms: clock.now_ms(),
        c.done_ms: None,
        c.ok: False,
        c.status: 0,
        c.why: "",
        c.note: "",
    }
    c.insert({c.channel: channel.id, **fresh}).on_conflict(
        conflict_target=[c.channel], update=fresh
    ).execute()
    jobs.enqueue(KIND, {"channel": channel.id, "key": key, "user": user_id, "text": text})


def make(waiting: list[Job]) -> None:
    """Run a check and store its result. A retry after a worker died uses the same message id."""
    args = waiting[0].args
    channel = Channel.get_or_none(Channel.id == args["channel"])
    if channel is None:
        return
    try:
        answer = _send(channel, args["key"], args["text"]) if args["text"] else _look_up(channel)
    except Exception as error:
        if is_away(error):
            raise
        log.exception("check of channel %s failed", channel.id)
        answer = DeliveryResult(ResultKind.NEVER, deliver.BROKEN)
    ok = answer.how is ResultKind.DONE
    with database.atomic():
        _end(args["key"], ok, answer)
        if args["text"]:
            if ok:
                Channel.update(failures=0, last_ok_ms=clock.now_ms()).where(
                    Channel.id == channel.id
                ).execute()
            audit.record(
                "channel.tested",
                "r",
                ("channel", channel.id, channel.name),
                details={"status": answer.status, "error": answer.why},
                outcome="success" if ok else "failure",
                actor=_actor(args["user"]),
            )


def give_up(job: Job, _error: str) -> None:
    """End the check of a job whose worker died at every attempt."""
    _end(job.args["key"], False, DeliveryResult(ResultKind.NEVER, deliver.BROKEN))


def _end(key: str, ok: bool, answer: DeliveryResult) -> None:
    ChannelCheck.update(
        done_ms=clock.now_ms(), ok=ok, status=answer.status, why=answer.why, note=answer.note
    ).where(ChannelCheck.key == key).execute()


def _look_up(channel: Channel) -> DeliveryResult:
    if channel.lost:
        return DeliveryResult(ResultKind.NEVER, result.KEY_LOST)
    try:
        (chat.check if channel.kind == "chat" else safe_http.check)(channel.address)
    except AddressError as error:
        return DeliveryResult(ResultKind.NEVER, error.args[0])
    return DeliveryResult(ResultKind.DONE)


def _send(channel: Channel, key: str, text: str) -> DeliveryResult:
    moment = clock.now().isoformat(timespec="milliseconds")
    return deliver.send(
        channel, key, {"type": "channel.test", "timestamp": moment, "title": "Stopa", "text": text}
    )


def _actor(user_id: int) -> tuple[str, int | None, str]:
    login = User.select(User.login).where(User.id == user_id).scalar()
    return "user", user_id, str(login or "")
