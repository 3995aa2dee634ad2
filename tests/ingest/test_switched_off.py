"""What an administrator has switched off is refused by its type, whatever way it comes."""

from __future__ import annotations

import json
from pathlib import Path

from dashboard.events import switches
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
