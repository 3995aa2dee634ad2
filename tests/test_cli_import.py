"""flask import: its input, its summary and its exit status."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import peewee
import pytest
from click.testing import Result
from flask import Flask

from dashboard.models import AuditEntry, Event, Job, User
from tests.api import custom
from tests.test_cli import flask, lines

Run = Callable[..., Result]


QUEUE_LOG = """1772438460|c-2|support|NONE|ENTERQUEUE||601|1

1772438470|c-2|support|Agent/1|CONNECT|10|c-3|8
1772438570|c-2|support|Agent/1|COMPLETECALLER|10|100|1
1772438571|NONE|NONE|Agent/2|ADDMEMBER|
1772438580|c-3|support|Agent/2|RINGNOANSWER|1000
1772438581|c-4|support|Agent/2|NEWS|
17724x8581|c-4|support|Agent/2|NEWS|
"""


CASES = Path(__file__).parents[1].parent / "shared" / "data" / "bug_cases"
needs_cases = pytest.mark.skipif(not CASES.exists(), reason="the shared data is not on this machine")


@pytest.fixture
def run(app: Flask) -> Run:
    return lambda *words: app.test_cli_runner().invoke(args=[str(word) for word in words])


def test_import_prints_its_summary_with_line_numbers(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_text(lines(custom("a"), custom("b"), custom("c", time="soon")) + '{"type": "cus')
    words = ("import", path, "--format", "jsonl", "--source", "crm")
    first, second = run(*words), run(*words)
    assert first.stdout.splitlines() == [
        "read 4, stored 2, repeated 0, refused 2",
        "  lines 4: records 4, blank 0",
        "  encoding UTF-8 (detected)",
        "  kept, but in no figure: 2 custom.seen",
        "  refused for their time: 1",
        "  line 3: time: Must be a time such as 2026-03-02T09:00:00+01:00.",
        "  line 4: event: Invalid JSON.",
    ]
    assert second.stdout.splitlines()[0] == "read 4, stored 0, repeated 2, refused 2"
    assert (first.exit_code, second.exit_code) == (0, 0)
    assert "Reading" in first.stderr
    assert not Job.select().exists()


def test_import_without_valid_events_exits_with_1(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_text("nonsense\n" * 30)
    result = run("import", path, "--format", "jsonl", "--source", "crm")
    assert result.exit_code == 1
    said = result.stdout.splitlines()
    assert (said[0], len(said), said[-1]) == (
        "read 30, stored 0, repeated 0, refused 30",
        24,
        "  and 10 more",
    )


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (("--format", "csv", "--timezone", "Mars/Olympus"), 1, "unknown time zone: 'Mars/Olympus'"),
        (("--format", "csv", "--map", "name=a"), 1, "--map 'name=a': 'name' is not a field; use id, user"),
        (("--format", "csv", "--map", "user"), 1, "--map 'user' is not FIELD=COLUMN or FIELD==VALUE"),
        (("--format", "csv", "--where", "=a"), 1, "--where '=a' is not COLUMN=VALUE"),
        (
            ("--format", "csv", "--type", "AGENT=call.closd"),
            1,
            "--type 'AGENT=call.closd': 'call.closd' is not",
        ),
        (("--format", "csv", "--type", "AGENT"), 1, "--type 'AGENT' is not VALUE=TYPE or VALUE=TYPE,TYPE"),
        (("--format", "xml"), 2, "'xml' is not one of 'queue_log', 'jsonl', 'csv'"),
        (("--format", "csv", "--source", ""), 2, "Enter 1 to 120 printable characters."),
    ],
)
def test_import_with_invalid_options_reads_nothing(
    run: Run, tmp_path: Path, words: tuple[str, ...], status: int, said: str
) -> None:
    path = tmp_path / "table.csv"
    path.write_text("day,hour\n2026-03-02,09:00\n")
    result = run("import", path, "--source", "crm", *words)
    assert (result.exit_code, said in result.stderr) == (status, True), result.stderr
    assert Event.select().count() == 0


def test_the_summary_says_what_no_figure_will_show(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "queue_log.1.gz"
    path.write_bytes(gzip.compress(QUEUE_LOG.encode("utf-16")))
    words = ("import", path, "--format", "queue_log", "--source", "pbx")
    first, second = run(*words), run(*words)
    mend = "flask source set pbx --presence first-to-last"
    assert first.stdout.splitlines() == [
        "read 7, stored 6, repeated 0, refused 1",
        "  lines 8: records 7, blank 1",
        "  encoding UTF-16 (detected)",
        "  kept, but in no figure: 1 custom.queue_log.news",
        f"  users with calls who never sign in: Agent/1 (static members of a queue? {mend})",
        "  refused for their time: 1",
        "  line 8: time: The time must be a number of seconds or a date and time.",
    ]
    assert second.stdout.splitlines()[1:] == first.stdout.splitlines()[1:]
    assert run(*mend.split()[1:]).exit_code == 0
    assert "never sign in" not in run(*words).stdout


def test_times_inside_a_clock_change_are_reported(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    times = ["2025-10-26 02:30:00", "2025-10-26 02:59:59", "2025-10-26 03:00:00", "2025-03-30 02:30:00"]
    path.write_text("type,time\n" + "".join(f"custom.x,{time}\n" for time in times))
    table = ("import", path, "--format", "csv", "--source", "crm", "--timezone", "Europe/Prague")
    dump = tmp_path / "dump.csv"
    header = "time,callid,queuename,agent,event,data1,data2,data3,data4,data5\n"
    dump.write_text(header + "".join(f"{time},c,q,NONE,ENTERQUEUE,,,,,\n" for time in times))
    asterisk = ("import", dump, "--format", "queue_log", "--source", "pbx", "--timezone", "Europe/Prague")
    for words in (table, asterisk):
        said = run(*words).stdout
        assert "  times that Europe/Prague has twice: 2, the earlier one is taken\n" in said
        assert "  times that Europe/Prague skips: 1, the next valid one is taken\n" in said
    assert "times that" not in run(*table[:-1], "UTC").stdout


def test_an_import_that_stores_nothing_leaves_no_trace(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "queue_log"
    path.write_text(QUEUE_LOG)
    words = ("import", path, "--format", "queue_log", "--source", "pbx")
    traces = []
    for _ in range(3):
        run(*words)
        traces.append((AuditEntry.select().count(), Event.select().count()))
    assert len(set(traces)) == 1
    assert Event.select().where(Event.type == "import.finished").count() == 1


@pytest.mark.parametrize("name", ["-", "/dev/stdin"])
def test_standard_input_is_imported(db: peewee.Database, db_url: str, name: str) -> None:
    done = flask(db_url, "import", name, "--format", "queue_log", "--source", "pbx", given=QUEUE_LOG)
    assert (done.returncode, done.stdout.splitlines()[0]) == (0, "read 7, stored 6, repeated 0, refused 1")
    assert (done.stderr, Event.select().where(Event.type.startswith("call.")).count()) == ("", 4)


def test_an_encoding_is_named_or_refused(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "queue_log"
    path.write_bytes("1772438460|c|q|Jiří|CONNECT|1\n".encode("cp1250"))
    words = ("import", path, "--format", "queue_log", "--source", "pbx", "--encoding")
    bad = run(*words, "klingon")
    assert (bad.exit_code, "'klingon' is not an encoding, such as utf-8" in bad.stderr) == (2, True)
    assert "  encoding cp1250\n" in run(*words, "windows-1250").stdout
    assert User.select().where(User.login == "Jiří").exists()


def test_a_file_that_cannot_be_read_ends_the_command_with_one_line(run: Run) -> None:
    result = run("import", "/proc/self/mem", "--format", "queue_log", "--source", "pbx")
    assert (result.exit_code, result.stderr) == (
        1,
        "Error: Cannot read '/proc/self/mem': Input/output error.\n",
    )


def test_a_damaged_gzip_file_gives_what_it_has_and_says_so(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "queue_log.gz"
    path.write_bytes(gzip.compress((QUEUE_LOG * 500).encode(), 1)[:-5])
    result = run("import", path, "--format", "queue_log", "--source", "pbx")
    assert (result.exit_code, result.stdout.split(",")[0]) == (0, "read 3501")
    assert "the compressed file is damaged or incomplete" in result.stdout


def test_a_missing_file_is_named(run: Run, tmp_path: Path) -> None:
    result = run("import", tmp_path / "gone.csv", "--format", "csv", "--source", "crm")
    assert (result.exit_code, "gone.csv' does not exist" in result.stderr) == (2, True)
    result = run("import", tmp_path, "--format", "csv", "--source", "crm")
    assert (result.exit_code, "is a directory" in result.stderr) == (2, True)


def test_a_missing_column_is_named(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("day,hour\n2026-03-02,09:00\n\n1,2\n3,4\n")
    words = ("--map", "type==custom.x", "--map", "time=when")
    result = run("import", path, "--format", "csv", "--source", "crm", *words)
    assert (result.exit_code, result.stdout.splitlines()) == (
        1,
        [
            "read 4, stored 0, repeated 0, refused 4",
            "  lines 5: records 4, blank 1",
            "  encoding UTF-8 (detected)",
            "  line 1: --map time: The file has no column “when”. It has: day, hour.",
            "  line 2: event: Not read, because the first line is refused.",
            "  and 2 more",
        ],
    )


@needs_cases
def test_a_table_of_czech_excel_is_read_in_its_encoding(run: Run) -> None:
    maps = ("type==custom.x", "time=Začátek", "user=Agent", "id=Číslo")
    words = ("--format", "csv", "--source", "excel", *(word for text in maps for word in ("--map", text)))
    said = run("import", CASES / "csv_excel_cs_cp1250.csv", *words).stdout
    assert said.splitlines()[:3] == [
        "read 2, stored 2, repeated 0, refused 0",
        "  lines 3: records 2, blank 0, header 1",
        "  encoding cp1250 (detected)",
    ]
    assert User.select().where(User.login == "Žaneta Nová").exists()


@needs_cases
def test_every_form_of_time_that_can_mean_one_moment_is_read(run: Run) -> None:
    maps = ("type==custom.x", "time=T", "id=I", "--timezone", "Europe/Prague")
    words = [word for text in maps[:3] for word in ("--map", text)]
    said = run(
        "import", CASES / "csv_times.csv", "--format", "csv", "--source", "t", *words, *maps[3:]
    ).stdout
    assert said.startswith("read 17, stored 17, ")
    at = {
        event.external_id: datetime.fromtimestamp(event.time_ms / 1000, UTC).isoformat()[5:19]
        for event in Event.select().where(Event.type == "custom.x")
    }
    seven, nine, no_seconds = "04-14T07:05:10", "04-14T09:05:10", "04-14T07:05:00"
    assert at == {
        **dict.fromkeys(("Z0", "Z1", "Z2", "Z3", "Z5", "Z10", "Z15"), seven),
        **dict.fromkeys(("Z4", "Z8", "Z12", "Z16"), nine),
        **dict.fromkeys(("Z6", "Z7", "Z9"), no_seconds),
        "Z11": "04-14T22:00:00",
        "Z13": "10-25T00:30:00",
        "Z14": "03-29T01:00:00",
    }
