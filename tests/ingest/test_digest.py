"""From events to figures: the same day comes out however, whenever and how often its events came."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from itertools import count, pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dashboard.events import record
from dashboard.ingest import importer
from dashboard.jobs import worker
from dashboard.models import Activity, Interval, Job
from dashboard.tracing import projection
from tests.api import Api
from tests.api import Event as Given
from tests.ingest.day import ACTIVITIES, DATE, DAY, PAUSE, STATISTICS, ZONE

pytestmark = [pytest.mark.both_databases, pytest.mark.dated]

SHARED = Path(__file__).parents[2].parent / "shared" / "data"
BUCKETS = SHARED / "tz_edges" / "day_buckets.json"


def without_ids(answer: dict[str, Any]) -> str:
    """Return an answer as text, without what may differ between two runs."""
    kept = deepcopy(answer)
    del kept["as_of"]
    for activity in kept["activities"]:
        del activity["id"]
    return json.dumps(kept)


def test_the_ordinary_day_has_exactly_its_figures(api: Api) -> None:
    api.take(DAY)
    answer = api.tracing("jana", DATE, tz=ZONE)
    assert answer["period"] == {
        "start": f"{DATE}T00:00:00+01:00",
        "end": "2026-03-03T00:00:00+01:00",
        "seconds": 86400,
        "zone": ZONE,
    }
    found = answer["statistics"]
    assert {name: found[name] for name in STATISTICS} == STATISTICS
    assert {name: found["pause"][name] for name in PAUSE} == PAUSE
    assert [
        (one["type"], one["start"], one["seconds"], one["talk"], one["queue"]) for one in answer["activities"]
    ] == [(kind, f"{DATE}T{start}+01:00", *rest) for kind, start, *rest in ACTIVITIES]
    assert {one["state"] for one in answer["activities"]} == {"closed"}


def one_by_one(api: Api, _tmp: Path) -> None:
    for event in DAY:
        api.take(event)


def backwards(api: Api, _tmp: Path) -> None:
    for event in reversed(DAY):
        api.take(event)


def twice(api: Api, _tmp: Path) -> None:
    for _ in range(2):
        api.take(DAY)


def folded_at_the_end(api: Api, _tmp: Path) -> None:
    for event in DAY:
        assert api.post(event).status_code == 202
    worker.drain()


def late_half_first(api: Api, _tmp: Path) -> None:
    api.take(DAY[9:])
    api.take(DAY[:9])


def other_half_much_later(api: Api, _tmp: Path) -> None:
    api.take(DAY[::2])
    api.take([{"type": "agent.signed_in", "user": "petr", "time": f"{DATE}T23:00:00Z"}])
    api.take(DAY[1::2])


def by_import(_api: Api, tmp: Path) -> None:
    path = tmp / "day.jsonl"
    path.write_text("".join(json.dumps(event) + "\n" for event in DAY))
    summary = importer.run(path, "jsonl", "pbx", ZONE, None, lambda _at: None)
    assert (summary.stored, summary.refused) == (len(DAY), 0)


def folded_twice(api: Api, _tmp: Path) -> None:
    """A worker that lost its lease in the middle leaves the same range to be folded again."""
    api.take(DAY)
    record.jobs.enqueue("digest", {"after": 0, "to": 10_000})
    record.jobs.enqueue("digest", {"after": 3, "to": 9})
    worker.drain()


def rebuilt(api: Api, _tmp: Path) -> None:
    api.take(random.Random(1).sample(DAY, len(DAY)))
    projection.rebuild()


WAYS = [
    one_by_one,
    backwards,
    twice,
    folded_at_the_end,
    late_half_first,
    other_half_much_later,
    by_import,
    folded_twice,
    rebuilt,
]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_the_day_is_the_same_however_its_events_came(
    api: Api, tmp_path: Path, way: Callable[[Api, Path], None]
) -> None:
    api.take(
        [{**event, "user": "plain", "id": f"plain {event['id']}", **_named(event, "plain")} for event in DAY]
    )
    plain = without_ids(api.tracing("plain", DATE)).replace('"user": "plain"', '"user": "jana"')
    way(api, tmp_path)
    assert without_ids(api.tracing("jana", DATE)) == plain
    assert not Job.select().exists()


def _named(event: Given, user: str) -> Given:
    return {"interaction": f"{user} {event['interaction']}"} if "interaction" in event else {}


@pytest.fixture
def several(api: Api) -> tuple[Api, Callable[[], str]]:
    """The interface, and names of users never used before: one database serves many examples."""
    numbers = count(1)
    return api, lambda: f"user{next(numbers)}"


@given(order=st.permutations(range(len(DAY))), cuts=st.sets(st.integers(1, len(DAY) - 1), max_size=4))
@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_order_and_no_split_of_the_events_changes_the_day(
    several: tuple[Api, Callable[[], str]], order: list[int], cuts: set[int]
) -> None:
    api, name = several
    user = name()
    events = [{**DAY[at], "id": f"{user} {at}", "user": user, **_named(DAY[at], user)} for at in order]
    bounds = [0, *sorted(cuts), len(DAY)]
    for start, end in pairwise(bounds):
        api.take(events[start:end])
    answer = api.tracing(user, DATE)
    found = answer["statistics"]
    assert {key: found[key] for key in STATISTICS} == STATISTICS
    assert {key: found["pause"][key] for key in PAUSE} == PAUSE
    assert [one["start"][11:19] for one in answer["activities"]] == [start for _, start, *_ in ACTIVITIES]


def test_rebuilding_keeps_the_ids_of_activities_and_leaves_no_row_behind(api: Api) -> None:
    api.take(DAY)
    before = api.tracing("jana", DATE)["activities"]
    counts = Activity.select().count(), Interval.select().count()
    reports: list[tuple[int, int]] = []
    projection.rebuild(lambda done, total: reports.append((done, total)))
    assert api.tracing("jana", DATE)["activities"] == before
    assert (Activity.select().count(), Interval.select().count()) == counts
    assert reports[-1] == (6, 6)  # five interactions and one user


def test_a_late_event_corrects_what_was_shown_and_keeps_the_id(api: Api) -> None:
    api.take([event for event in DAY if event["type"] not in ("call.closed", "agent.pause_ended")])
    [call] = [one for one in api.tracing("jana", DATE)["activities"] if one["type"] == "call"]
    assert (call["state"], call["end"]) == ("open", None)
    api.take(DAY)
    [closed] = [one for one in api.tracing("jana", DATE)["activities"] if one["type"] == "call"]
    assert (closed["id"], closed["state"], closed["seconds"]) == (call["id"], "closed", 400)
    assert api.tracing("jana", DATE)["statistics"]["pause"]["total"] == 2700


SHIFTS = [
    ("2025-10-25T22:00:00+02:00", "2025-10-26T06:00:00+01:00", "2025-10-26", 90000, 7 * 3600, 9 * 3600),
    ("2025-03-29T22:00:00+01:00", "2025-03-30T06:00:00+02:00", "2025-03-30", 82800, 5 * 3600, 7 * 3600),
]


@pytest.mark.parametrize(("begin", "end", "date", "seconds", "inside", "whole"), SHIFTS)
def test_a_night_shift_over_a_change_of_the_clock_has_its_real_hours(
    api: Api, begin: str, end: str, date: str, seconds: int, inside: int, whole: int
) -> None:
    api.take(
        [
            {"type": "agent.signed_in", "user": "eva", "time": begin},
            {"type": "agent.signed_out", "user": "eva", "time": end},
        ]
    )
    day, before = api.tracing("eva", date), api.tracing("eva", begin[:10])
    assert (day["period"]["seconds"], day["statistics"]["login"]) == (seconds, inside)
    assert before["statistics"]["login"] + inside == whole
    assert api.tracing("eva", date, unit="week")["statistics"]["login"] == whole


@pytest.mark.parametrize(
    ("date", "unit", "tz", "start", "seconds"),
    [
        ("2025-10-20", "week", "Europe/Prague", "2025-10-20T00:00:00+02:00", 169 * 3600),
        ("2025-03-24", "week", "Europe/Prague", "2025-03-24T00:00:00+01:00", 167 * 3600),
        ("2025-10-26", "day", "Asia/Tokyo", "2025-10-26T00:00:00+09:00", 86400),
        ("2024-04-26", "day", "Africa/Cairo", "2024-04-26T01:00:00+03:00", 23 * 3600),
    ],
)
def test_a_period_is_as_long_as_its_zone_says(
    api: Api, date: str, unit: str, tz: str, start: str, seconds: int
) -> None:
    api.take({"type": "agent.ready", "user": "eva", "time": "2025-01-01T00:00:00Z"})
    period = api.tracing("eva", date, unit=unit, tz=tz)["period"]
    assert (period["start"], period["seconds"]) == (start, seconds)


@pytest.mark.skipif(not BUCKETS.exists(), reason="the shared data is not on this machine")
def test_every_event_of_a_local_day_falls_into_that_day_and_no_other(api: Api) -> None:
    for number, day in enumerate(json.loads(BUCKETS.read_text())):
        start = datetime.fromisoformat(day["starts_utc"])
        step = timedelta(seconds=day["event_every_s"])
        times = [start + step * n for n in range(-1, day["events"] + 1)]
        user = f"user{number}"
        api.take([{"type": "custom.tick", "user": user, "time": each.isoformat()} for each in times])
        answer = api.tracing(user, day["local_day"], tz=day["zone"])
        assert answer["period"]["seconds"] == day["length_s"]
        assert datetime.fromisoformat(answer["period"]["start"]).astimezone(UTC) == start
        assert answer["statistics"]["events"] == {"custom.tick": day["events"]}
        listed = api.events(
            user=user, type="custom.tick", **{"from": day["starts_utc"], "to": day["ends_utc"]}
        )
        assert len(listed) == day["events"]


def test_a_day_without_anything_is_offline_and_a_future_one_is_nothing(api: Api) -> None:
    api.take(DAY)
    assert api.tracing("jana", "2026-03-03")["statistics"]["offline"] == 86400
    assert api.tracing("jana", "2026-03-01")["statistics"]["offline"] == 0
    assert api.tracing("jana", "2100-01-01")["statistics"]["offline"] == 0
