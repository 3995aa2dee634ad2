"""The `flask` commands of the configuration: what is in force, whether it works, and as a file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

import click
import peewee
from flask import current_app
from flask.cli import with_appcontext

from dashboard import settings
from dashboard.access import granting
from dashboard.cli.common import as_json, at_database, print_table
from dashboard.db import connected, database, failure
from dashboard.events import health
from dashboard.jobs import heartbeat
from dashboard.notify import email
from dashboard.rules import configuration, configuration_import


@click.group()
def config() -> None:
    """Show and check the settings; export and import the configuration."""


@config.command("check")
@as_json
@with_appcontext
def check(as_json: bool) -> None:
    """Print every setting in force with the place it comes from, secrets hidden, and what does not work.

    Exit status 1 if something does not work. An invalid setting is named with an example, status 2.
    """
    lines = [(each.name, each.place or "default", each.value) for each in settings.in_force()]
    print_table(("NAME", "FROM", "VALUE"), lines, as_json)
    problems = list(_problems())
    for problem in problems:
        click.echo(problem, err=True)
    if problems:
        raise SystemExit(1)
    click.echo("Database, worker and mail server answer.", err=True)


@config.command("export")
@click.argument("file", type=click.File("wb"))
def export(file: BinaryIO) -> None:
    """Write roles, teams, queues, pause types, calendars and the site's rules to FILE, "-" for the screen.

    It holds no secrets: no passwords, keys or channels. Users are named where a role shows them.
    """
    with at_database(), database.atomic():
        file.write(configuration.export())


@config.command("import")
@click.argument("file", type=click.File("rb"))
@click.option("--dry-run", is_flag=True, help="Print what would change, and change nothing.")
@as_json
def import_(file: BinaryIO, dry_run: bool, as_json: bool) -> None:
    """Add what FILE has and this site has not, and change what differs, all or nothing; delete nothing.

    Rules come switched off. Safe to repeat.
    """
    try:
        with at_database():
            done = configuration_import.bring_in(configuration.load(file.read()), write=not dry_run)
    except configuration.InvalidFileError as error:
        raise click.ClickException(f"{file.name}: {error}") from None
    except granting.RefusedError as error:
        raise click.ClickException(str(error)) from None
    print_table(("DONE", "KIND", "NAME", "WHAT"), [each for each in done if each.act != "unchanged"], as_json)
    click.echo(f"Unchanged: {sum(each.act == 'unchanged' for each in done)}.", err=True)
    if dry_run:
        click.echo("Nothing was written.", err=True)


def _problems() -> Iterator[str]:
    chosen = current_app.config["STOPA"]
    try:
        with connected():
            if wrong := health.database_problem():
                yield f"Database: {wrong}. Run `flask migrate`, or install the version that made it."
            elif not heartbeat.alive():
                yield "Worker: none is alive. Run `bin/serve` or `flask worker`."
    except peewee.PeeweeException as error:
        if not failure.is_away(error):
            raise
        yield f"Database: {failure.explain(error)}"
    if chosen.smtp_url and (answer := email.check(chosen)).why:
        yield f"Mail server: {' '.join(part for part in (answer.why, answer.note) if part)}"
