"""Backs up the whole database while it is in use, and restores it.

SQLite uses its online backup API, PostgreSQL pg_dump and pg_restore. Both read one snapshot, so the backup
contains every event that was acknowledged before it started; both restore in one transaction.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import sqlite3
import subprocess
import tempfile
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path

import psycopg
from psycopg.conninfo import make_conninfo
from psycopg.sql import SQL, Identifier

from dashboard.db import failure, make_private, migrate
from dashboard.settings import database_url

PAGES = 4096  # copied per step; writers can run between steps
# The bytes of an SQLite file that every connection locks: its file format, "the lock-byte page".
SHARED_FIRST, SHARED_SIZE = 0x40000002, 510
OTHERS = """SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
    AND pid <> pg_backend_pid() AND coalesce(backend_type, 'client backend') = 'client backend'"""


TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = current_schema() AND tableowner = current_user"
FUNCTIONS = """SELECT p.proname FROM pg_proc p
    WHERE p.pronamespace = current_schema()::regnamespace AND p.proowner = current_user::regrole
    AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')"""


NAME, NAMES = "stopa-%Y%m%dT%H%M%S.%fZ.backup", "stopa-????????T??????.??????Z.backup"


class BackupError(Exception):
    """The backup or restore failed; the text is the reason."""


def save(url: str, target: Path, *, damaged: bool = False) -> None:
    """Back up the database at `url` to `target`, a new file of mode 0600 that appears only when complete.

    Raises BackupError for a damaged database, whose copy could not be restored, except with `damaged`.
    """
    if target.exists():
        raise BackupError(f"{target} already exists.")
    if not target.absolute().parent.is_dir():
        raise BackupError(f"Folder {target.parent} does not exist.")
    part = target.with_name(target.name + ".part")
    try:
        part.unlink(missing_ok=True)
        make_private(part)
        if (path := database_url.sqlite_path(url)) is not None:
            _copy_sqlite(path, part)
            if not damaged and not _is_intact(part):
                raise BackupError(failure.DAMAGED.format(f" ({path})") + ".")
        else:
            _run(url, "pg_dump", "--format=custom", "--no-owner", f"--file={part}")
        part.rename(target)
    except OSError as error:
        raise BackupError(failure.explain(error)) from error
    finally:
        part.unlink(missing_ok=True)


def new_name(folder: Path) -> Path:
    """Return the path of a backup that is made now; names sort by time."""
    return folder / f"{datetime.now(UTC):{NAME}}"


def outdated(folder: Path, keep: int) -> list[Path]:
    """Return the backups of `folder` that new_name() has named, without the newest `keep`."""
    return sorted(folder.glob(NAMES))[:-keep]


def check(url: str, source: Path) -> None:
    """Raise BackupError if `source` is damaged, or no backup of this kind of database that this version of
    Stopa can read."""
    if database_url.sqlite_path(url) is not None:
        applied = _checked_sqlite(source)
    else:
        table = ("--data-only", "--table=schema_migration", "--file=-")
        applied = set(re.findall(r"^\d+\t(\w+)\t", _run(url, "pg_restore", *table, str(source)), re.M))
    if not applied:
        raise BackupError(f"{source} is not a backup of Stopa.")
    try:
        migrate.refuse_newer(applied)
    except migrate.NewerError as error:
        raise BackupError(failure.explain(error)) from None


def read_whole(url: str, source: Path) -> None:
    """Read an archive of PostgreSQL to its end; raises BackupError where it is damaged."""
    _run(url, "pg_restore", "--no-owner", "--file=/dev/null", str(source))


def restore(url: str, source: Path) -> Path | None:
    """Replace the content of the database at `url` by the backup `source`, as a whole or not at all.

    Returns where the replaced SQLite database is kept, beside the database. Call check() first.
    """
    path = database_url.sqlite_path(url)
    if path is None:
        _restore_postgresql(url, source)
        return None
    if not path.exists() or not path.stat().st_size:
        _copy_sqlite(source, path)
        return None
    aside = path.with_name(f"{path.name}.replaced-{datetime.now(UTC):%Y%m%dT%H%M%SZ}")
    try:
        save(url, aside, damaged=True)
    except sqlite3.DatabaseError:  # not even its head can be read
        _replace_file(path, source, aside)
    else:
        _copy_sqlite(source, path)
    return aside


