"""Queries on time in state: equal to the day page to the second, by hour and day, inside the scope."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import peewee
import pytest
import time_machine
from flask import Flask

from dashboard import clock
from dashboard.access import scope
from dashboard.access.permissions import ALL
from dashboard.access.scope import Scope
from dashboard.ingest import importer
from dashboard.models import Interval, PauseType, User
from dashboard.models import Source as Origin
from dashboard.sources import answer, run
from dashboard.sources.declared.time_in_state import TIME_IN_STATE
from dashboard.sources.parameters import parse
from dashboard.sources.query import QueryError
from dashboard.tracing import trace
from dashboard.tracing.types import Kind
from tests import make
from tests.sources import plain

pytestmark = pytest.mark.both_databases

DATA = Path(__file__).parents[2].parent / "shared" / "data"
HOURLY = sorted((DATA / "queue_log_hourly").glob("agent_*.queue_log"))
LOGS = [
    *HOURLY[:2],
    DATA / "queue_log_real" / "reconstructed.queue_log",
    DATA / "queue_log_real" / "pbxware_queue_log.csv",
    DATA / "asterisk_live" / "queue_log",
]
DAY = plain.second("2026-03-02")
LATER = DAY + 30 * 86_400
ZONE = "Europe/Prague"
SUMS_BY_HOUR = "sum:seconds,sum:unpaid_pause,count"


def ask(viewer: Scope, zone: str = "UTC", **given: str) -> answer.Answer:
    listed = {name: [value] for name, value in given.items()}
    query = parse(TIME_IN_STATE, listed, zone, clock.now_s(), answer.names(viewer))
    return answer.answer(viewer, query, clock.now_s())


def stretch(user: User, kind: Kind, start: int, end: int | None, **more: Any) -> None:
    until = None if end is None else DAY + end
    Interval.create(
        user_id=user.id, kind=kind, start_ts=DAY + start, end_ts=until, long=end is None, source_id=1, **more
    )


@pytest.fixture
def people(app: Flask) -> dict[str, User]:
    """Jana is signed in from 8:30 to 11:00, pauses and works on two channels; Petr from 9:00 on, still."""
    Origin.create(id=1, name="pbx", created_ts=0)
    PauseType.create(name="lunch", label="Lunch", paid=False)
    jana, petr = make.user("jana"), make.user("petr")
    h = 3600
    stretch(jana, Kind.LOGIN, h * 17 // 2, 11 * h)
    stretch(jana, Kind.READY, h * 17 // 2, 11 * h)
    stretch(jana, Kind.PAUSE, 10 * h - 600, 10 * h + 300, label="lunch")
    stretch(jana, Kind.HANDLING, 9 * h - 300, 9 * h + 600, channel="call", activity_id=1)
    stretch(jana, Kind.HANDLING, 9 * h, 9 * h + 900, channel="webchat", activity_id=2)
    stretch(jana, Kind.RINGING, 9 * h - 320, 9 * h - 300, channel="call", activity_id=1)
    stretch(petr, Kind.LOGIN, 9 * h, None)
    return {"jana": jana, "petr": petr}


@time_machine.travel(DAY + 12 * 3600, tick=False)
def test_time_is_split_at_hours_and_a_stretch_counts_where_it_begins(people: dict[str, User]) -> None:
    day = {"from": "2026-03-02", "to": "2026-03-02"}
    hours = ask(
        scope.whole(),
        layer="state",
        user="jana",
        group="hour_of_day",
        measures="sum:seconds,sum:unpaid_pause,count",
        **day,
    ).rows
    assert [(row["sum:seconds"], row["sum:unpaid_pause"], row["count"]) for row in hours[8:11]] == [
        (1800, 0, 1), (3600, 600, 1), (3600, 300, 1)
    ]  # fmt: skip
    work = ask(scope.whole(), layer="work", group="state,channel", measures="sum:seconds,count", **day).rows
    assert {(row["state"], row["channel"]): (row["sum:seconds"], row["count"]) for row in work} == {
        ("ringing", ""): (20, 1), ("free", ""): (9000 - 20 - 1200 - 900, 3), ("busy", "call"): (300, 1),
        ("busy", "several"): (600, 1), ("busy", "webchat"): (300, 1),
    }  # fmt: skip
    both = ask(scope.whole(), layer="attendance", group="user", measures="sum:signed_in", **day)
    assert {row["user"]: row["sum:signed_in"] for row in both.rows} == {"jana": 9000, "petr": 3 * 3600}
    assert ask(scope.whole(), layer="work", measures="occupancy", **day).totals == {
        "occupancy": 1200 / (9000 - 900)
    }


@time_machine.travel(DAY + 12 * 3600, tick=False)
def test_stretches_are_rows_page_by_page(people: dict[str, User]) -> None:
    seen: list[dict[str, Any]] = []
    cursor: str | None = ""
    while cursor is not None:
        page = ask(
            scope.whole(), user="jana", sort="seconds", limit="3", after=cursor, **{"from": "2026-03-02"}
        )
        seen, cursor = [*seen, *page.rows], page.next
    assert len({row["id"] for row in seen}) == len(seen) == page.count == 13
    assert [row["seconds"] for row in seen] == sorted(row["seconds"] for row in seen)
    pause = [row for row in seen if row["state"] == "pause"]
    assert [(row["pause"], row["paid"], row["start"]) for row in pause] == [
        ("Lunch", False, "2026-03-02T09:50:00+00:00")
    ]


@time_machine.travel(DAY + 12 * 3600, tick=False)
def test_only_people_of_the_scope_have_time(people: dict[str, User]) -> None:
    viewer = Scope(make.user("lead").id, ALL, frozenset({people["jana"].id}), frozenset())
    found = ask(viewer, layer="attendance", measures="count,count:user", **{"from": "2026-03-02"})
    assert found.totals["count:user"] == 1
    assert {row["user"] for row in ask(viewer, **{"from": "2026-03-02"}).rows} == {"jana"}
    with pytest.raises(QueryError) as refused:
        ask(viewer, user="petr")
    assert set(refused.value.errors) == {"user"}


REFUSED = [
    {"measures": "count"},
    {"measures": "sum:seconds", "layer": ["state", "work"]},
    {"measures": "sum:seconds", "layer__not": "work"},
    {"measures": "occupancy", "group": "layer"},
]


@pytest.mark.parametrize("given", REFUSED, ids=str)
def test_times_of_several_layers_are_not_added_up(app: Flask, given: dict[str, Any]) -> None:
    listed = {name: value if isinstance(value, list) else [value] for name, value in given.items()}
    with pytest.raises(QueryError) as refused:
        parse(TIME_IN_STATE, listed, "UTC", DAY, answer.names(scope.whole()))
    assert set(refused.value.errors) == {"layer"}
    assert "attendance, state, work" in refused.value.errors["layer"].render()


def test_more_than_a_quarter_is_refused(app: Flask) -> None:
    with pytest.raises(run.TooLong), time_machine.travel(LATER, tick=False):
        ask(scope.whole(), **{"from": "2025-01-01"})


@pytest.mark.parametrize("path", LOGS, ids=lambda path: path.name)
def test_each_day_of_a_log_has_the_times_of_its_page(app: Flask, path: Path) -> None:
    if not path.exists():
        pytest.skip("the shared data is not on this machine")
    importer.run(path, "queue_log", path.name, "UTC", None, lambda _at: None)
    first, last = (Interval.select(fn(Interval.start_ts)).scalar() for fn in (peewee.fn.MIN, peewee.fn.MAX))
    with time_machine.travel(last + 40 * 86_400, tick=False):
        days = clock.local_dates(clock.Span(first, last + 1), ZONE)[:60]
        given = {"group": "user,day", "from": str(days[0]), "to": str(days[-1])}
        nothing = {name: 0 for names in SUMS.values() for name in names}
        found: dict[tuple[str, str], dict[str, int]] = {}
        for layer, names in SUMS.items():
            rows = ask(scope.whole(), ZONE, layer=layer, measures=",".join(names), **given).rows
            for row in rows:
                sums = found.setdefault((row["user"], row["day"]), dict(nothing))
                sums.update({name: row[name] for name in names})
        assert found
        for (login, on), sums in found.items():
            page = trace.read(
                scope.whole(), login, clock.day(date.fromisoformat(on), ZONE), ZONE, clock.now_s()
            )
            assert page is not None
            day = page.figures
            assert sums == {
                "sum:signed_in": day.login, "sum:seconds": day.login, "sum:not_ready": day.not_ready,
                "sum:paid_pause": day.pause.paid, "sum:unpaid_pause": day.pause.unpaid,
                "sum:ready": day.ready, "sum:ringing": day.ringing, "sum:busy": day.busy,
                "sum:free": day.free,
            }, (login, on)  # fmt: skip


SUMS = {
    "attendance": ("sum:signed_in",),
    "state": ("sum:seconds", "sum:not_ready", "sum:paid_pause", "sum:unpaid_pause", "sum:ready"),
    "work": ("sum:ringing", "sum:busy", "sum:free"),
}


@pytest.mark.parametrize("path", HOURLY, ids=lambda path: path.stem)
def test_an_agent_case_gives_its_login_and_pause_hour_by_hour(app: Flask, path: Path) -> None:
    importer.run(path, "queue_log", path.name, "UTC", None, lambda _at: None)
    for expected in json.loads(path.with_suffix(".json").read_text())["expect_from_queue_log_file"]:
        day = clock.day(date.fromisoformat(expected["date"]), "UTC").start
        for number, wanted in expected["per_hour"].items():
            start = day + int(number) * 3600
            given = {"user": f"Agent/{expected['id']}", "from": iso(start), "to": iso(start + 3600)}
            with time_machine.travel(start + 3600, tick=False):
                found = {
                    "login_s": ask(
                        scope.whole(), layer="attendance", measures="sum:signed_in", **given
                    ).totals["sum:signed_in"],
                    "pause_s": ask(
                        scope.whole(), layer="state", state="pause", measures="sum:seconds", **given
                    ).totals["sum:seconds"],
                }
            assert {name: found[name] for name in found if name in wanted} == {
                name: wanted[name] for name in found if name in wanted
            }, number


def iso(ts: int) -> str:
    return clock.iso(ts, "UTC")[:19]
