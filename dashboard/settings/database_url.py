"""The one reader of STOPA_DATABASE: settings, connections, backup and restore take its parts from here."""

from __future__ import annotations

from pathlib import Path

SQLITE, POSTGRESQL = "sqlite:///", "postgresql://"


def sqlite_path(url: str) -> Path | None:
    """Return the path of an SQLite database; None for another one."""
    return Path(url.removeprefix(SQLITE)) if url.startswith(SQLITE) else None


def server_parameters(url: str) -> dict[str, str]:
    """Return the connection parameters of a PostgreSQL URL by the names of libpq, whose parser reads it:
    also those of the query part (`host`, `sslmode`, `dbname` …) and the percent-encoded path of a socket.

    Raises ValueError for a URL that libpq does not take or that names no database.
    """
    import psycopg  # here: settings of an SQLite database do not need it
    from psycopg.conninfo import conninfo_to_dict

    try:
        found = {name: str(value) for name, value in conninfo_to_dict(url).items()}
    except psycopg.ProgrammingError as error:
        raise ValueError(f"is not a PostgreSQL URL: {str(error).strip().rpartition(': ')[0]}") from None
    if "dbname" not in found:
        raise ValueError("has no database name")
    if not all(port.isdecimal() and 0 < int(port) < 65536 for port in found.get("port", "5432").split(",")):
        raise ValueError("has no valid port")
    return found
