"""The layouts of Asterisk's queue_log table: each gives the events of the file and repeats them."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask import Flask
from msgspec import structs

from dashboard.access import scope
from dashboard.clock import Span
from dashboard.ingest import importer
from dashboard.ingest.csv_reader import NOT_READ
from dashboard.ingest.schema import NewEvent
from dashboard.ingest.sources.queue_log import Bad, events, records
from dashboard.tracing import queues, trace
from tests.tracing.projected import picture

SHARED = Path(__file__).parents[2].parent / "shared" / "data"
needs_shared = pytest.mark.skipif(not SHARED.exists(), reason="the shared data is not on this machine")
TABLES = [SHARED / "queue_log_real" / "pbxware_queue_log.csv", *sorted(SHARED.glob("queue_log_hourly/*.csv"))]
DAY = Span(1_795_737_600, 1_795_737_600 + 86_400)  # 2026-11-27
AT = DAY.start + 3600
LOG = [
    f"{AT}|NONE|sales|Eva|ADDMEMBER|",
    f"{AT + 10}|k1|sales|NONE|ENTERQUEUE||420600111222|1",
    f"{AT + 12}|k1|sales|Eva|RINGNOANSWER|1000",
    f"{AT + 12}|k1|sales|Eva|RINGNOANSWER|1000",
    f"{AT + 15}|k2|sales|NONE|ENTERQUEUE||420600111333|1|Petr",
    f"{AT + 40}|k2|sales|Eva|ATTENDEDTRANSFER|LINK|SIP/a-1|SIP/b-2|5|20|1",
    f"{AT + 50}|k1|sales|NONE|EXITWITHKEY|5|1|1|40",
    f"{AT + 60}|NONE|sales|Eva|PAUSE|oběd, káva",
    f"{AT + 90}|NONE|sales|Eva|UNPAUSE|",
    f"{AT + 99}|NONE|NONE|NONE|QUEUESTART|",
]
NAMES = ("time", "callid", "queuename", "agent", "event")
FIVE = (*NAMES, *(f"data{n}" for n in range(1, 6)))
Layout = Callable[[list[str]], str]


def _cells(line: str, empty: str = "", civil: bool = True) -> list[str]:
    """Return a record as Asterisk stores it: a time with microseconds, what is over in data5."""
    time, *names, params = line.split("|", 5)
    at = datetime.fromtimestamp(int(time), UTC).strftime("%Y-%m-%d %H:%M:%S.000413") if civil else time
    return [at, *names, *[part or empty for part in [*params.split("|", 4), "", "", "", "", ""][:5]]]


def _table(header: tuple[str, ...], rows: list[list[str]], separator: str = ",") -> str:
    text = io.StringIO()
    csv.writer(text, delimiter=separator, lineterminator="\n").writerows([header, *rows])
    return text.getvalue()


def _one_column(log: list[str]) -> str:
    return _table((*NAMES, "data"), [[*_cells(line)[:5], line.split("|", 5)[5]] for line in log])


def _with_id(log: list[str]) -> str:
    rows = [[str(n), *_cells(line, "NULL")] for n, line in enumerate(log, 7)]
    return _table(("id", *FIVE), rows, ";")


def _both_forms(log: list[str]) -> str:
    rows = [[*_cells(line, civil=False)[:5], line.split("|", 5)[5], *[r"\N"] * 5] for line in log]
    return _table((*NAMES, "data", *FIVE[5:]), rows, "\t")


LAYOUTS: dict[str, Layout] = {
    "file": lambda log: "".join(f"{line}\n" for line in log),
    "five columns": lambda log: _table(FIVE, [_cells(line) for line in log]),
    "one column": _one_column,
    "with the table's id and NULL": _with_id,
    "both forms, the five columns as \\N": _both_forms,
    "capitals and the order turned": lambda log: _table(
        tuple(name.upper() for name in reversed(FIVE)), [_cells(line)[::-1] for line in log]
    ),
}


def read(text: str) -> list[NewEvent]:
    found = list(events(records(text.splitlines(keepends=True)), "UTC"))
    return [event for event in found if isinstance(event, NewEvent)]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_each_layout_gives_the_events_of_the_file(layout: str) -> None:
    wanted, found = read(LAYOUTS["file"](LOG)), read(LAYOUTS[layout](LOG))
    assert len({event.id for event in found}) == len(LOG)
    for one, other in zip(found, wanted, strict=True):
        assert (one.id, one.type, one.time_ms // 1000) == (other.id, other.type, other.time_ms // 1000)
        assert (one.user, one.queue, one.interaction, one.contact) == (
            *(other.user, other.queue, other.interaction, other.contact),
        )
        assert json.loads(one.data) == json.loads(other.data)


@pytest.mark.both_databases
@pytest.mark.parametrize("layout", [layout for layout in LAYOUTS if layout != "file"])
@pytest.mark.parametrize("file_first", [True, False])
def test_each_layout_repeats_the_file_and_the_file_repeats_it(
    app: Flask, tmp_path: Path, layout: str, file_first: bool
) -> None:
    forms = ["file", layout] if file_first else [layout, "file"]
    stored = [_import(tmp_path, LAYOUTS[form](LOG)) for form in forms]
    assert stored == [(len(LOG), 0), (0, len(LOG))]
    sales = queues.day(scope.whole(), "sales", DAY, "UTC")
    eva = trace.read(scope.whole(), "Eva", DAY, "UTC", DAY.end)
    assert sales is not None
    assert eva is not None
    total = queues.as_json(sales.total)
    assert [total[figure] for figure in ("received", "answered", "wait", "talk")] == [2, 1, 45, 20]
    assert (eva.figures.calls.talk, eva.figures.pause.total, eva.figures.ready) == (20, 30, 69)


def _import(tmp_path: Path, text: str, source: str = "pbx") -> tuple[int, int]:
    path = tmp_path / "log"
    path.write_text(text)
    done = importer.run(path, "queue_log", source, "UTC", None, lambda _at: None)
    assert done.refused == 0
    return done.stored, done.repeated


@pytest.mark.parametrize(
    ("header", "missing"),
    [
        ("time,callid,queuename,agent,event", "data1, data2, data3, data4, data5"),
        ("time,callid,queuename,agent,event,data1,data2,data3,data4", "data5"),
        ("time,queuename,agent,data", "callid, event"),
        ("uid,date_time,callid,queue_name,type,event,param1", "htime, ttime"),
    ],
)
def test_a_table_without_a_column_is_refused_at_line_1_with_its_name(header: str, missing: str) -> None:
    [bad, other] = events(records([f"{header}\n", "1,c,IT,A,CONNECT,1,,,,\n"]), "UTC")
    assert isinstance(bad, Bad)
    assert (bad.line, dict(bad.message.params)) == (1, {"columns": missing})
    assert other == Bad(2, NOT_READ)


@needs_shared
def test_the_table_with_one_column_of_a_real_log_has_its_wait_and_talk() -> None:
    _, connect, end = read((SHARED / "bug_cases" / "queue_log_single_data_column.csv").read_text())
    assert json.loads(connect.data)["wait_s"] == 2
    assert json.loads(end.data)["talk_s"] == 60


@needs_shared
def test_the_file_and_the_table_dump_of_one_log_give_the_same_events() -> None:
    dump, pipe = (
        read((SHARED / "queue_log_real" / file).read_text())
        for file in ("pbxware_queue_log.csv", "reconstructed.queue_log")
    )
    assert [structs.replace(event, seq=0, uid=None) for event in dump] == [
        structs.replace(event, seq=0) for event in pipe
    ]
    assert [event.uid for event in dump] == [event.seq for event in pipe]


def renamed(text: str, prefix: str, separator: str, column: int) -> str:
    """Return a log or table whose members have a prefix: a user has one presence, whatever the sources."""
    rows = list(csv.reader(io.StringIO(text), delimiter=separator, quoting=csv.QUOTE_MINIMAL))
    for row in rows:
        row[column] = row[column] if row[column] in ("NONE", "agent", "type") else prefix + row[column]
    found = io.StringIO()
    csv.writer(found, delimiter=separator, lineterminator="\n").writerows(rows)
    return found.getvalue()


@needs_shared
@pytest.mark.parametrize("table", TABLES, ids=lambda path: path.stem)
def test_the_table_of_a_real_log_has_the_figures_of_its_file(app: Flask, tmp_path: Path, table: Path) -> None:
    pbxware = table.name == "pbxware_queue_log.csv"
    file = table.with_name(
        "reconstructed.queue_log" if pbxware else table.name.replace("table.csv", "queue_log")
    )
    _import(tmp_path, renamed(file.read_text(), "file", "|", 3), "file")
    _import(tmp_path, renamed(table.read_text(), "table", ",", 4 if pbxware else 3), "table")
    assert picture("table") == picture("file")
