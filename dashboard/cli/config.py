"""The `flask` commands of the configuration: what is in force, and whether it works."""

from __future__ import annotations

from collections.abc import Iterator

import click
import peewee
from flask import current_app
from flask.cli import with_appcontext

from dashboard import settings
from dashboard.cli.common import as_json, print_table
from dashboard.db import connected, failure
from dashboard.events import health
from dashboard.jobs import heartbeat
from dashboard.notify import email


@click.group()
def config() -> None:
    """Show and check the settings."""


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
