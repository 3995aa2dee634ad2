"""Events by source and hour: each counted once, the last ones too that no worker has counted yet."""

from __future__ import annotations

from collections import Counter

import peewee
import pytest
import time_machine

from dashboard import clock
from dashboard.events import internal, record, source_hours
from dashboard.events.source_hours import Arrivals, Day
from dashboard.ingest.schema import NewEvent
from dashboard.jobs import worker
from dashboard.models import Event, Setting, Source, SourceHour, SourceRhythm

pytestmark = [pytest.mark.both_databases, pytest.mark.own_database]
NOON = 1_795_950_000  # a whole hour


def send(source: str, number: int, age_s: float, at_s: int) -> None:
    """Store events that arrive at a second and are so old."""
    with time_machine.travel(at_s, tick=False):
        time_ms = clock.now_ms() - int(age_s * 1000)
        events = [NewEvent(f"{source}{at_s}{age_s}{n}", "custom.a", time_ms) for n in range(number)]
        record.append(record.source(source).id, events)


def counted(now_s: int = NOON + 600) -> dict[str, Day]:
    days = source_hours.of_day(now_s)
    return {name: days[record.source(name).id] for name in ("pbx", "shop")}


@pytest.mark.usefixtures("db")
def test_every_event_is_counted_once_whoever_counts_and_when(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source_hours, "PIECE", 7)
    for at_s, number in ((NOON - 25 * 3600, 1), (NOON - 3601, 4), (NOON - 1, 5)):
        send("pbx", number, 0.437, at_s)
    with time_machine.travel(NOON, tick=False):
        assert source_hours.count(0) == 1, "more is left than one transaction counts"
    send("shop", 6, -600, NOON)
    send("pbx", 2, 90, NOON + 1)
    for at_s in (NOON, NOON + 300):
        with time_machine.travel(at_s, tick=False):
            internal.append("system.started", {}, source_id=record.source("pbx").id)
            before = counted()
            while source_hours.count(0):
                pass
            assert counted() == before, "what was counted meanwhile is no more than before"
    pbx, shop = before["pbx"], before["shop"]
    assert (pbx.hours, pbx.events) == ([0] * 21 + [4, 5, 2], 11)
    assert (shop.hours, shop.ahead, pbx.ahead) == ([0] * 23 + [6], 6, 0)
    assert (pbx.last_ms, pbx.delay_ms(0.5), pbx.delay_ms(0.99)) == ((NOON + 1) * 1000, 440, 90_000)
    assert shop.delay_ms(0.5) == 0
    last = Event.select(Event.id).where(Event.type == "custom.a").order_by(Event.id.desc()).first()
    assert pbx.last_id == last.id
    known = int(Setting.get_by_id(source_hours.PLACE).value)
    source_hours._count(known - 1, 0, known)  # a worker that read the place before another moved it
    assert counted() == before
    gone = Event.id > known - 2  # by the removal of a source: SQLite gives their ids again
    Event.delete().where(gone).execute()
    while source_hours.count(0):
        pass
    send("pbx", 1, 0, NOON + 8 * 86_400)
    with time_machine.travel(NOON + 8 * 86_400, tick=False):
        source_hours.count(0)
    assert [row.hour_ts for row in SourceHour.select()] == [NOON + 8 * 86_400], "a week is kept"


def test_a_delay_is_the_nearest_rank_rounded_up_to_two_digits() -> None:
    for ms, rounded in ((0, 0), (1, 10), (437, 440), (1000, 1000), (1001, 1100), (86_399_999, 87_000_000)):
        assert source_hours._rounded(ms) == rounded
    found = Arrivals(delays=Counter({100: 98, 5000: 1, 9000: 1}))
    assert [found.delay_ms(share) for share in (0.5, 0.98, 0.99, 1)] == [100, 100, 5000, 9000]
    assert Arrivals().delay_ms(0.5) is None


def test_the_live_sources_say_when_they_sent_last_silent_ones_first(db: peewee.Database) -> None:
    for name, at_s in (("pbx", NOON - 4000), ("shop", NOON - 2), ("old", NOON - 9 * 86_400), ("file", NOON)):
        send(name, 1, 0, at_s)
        with time_machine.travel(at_s, tick=False):
            worker.drain(["digest"])
    Source.update(is_file=True).where(Source.name == "file").execute()
    silent = SourceRhythm.source == record.source("pbx").id
    SourceRhythm.update(silent_ms=NOON * 1000).where(silent).execute()
    found = [(each.name, each.last_ts, each.is_silent) for each in source_hours.last_of_live(NOON, 3)]
    assert found == [("pbx", NOON - 4000, True), ("shop", NOON - 2, False)]
    assert [each.name for each in source_hours.last_of_live(NOON, 1)] == ["pbx"]
