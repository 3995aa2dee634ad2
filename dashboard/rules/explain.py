"""Explains why a rule did not run: the latest event that it could have matched, and what prevented it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from dashboard import clock
from dashboard.access import scope as scopes
from dashboard.access.permissions import Permission
from dashboard.access.scope import Scope
from dashboard.events import switches
from dashboard.i18n import formats
from dashboard.i18n.message import N_, Message, message
from dashboard.models import Event, Rule, RuleGroup, Source, User
from dashboard.models import Run as RunRow
from dashboard.rulelang import matcher
from dashboard.rulelang.fields import EventFacts
from dashboard.rulelang.matcher import Outcome, State
from dashboard.rulelang.outcomes import RUN_LABELS, RunOutcome
from dashboard.rulelang.rate_limits import Times
from dashboard.rulelang.subjects import SubjectKind, SubjectName
from dashboard.rulelang.words import fold
from dashboard.rules import active_rules, event_facts, recipients
from dashboard.rules.active_rules import LiveRule
from dashboard.rules.event_rows import EventRow, columns, rows
from dashboard.rules.limit_store import LimitStore
from dashboard.rules.occurrences import CLOCK_AHEAD, Occurrence

LOOKED_THROUGH = 500  # latest events of a subject

STOPPED = N_("All rules are stopped. See Operations.")
OFF = N_("The rule is off.")
PAUSED = N_("The rule was paused automatically: %(reason)s")
GROUP_PAUSED = N_("The rule's group “%(name)s” is paused.")
SUSPENDED = N_("The rule's owner is deactivated or isn't allowed to have rules.")
TYPE_OFF = N_("Rules can't use events of this type. Turn them on in Settings > System events.")
TOO_EARLY = N_("The event was received before the rule was turned on.")
EXPIRED = N_("The event or its timer was over 24 hours late, so the rule did nothing.")
FOREIGN = N_("The event is outside the rule owner's scope.")
OTHER_TYPE = N_("The rule doesn't use this event type.")
NOT_TRUE = N_("Conditions not met.")
FAULTY = N_("A condition failed with an error, so the rule couldn't be evaluated.")
LOOP = N_("The event was triggered by this rule itself, so the rule ignores it.")
DEPTH = N_("Too many rules in the chain.")
RUN_THERE = N_("The rule did run for this event. Outcome: %(outcome)s.")
HELD = N_("The rule ran, but all its actions were rate-limited.")
MUTED = N_("The rule ran, but all recipients have muted it.")
EARLIER_RUN = N_("An earlier version of the rule ran for this event. Outcome: %(outcome)s.")
STOPPING = N_("Rule “%(name)s” in the same group runs first and skips the remaining rules.")
HELD_UNTIL = N_(
    "The rule ran, and the limits of its actions held all of them back. The next is possible at %(time)s."
)
COUNTING = N_("The conditions are met, but too seldom: %(count)s of %(number)s times within %(time)s.")
WINDOW_OVER = N_(
    "The rule has run for this window. It runs again once at most %(clear)s of the events lie within "
    "%(time)s, from %(at)s on."
)
NO_RUN = N_(
    "The conditions are met now, but the rule didn't run when the event was "
    "received. It may have had a different version, or the event was imported "
    "without rules."
)
NO_FIRING = N_(
    "The conditions are met now. When the timer was due, the rule did not run: it may have been another "
    "version, or its values were different then."
)


class Answer(NamedTuple):
    """What stood in the way, the first hindrance first. `run` is what the rule says of the event now, None
    without an event; `row` is the run that there was."""

    reasons: tuple[Message, ...]
    run: matcher.Evaluation | None = None
    row: RunRow | None = None


def events_about(subject: str, types: Iterable[str], scope: Scope) -> Iterator[EventRow]:
    """Yield the latest events of these types about a subject that lie inside the scope, newest first.

    `subject` is named as in `subjects.SubjectName`: "interaction:<source>:<id>", "user:<id>" …; any other
    text is the id of an interaction of any source, or the name or username of a user inside the scope.
    """
    about = _about(subject, scope)
    if about is None:
        return
    query = columns().where(about & Event.type.in_(list(types)))
    for row in rows(query.order_by(Event.time_ms.desc(), Event.id.desc()).limit(LOOKED_THROUGH)):
        if sees(scope, row):
            yield row


def sees(scope: Scope, row: EventRow) -> bool:
    """Say whether an event of the log lies inside the scope: `recipients.covers` without its facts."""
    return recipients.covers(
        scope, EventFacts(user=row.user_id, queue=row.queue_id, interaction=row.interaction)
    )


def ask(rule: LiveRule, occurrence: Occurrence, recorded_ms: int, zone: str) -> Answer:
    """Return what the rule says of an event or its timer and what stands in its way.

    Moments are written in `zone`.
    """
    row = Rule.get_or_none(Rule.id == rule.id)
    run = matcher.explain(rule.spec, occurrence.facts)
    there = _run(rule, occurrence)
    reasons = [*_of_rule(rule, row), *_of_event(rule, occurrence.facts, recorded_ms)]
    reasons += (
        _of_run(rule, there, run, zone) or _of_time(rule, run, occurrence) or _of_match(rule, run, zone)
    )
    return Answer(tuple(reasons), run, there)


def _about(subject: str, scope: Scope) -> Any:
    name = SubjectName.parse(subject)
    if name is not None and name.kind in (SubjectKind.USER, SubjectKind.QUEUE) and name.number is not None:
        return (Event.user_id if name.kind is SubjectKind.USER else Event.queue_id) == name.number
    if name is not None and name.kind in (SubjectKind.INTERACTION, SubjectKind.SESSION):
        ident = Source.select(Source.id).where(Source.name == name.source).scalar()
        column = Event.interaction if name.kind is SubjectKind.INTERACTION else Event.session
        return None if ident is None else (Event.source_id == ident) & (column == name.ident)
    if not subject:
        return None
    known = [row[0] for row in Source.select(Source.id).tuples()]
    called = Event.source_id.in_(known) & (Event.interaction == subject)
    users = _users(subject, scope)
    return called | Event.user_id.in_(users) if users else called


def _users(name: str, scope: Scope) -> list[int]:
    """Return the ids of the users inside the scope who have this name or username, in any case."""
    wanted = fold(name)
    query = User.select(User.id, User.login, User.name).where(scope.allows(User.id)).tuples()
    return [ident for ident, *names in query if wanted in map(fold, names)]


def _of_rule(rule: LiveRule, row: Rule | None) -> list[Message]:
    """Return what keeps the rule as a whole from acting, whatever comes in."""
    found = []
    if active_rules.stopped():
        found.append(Message(STOPPED))
    if rule.state is State.OFF:
        found.append(Message(OFF))
    if rule.state is State.PAUSED:
        found.append(message(PAUSED, reason=Message(row.paused_reason) if row else ""))
    group = RuleGroup.get_or_none(RuleGroup.id == rule.group) if rule.group else None
    if group is not None and group.paused:
        found.append(message(GROUP_PAUSED, name=group.name))
    if rule.owner is not None and not _has_rules(rule.owner):
        found.append(Message(SUSPENDED))
    return found


def _has_rules(owner: int) -> bool:
    user = User.get_or_none((User.id == owner) & User.deactivated_ts.is_null())
    return user is not None and scopes.of_user(user).can(Permission.RULES_OWN)


def _of_event(rule: LiveRule, found: EventFacts, recorded_ms: int) -> list[Message]:
    reasons = []
    if not switches.in_rules(found["type"]):
        reasons.append(Message(TYPE_OFF))
    if rule.armed_ms and recorded_ms < rule.armed_ms and rule.definition.after is None:
        reasons.append(Message(TOO_EARLY))
    if rule.definition.times is not None and event_facts.is_clock_ahead(found):
        reasons.append(Message(CLOCK_AHEAD))
    if rule.owner is not None and not recipients.covers(recipients.People().scope(rule.owner), found):
        reasons.append(Message(FOREIGN))
    return reasons


def _run(rule: LiveRule, occurrence: Occurrence) -> RunRow | None:
    """Return the run of the rule about the event or the timer, of the newest version that has one."""
    if rule.definition.count is not None:  # its run names the event that reached the count
        found = RunRow.event_id == occurrence.facts["id"]
    else:
        names = {occurrence.firing}
        if rule.definition.after is None:
            names.add(str(occurrence.facts["id"]))
        found = RunRow.firing.in_(sorted(names))
    mine = (RunRow.rule_id == rule.id) & found
    near: RunRow | None = RunRow.select().where(mine).order_by(RunRow.id.desc()).first()
    return near


def _of_run(rule: LiveRule, there: RunRow | None, run: matcher.Evaluation, zone: str) -> list[Message]:
    if there is None or there.outcome in (RunOutcome.NOT_MATCHED, RunOutcome.ERROR):
        return []
    label = Message(RUN_LABELS[RunOutcome(there.outcome)])
    if there.version != rule.version:
        return [message(EARLIER_RUN, outcome=label)]
    until = _next_ts(rule, run) if there.outcome == RunOutcome.THROTTLED else None
    if until is not None:
        return [message(HELD_UNTIL, time=formats.stamp(until, zone))]
    known = _SAID.get(RunOutcome(there.outcome))
    return [Message(known)] if known else [message(RUN_THERE, outcome=label)]


_SAID: Mapping[RunOutcome, str] = {
    RunOutcome.THROTTLED: HELD,
    RunOutcome.MUTED: MUTED,
    RunOutcome.LOOP_STOPPED: LOOP,
    RunOutcome.DEPTH_STOPPED: DEPTH,
    RunOutcome.EXPIRED: EXPIRED,
}


def _next_ts(rule: LiveRule, run: matcher.Evaluation) -> int | None:
    """Return when the first of the actions is possible again (UTC seconds); None for now, or for never."""
    limits, found = LimitStore(), []
    for n, action in enumerate(rule.definition.then):
        decision = limits.now(rule.id, n, action.limit, run.facts, rule.shadow)
        if decision.allowed:
            return None
        if decision.after is not None and decision.after.next_ts is not None:
            found.append(decision.after.next_ts)
    return min(found, default=None)


def _of_time(rule: LiveRule, run: matcher.Evaluation, occurrence: Occurrence) -> list[Message]:
    """Return why no timer fires now; a rule that waits does so only after its conditions were met."""
    waits = rule.definition.wait is not None and run.outcome is not Outcome.MATCHED
    return [] if occurrence.obstacle is None or waits else [occurrence.obstacle]


def _of_match(rule: LiveRule, run: matcher.Evaluation, zone: str) -> list[Message]:
    if run.facts["type"] not in rule.spec.types:
        return [Message(OTHER_TYPE)]
    text = {
        Outcome.NOT_MATCHED: NOT_TRUE,
        Outcome.ERROR: FAULTY,
        Outcome.LOOP_STOPPED: LOOP,
        Outcome.DEPTH_STOPPED: DEPTH,
    }.get(run.outcome)
    if text is not None:
        return [Message(text)]
    stopping = _stopping(rule, run.facts)
    if stopping is not None:
        return [message(STOPPING, name=stopping)]
    if rule.definition.times is not None:
        return [_of_window(rule, rule.definition.times, run.facts, zone)]
    if not rule.spec.live:
        return []
    return [Message(NO_RUN if rule.definition.after is None else NO_FIRING)]


def _of_window(rule: LiveRule, times: Times, found: EventFacts, zone: str) -> Message:
    """Return how far a rule that counts is: too few events yet, or a window that must clear first."""
    window, now = LimitStore().window(rule.id, times, found), clock.now_s()
    length = formats.duration(times.seconds)
    inside = [each for each in window.seen if each > now - times.seconds]
    if window.over and len(inside) > times.clear:
        at = formats.stamp(inside[-times.clear - 1] + times.seconds, zone)
        return message(WINDOW_OVER, clear=times.clear, time=length, at=at)
    return message(COUNTING, count=len(inside), number=times.number, time=length)


def _stopping(rule: LiveRule, found: EventFacts) -> str | None:
    """Return the name of the rule in force whose stop keeps this one from being evaluated."""
    live = active_rules.live()
    runs = matcher.match(live.index, found) if rule.id in live.rules else []
    if not runs or any(run.rule.id == rule.id for run in runs):
        return None
    return next((live.rules[run.rule.id].name for run in runs if run.rule.stop), None)
