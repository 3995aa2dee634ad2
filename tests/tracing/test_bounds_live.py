"""Ends that never came, through the interface: what counts, what is bounded and why, and when."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from dashboard import create_app
from dashboard.jobs import worker
from dashboard.models import Activity
from dashboard.settings import Settings
from dashboard.tracing import projection, surroundings
from dashboard.tracing.bounds import Limits
from tests.api import Api
from tests.api import Event as Given

SHARED = Path(__file__).parents[2].parent / "shared" / "data"
LOST = SHARED / "bug_cases" / "api_lost_end.json"
ZONE = "Europe/Prague"

pytestmark = pytest.mark.both_databases


@pytest.fixture
def api(client: FlaskClient) -> Api:
    return Api(client)


def work(api: Api, user: str, date: str) -> list[tuple[Any, ...]]:
    """Return (state, end, bound, reason, talk, proved) of the user's activities on that day."""
    shown = api.tracing(user, date, tz=ZONE)["activities"]
    return [
        (
            a["state"],
            a["end"],
            a["end_bound"] and a["end_bound"][5:16],
            a["end_reason"],
            a["talk"],
            a["proved_s"],
        )
        for a in shown
    ]


@pytest.mark.skipif(not LOST.exists(), reason="the reference data are not there")
@pytest.mark.parametrize("order", [1, -1], ids=["in order", "newest first"])
def test_the_lost_ends_of_the_interface(api: Api, order: int) -> None:
    events = json.loads(LOST.read_text())["events"][::order]
    for event in events:
        api.take(event)
    b1 = work(api, "b1", "2026-05-04")
    assert b1[0] == ("open", None, "05-04T09:10", "next_call", 0, 0)
    assert (b1[1][0], b1[1][4]) == ("closed", 300)
    assert work(api, "b1", "2026-05-05") == []
    assert work(api, "b2", "2026-05-04") == [("postponed", None, "05-04T16:00", "signed_out", 0, 0)]
    assert work(api, "b2", "2026-05-05") == []
    assert work(api, "b3", "2026-05-04") == [("open", None, "05-04T09:05", "taken_over", 0, 0)]
    assert api.tracing("b3", "2026-05-04", tz=ZONE)["statistics"]["calls"] == {
        "handling": 0,
        "talk": 0,
        "hold": 0,
        "load": 0,
        "closed": 0,
        "without_end": 1,
        "unproved": 300,
    }
    assert api.tracing("b4", "2026-05-04", tz=ZONE)["statistics"]["calls"]["talk"] == 900
    first, second = (api.tracing("b5", f"2026-05-0{day}", tz=ZONE)["statistics"] for day in (4, 5))
    assert (first["login"], first["quality"]["inferred"]) == (0, 1)
    assert (second["login"], second["quality"]["inferred"]) == (28_800, 0)


def call(api: Api, at: str, type_: str, user: str | None = "u", name: str = "c1", **data: Any) -> Given:
    event: Given = {"type": type_, "time": f"2026-05-04T{at}:00+02:00", "data": data}
    if not type_.startswith("agent."):
        event["interaction"] = name
    return event if user is None else {**event, "user": user}


