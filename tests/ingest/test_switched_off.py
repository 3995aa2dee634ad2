"""What is switched off is refused by its type, what is no longer kept by its time, whatever way it comes."""

from __future__ import annotations

import json
from pathlib import Path

from dashboard.events import horizon, switches
from dashboard.events.switches import Choice
from dashboard.ingest import importer
from dashboard.models import Event, TypeSwitch
from tests.api import Api, custom

OFF = Choice(recorded=False, in_rules=True)
LATER = {"type": "visitor.page_viewed", "time": "2026-03-02T09:00:00Z", "session": "s1"}


def test_the_gate_refuses_the_type_and_takes_its_neighbours(api: Api) -> None:
    switches.choose("custom.noise", OFF)
    noise = {**custom("n"), "type": "custom.noise"}
    answer = api.post([custom("a"), noise, custom("b")])
    (refused,) = answer.json["refused"]
    assert (answer.status_code, answer.json["accepted"], refused["index"]) == (202, 2, 1)
    assert "System events" in refused["errors"]["type"]
    assert api.post(noise).status_code == 422
    switches.choose("custom.noise", switches.default("custom.noise"))
    assert api.post(noise).status_code == 202


def test_a_type_that_the_catalogue_holds_for_seldom_is_taken_until_it_is_switched_off(api: Api) -> None:
    assert api.post(LATER).status_code == 202
    switches.choose(LATER["type"], OFF)
    assert api.post(LATER).status_code == 422


def test_an_import_names_the_line_whose_type_is_switched_off(api: Api, tmp_path: Path) -> None:
    switches.choose("custom.noise", OFF)
    path = tmp_path / "events.jsonl"
    lines = [custom("a"), {**custom("n"), "type": "custom.noise"}]
    path.write_text("\n".join(json.dumps(line) for line in lines))
    found = importer.run(path, "jsonl", "file", "UTC", None, lambda _done: None)
    assert (found.stored, found.refused, found.examples[0][0]) == (1, 1, 2)
    assert not Event.select().where(Event.type == "custom.noise").exists()
    assert TypeSwitch.select().count() == 1


def test_an_import_of_a_numbered_table_names_the_line(api: Api, tmp_path: Path) -> None:
    switches.choose("custom.queue_log.noise", OFF)
    path = tmp_path / "dump.csv"
    header = "uid,time,callid,queuename,agent,event,data1,data2,data3,data4,data5"
    path.write_text(f"{header}\n90001,1772442000,c,q,A,NOISE,,,,,\n90002,1772442000,c,q,A,NEWS,,,,,\n")
    found = importer.run(path, "queue_log", "pbx", "UTC", None, lambda _done: None)
    assert (found.stored, [line for line, _why in found.examples]) == (1, [2])


def test_events_from_before_the_horizon_are_refused_by_their_time(api: Api, tmp_path: Path) -> None:
    horizon.raise_to(1_772_409_600_000)  # 2026-03-02 00:00 UTC
    horizon.raise_to(0)  # it never falls
    old = {**custom("old"), "time": "2026-03-01T23:59:59.999Z"}
    new = {**custom("new"), "time": "2026-03-02T00:00:00Z"}
    answer = api.post([old, new])
    (refused,) = answer.json["refused"]
    assert (answer.status_code, answer.json["accepted"], refused["index"]) == (202, 1, 0)
    assert "before 2026-03-02T00:00:00+00:00" in refused["errors"]["time"]
    assert api.post(old).status_code == 422
    now = {"specversion": "1.0", "id": "n", "source": "/x", "type": "custom.sale"}
    assert api.send(json.dumps(now), "application/cloudevents+json").status_code == 202  # its time is now
    path = tmp_path / "events.jsonl"
    path.write_text("\n".join(json.dumps({**line, "id": name}) for name in "ab" for line in (old, new)))
    for stored, repeated in ((2, 0), (0, 2)):
        found = importer.run(path, "jsonl", "file", "UTC", None, lambda _done: None)
        assert (found.read, found.stored, found.repeated, found.refused) == (4, stored, repeated, 2)
        assert (found.bad_times, found.examples[0][0]) == (2, 1)
