"""Actions that run inside Stopa: notices, log entries, tags, notes, events; and repeated notices.

Each runs in the caller's transaction. `do(step)` reads only the step's payload, so that a delayed action
runs as it was planned:

    notify  {"user", "title", "text", "urgent", "url"}, and "again" where it is repeated
    log, note  {"text"}
    emit    {"type", "data", "user", "queue", "interaction", "source_id"}      tag, untag  {"tags"}
    invite  {"visit", "text", "texts", "seconds", "repeat"}, where the box on the page shows it

A repetition of a notice is a later step of the same run: it shows the notice as new, marks the one before
it as read, and delivers again what the reader's profile asks for. It is cancelled, and no other follows,
once the reader has read or dismissed the notice, has muted the rule or was deactivated, and where
`runs.cancelled` says so. Source: repeat until cleared, catalogue of actions.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from typing import Any

from peewee import fn

from dashboard import clock
from dashboard.audit import record as audit
from dashboard.db.prepared import Prepared, insert_row, slot
from dashboard.events import internal, switches
from dashboard.i18n import site_zone
from dashboard.i18n.message import N_
from dashboard.models import Mark, Notification, Profile, Rule, RuleMute, Run, Step, User, Visit
from dashboard.rulelang import working_time
from dashboard.rulelang.actions import ACTIONS
from dashboard.rulelang.outcomes import StepState
from dashboard.rules.recipients import profile_of
from dashboard.visitors import invitations

READ = N_("The notification has been read.")
MUTED = N_("The recipient has muted the rule.")
LEFT = N_("The recipient is no longer active.")


def left(payload: Mapping[str, Any]) -> int:
    """Return how often the notice of a step is repeated."""
    return int(payload.get("again", {}).get("times", 0))


def follow(step: Step) -> None:
    """Plan the next repetition of a notice that was just sent, in the caller's transaction."""
    if not left(step.payload):
        return
    again = step.payload["again"]
    payload = {**step.payload, "again": {**again, "times": again["times"] - 1}}
    due_ms = clock.now_ms() + again["seconds"] * 1000
    _repeat(step, step.repetition + 1, payload, due_ms)


def renew(step: Step) -> None:
    """Before a repetition: mark the notice before it as read, and repeat its deliveries."""
    if not step.repetition:
        return
    now_ms = clock.now_ms()
    earlier = Notification.id.in_(_notices(step)) & Notification.read_ms.is_null()
    Notification.update(read_ms=now_ms, snoozed_ms=None).where(earlier).execute()
    _send_beside(step, profile_of(int(step.payload["user"])), now_ms)


def cancelled(step: Step) -> str:
    """Return why a repetition must not be done, as a marked text; "" when it may, and for other steps."""
    if not step.repetition:
        return ""
    user = int(step.recipient)
    if has_left(user):
        return LEFT
    if RuleMute.select().where((RuleMute.rule == step.rule_id) & (RuleMute.user_id == user)).exists():
        return MUTED
    n = Notification
    latest = n.select().where(n.id.in_(_notices(step))).order_by(n.id.desc()).first()
    away = latest is None or latest.read_ms is not None or (latest.snoozed_ms or 0) > clock.now_ms()
    return READ if away else ""


def has_left(user: int | None) -> bool:
    """Say whether a user is deactivated or gone; None stands for nobody."""
    active = (User.id == user) & User.deactivated_ts.is_null()
    return user is not None and not User.select().where(active).exists()


def _notices(step: Step) -> Any:
    """Return the query of the notices that the same action has made for the same reader."""
    s = Step
    same = (s.run == step.run_id) & (s.n == step.n) & (s.recipient == step.recipient)
    return Notification.select(Notification.id).where(
        Notification.step_id.in_(s.select(s.id).where(same & (s.action == "notify")))
    )


def _send_beside(step: Step, profile: Profile, now_ms: int) -> None:
    """Repeat the deliveries that accompanied the first notice, by the current profile.

    What still waits there, such as for the end of quiet hours, is not sent twice.
    """
    same = (Step.run == step.run_id) & (Step.n == step.n) & (Step.recipient == step.recipient)
    beside = list(Step.select().where(same & (Step.action != "notify")).order_by(Step.id))
    zone = User.select(User.timezone).where(User.id == profile.user_id).scalar() or site_zone()
    due = None if step.payload["urgent"] else working_time.quiet_until(profile, now_ms, zone)
    for first in beside:
        way = (first.action, first.channel_id)
        wanted = profile.email if first.action == "email" else profile.channel_id == first.channel_id
        waits = any(
            (each.action, each.channel_id) == way and each.state in (StepState.WAITING, StepState.RUNNING)
            for each in beside
        )
        if not first.repetition and wanted and not waits:
            _repeat(first, step.repetition, first.payload, due or now_ms)


