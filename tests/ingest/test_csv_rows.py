"""Which rows of a table are read, what events they give, and what the summary says of the rest."""

from __future__ import annotations

import json
import re
import shlex
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask

from dashboard.ingest import files
from dashboard.ingest.csv_options import CsvOptions
from dashboard.ingest.schema import Refusal
from dashboard.ingest.tally import Tally
from dashboard.models import Event, Interaction
from dashboard.settings import ROOT
from tests.api import Api

pytestmark = pytest.mark.both_databases

SHARED = ROOT.parent / "shared" / "data"
BANK = SHARED / "bank_call_centre"
needs_shared = pytest.mark.skipif(not SHARED.exists(), reason="the shared data is not on this machine")

CALLS = (
    "day,queued,start,end,what,who,call\n"
    "2026-03-02,09:00:00,09:00:20,09:05:00,SERVED,jana,c1\n"
    "2026-03-02,-,09:10:00,09:11:00,SERVED,-,c2\n"
    "2026-03-02,09:20:00,-,09:21:00,GAVE UP,-,c3\n"
    "2026-03-02,09:20:00,-,09:21:00,TEST,-,c4\n"
)
MAPS = (
    *("type=what", "user=who", "interaction=call"),
    *("call.queued:time=day+queued", "call.accepted:time=day+start", "call.closed:time=day+end"),
    "call.abandoned:time=day+end",
)
TYPES = ("SERVED=call.queued,call.accepted,call.closed", "GAVE UP=call.queued,call.abandoned")
Run = Callable[..., Result]


@pytest.fixture
def run(app: Flask) -> Run:
    return lambda *words: app.test_cli_runner().invoke(args=[str(word) for word in words])


