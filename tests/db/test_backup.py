"""A copy taken in use holds what was acknowledged, and comes back whole."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import peewee
import psycopg
import pytest

from dashboard import clock
from dashboard.db import backup, migrate, open_database
from dashboard.models import Queue, Setting
from dashboard.settings import ROOT
from tests import make
from tests.test_start import environment

pytestmark = pytest.mark.both_databases


@pytest.mark.own_database
def test_restore_returns_the_content_at_backup_time(db: peewee.Database, db_url: str, tmp_path: Path) -> None:
    make.queue("before")
    backup.save(db_url, tmp_path / "copy")
    make.queue("after")
    db.close()
    backup.restore(db_url, tmp_path / "copy")
    db.connect(reuse_if_open=True)
    assert [row.name for row in Queue.select()] == ["before"]


@pytest.mark.own_database
def test_restore_leaves_nothing_of_a_newer_version(db: peewee.Database, db_url: str, tmp_path: Path) -> None:
    backup.save(db_url, tmp_path / "copy")
    db.execute_sql("create table newer (id integer primary key, queue_id integer references queue (id))")
    db.close()
    backup.restore(db_url, tmp_path / "copy")
    with db.connection_context():
        assert not db.table_exists("newer")
        migrate.check(db)


@pytest.mark.own_database
@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
def test_backup_that_ends_early_changes_nothing(db: peewee.Database, db_url: str, tmp_path: Path) -> None:
    make.queue("before")
    backup.save(db_url, tmp_path / "copy")
    whole = (tmp_path / "copy").read_bytes()
    (tmp_path / "copy").write_bytes(whole[: len(whole) * 2 // 3])
    with pytest.raises(backup.BackupError):
        backup.restore(db_url, tmp_path / "copy")
    assert [row.name for row in Queue.select()] == ["before"]


def test_backup_does_not_overwrite_files(db: peewee.Database, db_url: str, tmp_path: Path) -> None:
    (tmp_path / "copy").write_text("kept")
    with pytest.raises(backup.BackupError, match="already exists"):
        backup.save(db_url, tmp_path / "copy")
    assert (tmp_path / "copy").read_text() == "kept"


def test_backup_into_a_missing_folder_names_the_folder(
    db: peewee.Database, db_url: str, tmp_path: Path
) -> None:
    with pytest.raises(backup.BackupError, match=r"Folder .*/missing does not exist"):
        backup.save(db_url, tmp_path / "missing" / "copy")


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
def test_a_damaged_database_is_not_backed_up(db: peewee.Database, db_url: str, tmp_path: Path) -> None:
    for number in range(200):
        make.queue(f"queue {number}")
    db.execute_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    (page,) = db.execute_sql("SELECT rootpage FROM sqlite_schema WHERE name = 'queue'").fetchone()
    (size,) = db.execute_sql("PRAGMA page_size").fetchone()
    db.close()
    with (tmp_path / "stopa.db").open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"damage" * 100)
    with pytest.raises(backup.BackupError, match="is damaged"):
        backup.save(db_url, tmp_path / "copy")
    assert not list(tmp_path.glob("copy*"))


@pytest.mark.parametrize("content", [b"", b"no database", b"SQLite format 3\0" + bytes(100)])
def test_damaged_backup_is_rejected(db: peewee.Database, db_url: str, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "copy").write_bytes(content)
    with pytest.raises(backup.BackupError):
        backup.check(db_url, tmp_path / "copy")


def test_backup_of_a_newer_version_is_rejected(db: peewee.Database, db_url: str, tmp_path: Path) -> None:
    backup.save(db_url, tmp_path / "copy")
    backup.check(db_url, tmp_path / "copy")
    db.execute_sql("insert into schema_migration (name, applied) values ('0999_later', '2030-01-01')")
    backup.save(db_url, tmp_path / "newer")
    with pytest.raises(backup.BackupError, match="created by a newer version"):
        backup.check(db_url, tmp_path / "newer")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_only_the_owner_can_read_backups(db: peewee.Database, db_url: str, tmp_path: Path) -> None:
    backup.save(db_url, tmp_path / "copy")
    assert mode(tmp_path / "copy") == 0o600


@pytest.mark.parametrize("existing", [False, True])
@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
def test_only_the_owner_can_read_an_sqlite_database(backend: str, tmp_path: Path, existing: bool) -> None:
    path = tmp_path / "stopa.db"
    if existing:
        with closing(sqlite3.connect(path)) as made:
            made.executescript("pragma journal_mode = wal; create table a (b)")
        path.chmod(0o644)
    db = open_database(f"sqlite:///{path}")
    with db.connection_context():
        migrate.run(db)
        assert {file.name: mode(file) for file in tmp_path.iterdir()} == dict.fromkeys(
            ("stopa.db", "stopa.db-wal", "stopa.db-shm"), 0o600
        )


@pytest.mark.own_database
@pytest.mark.parametrize("form", ["{user}@{host}:{port}/postgres?", "/?host={host}&port={port}&user={user}&"])
@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
def test_backup_reads_the_url_like_the_application(db_url: str, tmp_path: Path, form: str) -> None:
    parts = urlsplit(db_url)
    named = form.format(user=parts.username, host=parts.hostname, port=parts.port)
    url = f"postgresql://{named}dbname={parts.path[1:]}&sslmode=prefer"
    db = open_database(url)
    with db.connection_context():
        make.queue("before")
    db.close_all()
    backup.save(url, tmp_path / "copy")
    with psycopg.connect(db_url) as other:
        other.execute("delete from queue")
    backup.check(url, tmp_path / "copy")
    backup.restore(url, tmp_path / "copy")
    with psycopg.connect(db_url) as other:
        assert other.execute("select name from queue").fetchall() == [("before",)]


@contextmanager
def other_process(url: str) -> Iterator[None]:
    """A process that has the database open and does nothing."""
    words = "import sys, time; from dashboard.db import *; d = open_database(sys.argv[1]); d.connect();"
    words += "d.execute_sql('select 1 from setting'); print('open', flush=True); time.sleep(600)"
    command = [sys.executable, "-c", words, url]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "open\n"
        try:
            yield
        finally:
            process.kill()


def restored(url: str, file: Path, *words: str, stdin: int = subprocess.DEVNULL) -> str:
    """Run `flask restore` and return what it says."""
    done = subprocess.run(
        [sys.executable, "-m", "flask", "restore", str(file), *words],
        cwd=ROOT,
        env=environment(url),
        stdin=stdin,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" not in done.stderr
    assert (done.returncode == 0) == ("Restore complete." in done.stdout)
    return done.stdout + done.stderr


def away(db: peewee.Database) -> None:
    db.close()
    if not isinstance(db, peewee.SqliteDatabase):
        db.close_all()


@pytest.mark.own_database
def test_restore_refuses_while_anybody_uses_the_database(
    db: peewee.Database, db_url: str, tmp_path: Path
) -> None:
    backup.save(db_url, tmp_path / "copy")
    make.queue("after")
    away(db)
    with other_process(db_url):
        assert "Another process has the database open." in restored(db_url, tmp_path / "copy", "--yes")
    with db.connection_context():
        assert [row.name for row in Queue.select()] == ["after"]
        Setting.create(name="worker:desk:7", value=str(clock.now_ms()))
    away(db)
    assert "Worker desk:7 was alive " in restored(db_url, tmp_path / "copy", "--yes")
    assert "Nobody can be asked here. Use --yes" in restored(db_url, tmp_path / "copy", "--force")
    with other_process(db_url):
        assert "Restore complete." in restored(db_url, tmp_path / "copy", "--yes", "--force")
    with db.connection_context():
        assert [row.name for row in Queue.select()] == []
    away(db)


@pytest.mark.parametrize("damage", [False, True])
@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
def test_restore_keeps_the_replaced_file(
    db: peewee.Database, db_url: str, tmp_path: Path, damage: bool
) -> None:
    backup.save(db_url, tmp_path / "copy")
    make.queue("after")
    db.close()
    path = tmp_path / "stopa.db"
    if damage:
        path.write_bytes(b"no database" * 1000)
    before = path.read_bytes()
    assert "The replaced database: " in restored(db_url, tmp_path / "copy", "--yes")
    (kept,) = tmp_path.glob("stopa.db.replaced-*")
    assert mode(kept) == mode(path) == 0o600
    with db.connection_context():
        assert [row.name for row in Queue.select()] == []
    if damage:
        assert kept.read_bytes() == before
    else:
        with closing(sqlite3.connect(kept)) as replaced:
            assert replaced.execute("select name from queue").fetchall() == [("after",)]


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
def test_restore_asks_on_a_terminal(db: peewee.Database, db_url: str, tmp_path: Path) -> None:
    backup.save(db_url, tmp_path / "copy")
    db.close()
    for answer, end in (("n", "Aborted!"), ("y", "Restore complete.")):
        keyboard, terminal = os.openpty()
        os.write(keyboard, f"{answer}\n".encode())
        said = restored(db_url, tmp_path / "copy", stdin=terminal)
        assert f"Replace the database by {tmp_path / 'copy'}? [y/N]" in said
        assert end in said
        os.close(keyboard)
        os.close(terminal)
