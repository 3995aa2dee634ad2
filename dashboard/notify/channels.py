"""The state of channels: counts failed deliveries in a row, disables a channel after too many; escalation.

When the mail or chat message that accompanies a notice fails permanently, `tell` puts the notice into the
inbox of the fallback that the reader's profile names.
"""

from __future__ import annotations

from collections.abc import Sequence

from dashboard import clock
from dashboard.audit import record as audit
from dashboard.db.prepared import update_row
from dashboard.events import internal
from dashboard.i18n import translator
from dashboard.i18n.message import N_
from dashboard.models import Channel, Notification, Rule, Run, Step
from dashboard.notify import result
from dashboard.notify.result import DeliveryResult, ResultKind
from dashboard.rules import active_rules, event_facts
from dashboard.rules.internal_actions import TITLE_MAX
from dashboard.rules.recipients import People, Reader, operators, profile_of
from dashboard.tracing import logged

FAILURES_MAX = 20  # in a row
OK_EVERY_MS = 1000  # how often the last success of a busy channel is noted
ACTOR = ("system", None, "deliveries")

TOO_MANY = N_("It failed 20 times in a row.")
OFF_TITLE = N_("Channel %(name)s turned off")
OFF_TEXT = N_("Deliveries through it fail until someone turns it on again. Reason: %(reason)s")


def went(channel: Channel, answer: DeliveryResult, chain: Sequence[int]) -> int:
    """Note how a delivery went, in the caller's transaction, and return the failures in a row so far.

    The channel is switched off after the 20th, or when its receiver says that it is gone. A receiver that
    asks to wait has not failed.
    """
    mine = Channel.id == channel.id
    if answer.how is ResultKind.DONE:
        moment = clock.now_ms()
        if channel.failures or moment - (channel.last_ok_ms or 0) >= OK_EVERY_MS:
            update_row(Channel, channel.id, failures=0, last_ok_ms=moment)
        return 0
    if answer.why != result.BUSY:
        Channel.update(failures=Channel.failures + 1).where(mine).execute()
    failures = int(Channel.select(Channel.failures).where(mine).scalar() or 0)
    if answer.how is ResultKind.GONE:
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


def notify_failed(channel: Channel, why: str, chain: Sequence[int]) -> None:
    """Record the event of a delivery that failed for good, in the caller's transaction."""
    internal.append("channel.delivery_failed", {"name": channel.name, "error": why}, chain=chain)


TITLE = N_("Notification to %(name)s wasn't delivered")
TEXT = N_("Rule “%(rule)s” couldn't notify %(name)s. You are their fallback contact.")


def tell(step: Step) -> None:
    """Put the notice that `step` goes beside into the inbox of its reader's fallback, in the caller's
    transaction. Nothing happens for other steps, without a fallback, or the second time.
    """
    notice: Step | None = Step.get_or_none(
        (Step.run == step.run_id)
        & (Step.n == step.n)
        & (Step.action == "notify")
        & (Step.recipient == step.recipient)
    )
    profile = profile_of(int(notice.payload["user"])) if notice is not None and notice.id != step.id else None
    if notice is None or profile is None or profile.fallback_id is None:
        return
    people = People()
    other, first = people.reader(profile.fallback_id), people.reader(profile.user_id)
    notified = (Notification.run_id == step.run_id) & (Notification.user_id == profile.fallback_id)
    if other is None or first is None or Notification.select().where(notified).exists():
        return
    title, text = _words(step, people, first, other)
    Notification.create(
        user_id=other.id,
        rule_id=step.rule_id,
        run_id=step.run_id,
        title=title[:TITLE_MAX],
        body=text,
        urgent=bool(notice.payload.get("urgent")),
        url=logged.subject_page(other.scope, step.run.subject, step.run.at_ms, other.zone) or "",
        made_ms=clock.now_ms(),
        at_ms=step.run.at_ms,
    )


def _words(step: Step, people: People, first: Reader, other: Reader) -> tuple[str, str]:
    """Return title and text for the fallback, who may see less than the first reader: the rule's own texts
    made anew where rule and event are still the same, else only that a notice was missed."""
    say, run = translator(other.locale), _run(step)
    row: Rule | None = Rule.get_or_none(Rule.id == step.rule_id)
    why = say(TEXT) % {"rule": row.name if row is not None else step.rule_id, "name": first.name}
    live = active_rules.load(row) if row is not None and row.version == run.version else None
    event = event_facts.of_event(run.event_id) if run.event_id is not None else None
    if live is None or event is None:
        return say(TITLE) % {"name": first.name}, why
    params = live.definition.then[step.n].params
    title = people.say(str(params.get("title", "")), event, other) or live.name
    return title, f"{people.say(str(params.get('text', '')), event, other)}\n\n{why}".strip()


def _run(step: Step) -> Run:
    run: Run = step.run
    return run
