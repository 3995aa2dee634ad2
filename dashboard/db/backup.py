"""Copies of the whole database, taken while it is in use, and put back.

SQLite is copied by its own backup interface, PostgreSQL by pg_dump and pg_restore: both see one
instant, so the copy holds every event acknowledged before it began.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from pathlib import Path
from urllib.parse import unquote, urlsplit

SQLITE = "sqlite:///"
PAGES = 4096  # copied at a time, so that writers get their turn


class BackupError(Exception):
    """The copy could not be made or put back; the text says why."""


def save(url: str, target: Path) -> None:
    """Copy the database of `url` to `target`, which must not exist yet; it appears only when whole."""
    if target.exists():
        raise BackupError(f"{target} exists already.")
    part = target.with_name(target.name + ".part")
    try:
        if url.startswith(SQLITE):
            _copy_sqlite(Path(url.removeprefix(SQLITE)), part)
        else:
            _run(url, "pg_dump", "--format=custom", "--no-owner", f"--file={part}")
        part.rename(target)
    finally:
        part.unlink(missing_ok=True)


def restore(url: str, source: Path) -> None:
    """Replace the content of the database of `url` by the copy; the copy is checked first.

    Nothing else may use the database meanwhile. Raises BackupError for a damaged or foreign file.
    """
    if url.startswith(SQLITE):
        _check_sqlite(source)
        _copy_sqlite(source, Path(url.removeprefix(SQLITE)))
    else:
        _run(url, "pg_restore", "--list", str(source), quiet=True)
        _run(
            url,
            "pg_restore",
            "--clean",
            "--if-exists",
            "--no-owner",
            "--single-transaction",
            "--dbname=" + _environment(url)["PGDATABASE"],
            str(source),
        )


def _copy_sqlite(source: Path, target: Path) -> None:
    if not source.exists():
        raise BackupError(f"{source} does not exist.")
    from_, to = sqlite3.connect(source), sqlite3.connect(target)
    try:
        from_.backup(to, pages=PAGES)
    except sqlite3.Error as error:
        raise BackupError(f"{target}: {error}.") from error
    finally:
        from_.close()
        to.close()


def _check_sqlite(source: Path) -> None:
    database = sqlite3.connect(f"file:{source}?mode=ro", uri=True)
    try:
        sound = database.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        ours = database.execute("SELECT count(*) FROM schema_migration").fetchone()[0] > 0
    except sqlite3.Error as error:
        raise BackupError(f"{source} is no copy of this database: {error}.") from error
    finally:
        database.close()
    if not sound or not ours:
        raise BackupError(f"{source} is damaged.")


def _run(url: str, command: str, *arguments: str, quiet: bool = False) -> None:
    program = shutil.which(command)
    if program is None:
        raise BackupError(f"{command} is not installed; it comes with PostgreSQL's client.")
    done = subprocess.run(  # noqa: S603  our own arguments, no shell
        [program, *arguments],
        env={**os.environ, **_environment(url)},
        stdout=subprocess.DEVNULL if quiet else None,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode:
        raise BackupError(f"{command}: {done.stderr.strip() or done.returncode}")


def _environment(url: str) -> dict[str, str]:
    """Return the address for the client programs; the password stays out of the process list."""
    parts = urlsplit(url)
    given = {
        "PGHOST": parts.hostname or "",
        "PGPORT": str(parts.port or ""),
        "PGUSER": unquote(parts.username or ""),
        "PGPASSWORD": unquote(parts.password or ""),
        "PGDATABASE": parts.path.strip("/"),
    }
    return {name: value for name, value in given.items() if value}