CASES: dict[str, tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]] = {
    "a sign-out bounds the call": (
        [("08:00", "agent.signed_in"), ("09:00", "call.connected"), ("09:30", "agent.signed_out")],
        [("open", None, "05-04T09:30", "signed_out", 0, 0)],
    ),
    "a true end after the sign-out counts in full": (
        [
            ("08:00", "agent.signed_in"),
            ("09:00", "call.connected"),
            ("09:30", "agent.signed_out"),
            ("09:40", "call.closed"),
        ],
        [("closed", "2026-05-04T09:40:00+02:00", None, None, 2400, None)],
    ),
    "a call on hold is not bounded by the next one": (
        [
            ("09:00", "call.connected"),
            ("09:05", "call.held"),
            ("09:06", "call.connected", "u", "c2"),
            ("09:07", "call.closed", "u", "c2"),
            ("09:08", "call.resumed"),
            ("09:09", "call.closed"),
        ],
        [
            ("closed", "2026-05-04T09:09:00+02:00", None, None, 540, None),
            ("closed", "2026-05-04T09:07:00+02:00", None, None, 60, None),
        ],
    ),
    "an outgoing call bounds nothing, time does": (
        [
            ("09:00", "call.connected"),
            ("09:06", "call.dialled", "u", "c2"),
            ("09:07", "call.closed", "u", "c2"),
        ],
        [
            ("open", None, "05-04T13:00", "no_end", 0, 0),
            ("closed", "2026-05-04T09:07:00+02:00", None, None, 0, None),
        ],
    ),
    "a restart bounds what is open": (
        [("09:00", "call.connected"), ("09:02", "call.held"), ("09:10", "source.restarted", None)],
        [("open", None, "05-04T09:10", "source_restarted", 120, 120)],
    ),
    "one who joins takes nothing over": (
        [
            ("09:00", "call.connected"),
            ("09:05", "call.connected", "v", "c1", {"join": True}),
            ("09:10", "call.closed", "v"),
            ("09:12", "call.closed"),
        ],
        [("closed", "2026-05-04T09:12:00+02:00", None, None, 720, None)],
    ),
    "written work of one who is signed in nowhere stops after an hour": (
        [("09:00", "chat.accepted"), ("09:20", "chat.message_sent")],
        [("postponed", None, "05-04T10:20", "idle", 0, 1200)],
    ),
    "a later own event proves the hour": (
        [("09:00", "chat.accepted"), ("12:00", "chat.message_sent"), ("12:10", "chat.closed")],
        [("closed", "2026-05-04T12:10:00+02:00", None, None, 0, None)],
    ),
    "ringing that never ended counts nothing": (
        [("08:00", "agent.signed_in"), ("09:00", "call.offered"), ("10:00", "agent.signed_out")],
        [("ringing", None, "05-04T10:00", "signed_out", 0, 0)],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_what_bounds_an_end_that_never_came(api: Api, name: str) -> None:
    said, expected = CASES[name]
    events = [
        call(api, at, type_, *rest[:2], **(rest[2] if len(rest) > 2 else {})) for at, type_, *rest in said
    ]
    for event in events:
        api.take(event)
    assert work(api, "u", "2026-05-04") == expected
    projection.rebuild()
    assert work(api, "u", "2026-05-04") == expected


def test_the_hour_of_a_proved_gap_is_the_handling(api: Api) -> None:
    for at, type_ in (("09:00", "chat.accepted"), ("12:00", "chat.message_sent"), ("12:10", "chat.closed")):
        api.take(call(api, at, type_))
    assert api.tracing("u", "2026-05-04", tz=ZONE)["statistics"]["chats"]["handling"] == 3600 + 600


def test_time_bounds_a_call_for_the_reader_first_and_then_by_the_worker(api: Api, time_machine: Any) -> None:
    time_machine.move_to("2026-05-04T09:30:00+02:00", tick=False)
    api.take(call(api, "09:00", "call.connected"))
    assert work(api, "u", "2026-05-04") == [("open", None, None, None, 1800, None)]
    time_machine.move_to("2026-05-04T14:00:00+02:00", tick=False)
    bounded = [("open", None, "05-04T13:00", "no_end", 0, 0)]
    assert work(api, "u", "2026-05-04") == bounded
    assert projection.tick() == 1
    worker.drain()
    assert work(api, "u", "2026-05-04") == bounded
    assert projection.tick() == 0


def test_limits_of_the_settings_hold_after_a_rebuild(
    api: Api, settings: Settings, time_machine: Any, request: pytest.FixtureRequest
) -> None:
    time_machine.move_to("2026-05-05T12:00:00+02:00", tick=False)
    api.take(call(api, "08:00", "agent.signed_in", "v"))
    api.take(call(api, "19:00", "chat.accepted", "v", "c3"))
    assert api.tracing("v", "2026-05-04", tz=ZONE)["statistics"]["login"] == 11 * 3600
    api.take(call(api, "09:00", "call.connected"))
    api.take(call(api, "09:00", "chat.accepted", name="c2"))
    ends = [("open", None, "05-04T13:00", "no_end", 0, 0), ("postponed", None, "05-04T10:00", "idle", 0, 0)]
    assert work(api, "u", "2026-05-04") == ends
    request.addfinalizer(lambda: surroundings.use_limits(Limits()))
    create_app(replace(settings, shift_hours=8, call_end_hours=1, idle_minutes=30))
    projection.rebuild()
    ends = [("open", None, "05-04T10:00", "no_end", 0, 0), ("postponed", None, "05-04T09:30", "idle", 0, 0)]
    assert work(api, "u", "2026-05-04") == ends
    assert api.tracing("v", "2026-05-04", tz=ZONE)["statistics"]["login"] == 0


def test_an_own_event_after_an_inferred_sign_out_signs_in_again(api: Api) -> None:
    for time, type_ in (
        ("2026-05-04T08:00", "agent.signed_in"),
        ("2026-05-04T15:00", "chat.accepted"),
        ("2026-05-05T09:00", "chat.closed"),
    ):
        event = {"type": type_, "time": f"{time}:00+02:00", "user": "u"}
        api.take(event | ({"interaction": "x"} if type_.startswith("chat") else {}))
    assert api.tracing("u", "2026-05-04", tz=ZONE)["statistics"]["login"] == 7 * 3600
    api.take({"type": "agent.signed_out", "time": "2026-05-05T10:00:00+02:00", "user": "u"})
    assert api.tracing("u", "2026-05-04", tz=ZONE)["statistics"]["login"] == 16 * 3600
    assert api.tracing("u", "2026-05-05", tz=ZONE)["statistics"]["login"] == 10 * 3600


def test_a_day_that_has_not_come_is_empty(api: Api, time_machine: Any) -> None:
    time_machine.move_to("2026-05-04T09:30:00+02:00", tick=False)
    api.take(call(api, "09:00", "call.connected"))
    assert len(work(api, "u", "2026-05-04")) == 1
    assert work(api, "u", "2026-05-05") == []


def test_a_rebuild_lists_each_changed_figure_with_its_cause(api: Api) -> None:
    """As after an upgrade: the row is that of a version that let an open call run on."""
    api.take(call(api, "09:00", "call.connected"))
    api.take(call(api, "09:10", "call.connected", "u", "c2"))
    api.take(call(api, "09:15", "call.closed", "u", "c2"))
    lost = Activity.get(Activity.end_ts.is_null())
    Activity.update(end_bound=None, end_reason=None, talk_s=600).where(Activity.id == lost.id).execute()
    found: list[str] = []
    projection.rebuild(changed=lambda change: found.append(str(change)))
    assert found == [f"activity {lost.id} (u, c1): talk_s 600 -> 0 (next_call)"]
    projection.rebuild(changed=lambda change: found.append(str(change)))
    assert len(found) == 1


def test_a_wrap_up_ends_with_its_own_end_or_after_its_announced_length(api: Api) -> None:
    for name, at, closed, ended in (("c1", "09:00", "09:10", "09:12"), ("c2", "10:00", "10:10", None)):
        events = [
            call(api, at, "call.accepted", name=name),
            call(api, closed, "call.closed", name=name),
            call(api, closed, "call.wrapup_started", name=name, seconds=300),
        ]
        api.take([*events, *([] if ended is None else [call(api, ended, "call.wrapup_ended", name=name)])])
    statistics = api.tracing("u", "2026-05-04", tz=ZONE)["statistics"]["calls"]
    assert (statistics["handling"], statistics["closed"]) == (600 + 120 + 600 + 300, 2)
