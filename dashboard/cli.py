"""Commands, a few lines each, into a room."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import click
import peewee
from flask import Flask, current_app

from dashboard import clock
from dashboard.access import keys, passwords, presets
from dashboard.access.permissions import Permission
from dashboard.audit import record as audit
from dashboard.db import backup, connected, database, migrate
from dashboard.events import own
from dashboard.ingest import files, importer
from dashboard.jobs import worker
from dashboard.models import Access, User
from dashboard.pages.signin import commands as signin
from dashboard.rules import store
from dashboard.tracing import projection

NAME_MAX = 120  # the columns of logins, sources and keys


def init(app: Flask) -> None:
    for command in (migrate_, user, access, key, import_, work, rebuild, demo, save, restore):
        app.cli.add_command(command)


@contextmanager
def _at_database() -> Iterator[None]:
    """Hold a connection; a database that is away, locked or not migrated ends the command in one line."""
    try:
        with connected():
            yield
    except (peewee.OperationalError, peewee.InterfaceError, peewee.ProgrammingError) as error:
        why = (str(error).splitlines() or ["no reason given"])[0]
        raise click.ClickException(
            f"The database does not serve: {why}. `flask migrate` prepares it."
        ) from None


def _name(_context: click.Context, _parameter: click.Parameter, value: str) -> str:
    if not value.strip() or len(value) > NAME_MAX or not value.isprintable():
        raise click.BadParameter(f"Give 1 to {NAME_MAX} printable characters.")
    return value


@click.command("migrate")
def migrate_() -> None:
    """Bring the database to this version. Safe to run twice and from two machines."""
    with _at_database():
        for line in _bring_up():
            click.echo(line)
        if code := signin.setup_code():
            click.echo(f"Nobody can sign in yet. One-time code for the first administrator: {code}")


def _bring_up() -> list[str]:
    """Apply the missing migrations and presets; return what to say of it."""
    try:
        applied = migrate.run(database.obj)
    except migrate.Downgrade as gone:
        text = f"This database was made by a newer version; unknown here: {gone}"
        raise click.ClickException(text) from None
    presets.make()
    return [f"Applied {name}." for name in applied] or ["The database is up to date."]


@click.group()
def user() -> None:
    """Users who sign in."""


@user.command("add")
@click.argument("login", callback=_name)
@click.option("--access", required=True, help="Name of an access, such as Administrator or Agent.")
@click.option("--name", default="", help="Name shown on pages; the login when left out.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
def user_add(login: str, access: str, name: str, password_stdin: bool) -> None:
    """Add LOGIN, or give a user known from events an access and a password."""
    with _at_database():
        chosen = Access.get_or_none(Access.name == access)
        if chosen is None:
            raise click.ClickException(f"There is no access {access!r}. Known: {_names()}.")
        given = (
            sys.stdin.readline().rstrip("\r\n")
            if password_stdin
            else click.prompt("Password", hide_input=True, confirmation_prompt=True)
        )
        if problem := passwords.problem(given, login):
            raise click.ClickException(problem)
        with database.atomic():
            row, made = User.get_or_create(
                login=login, defaults={"name": name or login, "created_ts": clock.now_s(), "access": chosen}
            )
            if not made and row.password_hash is not None:
                raise click.ClickException(f"{login!r} can sign in already; change the user on the page.")
            User.update(access=chosen, password_hash=passwords.make(given)).where(User.id == row.id).execute()
            audit.record(
                "user.created" if made else "user.updated",
                "c" if made else "u",
                audit.user_target(row),
                {"access": (None, access)},
            )
            store.changed()
    click.echo(f"Added {login} with access {access}.")


@click.group()
def access() -> None:
    """Accesses: what their holders may do."""


@access.command("grant")
@click.argument("name")
@click.argument("permission", type=click.Choice([each.value for each in Permission]))
def access_grant(name: str, permission: str) -> None:
    """Give the access NAME a PERMISSION, also one that no administrator has to give.

    On the pages nobody grants what he lacks, and no preset shows full contact details: this is
    how the owner of the server decides who may.
    """
    with _at_database(), database.atomic():
        row = Access.get_or_none(Access.name == name)
        if row is None:
            raise click.ClickException(f"There is no access {name!r}. Known: {_names()}.")
        after = sorted({*row.permissions, permission})
        Access.update(permissions=after, version=Access.version + 1).where(Access.id == row.id).execute()
        audit.record(
            "access.updated", "u", ("access", row.id, name), {"permissions": (row.permissions, after)}
        )
    click.echo(f"{name} has {permission} now.")


def _names() -> str:
    return ", ".join(row.name for row in Access.select().order_by(Access.name))


@click.group()
def key() -> None:
    """API keys of sources and clients."""


@key.command("add")
@click.argument("name", callback=_name)
@click.option("--source", required=True, callback=_name, help="Source whose events the key sends.")
@click.option("--allow", type=click.Choice(["ingest", "read"]), default="ingest", show_default=True)
@click.option("--known-only", is_flag=True, help="Refuse events that name unknown users or queues.")
def key_add(name: str, source: str, allow: str, known_only: bool) -> None:
    """Print a new API key once; only its hash is kept."""
    with _at_database(), database.atomic():
        plain = keys.make(name, source, allow, makes=not known_only)
        audit.record("key.created", "c", ("key", "", name), details={"source": source, "allow": allow})
    click.echo(plain)


@click.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--format", "kind", type=click.Choice(["queue_log", "jsonl", "csv"]), required=True)
@click.option("--source", required=True, callback=_name, help="Name under which the file's events are kept.")
@click.option("--timezone", default="UTC", show_default=True, help="Zone of times without offset.")
@click.option("--map", "columns", multiple=True, metavar="FIELD=COLUMN", help="CSV: where a field stands.")
@click.option("--rules", is_flag=True, help="Let rules act upon the events, however long past.")
def import_(file: Path, kind: str, source: str, timezone: str, columns: tuple[str, ...], rules: bool) -> None:
    """Import FILE. Twice is once: an import that was cut off is taken up by running it again."""
    try:
        clock.zone(timezone)
        mapping = files.column_map(columns)
    except ValueError as error:
        raise click.ClickException(str(error)) from None
    with _at_database():
        total = file.stat().st_size
        with click.progressbar(length=total, label="Reading", file=sys.stderr) as bar:
            summary = importer.run(
                file, kind, source, timezone, mapping, lambda at: bar.update(at - bar.pos), rules=rules
            )
    click.echo(
        f"read {summary.read}, stored {summary.stored}, repeated {summary.repeated}, "
        f"refused {summary.refused}"
    )
    for line, text in summary.examples:
        click.echo(f"  line {line}: {text}")
    if summary.refused > len(summary.examples):
        click.echo(f"  and {summary.refused - len(summary.examples)} more")
    raise SystemExit(1 if summary.refused and not summary.stored and not summary.repeated else 0)


@click.command("worker")
@click.option("--drain", is_flag=True, help="End when nothing is due.")
def work(drain: bool) -> None:
    """Run jobs, timers and schedules."""
    if not drain:
        worker.forever()
        return
    with _at_database():
        click.echo(f"Jobs run: {worker.drain()}.")


@click.command("rebuild")
def rebuild() -> None:
    """Fold the whole event log again."""
    with _at_database(), click.progressbar(length=1, label="Folding", file=sys.stderr) as bar:

        def report(done: int, total: int) -> None:
            bar.length = total
            bar.update(done - bar.pos)

        projection.rebuild(report)
    click.echo("Everything is folded anew.")


@click.command("backup")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def save(file: Path) -> None:
    """Copy the whole database to FILE while it is in use."""
    try:
        backup.save(current_app.config["STOPA"].database, file)
    except (backup.BackupError, OSError) as error:
        with suppress(peewee.PeeweeException), connected():
            own.append("system.backup_failed", {"error": str(error)[:500]})
        raise click.ClickException(str(error)) from None
    click.echo(f"{file}: {file.stat().st_size} bytes.")


@click.command("restore")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def restore(file: Path) -> None:
    """Put a copy made by backup in place of the present content. Stop server and worker first."""
    try:
        backup.restore(current_app.config["STOPA"].database, file)
        with _at_database():
            migrate.run(database.obj)
    except (backup.BackupError, OSError, migrate.Downgrade) as error:
        raise click.ClickException(str(error)) from None
    click.echo("The copy is in place.")


@click.command("demo")
def demo() -> None:
    """Make the demonstration data, up to this minute, and print the sign-ins. Migrates first."""
    from dashboard import demo as team

    with _at_database():
        for line in [*_bring_up(), *team.make()]:
            click.echo(line)
