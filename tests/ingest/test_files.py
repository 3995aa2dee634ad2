"""Files are read to events line by line, whatever is wrong with some of the lines."""

from __future__ import annotations

import json
import re
import time
import tracemalloc
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from dashboard.i18n.message import Message
from dashboard.ingest import files, times
from dashboard.ingest.csv_options import CsvOptions, column_map
from dashboard.ingest.csv_reader import Ids
from dashboard.ingest.lines import MAX_LINE
from dashboard.ingest.schema import NewEvent, Refusal

SHARED = Path(__file__).parents[2].parent / "shared" / "data"
needs_shared = pytest.mark.skipif(not SHARED.exists(), reason="the shared data is not on this machine")

HELPDESK = [
    "type==ticket.updated",
    "user==Help desk",
    "interaction=CaseID",
    "time=CompleteTimestamp",
    "data.status=ActivityID",
]
BANK = [
    "type==call.closed",
    "user=server",
    "queue=type",
    "interaction=vru+line+call_id+date",
    "time=date+ser_exit",
    "data.talk_s=ser_time",
    "data.ended_by==customer",
]


def read(path: Path, kind: str, zone: str = "UTC", maps: list[str] | None = None):
    return list(files.read(path, kind, zone, CsvOptions(tuple(maps or ())).table()))


def table(tmp_path: Path, text: str | bytes) -> Path:
    path = tmp_path / "table.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def events(items: list[files.Item]) -> list[NewEvent]:
    return [item.value for item in items if isinstance(item.value, NewEvent)]


def refused(items: list[files.Item]) -> list[tuple[int, str]]:
    return [(item.line, item.value.text()) for item in items if isinstance(item.value, Refusal)]


@needs_shared
def test_a_help_desks_table_is_read_whole_and_its_equal_rows_are_kept():
    path = SHARED / "helpdesk_events" / "helpdesk_sample.csv"
    expected = json.loads((SHARED / "helpdesk_events" / "expected.json").read_text())[path.name]
    found = events(read(path, "csv", "Europe/Rome", HELPDESK))
    assert len(found) == expected["rows"] == len({event.id for event in found})
    assert len({event.interaction for event in found}) == expected["cases"]
    assert sum(not event.id.endswith("-1") for event in found) == expected["exact_duplicate_rows"]
    assert Counter(json.loads(event.data)["status"] for event in found) == expected["activities"]
    local = [datetime.fromtimestamp(event.time_ms / 1000, ZoneInfo("Europe/Rome")) for event in found]
    assert Counter(f"{time:%Y-%m}" for time in local) == expected["months"]
    assert min(local).replace(tzinfo=None).isoformat() == expected["first"]


@needs_shared
def test_a_banks_call_records_are_read_with_date_and_time_in_two_columns():
    path = SHARED / "bank_call_centre" / "calls_1999-02-01_03.txt"
    expected = json.loads((SHARED / "bank_call_centre" / "expected.json").read_text())[path.name]
    found = events(read(path, "csv", "Asia/Jerusalem", BANK))
    assert len(found) == expected["rows"]
    assert len({event.interaction for event in found}) == expected["distinct_call_keys"]
    talk: Counter[str] = Counter()
    for event in found:
        talk[event.user] += json.loads(event.data)["talk_s"]
    assert {name: talk[name] for name in expected["agents"]} == {
        name: figures["talk_s"] for name, figures in expected["agents"].items()
    }
    first = datetime.fromtimestamp(found[0].time_ms / 1000, UTC)
    assert (first, found[0].interaction) == (
        datetime(1999, 2, 1, 5, 5, 41, tzinfo=UTC),
        "AA0101 34536 990201",
    )


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_columns_called_like_fields_need_no_map_and_the_separator_is_found(tmp_path, separator):
    rows = [
        ["type", "time", "id", "user", "contact.phone", "data.paid", "data.pause", "other"],
        ["agent.pause_started", "2026-03-02 09:00", "a1", "jana", "601", "Yes", "lunch", "x"],
    ]
    path = table(tmp_path, "\ufeff" + "\r\n".join(separator.join(row) for row in rows))
    [event] = events(read(path, "csv", "Europe/Prague"))
    assert (event.id, event.user, event.contact, event.seq) == ("a1", "jana", {"phone": "601"}, 2)
    assert json.loads(event.data) == {"paid": True, "pause": "lunch"}
    assert event.time_ms == 1772438400000


