"""Explains why a rule did not run: the latest event that it could have matched, and what prevented it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from dashboard.access import scope as scopes
from dashboard.access.permissions import Permission
from dashboard.access.scope import Scope
from dashboard.events import switches
from dashboard.i18n.message import N_, Message, message
from dashboard.models import Event, Rule, RuleGroup, Source, User
from dashboard.models import Run as RunRow
from dashboard.rulelang import matcher
from dashboard.rulelang.fields import EventFacts
from dashboard.rulelang.matcher import Outcome, State
from dashboard.rules import active_rules, event_facts, recipients
from dashboard.rules.active_rules import LiveRule
from dashboard.rules.event_rows import EventRow, columns, rows
from dashboard.rules.runs import RUN_LABELS, RunOutcome

LOOKED_THROUGH = 500  # latest events of a subject

STOPPED = N_("All rules are stopped at the moment: see Operations.")
OFF = N_("The rule is switched off.")
PAUSED = N_("The rule has paused itself: %(reason)s")
GROUP_PAUSED = N_("The group “%(name)s” of the rule is paused.")
SUSPENDED = N_("The owner of the rule is deactivated, or may not have rules any more.")
TYPE_OFF = N_("Rules may not use events of this type at the moment: see System events.")
TOO_EARLY = N_("The event came in before the rule was switched on.")
FOREIGN = N_("The event is outside of what the owner of the rule may see.")
OTHER_TYPE = N_("The rule is not about events of this type.")
NOT_TRUE = N_("The conditions are not met.")
FAULTY = N_("A condition ended in an error, so the rule can say neither yes nor no.")
LOOP = N_("The event was caused by this rule itself, which it does not follow.")
DEPTH = N_("Too many rules had led to the event.")
RUN_THERE = N_("The rule did run about this event. It came to: %(outcome)s.")
HELD = N_("The rule ran, and the limits of its actions held all of them back.")
MUTED = N_("The rule ran, and all of its recipients have muted it.")
EARLIER_RUN = N_("An earlier version of the rule ran about this event. It came to: %(outcome)s.")
STOPPING = N_("The rule “%(name)s” of the same group comes first and stops the later ones.")
COUNTING = N_("The conditions are met; the rule acts at the %(number)s. time within its period only.")
NO_RUN = N_(
    "The conditions are met now. When the event came in, the rule did not run: it may have been "
    "another version, or the event came by an import without rules."
)


class Answer(NamedTuple):
    """What stood in the way, the first hindrance first. `run` is what the rule says of the event now, None
    without an event; `row` is the run that there was."""

    reasons: tuple[Message, ...]
    run: matcher.Evaluation | None = None
    row: RunRow | None = None


def events_about(subject: str, types: Iterable[str], scope: Scope) -> Iterator[EventRow]:
    """Yield the latest events of these types about a subject that lie inside the scope, newest first.

    `subject` is named as `limits.limit_key` does: "interaction:<source>:<id>", "user:<id>" …; a text
    without such a name is taken for the id of an interaction of any source.
    """
    about = _about(subject)
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


def ask(rule: LiveRule, found: EventFacts, recorded_ms: int) -> Answer:
    """Return what the rule says of an event and what stands in its way."""
    row = Rule.get_or_none(Rule.id == rule.id)
    run = matcher.explain(rule.spec, found)
    there = _run(rule, found)
    reasons = [*_of_rule(rule, row), *_of_event(rule, found, recorded_ms)]
    reasons += _of_run(rule, there) or _of_match(rule, run)
    return Answer(tuple(reasons), run, there)


def _about(subject: str) -> object | None:
    kind, _colon, rest = subject.partition(":")
    if kind in ("user", "queue") and rest.isdigit() and len(rest) < 10:
        return (Event.user_id if kind == "user" else Event.queue_id) == int(rest)
    if kind in ("interaction", "session") and ":" in rest:
        source, _colon, name = rest.partition(":")
        ident = Source.select(Source.id).where(Source.name == source).scalar()
        column = Event.interaction if kind == "interaction" else Event.session
        return None if ident is None else (Event.source_id == ident) & (column == name)
    known = [row[0] for row in Source.select(Source.id).tuples()]
    return Event.source_id.in_(known) & (Event.interaction == subject) if subject else None


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
    if rule.armed_ms and recorded_ms < rule.armed_ms:
        reasons.append(Message(TOO_EARLY))
    if rule.owner is not None and not recipients.covers(recipients.People().scope(rule.owner), found):
        reasons.append(Message(FOREIGN))
    return reasons


def _run(rule: LiveRule, found: EventFacts) -> RunRow | None:
    """Return the run of the rule about the event, of the newest version that has one."""
    mine = (RunRow.rule_id == rule.id) & RunRow.key.endswith(f":{found['id']}")
    near: RunRow | None = RunRow.select().where(mine).order_by(RunRow.id.desc()).first()
    return near


def _of_run(rule: LiveRule, there: RunRow | None) -> list[Message]:
    if there is None or there.outcome in (RunOutcome.NOT_MATCHED, RunOutcome.ERROR):
        return []
    label = Message(RUN_LABELS[RunOutcome(there.outcome)])
    if there.version != rule.version:
        return [message(EARLIER_RUN, outcome=label)]
    known = _SAID.get(RunOutcome(there.outcome))
    return [Message(known)] if known else [message(RUN_THERE, outcome=label)]


_SAID: Mapping[RunOutcome, str] = {
    RunOutcome.THROTTLED: HELD,
    RunOutcome.MUTED: MUTED,
    RunOutcome.LOOP_STOPPED: LOOP,
    RunOutcome.DEPTH_STOPPED: DEPTH,
}


def _of_match(rule: LiveRule, run: matcher.Evaluation) -> list[Message]:
    if run.facts["type"] not in rule.spec.types:
        return [Message(OTHER_TYPE)]
    said = {
        Outcome.NOT_MATCHED: NOT_TRUE,
        Outcome.ERROR: FAULTY,
        Outcome.LOOP_STOPPED: LOOP,
        Outcome.DEPTH_STOPPED: DEPTH,
    }.get(run.outcome)
    if said is not None:
        return [Message(said)]
    stopping = _stopping(rule, run.facts)
    if stopping is not None:
        return [message(STOPPING, name=stopping)]
    if rule.definition.times is not None:
        return [message(COUNTING, number=rule.definition.times.number)]
    return [Message(NO_RUN)] if rule.spec.live else []


def _stopping(rule: LiveRule, found: EventFacts) -> str | None:
    """Return the name of the rule in force whose stop keeps this one from being asked."""
    live = active_rules.live()
    runs = matcher.match(live.index, found) if rule.id in live.rules else []
    if not runs or any(run.rule.id == rule.id for run in runs):
        return None
    return next((live.rules[run.rule.id].name for run in runs if run.rule.stop), None)


def latest(rule: LiveRule, subject: str, scope: Scope) -> tuple[EventFacts, int] | None:
    """Return the facts of the subject's latest event of the rule's types, and when it was recorded."""
    row = next(events_about(subject, rule.spec.types, scope), None)
    return None if row is None else (event_facts.of_events([row])[0], row.recorded_ms)