def _repeat(step: Step, repetition: int, payload: dict[str, Any], due_ms: int) -> None:
    """Add the step that repeats an earlier one."""
    insert_row(
        Step,
        run_id=step.run_id,
        rule_id=step.rule_id,
        n=step.n,
        part=step.part,
        repetition=repetition,
        action=step.action,
        channel_id=step.channel_id,
        recipient=step.recipient,
        key=secrets.token_hex(16),
        payload=payload,
        state=StepState.WAITING.value,
        due_ms=due_ms,
        made_ms=clock.now_ms(),
    )


TITLE_MAX, URL_MAX, MARK_MAX = 300, 500, 2000
MOST_MARKS = 200  # on one subject: a rule that runs for years must not fill the table
_MARKS = Prepared(lambda: Mark.select(fn.COUNT(Mark.id)).where(Mark.subject == slot("subject")))
ACTOR = ("system", None, "rules")

SWITCHED_OFF = N_("Events of this type aren't recorded.")
FULL = N_("This item already has too many tags and notes.")


class Unneeded(Exception):  # noqa: N818  it says what is the matter
    """An action that has no purpose any more; the text is marked for translation."""


class Impossible(Exception):  # noqa: N818  it says what is the matter
    """An action that cannot be executed; the text is marked for translation."""


def is_inside(action: str, payload: Mapping[str, Any]) -> bool:
    """Say whether a planned action is executed here; an invitation is where it names the visit."""
    return ACTIONS[action].inside or (action == "invite" and "visit" in payload)


def do(step: Step) -> None:
    """Execute an internal action. Raises Impossible or Unneeded; the caller marks the step."""
    _DO[step.action](step, step.run)


def _notify(step: Step, run: Run) -> None:
    payload = step.payload
    renew(step)
    insert_row(
        Notification,
        user_id=payload["user"],
        rule_id=run.rule_id,
        run_id=run.id,
        step_id=step.id,
        title=payload["title"][:TITLE_MAX],
        body=payload["text"],
        url=payload["url"][:URL_MAX],
        urgent=payload["urgent"],
        made_ms=clock.now_ms(),
        at_ms=run.at_ms,
    )
    follow(step)


def _log(step: Step, run: Run) -> None:
    details = {"text": step.payload["text"], "subject": run.subject, "run": run.id}
    target = ("rule", run.rule_id, _rule_name(run.rule_id))
    audit.record("rule.logged", "c", target, details=details, actor=ACTOR, chain=_chain(run))


def _tag(step: Step, run: Run) -> None:
    given = (Mark.subject == run.subject) & (Mark.kind == "tag")
    there = {row[0] for row in Mark.select(Mark.text).where(given).tuples()}
    for tag in step.payload["tags"]:
        if tag not in there:
            _mark(run, "tag", tag)


def _untag(step: Step, run: Run) -> None:
    Mark.delete().where(
        (Mark.subject == run.subject) & (Mark.kind == "tag") & Mark.text.in_(step.payload["tags"])
    ).execute()


def _note(step: Step, run: Run) -> None:
    _mark(run, "note", step.payload["text"])


def _emit(step: Step, run: Run) -> None:
    payload = step.payload
    if not switches.recorded(payload["type"]):
        raise Impossible(SWITCHED_OFF)
    event = internal.append(
        payload["type"],
        payload["data"],
        payload["user"],
        payload["queue"],
        payload["interaction"],
        payload["source_id"],
        chain=_chain(run),
    )
    Step.update(receipt={"event": event}).where(Step.id == step.id).execute()


def _invite(step: Step, run: Run) -> None:
    """Invite the visitor; the step then holds the text that was chosen, and the invitation's id."""
    visit_id, repeat = step.payload["visit"], step.payload["repeat"]
    made = invitations.invite(
        visit_id,
        step.payload["texts"],
        rule_id=run.rule_id,
        again=repeat,
        seconds=step.payload["seconds"],
        chain=_chain(run),
    )
    if made is None:
        visit = Visit.get_or_none(Visit.id == visit_id)
        raise Unneeded(invitations.ENDED if visit is None else invitations.obstacle(visit, repeat))
    sent = {"receipt": {"invitation": made.id}, "payload": {**step.payload, "text": made.text}}
    Step.update(**sent).where(Step.id == step.id).execute()


_DO: dict[str, Callable[[Step, Run], None]] = {
    "notify": _notify,
    "log": _log,
    "tag": _tag,
    "untag": _untag,
    "note": _note,
    "emit": _emit,
    "invite": _invite,
}


def _mark(run: Run, kind: str, text: str) -> None:
    if _MARKS.rows(subject=run.subject)[0][0] >= MOST_MARKS:
        raise Impossible(FULL)
    insert_row(
        Mark,
        subject=run.subject,
        kind=kind,
        text=text[:MARK_MAX],
        rule_id=run.rule_id,
        run_id=run.id,
        made_ms=clock.now_ms(),
    )


def _chain(run: Run) -> tuple[int, ...]:
    return (*run.chain, run.rule_id)


def _rule_name(rule_id: int) -> str:
    found: Any = Rule.select(Rule.name).where(Rule.id == rule_id).scalar()
    return str(found or rule_id)
