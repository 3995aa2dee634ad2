"""A queue_log that is imported again and again while it grows and is rotated, and its order of one second."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import permutations
from pathlib import Path

import pytest
from flask import Flask

from dashboard.ingest import importer
from dashboard.models import Interval
from dashboard.tracing import projection
from dashboard.tracing.types import Kind
from tests.tracing.projected import picture

pytestmark = pytest.mark.both_databases
SHARED = Path(__file__).parents[2].parent / "shared" / "data"
needs_shared = pytest.mark.skipif(not SHARED.exists(), reason="the shared data is not on this machine")
EVERY = 4000  # bytes between two imports by cron


def named(source: str, text: str) -> bytes:
    """Return a log with the members of one source: a user has one presence, whatever the sources."""
    found = [line.split("|") for line in text.splitlines()]
    for fields in found:
        fields[3] = fields[3] if fields[3] == "NONE" else source + fields[3]
    return "".join("|".join(fields) + "\n" for fields in found).encode()


def take(tmp_path: Path, source: str, content: bytes, file: str = "queue_log") -> importer.Summary:
    path = tmp_path / file
    path.write_bytes(content)
    return importer.run(path, "queue_log", source, "UTC", None, lambda _at: None)


def by_cron(content: bytes) -> Iterator[bytes]:
    """Yield what an import finds in a file that grows; most end within a line."""
    yield from (content[:size] for size in range(EVERY, len(content), EVERY))


@needs_shared
def test_imports_by_cron_with_the_rotated_part_in_the_hook_give_the_whole_log(
    app: Flask, tmp_path: Path
) -> None:
    live = SHARED / "asterisk_live"
    whole = take(tmp_path, "whole", named("whole", (live / "queue_log").read_text()))
    assert (whole.stored, whole.refused) == (879, 0)
    stored = 0
    for part in ("queue_log.1", "queue_log.2", "queue_log"):  # in the order of time
        content = named("parts", (live / "rotated" / part).read_text())
        stored += sum(take(tmp_path, "parts", found).stored for found in by_cron(content))
        hook = take(tmp_path, "parts", content, "queue_log.1")
        assert hook.refused == 0
        stored += hook.stored
    assert stored == whole.stored
    expected = picture("whole")
    assert picture("parts") == expected
    projection.rebuild()
    assert picture("parts") == expected


@needs_shared
def test_the_parts_of_a_log_in_any_order_are_the_whole(app: Flask, tmp_path: Path) -> None:
    rotated = SHARED / "asterisk_live" / "rotated"
    pictures = []
    for order in permutations(("queue_log", "queue_log.1", "queue_log.2")):
        source = "".join(file[-1] for file in order)
        for file in order:
            take(tmp_path, source, named(source, (rotated / file).read_text()), file)
        pictures.append(picture(source))
    assert all(found == pictures[0] for found in pictures)


AT = 1_795_800_000
CUT = {
    "a pause that begins and ends around the rotation": (
        [(0, "ADDMEMBER|"), (60, "PAUSE|lunch")],
        [(60, "UNPAUSE|"), (660, "REMOVEMEMBER|")],
        {"lunch": 0},
    ),
    "a pause that ends, and the next one begins": (
        [(0, "ADDMEMBER|"), (50, "PAUSE|lunch"), (60, "UNPAUSE|")],
        [(60, "PAUSE|training"), (160, "UNPAUSE|")],
        {"lunch": 10, "training": 100},
    ),
    "two reasons of one second: the later file has the last word": (
        [(0, "ADDMEMBER|"), (1, "X|"), (2, "X|"), (60, "PAUSE|lunch")],
        [(60, "PAUSE|training"), (160, "UNPAUSE|")],
        {"lunch": 0, "training": 100},
    ),
}


@pytest.mark.parametrize("case", CUT)
@pytest.mark.parametrize("newest_first", [False, True])
def test_records_of_one_second_keep_their_order_across_a_rotation(
    app: Flask, tmp_path: Path, case: str, newest_first: bool
) -> None:
    *parts, expected = CUT[case]
    files = ["".join(f"{AT + at}|NONE|q|jana|{rest}\n" for at, rest in part).encode() for part in parts]
    for content in reversed(files) if newest_first else files:
        take(tmp_path, "exchange", content)
    assert pauses() == expected
    projection.rebuild()
    assert pauses() == expected


def pauses() -> dict[str, int]:
    """Return the seconds of ended pauses by reason; an open one fails."""
    found: dict[str, int] = {}
    for row in Interval.select().where(Interval.kind == Kind.PAUSE):
        found[row.label] = found.get(row.label, 0) + row.end_ts - row.start_ts
    return found


TABLE = "uid,date_time,callid,queue_name,type,event,param1,param2,param3,entpos,expos,htime,ttime,time"


def test_the_number_that_a_table_gives_its_rows_comes_before_the_order_by_type(
    app: Flask, tmp_path: Path
) -> None:
    """An unpause without a pause, then a pause of the same second: it lasts, wherever its row stands."""
    rows = [
        (9, 0, "ADDMEMBER", ""),
        (10, 5, "UNPAUSE", ""),
        (11, 5, "PAUSE", "lunch"),
        (12, 65, "UNPAUSE", ""),
    ]
    shuffled = [rows[n] for n in (2, 0, 3, 1)]
    lines = [
        f"{uid},{AT + at},NONE,q,jana,{event},{reason},,,0,0,0,0,x" for uid, at, event, reason in shuffled
    ]
    take(tmp_path, "exchange", "\n".join([TABLE, *lines, ""]).encode(), "rows.csv")
    assert pauses() == {"lunch": 60}


@needs_shared
def test_a_shuffled_and_a_newest_first_table_give_the_figures_of_the_ordered_one(
    app: Flask, tmp_path: Path
) -> None:
    header, *rows = (SHARED / "queue_log_real" / "pbxware_queue_log.csv").read_text().splitlines()
    orders = {"ordered": rows, "newest": rows[::-1], "shuffled": random.Random(8).sample(rows, len(rows))}
    pictures = {}
    for source, lines in orders.items():
        members = [line.split(",") for line in lines]
        for cells in members:
            cells[4] = cells[4] if cells[4] == "NONE" else source + cells[4]
        table = "".join(f"{line}\n" for line in (header, *map(",".join, members)))
        assert take(tmp_path, source, table.encode(), "rows.csv").stored == 420
        pictures[source] = picture(source)
    assert pictures["newest"] == pictures["ordered"]
    assert pictures["shuffled"] == pictures["ordered"]