def test_bad_rows_are_refused_by_line_and_the_others_are_kept(tmp_path):
    good = b"custom.x,2026-03-02 09:00:00,jana\n"
    rows = [
        b"type,time,user\n",
        good,
        b"custom.x,2026-03-02 09:00:00\n",
        b"custom.x,2026-03-02 09:00:00,\xff\n",
        b"custom.x,2026-03-02 09:00:00,a\x00b\n",
        b'custom.x,2026-03-02 09:00:00,"two\nlines"\n',
        b"custom.x,02/03/2026 09:00:00,jana\n",
        b"custom.x,2026-03-02 09:00:00," + b"u" * 140_000 + b"\n",
        b"custom.x,2026-03-02 09:00:00," + b"u" * (MAX_LINE + 5) + b"\n",
        b"\n",
        good,
        b"custom.x,2026-03-",
    ]
    items = list(files.read(table(tmp_path, b"".join(rows)), "csv", "UTC", encoding="utf-8"))
    assert [(event.seq, event.user) for event in events(items)] == [
        (2, "jana"),
        (6, "two lines"),
        (12, "jana"),
    ]
    assert [line for line, _ in refused(items)] == [3, 4, 5, 8, 9, 10, 13]
    assert refused(items)[3][1].startswith("time: ")


@pytest.mark.parametrize(
    "later", ["", 'custom.x,2026-03-02 09:00:00,"jana"\n', 'custom.x,2026-03-02 09:00:00,"\n']
)
@pytest.mark.parametrize(
    "broken", ['custom.x,"', 'custom.x,"\n', 'custom.x,2026-03-02 09:00:00,"jana\n', '"\n']
)
def test_an_unclosed_quote_costs_one_row(tmp_path, broken, later):
    good = "custom.x,2026-03-02 09:00:00,jana\n"
    text = "type,time,user\n" + good + broken.rstrip("\n") + "\n" + good * 10_000 + later + good
    items = read(table(tmp_path, text), "csv")
    assert [line for line, _why in refused(items)] == [3, *([10_004] if later.endswith(',"\n') else [])]
    assert len(events(items)) == 10_002 + later.endswith('"jana"\n')


def test_lines_that_end_a_quoted_cell_and_begin_another_are_not_read_over_and_over(tmp_path):
    path, began = table(tmp_path, "type,time,user\n" + 'a","b\n' * 20_000), time.process_time()
    assert len(refused(read(path, "csv"))) == 20_000
    assert time.process_time() - began < 5  # quadratic, it takes minutes


def test_a_quoted_cell_may_span_lines_that_are_no_rows(tmp_path):
    lines = [
        'type,time,"user"',
        'custom.x,2026-03-02 09:00:00,"a',
        "",
        'b ""c"", d"',
        "custom.x,2026-03-02 09:00:00,e",
    ]
    items = read(table(tmp_path, "\n".join(lines)), "csv", maps=["user==u", "data.text=user"])
    assert [(event.seq, json.loads(event.data)["text"]) for event in events(items)] == [
        (2, 'a\n\nb "c", d'),
        (5, "e"),
    ]


@pytest.mark.parametrize(
    ("maps", "why"),
    [
        (["type==custom.x", "time=when"], "--map time: The file has no column “when”. It has: day, hour."),
        (["type==custom.x"], "time: Required. Add --map time=COLUMN or --map time==VALUE."),
        (
            ["type==custom.x", "time=day", "user=day+hour+"],
            "--map user: The file has no column “day+hour+”. It has: day, hour.",
        ),
    ],
)
def test_missing_column_is_reported_once(tmp_path, maps, why):
    items = read(table(tmp_path, "day,hour\n2026-03-02,09:00\n2026-03-02,09:00\n"), "csv", maps=maps)
    not_read = "Not read, because the first line is refused."
    assert refused(items) == [(1, why), (2, not_read), (3, not_read)]
    assert not events(items)


@pytest.mark.parametrize(
    "text",
    [
        *("user", "=user", "user=", "user==", "name=a", "data.=a", "contact.fax=a", "call.closd:time=a"),
        *("call.closed:type=a", "call.closed:=a", ":time=a"),
    ],
)
def test_a_map_that_cannot_be_meant_is_named(text):
    with pytest.raises(ValueError, match=f"^--map '{re.escape(text)}'.* is not "):
        column_map([text])


def test_one_table_is_read_twice_for_two_moments_of_its_rows(tmp_path):
    path = table(tmp_path, "day,start,end\n2026-03-02,09:00:00,09:05:00\n")
    ids = {
        events(read(path, "csv", "UTC", [f"type==custom.{name}", f"time=day+{name}"]))[0].id
        for name in ("start", "end")
    }
    assert len(ids) == 2