def in_use(url: str) -> bool:
    """Say whether another process has the database open. Call it without a connection of one's own."""
    path = database_url.sqlite_path(url)
    if path is None:
        with psycopg.connect(_conninfo(url, with_password=True)) as connection:
            row = connection.execute(OTHERS).fetchone()
        return row is not None and row[0] > 0
    if not path.exists():
        return False
    with path.open("r+b") as file:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, SHARED_SIZE, SHARED_FIRST)
        except OSError:
            return True
    return False


def _restore_postgresql(url: str, source: Path) -> None:
    """Drop the user's tables and functions and run the backup's SQL in one transaction.

    pg_restore would leave the tables of a newer version, and fail where they refer to the others. Its SQL
    is complete before it is run.
    """
    with psycopg.connect(_conninfo(url, with_password=True)) as connection:
        old = [
            SQL("DROP {} IF EXISTS {} CASCADE").format(SQL(kind), Identifier(name)).as_string()
            for kind, query in (("TABLE", TABLES), ("FUNCTION", FUNCTIONS))
            for (name,) in connection.execute(SQL(query))
        ]
    with tempfile.NamedTemporaryFile() as script:  # mode 0600
        _run(url, "pg_restore", "--no-owner", f"--file={script.name}", str(source))
        whole = ("--no-psqlrc", "--quiet", "--single-transaction", "--set=ON_ERROR_STOP=1")
        first = [f"--command={'; '.join(old)}"] if old else []
        _run(url, "psql", *whole, *first, f"--file={script.name}")


def _replace_file(path: Path, source: Path, aside: Path) -> None:
    part, owner = path.with_name(path.name + ".part"), path.stat()
    part.unlink(missing_ok=True)
    _copy_sqlite(source, part)
    with suppress(PermissionError):  # root may restore the database of another user
        os.chown(part, owner.st_uid, owner.st_gid)
    for suffix in ("-wal", "-shm", ""):
        file = path.with_name(path.name + suffix)
        if file.exists():
            file.rename(aside.with_name(aside.name + suffix))
    part.rename(path)


def _copy_sqlite(source: Path, target: Path) -> None:
    """Copy a database; raises sqlite3.DatabaseError if one of both is none, BackupError otherwise."""
    if not source.exists():
        raise BackupError(f"{source} does not exist.")
    make_private(target)
    with closing(sqlite3.connect(source)) as from_:
        try:
            with closing(sqlite3.connect(target)) as to:
                from_.backup(to, pages=PAGES)
        except sqlite3.OperationalError as error:
            raise BackupError(failure.explain(error, target)) from error


def _is_intact(file: Path) -> bool:
    with closing(sqlite3.connect(file)) as database:
        try:
            return bool(database.execute("PRAGMA integrity_check(1)").fetchone()[0] == "ok")
        except sqlite3.DatabaseError:
            return False


def _checked_sqlite(source: Path) -> set[str]:
    """Return the migrations of an intact backup; raises BackupError for another file."""
    with closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True)) as database:
        try:
            if database.execute("PRAGMA integrity_check").fetchone()[0] != "ok":
                raise BackupError(f"{source} is damaged.")
            return {name for (name,) in database.execute("SELECT name FROM schema_migration")}
        except sqlite3.Error as error:
            raise BackupError(f"{source} is not a backup of Stopa: {error}.") from error


def _run(url: str, command: str, *arguments: str) -> str:
    """Run a program of PostgreSQL and return its output. It finds the database by its connection string,
    which has no password: other users see the arguments of a process."""
    program = shutil.which(command)
    if program is None:
        raise BackupError(f"{command} is not installed. Install the PostgreSQL client.")
    if command != "pg_restore":  # which only reads files here
        arguments = (f"--dbname={_conninfo(url)}", *arguments)
    done = subprocess.run(  # noqa: S603  our own arguments, no shell
        [program, *arguments],
        env={**os.environ, "PGPASSWORD": database_url.server_parameters(url).get("password", "")},
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode:
        raise BackupError(f"{command}: {failure.of_words(done.stderr) or done.returncode}")
    return done.stdout


def _conninfo(url: str, with_password: bool = False) -> str:
    parameters = database_url.server_parameters(url)
    if "sslpassword" in parameters and not with_password:
        raise BackupError("STOPA_DATABASE has sslpassword, which would be visible in the list of processes.")
    hidden = () if with_password else ("password",)
    return make_conninfo(**{name: value for name, value in parameters.items() if name not in hidden})
