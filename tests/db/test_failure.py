"""The cause of a failing database in one line, whatever driver, program or rollback reports it."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import peewee
import psycopg
import pytest

from dashboard.db import failure, open_database
from tests.postgres import free_port


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "stopa.db"
    with closing(sqlite3.connect(path)) as made:
        made.executescript("create table event (id integer primary key, text text)")
    return path


def failing(url: str, sql: str = "insert into event (text) values (zeroblob(100000))") -> str:
    """Run SQL in a transaction on a database and return the line that explains why it failed."""
    db = open_database(url)
    with pytest.raises(peewee.PeeweeException) as caught, db.connection_context(), db.atomic():
        db.execute_sql(sql)
    assert failure.is_away(caught.value)
    return failure.explain(caught.value)


def damaged(file: Path) -> None:
    file.write_bytes(b"SQLite format 3\0" + b"x" * 8000)


def overwritten(file: Path) -> None:
    file.write_bytes(b"no database at all" * 500)


def without_folder(file: Path) -> None:
    file.unlink()
    file.parent.rmdir()


BROKEN = [
    (damaged, "The database ({}) is damaged. Restore a backup with `flask restore FILE`."),
    (overwritten, "The database ({}) is damaged. Restore a backup with `flask restore FILE`."),
    (without_folder, "Cannot open the database ({}). Check that its folder exists and is writable."),
]


@pytest.mark.parametrize(("breaks", "line"), BROKEN)
def test_cause_of_a_broken_file_is_named(file: Path, breaks: Callable[[Path], None], line: str) -> None:
    breaks(file)
    assert failing(f"sqlite:///{file}") == line.format(file)


def test_full_disk_is_named_although_the_rollback_fails_too(file: Path) -> None:
    db = open_database(f"sqlite:///{file}")

    def fill() -> None:
        with db.atomic():
            try:
                db.execute_sql("insert into event (text) values (zeroblob(100000))")
            finally:
                db.connection().rollback()  # as SQLite does by itself when the disk is full

    with db.connection_context():
        db.execute_sql("pragma max_page_count = 3")
        with pytest.raises(peewee.OperationalError, match="cannot rollback") as caught:
            fill()
    assert failure.explain(caught.value) == f"The disk is full ({file}). Free some space and try again."


def test_lock_of_another_process_is_named(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dashboard.db.SQLITE_PRAGMAS", {"busy_timeout": 10})
    with closing(sqlite3.connect(file)) as other:
        other.execute("begin immediate")
        line = failing(f"sqlite:///{file}")
    assert line == "Another process holds a lock on the database. Try again later."


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write to every file")
def test_read_only_file_is_named(file: Path) -> None:
    file.chmod(0o400)
    assert failing(f"sqlite:///{file}") == f"The database ({file}) is read-only for this user."


def test_unreachable_servers_are_named() -> None:
    port = free_port()
    assert failing(f"postgresql://u@127.0.0.1:{port}/x") == (
        f"No PostgreSQL server listens (127.0.0.1, port {port})."
    )
    assert failing("postgresql://u@no-such-host.invalid/x") == (
        "The database host (no-such-host.invalid, port 5432) was not found."
    )


@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
def test_errors_of_postgresql_are_named(db_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    missing = db_url.rpartition("/")[0] + "/missing"
    assert failing(missing) == 'database "missing" does not exist.'
    monkeypatch.setattr("dashboard.db.WAIT_S", 1)
    with psycopg.connect(db_url) as other:
        other.execute("lock table event in access exclusive mode")
        assert failing(db_url, "delete from event") == (
            "Another process holds a lock on the database. Try again later."
        )


PROGRAMS = [
    (
        'pg_dump: error: connection to server at "10.0.0.9" failed: Timed out\n\tIs the server running?\n',
        'connection to server at "10.0.0.9" failed: Timed out',
    ),
    (
        "pg_dump: error: could not write to file: No space left on device",
        "The disk is full. Free some space and try again.",
    ),
    ("pg_restore: error: input file does not appear to be a valid archive", "input file does not appear"),
]


@pytest.mark.parametrize(("said", "line"), PROGRAMS)
def test_words_of_programs_become_one_line(said: str, line: str) -> None:
    open_database("sqlite:///:memory:")
    assert failure.of_words(said).replace(" (:memory:)", "").startswith(line)