def test_json_lines_keep_their_ids_get_one_or_are_refused_by_line(tmp_path):
    path = tmp_path / "events.jsonl"
    line = b'{"type": "custom.x", "time": "2026-03-02T09:00:00Z"%s}\n'
    lines = [
        b"\xef\xbb\xbf" + line % b', "id": "a"',
        b"\n",
        line % b"",
        line % b"",
        line % b', "x": 1',
        b'{"data": "' + b"x" * MAX_LINE + b'"}\n',
        line[:20],
    ]
    path.write_bytes(b"".join(lines))
    items = read(path, "jsonl")
    first, *made = [event.id for event in events(items)]
    assert first == "a"
    assert len(set(made)) == 2
    assert [number for number, _ in refused(items)] == [5, 6, 7]
    assert items == read(path, "jsonl")


def test_memory_does_not_grow_with_the_file(tmp_path):
    path = tmp_path / "long.queue_log"
    peaks = []
    for count in (2_000, 20_000):
        path.write_text(
            "".join(f"{1543600000 + n // 50}|c|IT|A|RINGNOANSWER|{n % 7}\n" for n in range(count))
        )
        tracemalloc.start()
        assert sum(1 for _ in files.read(path, "queue_log", "UTC")) == count
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] - peaks[0] < 200 * 18_000  # far less than the events themselves


def test_ids_remember_the_last_rows_only(monkeypatch):
    monkeypatch.setattr("dashboard.ingest.csv_reader.REMEMBERED", 10)
    ids = Ids()
    assert [ids.make(1, "a")[-2:] for _ in range(3)] == ["-1", "-2", "-3"]
    for n in range(15):
        ids.make(1, str(n))
    assert ids.make(1, "a").endswith("-4")
    for n in range(40):
        ids.make(1, str(n))
    assert ids.make(1, "a").endswith("-1")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-03-02T09:00:00Z", 1772442000000),
        ("2026-03-02 09:00:00,250", 1772438400250),
        ("2.3.2026 9:00", 1772438400000),
        ("2026/3/2 9:00:00", 1772438400000),
        ("20260302 09:00:00", 1772438400000),
        ("260302 9:00:00", 1772438400000),
        ("1772438400.25", 1772438400250),
        ("1772438400250", 1772438400250),
        ("2026-03-02 08:00:00.25+00", 1772438400250),
        ("2026-03-02 09:00:00+0100", 1772438400000),
        ("2026-03-02 09:00 +01:00", 1772438400000),
        ("2026-03-02T08:00:00,25Z", 1772438400250),
        ("2026-03-02 08:00:00 UTC", 1772438400000),
        ("2026-03-01 21:30:00-1030", 1772438400000),
        ("2026-03-02T09:00", 1772438400000),
        ("20260302T080000Z", 1772438400000),
        ("20260302090000", 1772438400000),
        ("2. 3. 2026 9:00:00", 1772438400000),
        ("2.3.2026 9.00", 1772438400000),
        ("2026年3月2日 9:00", 1772438400000),
        ("2026年3月2日(月)9時00分00秒", 1772438400000),
        ("2026年3月2日 午後9時0分", 1772481600000),
        ("2026-03-02 9:00:00 PM", 1772481600000),
        ("2026-03-02 12:00 AM", 1772406000000),
        ("2.3.2026 12:00 p.m.", 1772449200000),
        ("2026-03-01 24:00:00", 1772406000000),
        ("2026-03-01T23:59:60Z", 1772409599000),
        ("Mon, 02 Mar 2026 08:00:00 GMT", 1772438400000),
        ("2025-10-26 02:30:00", 1761438600000),
        ("2025-03-30 02:30:00", 1743296400000),
    ],
)
def test_a_local_time_is_read_in_prague(text, expected):
    assert times.local(text, "Europe/Prague") == expected


@pytest.mark.parametrize(
    "text",
    [
        *("", "3/2/2026 9:00", "2026-02-30 09:00", "0001-01-01 00:00", "9999-12-31 23:59"),
        *("９-03-02 09:00", "99999999999", "2026-03-02", "2026-03-02 13:00 PM", "2026-03-02 24:01"),
        *("2026-03-02 09:00:61", "2026年13月2日 9:00"),
        *(
            "2026-03-02 09:00+99",
            "2026-03-02 9.00:00",
            "9999-12-31 24:00Z",
            "1969-12-31 23:59Z",
            "14 Abc 2026 9:00",
        ),
    ],
)
def test_a_time_that_could_mean_two_days_or_none_is_refused(text):
    assert isinstance(times.local(text, "Europe/Prague"), Message)
