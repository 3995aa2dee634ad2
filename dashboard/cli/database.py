"""The `flask` commands of the database, its demonstration data, the worker and the version."""

from __future__ import annotations

import sqlite3
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import click
import peewee
import psycopg
from flask import current_app
from flask.cli import with_appcontext

from dashboard import settings
from dashboard.access import first_admin, presets
from dashboard.audit import record as audit
from dashboard.cli.common import at_database, print_table
from dashboard.db import backup, connected, copying, database, failure, migrate, rehearsal
from dashboard.events import backups, internal
from dashboard.ingest import followed
from dashboard.ingest.manager import keeper
from dashboard.jobs import heartbeat, worker
from dashboard.models import ALL
from dashboard.settings import readers
from dashboard.tracing import projection
from dashboard.tracing.changes import Change
from dashboard.tracing.cobrowsing import projection as cobrowsing


@click.command("version")
def version() -> None:
    """Print the version of Stopa; `flask --version` prints Flask's."""
    click.echo(f"Stopa {settings.version()}")


@click.command("migrate")
def migrate_() -> None:
    """Upgrade the database to this version. Safe to run repeatedly and from several machines."""
    with at_database(migrate.pending):
        for line in _upgrade():
            click.echo(line)
        if code := first_admin.setup_code():
            click.echo(f"No users yet. One-time code to create the first administrator: {code}")


def _upgrade() -> list[str]:
    """Apply pending migrations and create missing built-in roles; return the lines to print."""
    failure.check_writable()
    applied = migrate.run(database.obj)
    presets.make()
    return [f"Applied {name}." for name in applied] or ["The database is up to date."]


@click.command("worker")
@click.option("--drain", is_flag=True, help="Exit when no jobs are due.")
def work(drain: bool) -> None:
    """Run jobs, timers and schedules."""
    if not drain:
        reason = worker.forever()
        with suppress(peewee.PeeweeException), connected():
            heartbeat.unmark()
            followed.release()
            keeper.leave()
        if reason:
            raise click.ClickException(reason)
        return
    with at_database():
        click.echo(f"Jobs run: {worker.drain()}.")


@click.command("rebuild")
def rebuild() -> None:
    """Rebuild activities from the event log, and list the figures that changed and why."""
    changed: list[Change] = []
    with at_database(), click.progressbar(length=1, label="Rebuilding", file=sys.stderr) as bar:

        def report(done: int, total: int) -> None:
            bar.length = total
            bar.update(done - bar.pos)

        projection.rebuild(report, changed.append)
        cobrowsing.rebuild()
        audit.record("system.rebuilt", "u", details={"changed": len(changed)})
    for change in changed:
        click.echo(str(change))
    click.echo("Rebuild complete.")


@click.command("backup")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--check", is_flag=True, help="Restore the backup into a database that is dropped again.")
@click.option("--keep", type=click.IntRange(1), help="Delete older backups of the folder FILE than so many.")
def save(file: Path, check: bool, keep: int | None) -> None:
    """Back up the database to FILE while it is in use. In a folder, the backup is named after the time."""
    url, folder = current_app.config["STOPA"].database, file
    if keep and not folder.is_dir():
        raise click.BadParameter("--keep needs a folder.")
    if folder.is_dir():
        file = backup.new_name(folder)
    checked = ""
    try:
        with at_database(migrate.refuse_empty):
            backup.save(url, file)
        if check:
            checked = f" {rehearsal.restore(url, file)}"
    except (backup.BackupError, sqlite3.Error) as error:
        text = failure.explain(error) if isinstance(error, sqlite3.Error) else str(error)
        with suppress(peewee.PeeweeException), connected():
            internal.append("system.backup_failed", {"error": text[:500]})
        raise click.ClickException(text) from None
    size = file.stat().st_size
    with suppress(peewee.PeeweeException), connected():  # a database of an earlier version has no chain yet
        audit.record("system.backed_up", "r", ("file", "", file.name), details={"size": size})
        backups.note(file.name, size)
    click.echo(f"{file}: {size} bytes.{checked}")
    for old in backup.outdated(folder, keep) if keep else ():
        old.unlink()
        click.echo(f"{old}: deleted.")


