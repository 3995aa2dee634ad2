"""Whatever the log: in order, shuffled, in parts and rebuilt, the projection is the same at one as-of."""

from __future__ import annotations

import random
from itertools import count
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dashboard.access.scope import Scope
from dashboard.clock import Span
from dashboard.events import record
from dashboard.ingest import schema
from dashboard.jobs import worker
from dashboard.models import User
from dashboard.tracing import projection, trace
from tests.tracing.projected import picture

START = 1_777_870_800  # 2026-05-04 07:00 in Prague
NOW = START + 5 * 86_400
TYPES = (
    *("agent.signed_in", "agent.signed_out", "agent.ready", "agent.not_ready"),
    *("agent.pause_started", "agent.pause_ended", "source.restarted"),
    *("call.queued", "call.offered", "call.accepted", "call.connected", "call.held", "call.resumed"),
    *("call.dialled", "call.transferred", "call.closed", "call.abandoned", "call.ignored"),
    *("chat.accepted", "chat.message_sent", "chat.postponed", "chat.reopened", "chat.closed"),
)
SAID = st.tuples(
    st.integers(0, 60).map(lambda step: step * 3600 + step % 7),
    st.sampled_from(TYPES),
    st.sampled_from("uv"),
    st.sampled_from("xy"),
)


def events(said: list[tuple[int, str, str, str]], name: str) -> list[schema.NewEvent]:
    found = []
    for n, (at, type_, user, interaction) in enumerate(said):
        agent = type_.startswith("agent.")
        data = '{"pause": "lunch"}' if type_ == "agent.pause_started" else "{}"
        found.append(
            schema.NewEvent(
                f"{name}-{n}",
                type_,
                (START + at) * 1000,
                None if type_ in ("source.restarted", "call.queued") else f"{name}{user}",
                None,
                None if agent or type_ == "source.restarted" else f"{interaction}{type_[:4]}",
                None,
                None,
                data,
                0,
            )
        )
    return found


def send(name: str, batches: list[list[schema.NewEvent]]) -> None:
    source = record.source(name).id
    for batch in batches:
        record.append(source, batch, rules=False)
        worker.drain(["digest"])
    while projection.tick():
        pass


@pytest.fixture
def names(app: Flask, time_machine: Any) -> Any:
    """Names of sources never used before: one database serves many examples."""
    time_machine.move_to(NOW, tick=False)
    return (f"s{n}-" for n in count())


@given(st.lists(SAID, max_size=14), st.integers())
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_order_of_arrival_and_a_rebuild_change_nothing(
    names: Any, said: list[tuple[int, str, str, str]], seed: int
) -> None:
    chance = random.Random(seed)
    plain, parts = next(names), next(names)
    send(plain, [events(said, plain)] if said else [])
    shuffled = events(said, parts)
    chance.shuffle(shuffled)
    send(parts, [[event] for event in shuffled])
    expected = picture(plain)
    assert picture(parts) == expected
    projection.rebuild()
    assert picture(plain) == expected


@given(st.lists(SAID, max_size=14))
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_sums_of_days_are_those_of_the_week_and_hold_what_is_proved(
    names: Any, said: list[tuple[int, str, str, str]]
) -> None:
    name = next(names)
    send(name, [events(said, name)] if said else [])
    for user in User.select().where(User.login.in_([f"{name}u", f"{name}v"])):
        scope = Scope(user.id, frozenset(), None, None)
        week = trace.read(scope, user.login, Span(START, START + 6 * 86_400), "UTC", NOW)
        assert week is not None
        days = [
            trace.read(scope, user.login, Span(START + n * 86_400, START + (n + 1) * 86_400), "UTC", NOW)
            for n in range(6)
        ]
        for figure in ("handling", "talk", "unproved", "without_end", "load"):
            parts = [getattr(day.figures.calls, figure) for day in days if day is not None]
            assert sum(parts) == getattr(week.figures.calls, figure), figure
        assert sum(day.figures.login for day in days if day is not None) == week.figures.login
        calls = [row for row in week.activities if row.channel == "call"]
        assert sum(trace.length(week, row, trace.Kind.HANDLING) for row in calls) == week.figures.calls.load
