"""Retention of events and of users' days: what is kept is the same before and after, and after a rebuild."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Any

import peewee
import pytest
import time_machine
from flask import Flask

from dashboard.clock import DAY_S
from dashboard.db import pieces
from dashboard.db.prepared import insert_row
from dashboard.events import horizon, switches
from dashboard.events.switches import Choice
from dashboard.ingest import corrections
from dashboard.ingest.corrections import Wanted
from dashboard.ingest.schema import NewEvent
from dashboard.jobs import queue
from dashboard.models import (
    Activity,
    Event,
    Interaction,
    Interval,
    Run,
    Setting,
    Source,
    Step,
    Timer,
    User,
)
from dashboard.retention import days, log
from dashboard.tracing import projection
from dashboard.tracing.corrections import Stretch
from dashboard.tracing.types import Kind
from tests import make
from tests.tracing.projected import picture
from tests.tracing.test_bounds_properties import TYPES, send

pytestmark = pytest.mark.both_databases

START = 1_777_852_800  # 2026-05-04 00:00 UTC, midnight of the site
NOW = START + 12 * DAY_S
HORIZON_MS = (START + 6 * DAY_S) * 1000
LATER = 7  # the day from which on the second part of a log comes
SEEDS = range(3)
RECORDED = ("agent.signed_in", "agent.signed_out", "agent.ready", "agent.not_ready")


@pytest.fixture(autouse=True)
def frozen() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


def event(
    type_: str, day: float, user: str | None, interaction: str | None = None, data: str = "{}"
) -> NewEvent:
    ident = f"{type_} {day} {user} {interaction}"
    return NewEvent(ident, type_, int(START + day * DAY_S) * 1000, user, interaction=interaction, data=data)


def events(
    chance: random.Random, name: str, of_days: tuple[int, int], count: int, presence: str
) -> list[NewEvent]:
    """Return events at random of two users and four interactions a day, of days [first, last)."""
    types = TYPES if presence == "recorded" else [type_ for type_ in TYPES if type_ not in RECORDED]
    found = []
    for n in range(count):
        day = chance.randrange(*of_days)
        type_ = chance.choice(types)
        alone = type_.startswith("agent.") or type_ == "source.restarted"
        user = None if type_ in ("source.restarted", "call.queued") else f"{name}{chance.choice('uv')}"
        interaction = None if alone else f"{type_[:4]}-{day}-{chance.randrange(2)}"
        data = '{"pause": "lunch"}' if type_ == "agent.pause_started" else "{}"
        found.append(event(type_, day + chance.randrange(24) / 24 + n % 7 / DAY_S, user, interaction, data))
    return found


def times(row: tuple[Any, ...]) -> list[int]:
    return [each for each in row if isinstance(each, int) and each > DAY_S * 1000]


def since_horizon(rows: list[Any]) -> list[Any]:
    """Return what begins after the horizon: of what lies before, later events may say something new."""
    return [[row for row in part if min(times(row), default=NOW) * 1000 >= HORIZON_MS] for part in rows]


def stored(name: str) -> int:
    return int(
        Event.select().join(Source, on=(Source.id == Event.source_id)).where(Source.name == name).count()
    )


@pytest.mark.parametrize("presence", ["recorded", "first-to-last"])
def test_deleted_events_change_no_figure_even_after_a_rebuild_or_later_events(
    app: Flask, db: peewee.Database, presence: str
) -> None:
    deleted = 0
    for seed in SEEDS:
        for model in (Event, Interval, Activity, Interaction):
            model.delete().execute()
        Setting.delete().where(Setting.name == horizon.NAME).execute()
        whole, parts = f"w{seed}-", f"p{seed}-"
        first, second = {}, {}
        for name in (whole, parts):
            Source.create(name=name, presence=presence, created_ts=0)
            first[name] = events(random.Random(seed), name, (0, LATER), 60, presence)
            second[name] = events(random.Random(-seed - 1), name, (LATER, 11), 20, presence)
        send(whole, [first[whole]])
        early = picture(whole)
        send(whole, [second[whole]])
        late = since_horizon(picture(whole))
        Event.delete().execute()
        send(parts, [first[parts]])
        assert picture(parts) == early, seed
        deleted += sum(log.delete(HORIZON_MS))
        assert picture(parts) == early, seed
        projection.rebuild()
        assert picture(parts) == early, seed
        send(parts, [second[parts]])
        assert since_horizon(picture(parts)) == late, seed
        projection.rebuild()
        assert since_horizon(picture(parts)) == late, seed
    assert deleted > 5 * len(SEEDS)


CALL = (
    event("call.queued", 1, None, "c"),
    event("call.accepted", 1.01, "su", "c"),
    event("call.closed", 1.02, "su", "c"),
)


def of_call() -> Event:
    return Event.get((Event.interaction == "c") & (Event.type == "call.closed"))


def arm() -> None:
    source = Source.get(Source.name == "s").id
    insert_row(
        Timer,
        kind="deadline",
        type="x",
        subject="c",
        source_id=source,
        interaction="c",
        base_ms=0,
        due_ms=2**50,
    )


def wait() -> None:
    run = insert_row(
        Run, firing="1", rule_id=1, version=1, at_ms=0, outcome="waiting", made_ms=0, event_id=of_call().id
    )
    insert_row(Step, run_id=run, rule_id=1, n=0, action="note", key="k", state="waiting", made_ms=0)


def leave_undigested() -> None:
    queue.enqueue("digest", {"after": of_call().id - 1, "to": of_call().id, "source": 1})


KEPT: dict[str, tuple[list[NewEvent], Callable[[], object]]] = {
    "nothing": ([], lambda: None),
    "newer event": ([event("call.muted", 5, "su", "c")], lambda: None),
    "open": ([event("ticket.created", 1, "su", "t")], lambda: None),
    "deadline": ([], arm),
    "waiting step": ([], wait),
    "not digested": ([], leave_undigested),
}


@pytest.mark.parametrize("why", KEPT)
def test_an_interaction_keeps_all_events_while_one_is_needed(
    app: Flask, db: peewee.Database, why: str
) -> None:
    more, act = KEPT[why]
    send("s", [[*CALL, *more, event("agent.ready", 1, "su")]])
    act()
    names = ["c", *(["t"] if why == "open" else [])]
    before = {name: Event.select().where(Event.interaction == name).count() for name in names}
    sum(log.delete(HORIZON_MS))
    left = {name: Event.select().where(Event.interaction == name).count() for name in names}
    deleted = why in ("nothing", "open")
    assert left == {**before, **({"c": 0} if deleted else {})}
    assert (Interaction.get(Interaction.external_id == "c").frozen_ms is not None) == deleted
    assert Event.select().where(Event.type == "agent.ready").count() == (1 if why == "not digested" else 0)
    assert horizon.horizon_ms() == (0 if why == "not digested" else HORIZON_MS)


def test_an_event_that_comes_for_a_frozen_interaction_leaves_its_figures(
    app: Flask, db: peewee.Database
) -> None:
    send("s", [list(CALL)])
    before = picture("s")
    assert sum(log.delete(HORIZON_MS)) == 3
    send("s", [[event("call.accepted", 11, "su", "c")]])
    projection.rebuild()
    assert picture("s") == before


def test_a_deletion_stopped_between_two_pieces_goes_on(
    app: Flask, db: peewee.Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log, "READ_AT_ONCE", 7)
    monkeypatch.setattr(pieces, "PIECE", 5)
    send("s", [events(random.Random(5), "s", (0, 4), 80, "recorded")])
    before, number = picture("s"), stored("s")
    running = log.delete(HORIZON_MS)
    assert 0 < next(running) + next(running) <= 14
    running.close()
    assert 0 < stored("s") < number
    projection.rebuild()
    assert picture("s") == before
    assert sum(log.delete(HORIZON_MS)) > 0
    projection.rebuild()
    assert (picture("s"), sum(log.delete(HORIZON_MS))) == (before, 0)


def test_deleted_days_are_gone_and_the_kept_ones_as_they_were(app: Flask, db: peewee.Database) -> None:
    made: list[NewEvent] = []
    for day in range(11):
        made += [
            event("agent.signed_in", day + 0.3, "su"),
            event("call.accepted", day + 0.4, "su", f"c{day}"),
            event("call.closed", day + 0.5, "su", f"c{day}"),
            event("agent.signed_out", day + 0.7, "su"),
        ]
    send("s", [made])
    author, user = make.administrator(), User.get(User.login == "su")
    for day in (2, 8):
        was = Stretch(int(START + (day + 0.3) * DAY_S), int(START + (day + 0.7) * DAY_S))
        now = was._replace(end=was.end + 60)
        corrections.correct(user, Wanted(Kind.LOGIN, was, now, "forgot"), author, "UTC")
        send("s", [[event("agent.pause_ended", day + 0.9, "su")]])
    first = (HORIZON_MS - horizon.GAP_MS) // 1000

    def kept() -> list[Any]:
        return [[row for row in part if max(times(row), default=NOW) >= first] for part in picture("s")]

    before = kept()
    sum(log.delete(HORIZON_MS))
    sum(days.delete(HORIZON_MS))
    for _again in range(2):
        assert kept() == before == picture("s")
        projection.rebuild()
    assert Event.select().where(Event.type == "agent.time_corrected").count() == 1
    assert Activity.select().count() == Interaction.select().where(Interaction.channel == "call").count() == 7
    assert Interval.select().where(Interval.end_ts < first).count() == 0


def test_events_of_a_type_may_be_kept_for_days_of_their_own(app: Flask, db: peewee.Database) -> None:
    types = ("visitor.page_viewed", "custom.sale", "call.queued", "agent.ready")
    for type_ in types:
        switches.choose(type_, Choice(recorded=True, in_rules=True, days=3))
    names = {"call.queued": "c"}
    send("s", [[event(type_, day, "su", names.get(type_)) for type_ in types for day in (8.9, 9.1)]])
    assert sum(log.delete_by_type()) == 2
    left = Event.select(Event.type).where(Event.time_ms < (START + 9 * DAY_S) * 1000)
    assert {row.type for row in left} == {"call.queued", "agent.ready"}
