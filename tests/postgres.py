"""A PostgreSQL server of the tests' own: temporary folder, free port, gone at the end."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

START_S = 60
OPTIONS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "fsync": "off",  # nothing here outlives the run
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "autovacuum": "off",
    "jit": "off",
    "max_connections": "200",
}

DISCONNECT = """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()"""
USED = "FROM pg_sequence WHERE pg_sequence_last_value(seqrelid) IS NOT NULL"
NUMBERS = f"SELECT seqrelid::regclass::text, pg_sequence_last_value(seqrelid) {USED}"
RESTART = f"SELECT setval(seqrelid::regclass, 1, false) {USED}"
PUBLIC = "schemaname = 'public'"


def binaries() -> Path:
    """Return the folder of the newest server installed; raises FileNotFoundError when there is none."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if found:
        return found[-1].parent
    on_path = shutil.which("initdb")
    if on_path is None:
        raise FileNotFoundError(
            "no PostgreSQL server here; bin/test installs one: apt-get install postgresql"
        )
    return Path(on_path).resolve().parent


def as_server_user(death: str | None = None) -> list[str]:
    """Return the words before a command that make it run as a user PostgreSQL accepts.

    With `death` the command gets that signal when the tests are killed.
    """
    words = ["setpriv"]
    if os.geteuid() == 0:
        words += ["--reuid=postgres", "--regid=postgres", "--init-groups"]
    return words + ([f"--pdeathsig={death}"] if death else ["--"])


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def server() -> Iterator[str]:
    """Run a server and yield its URL without a database name; raises RuntimeError with its log."""
    bin_dir = binaries()
    home = Path(tempfile.mkdtemp(prefix="stopa-postgres-"))
    if os.geteuid() == 0:
        shutil.chown(home, "postgres")
    data, log, port = home / "data", home / "log", free_port()
    options = [f"-c{name}={value}" for name, value in OPTIONS.items()]
    # Its lock timeout reads the real time in a signal handler, whatever libfaketime says elsewhere.
    # Stopa's SQL never asks the server for the time.
    environment = {name: value for name, value in os.environ.items() if name != "LD_PRELOAD"}
    try:
        subprocess.run(
            [
                *as_server_user(),
                bin_dir / "initdb",
                "-D",
                data,
                "--no-sync",
                "--auth=trust",
                "--username=stopa",
                "--encoding=UTF8",
                "--locale=C.UTF-8",
            ],
            check=True,
            capture_output=True,
            cwd="/",
        )
        with log.open("wb") as written:
            process = subprocess.Popen(
                [*as_server_user("QUIT"), bin_dir / "postgres", "-D", data, f"-p{port}", *options],
                stdout=written,
                stderr=written,
                cwd="/",
                env=environment,
            )
        try:
            _wait(process, port, log)
            yield f"postgresql://stopa@127.0.0.1:{port}"
        finally:
            process.terminate()
            try:
                process.wait(5)  # TERM waits for the tests' own connections to close
            except subprocess.TimeoutExpired:
                process.send_signal(3)
                process.wait(30)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    until = time.monotonic() + START_S
    while time.monotonic() < until and process.poll() is None:
        try:
            psycopg.connect(f"postgresql://stopa@127.0.0.1:{port}/postgres").close()
        except psycopg.OperationalError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"PostgreSQL did not start:\n{log.read_text(errors='replace')}")


def administer(server: str, sql: str) -> None:
    """Run one statement outside a transaction, on no database of the tests."""
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        connection.execute(sql)


def copied(server: str, template: str, name: str) -> Iterator[str]:
    """Yield the URL of a copy of the database `template`, dropped afterwards."""
    administer(server, f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")  # twice as fast
    try:
        yield f"{server}/{name}"
    finally:
        administer(server, f"DROP DATABASE {name} WITH (FORCE)")


class Reused:
    """A copy of a migrated database that is emptied before each test.

    That takes 4 ms and what the rows cost. A copy takes 130, and so does TRUNCATE, which makes new
    files for every table and index.
    """

    def __init__(self, server: str, template: str, name: str) -> None:
        administer(server, f"CREATE DATABASE {name} TEMPLATE {template}")
        self.url = f"{server}/{name}"
        with self._connection() as connection:
            tables = connection.execute(f"SELECT tablename FROM pg_tables WHERE {PUBLIC}").fetchall()
            filled = [table for (table,) in tables if _filled(connection, table)]
            connection.execute("CREATE SCHEMA migrated")
            for table in filled:
                connection.execute(f'CREATE TABLE migrated."{table}" AS TABLE public."{table}"')
            numbers = connection.execute(NUMBERS).fetchall()
        self._emptying = "; ".join(
            [
                DISCONNECT,
                "SET session_replication_role = replica",  # no foreign key is checked
                *(f'DELETE FROM "{table}"' for (table,) in tables),
                *(f'INSERT INTO "{table}" SELECT * FROM migrated."{table}"' for table in filled),
                RESTART,
                *(f"SELECT setval('{sequence}', {last})" for sequence, last in numbers),
            ]
        )

    def empty(self) -> None:
        """End the connections that are left; put rows and sequences back to what the migrations made."""
        with self._connection() as connection:
            connection.execute(self._emptying)

    def _connection(self) -> psycopg.Connection[tuple[Any, ...]]:
        return psycopg.connect(self.url, autocommit=True)


def _filled(connection: psycopg.Connection[tuple[Any, ...]], table: str) -> bool:
    return connection.execute(f'SELECT 1 FROM "{table}" LIMIT 1').fetchone() is not None