def read(tmp_path: Path, text: str, options: CsvOptions) -> tuple[list[str], Tally]:
    """Return each record as text, `TYPE HH:MM[:SS] USER` or its line and errors, and what is tallied."""
    path, tally = tmp_path / "table.csv", Tally()
    path.write_text(text)
    told = []
    for item in files.read(path, "csv", "UTC", options.table(), tally=tally):
        value = item.value
        if isinstance(value, Refusal):
            told.append(f"{item.line}: {value.text()}")
        else:
            day, second = divmod(value.time_ms // 1000 - 1_772_409_600, 86_400)  # from 2026-03-02
            hours = f"{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}"
            told.append(f"{value.type} {f'+{day}d ' if day else ''}{hours} {value.user or '-'}")
    return told, tally


def test_one_row_gives_several_events_each_with_its_own_time(tmp_path: Path) -> None:
    found, tally = read(tmp_path, CALLS, CsvOptions(MAPS, ("what=SERVED", "what=GAVE UP"), TYPES, ("-",)))
    assert found == [
        *("call.queued 09:00:00 jana", "call.accepted 09:00:20 jana", "call.closed 09:05:00 jana"),
        "call.closed 09:11:00 -",
        *("call.queued 09:20:00 -", "call.abandoned 09:21:00 -"),
    ]
    assert tally == Tally(lines=5, header=1, records=3, left_out=1, absent=2, encoding="UTF-8")


def test_ids_differ_by_event_and_stay_the_same(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text(CALLS)
    table = CsvOptions((*MAPS, "id=call"), ("what=SERVED",), TYPES, ("-",)).table()
    ids = [[item.value.id for item in files.read(path, "csv", "UTC", table)] for _ in range(2)]
    assert ids[0] == ids[1] == ["c1:call.queued", "c1:call.accepted", "c1:call.closed", "c2:call.closed"]


NO_USER = "user: Required. Add --map user=COLUMN or --map user==VALUE."
NO_INTERACTION = NO_USER.replace("user", "interaction")
X = ("type==custom.x", "time=day+end")
XY = ("type==custom.x,custom.y", *X[1:])
OPTIONS: dict[str, tuple[CsvOptions, str]] = {
    "no --type": (CsvOptions(("type=what", *X[1:])), "2: type: Unknown event type. Custom names start with"),
    "value without --type": (
        CsvOptions(("type=what", *X[1:]), type=("OTHER=custom.x",)),
        "2: type: “SERVED” is no event type. Add --type “SERVED=TYPE”, or leave these rows out with --where.",
    ),
    "fields without a map": (
        CsvOptions(("type==call.held", *X[1:])),
        f"2: interaction: {NO_INTERACTION[13:]} {NO_USER}",
    ),
    "no column": (
        CsvOptions(X, ("wat=SERVED",)),
        "1: --where wat: The file has no column “wat”. It has: day, queued, start, end, what, who, call.",
    ),
    "several types for every row": (
        CsvOptions(XY, ("what=SERVED", "call=c2")),
        "custom.x 09:11:00 -, custom.y 09:11:00 -",
    ),
    "rows chosen by a mapped field": (
        CsvOptions((*X, "interaction=call"), ("interaction=c2",)),
        "custom.x 09:11:00 -",
    ),
    "first column that is not empty": (
        CsvOptions(("type==custom.x", "time=day+start,day+end"), ("call=c3",), none=("-",)),
        "custom.x 09:21:00 -",
    ),
    "row without any event": (
        CsvOptions((XY[0], "time=day+start"), ("call=c3",), none=("-",)),
        "4: time: Required.",
    ),
}


@pytest.mark.parametrize("name", OPTIONS)
def test_options_decide_what_a_row_gives(tmp_path: Path, name: str) -> None:
    options, expected = OPTIONS[name]
    assert ", ".join(read(tmp_path, CALLS, options)[0]).startswith(expected)


@pytest.mark.parametrize(
    ("times", "expected", "moved"),
    [
        ("23:50:00,23:59:50,00:03:00", ["23:50:00", "23:59:50", "+1d 00:03:00"], 1),
        ("23:59:00,00:00:10,00:03:00", ["23:59:00", "+1d 00:00:10", "+1d 00:03:00"], 2),
        ("09:00:01,09:00:00,09:03:00", ["09:00:01", "09:00:00", "09:03:00"], 0),
    ],
    ids=["the end", "all after the first", "clocks that differ by a second"],
)
def test_a_row_over_midnight_goes_on_the_next_day(
    tmp_path: Path, times: str, expected: list[str], moved: int
) -> None:
    row = f"2026-03-02,{times},SERVED,jana,c1\n"
    found, tally = read(tmp_path, CALLS.partition("\n")[0] + "\n" + row, CsvOptions(MAPS, type=TYPES))
    assert [line.partition(" ")[2] for line in found] == [f"{time} jana" for time in expected]
    assert tally.moved == moved


def test_times_with_their_own_dates_are_not_moved(tmp_path: Path) -> None:
    text = "from,to\n2026-03-02 23:59,2026-03-02 00:01\n"
    maps = ("type==custom.x,custom.y", "custom.x:time=from", "custom.y:time=to")
    found, tally = read(tmp_path, text, CsvOptions(maps))
    assert (found, tally.moved) == (["custom.x 23:59:00 -", "custom.y 00:01:00 -"], 0)


def test_options_are_kept_with_the_source_until_others_are_given(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text(CALLS)
    maps = [word for text in ("type==custom.x", "time=day+end") for word in ("--map", text)]
    words = ("import", path, "--format", "csv", "--source")
    first = run(
        *words,
        "bank",
        "--timezone",
        "Asia/Jerusalem",
        "--encoding",
        "cp1250",
        *maps,
        "--where",
        "what=SERVED",
    )
    again = run(*words, "bank")
    assert first.stdout == (
        "read 2, stored 2, repeated 0, refused 0\n"
        "  lines 5: records 2, blank 0, header 1, left out by --where 2\n"
        "  encoding cp1250\n"
        "  kept, but in no figure: 2 custom.x\n"
    )
    assert again.stdout == first.stdout.replace("stored 2, repeated 0", "stored 0, repeated 2")
    kept = f"{shlex.join(maps)} --where what=SERVED --timezone Asia/Jerusalem --encoding cp1250"
    assert f"Using the options kept with source bank: {kept}\n" in again.stderr
    one = run(*words, "bank", "--where", "call=c3")
    assert one.stdout.splitlines()[0] == "read 1, stored 1, repeated 0, refused 0"
    other = run(*words, "bank", *maps)
    assert ("kept" in other.stderr, other.stdout.splitlines()[0]) == (
        False,
        "read 4, stored 1, repeated 3, refused 0",
    )
    assert run(*words, "other").exit_code == 1


@needs_shared
def test_the_banks_log_comes_in_by_the_command_of_the_readme(api: Api, run: Run) -> None:
    path = BANK / "calls_1999-02-01_03.txt"
    expected = json.loads((BANK / "expected.json").read_text())[path.name]
    [command] = re.findall(
        r"flask (import calls\.txt .*?)\n\s*```", (ROOT / "README.md").read_text(), re.DOTALL
    )
    words = [str(path) if word == "calls.txt" else word for word in shlex.split(command.replace("\\\n", " "))]
    result = run(*words)
    outcomes = expected["outcomes"]
    calls = outcomes["AGENT"] + outcomes["HANG"]
    assert result.exit_code == 0, result.output
    assert f", left out by --where {outcomes['PHANTOM']}\n" in result.stdout
    assert "2 events moved to the next day: their rows go over midnight" in result.stdout

    talks: dict[str, dict[int, int]] = {agent: {} for agent in expected["agents"]}  # by activity
    days: dict[str, Counter[str]] = {day: Counter() for day in expected["days"]}
    for day, sums in days.items():
        date = f"1999-02-{day[-2:]}"
        for agent, talk in talks.items():
            shown = api.tracing(agent, date, tz="Asia/Jerusalem")["activities"]
            talk.update({one["id"]: one["talk"] for one in shown})
        for queue in expected["types"]:
            total = api.get("/api/v1/queues", queue=queue, date=date, tz="Asia/Jerusalem").json["total"]
            sums.update({name: total[name] for name in ("received", "answered", "abandoned", "talk", "wait")})
    found = {agent: {"calls": len(talk), "talk_s": sum(talk.values())} for agent, talk in talks.items()}
    assert found == expected["agents"]
    assert {day: (sums["answered"], sums["abandoned"], sums["talk"]) for day, sums in days.items()} == {
        day: (figures["outcome_AGENT"], figures["outcome_HANG"], figures["talk_s"])
        for day, figures in expected["days"].items()
    }
    rows = [line.split("\t") for line in path.read_text().splitlines()[1:]]
    waits = sum(int(row[11]) for row in rows if row[12] != "PHANTOM")
    assert (sum(sums["received"] for sums in days.values()), waits) == (
        calls,
        sum(sums["wait"] for sums in days.values()),
    )
    assert Interaction.select().where(Interaction.end_bound.is_null(False)).count() == 0
    assert Event.select().where(Event.type == "call.queued").count() == sum(
        row[9] != "0:00:00" and row[12] != "PHANTOM" for row in rows
    )
