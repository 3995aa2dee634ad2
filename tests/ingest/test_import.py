"""flask import: whole files end as figures; twice is once; what is broken is told by line."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from dashboard.ingest import importer
from dashboard.ingest.csv_options import TableMap
from dashboard.ingest.importer import Summary
from dashboard.models import AuditEntry, Event, Job, Source
from tests.api import Api

SHARED = Path(__file__).parents[2].parent / "shared" / "data"
REAL, HELPDESK = SHARED / "queue_log_real", SHARED / "helpdesk_events"
needs_shared = pytest.mark.skipif(not SHARED.exists(), reason="the shared data is not on this machine")
EXPECTED = json.loads((REAL / "expected.json").read_text()) if REAL.exists() else {}
LOG = [
    "1772438400|NONE|NONE|NONE|QUEUESTART|",
    "1772438400|c-1|support|Agent/1|AGENTLOGIN|SIP/1",
    "1772438460|c-2|support|NONE|ENTERQUEUE||601|1",
    "1772438470|c-2|support|Agent/1|CONNECT|10|c-3|8",
    "1772438570|c-2|support|Agent/1|COMPLETECALLER|10|100|1",
    "1772442000|c-1|support|Agent/1|AGENTLOGOFF|SIP/1|3600",
]
DATE = "2026-03-02"


def run(path: Path, kind: str = "queue_log", source: str = "pbx", zone: str = "UTC") -> Summary:
    return importer.run(path, kind, source, zone, None, lambda _at: None)


def counts(summary: Summary) -> Summary:
    """Return the counts of records alone."""
    return Summary(summary.read, summary.stored, summary.repeated, summary.refused)


def written(tmp_path: Path, lines: list[str], end: str = "\n", last: str = "\n") -> Path:
    path = tmp_path / "queue_log"
    path.write_bytes((end.join(lines) + last).encode())
    return path


def days(first: int, last: int) -> list[str]:
    """Return the UTC dates from one instant to another."""
    start: date = datetime.fromtimestamp(first, UTC).date()
    count = (datetime.fromtimestamp(last, UTC).date() - start).days + 1
    return [str(start + timedelta(days=n)) for n in range(count)]


def agent_figures(answers: list[dict[str, Any]]) -> Counter[str]:
    """Return the figures of one agent, summed over days, under the names of the reference."""
    figures: Counter[str] = Counter()
    for answer in answers:
        found = answer["statistics"]
        calls, events = found["calls"], found["events"]
        dialled = calls.get("dialled", Counter())
        transferred = sum(
            one["state"] == "transferred" and one["channel"] == "call" for one in answer["activities"]
        )
        figures.update(
            events=sum(events.values()),
            connects=events.get("call.accepted", 0),
            ring_no_answer=events.get("call.ignored", 0),
            talk_s=calls["talk"],
            completed=calls["closed"] + transferred,
            out_dialled=dialled["attempts"],
            out_answered=dialled["closed"],
            out_talk_s=dialled["talk"],
            login_s=found["login"],
            membership_s=found["ready"],
            reported_login_s=found.get("login_reported", 0),
        )
    return figures


@needs_shared
@pytest.mark.parametrize("name", EXPECTED)
def test_every_agent_of_a_real_log_has_the_figures_of_the_reference(api: Api, name: str) -> None:
    expected = EXPECTED[name]
    summary = run(REAL / name, zone="America/New_York")
    assert (summary.read, summary.stored, summary.refused) == (expected["records"], expected["records"], 0)
    wrong = {}
    for agent, figures in expected["agents"].items():
        found = agent_figures(
            [api.tracing(agent, day, tz="UTC") for day in days(expected["first"], expected["last"])]
        )
        wrong[agent] = {key: (found[key], figures[key]) for key in figures if found[key] != figures[key]}
    assert {agent: figures for agent, figures in wrong.items() if figures} == {}


@needs_shared
@pytest.mark.parametrize("name", ["reconstructed.queue_log", "pbxware_queue_log.csv"])
def test_a_real_log_imported_twice_is_there_once_and_its_twins_are_kept(api: Api, name: str) -> None:
    assert run(REAL / name).stored == 420
    before = api.tracing("Agent/1141", "2018-12-03", tz="UTC")
    again = run(REAL / name)
    assert (again.read, again.stored, again.repeated, again.refused) == (420, 0, 420, 0)
    after = api.tracing("Agent/1141", "2018-12-03", tz="UTC")
    assert {**after, "as_of": ""} == {**before, "as_of": ""}
    assert Event.select().where(Event.external_id.endswith("-2")).count() == 2
    assert Event.select().where(Event.source_id == Source.get(is_file=True).id).count() == 420


def test_a_log_gives_its_day(api: Api, tmp_path: Path) -> None:
    assert counts(run(written(tmp_path, LOG))) == Summary(read=6, stored=6)
    found = api.tracing("Agent/1", DATE, tz="UTC")["statistics"]
    assert (found["login"], found["calls"]["talk"], found["calls"]["closed"]) == (3600, 100, 1)


def test_an_import_that_grew_stores_the_new_lines_only(api: Api, tmp_path: Path) -> None:
    run(written(tmp_path, LOG[:4]))
    assert counts(run(written(tmp_path, LOG))) == Summary(read=6, stored=2, repeated=4)
    assert api.tracing("Agent/1", DATE, tz="UTC")["statistics"]["calls"]["talk"] == 100


def test_a_file_cut_in_the_middle_of_a_line_keeps_the_good_part_and_names_the_line(
    api: Api, tmp_path: Path
) -> None:
    summary = run(written(tmp_path, [*LOG[:4], LOG[4][:24]], last=""))
    assert (summary.read, summary.stored, summary.refused) == (5, 4, 1)
    [(line, why)] = summary.examples
    assert (line, why) == (5, "event: The last line is incomplete.")
    assert counts(run(written(tmp_path, LOG))) == Summary(read=6, stored=2, repeated=4)
    assert api.tracing("Agent/1", DATE, tz="UTC")["statistics"]["calls"]["closed"] == 1


def test_carriage_returns_and_blank_lines_change_nothing(tmp_path: Path, api: Api) -> None:
    run(written(tmp_path, LOG))
    again = run(written(tmp_path, ["", *LOG[:3], "", *LOG[3:]], end="\r\n", last="\r\n"))
    assert (again.stored, again.repeated, again.refused) == (0, 6, 0)
    assert api.tracing("Agent/1", DATE, tz="UTC")["statistics"]["login"] == 3600


def test_times_that_run_backwards_give_the_same_day(api: Api, tmp_path: Path) -> None:
    assert counts(run(written(tmp_path, LOG[::-1]))) == Summary(read=6, stored=6)
    found = api.tracing("Agent/1", DATE, tz="UTC")["statistics"]
    assert (found["login"], found["calls"]["talk"], found["calls"]["closed"]) == (3600, 100, 1)


def test_lines_equal_in_every_letter_are_separate_events_and_stay_so(api: Api, tmp_path: Path) -> None:
    ring = "1772438465|c-2|support|Agent/1|RINGNOANSWER|1000"
    lines = [*LOG[:3], ring, ring, ring]
    assert run(written(tmp_path, lines)).stored == 6
    assert run(written(tmp_path, [*lines, ring])).stored == 1
    assert api.tracing("Agent/1", DATE, tz="UTC")["statistics"]["events"]["call.ignored"] == 4


def test_only_the_first_refused_lines_are_reported_in_full(api: Api, tmp_path: Path) -> None:
    summary = run(written(tmp_path, [*LOG, *["nonsense"] * 50]))
    assert (summary.stored, summary.refused, len(summary.examples)) == (6, 50, importer.EXAMPLES)
    assert [line for line, _why in summary.examples] == list(range(7, 27))


def test_an_empty_file_is_nothing_wrong(api: Api, tmp_path: Path) -> None:
    path = tmp_path / "empty"
    path.touch()
    assert counts(run(path)) == Summary()


def test_what_a_file_left_open_ends_with_its_last_line(api: Api, tmp_path: Path) -> None:
    run(written(tmp_path, LOG[:-1]))
    answer = api.tracing("Agent/1", DATE, tz="UTC")
    assert answer["statistics"]["login"] == 170
    assert [one["inferred"] for one in answer["activities"]] == [False]
    assert api.tracing("Agent/1", "2026-03-03", tz="UTC")["statistics"]["login"] == 0


def test_work_open_at_the_end_of_a_file_is_inferred(api: Api, tmp_path: Path) -> None:
    run(written(tmp_path, [*LOG[:4], "1772438480|NONE|NONE|Agent/1|PAUSEALL|lunch"]))
    answer = api.tracing("Agent/1", DATE, tz="UTC")
    [call] = answer["activities"]
    assert (call["end"], call["end_bound"][11:19], call["end_reason"]) == (None, "08:01:20", "end_of_file")
    assert call["inferred"] is True
    [pause] = answer["statistics"]["pause"]["types"]
    assert (pause["paid"], type(pause["paid"]), pause["seconds"]) == (False, bool, 0)


def test_an_import_is_progress_an_audit_entry_and_no_job_left(api: Api, tmp_path: Path) -> None:
    seen: list[int] = []
    path = tmp_path / "many.jsonl"
    line = json.dumps({"type": "custom.x", "time": "2026-03-02T09:00:00Z"}) + "\n"
    path.write_text(line * 2500)
    importer.run(path, "jsonl", "files", "UTC", None, seen.append)
    assert (len(seen), seen[-1]) == (3, 2500 * len(line))
    assert all(0 <= at - 1000 * number * len(line) < 65_536 for number, at in enumerate(seen[:-1], 1))
    entry = AuditEntry.select().where(AuditEntry.action == "import.run").get()
    assert (entry.target_label, entry.details) == (
        "files",
        {"file": "many.jsonl", "stored": 2500, "refused": 0},
    )
    assert Source.get(Source.name == "files").is_file
    assert not Job.select().exists()


@needs_shared
def test_a_help_desks_table_is_stored_whole_and_once(api: Api) -> None:
    maps = TableMap(
        {
            "type": "=ticket.updated",
            "user": "=Help desk",
            "interaction": "CaseID",
            "time": "CompleteTimestamp",
            "data.status": "ActivityID",
        }
    )
    path = HELPDESK / "helpdesk_sample.csv"
    expected = json.loads((HELPDESK / "expected.json").read_text())[path.name]["rows"]
    for stored in (expected, 0):
        summary = importer.run(path, "csv", "desk", "Europe/Rome", maps, lambda _at: None)
        assert (summary.read, summary.stored, summary.repeated) == (expected, stored, expected - stored)
