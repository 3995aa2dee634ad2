"""The commands: what they do, what they say and where, and their exit status."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import peewee
import pytest
from click.testing import Result
from flask import Flask

from dashboard.access import passwords, presets
from dashboard.db import database
from dashboard.events import record
from dashboard.ingest.schema import NewEvent
from dashboard.models import ApiKey, AuditEntry, Event, Source, User
from dashboard.settings import ROOT
from tests.test_start import environment

Run = Callable[..., Result]
COMMANDS = ["migrate", "demo", "user add", "key add", "import", "worker", "rebuild", "backup", "restore"]


@pytest.fixture
def run(app: Flask) -> Run:
    """Run a command by its words; `given` is its standard input."""
    presets.make()

    def runner(*words: object, given: str = "") -> Result:
        return app.test_cli_runner().invoke(args=[str(word) for word in words], input=given)

    return runner


def flask(url: str, *words: str, given: str = "") -> subprocess.CompletedProcess[str]:
    """Run a command as a process of its own, as on a command line."""
    return subprocess.run(
        [sys.executable, "-m", "flask", *words],
        cwd=ROOT,
        env=environment(url),
        input=given,
        capture_output=True,
        text=True,
        check=False,
    )


def lines(*events: object) -> str:
    return "".join(json.dumps(event) + "\n" for event in events)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(run: Run, command: str) -> None:
    result = run(*command.split(), "--help")
    assert (result.exit_code, result.stdout.startswith("Usage:")) == (0, True)


@pytest.mark.parametrize("words", [("nonsense",), ("key", "add"), ("import",), ("worker", "--nonsense")])
def test_usage_errors_exit_with_2_and_print_to_stderr(run: Run, words: tuple[str, ...]) -> None:
    result = run(*words)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "Error" in result.stderr


def test_new_key_is_printed_and_stored_as_hash(db_url: str, run: Run) -> None:
    done = flask(db_url, "key", "add", "phones", "--source", "pbx")
    assert (done.returncode, done.stderr) == (0, "")
    plain = done.stdout.removesuffix("\n")
    row = ApiKey.get(ApiKey.name == "phones")
    assert (row.allow, row.makes, row.prefix) == ("ingest", True, plain[:12])
    assert plain.startswith("stopa_")
    assert plain not in str(list(ApiKey.select().dicts())) + str(list(AuditEntry.select().dicts()))
    assert AuditEntry.get(AuditEntry.action == "key.created").interface == "cli"


def test_key_gets_the_given_options(run: Run) -> None:
    assert run("key", "add", "a", "--source", "pbx", "--allow", "read").exit_code == 0
    assert run("key", "add", "b", "--source", "pbx", "--known-only").exit_code == 0
    assert list(ApiKey.select(ApiKey.allow, ApiKey.makes).order_by(ApiKey.id).tuples()) == [
        ("read", True),
        ("ingest", False),
    ]
    assert run("key", "add", "c", "--source", "pbx", "--allow", "everything").exit_code == 2
    assert run("key", "add", "", "--source", "pbx").exit_code == 2
    assert run("key", "add", "d", "--source", "x" * 121).exit_code == 2
    assert ApiKey.select().count() == 2


def test_a_further_key_for_a_source_names_the_others_on_standard_error(run: Run) -> None:
    assert run("key", "add", "a", "--source", "pbx").stderr == ""
    done = run("key", "add", "b", "--source", "pbx")
    assert (done.stderr, done.stdout.startswith("stopa_")) == ("Source pbx already has keys: a.\n", True)


@pytest.mark.parametrize("words", [("key", "add", "a"), ("import", "wsgi.py", "--format", "jsonl")])
@pytest.mark.parametrize("source", ["stopa", "STOPA"])
def test_the_dashboards_own_source_name_is_refused(run: Run, words: tuple[str, ...], source: str) -> None:
    done = run(*words, "--source", source)
    assert (done.exit_code, "name of Stopa's own events" in done.stderr) == (2, True)
    assert not Source.select().exists()


def test_a_user_is_added_with_a_password_from_standard_input(run: Run) -> None:
    words = ("user", "add", "jana", "--access", "Administrator", "--name", "Jana Nová", "--password-stdin")
    result = run(*words, given="correct horse\n")
    assert (result.exit_code, result.stdout) == (0, "Added jana with role Administrator.\n")
    row = User.get(User.login == "jana")
    assert (row.name, row.access.name) == ("Jana Nová", "Administrator")
    assert passwords.check("correct horse", row.password_hash)
    assert "correct horse" not in str(list(AuditEntry.select().dicts()))
    again = run(*words, given="another horse\n")
    assert (again.exit_code, "can already sign in" in again.stderr) == (1, True)


def test_user_known_from_events_gets_a_role_and_keeps_the_name(run: Run) -> None:
    record.append(record.source("pbx").id, [NewEvent("a", "agent.ready", 0, "petr")])
    assert (
        run("user", "add", "petr", "--access", "Agent", "--password-stdin", given="long enough").exit_code
        == 0
    )
    assert User.select().count() == 1
    assert User.get().access.name == "Agent"


@pytest.mark.parametrize(
    ("login", "access", "password", "status", "words"),
    [
        ("jana", "Nobody", "long enough", 1, "Unknown role 'Nobody'. Available: Administrator"),
        ("jana", "Agent", "short", 1, "Use at least 8 characters."),
        ("jana", "Agent", "", 1, "Use at least 8 characters."),
        (" ", "Agent", "long enough", 2, "Enter 1 to 120 printable characters."),
        ("j" * 121, "Agent", "long enough", 2, "Enter 1 to 120 printable characters."),
    ],
)
def test_rejected_user_prints_the_reason(
    run: Run, login: str, access: str, password: str, status: int, words: str
) -> None:
    result = run("user", "add", login, "--access", access, "--password-stdin", given=password)
    assert (result.exit_code, words in result.stderr) == (status, True), result.stderr
    assert User.select().count() == 0


def test_failed_backup_records_an_event(db: peewee.Database, db_url: str, tmp_path: Path) -> None:
    path = tmp_path / "copy"
    path.touch()
    result = flask(db_url, "backup", str(path))
    assert (result.returncode, "already exists" in result.stderr) == (1, True), result.stderr
    event = Event.get()
    assert (event.type, "already exists" in event.data) == ("system.backup_failed", True)


def test_worker_drain_runs_due_jobs_and_exits(run: Run) -> None:
    source = record.source("pbx").id
    for ident in "abc":
        record.append(source, [NewEvent(ident, "agent.ready", 0, "petr")])
    assert (run("worker", "--drain").stdout, run("worker", "--drain").stdout) == (
        "Jobs run: 3.\n",
        "Jobs run: 0.\n",
    )


def test_rebuild_prints_when_complete(run: Run) -> None:
    result = run("rebuild")
    assert (result.exit_code, result.stdout) == (0, "Rebuild complete.\n")


def test_migrate_is_idempotent(empty_url: str) -> None:
    first, second = (flask(empty_url, "migrate") for _ in range(2))
    assert (first.returncode, second.returncode) == (0, 0)
    assert "Applied 0001_trail." in first.stdout
    assert "The database is up to date." in second.stdout
    assert "One-time code to create the first administrator:" in first.stdout


@pytest.mark.parametrize("words", [["key", "add", "a", "--source", "b"], ["worker"], ["rebuild"]])
def test_unmigrated_database_gives_one_line(empty_url: str, words: list[str]) -> None:
    done = flask(empty_url, *words)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines()[-1] == "Error: The database is empty. Run `flask migrate`."
    assert "Traceback" not in done.stderr


@pytest.mark.own_database
@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
def test_read_only_database_is_named_at_the_start(db: peewee.Database, db_url: str) -> None:
    db.execute_sql("ALTER DATABASE own SET default_transaction_read_only = on")
    done = flask(db_url, "migrate")
    assert (done.returncode, "is read-only for this user." in done.stderr) == (1, True)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write to every file")
def test_read_only_file_is_named_at_the_start(db: peewee.Database, db_url: str) -> None:
    db.close()
    Path(db_url.removeprefix("sqlite:///")).chmod(0o400)
    done = flask(db_url, "migrate")
    assert (done.returncode, "is read-only for this user." in done.stderr) == (1, True)


NEWER = "This database was created by a newer version of Stopa. Unknown migrations: 9999_later."
WORKS = [
    "migrate",
    "demo",
    "user add eva --access Agent",
    "key add pbx --source pbx",
    "access grant Agent pii.unmask",
    "import README.md --format jsonl --source pbx",
    "worker",
    "worker --drain",
    "rebuild",
]


@pytest.mark.parametrize("words", WORKS)
def test_database_of_newer_version_is_not_touched(run: Run, words: str) -> None:
    values = "('9999_later', CURRENT_TIMESTAMP)"
    database.execute_sql(f"INSERT INTO schema_migration (name, applied) VALUES {values}")
    result = run(*words.split())
    assert (result.exit_code, result.stderr.splitlines()[-1]) == (1, f"Error: {NEWER}")
    assert not ApiKey.select().exists()
    assert not Event.select().exists()


@pytest.mark.both_databases
def test_backups_of_a_folder_are_restored_for_a_check_and_the_oldest_are_deleted(
    db: peewee.Database, db_url: str, tmp_path: Path
) -> None:
    record.append(record.source("pbx").id, [NewEvent("a", "agent.ready", 0, "petr")])
    folder = tmp_path / "backups"
    folder.mkdir()
    (folder / "before-0.2.0.backup").touch()
    names, events = [], []
    for _ in range(3):
        done = flask(db_url, "backup", str(folder), "--check", "--keep", "2")
        assert done.returncode == 0, done.stderr
        names.append(Path(done.stdout.partition(":")[0]).name)
        events += map(int, re.findall(r"Restored for a check: (\d+) events", done.stdout))
    assert (events[0], sorted({*events})) == (1, events), "each backup adds an event"
    assert {path.name for path in folder.iterdir()} == {*names[1:], "before-0.2.0.backup"}
    refused = flask(db_url, "backup", str(folder / "file"), "--keep", "2")
    assert (refused.returncode, "--keep needs a folder" in refused.stderr) == (2, True)
