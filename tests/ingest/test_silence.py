"""A live source that is silent against its rhythm is recorded once, and again when it is back."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest
import time_machine

from dashboard import clock
from dashboard.clock import DAY_S
from dashboard.events import internal, record
from dashboard.ingest import silence
from dashboard.ingest.schema import NewEvent
from dashboard.jobs import worker
from dashboard.models import Event, Job, Source, SourceRhythm

ZONE = "Europe/Prague"


def at(text: str) -> int:
    """Return the second of a local time such as "2026-11-19 10:00"."""
    return clock.resolve(datetime.fromisoformat(text), ZONE)


MONDAY = at("2026-10-19 00:00")  # the clocks go back on Sunday 25 October


def rhythm(days: int, first: int, last: int, bits: int, weekdays: int = 5) -> silence.Hours:
    """Return hours of weekdays from `first` to before `last` o'clock, each with the same slots."""
    found = {}
    for day in range(days):
        on = clock.local_date(MONDAY + day * DAY_S + DAY_S // 2, ZONE)
        for hour in range(first, last):
            if on.weekday() < weekdays:
                found[str(at(f"{on} {hour:02}:00"))] = bits
    return found


ALL, ONE = 0b111111111111, 0b1
DUE = [
    pytest.param(rhythm(28, 8, 16, ALL), "2026-11-12 10:01", "2026-11-12 10:25", id="busy: 20 minutes"),
    pytest.param(rhythm(28, 8, 16, ALL), "2026-11-13 15:58", "2026-11-16 08:20", id="over the weekend"),
    pytest.param(rhythm(28, 8, 16, ALL), "2026-11-12 15:52", "2026-11-13 08:15", id="over the night"),
    pytest.param(rhythm(28, 8, 16, ONE), "2026-11-12 10:01", "2026-11-13 13:10", id="rare: a day"),
    pytest.param(rhythm(28, 0, 24, ALL, 7), "2026-11-14 23:59", "2026-11-15 00:20", id="day and night"),
    pytest.param(rhythm(8, 8, 16, ALL), "2026-10-26 10:01", "2026-10-26 10:25", id="the first week"),
    pytest.param(rhythm(6, 8, 16, ALL), "2026-10-24 10:01", None, id="less than a week is no rhythm"),
    pytest.param({}, "2026-11-12 10:01", None, id="nothing known"),
    pytest.param(rhythm(1, 8, 9, ONE), "2026-11-17 10:01", None, id="once a month"),
]


@pytest.mark.parametrize(("hours", "arrived", "due"), DUE)
def test_a_source_may_be_silent_as_long_as_its_rhythm_explains(
    hours: silence.Hours, arrived: str, due: str | None
) -> None:
    found = silence.due_s(hours, at(arrived), ZONE)
    assert found == (None if due is None else at(due)), found and clock.iso(found, ZONE)


def send(type_: str = "call.queued", source: str = "pbx") -> None:
    record.append(record.source(source).id, [NewEvent(None, type_, clock.now_ms(), interaction="c1")])
    worker.drain(["digest"])


def look() -> list[tuple[str, dict[str, Any]]]:
    silence.look(every_s=0, grace_s=0)
    rows = Event.select().where(Event.type.startswith("source.")).order_by(Event.id)
    return [(row.type, json.loads(row.data)) for row in rows]


@pytest.mark.both_databases
@pytest.mark.usefixtures("db")
def test_a_silence_is_recorded_once_and_so_is_its_end() -> None:
    with time_machine.travel(at("2026-11-12 09:01"), tick=False) as travel:  # 08:01 UTC, of the site
        send()
        hours = rhythm(24, 8, 17, ALL)
        SourceRhythm.update(hours=hours).execute()
        travel.shift(300)
        send()
        internal.append("ticket.idle", {}, source_id=record.source("pbx").id, interaction="c1")
        worker.drain(["digest"])
        travel.shift(1190)
        assert look() == []
        travel.shift(300)
        record.append(record.source("other").id, [NewEvent("x", "custom.a", clock.now_ms())])
        assert look() == [], "events wait for their digest"
        worker.drain(["digest"])
        silent = ("source.silent", {"name": "pbx", "silent_s": 1490})
        assert look() == look() == [silent]
        worker.drain(["digest"])
        assert look() == [silent], "its own event is no sign of life"
        travel.shift(600)
        send()
        back = ("source.resumed", {"name": "pbx", "silent_s": 2090})
        assert look() == look() == [silent, back]
        travel.shift(1500)
        assert [type_ for type_, _data in look()] == ["source.silent", "source.resumed", "source.silent"]


@pytest.mark.usefixtures("db")
def test_files_and_what_stopa_records_itself_have_no_rhythm() -> None:
    record.source("file", is_file=True)
    send(source="file")
    internal.append("system.started", {})
    worker.drain(["digest"])
    assert (SourceRhythm.select().count(), Job.select().count()) == (0, 0)
    send(source="pbx")
    SourceRhythm.update(due_ms=1).execute()
    Source.update(is_file=True).execute()
    assert look() == []
    assert SourceRhythm.get().due_ms is None


@pytest.mark.usefixtures("db")
def test_right_after_a_start_nothing_is_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    send()
    SourceRhythm.update(due_ms=1).execute()
    monkeypatch.setattr(silence, "_started", None)
    silence.look(every_s=0)
    assert SourceRhythm.get().due_ms == 1
