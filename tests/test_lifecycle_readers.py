"""All that read whether an interaction is open agree on the same log: projection, rules, timers, figures."""

from __future__ import annotations

from itertools import count
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dashboard import clock
from dashboard.access.scope import Scope
from dashboard.catalog import lifecycle
from dashboard.catalog.effects import EFFECTS
from dashboard.clock import Span
from dashboard.events import record
from dashboard.ingest import schema
from dashboard.jobs import worker
from dashboard.models import Activity, Event, Interaction, Queue, User
from dashboard.rules import event_rows, open_counts, subject_state
from dashboard.rules.event_rows import EventRow
from dashboard.rules.subject_state import holding
from dashboard.rules.timing import backfill, state_periods
from dashboard.tracing import queues, team

START = 1_777_870_800  # 2026-05-04 07:00 in Prague
TODAY = Span(START - 7 * 3600, START + 17 * 3600)
CHANNELS = ("call", "chat")
TYPES = {name: sorted(type_ for type_ in EFFECTS if type_.startswith(f"{name}.")) for name in CHANNELS}
ONE = st.sampled_from(CHANNELS).flatmap(
    lambda channel: st.tuples(
        st.integers(0, 40),  # minute
        st.sampled_from(TYPES[channel]),
        st.sampled_from(["x", "y"]),  # interaction
        st.sampled_from([None, "u", "v"]),
        st.sampled_from([None, "q", "r"]),
    )
)
LOGS = st.lists(ONE, min_size=1, max_size=14)
SEES_ALL = Scope(0, frozenset(), None, None)


def send(name: str, log: list[tuple[int, str, str, str | None, str | None]], together: bool) -> int:
    """Record the log under users, queues and a source that begin with `name`; return the source's id."""
    source = record.source(name).id
    events = [
        schema.NewEvent(
            f"{n}",
            type_,
            (START + minute * 60) * 1000,
            user and name + user,
            queue and name + queue,
            f"{type_[:4]}-{interaction}",
            None,
            None,
            "{}",
            0,
        )
        for n, (minute, type_, interaction, user, queue) in enumerate(log)
    ]
    for batch in [events] if together else [[event] for event in events]:
        record.append(source, batch, rules=False)
        worker.drain(["digest"])
    return source


def events_of(source: int, interaction: str) -> list[EventRow]:
    mine = (Event.source_id == source) & (Event.interaction == interaction)
    return event_rows.rows(event_rows.columns().where(mine))


@pytest.fixture
def names(app: Flask, time_machine: Any) -> Any:
    """Names of sources never used before: one database serves many examples."""
    time_machine.move_to(START + 3600, tick=False)
    return (f"s{n}-" for n in count())


@given(LOGS, st.booleans())
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_all_readers_agree_on_what_is_open(names: Any, log: list[Any], together: bool) -> None:
    source = send(next(names), log, together)
    rows = {row.external_id: row for row in Interaction.select().where(Interaction.source == source)}
    states = subject_state.refresh(source, list(rows))
    lives = {name: lifecycle.fold_events(events_of(source, name)) for name in rows}
    opened = {name for name, life in lives.items() if life.is_open}

    assert {name: row.ended_ts for name, row in rows.items()} == {
        name: None if life.ended_ms is None else life.ended_ms // 1000 for name, life in lives.items()
    }
    assert {name: state.life for name, state in states.items()} == lives
    assert subject_state.open_among([(source, name) for name in rows]) == {(source, name) for name in opened}
    for kind, type_ in (("call", "call.waiting"), ("chat", "chat.idle")):
        existing = {one.interaction for one in backfill.existing(type_) if one.source_id == source}
        assert existing == {name for name in opened if name.startswith(kind)}

    for name, life in lives.items():
        working = Activity.select().where(Activity.interaction_id == rows[name].id)
        assert {one.user_id for one in working if one.end_ts is None} == {
            *life.users_at_work(),
            *life.rings_at(),
        }
        events = events_of(source, name)
        idle = state_periods.periods("chat.idle", events) if name.startswith("chat") else []
        waiting = state_periods.periods(f"{name[:4]}.waiting", events)
        assert any(period.end_ms is None for period in waiting) == bool(life.waits)
        if name.startswith("chat"):
            assert any(period.end_ms is None for period in idle) == life.is_open


@given(LOGS, st.booleans())
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_counts_and_figures_agree_with_the_life_cycle(names: Any, log: list[Any], together: bool) -> None:
    name = next(names)
    source = send(name, log, together)
    rows = list(Interaction.select().where(Interaction.source == source))
    states = subject_state.refresh(source, [row.external_id for row in rows])
    held = [holding(state) for state in states.values()]
    for user in User.select().where(User.login.startswith(name)):
        expected = sum(one.is_open and one.kind == "chat" and one.user_id == user.id for one in held)
        assert open_counts.standing(0, "chat.count_reached", ("agent", user.id))[0] == expected
    for queue in Queue.select().where(Queue.name.startswith(name)):
        mine = [row for row in rows if row.queue_id == queue.id]
        expected = sum(one.is_open and one.kind == "chat" and one.queue_id == queue.id for one in held)
        assert open_counts.standing(0, "chat.count_reached", ("queue", queue.id))[0] == expected
        found = queues.day(SEES_ALL, queue.name, TODAY, "UTC")
        assert found is not None
        open_waits = [row for row in mine if row.ended_ts is None and row.queued_ts and not row.outcome]
        assert found.total.unfinished + found.total.moved_on >= len(open_waits)
        waits = team.waiting(SEES_ALL, [queue.id], clock.now_s()).get(queue.id)
        open_here = sum(states[row.external_id].life.is_open for row in mine)
        assert (waits.number if waits is not None else 0) <= open_here