@click.command("restore")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--yes", is_flag=True, help="Do not ask; needed where nobody can answer.")
@click.option("--force", is_flag=True, help="Restore although the server or a worker seems to run.")
def restore(file: Path, yes: bool, force: bool) -> None:
    """Replace the database by the backup FILE. Stop the server and workers first."""
    url = current_app.config["STOPA"].database
    try:
        backup.check(url, file)
        if not force and (users := _database_users(url)):
            raise click.ClickException(f"{users} Stop the server and all workers, or use --force.")
        if not yes and not sys.stdin.isatty():
            raise click.ClickException("Nobody can be asked here. Use --yes to replace the database.")
        yes or click.confirm(f"Replace the database by {file}?", abort=True)
        aside = backup.restore(url, file)
        with at_database(migrate.pending):
            migrate.run(database.obj)
            audit.record("system.restored", "u", ("file", "", file.name))
    except backup.BackupError as error:
        raise click.ClickException(str(error)) from None
    except (OSError, psycopg.Error) as error:
        raise click.ClickException(failure.explain(error)) from None
    click.echo(f"Restore complete. The replaced database: {aside}" if aside else "Restore complete.")


@click.command("copy")
@click.option("--to", "target", required=True, help="URL of an empty database, as STOPA_DATABASE names it.")
@click.option("--force", is_flag=True, help="Copy although the server or a worker seems to run.")
@with_appcontext
def copy(target: str, force: bool) -> None:
    """Copy everything into another database, such as from SQLite to PostgreSQL, and verify every table.

    Stop the server and workers first: what is stored while the copy is made is not in it. The secret key
    must stay the same.
    """
    source = current_app.config["STOPA"].database
    try:
        target = readers.read_database(target)
        with at_database():
            audit.record("system.copied", "r")
            database.close()
        if not force and (users := _database_users(source)):
            raise click.ClickException(f"{users} Stop the server and all workers, or use --force.")
        rows = copying.size(source, tables())
        with click.progressbar(length=rows, label="Copying", file=sys.stderr) as bar:
            digests = copying.copy(source, target, tables(), bar.update)
    except ValueError as error:
        raise click.ClickException(f"The address {error}.") from None
    except copying.CopyError as error:
        raise click.ClickException(str(error)) from None
    lines = [(name, str(digest.rows)) for name, digest in digests.items() if digest.rows]
    print_table(("TABLE", "ROWS"), lines)
    click.echo("Copied and verified. Set STOPA_DATABASE to the new address on every machine.")


def tables() -> list[copying.Table]:
    """Return all tables, each after those that it refers to."""
    return [_table(model._meta) for model in peewee.sort_models(ALL)]  # type: ignore[attr-defined]


def _table(meta: Any) -> copying.Table:
    def named(kind: type[peewee.Field]) -> frozenset[str]:
        return frozenset(field.column_name for field in meta.sorted_fields if isinstance(field, kind))

    columns = tuple(field.column_name for field in meta.sorted_fields)
    numbered = meta.primary_key.column_name if isinstance(meta.primary_key, peewee.AutoField) else ""
    json, booleans = named(peewee.JSONField), named(peewee.BooleanField)
    return copying.Table(meta.table_name, columns, json, booleans, numbered)


def _database_users(url: str) -> str:
    """Return a sentence about who uses the database, "" when nobody does."""
    if backup.in_use(url):
        return "Another process has the database open."
    alive: list[tuple[str, int]] = []
    with suppress(peewee.PeeweeException), connected():  # an empty or damaged database has no workers
        alive = heartbeat.alive()
    return f"Worker {alive[0][0]} was alive {alive[0][1]} s ago." if alive else ""


@click.command("demo")
def demo() -> None:
    """Create demo data up to now and print sign-in details. Runs migrations first."""
    from dashboard import demo as demo_data

    with at_database(migrate.pending):
        for line in [*_upgrade(), *demo_data.make()]:
            click.echo(line)
