"""Reads the history of a deadline's subject from the event log: its periods, and its facts at any time."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

from dashboard import clock
from dashboard.clock import DAY_S
from dashboard.db.prepared import Prepared, plain, slot
from dashboard.events import timeliness
from dashboard.models import Event, Interval
from dashboard.rulelang.fields import EventFacts
from dashboard.rules import event_facts
from dashboard.rules.event_rows import EventRow, columns, in_time, rows
from dashboard.rules.timing import state_periods
from dashboard.rules.timing.state_periods import AGENT_IDLE, OF_AGENTS, PAUSE_LIMIT, StatePeriod

READY, PAUSE, RINGING, LAST = 2, 3, 4, 8  # kinds of intervals; those from RINGING to LAST are work too
STILL = 2**40  # the end of what still lasts, in seconds
_OF_INTERACTION = Prepared(
    lambda: columns().where((Event.source_id == slot("source")) & (Event.interaction == slot("name")))
)
_LATEST_OF_USER = Prepared(
    lambda: (
        columns()
        .where((Event.user_id == slot("user")) & (Event.time_ms <= slot("until")))
        .where(~timeliness.clock_ahead())
        .order_by(Event.time_ms.desc())
        .limit(1)
    )
)


class History(NamedTuple):
    """The periods of one subject, and its events in the order of time. `goes_on` says that another
    period may begin though no event arms it. `pauses` has by start (UTC seconds) what is known of one."""

    periods: list[StatePeriod]
    events: Sequence[EventRow]
    goes_on: bool = False
    pauses: Mapping[int, Mapping[str, Any]] = MappingProxyType({})

    def event(self, event_id: int) -> EventRow | None:
        """Return one of the events by its id."""
        return next((event for event in self.events if event.id == event_id), None)

    def facts(self, type_: str, period: StatePeriod, at_ms: int) -> EventFacts:
        """Return what conditions on a deadline see, see row()."""
        return event_facts.of_events([self.row(type_, period, at_ms)], {})[0]

    def row(self, type_: str, period: StatePeriod, at_ms: int) -> EventRow:
        """Return a deadline as an event: with the latest values that the subject's events had by then.

        The chain is that of the event that began the period: an action that keeps a subject idle in
        turns is a loop.
        """
        own = type_ in OF_AGENTS
        past = [event for event in self.events if event.time_ms <= at_ms]
        data: dict[str, Any] = {}
        for event in past:
            if not own and event.data != "{}":
                fields = json.loads(event.data)
                data.update((name, value) for name, value in fields.items() if value is not None)
        data |= _lengths(type_, (at_ms - period.base_ms) // 1000)
        if type_ == PAUSE_LIMIT:
            data |= self.pauses.get(period.begun_ms // 1000, {})
        row = EventRow(
            period.event_id,
            _latest(past, "source_id") or 0,
            type_,
            at_ms,
            at_ms,
            _latest(past, "user_id"),
            _latest(past, "queue_id"),
            _latest(past, "interaction"),
            _latest(past, "session"),
            _latest(past, "contact"),
            json.dumps(data, ensure_ascii=False),
        )
        if own:  # of the agent, whatever they did last
            row = row._replace(queue_id=None, interaction=None, session=None, contact=None)
        return row


def read(
    type_: str, source_id: int | None, interaction: str | None, user_id: int | None, since_ms: int
) -> History:
    """Return the history of a deadline's subject: an interaction whole, a user from `since_ms` on."""
    if type_ in OF_AGENTS:
        return _agent(type_, user_id or 0, since_ms)
    return _history(type_, _OF_INTERACTION.rows(source=source_id, name=interaction))


def of_interactions(type_: str, source_id: int, names: Collection[str]) -> dict[str, History]:
    """Return the histories of several interactions of a source by name."""
    found: dict[str, list[tuple[Any, ...]]] = {}
    query = columns().where((Event.source_id == source_id) & Event.interaction.in_(list(names)))
    for row in plain(query):
        found.setdefault(EventRow._make(row).interaction or "", []).append(row)
    return {name: _history(type_, mine) for name, mine in found.items()}


