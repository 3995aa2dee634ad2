"""What becomes of a channel by its deliveries: its count of failures, and its end after too many."""

from __future__ import annotations

from collections.abc import Sequence

from dashboard import clock
from dashboard.audit import record as audit
from dashboard.events import own
from dashboard.i18n.mark import N_
from dashboard.i18n.words import translator
from dashboard.models import Channel, Notification
from dashboard.notify import result
from dashboard.notify.result import Answer, How
from dashboard.rules.recipients import People, operators

FAILURES_MAX = 20  # in a row
ACTOR = ("system", None, "deliveries")

TOO_MANY = N_("It failed 20 times in a row.")
OFF_TITLE = N_("The channel %(name)s was switched off")
OFF_TEXT = N_("What rules send by it fails until somebody switches it on again. The reason: %(reason)s")


def went(channel: Channel, answer: Answer, chain: Sequence[int]) -> int:
    """Note how a delivery went, in the caller's transaction, and return the failures in a row so far.

    The channel is switched off after the 20th, or when its receiver says that it is gone. A receiver that
    asks to wait has not failed.
    """
    mine = Channel.id == channel.id
    if answer.how is How.DONE:
        Channel.update(failures=0, last_ok_ms=clock.now_ms()).where(mine).execute()
        return 0
    if answer.why != result.BUSY:
        Channel.update(failures=Channel.failures + 1).where(mine).execute()
    failures = int(Channel.select(Channel.failures).where(mine).scalar() or 0)
    if answer.how is How.GONE:
        disable(channel, result.GONE, chain)
    elif failures >= FAILURES_MAX:
        disable(channel, TOO_MANY, chain)
    return failures


def disable(channel: Channel, reason: str, chain: Sequence[int] = ()) -> None:
    """Switch a channel off and tell those who operate rules; a channel that is off stays as it is."""
    on = (Channel.id == channel.id) & Channel.active
    if (
        not Channel.update(active=False, disabled_reason=reason, version=Channel.version + 1)
        .where(on)
        .execute()
    ):
        return
    audit.record(
        "channel.disabled",
        "u",
        ("channel", channel.id, channel.name),
        {"active": (True, False)},
        {"error": reason},
        actor=ACTOR,
        chain=chain,
    )
    people, moment = People(), clock.now_ms()
    for user_id in sorted(operators()):
        reader = people.reader(user_id)
        if reader is not None:
            say = translator(reader.locale)
            Notification.create(
                user_id=user_id,
                title=say(OFF_TITLE) % {"name": channel.name},
                body=say(OFF_TEXT) % {"reason": say(reason)},
                url="/settings/channels",
                urgent=True,
                made_ms=moment,
            )


def tell_failed(channel: Channel, why: str, chain: Sequence[int]) -> None:
    """Record the event of a delivery that failed for good, in the caller's transaction."""
    own.append("channel.delivery_failed", {"name": channel.name, "error": why}, chain=chain)
