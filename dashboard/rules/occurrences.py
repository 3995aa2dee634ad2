"""What a rule is evaluated on for an event: the event itself, or the timer that follows from it."""

from __future__ import annotations

from typing import NamedTuple

from dashboard import catalog, clock
from dashboard.events import timeliness
from dashboard.i18n import formats
from dashboard.i18n.message import N_, Message, message
from dashboard.models import Timer
from dashboard.rulelang.fields import EventFacts
from dashboard.rulelang.fields import facts as of_values
from dashboard.rulelang.triggers import SCHEDULE, After, Count, Wait
from dashboard.rules import active_rules, event_facts, open_counts, subject_history, subject_state
from dashboard.rules.active_rules import LiveRule
from dashboard.rules.event_rows import EventRow
from dashboard.rules.timing import deadlines
from dashboard.rules.timing.deadlines import COUNTED
from dashboard.rules.timing.state_periods import StatePeriod
from dashboard.rules.timing.timers import TimerKind

NOT_DUE = N_("Not due yet. The timer fires at %(due)s if nothing ends it before.")
ENDED = N_("The state ended at %(ended)s, before the timer at %(due)s.")
BEGUN_BEFORE = N_("The state began at %(begun)s, before the rule was turned on at %(armed)s.")
NEVER_DUE = N_("The calendar “%(name)s” doesn't exist, or has no such time. The timer is never due.")
CALLED_OFF = N_("“%(type)s” ended the wait at %(time)s.")
CLOCK_AHEAD = N_("The event was ahead of the server's clock, so it counts for no window and no timer.")
WAITING = N_("The wait isn't over yet. The rule is evaluated again at %(due)s.")


TOO_FEW = N_("The count is %(count)s. The rule runs at %(number)s.")
MUST_FALL = N_(
    "The rule has run. The count is %(count)s and must fall to %(clear)s before the rule runs again."
)


class Occurrence(NamedTuple):
    """What conditions see, and how far its time has come.

    `firing` ends the key of its run. `obstacle` says why no timer fires now, with the moment; None where the
    rule is evaluated on the event itself or the timer was due.
    """

    facts: EventFacts
    firing: str
    obstacle: Message | None = None


def of_event(rule: LiveRule, row: EventRow, zone: str, latest: bool = False) -> Occurrence | None:
    """Return what the rule is evaluated on for an event of the log; None where no timer follows from it.

    `latest` takes the subject's latest timer, not the latest that the event may have started. Moments are
    written in `zone`.
    """
    if rule.definition.after is not None:
        return _of_deadline(rule, rule.definition.after, row, zone, latest)
    if rule.definition.count is not None:
        return _of_count(rule, rule.definition.count, row)
    found = event_facts.of_event(row.id)
    if found is None:
        return None
    if rule.definition.wait is None:
        return Occurrence(found, str(row.id))
    firing = deadlines.wait_episode(row.id)
    return Occurrence(found, firing, _of_wait(rule, rule.definition.wait, row, zone))


def of_schedule(rule: LiveRule) -> Occurrence:
    """Return what a schedule rule would be evaluated on now."""
    now_ms = clock.now_ms()
    found = of_values(f"{SCHEDULE}:{now_ms}", SCHEDULE, now_ms, {"name": rule.name})
    return Occurrence(found, f"{SCHEDULE}:{now_ms}")


def _of_deadline(rule: LiveRule, after: After, row: EventRow, zone: str, latest: bool) -> Occurrence | None:
    calendars = active_rules.load_calendars()
    for type_ in rule.spec.types:
        history = subject_history.read(type_, row.source_id, row.interaction, row.user_id, row.time_ms)
        for period in reversed(history.periods):
            if not latest and period.begun_ms > row.time_ms:
                continue
            due = deadlines.due_ms(period, after, calendars)
            obstacle = _obstacle(rule, period, due, zone)
            seen_ms = period.base_ms if due is None else due
            return Occurrence(history.facts(type_, period, seen_ms), period.episode, obstacle)
    return None


def _obstacle(rule: LiveRule, period: StatePeriod, due: int | None, zone: str) -> Message | None:
    """Return why the timer of a period has not fired for the rule; None where it was due and armed."""
    if due is None:
        after = rule.definition.after
        return message(NEVER_DUE, name=after.calendar if after is not None else "")
    if not deadlines.holds(period, due) and period.end_ms is not None:
        return message(ENDED, ended=_stamp(period.end_ms, zone), due=_stamp(due, zone))
    if rule.armed_ms and period.begun_ms < rule.armed_ms:
        return message(BEGUN_BEFORE, begun=_stamp(period.begun_ms, zone), armed=_stamp(rule.armed_ms, zone))
    return message(NOT_DUE, due=_stamp(due, zone)) if due > clock.now_ms() else None


def _of_count(rule: LiveRule, count: Count, row: EventRow) -> Occurrence | None:
    """Return the count as it is now of who has the interaction of an event; None where nobody has."""
    state = None if row.interaction is None else subject_state.state_at(row.source_id, row.interaction)
    type_ = next(
        (each for each in rule.spec.types if state is not None and state.kind in COUNTED[each]), None
    )
    if state is None or type_ is None:
        return None
    ident = state.user_id if count.by == "agent" else state.queue_id
    if ident is None:
        return None
    holder = (count.by, ident)
    value, level = open_counts.standing(rule.id, type_, holder)
    facts = open_counts.facts_of(type_, count, holder, value, row, state)
    firing = open_counts.firing_of(type_, holder, level)
    if level.over:
        return Occurrence(facts, firing, message(MUST_FALL, count=value, clear=count.clear))
    reached = value >= count.number
    obstacle = None if reached else message(TOO_FEW, count=value, number=count.number)
    return Occurrence(facts, firing, obstacle)


def _of_wait(rule: LiveRule, wait: Wait, row: EventRow, zone: str) -> Message | None:
    """Return what ended the wait after an event, or when it is over; None once it is."""
    if timeliness.is_clock_ahead(row.time_ms, row.recorded_ms):
        return Message(CLOCK_AHEAD)
    mine = (Timer.rule == rule.id) & (Timer.kind == TimerKind.WAIT) & (Timer.event_id == row.id)
    due = Timer.select(Timer.due_ms).where(mine).limit(1).scalar()
    if due is None:
        calendars = active_rules.load_calendars()
        due = deadlines.later(row.time_ms, wait.seconds, wait.calendar, calendars)
    if due is None:
        return message(NEVER_DUE, name=wait.calendar)
    others = subject_history.others(row, wait.unless, due)
    ended = deadlines.called_off(row, wait.unless, others, due)
    if ended is not None:
        known = catalog.find(ended.type)
        label = Message(known.label) if known is not None else ended.type
        return message(CALLED_OFF, type=label, time=_stamp(ended.time_ms, zone))
    return message(WAITING, due=_stamp(due, zone)) if due > clock.now_ms() else None


def _stamp(ms: int, zone: str) -> str:
    return formats.stamp(ms // 1000, zone)