def cause(type_: str, history: History, period: StatePeriod, user_id: int | None) -> EventRow | None:
    """Return the event that began a period; of an agent's, the last one of the agent by its beginning."""
    if type_ not in OF_AGENTS:
        return history.event(period.event_id)
    found = _LATEST_OF_USER.rows(user=user_id, until=period.begun_ms + 999)
    return EventRow._make(found[0]) if found else None


def event(event_id: int | None) -> EventRow | None:
    """Return one line of the log."""
    found = rows(columns().where(Event.id == event_id))
    return found[0] if found else None


def others(after: EventRow, types: Iterable[str], until_ms: int) -> list[EventRow]:
    """Return the events of `types` on the same subject as `after`, from its time up to `until_ms`.

    The subject is the interaction, else the session, else the user, else the queue.
    """
    e = Event
    in_range = e.type.in_(sorted(types)) & e.time_ms.between(after.time_ms, until_ms)
    if after.interaction is not None:
        same = (e.source_id == after.source_id) & (e.interaction == after.interaction)
    elif after.session is not None:
        same = (e.source_id == after.source_id) & (e.session == after.session)
    elif after.user_id is not None:
        same = e.user_id == after.user_id
    else:
        same = e.queue_id == after.queue_id
    return in_time(rows(columns().where(in_range & same)))


def _history(type_: str, found: Iterable[tuple[Any, ...]]) -> History:
    kind, events = state_periods.kind_of(type_), in_time(map(EventRow._make, found))
    mine = [row for row in events if state_periods.kind_of(row.type) == kind]
    return History(state_periods.periods(type_, events), sorted(mine, key=state_periods.order))


def _agent(type_: str, user_id: int, since_ms: int) -> History:
    """Return when a user was ready and free, or on a pause, of the intervals that end after `since_ms`.

    Work and presence that time alone has ended by now end there, as everywhere else.
    """
    since, now, i = since_ms // 1000, clock.now_s(), Interval
    lasts = i.end_ts.is_null() | (i.end_ts >= since)
    mine = (i.user_id == user_id) & i.kind.between(READY, LAST) & lasts
    query = i.select(i.kind, i.start_ts, i.end_ts, i.expires_ts, i.label, i.paid)
    found = plain(query.where(mine & (i.start_ts >= since - DAY_S))) + plain(query.where(mine & i.long))
    spans = {(kind, start, _ended_by(now, end, expires)) for kind, start, end, expires, *_pause in found}
    pauses = {
        start: {"pause": label, "paid": bool(paid)}
        for kind, start, _e, _x, label, paid in found
        if kind == PAUSE
    }
    wanted = PAUSE if type_ == PAUSE_LIMIT else READY
    lasting = [(start, end) for kind, start, end in spans if kind == wanted]
    # A moment's work is work too: it ends an idle period and begins another.
    busy = [(start, max(end, start + 1)) for kind, start, end in spans if kind != READY]
    if type_ == PAUSE_LIMIT:
        busy = []
    latest = _LATEST_OF_USER.rows(user=user_id, until=STILL * 1000)
    return History(
        state_periods.agent_periods(user_id, lasting, busy, "pause" if type_ == PAUSE_LIMIT else "idle"),
        [EventRow._make(row)._replace(time_ms=since_ms) for row in latest],
        type_ == AGENT_IDLE and any(end == STILL for _start, end in lasting),
        pauses,
    )


def _ended_by(now: int, end: int | None, expires: int | None) -> int:
    if end is not None:
        return end
    return expires if expires is not None and expires <= now else STILL


def _latest(events: Sequence[EventRow], name: str) -> Any:
    """Return the last value of a column that is not empty."""
    return next((found for each in reversed(events) if (found := getattr(each, name)) is not None), None)


def _lengths(type_: str, seconds: int) -> dict[str, int]:
    if type_.endswith(".idle"):
        return {"idle_s": seconds, "state_s": seconds} if type_ == AGENT_IDLE else {"idle_s": seconds}
    if type_ == PAUSE_LIMIT:
        return {"state_s": seconds}
    if type_.endswith(".waiting"):
        return {"wait_s": seconds}
    if type_ == "ticket.age_reached":
        return {"age_s": seconds, "open_s": seconds}
    return {"age_s": seconds} if type_ == "thread.moderation_due" else {}
