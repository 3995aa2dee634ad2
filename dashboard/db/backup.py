"""Backs up the whole database while it is in use, and restores it.

SQLite uses its online backup API, PostgreSQL pg_dump and pg_restore. Both read one snapshot, so the backup
contains every event that was acknowledged before it started.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from pathlib import Path
from urllib.parse import unquote, urlsplit

SQLITE = "sqlite:///"
PAGES = 4096  # copied per step; writers can run between steps


class BackupError(Exception):
    """The backup or restore failed; the text is the reason."""


def save(url: str, target: Path) -> None:
    """Back up the database at `url` to `target`, a new file that appears only when complete."""
    if target.exists():
        raise BackupError(f"{target} already exists.")
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
    """Replace the content of the database at `url` by the backup `source`, which is checked first.

    No other process may use the database. Raises BackupError if the file is damaged or not a backup.
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
        intact = database.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        migrated = database.execute("SELECT count(*) FROM schema_migration").fetchone()[0] > 0
    except sqlite3.Error as error:
        raise BackupError(f"{source} is not a backup of Stopa: {error}.") from error
    finally:
        database.close()
    if not intact or not migrated:
        raise BackupError(f"{source} is damaged.")


def _run(url: str, command: str, *arguments: str, quiet: bool = False) -> None:
    program = shutil.which(command)
    if program is None:
        raise BackupError(f"{command} is not installed. Install the PostgreSQL client.")
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
    """Return the URL as environment variables, which keeps the password out of the process list."""
    parts = urlsplit(url)
    variables = {
        "PGHOST": parts.hostname or "",
        "PGPORT": str(parts.port or ""),
        "PGUSER": unquote(parts.username or ""),
        "PGPASSWORD": unquote(parts.password or ""),
        "PGDATABASE": parts.path.strip("/"),
    }
    return {name: value for name, value in variables.items() if value}
